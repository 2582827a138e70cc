//! Goldens of answers and streams; `refused` and `responses` have tables of what is wrong with requests.

mod refused;
mod responses;

use super::*;
use crate::answer::EventKind;
use crate::builder;
use std::time::Duration;

fn provider() -> OpenAi {
    OpenAi::new(builder::OpenAi::builder().keys(["sk-up-1"]).settings())
}

fn chat(body: &str) -> Received {
    Received::sample("POST", "/v1/chat/completions", body)
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

fn value(answer: &Answer) -> serde_json::Value {
    serde_json::from_str(&text(answer)).unwrap()
}

/// The stream with what changes from day to day taken out of it.
fn stream(provider: &OpenAi, body: &str, style: Style) -> Vec<String> {
    let answer = provider.answer(&chat(body), style);
    assert_eq!(answer.status, 200, "{}", text(&answer));
    let mut lines = Vec::new();
    for part in text(&answer).split_inclusive("\n\n") {
        let mut line = part
            .strip_prefix("data: ")
            .and_then(|line| line.strip_suffix("\n\n"))
            .unwrap()
            .to_owned();
        if let Ok(serde_json::Value::Object(chunk)) = serde_json::from_str(&line) {
            let created = format!(r#""created":{},"#, chunk["created"]);
            let common = format!(
                r#"{{"id":{},"object":"chat.completion.chunk",{created}"model":{},"service_tier":"default","system_fingerprint":"fp_b1d2c3f4a5","#,
                chunk["id"], chunk["model"]
            );
            line = line.replacen(&common, "{", 1);
        }
        lines.push(line);
    }
    lines
}

const PLAIN: Style = Style {
    interleaved: false,
    usage_everywhere: false,
    unknown_fields: false,
};

#[test]
fn an_answer_in_one_piece_is_laid_out_as_the_api_does() {
    let answer = provider().answer(
        &chat(r#"{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}]}"#),
        PLAIN,
    );
    let created = value(&answer)["created"].to_string();
    let expected = r#"{
  "id": "ID",
  "object": "chat.completion",
  "created": CREATED,
  "model": "gpt-4o-2024-08-06",
  "choices": [
    {
      "index": 0,
      "message": {
        "role": "assistant",
        "content": "Echo from gpt-4o: hi",
        "refusal": null,
        "annotations": []
      },
      "logprobs": null,
      "finish_reason": "stop"
    }
  ],
  "usage": {
    "prompt_tokens": 8,
    "completion_tokens": 5,
    "total_tokens": 13,
    "prompt_tokens_details": {
      "cached_tokens": 0,
      "audio_tokens": 0
    },
    "completion_tokens_details": {
      "reasoning_tokens": 0,
      "audio_tokens": 0,
      "accepted_prediction_tokens": 0,
      "rejected_prediction_tokens": 0
    }
  },
  "service_tier": "default",
  "system_fingerprint": "fp_b1d2c3f4a5"
}
"#;
    let id = value(&answer)["id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("chatcmpl-") && id.len() == 38, "{id}");
    assert_eq!(text(&answer).replace(&id, "ID").replace(&created, "CREATED"), expected);
    let bill = answer.bill.unwrap();
    assert_eq!(
        (bill.model.as_str(), bill.whole.input, bill.whole.output),
        ("gpt-4o", 8, 5)
    );
}

#[test]
fn a_stream_is_framed_as_the_api_does() {
    let body = r#"{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}],"stream":true,
        "stream_options":{"include_usage":true,"include_obfuscation":false}}"#;
    let expected = [
        r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null}"#,
        r#"{"choices":[{"index":0,"delta":{"content":"Echo"},"logprobs":null,"finish_reason":null}],"usage":null}"#,
        r#"{"choices":[{"index":0,"delta":{"content":" from"},"logprobs":null,"finish_reason":null}],"usage":null}"#,
        r#"{"choices":[{"index":0,"delta":{"content":" gpt-4o:"},"logprobs":null,"finish_reason":null}],"usage":null}"#,
        r#"{"choices":[{"index":0,"delta":{"content":" hi"},"logprobs":null,"finish_reason":null}],"usage":null}"#,
        r#"{"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":null}"#,
        r#"{"choices":[],"usage":{"prompt_tokens":8,"completion_tokens":5,"total_tokens":13,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}"#,
        "[DONE]",
    ];
    assert_eq!(stream(&provider(), body, PLAIN), expected);
}

#[test]
fn without_include_usage_no_chunk_has_the_key() {
    let body = r#"{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}],"stream":true}"#;
    let lines = stream(&provider(), body, PLAIN);
    assert_eq!(lines.len(), 7);
    assert!(lines.iter().all(|line| !line.contains("usage")), "{lines:?}");
    assert!(
        lines.iter().take(6).all(|line| line.contains("obfuscation")),
        "{lines:?}"
    );
}

const PARALLEL: &str = r#"{"model":"gpt-4o","messages":[{"role":"user","content":"parallel weather: Oslo, Rome"}],
    "stream":true,"stream_options":{"include_obfuscation":false},
    "tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}]}"#;

/// `index name-or-arguments` of each delta of a call.
fn deltas(lines: &[String]) -> Vec<String> {
    let chunk = |line: &String| serde_json::from_str::<serde_json::Value>(line).ok();
    let call = |chunk: serde_json::Value| {
        let call = chunk["choices"][0]["delta"]["tool_calls"][0].clone();
        let function = &call["function"];
        let what = function["name"]
            .as_str()
            .unwrap_or_else(|| function["arguments"].as_str().unwrap_or_default());
        (!call.is_null()).then(|| format!("{} {what}", call["index"]))
    };
    lines.iter().filter_map(chunk).filter_map(call).collect()
}

#[test]
fn parallel_calls_come_one_after_the_other_or_in_turns() {
    let in_order = [
        "0 weather",
        "0 {\"city\"",
        "0 :\"Oslo\"",
        "0 }",
        "1 weather",
        "1 {\"city\"",
        "1 :\"Rome\"",
        "1 }",
    ];
    assert_eq!(deltas(&stream(&provider(), PARALLEL, PLAIN)), in_order);
    let in_turns = [
        "0 weather",
        "1 weather",
        "0 {\"city\"",
        "1 {\"city\"",
        "0 :\"Oslo\"",
        "1 :\"Rome\"",
        "0 }",
        "1 }",
    ];
    assert_eq!(
        deltas(&stream(
            &provider(),
            PARALLEL,
            Style {
                interleaved: true,
                ..PLAIN
            }
        )),
        in_turns
    );
}

#[test]
fn what_a_stream_charges_event_by_event_is_its_usage() {
    let reasoning = r#"{"model":"gpt-5","messages":[{"role":"user","content":"hello there"}],"stream":true,"n":2}"#;
    for body in [PARALLEL, reasoning] {
        let answer = provider().answer(&chat(body), PLAIN);
        let Body::Events(events) = &answer.body else {
            panic!("no stream: {}", text(&answer))
        };
        let made: u64 = events.iter().map(|event| event.tokens).sum();
        assert_eq!(made, answer.bill.as_ref().unwrap().whole.output, "{body}");
        assert_eq!(events.last().unwrap().kind, EventKind::Terminator);
        assert_eq!(events.first().unwrap().kind, EventKind::Frame);
    }
}

#[test]
fn usage_on_every_chunk_grows_to_the_whole() {
    let lines = stream(
        &provider(),
        PARALLEL,
        Style {
            usage_everywhere: true,
            ..PLAIN
        },
    );
    let chunks: Vec<serde_json::Value> = lines
        .iter()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let totals: Vec<u64> = chunks
        .iter()
        .map(|chunk| chunk["usage"]["completion_tokens"].as_u64().unwrap())
        .collect();
    assert!(totals.is_sorted() && totals.last() > totals.first(), "{totals:?}");
}

#[test]
fn a_refusal_is_one() {
    let body = r#"{"model":"gpt-4o","messages":[{"role":"user","content":"please refuse"}]}"#;
    let message = value(&provider().answer(&chat(body), PLAIN))["choices"][0]["message"].clone();
    assert_eq!(message["content"], serde_json::Value::Null);
    assert_eq!(message["refusal"], "I cannot help with that.");
}

#[test]
fn compatible_servers_show_their_reasoning() {
    let provider = OpenAi::new(
        builder::OpenAi::builder()
            .reasoning_content()
            .models(["deepseek-reasoner"])
            .settings(),
    );
    let body = r#"{"model":"deepseek-reasoner","messages":[{"role":"user","content":"hi"}]}"#;
    let answer = value(&provider.answer(&chat(body), PLAIN));
    assert_eq!(
        answer["choices"][0]["message"]["reasoning_content"],
        "I think about it: hi"
    );
    assert_eq!(answer["usage"]["completion_tokens_details"]["reasoning_tokens"], 5);
}

#[test]
fn only_a_server_that_shows_its_reasoning_takes_it_back() {
    let asked = |echo: &str| {
        format!(
            r#"{{"model":"gpt-4o","messages":[{{"role":"assistant","content":"yes"{echo}}},{{"role":"user","content":"hi"}}]}}"#
        )
    };
    let body = asked(r#","reasoning_content":"I thought about it""#);
    let compatible = OpenAi::new(builder::OpenAi::builder().reasoning_content().settings());
    assert_eq!(provider().answer(&chat(&body), PLAIN).status, 400);
    assert_eq!(compatible.answer(&chat(&body), PLAIN).status, 200);
    let tokens = |body: &str| value(&compatible.answer(&chat(body), PLAIN))["usage"]["prompt_tokens"].clone();
    assert_eq!(tokens(&body), tokens(&asked("")));
}

#[test]
fn a_long_prompt_sent_again_is_cached_in_steps_of_128() {
    let provider = provider();
    let long = "word ".repeat(2000);
    let body = format!(
        r#"{{"model":"gpt-4o","messages":[{{"role":"system","content":"{long}"}},{{"role":"user","content":"hi"}}]}}"#
    );
    let cached =
        |_| value(&provider.answer(&chat(&body), PLAIN))["usage"]["prompt_tokens_details"]["cached_tokens"].clone();
    assert_eq!([0, 1].map(cached), [0, 2432]);
}

#[test]
fn embeddings_are_unit_vectors_in_either_encoding() {
    let provider = provider();
    let ask = |body: &str| value(&provider.answer(&Received::sample("POST", "/v1/embeddings", body), PLAIN));
    let numbers = ask(r#"{"model":"text-embedding-3-small","input":["a","b"],"dimensions":4}"#);
    let vector: Vec<f64> = numbers["data"][1]["embedding"]
        .as_array()
        .unwrap()
        .iter()
        .map(|value| value.as_f64().unwrap())
        .collect();
    assert!(
        (vector.iter().map(|value| value * value).sum::<f64>() - 1.0).abs() < 1e-6,
        "{vector:?}"
    );
    assert_eq!(
        numbers["usage"],
        serde_json::json!({"prompt_tokens": 2, "total_tokens": 2})
    );
    let encoded = ask(r#"{"model":"text-embedding-3-small","input":"a","dimensions":4,"encoding_format":"base64"}"#);
    assert_eq!(encoded["data"][0]["embedding"].as_str().unwrap().len(), 24);
}

#[test]
fn scripted_refusals_have_the_real_shapes() {
    let table = [
        (Refusal::Status(500), "server_error", ""),
        (Refusal::Status(503), "server_error", ""),
        (
            Refusal::RateLimited {
                resets_in: Duration::from_millis(6500),
            },
            "requests",
            "rate_limit_exceeded",
        ),
        (Refusal::SpendLimit, "insufficient_quota", "insufficient_quota"),
        (
            Refusal::ContextOverflow,
            "invalid_request_error",
            "context_length_exceeded",
        ),
        (Refusal::UnknownModel, "invalid_request_error", "model_not_found"),
    ];
    for (refusal, kind, code) in table {
        let answer = provider().refuse(&chat(r#"{"model":"gpt-4o"}"#), refusal);
        let error = value(&answer)["error"].clone();
        assert_eq!(
            (error["type"].as_str().unwrap(), error["code"].as_str().unwrap_or("")),
            (kind, code),
            "{refusal:?}"
        );
        assert!(answer.bill.is_none());
    }
    let answer = provider().refuse(
        &chat("{}"),
        Refusal::RateLimited {
            resets_in: Duration::from_millis(6500),
        },
    );
    let header = |name: &str| {
        answer
            .headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    };
    assert_eq!(header("retry-after"), Some("7"));
    assert_eq!(header("retry-after-ms"), Some("6500"));
    assert_eq!(header("x-ratelimit-reset-requests"), Some("6.500s"));
    assert_eq!(header("x-ratelimit-remaining-requests"), Some("0"));
}
