//! Threads: created, continued, lost.

use super::*;

/// A request with the beta that threads need.
fn threaded(body: &Value) -> Received {
    ask(&body.to_string()).with("anthropic-beta", "message-threads-2026-08-12")
}

fn created(provider: &Anthropic) -> String {
    let body = json!({
        "model": "claude-sonnet-4-5", "max_tokens": 99, "thread": {"type": "create"},
        "tools": [{"name": "look", "input_schema": {"type": "object"}}],
        "messages": [{"role": "user", "content": "please look"}],
    });
    let answer = value(&provider.answer(&threaded(&body), PLAIN));
    assert_eq!(answer["stop_reason"], "tool_use", "{answer}");
    answer["content"][1]["id"].as_str().unwrap().to_owned() + " " + answer["id"].as_str().unwrap()
}

fn continuing(call: &str, answer: &str) -> Value {
    json!({
        "model": "claude-sonnet-4-5", "max_tokens": 99,
        "thread": {"type": "continue", "previous_message_id": answer},
        "messages": [{"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": call, "content": "a door"}
        ]}],
    })
}

#[test]
fn a_thread_goes_on_from_what_it_holds() {
    let provider = provider();
    let created = created(&provider);
    let (call, id) = created.split_once(' ').unwrap();
    let answer = value(&provider.answer(&threaded(&continuing(call, id)), PLAIN));
    assert_eq!(
        answer["content"][0]["text"],
        "claude-sonnet-4-5 read from its tools: \"a door\""
    );
}

#[test]
fn a_thread_that_is_not_held_is_not_found_by_name() {
    let answer = provider().answer(&threaded(&continuing("toolu_1", "msg_1")), PLAIN);
    let error = value(&answer)["error"].clone();
    assert_eq!((answer.status, &error["type"]), (404, &json!("not_found_error")));
    assert_eq!(error["details"]["error_code"], "thread_not_found");
}

#[test]
fn without_the_beta_there_are_no_threads() {
    let answer = provider().answer(&ask(&continuing("toolu_1", "msg_1").to_string()), PLAIN);
    assert_eq!(
        value(&answer)["error"]["message"],
        "thread: Extra inputs are not permitted"
    );
}
