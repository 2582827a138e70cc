//! Server-sent events: framing that survives any split, bytes kept as they came.
//!
//! [`Framer`] cuts a byte stream at event boundaries and hands out blocks of whole events, unchanged, so that
//! pass-through forwards what came, comments and spacing included; [`events`] reads the events of a block.

use bytes::Bytes;
use std::borrow::Cow;

/// Longest single event accepted, bytes.
pub const MAX_EVENT: usize = 16 * 1024 * 1024;

/// An event grew beyond [`MAX_EVENT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a stream event is longer than {MAX_EVENT} bytes")]
pub struct TooLong;

/// Cuts a byte stream into blocks of whole events. LF, CRLF, CR and a byte order mark, split anywhere.
#[derive(Debug, Default)]
pub struct Framer {}

impl Framer {
    /// Takes the next chunk; returns all bytes that are now whole events (a slice of `chunk` where nothing was kept
    /// from before; possibly empty) and keeps the unfinished rest.
    pub fn push(&mut self, _chunk: Bytes) -> Result<Bytes, TooLong> {
        todo!()
    }

    /// What is left when the stream has ended: an event without its blank line, or nothing.
    pub fn finish(&mut self) -> Bytes {
        todo!()
    }
}

/// One event of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// All its bytes, blank line included.
    pub raw: &'a [u8],
    /// The value of the last `event:` line.
    pub name: Option<&'a str>,
    /// The `data:` lines joined by LF; borrowed when there is one. Empty for a comment.
    pub data: Cow<'a, [u8]>,
}

/// The events of a block that [`Framer`] made, in order; comments are events without name and data.
pub fn events(_block: &[u8]) -> impl Iterator<Item = Event<'_>> {
    std::iter::empty()
}
