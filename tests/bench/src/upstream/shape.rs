//! The stream a prompt asks for.
//!
//! The wish is written in the prompt, the one part of a request that reaches the provider unchanged through a proxy, a
//! rewrite of the model and a translation alike.

use memchr::memmem;
use std::fmt;
use std::time::Duration;

const OPENING: &str = "Stream to me, please: chunks ";

/// How a stream is to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StreamShape {
    /// Chunks with content, at least one.
    pub(crate) chunks: u32,
    /// Between two of them; zero is full speed.
    pub(crate) gap: Duration,
}

impl fmt::Display for StreamShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{OPENING}{} microseconds {}.", self.chunks, self.gap.as_micros())
    }
}

impl StreamShape {
    /// The wish in `body`, if it holds one.
    pub(super) fn find(body: &[u8]) -> Option<Self> {
        let at = memmem::find(body, OPENING.as_bytes())? + OPENING.len();
        let end = memchr::memchr(b'.', &body[at..])?;
        let (chunks, gap) = std::str::from_utf8(&body[at..at + end])
            .ok()?
            .split_once(" microseconds ")?;
        let chunks = chunks.parse().ok().filter(|chunks| *chunks > 0)?;
        Some(Self {
            chunks,
            gap: Duration::from_micros(gap.parse().ok()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_found_in_the_body_it_was_written_into() {
        let shape = StreamShape {
            chunks: 250,
            gap: Duration::from_millis(10),
        };
        assert_eq!(
            StreamShape::find(format!("{{\"content\":\"{shape}\"}}").as_bytes()),
            Some(shape)
        );
        assert_eq!(StreamShape::find(b"{}"), None);
    }
}
