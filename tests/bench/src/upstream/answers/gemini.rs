//! Gemini's `generateContent`.

use super::TEXT;
use super::stream::{Parts, SLOT, Stream};
use serde_json::{Value, json};

fn answer(text: &str, ends: bool) -> Value {
    let mut candidate = json!({"content": {"parts": [{"text": text}], "role": "model"}, "index": 0});
    if ends {
        candidate["finishReason"] = json!("STOP");
    }
    json!({
        "candidates": [candidate], "modelVersion": "tide-1-large", "responseId": "kQ8jaZ3hL5a0kdUPh4aWmAE",
        "usageMetadata": {"promptTokenCount": 412, "cachedContentTokenCount": 128, "candidatesTokenCount": 168,
            "totalTokenCount": 580, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 412}]},
    })
}

pub(super) fn body() -> Value {
    answer(TEXT, true)
}

pub(super) fn stream() -> Stream {
    let event = |answer: Value| format!("data: {answer}\r\n\r\n").into_bytes();
    Stream::new(Parts {
        media: "text/event-stream",
        preamble: Vec::new(),
        chunk: event(answer(&format!(" tide{SLOT}"), false)),
        summed: false,
        ending: event(answer("", true)),
        usage: Vec::new(),
        terminator: Vec::new(),
    })
}
