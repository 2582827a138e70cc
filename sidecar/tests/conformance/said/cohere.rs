//! Cohere's own chat API.

use super::{End, Part, SOURCE, Said, Say, USAGE, city, pieces};
use serde_json::{Value, json};

pub(super) fn answer(say: Say, parts: &[Part], end: End) -> Option<Said> {
    let refuses = parts.iter().any(|part| matches!(part, Part::Refusal(_)));
    // It does not tell what it wrote to its cache, nor what was thought, and answers with no images.
    if refuses || matches!(say, Say::Written | Say::Reasoning | Say::Image) {
        return None;
    }
    let calls = parts.iter().any(|part| matches!(part, Part::Call(..)));
    let mut message = json!({"role": "assistant", "content": [], "tool_calls": []});
    let mut stream = vec![event("message-start", Value::Null, json!({"role": "assistant"}))];
    for (index, part) in parts.iter().enumerate() {
        match part {
            Part::Text(text) | Part::Refusal(text) if calls => {
                message["tool_plan"] = json!(text.concat());
                let plans = text.map(|text| event("tool-plan-delta", Value::Null, json!({"tool_plan": text})));
                stream.extend(plans);
            }
            Part::Text(text) | Part::Refusal(text) | Part::Cited(text) => {
                push(&mut message["content"], json!({"type": "text", "text": text.concat()}));
                block("text", text, index, &mut stream);
                if let Part::Cited(_) = part {
                    let citation = json!({"start": 0, "end": 6, "text": "quince",
                        "sources": [{"type": "document", "id": "q", "document": {"url": SOURCE}}]});
                    message["citations"] = json!([citation]);
                    stream.push(event("citation-start", json!(0), json!({"citations": citation})));
                    stream.push(event("citation-end", json!(0), Value::Null));
                }
            }
            // It makes none.
            Part::Image(_) => {}
            Part::Thought(text) => {
                push(&mut message["content"], json!({"type": "thinking", "thinking": text}));
                block("thinking", &[text], index, &mut stream);
            }
            Part::Call(id, place) => {
                let of = |arguments: &str| json!({"id": id, "type": "function", "function": {"name": "weather", "arguments": arguments}});
                push(&mut message["tool_calls"], of(&city(place).to_string()));
                stream.push(event("tool-call-start", json!(index), json!({"tool_calls": of("")})));
                stream.extend(pieces(place).map(|piece| {
                    let calls = json!({"tool_calls": {"function": {"arguments": piece}}});
                    event("tool-call-delta", json!(index), calls)
                }));
                stream.push(event("tool-call-end", json!(index), Value::Null));
            }
        }
    }
    let reason = match end {
        End::Stop => "COMPLETE",
        End::Sequence => "STOP_SEQUENCE",
        End::Length => "MAX_TOKENS",
        End::Calls => "TOOL_CALL",
        End::Filter => "ERROR_TOXIC",
    };
    let delta = json!({"finish_reason": reason, "usage": usage()});
    stream.push(("message-end", json!({"type": "message-end", "id": "q", "delta": delta})));
    Some(Said {
        whole: json!({"id": "q", "finish_reason": reason, "message": message, "usage": usage()}),
        stream,
    })
}

fn event(kind: &'static str, index: Value, message: Value) -> (&'static str, Value) {
    let event = json!({"type": kind, "id": "q", "index": index, "delta": {"message": message}});
    (kind, event)
}

fn block(kind: &str, text: &[&str], index: usize, stream: &mut Vec<(&'static str, Value)>) {
    let content = json!({"content": {"type": kind, kind: ""}});
    stream.push(event("content-start", json!(index), content));
    stream.extend(text.iter().map(|text| {
        let content = json!({"content": {kind: text}});
        event("content-delta", json!(index), content)
    }));
    stream.push(event("content-end", json!(index), Value::Null));
}

fn push(list: &mut Value, value: Value) {
    list.as_array_mut().expect("it is a list").push(value);
}

fn usage() -> Value {
    json!({"billed_units": {"input_tokens": USAGE.input, "output_tokens": USAGE.output},
        "tokens": {"input_tokens": 300, "output_tokens": 60}, "cached_tokens": USAGE.cached_input})
}
