//! Messages.

use super::stream::{Parts, SLOT, Stream};
use super::{TEXT, named};
use serde_json::{Value, json};

pub(super) const FIELDS: &str = "anthropic-organization-id: 7c9d3f1e-51a0-4d0a-9a43-1f2f8a2f3f0b\r\n\
    anthropic-ratelimit-requests-limit: 4000\r\n\
    anthropic-ratelimit-requests-remaining: 3999\r\n\
    anthropic-ratelimit-requests-reset: 2026-11-21T12:00:00Z\r\n\
    anthropic-ratelimit-tokens-limit: 480000\r\n\
    anthropic-ratelimit-tokens-remaining: 479000\r\n\
    anthropic-ratelimit-tokens-reset: 2026-11-21T12:00:01Z\r\n\
    request-id: req_011CVLkT6Yv1CzJ8aXQdW7bM\r\n";

fn usage(output: u32) -> Value {
    json!({
        "input_tokens": 284, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 128,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0}, "output_tokens": output,
        "service_tier": "standard",
    })
}

fn message(content: &Value, stop_reason: Value, output: u32) -> Value {
    json!({
        "id": "msg_01XFDUDYJgAACzvnptvVoYEL", "type": "message", "role": "assistant", "model": "tide-1-large",
        "content": content, "stop_reason": stop_reason, "stop_sequence": null, "usage": usage(output),
    })
}

pub(super) fn body() -> Value {
    message(&json!([{"type": "text", "text": TEXT}]), json!("end_turn"), 168)
}

pub(super) fn stream() -> Stream {
    let start = named("message_start", json!({"message": message(&json!([]), Value::Null, 1)}));
    let text = json!({"type": "text", "text": ""});
    let block = named("content_block_start", json!({"index": 0, "content_block": text}));
    let delta = json!({"index": 0, "delta": {"type": "text_delta", "text": format!(" tide{SLOT}")}});
    let stop = named("content_block_stop", json!({"index": 0}));
    let usage = json!({"output_tokens": 168});
    let end = json!({"delta": {"stop_reason": "end_turn", "stop_sequence": null}, "usage": usage});
    Stream::new(Parts {
        media: "text/event-stream; charset=utf-8",
        preamble: [start, block, named("ping", json!({}))].concat(),
        chunk: named("content_block_delta", delta),
        summed: false,
        ending: [stop, named("message_delta", end)].concat(),
        usage: Vec::new(),
        terminator: named("message_stop", json!({})),
    })
}
