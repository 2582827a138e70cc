//! A stream in parts: what is sent before its content, each piece of content, and what is sent after it.

use super::STATUS_AND_DATE;
use crate::marker;
use memchr::memmem;
use std::ops::Range;

/// What a marker stands in for, so that templates can be cut there.
pub(super) const SLOT: &str = "@@@@@@@@@@@@@@@@";

/// The parts of a stream, each in its HTTP chunks.
pub(in super::super) struct Stream {
    /// Head and the events before the first content.
    preamble: Vec<u8>,
    /// One content event, up to its marker and from there on.
    chunk: (Vec<u8>, Vec<u8>),
    /// The bytes of a content event that have a checksum, which follows them; empty where there is none.
    summed: Range<usize>,
    ending: Vec<u8>,
    ending_with_usage: Vec<u8>,
}

/// What a stream is made of; events in their framing.
pub(super) struct Parts<'a> {
    pub(super) media: &'a str,
    pub(super) preamble: Vec<u8>,
    /// One content event, with [`SLOT`] in its text.
    pub(super) chunk: Vec<u8>,
    /// Whether that ends in AWS's checksum.
    pub(super) summed: bool,
    pub(super) ending: Vec<u8>,
    /// Sent behind it where a client asked for the usage.
    pub(super) usage: Vec<u8>,
    pub(super) terminator: Vec<u8>,
}

impl Stream {
    pub(super) fn new(parts: Parts<'_>) -> Self {
        let media = parts.media;
        let head = format!("{STATUS_AND_DATE}content-type: {media}\r\ntransfer-encoding: chunked\r\n\r\n");
        let prefix = framed(&parts.chunk).len() - parts.chunk.len() - 2;
        let summed = match parts.summed {
            true => prefix..prefix + parts.chunk.len() - 4,
            false => 0..0,
        };
        let chunk = framed(&parts.chunk);
        let slot = memmem::find(&chunk, SLOT.as_bytes()).expect("a content event has a slot for its marker");
        let end = |usage: &[u8]| {
            let events = framed(&[&parts.ending, usage, &parts.terminator].concat());
            [events, b"0\r\n\r\n".to_vec()].concat()
        };
        Self {
            preamble: [head.into_bytes(), framed(&parts.preamble)].concat(),
            chunk: (chunk[..slot].to_vec(), chunk[slot + SLOT.len()..].to_vec()),
            summed,
            ending: end(b""),
            ending_with_usage: end(&parts.usage),
        }
    }

    /// Everything up to the first content, which bears `mark`.
    pub(in super::super) fn opening(&self, mark: [u8; marker::LENGTH]) -> Vec<u8> {
        let mut opening = self.preamble.clone();
        self.append_chunk(&mut opening, mark);
        opening
    }

    /// One more content event, which bears `mark`.
    pub(in super::super) fn append_chunk(&self, to: &mut Vec<u8>, mark: [u8; marker::LENGTH]) {
        let start = to.len();
        to.extend_from_slice(&self.chunk.0);
        to.extend_from_slice(&mark);
        to.extend_from_slice(&self.chunk.1);
        if !self.summed.is_empty() {
            let (summed, sum) = to[start + self.summed.start..].split_at_mut(self.summed.len());
            sum[..4].copy_from_slice(&crc32fast::hash(summed).to_be_bytes());
        }
    }

    /// From the last content to the end.
    pub(in super::super) fn ending(&self, usage: bool) -> &[u8] {
        if usage { &self.ending_with_usage } else { &self.ending }
    }
}

/// One HTTP chunk; none for nothing, which would be the last one.
fn framed(events: &[u8]) -> Vec<u8> {
    if events.is_empty() {
        return Vec::new();
    }
    let length = format!("{:x}\r\n", events.len());
    [length.as_bytes(), events, b"\r\n"].concat()
}
