//! What Responses refuses, in its words, and the order of a stream's events.

use super::{PLAIN, provider, text, value};
use crate::answer::Answer;
use crate::received::Received;
use crate::serve::Provider;
use serde_json::{Value, json};

fn answer(changes: Value) -> Answer {
    let mut body = json!({"model": "gpt-4o", "input": "hi"});
    for (key, value) in changes.as_object().unwrap() {
        body[key] = value.clone();
    }
    provider().answer(&Received::sample("POST", "/v1/responses", &body.to_string()), PLAIN)
}

fn call(id: &str) -> Value {
    json!({"type": "function_call", "call_id": id, "name": "f", "arguments": "{}"})
}

#[test]
fn what_the_api_does_not_take_is_refused() {
    let loose = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    for (changes, expected) in [
        (json!({"surprise": 1}), "surprise"),
        (json!({"input": []}), "input"),
        (json!({"input": [{"type": "surprise"}]}), "input[0]"),
        (json!({"input": [{"role": "tool", "content": "a"}]}), "input[0].role"),
        (json!({"max_output_tokens": 15}), "max_output_tokens"),
        (json!({"previous_response_id": "resp_1"}), "not found"),
        (
            json!({"input": [{"type": "item_reference", "id": "msg_1"}]}),
            "not found",
        ),
        (
            json!({"input": [call("a")]}),
            "No tool output found for function call a",
        ),
        (
            json!({"input": [{"type": "function_call_output", "call_id": "a", "output": "b"}]}),
            "No tool call found for function call output with call_id a",
        ),
        (
            json!({"input": [{"type": "message", "id": "fc_1", "role": "user", "content": "a"}]}),
            "begins with 'msg'",
        ),
        (
            json!({"input": [{"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "pf1:{}"}]}),
            "could not be verified",
        ),
        (
            json!({"tools": [{"type": "function", "name": "f", "parameters": loose, "strict": true}]}),
            "'additionalProperties' is required",
        ),
        (json!({"reasoning": {"effort": "low"}}), "reasoning.effort"),
        (
            json!({"include": ["reasoning.encrypted_content"]}),
            "Encrypted content is not supported",
        ),
        (json!({"model": "gpt-5", "temperature": 0.5}), "temperature"),
    ] {
        let refused = answer(changes.clone());
        let body = text(&refused);
        assert!(refused.status == 400 && body.contains(expected), "{changes}: {body}");
        assert_eq!(value(&refused)["error"]["type"], "invalid_request_error", "{changes}");
    }
}

#[test]
fn a_stream_is_named_numbered_and_ends_with_the_whole() {
    let stream = text(&answer(json!({"stream": true, "input": "one two"})));
    let names: Vec<_> = stream.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
    let opening = [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
    ];
    let ending = [
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ];
    assert!(names.starts_with(&opening) && names.ends_with(&ending), "{names:?}");
    let events: Vec<Value> = stream
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| serde_json::from_str(data).unwrap())
        .collect();
    for (number, (event, name)) in events.iter().zip(&names).enumerate() {
        assert_eq!(
            (&event["type"], &event["sequence_number"]),
            (&json!(name), &json!(number))
        );
    }
    let told: String = events.iter().filter_map(|event| event["delta"].as_str()).collect();
    let whole = &events.last().unwrap()["response"];
    assert_eq!(whole["output"][0]["content"][0]["text"], told);
    assert_eq!(whole["status"], "completed");
}
