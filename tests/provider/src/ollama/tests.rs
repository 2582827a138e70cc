//! An answer, a stream, and what is wrong with requests.

use super::*;
use crate::builder;
use serde_json::Value;

fn ask(body: &Value) -> Answer {
    let provider = Ollama::new(builder::Ollama::builder().keys(["sk-up-1"]).settings());
    provider.answer(
        &Received::sample("POST", "/api/chat", &body.to_string()),
        Style::default(),
    )
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
fn it_streams_lines_unless_told_not_to() {
    let body = json!({"model": "llama3.2", "messages": [{"role": "user", "content": "hi"}], "stream": false});
    let whole: Value = serde_json::from_str(&text(&ask(&body))).unwrap();
    assert_eq!(whole["message"]["content"], "Echo from llama3.2: hi");
    assert_eq!((&whole["done"], &whole["done_reason"]), (&json!(true), &json!("stop")));
    let body = json!({"model": "llama3.2", "messages": [{"role": "user", "content": "hi"}]});
    let lines = text(&ask(&body));
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let said: String = lines
        .iter()
        .map(|line| line["message"]["content"].as_str().unwrap())
        .collect();
    assert_eq!(said, "Echo from llama3.2: hi");
    assert_eq!(lines.last().unwrap()["eval_count"], whole["eval_count"]);
}

#[test]
fn what_is_wrong_with_a_request_is_said() {
    let user = json!([{"role": "user", "content": "a"}]);
    for (body, status, says) in [
        (
            json!({"model": "none", "messages": user}),
            404,
            "model 'none' not found",
        ),
        (
            json!({"model": "llama3.2", "messages": user, "n": 2}),
            400,
            "unknown: n",
        ),
        (
            json!({"model": "llama3.2", "messages": [{"role": "user", "content": [{"text": "a"}]}]}),
            400,
            "messages.0.content",
        ),
        (
            json!({"model": "llama3.2", "messages": user, "think": true}),
            400,
            "does not support thinking",
        ),
        (
            json!({"model": "llama3.2", "messages": [{"role": "user", "content": "a", "images": ["https://x"]}]}),
            400,
            "illegal base64",
        ),
    ] {
        let answer = ask(&body);
        assert_eq!(answer.status, status, "{body}");
        assert!(text(&answer).contains(says), "{body}: {}", text(&answer));
    }
}
