//! OpenAI's chat completions; reasoning as OpenRouter has it.

use super::{End, Part, SIGNATURE, SOURCE, Said, Say, USAGE, pieces};
use serde_json::{Value, json};

pub(super) fn answer(_say: Say, parts: &[Part], end: End) -> Option<Said> {
    let reason = match end {
        End::Stop | End::Sequence => "stop",
        End::Length => "length",
        End::Calls => "tool_calls",
        End::Filter => "content_filter",
    };
    // It does not say that it was a stop sequence.
    if end == End::Sequence {
        return None;
    }
    let mut stream = vec![chunk(json!({"role": "assistant", "content": ""}), Value::Null)];
    stream.extend(deltas(parts).into_iter().map(|delta| chunk(delta, Value::Null)));
    stream.push(chunk(json!({}), json!(reason)));
    stream.push((
        "",
        json!({"id": "chatcmpl-q", "object": "chat.completion.chunk", "created": 1, "model": "up",
        "choices": [], "usage": usage()}),
    ));
    let whole = json!({"id": "chatcmpl-q", "object": "chat.completion", "created": 1, "model": "up",
        "choices": [{"index": 0, "message": message(parts), "logprobs": null, "finish_reason": reason}], "usage": usage()});
    Some(Said { whole, stream })
}

fn usage() -> Value {
    json!({"prompt_tokens": USAGE.input, "completion_tokens": USAGE.output, "total_tokens": USAGE.input + USAGE.output,
        "prompt_tokens_details": {"cached_tokens": USAGE.cached_input, "cache_write_tokens": USAGE.cache_write_input},
        "completion_tokens_details": {"reasoning_tokens": USAGE.reasoning}})
}

fn chunk(delta: Value, reason: Value) -> (&'static str, Value) {
    let choice = json!({"index": 0, "delta": delta, "logprobs": null, "finish_reason": reason});
    (
        "",
        json!({"id": "chatcmpl-q", "object": "chat.completion.chunk", "created": 1, "model": "up", "choices": [choice]}),
    )
}

fn message(parts: &[Part]) -> Value {
    let mut message = json!({"role": "assistant", "content": null, "refusal": null});
    for part in parts {
        match part {
            Part::Text(text) => message["content"] = json!(text.concat()),
            Part::Refusal(text) => message["refusal"] = json!(text.concat()),
            Part::Image(data) => message["images"] = images(data),
            Part::Cited(text) => {
                message["content"] = json!(text.concat());
                message["annotations"] = annotations();
            }
            Part::Thought(text) => {
                message["reasoning"] = json!(text);
                message["reasoning_details"] = json!([detail(json!({"text": text, "signature": SIGNATURE}))]);
            }
            Part::Call(id, city) => {
                let call = json!({"id": id, "type": "function", "function": {"name": "weather", "arguments": pieces(city).concat()}});
                let mut calls = message["tool_calls"].as_array().cloned().unwrap_or_default();
                calls.push(call);
                message["tool_calls"] = json!(calls);
            }
        }
    }
    message
}

/// As OpenRouter has them.
fn images(data: &str) -> Value {
    json!([{"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{data}")}}])
}

fn annotations() -> Value {
    json!([{"type": "url_citation", "url_citation": {"url": SOURCE, "title": "Quinces", "start_index": 0, "end_index": 6}}])
}

fn detail(mut detail: Value) -> Value {
    detail["type"] = json!("reasoning.text");
    detail["format"] = json!("anthropic-claude-v1");
    detail["index"] = json!(0);
    detail
}

/// Arguments of parallel calls come in turns.
fn deltas(parts: &[Part]) -> Vec<Value> {
    let (mut deltas, mut rest) = (Vec::new(), Vec::new());
    let mut calls = 0;
    for part in parts {
        match part {
            Part::Text(text) => deltas.extend(text.map(|text| json!({"content": text}))),
            Part::Refusal(text) => deltas.extend(text.map(|text| json!({"refusal": text}))),
            Part::Image(data) => deltas.push(json!({"content": "", "images": images(data)})),
            Part::Cited(text) => {
                deltas.extend(text.map(|text| json!({"content": text})));
                deltas.push(json!({"annotations": annotations()}));
            }
            Part::Thought(text) => {
                deltas.push(json!({"reasoning": text, "reasoning_details": [detail(json!({"text": text}))]}));
                deltas.push(json!({"reasoning_details": [detail(json!({"text": "", "signature": SIGNATURE}))]}));
            }
            Part::Call(id, city) => {
                let [first, second] = pieces(city);
                let piece = |piece: String| json!({"tool_calls": [{"index": calls, "function": {"arguments": piece}}]});
                deltas.push(json!({"tool_calls": [{"index": calls, "id": id, "type": "function",
                    "function": {"name": "weather", "arguments": ""}}]}));
                deltas.push(piece(first));
                rest.push(piece(second));
                calls += 1;
            }
        }
    }
    deltas.extend(rest);
    deltas
}
