//! The answers, made once: of the size of a short real one.

mod chat;
mod cohere;
mod converse;
mod gemini;
mod messages;
mod ollama;
mod responses;
mod stream;

use crate::dialect::Dialect;
use serde_json::Value;
pub(super) use stream::Stream;

/// Long enough for a whole answer of about 1.2 KB.
const TEXT: &str = "The tide tables for the harbour show high water at 04:12 and again at 16:41, with 3.9 and 4.1 metres. \
    Because the wind has backed to the south-west and freshened, expect the evening tide to run about twenty minutes \
    late and a hand's breadth higher than printed. If you mean to leave under sail, the better window is the morning: \
    slack water off the pier lasts from 03:55 until 04:30, and the bar is passable for anything that draws less than \
    two metres.\n\nI would not wait for the afternoon. The forecast has gusts of 32 knots by 15:00, and \
    the pilot boat stops taking ships to sea at 28.\n\nBerths 4 and 5 are free until noon; the lock keeper answers on \
    channel 12 and wants twenty minutes' notice.";
/// Everything the provider says, in the order of [`Dialect::ALL`].
pub(super) struct Answers([Answer; Dialect::ALL.len()]);

/// What it says in one dialect.
pub(super) struct Answer {
    dialect: Dialect,
    /// Head and body of a plain answer.
    pub(super) whole: Vec<u8>,
    /// The same with all the fields that a real provider's head has.
    pub(super) with_long_head: Vec<u8>,
    /// The parts of a streamed one.
    pub(super) stream: Stream,
}

impl Answers {
    pub(super) fn new() -> Self {
        Self(Dialect::ALL.map(Answer::new))
    }

    pub(super) fn of(&self, dialect: Dialect) -> &Answer {
        let [first, rest @ ..] = &self.0;
        rest.iter().find(|answer| answer.dialect == dialect).unwrap_or(first)
    }
}

impl Answer {
    fn new(dialect: Dialect) -> Self {
        let (fields, stream) = match dialect {
            Dialect::Chat => (chat::FIELDS, chat::stream()),
            Dialect::Responses => (chat::FIELDS, responses::stream()),
            Dialect::Messages => (messages::FIELDS, messages::stream()),
            Dialect::Gemini => ("", gemini::stream()),
            Dialect::Converse => ("", converse::stream()),
            Dialect::Cohere => ("", cohere::stream()),
            Dialect::Ollama => ("", ollama::stream()),
        };
        let body = body(dialect);
        Self {
            dialect,
            whole: whole("", &body),
            with_long_head: whole(fields, &body),
            stream,
        }
    }
}

fn body(dialect: Dialect) -> Value {
    match dialect {
        Dialect::Chat => chat::body(),
        Dialect::Responses => responses::body(),
        Dialect::Messages => messages::body(),
        Dialect::Gemini => gemini::body(),
        Dialect::Converse => converse::body(),
        Dialect::Cohere => cohere::body(),
        Dialect::Ollama => ollama::body(),
    }
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

/// An event of server-sent events with its name, which its data has, too.
fn named(name: &str, mut data: Value) -> Vec<u8> {
    data["type"] = name.into();
    format!("event: {name}\ndata: {data}\n\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_answer_is_about_1200_bytes() {
        for dialect in Dialect::ALL {
            let length = body(dialect).to_string().len();
            assert!((900..1600).contains(&length), "{dialect:?}: {length} bytes");
        }
    }
}
