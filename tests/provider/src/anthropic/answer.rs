//! A message in one piece.

use crate::cache::Cached;
use crate::json::{Json, compact};
use crate::reply::{Finish, Reply, Thought};
use crate::signature::{self, id};
use serde::Serialize;

/// One request's answer, before it is a body or a stream.
pub(super) struct Message {
    pub(super) id: String,
    pub(super) model: String,
    pub(super) reply: Reply,
    pub(super) shows_thinking: bool,
    /// All input, cached or not.
    pub(super) input: u64,
    pub(super) cached: Cached,
    pub(super) unknown_fields: bool,
}

pub(super) const UNKNOWN_FIELD: &str = "no documentation names this";

/// A content block as the API writes it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Block {
    Thinking { thinking: String, signature: String },
    RedactedThinking { data: String },
    Text { text: String },
    ToolUse { id: String, name: String, input: Json },
}

#[derive(Serialize)]
pub(super) struct Body<'a> {
    model: &'a str,
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    role: &'static str,
    content: Vec<Block>,
    stop_reason: Option<&'static str>,
    stop_sequence: Option<&'a str>,
    stop_details: Option<StopDetails>,
    usage: Usage,
    #[serde(skip_serializing_if = "Option::is_none")]
    x_unknown: Option<&'static str>,
}

#[derive(Clone, Copy, Serialize)]
pub(super) struct StopDetails {
    #[serde(rename = "type")]
    kind: &'static str,
    category: &'static str,
    explanation: Option<()>,
}

#[derive(Clone, Copy, Serialize)]
struct Usage {
    input_tokens: u64,
    cache_creation_input_tokens: u64,
    cache_read_input_tokens: u64,
    cache_creation: CacheCreation,
    output_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_tokens_details: Option<OutputDetails>,
    service_tier: &'static str,
}

#[derive(Clone, Copy, Serialize)]
struct CacheCreation {
    ephemeral_5m_input_tokens: u64,
    ephemeral_1h_input_tokens: u64,
}

#[derive(Clone, Copy, Serialize)]
struct OutputDetails {
    thinking_tokens: u64,
}

/// What the last `message_delta` says; its numbers are totals.
#[derive(Clone, Copy, Serialize)]
pub(super) struct FinalUsage {
    input_tokens: u64,
    cache_creation_input_tokens: u64,
    cache_read_input_tokens: u64,
    output_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_tokens_details: Option<OutputDetails>,
}

impl Message {
    /// The body.
    pub(super) fn body(&self) -> String {
        compact(&Body {
            content: self.blocks(),
            stop_reason: Some(self.stop_reason()),
            stop_sequence: self.stop_sequence(),
            stop_details: self.stop_details(),
            usage: self.usage(self.reply.tokens(), self.output_details()),
            ..self.opening()
        })
    }

    /// Its blocks as they stand in a conversation.
    pub(super) fn content(&self) -> Json {
        let text = compact(&self.blocks());
        serde_json::from_str(&text).expect("what was just written")
    }

    /// The message as a stream begins it.
    pub(super) fn opening(&self) -> Body<'_> {
        Body {
            model: &self.model,
            id: &self.id,
            kind: "message",
            role: "assistant",
            content: Vec::new(),
            stop_reason: None,
            stop_sequence: None,
            stop_details: None,
            usage: self.usage(1, None),
            x_unknown: self.unknown_fields.then_some(UNKNOWN_FIELD),
        }
    }

    /// Thinking, text, uses of tools: in this order, each if there is any.
    pub(super) fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        match &self.reply.thinking {
            Some(Thought::Open(text)) => {
                let thinking = if self.shows_thinking {
                    text.clone()
                } else {
                    String::new()
                };
                let signature = signature::sign(&thinking, &self.id);
                blocks.push(Block::Thinking { thinking, signature });
            }
            Some(Thought::Redacted) => blocks.push(Block::RedactedThinking {
                data: signature::redact(&self.id),
            }),
            None => {}
        }
        if !self.reply.text.is_empty() {
            blocks.push(Block::Text {
                text: self.reply.text.clone(),
            });
        }
        for (number, call) in self.reply.calls.iter().enumerate() {
            let id = id("toolu_01", 22, &[&self.id, &number.to_string()]);
            blocks.push(Block::ToolUse {
                id,
                name: call.name.clone(),
                input: call.arguments.clone(),
            });
        }
        blocks
    }

    pub(super) fn stop_reason(&self) -> &'static str {
        match self.reply.finish {
            Finish::Stop => "end_turn",
            Finish::StopSequence(_) => "stop_sequence",
            Finish::Length => "max_tokens",
            Finish::Calls => "tool_use",
            Finish::Refused | Finish::Filtered => "refusal",
        }
    }

    pub(super) fn stop_sequence(&self) -> Option<&str> {
        match &self.reply.finish {
            Finish::StopSequence(sequence) => Some(sequence),
            Finish::Stop | Finish::Length | Finish::Calls | Finish::Refused | Finish::Filtered => None,
        }
    }

    pub(super) fn stop_details(&self) -> Option<StopDetails> {
        let refused = matches!(self.reply.finish, Finish::Refused | Finish::Filtered);
        refused.then_some(StopDetails {
            kind: "refusal",
            category: "general_harms",
            explanation: None,
        })
    }

    pub(super) fn final_usage(&self) -> FinalUsage {
        FinalUsage {
            input_tokens: self.uncached(),
            cache_creation_input_tokens: self.cached.written(),
            cache_read_input_tokens: self.cached.read,
            output_tokens: self.reply.tokens(),
            output_tokens_details: self.output_details(),
        }
    }

    fn usage(&self, output_tokens: u64, output_tokens_details: Option<OutputDetails>) -> Usage {
        Usage {
            input_tokens: self.uncached(),
            cache_creation_input_tokens: self.cached.written(),
            cache_read_input_tokens: self.cached.read,
            cache_creation: CacheCreation {
                ephemeral_5m_input_tokens: self.cached.written_five_minutes,
                ephemeral_1h_input_tokens: self.cached.written_one_hour,
            },
            output_tokens,
            output_tokens_details,
            service_tier: "standard",
        }
    }

    fn output_details(&self) -> Option<OutputDetails> {
        let thought = self.reply.thinking.is_some();
        thought.then(|| OutputDetails {
            thinking_tokens: self.reply.thinking_tokens(),
        })
    }

    fn uncached(&self) -> u64 {
        self.input - self.cached.read - self.cached.written()
    }
}
