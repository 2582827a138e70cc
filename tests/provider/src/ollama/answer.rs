//! An answer, whole and line by line.

use crate::answer::Event;
use crate::json::compact;
use crate::reply::{Finish, Reply, Thought};
use crate::tokens::{self, Meter};
use serde_json::{Value, json};

const CREATED: &str = "2026-11-21T10:00:00.123456Z";

/// One request's answer, before it is a body or a stream.
pub(super) struct Message {
    pub(super) model: String,
    pub(super) reply: Reply,
    /// All input.
    pub(super) input: u64,
}

impl Message {
    /// The body.
    pub(super) fn body(&self) -> String {
        let mut message = json!({"role": "assistant", "content": self.reply.text});
        if let Some(Thought::Open(thinking)) = &self.reply.thinking {
            message["thinking"] = thinking.as_str().into();
        }
        if !self.reply.calls.is_empty() {
            message["tool_calls"] = self.calls();
        }
        compact(&self.done(message))
    }

    /// The stream's lines; calls come whole, in one of them.
    pub(super) fn lines(&self) -> Vec<Event> {
        let mut events = Vec::new();
        let mut piece = |key: &str, text: &str, tokens: u64| {
            let mut message = json!({"role": "assistant", "content": ""});
            message[key] = text.into();
            events.push(Event::content(self.line(message), tokens));
        };
        if let Some(Thought::Open(thinking)) = &self.reply.thinking {
            let mut meter = Meter::default();
            tokens::words(thinking)
                .into_iter()
                .for_each(|word| piece("thinking", word, meter.add(word)));
        }
        let mut meter = Meter::default();
        tokens::words(&self.reply.text)
            .into_iter()
            .for_each(|word| piece("content", word, meter.add(word)));
        if !self.reply.calls.is_empty() {
            let message = json!({"role": "assistant", "content": "", "tool_calls": self.calls()});
            let tokens = self.reply.calls.iter().map(crate::reply::Call::tokens).sum();
            events.push(Event::content(self.line(message), tokens));
        }
        let last = self.done(json!({"role": "assistant", "content": ""}));
        events.push(Event::terminator(format!("{}\n", compact(&last))));
        events
    }

    fn line(&self, message: Value) -> String {
        let line = json!({"model": self.model, "created_at": CREATED, "message": message, "done": false});
        format!("{}\n", compact(&line))
    }

    fn done(&self, message: Value) -> Value {
        let reason = match self.reply.finish {
            Finish::Length => "length",
            Finish::Stop | Finish::StopSequence(_) | Finish::Calls | Finish::Refused | Finish::Filtered => "stop",
        };
        json!({
            "model": self.model, "created_at": CREATED, "message": message, "done_reason": reason, "done": true,
            "total_duration": 500_000_000, "load_duration": 1_000_000, "prompt_eval_count": self.input,
            "prompt_eval_duration": 100_000_000, "eval_count": self.reply.tokens(), "eval_duration": 300_000_000,
        })
    }

    fn calls(&self) -> Value {
        let calls = self.reply.calls.iter();
        calls
            .map(|call| json!({"function": {"name": call.name, "arguments": call.arguments}}))
            .collect()
    }
}
