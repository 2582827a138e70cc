//! Ollama's own chat API.

use super::{End, Part, Said, Say, USAGE, city};
use serde_json::{Value, json};

pub(super) fn answer(say: Say, parts: &[Part], end: End) -> Option<Said> {
    let refuses = parts.iter().any(|part| matches!(part, Part::Refusal(_)));
    // It filters nothing, names no stop sequence, counts input and output only, draws nothing and cites nobody.
    let counts = !matches!(
        say,
        Say::Cached | Say::Written | Say::Reasoning | Say::Image | Say::Citation
    );
    if refuses || matches!(end, End::Sequence | End::Filter) || !counts {
        return None;
    }
    let reason = if end == End::Length { "length" } else { "stop" };
    let mut message = json!({"role": "assistant", "content": ""});
    let mut stream = Vec::new();
    for part in parts {
        let pieces: Vec<Value> = match part {
            Part::Image(_) => vec![],
            Part::Text(text) | Part::Refusal(text) | Part::Cited(text) => {
                message["content"] = json!(text.concat());
                text.iter().map(|text| json!({"content": text})).collect()
            }
            Part::Thought(text) => {
                message["thinking"] = json!(text);
                vec![json!({"content": "", "thinking": text})]
            }
            Part::Call(id, place) => {
                let call = json!({"id": id, "function": {"name": "weather", "arguments": city(place)}});
                let mut calls = message["tool_calls"].as_array().cloned().unwrap_or_default();
                calls.push(call.clone());
                message["tool_calls"] = json!(calls);
                vec![json!({"content": "", "tool_calls": [call]})]
            }
        };
        stream.extend(pieces.into_iter().map(|mut piece| {
            piece["role"] = json!("assistant");
            (
                "",
                json!({"model": "up", "created_at": "2026-01-01T00:00:00Z", "message": piece, "done": false}),
            )
        }));
    }
    stream.push(("", done(reason, json!({"role": "assistant", "content": ""}))));
    Some(Said {
        whole: done(reason, message),
        stream,
    })
}

fn done(reason: &str, message: Value) -> Value {
    json!({"model": "up", "created_at": "2026-01-01T00:00:00Z", "message": message, "done": true,
        "done_reason": reason, "prompt_eval_count": USAGE.input, "eval_count": USAGE.output})
}
