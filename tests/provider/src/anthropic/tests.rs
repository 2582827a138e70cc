//! Goldens of answers and streams; `refused` has the table of what is wrong with requests.

mod refused;
mod threads;

use super::*;
use crate::answer::EventKind;
use crate::builder;
use serde_json::{Value, json};
use std::time::Duration;

fn provider() -> Anthropic {
    Anthropic::new(builder::Anthropic::builder().keys(["sk-up-1"]).settings())
}

fn ask(body: &str) -> Received {
    Received::sample("POST", "/v1/messages", body)
}

fn text(answer: &Answer) -> String {
    match &answer.body {
        Body::Whole(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
        Body::Events(events) => events
            .iter()
            .map(|event| String::from_utf8(event.bytes.to_vec()).unwrap())
            .collect(),
    }
}

fn value(answer: &Answer) -> Value {
    serde_json::from_str(&text(answer)).unwrap()
}

fn answered(provider: &Anthropic, body: &Value) -> Value {
    let answer = provider.answer(&ask(&body.to_string()), PLAIN);
    assert_eq!(answer.status, 200, "{body}: {}", text(&answer));
    value(&answer)
}

const PLAIN: Style = Style {
    interleaved: false,
    usage_everywhere: false,
    unknown_fields: false,
};

#[test]
fn an_answer_in_one_piece_has_no_white_space() {
    let body = r#"{"model":"claude-sonnet-4-5","max_tokens":50,"messages":[{"role":"user","content":"hi"}]}"#;
    let answer = provider().answer(&ask(body), PLAIN);
    let id = value(&answer)["id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("msg_01") && id.len() == 28, "{id}");
    let expected = r#"{"model":"claude-sonnet-4-5-20250929","id":"ID","type":"message","role":"assistant","content":[{"type":"text","text":"Echo from claude-sonnet-4-5: hi"}],"stop_reason":"end_turn","stop_sequence":null,"stop_details":null,"usage":{"input_tokens":7,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":8,"service_tier":"standard"}}"#;
    assert_eq!(text(&answer).replace(&id, "ID"), expected);
}

#[test]
fn a_stream_has_named_events_a_ping_and_padding() {
    let body =
        r#"{"model":"claude-sonnet-4-5","max_tokens":5,"stream":true,"messages":[{"role":"user","content":"hi"}]}"#;
    let answer = provider().answer(&ask(body), PLAIN);
    let whole = text(&answer);
    let id = whole
        .split("\"id\":\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let expected = concat!(
        "event: message_start\n",
        r#"data: {"type":"message_start","message":{"model":"claude-sonnet-4-5-20250929","id":"ID","type":"message","role":"assistant","content":[],"stop_reason":null,"stop_sequence":null,"stop_details":null,"usage":{"input_tokens":7,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":1,"service_tier":"standard"}}}"#,
        "\n\nevent: content_block_start\n",
        r#"data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}       }"#,
        "\n\nevent: ping\n",
        r#"data: {"type": "ping"}"#,
        "\n\nevent: content_block_delta\n",
        r#"data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Echo"}         }"#,
        "\n\nevent: content_block_delta\n",
        r#"data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" from"}    }"#,
        "\n\nevent: content_block_delta\n",
        r#"data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" claude-son"}           }"#,
        "\n\nevent: content_block_stop\n",
        r#"data: {"type":"content_block_stop","index":0      }"#,
        "\n\nevent: message_delta\n",
        r#"data: {"type":"message_delta","delta":{"stop_reason":"max_tokens","stop_sequence":null,"stop_details":null},"usage":{"input_tokens":7,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":5} }"#,
        "\n\nevent: message_stop\n",
        r#"data: {"type":"message_stop"        }"#,
        "\n\n",
    );
    assert_eq!(whole.replace(&id, "ID"), expected);
    let header = |name: &str| {
        answer
            .headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    };
    assert_eq!(header("content-type"), Some("text/event-stream; charset=utf-8"));
    assert_eq!(header("cache-control"), Some("no-cache"));
    assert!(header("request-id").unwrap().starts_with("req_011C"));
}

fn weather() -> Value {
    json!([{"name": "weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}])
}

#[test]
fn what_a_stream_charges_event_by_event_is_its_usage() {
    let tools = json!({"model": "claude-sonnet-4-5", "max_tokens": 2000, "stream": true, "tools": weather(),
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "messages": [{"role": "user", "content": "parallel weather: Oslo, Rome"}]});
    let private = json!({"model": "claude-sonnet-4-5", "max_tokens": 2000, "stream": true,
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "messages": [{"role": "user", "content": "think in private"}]});
    let omitted = json!({"model": "claude-opus-5-5", "max_tokens": 2000, "stream": true,
        "messages": [{"role": "user", "content": "hi"}]});
    for body in [tools, private, omitted] {
        let answer = provider().answer(&ask(&body.to_string()), PLAIN);
        let Body::Events(events) = &answer.body else {
            panic!("no stream: {}", text(&answer))
        };
        let made: u64 = events.iter().map(|event| event.tokens).sum();
        assert_eq!(made, answer.bill.as_ref().unwrap().whole.output, "{body}");
        assert_eq!(events.last().unwrap().kind, EventKind::Terminator);
    }
}

/// A turn in which the model thinks and calls a tool, and what it said.
fn thinking_turn(provider: &Anthropic) -> (Value, Value) {
    let body = json!({"model": "claude-sonnet-4-5", "max_tokens": 2000, "tools": weather(),
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "messages": [{"role": "user", "content": "weather in Oslo?"}]});
    let said = answered(provider, &body)["content"].clone();
    (body, said)
}

/// The next turn: the same conversation, what the model said, and the tool's result.
fn next(body: &Value, said: &Value) -> Value {
    let call = said
        .as_array()
        .unwrap()
        .iter()
        .find(|block| block["type"] == "tool_use")
        .unwrap();
    let result = json!({"type": "tool_result", "tool_use_id": call["id"], "content": "sunny"});
    let mut body = body.clone();
    body["messages"].as_array_mut().unwrap().extend([
        json!({"role": "assistant", "content": said}),
        json!({"role": "user", "content": [result]}),
    ]);
    body
}

#[test]
fn thinking_comes_back_as_it_was_or_not_at_all() {
    let provider = provider();
    let (body, said) = thinking_turn(&provider);
    assert_eq!(said[0]["type"], "thinking");
    assert_eq!(
        answered(&provider, &next(&body, &said))["content"][1]["text"],
        "claude-sonnet-4-5 read from its tools: \"sunny\""
    );

    let mut changed = said.clone();
    changed[0]["thinking"] = json!("I thought otherwise");
    let mut resigned = said.clone();
    resigned[0]["signature"] = json!("AAAA");
    let mut left_out = said.clone();
    left_out.as_array_mut().unwrap().remove(0);
    let mut redacted = said.clone();
    redacted[0] = json!({"type": "redacted_thinking", "data": "AAAA"});
    let expected = [
        (changed, "messages.1.content.0: Invalid `signature` in `thinking` block"),
        (
            resigned,
            "messages.1.content.0: Invalid `signature` in `thinking` block",
        ),
        (
            left_out,
            "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `text`.",
        ),
        (
            redacted,
            "messages.1.content.0: Invalid `data` in `redacted_thinking` block",
        ),
    ];
    for (said, message) in expected {
        let answer = provider.answer(&ask(&next(&body, &said).to_string()), PLAIN);
        assert_eq!(answer.status, 400, "{said}");
        assert!(text(&answer).contains(message), "{}", text(&answer));
    }
}

#[test]
fn redacted_and_omitted_thinking_is_verified_too() {
    let provider = provider();
    let (mut body, _) = thinking_turn(&provider);
    body["messages"][0]["content"] = json!("think in private about the weather in Oslo");
    let said = answered(&provider, &body)["content"].clone();
    assert_eq!(said[0]["type"], "redacted_thinking");
    answered(&provider, &next(&body, &said));

    body["messages"][0]["content"] = json!("weather in Oslo?");
    body["thinking"]["display"] = json!("omitted");
    let said = answered(&provider, &body)["content"].clone();
    assert_eq!(said[0]["thinking"], "");
    answered(&provider, &next(&body, &said));
}

#[test]
fn a_marked_system_prompt_is_written_then_read() {
    let provider = provider();
    let body = json!({"model": "claude-sonnet-4-5", "max_tokens": 50,
        "system": [{"type": "text", "text": "word ".repeat(2000), "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
        "messages": [{"role": "user", "content": "hi"}]});
    let usage = |_| answered(&provider, &body)["usage"].clone();
    let [first, second] = [0, 1].map(usage);
    let written = first["cache_creation_input_tokens"].as_u64().unwrap();
    assert!(written > 2000, "{first}");
    assert_eq!(first["cache_creation"]["ephemeral_1h_input_tokens"], written);
    assert_eq!(first["cache_read_input_tokens"], 0);
    assert_eq!(second["cache_read_input_tokens"], written);
    assert_eq!(second["cache_creation_input_tokens"], 0);
    assert_eq!(first["input_tokens"], second["input_tokens"]);
}

#[test]
fn a_refusal_says_why_it_stopped() {
    let body = json!({"model": "claude-sonnet-4-5", "max_tokens": 50, "messages": [{"role": "user", "content": "please refuse"}]});
    let answer = answered(&provider(), &body);
    assert_eq!(answer["stop_reason"], "refusal");
    assert_eq!(answer["stop_details"]["type"], "refusal");
}

#[test]
fn nothing_is_said_when_only_the_cache_is_warmed() {
    let body = json!({"model": "claude-sonnet-4-5", "max_tokens": 0, "messages": [{"role": "user", "content": "hi"}]});
    let answer = answered(&provider(), &body);
    assert_eq!(
        (&answer["content"], &answer["stop_reason"]),
        (&json!([]), &json!("max_tokens"))
    );
    assert_eq!(answer["usage"]["output_tokens"], 0);
}

#[test]
fn tokens_are_counted_as_they_are_billed() {
    let messages = json!([{"role": "user", "content": [{"type": "text", "text": "what is it?"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}}]}]);
    let count = json!({"model": "claude-sonnet-4-5", "messages": messages}).to_string();
    let counted = value(&provider().answer(&Received::sample("POST", "/v1/messages/count_tokens", &count), PLAIN));
    let body = json!({"model": "claude-sonnet-4-5", "max_tokens": 50, "messages": messages});
    assert_eq!(
        counted["input_tokens"],
        answered(&provider(), &body)["usage"]["input_tokens"]
    );
    assert!(counted["input_tokens"].as_u64().unwrap() > crate::tokens::IMAGE);
}

#[test]
fn scripted_refusals_have_the_real_shapes() {
    let table = [
        (Refusal::Status(401), 401, "authentication_error"),
        (Refusal::Status(402), 402, "billing_error"),
        (Refusal::Status(403), 403, "permission_error"),
        (Refusal::Status(413), 413, "request_too_large"),
        (Refusal::Status(500), 500, "api_error"),
        (Refusal::Status(504), 504, "timeout_error"),
        (Refusal::Status(529), 529, "overloaded_error"),
        (
            Refusal::RateLimited {
                resets_in: Duration::from_secs(3),
            },
            429,
            "rate_limit_error",
        ),
        (Refusal::SpendLimit, 429, "rate_limit_error"),
        (Refusal::ContextOverflow, 400, "invalid_request_error"),
        (Refusal::UnknownModel, 404, "not_found_error"),
    ];
    for (refusal, status, kind) in table {
        let answer = provider().refuse(&ask("{}"), refusal);
        let body = value(&answer);
        assert_eq!(
            (answer.status, body["error"]["type"].as_str().unwrap()),
            (status, kind),
            "{refusal:?}"
        );
        assert_eq!(body["type"], "error");
        assert!(body["request_id"].as_str().unwrap().starts_with("req_011C"));
    }
    let spent = provider().refuse(&ask("{}"), Refusal::SpendLimit);
    assert_eq!(
        value(&spent)["error"]["details"]["error_code"],
        "enforced_spend_limit_reached"
    );
    let limited = provider().refuse(
        &ask("{}"),
        Refusal::RateLimited {
            resets_in: Duration::from_millis(2500),
        },
    );
    let header = |name: &str| {
        limited
            .headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    };
    assert_eq!(header("retry-after"), Some("3"));
    assert_eq!(header("anthropic-ratelimit-requests-remaining"), Some("0"));
}
