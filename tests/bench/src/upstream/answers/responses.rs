//! Responses.

use super::stream::{Parts, SLOT, Stream};
use super::{TEXT, named};
use serde_json::{Value, json};

const ITEM: &str = "msg_68af4030baa48193b0b43b4c2a176a1a0e6967589f080e78";

fn response(status: &str, output: &Value) -> Value {
    let usage = json!({"input_tokens": 412, "input_tokens_details": {"cached_tokens": 128}, "output_tokens": 168,
        "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 580});
    json!({
        "id": "resp_68af4030592c81938ec0a5fbab4a3e9f05438e46b5f69a3b", "object": "response",
        "created_at": 1_795_262_400, "status": status, "error": null, "incomplete_details": null,
        "instructions": null, "max_output_tokens": 1024, "model": "tide-1-large", "output": output,
        "parallel_tool_calls": true, "previous_response_id": null, "temperature": 0.7, "tool_choice": "auto",
        "tools": [], "top_p": 1.0, "truncation": "disabled", "metadata": {},
        "usage": if status == "completed" { usage } else { Value::Null },
    })
}

fn item(status: &str, text: Option<&str>) -> Value {
    let part = |text| json!({"type": "output_text", "annotations": [], "logprobs": [], "text": text});
    let content: Vec<_> = text.map(part).into_iter().collect();
    json!({"id": ITEM, "type": "message", "status": status, "role": "assistant", "content": content})
}

pub(super) fn body() -> Value {
    response("completed", &json!([item("completed", Some(TEXT))]))
}

/// The parts of its end say nothing of what was said, which differs from stream to stream.
pub(super) fn stream() -> Stream {
    let begun = || json!({"response": response("in_progress", &json!([]))});
    let at = |kind: &str, more: Value| {
        let mut data = json!({"item_id": ITEM, "output_index": 0, "content_index": 0, "sequence_number": 4});
        if let (Value::Object(data), Value::Object(more)) = (&mut data, more) {
            data.extend(more);
        }
        named(&format!("response.{kind}"), data)
    };
    let part = json!({"part": {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}});
    let whole = response("completed", &json!([item("completed", None)]));
    Stream::new(Parts {
        media: "text/event-stream; charset=utf-8",
        preamble: [
            named("response.created", begun()),
            named("response.in_progress", begun()),
            at("output_item.added", json!({"item": item("in_progress", None)})),
            at("content_part.added", part.clone()),
        ]
        .concat(),
        chunk: at(
            "output_text.delta",
            json!({"delta": format!(" tide{SLOT}"), "logprobs": [], "obfuscation": "Zk3aPq0"}),
        ),
        summed: false,
        ending: [
            at("output_text.done", json!({"text": "", "logprobs": []})),
            at("content_part.done", part),
            at("output_item.done", json!({"item": item("completed", None)})),
        ]
        .concat(),
        usage: Vec::new(),
        terminator: named("response.completed", json!({"response": whole})),
    })
}
