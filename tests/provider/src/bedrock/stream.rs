//! An answer in pieces: binary events, usage behind the end.

use super::answer::{Block, Message, Reasoning};
use super::frame;
use crate::answer::Event;
use crate::json::compact;
use crate::tokens::{self, Meter};
use serde_json::{Value, json};

/// The stream's events.
pub(super) fn events(message: &Message) -> Vec<Event> {
    let mut events = vec![Event::frame(framed("messageStart", json!({"role": "assistant"}), 0))];
    for (index, block) in message.blocks().iter().enumerate() {
        self::block(index, block, message, &mut events);
    }
    let mut stop = json!({});
    message.stop(&mut stop);
    events.push(Event::terminator(framed("messageStop", stop, events.len())));
    let metadata = json!({"metrics": {"latencyMs": 551}, "usage": message.usage()});
    events.push(Event::frame(framed("metadata", metadata, events.len())));
    events
}

/// A block's deltas and its end; only a use of a tool has a start.
fn block(index: usize, block: &Block, message: &Message, events: &mut Vec<Event>) {
    let mut delta = |delta: Value, tokens: u64| {
        let data = json!({"contentBlockIndex": index, "delta": delta});
        events.push(Event::content(framed("contentBlockDelta", data, events.len()), tokens));
    };
    match block {
        Block::Text(text) => {
            let mut meter = Meter::default();
            for piece in tokens::words(text) {
                delta(json!({"text": piece}), meter.add(piece));
            }
        }
        Block::ReasoningContent(Reasoning::ReasoningText { text, signature }) => {
            let mut meter = Meter::default();
            for piece in tokens::words(text) {
                delta(json!({"reasoningContent": {"text": piece}}), meter.add(piece));
            }
            delta(json!({"reasoningContent": {"signature": signature}}), 0);
        }
        Block::ReasoningContent(Reasoning::RedactedContent(data)) => {
            let tokens = message.reply.thinking_tokens();
            delta(json!({"reasoningContent": {"redactedContent": data}}), tokens);
        }
        Block::ToolUse(call) => {
            let start = json!({"toolUse": {"toolUseId": call.tool_use_id, "name": call.name}});
            let data = json!({"contentBlockIndex": index, "start": start});
            let tokens = tokens::count(&call.name);
            events.push(Event::content(framed("contentBlockStart", data, events.len()), tokens));
            let mut meter = Meter::default();
            for piece in tokens::pieces(&call.input.compact(), 9) {
                let data = json!({"contentBlockIndex": index, "delta": {"toolUse": {"input": piece}}});
                let bytes = framed("contentBlockDelta", data, events.len());
                events.push(Event::content(bytes, meter.add(piece)));
            }
        }
    }
    let stop = json!({"contentBlockIndex": index});
    events.push(Event::frame(framed("contentBlockStop", stop, events.len())));
}

/// With letters that mean nothing, so that the size of a packet does not tell what is in it.
fn framed(name: &str, mut data: Value, number: usize) -> Vec<u8> {
    let padding = "abcdefghijklmnopqrstuvwxyz";
    data["p"] = padding.get(..number * 7 % 26).unwrap_or_default().into();
    frame::event(name, &compact(&data))
}
