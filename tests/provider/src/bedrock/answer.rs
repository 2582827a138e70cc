//! An answer in one piece.

use crate::cache::Cached;
use crate::json::{Json, compact};
use crate::reply::{Finish, Reply, Thought};
use crate::signature::{self, id};
use serde::Serialize;
use serde_json::{Value, json};

/// One request's answer, before it is a body or a stream.
pub(super) struct Message {
    /// Makes the ids of its calls.
    pub(super) id: String,
    pub(super) reply: Reply,
    /// All input, cached or not.
    pub(super) input: u64,
    pub(super) cached: Cached,
    /// The request asks for the model's own word for the stop sequence that it met.
    pub(super) tells_sequence: bool,
}

/// A content block as the API writes it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Block {
    ReasoningContent(Reasoning),
    Text(String),
    ToolUse(ToolUse),
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Reasoning {
    ReasoningText { text: String, signature: String },
    RedactedContent(String),
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToolUse {
    pub(super) tool_use_id: String,
    pub(super) name: String,
    pub(super) input: Json,
}

impl Message {
    /// The body.
    pub(super) fn body(&self) -> String {
        let mut body = json!({
            "metrics": {"latencyMs": 551},
            "output": {"message": {"content": self.blocks(), "role": "assistant"}},
            "usage": self.usage(),
        });
        self.stop(&mut body);
        compact(&body)
    }

    /// Thinking, text, uses of tools: in this order, each if there is any.
    pub(super) fn blocks(&self) -> Vec<Block> {
        let thinking = self.reply.thinking.as_ref().map(|thought| match thought {
            Thought::Open(text) => Reasoning::ReasoningText {
                text: text.clone(),
                signature: signature::sign(text, &self.id),
            },
            Thought::Redacted => Reasoning::RedactedContent(signature::redact(&self.id)),
        });
        let text = Some(self.reply.text.clone()).filter(|text| !text.is_empty());
        let calls = self.reply.calls.iter().enumerate().map(|(number, call)| ToolUse {
            tool_use_id: id("tooluse_", 22, &[&self.id, &number.to_string()]),
            name: call.name.clone(),
            input: call.arguments.clone(),
        });
        let thinking = thinking.into_iter().map(Block::ReasoningContent);
        thinking
            .chain(text.map(Block::Text))
            .chain(calls.map(Block::ToolUse))
            .collect()
    }

    /// Why it ended, and at which stop sequence if that was asked for.
    pub(super) fn stop(&self, holder: &mut Value) {
        holder["stopReason"] = json!(self.stop_reason());
        if let (Finish::StopSequence(sequence), true) = (&self.reply.finish, self.tells_sequence) {
            holder["additionalModelResponseFields"] = json!({"stop_sequence": sequence});
        }
    }

    fn stop_reason(&self) -> &'static str {
        match self.reply.finish {
            Finish::Stop => "end_turn",
            Finish::StopSequence(_) => "stop_sequence",
            Finish::Length => "max_tokens",
            Finish::Calls => "tool_use",
            Finish::Refused => "content_filtered",
            Finish::Filtered => "guardrail_intervened",
        }
    }

    /// What was read from the cache or written to it is no part of `inputTokens`.
    pub(super) fn usage(&self) -> Value {
        let (read, written, output) = (self.cached.read, self.cached.written(), self.reply.tokens());
        json!({
            "inputTokens": self.input - read - written,
            "outputTokens": output,
            "totalTokens": self.input + output,
            "cacheReadInputTokens": read,
            "cacheWriteInputTokens": written,
        })
    }
}
