//! JSON lines: framing that survives any split. Each line is one event; what is blank is none.

use crate::sse::{Event, MAX_EVENT, TooLong};
use bytes::{Bytes, BytesMut};
use std::borrow::Cow;

/// Cuts a byte stream into blocks of whole lines, split anywhere.
#[derive(Debug, Default)]
pub struct Framer {
    /// The line that has begun; no line break is in it.
    begun: BytesMut,
}

impl Framer {
    /// Takes the next chunk; returns all bytes that are now whole lines (a slice of `chunk` where nothing was kept from
    /// before; possibly empty) and keeps the unfinished rest.
    pub fn push(&mut self, mut chunk: Bytes) -> Result<Bytes, TooLong> {
        let end = memchr::memrchr(b'\n', &chunk).map_or(0, |at| at + 1);
        let whole = chunk.split_to(end);
        let kept = if whole.is_empty() { self.begun.len() } else { 0 };
        if kept + chunk.len() > MAX_EVENT {
            return Err(TooLong);
        }
        let block = if whole.is_empty() || self.begun.is_empty() {
            whole
        } else {
            self.begun.extend_from_slice(&whole);
            self.finish()
        };
        self.begun.extend_from_slice(&chunk);
        Ok(block)
    }

    /// What is left when the stream has ended: a line without its break, or nothing.
    pub fn finish(&mut self) -> Bytes {
        std::mem::take(&mut self.begun).freeze()
    }
}

/// The lines of a block that say something, as events without a name.
pub fn events(block: &[u8]) -> impl Iterator<Item = Event<'_>> {
    let lines = block.split_inclusive(|byte| *byte == b'\n');
    let event = |raw| Event {
        raw,
        name: None,
        data: Cow::Borrowed(<[u8]>::trim_ascii(raw)),
    };
    lines.map(event).filter(|event| !event.data.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<String> {
        let mut framer = Framer::default();
        let text = |event: Event<'_>| String::from_utf8(event.data.into_owned()).unwrap();
        let mut all = Vec::new();
        for piece in pieces {
            all.extend(events(&framer.push(Bytes::copy_from_slice(piece)).unwrap()).map(text));
        }
        all.extend(events(&framer.finish()).map(text));
        all
    }

    #[test]
    fn lines_are_the_same_however_they_are_cut() {
        let stream = b"{\"a\":1}\n\r\n  \n{\"b\":\"\xc3\xa9\"}\r\n{\"c\":3}";
        let expected = ["{\"a\":1}", "{\"b\":\"\u{e9}\"}", "{\"c\":3}"];
        assert_eq!(framed([&stream[..]]), expected);
        assert_eq!(framed(stream.chunks(1)), expected);
        for at in 0..=stream.len() {
            assert_eq!(framed([&stream[..at], &stream[at..]]), expected, "cut at {at}");
        }
    }

    #[test]
    fn a_line_without_an_end_is_not_kept_for_ever() {
        let mut framer = Framer::default();
        let piece = Bytes::from(vec![b'x'; MAX_EVENT / 2 + 1]);
        assert_eq!(framer.push(piece.clone()), Ok(Bytes::new()));
        assert_eq!(framer.push(piece), Err(TooLong));
    }
}
