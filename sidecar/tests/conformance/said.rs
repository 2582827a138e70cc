//! What upstreams answer: one thing at a time, in each dialect's own words, whole and as a stream.

mod chat;
mod cohere;
mod converse;
mod frame;
mod gemini;
mod messages;
mod ollama;
mod responses;

pub(crate) use frame::on_the_wire;

use crate::ask::PNG;
use pilotfish_sidecar::dialect::{Dialect, Usage};
use serde_json::{Value, json};

/// What every answer costs, as far as its dialect counts it.
pub(crate) const USAGE: Usage = Usage {
    input: 100,
    cached_input: 40,
    cache_write_input: 10,
    cache_write_hour: None,
    output: 50,
    reasoning: 20,
};

/// What vouches for a thought.
pub(crate) const SIGNATURE: &str = "RXFRQnF1aW5jZQ==";
/// A thought.
pub(crate) const THOUGHT: &str = "a quince, perhaps";
/// Where an answer has something from.
pub(crate) const SOURCE: &str = "https://example.com/quince";
/// The stop sequence that was met.
pub(crate) const SEQUENCE: &str = "quince";

/// Declares [`Say`] with the name that each has in the matrix.
macro_rules! says {
    ($($say:ident = $name:literal,)*) => {
        /// Something that an answer may say.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Say { $(#[doc = $name] $say,)* }

        impl Say {
            pub(crate) const ALL: &[Self] = &[$(Self::$say,)*];

            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$say => $name,)* }
            }
        }
    };
}

says! {
    Text = "text",
    Call = "tool call",
    ParallelCalls = "parallel tool calls",
    CallAfterText = "text, then a tool call",
    Thought = "reasoning",
    Stop = "finish: complete",
    Sequence = "finish: at a stop sequence",
    Length = "finish: output cap",
    Calls = "finish: to call tools",
    Filter = "finish: content filter",
    Refusal = "refusal in words",
    Image = "image",
    Citation = "citation of a web page",
    Usage = "usage: input and output",
    Cached = "usage: read from the cache",
    Written = "usage: written to the cache",
    Reasoning = "usage: reasoning",
}

/// A piece of an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    /// In two deltas when streamed.
    Text([&'static str; 2]),
    /// With its signature.
    Thought(&'static str),
    /// A call of the tool `weather` by its id, with the city it asks about.
    Call(&'static str, &'static str),
    Refusal([&'static str; 2]),
    /// PNG's bytes.
    Image(&'static str),
    /// A text that is based on [`SOURCE`].
    Cited([&'static str; 2]),
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Stop,
    Sequence,
    Length,
    Calls,
    Filter,
}

impl Say {
    /// What the answer consists of.
    fn parts(self) -> Vec<Part> {
        let text = Part::Text(["quince ", "jam"]);
        match self {
            Self::Text
            | Self::Stop
            | Self::Sequence
            | Self::Length
            | Self::Filter
            | Self::Usage
            | Self::Cached
            | Self::Written
            | Self::Reasoning => vec![text],
            Self::Call | Self::Calls => vec![Part::Call("call_a", "Rome")],
            Self::ParallelCalls => vec![Part::Call("call_a", "Rome"), Part::Call("call_b", "Oslo")],
            Self::CallAfterText => vec![text, Part::Call("call_a", "Rome")],
            Self::Thought => vec![Part::Thought(THOUGHT), text],
            Self::Refusal => vec![Part::Refusal(["not ", "quinces"])],
            Self::Image => vec![text, Part::Image(PNG)],
            Self::Citation => vec![Part::Cited(["quince ", "jam"])],
        }
    }

    fn end(self) -> End {
        match self {
            Self::Sequence => End::Sequence,
            Self::Length => End::Length,
            Self::Filter => End::Filter,
            Self::Call | Self::Calls | Self::ParallelCalls | Self::CallAfterText => End::Calls,
            Self::Text
            | Self::Stop
            | Self::Thought
            | Self::Refusal
            | Self::Image
            | Self::Citation
            | Self::Usage
            | Self::Cached
            | Self::Written
            | Self::Reasoning => End::Stop,
        }
    }
}

/// An answer in an upstream's dialect.
pub(crate) struct Said {
    /// As one body.
    pub(crate) whole: Value,
    /// As events, by name and data.
    pub(crate) stream: Vec<(&'static str, Value)>,
}

/// The answer that says this; `None` where the dialect has no word for it.
pub(crate) fn answer(upstream: Dialect, say: Say) -> Option<Said> {
    of_parts(upstream, say, &say.parts(), say.end())
}

/// An answer that thinks, signs what it thought, and calls a tool.
pub(crate) fn signed_call(upstream: Dialect) -> Option<Said> {
    let parts = [Part::Thought(THOUGHT), Part::Call("call_a", "Rome")];
    of_parts(upstream, Say::Calls, &parts, End::Calls)
}

fn of_parts(upstream: Dialect, say: Say, parts: &[Part], end: End) -> Option<Said> {
    match upstream {
        Dialect::Chat => chat::answer(say, parts, end),
        Dialect::Messages => messages::answer(say, parts, end),
        Dialect::Responses => responses::answer(say, parts, end),
        Dialect::Gemini => gemini::answer(say, parts, end),
        Dialect::Converse => converse::answer(say, parts, end),
        Dialect::Cohere => cohere::answer(say, parts, end),
        Dialect::Ollama => ollama::answer(say, parts, end),
    }
}

fn city(city: &str) -> Value {
    json!({ "city": city })
}

/// The same as text, in two pieces.
fn pieces(city: &str) -> [String; 2] {
    ["{\"city\":".to_owned(), format!("\"{city}\"}}")]
}
