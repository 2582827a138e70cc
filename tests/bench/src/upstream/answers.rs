//! The answers, made once: of the size of a short real one.

use crate::dialect::Dialect;
use crate::marker;
use serde_json::{Value, json};

/// Long enough for a whole answer of about 1.2 KB.
const TEXT: &str = "The tide tables for the harbour show high water at 04:12 and again at 16:41, with 3.9 and 4.1 metres. \
    Because the wind has backed to the south-west and freshened, expect the evening tide to run about twenty minutes \
    late and a hand's breadth higher than printed. If you mean to leave under sail, the better window is the morning: \
    slack water off the pier lasts from 03:55 until 04:30, and the bar is passable for anything that draws less than \
    two metres.\n\nI would not wait for the afternoon. The forecast has gusts of 32 knots by 15:00, and \
    the pilot boat stops taking ships to sea at 28.\n\nBerths 4 and 5 are free until noon; the lock keeper answers on \
    channel 12 and wants twenty minutes' notice.";
/// What a marker stands in for, so that templates can be cut there.
const SLOT: &str = "@@@@@@@@@@@@@@@@";

/// Everything the provider says.
pub(super) struct Answers {
    chat: Answer,
    messages: Answer,
}

/// What it says in one dialect.
pub(super) struct Answer {
    /// Head and body of a plain answer.
    pub(super) whole: Vec<u8>,
    /// The same with all the fields that a real provider's head has.
    pub(super) with_long_head: Vec<u8>,
    /// The parts of a streamed one.
    pub(super) stream: Stream,
}

impl Answers {
    pub(super) fn new() -> Self {
        let chat = Answer::new(CHAT_FIELDS, &chat_body(), chat_stream());
        let messages = Answer::new(MESSAGES_FIELDS, &messages_body(), messages_stream());
        Self { chat, messages }
    }

    pub(super) fn of(&self, dialect: Dialect) -> &Answer {
        match dialect {
            Dialect::Chat => &self.chat,
            Dialect::Messages => &self.messages,
        }
    }
}

impl Answer {
    fn new(fields: &str, body: &Value, stream: Stream) -> Self {
        Self {
            whole: whole("", body),
            with_long_head: whole(fields, body),
            stream,
        }
    }
}

/// The parts of a stream, each in its HTTP chunks.
pub(super) struct Stream {
    /// Head and the events before the first content.
    preamble: Vec<u8>,
    /// One content event, up to its marker and from there on.
    chunk: (Vec<u8>, Vec<u8>),
    ending: Vec<u8>,
    ending_with_usage: Vec<u8>,
}

impl Stream {
    fn new(preamble: &str, chunk: &str, ending: &str, usage: &str, terminator: &str) -> Self {
        let head = format!(
            "{STATUS_AND_DATE}content-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n"
        );
        let chunk = framed(chunk);
        let (before, after) = chunk
            .split_once(SLOT)
            .expect("a content event has a slot for its marker");
        let end = |usage: &str| format!("{}0\r\n\r\n", framed(&format!("{ending}{usage}{terminator}"))).into_bytes();
        Self {
            preamble: [head, framed(preamble)].concat().into_bytes(),
            chunk: (before.as_bytes().to_vec(), after.as_bytes().to_vec()),
            ending: end(""),
            ending_with_usage: end(usage),
        }
    }

    /// Everything up to the first content, which bears `mark`.
    pub(super) fn opening(&self, mark: [u8; marker::LENGTH]) -> Vec<u8> {
        let mut opening = self.preamble.clone();
        self.append_chunk(&mut opening, mark);
        opening
    }

    /// One more content event, which bears `mark`.
    pub(super) fn append_chunk(&self, to: &mut Vec<u8>, mark: [u8; marker::LENGTH]) {
        to.extend_from_slice(&self.chunk.0);
        to.extend_from_slice(&mark);
        to.extend_from_slice(&self.chunk.1);
    }

    /// From the last content to the end.
    pub(super) fn ending(&self, usage: bool) -> &[u8] {
        if usage { &self.ending_with_usage } else { &self.ending }
    }
}

/// One HTTP chunk.
fn framed(events: &str) -> String {
    format!("{:x}\r\n{events}\r\n", events.len())
}

fn whole(fields: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    format!(
        "{STATUS_AND_DATE}{fields}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

const STATUS_AND_DATE: &str = "HTTP/1.1 200 OK\r\ndate: Sat, 21 Nov 2026 12:00:00 GMT\r\n";

const CHAT_FIELDS: &str = "openai-organization: org-harbour\r\n\
    openai-processing-ms: 412\r\n\
    openai-version: 2020-10-01\r\n\
    x-ratelimit-limit-requests: 10000\r\n\
    x-ratelimit-limit-tokens: 30000000\r\n\
    x-ratelimit-remaining-requests: 9999\r\n\
    x-ratelimit-remaining-tokens: 29999612\r\n\
    x-ratelimit-reset-requests: 6ms\r\n\
    x-ratelimit-reset-tokens: 0s\r\n\
    x-request-id: req_5b1f0a4bc1de4ac6b2d1f8a2f3f0b8aa\r\n";

const MESSAGES_FIELDS: &str = "anthropic-organization-id: 7c9d3f1e-51a0-4d0a-9a43-1f2f8a2f3f0b\r\n\
    anthropic-ratelimit-requests-limit: 4000\r\n\
    anthropic-ratelimit-requests-remaining: 3999\r\n\
    anthropic-ratelimit-requests-reset: 2026-11-21T12:00:00Z\r\n\
    anthropic-ratelimit-tokens-limit: 480000\r\n\
    anthropic-ratelimit-tokens-remaining: 479000\r\n\
    anthropic-ratelimit-tokens-reset: 2026-11-21T12:00:01Z\r\n\
    request-id: req_011CVLkT6Yv1CzJ8aXQdW7bM\r\n";

fn chat_usage() -> Value {
    json!({
        "prompt_tokens": 412, "completion_tokens": 168, "total_tokens": 580,
        "prompt_tokens_details": {"cached_tokens": 128, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0, "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0},
    })
}

fn chat_body() -> Value {
    let message = json!({"role": "assistant", "content": TEXT, "refusal": null, "annotations": []});
    json!({
        "id": "chatcmpl-CeW3lWkP0vJd2f1aR9sT8uQyXzBcD", "object": "chat.completion", "created": 1_795_262_400,
        "model": "tide-1-large", "service_tier": "default", "system_fingerprint": "fp_9d1f0a4bc1",
        "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": "stop"}],
        "usage": chat_usage(),
    })
}

fn chat_event(choices: &Value, usage: Option<Value>) -> String {
    let mut event = json!({
        "id": "chatcmpl-CeW3lWkP0vJd2f1aR9sT8uQyXzBcD", "object": "chat.completion.chunk", "created": 1_795_262_400,
        "model": "tide-1-large", "service_tier": "default", "system_fingerprint": "fp_9d1f0a4bc1", "choices": choices,
    });
    if let Some(usage) = usage {
        event["usage"] = usage;
    }
    format!("data: {event}\n\n")
}

fn chat_stream() -> Stream {
    let choice = |delta: Value, finish: Value| {
        chat_event(
            &json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}]),
            None,
        )
    };
    Stream::new(
        &choice(
            json!({"role": "assistant", "content": "", "refusal": null}),
            Value::Null,
        ),
        &choice(json!({"content": format!(" tide{SLOT}")}), Value::Null),
        &choice(json!({}), json!("stop")),
        &chat_event(&json!([]), Some(chat_usage())),
        "data: [DONE]\n\n",
    )
}

fn messages_usage(output: u32) -> Value {
    json!({
        "input_tokens": 284, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 128,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0}, "output_tokens": output,
        "service_tier": "standard",
    })
}

fn message(content: &Value, stop_reason: Value, output: u32) -> Value {
    json!({
        "id": "msg_01XFDUDYJgAACzvnptvVoYEL", "type": "message", "role": "assistant", "model": "tide-1-large",
        "content": content, "stop_reason": stop_reason, "stop_sequence": null, "usage": messages_usage(output),
    })
}

fn messages_body() -> Value {
    message(&json!([{"type": "text", "text": TEXT}]), json!("end_turn"), 168)
}

fn messages_stream() -> Stream {
    let event = |name: &str, mut data: Value| {
        data["type"] = json!(name);
        format!("event: {name}\ndata: {data}\n\n")
    };
    let start = event("message_start", json!({"message": message(&json!([]), Value::Null, 1)}));
    let block = event(
        "content_block_start",
        json!({"index": 0, "content_block": {"type": "text", "text": ""}}),
    );
    let ping = event("ping", json!({}));
    let delta = json!({"index": 0, "delta": {"type": "text_delta", "text": format!(" tide{SLOT}")}});
    let stop = event("content_block_stop", json!({"index": 0}));
    let usage = json!({"output_tokens": 168});
    let end = json!({"delta": {"stop_reason": "end_turn", "stop_sequence": null}, "usage": usage});
    let ending = [stop, event("message_delta", end)].concat();
    let chunk = event("content_block_delta", delta);
    Stream::new(
        &[start, block, ping].concat(),
        &chunk,
        &ending,
        "",
        &event("message_stop", json!({})),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_answer_is_about_1200_bytes() {
        for body in [chat_body(), messages_body()] {
            let length = body.to_string().len();
            assert!((1000..1400).contains(&length), "{length} bytes");
        }
    }
}
