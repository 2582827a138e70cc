//! What lies between the bytes of an upstream's stream and its events: a choice of its dialect.
//!
//! Every framing gives the same kind of event, a name and data, so that decoders know nothing of it.

use super::hosted::Invoked;
use super::{Dialect, Fault, error};
use crate::event_stream::{self, Kind};
use crate::lines;
use crate::sse::{self, Event};
use bytes::Bytes;
use pilotfish_wire::Hosting;
use std::borrow::Cow;

/// Cuts an upstream's stream into blocks of whole events, split anywhere.
#[derive(Debug)]
pub enum Framer {
    /// Server-sent events.
    Sse(sse::Framer),
    /// AWS's binary messages.
    EventStream(event_stream::Framer),
    /// Lines of JSON.
    Lines(lines::Framer),
    /// AWS's binary messages with Anthropic's events in them, which come out as server-sent ones.
    Invoked(Invoked),
}

impl Framer {
    /// The framer for an upstream that speaks `dialect`.
    pub fn of(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Chat | Dialect::Messages | Dialect::Responses | Dialect::Gemini | Dialect::Cohere => {
                Self::Sse(sse::Framer::default())
            }
            Dialect::Converse => Self::EventStream(event_stream::Framer::default()),
            Dialect::Ollama => Self::Lines(lines::Framer::default()),
        }
    }

    /// The same where somebody may host the dialect in another form.
    pub fn at(dialect: Dialect, hosting: Option<Hosting>) -> Self {
        match hosting {
            Some(Hosting::BedrockInvoke) => Self::Invoked(Invoked::default()),
            Some(Hosting::VertexPredict) | None => Self::of(dialect),
        }
    }

    /// What a stream of `dialect` is called.
    pub fn media_type(dialect: Dialect, hosting: Option<Hosting>) -> &'static str {
        match dialect {
            _ if hosting == Some(Hosting::BedrockInvoke) => "application/vnd.amazon.eventstream",
            Dialect::Chat | Dialect::Messages | Dialect::Responses | Dialect::Gemini | Dialect::Cohere => {
                "text/event-stream"
            }
            Dialect::Converse => "application/vnd.amazon.eventstream",
            Dialect::Ollama => "application/x-ndjson",
        }
    }

    /// Takes the next chunk; returns the block of all events that are now whole, and keeps the unfinished rest.
    pub fn push(&mut self, chunk: Bytes) -> Result<Bytes, Fault> {
        match self {
            Self::Sse(framer) => framer.push(chunk).map_err(|error| Fault::malformed(error.to_string())),
            Self::EventStream(framer) => Ok(framer.push(chunk)),
            Self::Invoked(framer) => Ok(framer.push(chunk)),
            Self::Lines(framer) => framer.push(chunk).map_err(|error| Fault::malformed(error.to_string())),
        }
    }

    /// What is left when the stream has ended: an event without its end, or nothing.
    pub fn finish(&mut self) -> Bytes {
        match self {
            Self::Sse(framer) => framer.finish(),
            Self::EventStream(framer) => framer.finish(),
            Self::Invoked(framer) => framer.finish(),
            Self::Lines(framer) => framer.finish(),
        }
    }

    /// Hands the events of a block to `each`, in order, up to the first that is a fault: its own, or that `each` finds.
    pub fn each_event(&self, block: &[u8], mut each: impl FnMut(&Event<'_>) -> Result<(), Fault>) -> Result<(), Fault> {
        match self {
            Self::Sse(_) | Self::Invoked(_) => sse::events(block).try_for_each(|event| each(&event)),
            Self::Lines(_) => lines::events(block).try_for_each(|event| each(&event)),
            Self::EventStream(_) => event_stream::messages(block).try_for_each(|message| each(&event_of(message)?)),
        }
    }
}

/// The event that a message is, or the fault that it tells.
fn event_of<'a>(message: Result<event_stream::Message<'a>, event_stream::Error>) -> Result<Event<'a>, Fault> {
    let message = message.map_err(|error| Fault::malformed(error.to_string()))?;
    match message.kind {
        Kind::Event => Ok(Event {
            raw: message.raw,
            name: message.name,
            data: Cow::Borrowed(message.payload),
        }),
        Kind::Exception | Kind::Error => Err(error::raised(message.name, message.payload)),
    }
}
