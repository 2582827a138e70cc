//! A message in pieces: named events.

use super::answer::{Block, Body, FinalUsage, Message, StopDetails, UNKNOWN_FIELD};
use crate::answer::Event;
use crate::json::{Json, compact};
use crate::reply::Thought;
use crate::tokens::{self, Meter};
use serde::Serialize;

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Data<'a> {
    MessageStart { message: Body<'a> },
    ContentBlockStart { index: usize, content_block: Block },
    ContentBlockDelta { index: usize, delta: Delta<'a> },
    ContentBlockStop { index: usize },
    MessageDelta { delta: Ending<'a>, usage: FinalUsage },
    MessageStop,
}

#[derive(Serialize)]
#[serde(tag = "type")]
enum Delta<'a> {
    #[serde(rename = "text_delta")]
    Text {
        text: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        x_unknown: Option<&'static str>,
    },
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: &'a str },
    #[serde(rename = "signature_delta")]
    Signature { signature: &'a str },
    #[serde(rename = "input_json_delta")]
    InputJson { partial_json: &'a str },
}

#[derive(Serialize)]
struct Ending<'a> {
    stop_reason: &'static str,
    stop_sequence: Option<&'a str>,
    stop_details: Option<StopDetails>,
}

/// The stream's events.
pub(super) fn events(message: &Message) -> Vec<Event> {
    let mut writer = Writer {
        message,
        events: Vec::new(),
    };
    writer.frame(
        "message_start",
        &Data::MessageStart {
            message: message.opening(),
        },
    );
    let blocks = message.blocks();
    for (index, block) in blocks.iter().enumerate() {
        writer.block(index, block);
    }
    if blocks.is_empty() {
        writer.ping();
    }
    let delta = Ending {
        stop_reason: message.stop_reason(),
        stop_sequence: message.stop_sequence(),
        stop_details: message.stop_details(),
    };
    writer.content(
        "message_delta",
        &Data::MessageDelta {
            delta,
            usage: message.final_usage(),
        },
        0,
    );
    let last = writer.framed("message_stop", &Data::MessageStop);
    writer.events.push(Event::terminator(last));
    writer.events
}

struct Writer<'a> {
    message: &'a Message,
    events: Vec<Event>,
}

impl Writer<'_> {
    /// A block's start, its deltas, its end.
    fn block(&mut self, index: usize, block: &Block) {
        match block {
            Block::Thinking { thinking, signature } => {
                let empty = Block::Thinking {
                    thinking: String::new(),
                    signature: String::new(),
                };
                self.start(index, empty, None);
                self.thinking(index, thinking, signature);
            }
            Block::RedactedThinking { .. } => {
                let tokens = self.message.reply.thinking_tokens();
                self.start(index, block.clone(), Some(tokens));
            }
            Block::Text { text } => {
                self.start(index, Block::Text { text: String::new() }, None);
                let x_unknown = self.message.unknown_fields.then_some(UNKNOWN_FIELD);
                self.deltas(index, &tokens::words(text), |text| Delta::Text { text, x_unknown });
            }
            Block::ToolUse { id, name, input } => {
                let empty = Block::ToolUse {
                    id: id.clone(),
                    name: name.clone(),
                    input: Json::Object(Vec::new()),
                };
                self.start(index, empty, Some(tokens::count(name)));
                self.delta(index, Delta::InputJson { partial_json: "" }, 0);
                let json = input.compact();
                self.deltas(index, &tokens::pieces(&json, 9), |partial_json| Delta::InputJson {
                    partial_json,
                });
            }
        }
        self.frame("content_block_stop", &Data::ContentBlockStop { index });
    }

    fn thinking(&mut self, index: usize, thinking: &str, signature: &str) {
        self.deltas(index, &tokens::words(thinking), |thinking| Delta::Thinking { thinking });
        // What is not shown is charged with the signature.
        let hidden = match &self.message.reply.thinking {
            Some(Thought::Open(text)) if thinking.is_empty() => tokens::count(text),
            _ => 0,
        };
        self.delta(index, Delta::Signature { signature }, hidden);
    }

    /// Content only where the block says something by its start alone.
    fn start(&mut self, index: usize, content_block: Block, content: Option<u64>) {
        let data = Data::ContentBlockStart { index, content_block };
        match content {
            Some(tokens) => self.content("content_block_start", &data, tokens),
            None => self.frame("content_block_start", &data),
        }
        if index == 0 {
            self.ping();
        }
    }

    fn deltas<'b>(&mut self, index: usize, pieces: &[&'b str], delta: impl Fn(&'b str) -> Delta<'b>) {
        let mut meter = Meter::default();
        for piece in pieces {
            self.delta(index, delta(piece), meter.add(piece));
        }
    }

    fn delta(&mut self, index: usize, delta: Delta<'_>, tokens: u64) {
        self.content("content_block_delta", &Data::ContentBlockDelta { index, delta }, tokens);
    }

    /// The one event with a space in its data.
    fn ping(&mut self) {
        self.events
            .push(Event::frame("event: ping\ndata: {\"type\": \"ping\"}\n\n"));
    }

    fn frame(&mut self, name: &str, data: &Data<'_>) {
        let bytes = self.framed(name, data);
        self.events.push(Event::frame(bytes));
    }

    fn content(&mut self, name: &str, data: &Data<'_>, tokens: u64) {
        let bytes = self.framed(name, data);
        self.events.push(Event::content(bytes, tokens));
    }

    /// Spaces before the last brace, so that the size of a packet does not tell what is in it.
    fn framed(&self, name: &str, data: &Data<'_>) -> String {
        let json = compact(data);
        let open = json.strip_suffix('}').unwrap_or(&json);
        let padding = " ".repeat(self.events.len() * 7 % 12);
        format!("event: {name}\ndata: {open}{padding}}}\n\n")
    }
}
