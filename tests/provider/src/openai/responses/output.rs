//! A response in one piece.

use super::super::answer::{Completion, log_probs};
use crate::json::Json;
use crate::model::Model;
use crate::reply::{Finish, Thought};
use crate::signature::{self, id};
use crate::tokens;
use serde_json::{Value, json};

/// One request's answer, before it is a body or a stream.
pub(super) struct Response {
    /// All but its output and its end.
    head: Value,
    /// What it says.
    pub(super) items: Vec<Item>,
    status: &'static str,
    incomplete: Option<&'static str>,
    usage: Value,
}

/// One item of the output.
pub(super) enum Item {
    Reasoning {
        id: String,
        summary: Option<String>,
        encrypted: Option<String>,
    },
    Message {
        id: String,
        text: String,
        refused: bool,
        /// How likely its tokens were, if that was asked for.
        logprobs: bool,
    },
    Call {
        /// It takes free text.
        custom: bool,
        id: String,
        call_id: String,
        name: String,
        arguments: String,
    },
}

impl Response {
    pub(super) fn of(completion: &Completion, request: &Json, model: &Model, account: &str) -> Response {
        let (status, incomplete) = match completion.reply.finish {
            Finish::Length => ("incomplete", Some("max_output_tokens")),
            Finish::Filtered => ("incomplete", Some("content_filter")),
            Finish::Stop | Finish::StopSequence(_) | Finish::Calls | Finish::Refused => ("completed", None),
        };
        let tokens = completion.tokens;
        Response {
            head: head(completion, request),
            items: items(completion, request, model, account),
            status,
            incomplete,
            usage: json!({
                "input_tokens": tokens.input,
                "input_tokens_details": {"cache_write_tokens": 0, "cached_tokens": tokens.cached_input},
                "output_tokens": tokens.output,
                "output_tokens_details": {"reasoning_tokens": tokens.reasoning},
                "total_tokens": tokens.input + tokens.output,
            }),
        }
    }

    /// As it is before anything was said.
    pub(super) fn begun(&self) -> Value {
        let mut response = self.head.clone();
        response["status"] = "in_progress".into();
        response["output"] = json!([]);
        response["usage"] = Value::Null;
        response
    }

    /// As it is at its end.
    pub(super) fn whole(&self) -> Value {
        let mut response = self.head.clone();
        response["status"] = self.status.into();
        response["incomplete_details"] = match self.incomplete {
            Some(reason) => json!({"reason": reason}),
            None => Value::Null,
        };
        response["output"] = self.items.iter().map(|item| item.whole(self.status)).collect();
        response["usage"] = self.usage.clone();
        response
    }

    /// The event that ends it.
    pub(super) fn ending(&self) -> &'static str {
        match self.incomplete {
            Some(_) => "response.incomplete",
            None => "response.completed",
        }
    }

    pub(super) fn status(&self) -> &'static str {
        self.status
    }
}

/// What the request said comes back with the answer.
fn head(completion: &Completion, request: &Json) -> Value {
    let request: Value = serde_json::from_str(&request.compact()).unwrap_or_default();
    let or = |key: &str, default: Value| match &request[key] {
        Value::Null => default,
        value => value.clone(),
    };
    json!({
        "id": id("resp_", 48, &[&completion.id]),
        "object": "response",
        "created_at": completion.created,
        "model": completion.model,
        "error": null,
        "incomplete_details": null,
        "background": false,
        "instructions": request["instructions"],
        "max_output_tokens": request["max_output_tokens"],
        "metadata": or("metadata", json!({})),
        "parallel_tool_calls": or("parallel_tool_calls", true.into()),
        "previous_response_id": null,
        "reasoning": or("reasoning", json!({"effort": null, "summary": null})),
        "service_tier": completion.service_tier,
        "store": or("store", true.into()),
        "temperature": or("temperature", json!(1.0)),
        "text": or("text", json!({"format": {"type": "text"}})),
        "tool_choice": or("tool_choice", "auto".into()),
        "tools": or("tools", json!([])),
        "top_p": or("top_p", json!(1.0)),
        "truncation": or("truncation", "disabled".into()),
        "user": request["user"],
    })
}

fn items(completion: &Completion, request: &Json, model: &Model, account: &str) -> Vec<Item> {
    let reply = &completion.reply;
    let id_of = |prefix: &str, number: usize| id(prefix, 48, &[&completion.id, &number.to_string()]);
    let mut items = Vec::new();
    if let (Some(thought), true) = (&reply.thinking, model.traits.reasons) {
        let summarised = request
            .get("reasoning")
            .and_then(|reasoning| reasoning.given("summary"))
            .is_some();
        let text = match thought {
            Thought::Open(text) => Some(text.clone()),
            Thought::Redacted => None,
        };
        let includes = |wanted: &Json| wanted.text() == Some("reasoning.encrypted_content");
        let encrypted = request.list_of("include").iter().any(includes);
        items.push(Item::Reasoning {
            id: id_of("rs_", 0),
            summary: text.filter(|_| summarised),
            encrypted: encrypted.then(|| signature::encrypt(account, &completion.id)),
        });
    }
    if reply.calls.is_empty() || !reply.text.is_empty() {
        items.push(Item::Message {
            id: id_of("msg_", 1),
            text: reply.text.clone(),
            refused: reply.finish == Finish::Refused,
            logprobs: completion.logprobs,
        });
    }
    items.extend(reply.calls.iter().enumerate().map(|(number, call)| Item::Call {
        custom: call.is_custom(),
        id: id_of(if call.is_custom() { "ctc_" } else { "fc_" }, number + 2),
        call_id: completion.call_id(0, number),
        name: call.name.clone(),
        arguments: call.input(),
    }));
    items
}

impl Item {
    /// As it is before anything of it was said.
    pub(super) fn begun(&self) -> Value {
        match self {
            Self::Reasoning { id, .. } => json!({"id": id, "type": "reasoning", "summary": []}),
            Self::Message { id, .. } => {
                json!({"id": id, "type": "message", "status": "in_progress", "content": [], "role": "assistant"})
            }
            Self::Call {
                id,
                call_id,
                name,
                custom: true,
                ..
            } => json!({
                "id": id, "type": "custom_tool_call", "status": "in_progress", "input": "", "call_id": call_id,
                "name": name,
            }),
            Self::Call { id, call_id, name, .. } => json!({
                "id": id, "type": "function_call", "status": "in_progress", "arguments": "", "call_id": call_id,
                "name": name,
            }),
        }
    }

    pub(super) fn whole(&self, status: &str) -> Value {
        let mut whole = self.begun();
        match self {
            Self::Reasoning { summary, encrypted, .. } => {
                if let Some(text) = summary {
                    whole["summary"] = json!([{"type": "summary_text", "text": text}]);
                }
                if let Some(data) = encrypted {
                    whole["encrypted_content"] = data.as_str().into();
                }
            }
            Self::Message {
                text,
                refused,
                logprobs,
                ..
            } => {
                whole["status"] = status.into();
                whole["content"] = json!([part(text, *refused, *logprobs)]);
            }
            Self::Call { arguments, custom, .. } => {
                whole["status"] = "completed".into();
                whole[if *custom { "input" } else { "arguments" }] = arguments.as_str().into();
            }
        }
        whole
    }
}

/// A message's one part.
pub(super) fn part(text: &str, refused: bool, logprobs: bool) -> Value {
    let likely = likelihood(text, logprobs);
    match refused {
        true => json!({"type": "refusal", "refusal": text}),
        false => json!({"type": "output_text", "annotations": [], "logprobs": likely, "text": text}),
    }
}

/// How likely a text's tokens were.
pub(super) fn likelihood(text: &str, wanted: bool) -> Value {
    match wanted {
        true => json!(log_probs(&tokens::words(text)).content),
        false => json!([]),
    }
}
