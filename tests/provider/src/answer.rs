//! What a provider would send, before a script spoils it.

use crate::ledger::Bill;
use bytes::Bytes;

/// A whole answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// In the order in which they are sent; framing headers are the connection's business.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Body,
    /// What the request costs; `None` for everything a provider does for nothing.
    pub(crate) bill: Option<Bill>,
}

/// The two kinds of body.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    /// Sent at once, with its length.
    Whole(Bytes),
    /// Sent one by one, without a length.
    Events(Vec<Event>),
}

/// One server-sent event, framed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) bytes: Bytes,
    pub(crate) kind: EventKind,
    /// Output tokens that the model had to make for this event, and for none before it.
    pub(crate) tokens: u64,
}

/// What an event is to a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventKind {
    /// Holds nothing that the model said.
    Frame,
    /// Holds a piece of what the model said.
    Content,
    /// Tells the client that the answer is whole.
    Terminator,
}

impl Event {
    pub(crate) fn frame(bytes: impl Into<Bytes>) -> Event {
        Event {
            bytes: bytes.into(),
            kind: EventKind::Frame,
            tokens: 0,
        }
    }

    pub(crate) fn content(bytes: impl Into<Bytes>, tokens: u64) -> Event {
        Event {
            bytes: bytes.into(),
            kind: EventKind::Content,
            tokens,
        }
    }

    pub(crate) fn terminator(bytes: impl Into<Bytes>) -> Event {
        Event {
            bytes: bytes.into(),
            kind: EventKind::Terminator,
            tokens: 0,
        }
    }
}

impl Answer {
    /// Replaces every header of this name, or adds it at the end.
    pub(crate) fn set_header(&mut self, name: &str, value: &str) {
        let position = self
            .headers
            .iter()
            .position(|(known, _)| known.eq_ignore_ascii_case(name));
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        let position = position.unwrap_or(self.headers.len()).min(self.headers.len());
        self.headers.insert(position, (name.to_owned(), value.to_owned()));
    }
}
