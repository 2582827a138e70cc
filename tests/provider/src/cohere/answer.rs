//! An answer, whole and event by event.

use crate::answer::Event;
use crate::json::compact;
use crate::reply::{Call, Finish, Reply, Thought};
use crate::tokens::{self, Meter};
use serde_json::{Value, json};

/// What the provider's own words around a prompt cost beside it.
const PREAMBLE: u64 = 200;

/// One request's answer, before it is a body or a stream.
pub(super) struct Message {
    /// Of the request.
    pub(super) number: usize,
    pub(super) reply: Reply,
    /// All input that is billed.
    pub(super) input: u64,
}

/// An event as it is sent.
pub(super) fn frame(event: &Value) -> String {
    let name = event["type"].as_str().unwrap_or_default();
    format!("event: {name}\ndata: {}\n\n", compact(event))
}

impl Message {
    /// The body.
    pub(super) fn body(&self) -> String {
        let mut message = json!({"role": "assistant"});
        let mut content = Vec::new();
        if let Some(Thought::Open(thinking)) = &self.reply.thinking {
            content.push(json!({"type": "thinking", "thinking": thinking}));
        }
        match self.reply.calls.is_empty() {
            true => content.push(json!({"type": "text", "text": self.reply.text})),
            false => {
                if !self.reply.text.is_empty() {
                    message["tool_plan"] = self.reply.text.as_str().into();
                }
                let calls = self.reply.calls.iter().enumerate();
                message["tool_calls"] = calls
                    .map(|(index, call)| self.call(index, call, &arguments(call)))
                    .collect();
            }
        }
        if !content.is_empty() {
            message["content"] = content.into();
        }
        compact(&json!({"id": self.id(), "finish_reason": self.reason(), "message": message, "usage": self.usage()}))
    }

    /// The stream's events.
    pub(super) fn events(&self) -> Vec<Event> {
        let role = json!({"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []});
        let start = json!({"id": self.id(), "type": "message-start", "delta": {"message": role}});
        let mut events = vec![Event::frame(frame(&start))];
        if let Some(Thought::Open(thinking)) = &self.reply.thinking {
            block(0, "thinking", thinking, &mut events);
        }
        match self.reply.calls.is_empty() {
            true => block(
                u64::from(self.reply.thinking.is_some()),
                "text",
                &self.reply.text,
                &mut events,
            ),
            false => self.plan(&mut events),
        }
        for (index, call) in self.reply.calls.iter().enumerate() {
            self.call_events(index, call, &mut events);
        }
        let delta = json!({"finish_reason": self.reason(), "usage": self.usage()});
        let end = json!({"id": self.id(), "type": "message-end", "delta": delta});
        events.push(Event::terminator(frame(&end)));
        // Which says nothing, and is sent all the same.
        events.push(Event::frame("data: [DONE]\n\n".to_owned()));
        events
    }

    fn plan(&self, events: &mut Vec<Event>) {
        let mut meter = Meter::default();
        for word in tokens::words(&self.reply.text) {
            let event = json!({"type": "tool-plan-delta", "delta": {"message": {"tool_plan": word}}});
            events.push(Event::content(frame(&event), meter.add(word)));
        }
    }

    /// The arguments come in two pieces.
    fn call_events(&self, index: usize, call: &Call, events: &mut Vec<Event>) {
        let of = |kind: &str, calls: Value| {
            frame(&json!({"type": kind, "index": index, "delta": {"message": {"tool_calls": calls}}}))
        };
        let arguments = arguments(call);
        events.push(Event::frame(of("tool-call-start", self.call(index, call, ""))));
        let (one, other) = arguments.split_at(1);
        for (piece, tokens) in [(one, 0), (other, call.tokens())] {
            let piece = of("tool-call-delta", json!({"function": {"arguments": piece}}));
            events.push(Event::content(piece, tokens));
        }
        events.push(Event::frame(frame(&json!({"type": "tool-call-end", "index": index}))));
    }

    fn call(&self, index: usize, call: &Call, arguments: &str) -> Value {
        let id = format!("{}_{:08x}", call.name, self.number * 64 + index);
        json!({"id": id, "type": "function", "function": {"name": call.name, "arguments": arguments}})
    }

    fn id(&self) -> String {
        format!("c14c80c3-18eb-4519-9460-{:012x}", self.number)
    }

    fn reason(&self) -> &'static str {
        match self.reply.finish {
            Finish::Stop => "COMPLETE",
            Finish::StopSequence(_) => "STOP_SEQUENCE",
            Finish::Length => "MAX_TOKENS",
            Finish::Calls => "TOOL_CALL",
            Finish::Refused | Finish::Filtered => "ERROR_TOXIC",
        }
    }

    /// Numbers are floats.
    fn usage(&self) -> Value {
        let (input, output) = (self.input, self.reply.tokens());
        let float = |number: u64| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
        json!({
            "billed_units": {"input_tokens": float(input), "output_tokens": float(output)},
            "tokens": {"input_tokens": float(input + PREAMBLE), "output_tokens": float(output + 2)},
            "cached_tokens": 0.0,
        })
    }
}

/// Indented, as the models write them.
fn arguments(call: &Call) -> String {
    let value: Value = serde_json::from_str(&call.arguments.compact()).unwrap_or_default();
    serde_json::to_string_pretty(&value).unwrap_or_default()
}

fn block(index: u64, kind: &str, text: &str, events: &mut Vec<Event>) {
    let start = json!({"type": kind, kind: ""});
    let start = json!({"type": "content-start", "index": index, "delta": {"message": {"content": start}}});
    events.push(Event::frame(frame(&start)));
    let mut meter = Meter::default();
    for word in tokens::words(text) {
        let event = json!({"type": "content-delta", "index": index, "delta": {"message": {"content": {kind: word}}}});
        events.push(Event::content(frame(&event), meter.add(word)));
    }
    let end = json!({"type": "content-end", "index": index});
    events.push(Event::frame(frame(&end)));
}
