//! What a Responses stream has begun and must tell again as a whole when it ends.

use crate::dialect::Exchange;
use crate::dialect::responses::response::item_id;

/// An item of the output that is not complete.
#[derive(Debug)]
pub(super) struct Open<T> {
    /// Its place in the output.
    pub(super) index: usize,
    pub(super) id: String,
    pub(super) inside: T,
}

impl<T> Open<T> {
    pub(super) fn new(kind: &str, exchange: &Exchange, index: usize, inside: T) -> Self {
        let id = item_id(kind, exchange, index);
        Self { index, id, inside }
    }
}

/// A message: parts one after the other.
#[derive(Debug, Default)]
pub(super) struct Message {
    /// Those that are complete, as JSON with commas between them.
    pub(super) parts: Vec<u8>,
    /// How many those are.
    pub(super) count: u64,
    /// The one that text goes into.
    pub(super) part: Option<(Kind, String)>,
    /// What is said about its text.
    pub(super) remarks: Remarks,
}

/// What is said about a text, as JSON with commas between.
#[derive(Debug, Default)]
pub(super) struct Remarks {
    pub(super) annotations: Vec<u8>,
    /// How many those are.
    pub(super) cited: u64,
    pub(super) logprobs: Vec<u8>,
}

impl Remarks {
    /// Appends the elements of an array.
    pub(super) fn measure(&mut self, list: &[u8]) {
        let inside = list
            .trim_ascii()
            .strip_prefix(b"[")
            .and_then(|list| list.strip_suffix(b"]"));
        if !self.logprobs.is_empty() {
            self.logprobs.push(b',');
        }
        self.logprobs.extend_from_slice(inside.unwrap_or_default());
    }
}

/// What a message's part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Refusal,
}

impl Kind {
    /// The part's type.
    pub(super) fn part(self) -> &'static str {
        match self {
            Self::Text => "output_text",
            Self::Refusal => "refusal",
        }
    }

    /// The member in which the part has its text.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Refusal => "refusal",
        }
    }
}

/// A call of a tool.
#[derive(Debug)]
pub(super) struct Call {
    /// Its number among the answer's calls.
    pub(super) call: usize,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) arguments: String,
    /// They are free text.
    pub(super) custom: bool,
}
