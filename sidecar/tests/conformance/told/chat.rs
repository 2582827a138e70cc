//! OpenAI's chat clients.

use super::{append, element};
use crate::ask::PNG;
use crate::said::{SOURCE, Say, THOUGHT, USAGE};
use crate::seek::{Sought, Spots, spot, value};
use serde_json::{Value, json};

pub(super) fn sought(say: Say) -> Sought {
    let text = || value("choices.0.message.content", json!("quince jam"));
    match say {
        Say::Text => vec![text()],
        Say::Call => vec![call(0, "call_a", "Rome")],
        Say::ParallelCalls => vec![call(0, "call_a", "Rome").and(call(1, "call_b", "Oslo"))],
        Say::CallAfterText => vec![text().and(call(0, "call_a", "Rome"))],
        Say::Thought => vec![
            text().and(value("choices.0.message.reasoning_content", json!(THOUGHT))),
            text().and(value("choices.0.message.reasoning", json!(THOUGHT))),
        ],
        Say::Stop | Say::Sequence => vec![finish("stop")],
        Say::Length => vec![finish("length")],
        Say::Calls => vec![finish("tool_calls")],
        Say::Filter => vec![finish("content_filter")],
        Say::Refusal => vec![value("choices.0.message.refusal", json!("not quinces")).and(finish("stop"))],
        Say::Image => {
            let url = format!("data:image/png;base64,{PNG}");
            vec![text().and(value("choices.0.message.images.0.image_url.url", json!(url)))]
        }
        Say::Citation => vec![text().and(value("choices.0.message.annotations.0.url_citation.url", json!(SOURCE)))],
        Say::Usage => vec![spot(
            "usage",
            json!({"prompt_tokens": USAGE.input, "completion_tokens": USAGE.output,
            "total_tokens": USAGE.input + USAGE.output}),
        )],
        Say::Cached => vec![value(
            "usage.prompt_tokens_details.cached_tokens",
            json!(USAGE.cached_input),
        )],
        Say::Written => vec![value(
            "usage.prompt_tokens_details.cache_write_tokens",
            json!(USAGE.cache_write_input),
        )],
        Say::Reasoning => vec![value(
            "usage.completion_tokens_details.reasoning_tokens",
            json!(USAGE.reasoning),
        )],
    }
}

fn finish(reason: &str) -> Spots {
    value("choices.0.finish_reason", json!(reason))
}

/// The ids of dialects that give none are ours.
fn call(at: usize, _id: &str, city: &str) -> Spots {
    let at = ["choices.0.message.tool_calls.0", "choices.0.message.tool_calls.1"][at];
    spot(
        at,
        json!({"type": "function", "function.name": "weather", "function.arguments": {"city": city}}),
    )
}

/// As OpenAI's SDK does it.
pub(super) fn fold(events: &[Value]) -> Result<Value, String> {
    let Some((Value::String(last), chunks)) = events.split_last() else {
        return Err("the stream does not end with [DONE]".to_owned());
    };
    if last != "[DONE]" {
        return Err(format!("the stream ends with {last}"));
    }
    let mut answer = json!({"choices": [{"message": {"role": "assistant", "content": null}}], "usage": null});
    for chunk in chunks {
        if chunk["usage"].is_object() {
            answer["usage"] = chunk["usage"].clone();
        }
        let choice = &chunk["choices"][0];
        if choice["finish_reason"].is_string() {
            answer["choices"][0]["finish_reason"] = choice["finish_reason"].clone();
        }
        add(&mut answer["choices"][0]["message"], &choice["delta"]);
    }
    Ok(answer)
}

fn add(message: &mut Value, delta: &Value) {
    for key in ["content", "refusal", "reasoning", "reasoning_content"] {
        append(message, key, &delta[key]);
    }
    for call in delta["tool_calls"].as_array().into_iter().flatten() {
        let index = call["index"].as_u64().unwrap_or(0);
        let kept = element(
            message,
            "tool_calls",
            usize::try_from(index).expect("few calls are made"),
        );
        for key in ["id", "type", "extra_content"]
            .iter()
            .filter(|key| !call[**key].is_null())
        {
            kept[*key] = call[*key].clone();
        }
        append(&mut kept["function"], "name", &call["function"]["name"]);
        append(&mut kept["function"], "arguments", &call["function"]["arguments"]);
    }
    for key in ["images", "annotations"] {
        for entry in delta[key].as_array().into_iter().flatten() {
            let index = message[key].as_array().map_or(0, Vec::len);
            *element(message, key, index) = entry.clone();
        }
    }
    for detail in delta["reasoning_details"].as_array().into_iter().flatten() {
        let index = detail["index"].as_u64().unwrap_or(0);
        let kept = element(
            message,
            "reasoning_details",
            usize::try_from(index).expect("few thoughts are thought"),
        );
        for (key, value) in detail.as_object().into_iter().flatten() {
            match key.as_str() {
                "text" | "data" | "summary" => append(kept, key, value),
                _ => kept[key] = value.clone(),
            }
        }
    }
}
