//! An answer, a stream, and what is wrong with requests.

use super::*;
use crate::answer::EventKind;
use crate::builder;
use serde_json::{Value, json};

const MODEL: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";
const PATH: &str = "/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse";

fn provider() -> Bedrock {
    let keys = ["sk-up-1", "AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"];
    let models = [
        MODEL,
        "amazon.nova-pro-v1:0",
        "meta.llama3-3-70b-instruct-v1:0",
        "anthropic.claude-v1:0",
    ];
    Bedrock::new(builder::Bedrock::builder().keys(keys).models(models).settings())
}

fn ask(path: &str, body: &Value) -> Answer {
    provider().answer(&Received::sample("POST", path, &body.to_string()), Style::default())
}

fn text(answer: &Answer) -> String {
    match &answer.body {
        Body::Whole(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
        Body::Events(_) => panic!("a stream"),
    }
}

fn user(text: &str) -> Value {
    json!({"role": "user", "content": [{"text": text}]})
}

#[test]
fn an_answer_has_its_usage_and_metrics() {
    let answer = ask(PATH, &json!({"messages": [user("hi")]}));
    let expected = json!({
        "metrics": {"latencyMs": 551},
        "output": {"message": {"content": [{"text": format!("Echo from {MODEL}: hi")}], "role": "assistant"}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": 1, "outputTokens": 15, "totalTokens": 16, "cacheReadInputTokens": 0,
            "cacheWriteInputTokens": 0},
    });
    let mut found: Value = serde_json::from_str(&text(&answer)).unwrap();
    for key in ["inputTokens", "outputTokens", "totalTokens"] {
        assert!(found["usage"][key].as_u64().unwrap() > 0);
        found["usage"][key] = expected["usage"][key].clone();
    }
    assert_eq!(found, expected);
}

#[test]
fn a_stream_ends_before_its_usage() {
    let answer = ask(&format!("{PATH}-stream"), &json!({"messages": [user("hi")]}));
    let Body::Events(events) = &answer.body else {
        panic!("no stream")
    };
    let kinds: Vec<_> = events.iter().rev().take(2).map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::Frame, EventKind::Terminator]);
    let has =
        |event: &crate::answer::Event, name: &str| event.bytes.windows(name.len()).any(|part| part == name.as_bytes());
    assert!(has(&events[0], "messageStart") && has(events.last().unwrap(), "inputTokens"));
}

/// The signature is botocore's.
#[test]
fn a_signature_is_taken_and_a_wrong_one_is_not() {
    let signature = "ed71574f9c6ebbc882083125e91ca71d95b22afcad718bcd0b8e2ef770f5e1b5";
    let request = |signature: &str| {
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20270115/us-east-1/bedrock/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, Signature={signature}"
        );
        Received::sample("POST", "/model/anthropic.claude-v1%3A0/converse", r#"{"messages":[]}"#)
            .with("authorization", &authorization)
            .with("host", "bedrock-runtime.us-east-1.amazonaws.com")
            .with("x-amz-date", "20270115T080000Z")
    };
    assert_eq!(signed::admit(&request(signature), &provider().settings.keys), Ok(()));
    let wrong = signed::admit(&request("00"), &provider().settings.keys).unwrap_err();
    assert_eq!((wrong.status, wrong.kind), (403, "InvalidSignatureException"));
}

#[test]
fn what_is_wrong_with_a_request_is_said() {
    let tool = json!({"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object"}}}}]});
    let call = json!({"role": "assistant", "content": [{"toolUse": {"toolUseId": "t", "name": "f", "input": {}}}]});
    let result = json!({"role": "user", "content": [{"toolResult": {"toolUseId": "t", "content": [{"text": "r"}]}}]});
    let document = json!({"document": {"format": "pdf", "name": "a", "source": {"bytes": "JVBERi0="}}});
    let cases = [
        (json!({"messages": []}), "must start with a user message"),
        (json!({"messages": [user("a"), user("b")]}), "must alternate"),
        (json!({"messages": [user(" ")]}), "is blank"),
        (json!({"messages": [user("a")], "model": "m"}), "extraneous key [model]"),
        (
            json!({"messages": [user("a")], "inferenceConfig": {"temperature": 1.5}}),
            "not between",
        ),
        (
            json!({"messages": [user("a")], "inferenceConfig": {"temperature": 1, "topP": 1}}),
            "cannot both be specified",
        ),
        (
            json!({"messages": [user("a"), call, result]}),
            "toolConfig field must be defined",
        ),
        (
            json!({"messages": [user("a"), call], "toolConfig": tool}),
            "Expected toolResult blocks",
        ),
        (
            json!({"messages": [result], "toolConfig": tool}),
            "exceeds the number of toolUse blocks",
        ),
        (
            json!({"messages": [{"role": "user", "content": [document]}]}),
            "A text block is required",
        ),
        (
            json!({"messages": [{"role": "user", "content": [document, document, {"text": "a"}]}]}),
            "Duplicate document",
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"text": "a", "image": {"format": "png",
                "source": {"bytes": "AA=="}}}]}]}),
            "exactly one member",
        ),
        (
            json!({"messages": [user("a")], "toolConfig": {"tools": [{"toolSpec": {"name": "f.g",
                "inputSchema": {"json": {"type": "object"}}}}]}}),
            "does not match",
        ),
        (
            json!({"messages": [user("a")], "toolConfig": {"tools": [{"toolSpec": {"name": "f",
                "inputSchema": {"json": {}}}}]}}),
            "must be one of the following: object",
        ),
    ];
    for (body, says) in cases {
        let answer = ask(PATH, &body);
        assert_eq!(answer.status, 400, "{body}");
        assert!(text(&answer).contains(says), "{body}: {}", text(&answer));
    }
    let cached =
        json!({"messages": [{"role": "user", "content": [{"text": "a"}, {"cachePoint": {"type": "default"}}]}]});
    let answer = ask("/model/meta.llama3-3-70b-instruct-v1%3A0/converse", &cached);
    assert!(text(&answer).contains("did not allow prompt caching"));
    let answer = ask("/model/unknown/converse", &json!({"messages": [user("a")]}));
    assert!(text(&answer).contains("model identifier is invalid"));
}
