//! Server-sent events: framing that survives any split, bytes kept as they came.
//!
//! [`Framer`] cuts a byte stream at event boundaries and hands out blocks of whole events, unchanged, so that
//! pass-through forwards what came, comments and spacing included; [`events`] reads the events of a block.
//!
//! A line ends with LF, CR or CRLF, and a blank line ends an event. A CR that completes the blank line hands the event
//! out at once; should an LF follow in the next chunk, it is a block of its own in which there is no event. Blank lines
//! and byte order marks before an event therefore mean nothing, wherever they stand (the standard knows only the mark at
//! the very start): so any split of a stream gives the same events.

use bytes::{Bytes, BytesMut};
use std::borrow::Cow;

#[cfg(test)]
mod tests;

/// Longest single event accepted, bytes.
pub const MAX_EVENT: usize = 16 * 1024 * 1024;

/// An event grew beyond [`MAX_EVENT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a stream event is longer than {MAX_EVENT} bytes")]
pub struct TooLong;

/// Cuts a byte stream into blocks of whole events. LF, CRLF, CR and a byte order mark, split anywhere.
#[derive(Debug, Default)]
pub struct Framer {
    /// The event that has begun. No blank line is in it, so it is never searched again.
    begun: BytesMut,
}

impl Framer {
    /// Takes the next chunk; returns all bytes that are now whole events (a slice of `chunk` where nothing was kept
    /// from before; possibly empty) and keeps the unfinished rest.
    pub fn push(&mut self, mut chunk: Bytes) -> Result<Bytes, TooLong> {
        let whole = chunk.split_to(whole(self.begun.last(), &chunk));
        let kept = if whole.is_empty() { self.begun.len() } else { 0 };
        if kept + chunk.len() > MAX_EVENT {
            return Err(TooLong);
        }
        let block = self.completed(whole);
        self.begun.extend_from_slice(&chunk);
        Ok(block)
    }

    /// What is left when the stream has ended: an event without its blank line, or nothing.
    pub fn finish(&mut self) -> Bytes {
        std::mem::take(&mut self.begun).freeze()
    }

    /// The event that has begun with `whole`, which ends it, if that is not empty.
    fn completed(&mut self, whole: Bytes) -> Bytes {
        if whole.is_empty() || self.begun.is_empty() {
            return whole;
        }
        self.begun.extend_from_slice(&whole);
        self.finish()
    }
}

/// How many bytes of `chunk` end with an event, `before` being the last byte of the event that has begun.
fn whole(before: Option<&u8>, chunk: &[u8]) -> usize {
    let line_ends = memchr::memrchr2_iter(b'\n', b'\r', chunk);
    let blank = |&at: &usize| {
        let before = at.checked_sub(1).map_or(before, |before| chunk.get(before));
        matches!((before, chunk.get(at)), (Some(b'\n'), _) | (Some(b'\r'), Some(b'\r')))
    };
    match line_ends.into_iter().find(blank) {
        // The LF of a CRLF goes with its CR.
        Some(at) => at + 1 + usize::from(chunk.get(at..at + 2) == Some(b"\r\n")),
        None if before.is_none() => chunk.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count(),
        None => 0,
    }
}

/// One event of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// All its bytes, blank lines around it included: those of all events of a block are the block.
    pub raw: &'a [u8],
    /// The value of the last `event:` line, unless it is no UTF-8.
    pub name: Option<&'a str>,
    /// The `data:` lines joined by LF; borrowed when there is one. Empty for a comment.
    pub data: Cow<'a, [u8]>,
}

/// The events of a block that [`Framer`] made, in order; comments are events without name and data.
///
/// A block of blank lines alone has none. In what [`Framer::finish`] returned, the event without its blank line is
/// the last one; whether it counts is the caller's decision.
pub fn events(block: &[u8]) -> impl Iterator<Item = Event<'_>> {
    let mut rest = block;
    std::iter::from_fn(move || {
        let start = rest;
        let (event, behind) = read(after_nothing(start))?;
        // Blank lines behind the last event have no other event to belong to.
        rest = if after_nothing(behind).is_empty() { &[] } else { behind };
        let raw = start.get(..start.len() - rest.len()).unwrap_or_default();
        Some(Event { raw, ..event })
    })
}

/// Behind the blank lines and byte order marks before an event.
fn after_nothing(mut bytes: &[u8]) -> &[u8] {
    while let [b'\n' | b'\r', rest @ ..] | [0xef, 0xbb, 0xbf, rest @ ..] = bytes {
        bytes = rest;
    }
    bytes
}

/// The event whose first line begins here, and what follows its blank line; its `raw` is yet to be set.
fn read(mut rest: &[u8]) -> Option<(Event<'_>, &[u8])> {
    let mut event = Event {
        raw: &[],
        name: None,
        data: Cow::Borrowed(&[]),
    };
    let mut has_data = false;
    let (mut line, mut behind) = next_line(rest);
    if line.is_empty() {
        return None;
    }
    while !line.is_empty() {
        match field(line) {
            (b"event", value) => event.name = std::str::from_utf8(value).ok(),
            (b"data", value) if !std::mem::replace(&mut has_data, true) => event.data = Cow::Borrowed(value),
            (b"data", value) => append(event.data.to_mut(), value),
            _ => {}
        }
        rest = behind;
        (line, behind) = next_line(rest);
    }
    Some((event, behind))
}

fn append(data: &mut Vec<u8>, line: &[u8]) {
    data.push(b'\n');
    data.extend_from_slice(line);
}

/// A line without its end, and what follows.
fn next_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memchr2(b'\n', b'\r', bytes).unwrap_or(bytes.len());
    let (line, behind) = bytes.split_at(end);
    match behind {
        [b'\r', b'\n', behind @ ..] | [_, behind @ ..] => (line, behind),
        [] => (line, &[]),
    }
}

/// The name of a line's field and its value, without the one space that may follow the colon; the name of a comment is
/// empty.
fn field(line: &[u8]) -> (&[u8], &[u8]) {
    let Some(colon) = memchr::memchr(b':', line) else {
        return (line, &[]);
    };
    let (name, value) = line.split_at(colon);
    match value {
        [_, b' ', value @ ..] | [_, value @ ..] => (name, value),
        [] => (name, &[]),
    }
}
