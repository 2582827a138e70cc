//! Ollama's own API.

use super::TEXT;
use super::stream::{Parts, SLOT, Stream};
use serde_json::{Value, json};

fn line(text: &str) -> Value {
    json!({"model": "tide-1-large", "created_at": "2026-11-21T12:00:00.123456Z",
        "message": {"role": "assistant", "content": text}, "done": false})
}

fn last(text: &str) -> Value {
    let mut last = line(text);
    last["done"] = json!(true);
    last["done_reason"] = json!("stop");
    for (name, value) in [
        ("total_duration", 500_000_000),
        ("load_duration", 1_000_000),
        ("prompt_eval_count", 412),
        ("prompt_eval_duration", 100_000_000),
        ("eval_count", 168),
        ("eval_duration", 300_000_000),
    ] {
        last[name] = json!(value);
    }
    last
}

pub(super) fn body() -> Value {
    last(TEXT)
}

pub(super) fn stream() -> Stream {
    let framed = |line: Value| format!("{line}\n").into_bytes();
    Stream::new(Parts {
        media: "application/x-ndjson",
        preamble: Vec::new(),
        chunk: framed(line(&format!(" tide{SLOT}"))),
        summed: false,
        ending: framed(last("")),
        usage: Vec::new(),
        terminator: Vec::new(),
    })
}
