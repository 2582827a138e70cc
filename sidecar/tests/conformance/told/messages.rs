//! Anthropic's clients.

use super::{append, element};
use crate::said::{SOURCE, Say, THOUGHT, USAGE};
use crate::seek::{Sought, Spots, spot, value};
use serde_json::{Value, json};

pub(super) fn sought(say: Say) -> Sought {
    let text = || spot("content.*", json!({"type": "text", "text": "quince jam"}));
    match say {
        Say::Text => vec![text()],
        Say::Call => vec![call("content.0", "Rome")],
        Say::ParallelCalls => vec![call("content.0", "Rome").and(call("content.1", "Oslo"))],
        Say::CallAfterText => vec![text().and(call("content.1", "Rome"))],
        Say::Thought => vec![text().and(spot("content.0", json!({"type": "thinking", "thinking": THOUGHT})))],
        Say::Stop => vec![finish("end_turn")],
        // Not every upstream says at which.
        Say::Sequence => vec![finish("stop_sequence")],
        Say::Length => vec![finish("max_tokens")],
        Say::Calls => vec![finish("tool_use")],
        Say::Filter => vec![finish("refusal")],
        Say::Refusal => vec![finish("refusal").and(spot("content.*", json!({"type": "text", "text": "not quinces"})))],
        // It has no word for one.
        Say::Image => vec![spot("content.*", json!({"type": "image"}))],
        Say::Citation => vec![text().and(value("content.*.citations.*.url", json!(SOURCE)))],
        Say::Usage => vec![tokens("output_tokens", USAGE.output)],
        Say::Cached => vec![tokens("cache_read_input_tokens", USAGE.cached_input)],
        Say::Written => vec![tokens("cache_creation_input_tokens", USAGE.cache_write_input)],
        Say::Reasoning => vec![value(
            "usage.output_tokens_details.thinking_tokens",
            json!(USAGE.reasoning),
        )],
    }
}

fn tokens(key: &str, count: u64) -> Spots {
    spot("usage", json!({ key: count }))
}

fn finish(reason: &str) -> Spots {
    value("stop_reason", json!(reason))
}

fn call(at: &'static str, city: &str) -> Spots {
    spot(
        at,
        json!({"type": "tool_use", "name": "weather", "input": {"city": city}}),
    )
}

/// As Anthropic's SDK does it.
pub(super) fn fold(events: &[Value]) -> Result<Value, String> {
    if events.last().is_none_or(|last| last["type"] != "message_stop") {
        return Err("the stream does not end with message_stop".to_owned());
    }
    let mut answer = Value::Null;
    for event in events {
        match event["type"].as_str().unwrap_or_default() {
            "message_start" => answer = event["message"].clone(),
            "content_block_start" => *block(&mut answer, event) = event["content_block"].clone(),
            "content_block_delta" => delta(block(&mut answer, event), &event["delta"]),
            "message_delta" => {
                for key in ["stop_reason", "stop_sequence"] {
                    answer[key] = event["delta"][key].clone();
                }
                for (key, value) in event["usage"].as_object().into_iter().flatten() {
                    answer["usage"][key] = value.clone();
                }
            }
            _ => {}
        }
    }
    for block in answer["content"].as_array_mut().into_iter().flatten() {
        if let Some(input) = block["partial_input"].as_str() {
            block["input"] = serde_json::from_str(input).map_err(|error| format!("{input}: {error}"))?;
        }
        block.as_object_mut().map(|block| block.remove("partial_input"));
    }
    Ok(answer)
}

fn block<'v>(answer: &'v mut Value, event: &Value) -> &'v mut Value {
    let index = event["index"].as_u64().unwrap_or(0);
    element(answer, "content", usize::try_from(index).expect("few blocks are said"))
}

fn delta(block: &mut Value, delta: &Value) {
    append(block, "text", &delta["text"]);
    append(block, "thinking", &delta["thinking"]);
    append(block, "signature", &delta["signature"]);
    if let Some(list) = delta.get("citation") {
        let index = block["citations"].as_array().map_or(0, Vec::len);
        *element(block, "citations", index) = list.clone();
    }
    append(block, "partial_input", &delta["partial_json"]);
}
