//! An answer, a stream, and what is wrong with requests.

use super::*;
use crate::builder;
use serde_json::Value;

fn ask(body: &Value) -> Answer {
    let provider = Cohere::new(builder::Cohere::builder().keys(["sk-up-1"]).settings());
    let request = Received::sample("POST", "/v2/chat", &body.to_string());
    provider.answer(&request, Style::default())
}

fn text(answer: &Answer) -> String {
    match &answer.body {
        Body::Whole(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
        Body::Events(events) => {
            let all: Vec<u8> = events.iter().flat_map(|event| event.bytes.to_vec()).collect();
            String::from_utf8(all).unwrap()
        }
    }
}

#[test]
fn a_stream_says_what_the_whole_answer_says() {
    let body = json!({"model": "command-a-reasoning-08-2025", "messages": [{"role": "user", "content": "hi"}]});
    let whole: Value = serde_json::from_str(&text(&ask(&body))).unwrap();
    let thought = &whole["message"]["content"][0]["thinking"];
    assert_eq!(
        whole["message"]["content"][1]["text"],
        "Echo from command-a-reasoning-08-2025: hi"
    );
    let mut body = body;
    body["stream"] = true.into();
    let stream = text(&ask(&body));
    let events: Vec<Value> = stream
        .lines()
        .filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok())
        .collect();
    let said = |kind: &str| -> String {
        let content = |event: &Value| event["delta"]["message"]["content"][kind].as_str().map(str::to_owned);
        events.iter().filter_map(content).collect()
    };
    assert_eq!(
        (&*said("text"), said("thinking")),
        (
            "Echo from command-a-reasoning-08-2025: hi",
            thought.as_str().unwrap().to_owned()
        )
    );
    let last = events.last().unwrap();
    assert_eq!(
        (&last["type"], &last["delta"]["usage"]),
        (&json!("message-end"), &whole["usage"])
    );
}

#[test]
fn what_is_wrong_with_a_request_is_said() {
    let user = json!([{"role": "user", "content": "a"}]);
    let tool = json!({"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}});
    let named = |name: &str| json!([{"type": "function", "function": {"name": name, "parameters": {}}}]);
    let command = |more: Value| {
        let mut body = json!({"model": "command-a-03-2025", "messages": user});
        let (Value::Object(body_members), Value::Object(more)) = (&mut body, more) else {
            unreachable!()
        };
        body_members.extend(more);
        body
    };
    for (body, status, says) in [
        (command(json!({"model": "none"})), 404, "model 'none' not found"),
        (command(json!({"n": 2})), 422, "unknown field: parameter 'n'"),
        (command(json!({"p": 1.0})), 400, "invalid request: p"),
        (command(json!({"tools": named("a-b")})), 400, "tools.0.function.name"),
        (command(json!({"tool_choice": "NONE"})), 400, "without tools"),
        (command(json!({"tools": [tool], "strict_tools": true})), 400, "required"),
        (
            command(json!({"tools": [tool], "response_format": {"type": "json_object"}})),
            400,
            "not supported with tools",
        ),
        (
            command(json!({"thinking": {"type": "disabled"}})),
            400,
            "does not support thinking",
        ),
        (
            command(json!({"messages": [{"role": "user", "content": ""}]})),
            400,
            "non-empty",
        ),
        (
            command(json!({"messages": [{"role": "tool", "tool_call_id": "x", "content": "a"}]})),
            400,
            "answers no call",
        ),
    ] {
        let answer = ask(&body);
        assert_eq!(answer.status, status, "{body}: {}", text(&answer));
        assert!(text(&answer).contains(says), "{body}: {}", text(&answer));
    }
}
