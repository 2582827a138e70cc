//! As much HTTP/1.1 as two ends that know each other need: where a head ends, and where its body does.

use anyhow::{Context, Result, bail, ensure};
use memchr::{memchr, memmem};

/// Longest head either end accepts.
const MAX_HEAD: usize = 64 * 1024;

/// How a body is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// By its length; no length is length 0, for neither of our ends sends a body that ends with the connection.
    Length(usize),
    /// By chunks.
    Chunked,
}

/// One whole head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head<'a> {
    /// The request or status line.
    pub(crate) first_line: &'a [u8],
    /// What follows the head.
    pub(crate) framing: Framing,
    /// Bytes of the head, its blank line included.
    pub(crate) length: usize,
}

impl<'a> Head<'a> {
    /// Reads the head at the start of `bytes`; `None` while it is not all there.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Option<Self>> {
        let Some(end) = memmem::find(bytes, b"\r\n\r\n") else {
            ensure!(bytes.len() <= MAX_HEAD, "a head is longer than {MAX_HEAD} bytes");
            return Ok(None);
        };
        let (first_line, mut fields) = split_line(&bytes[..end + 2]);
        let mut framing = Framing::Length(0);
        while !fields.is_empty() {
            let (line, rest) = split_line(fields);
            framing = framing_of(line)?.unwrap_or(framing);
            fields = rest;
        }
        Ok(Some(Self {
            first_line,
            framing,
            length: end + 4,
        }))
    }

    /// The status of a status line.
    pub(crate) fn status(&self) -> Option<u16> {
        std::str::from_utf8(self.first_line.get(9..12)?).ok()?.parse().ok()
    }
}

/// A line without its CRLF, and what comes after it.
fn split_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr(b'\r', bytes).unwrap_or(bytes.len());
    (&bytes[..end], bytes.get(end + 2..).unwrap_or_default())
}

/// The framing that one field line declares, if it declares one.
fn framing_of(line: &[u8]) -> Result<Option<Framing>> {
    // The first byte tells most lines apart, and this runs for every line of every head.
    match line.first() {
        Some(b'c' | b'C') => value_of(line, b"content-length:")
            .map(|text| Ok(Framing::Length(decimal(text)?)))
            .transpose(),
        Some(b't' | b'T') => Ok(value_of(line, b"transfer-encoding:").map(|_| Framing::Chunked)),
        _ => Ok(None),
    }
}

fn value_of<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (start, value) = line.split_at_checked(name.len())?;
    start.eq_ignore_ascii_case(name).then(|| value.trim_ascii())
}

fn decimal(text: &[u8]) -> Result<usize> {
    std::str::from_utf8(text)?
        .parse()
        .context("a content-length is no number")
}

/// Takes a chunked body apart, however it was split.
#[derive(Debug, Default)]
pub(crate) struct Chunks {
    state: ChunkState,
}

#[derive(Debug, Default)]
enum ChunkState {
    /// In a size line that has said this much so far.
    #[default]
    Start,
    Size(usize),
    /// So many bytes of data are to come.
    Data(usize),
    /// In the CRLF after the data.
    DataEnd,
    /// After the last chunk; true while the line is empty. We send no trailers, proxies add none.
    Trailer,
    /// The blank line was read.
    End,
}

impl Chunks {
    /// Decodes `input`, which must not go beyond the body's end, appends its data to `data`, and says whether the body
    /// is whole.
    pub(crate) fn push(&mut self, mut input: &[u8], data: &mut Vec<u8>) -> Result<bool> {
        while let Some((&byte, rest)) = input.split_first() {
            if let ChunkState::Data(left) = self.state {
                let (taken, rest) = input.split_at(left.min(input.len()));
                data.extend_from_slice(taken);
                self.state = if taken.len() == left {
                    ChunkState::DataEnd
                } else {
                    ChunkState::Data(left - taken.len())
                };
                input = rest;
                continue;
            }
            self.step(byte)?;
            input = rest;
        }
        Ok(matches!(self.state, ChunkState::End))
    }

    fn step(&mut self, byte: u8) -> Result<()> {
        self.state = match (&self.state, byte) {
            (ChunkState::Start, digit) => ChunkState::Size(hex(digit)?),
            (ChunkState::Size(size), b'\r') => ChunkState::Size(*size),
            (ChunkState::Size(0), b'\n') => ChunkState::Trailer,
            (ChunkState::Size(size), b'\n') => ChunkState::Data(*size),
            (ChunkState::Size(size), digit) => ChunkState::Size(size * 16 + hex(digit)?),
            (ChunkState::DataEnd, b'\n') => ChunkState::Start,
            (ChunkState::DataEnd, b'\r') => ChunkState::DataEnd,
            (ChunkState::Trailer, b'\n') => ChunkState::End,
            (ChunkState::Trailer, b'\r') => ChunkState::Trailer,
            (state, byte) => bail!("byte {byte:#04x} is out of place in a chunked body ({state:?})"),
        };
        Ok(())
    }
}

fn hex(digit: u8) -> Result<usize> {
    let value = char::from(digit)
        .to_digit(16)
        .with_context(|| format!("{digit:#04x} is no hex digit of a chunk size"))?;
    Ok(value as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_when_it_is_all_there() {
        let bytes = b"HTTP/1.1 200 OK\r\ndate: x\r\nContent-Length: 12\r\n\r\nrest";
        let head = Head::read(bytes).unwrap().unwrap();
        assert_eq!(
            (head.status(), head.framing, head.length),
            (Some(200), Framing::Length(12), bytes.len() - 4)
        );
        assert_eq!(Head::read(&bytes[..bytes.len() - 5]).unwrap(), None);
    }

    #[test]
    fn a_chunked_body_survives_every_split() {
        let body = b"5\r\nhello\r\n10\r\n, wide wide worl\r\n1\r\nd\r\n0\r\n\r\n";
        for cut in 0..body.len() {
            let (mut chunks, mut data) = (Chunks::default(), Vec::new());
            assert!(
                !chunks.push(&body[..cut], &mut data).unwrap(),
                "whole after {cut} bytes"
            );
            assert!(
                chunks.push(&body[cut..], &mut data).unwrap(),
                "not whole when cut at {cut}"
            );
            assert_eq!(data, b"hello, wide wide world");
        }
    }

    #[test]
    fn rubbish_in_a_chunked_body_is_refused() {
        for body in [b"x\r\n".as_slice(), b"1\r\nab", b"0\r\nx-trailer: 1\r\n\r\n"] {
            assert!(Chunks::default().push(body, &mut Vec::new()).is_err());
        }
    }
}
