//! OpenAI's Responses, without what it keeps: each request brings its conversation.

mod output;
mod shapes;
mod stream;
mod validate;

use super::error::Error;
use super::{OpenAi, bill, json as body_of};
use crate::answer::{Answer, Body};
use crate::json::Json;
use crate::received::Received;
use crate::step::Style;
use bytes::Bytes;
use output::Response;
use serde_json::{Value, json};

impl OpenAi {
    pub(super) fn respond(&self, request: &Received, style: Style) -> Result<Answer, Error> {
        self.authenticate(request)?;
        let body = body_of(request)?;
        let model = self.model_of(&body)?;
        // What it reasons is encrypted for whoever pays.
        let account = request.header("authorization").unwrap_or_default();
        validate::responses(&body, model, account)?;
        // The model is the same one, and what it reads says the same.
        let chat = as_chat(&body);
        let completion = self.complete(request, &chat, model, style)?;
        let response = Response::of(&completion, &body, model, account);
        let tokens = completion.tokens;
        let answer = match body.is_set("stream") {
            true => {
                let plain = self.plain(request, 200, String::new());
                let mut answer = Answer {
                    body: Body::Events(stream::events(&response)),
                    ..plain
                };
                answer.set_header("content-type", "text/event-stream; charset=utf-8");
                answer
            }
            false => self.plain(request, 200, super::pretty(&response.whole())),
        };
        Ok(Answer {
            bill: Some(bill(request, model, tokens)),
            ..answer
        })
    }
}

/// What is included of a text when it is asked for.
const LOGPROBS: &str = "message.output_text.logprobs";

/// What stands in a stream for an error.
pub(super) fn error_event(error: &Error) -> Bytes {
    let told: Value = serde_json::from_str(&error.line()).unwrap_or_default();
    let (code, message, param) = (
        &told["error"]["code"],
        &told["error"]["message"],
        &told["error"]["param"],
    );
    let data = json!({"type": "error", "code": code, "message": message, "param": param, "sequence_number": 99});
    format!("event: error\ndata: {data}\n\n").into()
}

/// The same conversation as chat has it, for the part of the fake that composes answers.
fn as_chat(body: &Json) -> Json {
    let body: Value = serde_json::from_str(&body.compact()).unwrap_or_default();
    let mut messages = Vec::new();
    if body["instructions"].is_string() {
        messages.push(json!({"role": "system", "content": body["instructions"]}));
    }
    match &body["input"] {
        Value::Array(items) => items.iter().for_each(|item| messages.extend(message(item))),
        text => messages.push(json!({"role": "user", "content": text})),
    }
    let tools = body["tools"].as_array().into_iter().flatten();
    // Searching is the provider's own business.
    let tools: Vec<Value> = tools
        .filter(|tool| tool["type"] != "web_search")
        .map(|tool| match tool["type"].as_str() {
            Some("custom") => json!({"type": "custom", "custom": tool}),
            _ => json!({"type": "function", "function": tool}),
        })
        .collect();
    let mut chat = json!({"messages": messages, "tools": tools, "parallel_tool_calls": body["parallel_tool_calls"]});
    if let Some(most) = body["max_output_tokens"].as_u64() {
        chat["max_completion_tokens"] = most.into();
    }
    chat["tool_choice"] = match body["tool_choice"]["type"].as_str() {
        Some("function") => json!({"type": "function", "function": body["tool_choice"]}),
        Some("custom") => json!({"type": "custom", "custom": body["tool_choice"]}),
        _ => body["tool_choice"].clone(),
    };
    let included = body["include"].as_array().into_iter().flatten();
    chat["logprobs"] = included.clone().any(|wanted| wanted == LOGPROBS).into();
    chat["service_tier"] = body["service_tier"].clone();
    if body["text"]["format"].is_object() {
        let format = &body["text"]["format"];
        chat["response_format"] = json!({"type": format["type"], "json_schema": format});
    }
    if body["reasoning"]["effort"].is_string() {
        chat["reasoning_effort"] = body["reasoning"]["effort"].clone();
    }
    serde_json::from_value(chat).unwrap_or(Json::Object(Vec::new()))
}

fn message(item: &Value) -> Option<Value> {
    match item["type"].as_str() {
        Some("function_call") => Some(json!({"role": "assistant", "tool_calls": [
            {"id": item["call_id"], "type": "function", "function": {"name": item["name"], "arguments": item["arguments"]}},
        ]})),
        Some("custom_tool_call") => Some(json!({"role": "assistant", "tool_calls": [
            {"id": item["call_id"], "type": "custom", "custom": {"name": item["name"], "input": item["input"]}},
        ]})),
        Some("function_call_output" | "custom_tool_call_output") => {
            Some(json!({"role": "tool", "content": item["output"]}))
        }
        Some("message") | None => Some(json!({"role": item["role"], "content": item["content"]})),
        Some(_) => None,
    }
}
