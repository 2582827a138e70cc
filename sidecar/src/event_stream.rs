//! AWS's binary event stream: framing that survives any split.
//!
//! A message is a prelude (its length, its headers' length, the CRC-32 of both), headers, a payload, and the CRC-32 of
//! all before it; numbers are big-endian. [`Framer`] finds where messages end from their preludes alone and hands out
//! blocks of whole ones; [`messages`] checks and reads the messages of a block. What is no prelude has no end that could
//! be known, so it is handed out with all that follows, for [`messages`] to say what is wrong with it in its turn.

use bytes::{Bytes, BytesMut};

mod headers;

#[cfg(test)]
pub(crate) mod tests;

/// Longest single message accepted, bytes.
pub const MAX_MESSAGE: usize = 16 * 1024 * 1024;
/// Longest headers accepted, bytes: the format's own limit.
const MAX_HEADERS: usize = 128 * 1024;
/// Two lengths and a checksum.
const PRELUDE: usize = 12;
/// A checksum.
const CHECKSUM: usize = 4;

/// What is wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A length or the checksum of the prelude: where the next message begins cannot be known.
    #[error("an event stream's prelude is damaged")]
    Prelude,
    /// Longer than [`MAX_MESSAGE`].
    #[error("an event stream's message is longer than {MAX_MESSAGE} bytes")]
    TooLong,
    /// The checksum of the message.
    #[error("an event stream's message does not match its checksum")]
    Checksum,
    /// A header that ends beyond all headers, or whose type is none.
    #[error("an event stream's message has a header that cannot be read")]
    Headers,
    /// The stream ended within it.
    #[error("the event stream ended within a message")]
    Truncated,
}

/// What a message is about, from its `:message-type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Part of the answer, named by `:event-type`.
    Event,
    /// Its end by a failure that the service's model has, named by `:exception-type`; the payload says more.
    Exception,
    /// Its end by another failure, named by `:error-code`.
    Error,
}

/// One message of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// All its bytes.
    pub raw: &'a [u8],
    /// What it is.
    pub kind: Kind,
    /// The name that its kind gives it; `None` for a message without one.
    pub name: Option<&'a str>,
    /// The payload, or the `:error-message` of an error without one.
    pub payload: &'a [u8],
}

/// Cuts a byte stream into blocks of whole messages, split anywhere.
#[derive(Debug, Default)]
pub struct Framer {
    /// The message that has begun.
    begun: BytesMut,
}

impl Framer {
    /// Takes the next chunk; returns all bytes that are now whole messages, or that cannot be any (a slice of `chunk`
    /// where nothing was kept from before; possibly empty), and keeps the unfinished rest.
    pub fn push(&mut self, mut chunk: Bytes) -> Bytes {
        if self.begun.is_empty() {
            let block = chunk.split_to(whole(&chunk));
            self.begun.extend_from_slice(&chunk);
            return block;
        }
        self.begun.extend_from_slice(&chunk);
        let whole = whole(&self.begun);
        self.begun.split_to(whole).freeze()
    }

    /// What is left when the stream has ended: a message without its end, or nothing.
    pub fn finish(&mut self) -> Bytes {
        std::mem::take(&mut self.begun).freeze()
    }
}

/// How many bytes are whole messages, or begin with what is none.
fn whole(bytes: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        match length(rest) {
            Some(Ok(length)) if length <= rest.len() => at += length,
            Some(Err(_)) => return bytes.len(),
            Some(Ok(_)) | None => return at,
        }
    }
}

/// The length of the message that begins here; `None` as long as its prelude is not whole.
fn length(bytes: &[u8]) -> Option<Result<usize, Error>> {
    let prelude = bytes.get(..PRELUDE)?;
    Some(checked_lengths(prelude).map(|(total, _)| total))
}

/// The length of a message and that of its headers.
fn checked_lengths(prelude: &[u8]) -> Result<(usize, usize), Error> {
    let (lengths, checksum) = prelude.split_at_checked(PRELUDE - CHECKSUM).ok_or(Error::Truncated)?;
    let number = |at: usize| number(lengths.get(at..).unwrap_or_default()).ok_or(Error::Prelude);
    if crate::event_stream::number(checksum) != Some(crc32fast::hash(lengths) as usize) {
        return Err(Error::Prelude);
    }
    let (total, headers) = (number(0)?, number(4)?);
    if total > MAX_MESSAGE {
        return Err(Error::TooLong);
    }
    if headers > MAX_HEADERS || total < PRELUDE + headers + CHECKSUM {
        return Err(Error::Prelude);
    }
    Ok((total, headers))
}

/// The big-endian number of four bytes that stands first.
fn number(bytes: &[u8]) -> Option<usize> {
    let (first, _) = bytes.split_first_chunk::<4>()?;
    usize::try_from(u32::from_be_bytes(*first)).ok()
}

/// The messages of a block that [`Framer`] made, in order; the first that is wrong is the last.
pub fn messages(block: &[u8]) -> impl Iterator<Item = Result<Message<'_>, Error>> {
    let mut rest = block;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let read = read(rest);
        rest = match &read {
            Ok(message) => rest.get(message.raw.len()..).unwrap_or_default(),
            Err(_) => &[],
        };
        Some(read)
    })
}

/// The message that begins here.
fn read(bytes: &[u8]) -> Result<Message<'_>, Error> {
    let (total, headers) = checked_lengths(bytes.get(..PRELUDE).ok_or(Error::Truncated)?)?;
    let raw = bytes.get(..total).ok_or(Error::Truncated)?;
    let (checked, checksum) = raw.split_at(total - CHECKSUM);
    if number(checksum) != Some(crc32fast::hash(checked) as usize) {
        return Err(Error::Checksum);
    }
    let (headers, payload) = checked.split_at(PRELUDE + headers);
    let named = headers::read(headers.get(PRELUDE..).unwrap_or_default()).ok_or(Error::Headers)?;
    let (kind, name) = match named.message_type {
        Some("exception") => (Kind::Exception, named.exception_type),
        Some("error") => (Kind::Error, named.error_code),
        Some(_) | None => (Kind::Event, named.event_type),
    };
    let payload = match named.error_message {
        Some(message) if payload.is_empty() => message.as_bytes(),
        Some(_) | None => payload,
    };
    Ok(Message {
        raw,
        kind,
        name,
        payload,
    })
}
