//! Chat completions.

use super::TEXT;
use super::stream::{Parts, SLOT, Stream};
use serde_json::{Value, json};

pub(super) const FIELDS: &str = "openai-organization: org-harbour\r\n\
    openai-processing-ms: 412\r\n\
    openai-version: 2020-10-01\r\n\
    x-ratelimit-limit-requests: 10000\r\n\
    x-ratelimit-limit-tokens: 30000000\r\n\
    x-ratelimit-remaining-requests: 9999\r\n\
    x-ratelimit-remaining-tokens: 29999612\r\n\
    x-ratelimit-reset-requests: 6ms\r\n\
    x-ratelimit-reset-tokens: 0s\r\n\
    x-request-id: req_5b1f0a4bc1de4ac6b2d1f8a2f3f0b8aa\r\n";

fn usage() -> Value {
    json!({
        "prompt_tokens": 412, "completion_tokens": 168, "total_tokens": 580,
        "prompt_tokens_details": {"cached_tokens": 128, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0, "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0},
    })
}

pub(super) fn body() -> Value {
    let message = json!({"role": "assistant", "content": TEXT, "refusal": null, "annotations": []});
    json!({
        "id": "chatcmpl-CeW3lWkP0vJd2f1aR9sT8uQyXzBcD", "object": "chat.completion", "created": 1_795_262_400,
        "model": "tide-1-large", "service_tier": "default", "system_fingerprint": "fp_9d1f0a4bc1",
        "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": "stop"}],
        "usage": usage(),
    })
}

fn event(choices: &Value, usage: Option<Value>) -> Vec<u8> {
    let mut event = json!({
        "id": "chatcmpl-CeW3lWkP0vJd2f1aR9sT8uQyXzBcD", "object": "chat.completion.chunk", "created": 1_795_262_400,
        "model": "tide-1-large", "service_tier": "default", "system_fingerprint": "fp_9d1f0a4bc1", "choices": choices,
    });
    if let Some(usage) = usage {
        event["usage"] = usage;
    }
    format!("data: {event}\n\n").into_bytes()
}

pub(super) fn stream() -> Stream {
    let choice = |delta: Value, finish: Value| {
        event(
            &json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}]),
            None,
        )
    };
    Stream::new(Parts {
        media: "text/event-stream; charset=utf-8",
        preamble: choice(
            json!({"role": "assistant", "content": "", "refusal": null}),
            Value::Null,
        ),
        chunk: choice(json!({"content": format!(" tide{SLOT}")}), Value::Null),
        summed: false,
        ending: choice(json!({}), json!("stop")),
        usage: event(&json!([]), Some(usage())),
        terminator: b"data: [DONE]\n\n".to_vec(),
    })
}
