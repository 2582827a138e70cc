//! Google's clients.

use crate::ask::PNG;
use crate::said::{SOURCE, Say, THOUGHT, USAGE};
use crate::seek::{Sought, Spots, spot, value};
use serde_json::{Value, json};

pub(super) fn sought(say: Say) -> Sought {
    let text = || value("candidates.0.content.parts.*.text", json!("quince jam"));
    match say {
        Say::Text => vec![text()],
        Say::Call => vec![call("Rome")],
        Say::ParallelCalls => vec![call("Rome").and(call("Oslo"))],
        Say::CallAfterText => vec![text().and(call("Rome"))],
        Say::Thought => vec![text().and(spot(
            "candidates.0.content.parts.0",
            json!({"thought": true, "text": THOUGHT}),
        ))],
        Say::Stop | Say::Sequence | Say::Calls => vec![finish("STOP")],
        Say::Length => vec![finish("MAX_TOKENS")],
        Say::Filter => vec![finish("SAFETY")],
        Say::Refusal => vec![value("candidates.0.content.parts.*.text", json!("not quinces"))],
        Say::Image => vec![text().and(value("candidates.0.content.parts.*.inlineData.data", json!(PNG)))],
        Say::Citation => vec![text().and(value(
            "candidates.0.groundingMetadata.groundingChunks.*.web.uri",
            json!(SOURCE),
        ))],
        Say::Usage => vec![spot(
            "usageMetadata",
            json!({"promptTokenCount": USAGE.input, "totalTokenCount": USAGE.input + USAGE.output}),
        )],
        Say::Cached => vec![value(
            "usageMetadata.cachedContentTokenCount",
            json!(USAGE.cached_input),
        )],
        Say::Reasoning => vec![value("usageMetadata.thoughtsTokenCount", json!(USAGE.reasoning))],
        Say::Written => vec![],
    }
}

fn finish(reason: &str) -> Spots {
    value("candidates.0.finishReason", json!(reason))
}

fn call(city: &str) -> Spots {
    spot(
        "candidates.0.content.parts.*.functionCall",
        json!({"name": "weather", "args": {"city": city}}),
    )
}

/// As users of Google's SDK do it: texts of one kind that follow each other are one. The end is the finish reason.
pub(super) fn fold(events: &[Value]) -> Result<Value, String> {
    let mut parts: Vec<Value> = Vec::new();
    let (mut reason, mut usage, mut grounds) = (Value::Null, Value::Null, Value::Null);
    for event in events {
        let candidate = &event["candidates"][0];
        for part in candidate["content"]["parts"].as_array().into_iter().flatten() {
            add(&mut parts, part);
        }
        if candidate["finishReason"].is_string() {
            reason = candidate["finishReason"].clone();
        }
        if candidate["groundingMetadata"].is_object() {
            grounds = candidate["groundingMetadata"].clone();
        }
        if event["usageMetadata"].is_object() {
            usage = event["usageMetadata"].clone();
        }
    }
    if reason.is_null() {
        return Err("no chunk has a finish reason".to_owned());
    }
    Ok(
        json!({"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": reason,
        "groundingMetadata": grounds}], "usageMetadata": usage}),
    )
}

fn add(parts: &mut Vec<Value>, part: &Value) {
    let goes_on = |last: &Value| {
        let plain = part["text"].is_string() && part["thoughtSignature"].is_null();
        last["text"].is_string() && last["thought"] == part["thought"] && plain
    };
    match parts.last_mut() {
        Some(last) if goes_on(last) => super::append(last, "text", &part["text"]),
        _ => parts.push(part.clone()),
    }
}
