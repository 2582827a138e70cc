//! The requests, as the providers' SDKs write them.

use crate::CLIENT_KEY;
use crate::dialect::Dialect;
use crate::sidecar::SESSION_HEADER;
use crate::upstream::StreamShape;
use serde_json::{Value, json};

/// How much is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prompt {
    /// Three turns, 1.6 KB.
    Short,
    /// A conversation with tools, a call and its result, 4 KB.
    Tools,
    /// One document, 128 KiB.
    Long,
    /// As short, for a stream of this shape.
    Stream(StreamShape),
}

/// How much is said in the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Head {
    /// Only what a request cannot do without.
    Bare,
    /// What the providers' SDKs send; the fake upstream's answer has a provider's head then.
    Sdk,
}

const SYSTEM: &str = "You are the harbour master's assistant. Answer in plain sentences, give times in 24-hour notation \
    and heights in metres above chart datum. If you are not sure, say so and name the office that would know. Never \
    invent a sounding.";
const SENTENCE: &str = "The wind has backed to the south-west since noon and the swell at the bar is \
    \"moderate to rough\", says the pilot.\n";

/// Prose of `length` bytes, with a line break and quotes to escape every hundred bytes or so, as documents have them.
fn prose(length: usize) -> String {
    SENTENCE.chars().cycle().take(length).collect()
}

/// The body of a request.
pub(crate) fn body(dialect: Dialect, model: &str, prompt: Prompt) -> Value {
    match prompt {
        Prompt::Short => turns(
            dialect,
            model,
            vec![user(prose(500)), assistant(prose(400)), user(prose(280))],
        ),
        Prompt::Tools => with_tools(dialect, model),
        Prompt::Long => turns(dialect, model, vec![user(prose(128 * 1024))]),
        Prompt::Stream(shape) => {
            let said = vec![user(prose(500)), assistant(prose(400)), user(shape.to_string())];
            let mut body = turns(dialect, model, said);
            body["stream"] = json!(true);
            body
        }
    }
}

fn user(text: String) -> Value {
    json!({"role": "user", "content": text})
}

fn assistant(text: String) -> Value {
    json!({"role": "assistant", "content": text})
}

/// A body without tools: the same in both dialects but for the place of the system prompt.
fn turns(dialect: Dialect, model: &str, mut turns: Vec<Value>) -> Value {
    match dialect {
        Dialect::Chat => {
            turns.insert(0, json!({"role": "system", "content": SYSTEM}));
            json!({"model": model, "messages": turns, "max_tokens": 1024, "temperature": 0.7})
        }
        Dialect::Messages => {
            json!({"model": model, "system": SYSTEM, "messages": turns, "max_tokens": 1024, "temperature": 0.7})
        }
    }
}

/// The schema of a tool's argument object.
fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "harbour": {"type": "string", "description": "UN/LOCODE of the harbour, five letters, for example DECUX"},
            "from": {"type": "string", "format": "date-time", "description": "Start of the window, with its UTC offset"},
            "hours": {"type": "integer", "minimum": 1, "maximum": 72, "description": "Length of the window"},
            "datum": {"type": "string", "enum": ["LAT", "MLWS", "NHN"], "description": "What heights refer to"},
        },
        "required": ["harbour", "from"],
        "additionalProperties": false,
    })
}

fn with_tools(dialect: Dialect, model: &str) -> Value {
    let described = [
        ("tide_table", "High and low waters in a window"),
        ("wind_forecast", "Wind by the hour, in knots"),
    ];
    let arguments = json!({"harbour": "DECUX", "from": "2026-11-21T12:00:00+01:00", "hours": 12, "datum": "LAT"});
    let result = json!({"high": [{"at": "16:41", "metres": 4.1}], "low": [{"at": "22:58", "metres": 0.6}]}).to_string();
    let (ask, thanks, next) = (user(prose(1100)), assistant(prose(420)), user(prose(350)));
    match dialect {
        Dialect::Chat => {
            let function = json!({"name": "tide_table", "arguments": arguments.to_string()});
            let call = json!({"role": "assistant", "content": null,
                "tool_calls": [{"id": "call_8hT2fQ", "type": "function", "function": function}]});
            let answer = json!({"role": "tool", "tool_call_id": "call_8hT2fQ", "content": result});
            let mut body = turns(dialect, model, vec![ask, call, answer, thanks, next]);
            body["tools"] = described
                .map(|(name, description)| {
                    json!({"type": "function",
                    "function": {"name": name, "description": description, "parameters": schema()}})
                })
                .into();
            body["tool_choice"] = json!("auto");
            body
        }
        Dialect::Messages => {
            let call = json!({"role": "assistant",
                "content": [{"type": "tool_use", "id": "toolu_8hT2fQ", "name": "tide_table", "input": arguments}]});
            let answer = json!({"role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "toolu_8hT2fQ", "content": result}]});
            let mut body = turns(dialect, model, vec![ask, call, answer, thanks, next]);
            body["tools"] = described
                .map(|(name, description)| json!({"name": name, "description": description, "input_schema": schema()}))
                .into();
            body["tool_choice"] = json!({"type": "auto"});
            body
        }
    }
}

/// Head and body. The number of the connection makes the conversation's id, so that affinity has something to spread.
pub(crate) fn write(dialect: Dialect, head: Head, body: &Value, connection: usize) -> Vec<u8> {
    let (path, key) = match dialect {
        Dialect::Chat => ("/v1/chat/completions", format!("authorization: Bearer {CLIENT_KEY}")),
        Dialect::Messages => {
            let key = format!("x-api-key: {CLIENT_KEY}\r\nanthropic-version: 2023-06-01");
            ("/v1/messages", key)
        }
    };
    let more = match head {
        Head::Bare => "",
        Head::Sdk => SDK_FIELDS,
    };
    let body = body.to_string();
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\n\
        host: 127.0.0.1:4000\r\n\
        content-type: application/json\r\n\
        {more}\
        {key}\r\n\
        {SESSION_HEADER}: conversation-{connection:04}\r\n\
        content-length: {length}\r\n\r\n\
        {body}"
    )
    .into_bytes()
}

const SDK_FIELDS: &str = "accept-encoding: identity\r\n\
    connection: keep-alive\r\n\
    accept: application/json\r\n\
    user-agent: OpenAI/Python 2.8.1\r\n\
    x-stainless-lang: python\r\n\
    x-stainless-package-version: 2.8.1\r\n\
    x-stainless-os: Linux\r\n\
    x-stainless-arch: x64\r\n\
    x-stainless-runtime: CPython\r\n\
    x-stainless-runtime-version: 3.13.9\r\n\
    x-stainless-async: false\r\n\
    x-stainless-retry-count: 0\r\n\
    x-stainless-read-timeout: 600\r\n";

/// Whether these are the bytes of an SDK's head.
pub(crate) fn is_from_sdk(head: &[u8]) -> bool {
    memchr::memmem::find(head, b"\nx-stainless-").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_of_the_size_they_are_said_to_be() {
        for (prompt, sizes) in [
            (Prompt::Short, 1500..1700),
            (Prompt::Tools, 3800..4300),
            (Prompt::Long, 131_072..135_000),
        ] {
            for dialect in [Dialect::Chat, Dialect::Messages] {
                let length = body(dialect, "harbour-chat", prompt).to_string().len();
                assert!(sizes.contains(&length), "{prompt:?} in {dialect:?} is {length} bytes");
            }
        }
    }
}
