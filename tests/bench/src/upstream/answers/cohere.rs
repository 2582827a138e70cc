//! Cohere's chat, version 2.

use super::stream::{Parts, SLOT, Stream};
use super::{TEXT, named};
use serde_json::{Value, json};

const ID: &str = "c14c80c3-18eb-4519-9460-6c92edd8cfb4";

fn usage() -> Value {
    json!({"billed_units": {"input_tokens": 412, "output_tokens": 168},
        "tokens": {"input_tokens": 612, "output_tokens": 170}, "cached_tokens": 128})
}

pub(super) fn body() -> Value {
    let message = json!({"role": "assistant", "content": [{"type": "text", "text": TEXT}]});
    json!({"id": ID, "finish_reason": "COMPLETE", "message": message, "usage": usage()})
}

pub(super) fn stream() -> Stream {
    let role = json!({"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []});
    let content = |content: Value| json!({"index": 0, "delta": {"message": {"content": content}}});
    let end = json!({"id": ID, "delta": {"finish_reason": "COMPLETE", "usage": usage()}});
    Stream::new(Parts {
        media: "text/event-stream",
        preamble: [
            named("message-start", json!({"id": ID, "delta": {"message": role}})),
            named("content-start", content(json!({"type": "text", "text": ""}))),
        ]
        .concat(),
        chunk: named("content-delta", content(json!({"text": format!(" tide{SLOT}")}))),
        summed: false,
        ending: named("content-end", json!({"index": 0})),
        usage: Vec::new(),
        terminator: named("message-end", end),
    })
}
