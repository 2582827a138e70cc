//! A response in pieces: named and numbered events, and no `[DONE]`.

use super::output::{Item, Response, likelihood, part};
use crate::answer::Event;
use crate::tokens::{self, Meter};
use serde_json::{Value, json};

/// The stream's events.
pub(super) fn events(response: &Response) -> Vec<Event> {
    let mut writer = Writer {
        status: response.status(),
        events: Vec::new(),
    };
    for name in ["response.created", "response.in_progress"] {
        writer.frame(name, json!({"response": response.begun()}));
    }
    for (index, item) in response.items.iter().enumerate() {
        writer.item(index, item);
    }
    let whole = writer.bytes(response.ending(), json!({"response": response.whole()}));
    writer.events.push(Event::terminator(whole));
    writer.events
}

struct Writer {
    status: &'static str,
    events: Vec<Event>,
}

impl Writer {
    fn bytes(&self, name: &str, mut data: Value) -> String {
        data["type"] = name.into();
        data["sequence_number"] = self.events.len().into();
        format!("event: {name}\ndata: {data}\n\n")
    }

    fn frame(&mut self, name: &str, data: Value) {
        let bytes = self.bytes(name, data);
        self.events.push(Event::frame(bytes));
    }

    fn content(&mut self, name: &str, data: Value, tokens: u64) {
        let bytes = self.bytes(name, data);
        self.events.push(Event::content(bytes, tokens));
    }

    fn item(&mut self, index: usize, item: &Item) {
        let added = json!({"output_index": index, "item": item.begun()});
        match item {
            Item::Call { name, .. } => self.content("response.output_item.added", added, tokens::count(name)),
            Item::Reasoning { .. } | Item::Message { .. } => self.frame("response.output_item.added", added),
        }
        match item {
            Item::Reasoning { id, summary, .. } => {
                if let Some(text) = summary {
                    self.summary(index, id, text);
                }
            }
            Item::Message {
                id,
                text,
                refused,
                logprobs,
            } => self.message(index, id, (text, *refused, *logprobs)),
            Item::Call {
                id, arguments, custom, ..
            } => self.arguments(index, id, arguments, *custom),
        }
        let done = json!({"output_index": index, "item": item.whole(self.status)});
        self.frame("response.output_item.done", done);
    }

    fn summary(&mut self, index: usize, id: &str, text: &str) {
        let at = |rest: Value| located(json!({"item_id": id, "output_index": index, "summary_index": 0}), rest);
        let part = |text: &str| at(json!({"part": {"type": "summary_text", "text": text}}));
        self.frame("response.reasoning_summary_part.added", part(""));
        let mut meter = Meter::default();
        for word in tokens::words(text) {
            let tokens = meter.add(word);
            self.content(
                "response.reasoning_summary_text.delta",
                at(json!({"delta": word})),
                tokens,
            );
        }
        self.frame("response.reasoning_summary_text.done", at(json!({"text": text})));
        self.frame("response.reasoning_summary_part.done", part(text));
    }

    fn message(&mut self, index: usize, id: &str, (text, refused, logprobs): (&str, bool, bool)) {
        let at = |rest: Value| located(json!({"item_id": id, "output_index": index, "content_index": 0}), rest);
        self.frame(
            "response.content_part.added",
            at(json!({"part": part("", refused, false)})),
        );
        let mut meter = Meter::default();
        for word in tokens::words(text) {
            let tokens = meter.add(word);
            match refused {
                true => self.content("response.refusal.delta", at(json!({"delta": word})), tokens),
                false => {
                    let delta = at(json!({"delta": word, "logprobs": likelihood(word, logprobs)}));
                    self.content("response.output_text.delta", delta, tokens);
                }
            }
        }
        match refused {
            true => self.frame("response.refusal.done", at(json!({"refusal": text}))),
            false => self.frame(
                "response.output_text.done",
                at(json!({"text": text, "logprobs": likelihood(text, logprobs)})),
            ),
        }
        self.frame(
            "response.content_part.done",
            at(json!({"part": part(text, refused, logprobs)})),
        );
    }

    fn arguments(&mut self, index: usize, id: &str, arguments: &str, custom: bool) {
        let (name, whole) = match custom {
            true => ("response.custom_tool_call_input", "input"),
            false => ("response.function_call_arguments", "arguments"),
        };
        let at = |rest: Value| located(json!({"item_id": id, "output_index": index}), rest);
        let mut meter = Meter::default();
        for piece in tokens::pieces(arguments, 7) {
            let tokens = meter.add(piece);
            self.content(&format!("{name}.delta"), at(json!({"delta": piece})), tokens);
        }
        self.frame(&format!("{name}.done"), at(json!({whole: arguments})));
    }
}

/// Both objects' members.
fn located(mut place: Value, rest: Value) -> Value {
    if let (Value::Object(place), Value::Object(rest)) = (&mut place, rest) {
        place.extend(rest);
    }
    place
}
