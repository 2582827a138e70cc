//! Bedrock's Converse, whose streams are AWS's binary events.

use super::TEXT;
use super::stream::{Parts, SLOT, Stream};
use serde_json::{Value, json};

/// What AWS calls a string.
const STRING: u8 = 7;

fn usage() -> Value {
    json!({"inputTokens": 284, "outputTokens": 168, "totalTokens": 580, "cacheReadInputTokens": 128,
        "cacheWriteInputTokens": 0})
}

pub(super) fn body() -> Value {
    let message = json!({"role": "assistant", "content": [{"text": TEXT}]});
    json!({"metrics": {"latencyMs": 551}, "output": {"message": message}, "stopReason": "end_turn", "usage": usage()})
}

pub(super) fn stream() -> Stream {
    let delta = json!({"contentBlockIndex": 0, "delta": {"text": format!(" tide{SLOT}")}, "p": "abcdefghijk"});
    Stream::new(Parts {
        media: "application/vnd.amazon.eventstream",
        preamble: event("messageStart", &json!({"role": "assistant", "p": "abcdefg"})),
        chunk: event("contentBlockDelta", &delta),
        summed: true,
        ending: [
            event("contentBlockStop", &json!({"contentBlockIndex": 0, "p": "abc"})),
            event(
                "messageStop",
                &json!({"stopReason": "end_turn", "p": "abcdefghijklmno"}),
            ),
        ]
        .concat(),
        usage: Vec::new(),
        terminator: event(
            "metadata",
            &json!({"metrics": {"latencyMs": 551}, "usage": usage(), "p": "abcd"}),
        ),
    })
}

/// Lengths and their checksum, headers, payload, the checksum of it all.
fn event(name: &str, payload: &Value) -> Vec<u8> {
    let header = |name: &str, value: &str| {
        let (short, long) = (u8::try_from(name.len()), u16::try_from(value.len()));
        let (short, long) = short.ok().zip(long.ok()).expect("names and values are short");
        [
            &[short],
            name.as_bytes(),
            &[STRING],
            &long.to_be_bytes(),
            value.as_bytes(),
        ]
        .concat()
    };
    let headers = [
        header(":event-type", name),
        header(":content-type", "application/json"),
        header(":message-type", "event"),
    ]
    .concat();
    let payload = payload.to_string().into_bytes();
    let length = |length: usize| u32::try_from(length).expect("events are short").to_be_bytes();
    let prelude = [length(headers.len() + payload.len() + 16), length(headers.len())].concat();
    let sum = crc32fast::hash(&prelude).to_be_bytes();
    let mut message = [&prelude, sum.as_slice(), &headers, &payload].concat();
    let sum = crc32fast::hash(&message).to_be_bytes();
    message.extend(sum);
    message
}
