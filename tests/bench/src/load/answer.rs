//! One answer on its way in.

use crate::http::{Chunks, Framing, Head};
use anyhow::{Context, Result, ensure};

/// How much of an error's body is quoted.
const QUOTED: usize = 400;

/// Takes the bytes of an answer as they come, until it is whole. Anything but a 200 is an error: a benchmark of refusals
/// would look splendid.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// The head, while it is not all there.
    head: Vec<u8>,
    body: Body,
    /// What the body says, without its framing, as far as nobody has taken it.
    pub(super) text: Vec<u8>,
}

#[derive(Debug, Default)]
enum Body {
    #[default]
    Unknown,
    Length(usize),
    Chunked(Chunks),
    Whole,
}

impl Answer {
    /// The last byte has come.
    pub(super) fn is_whole(&self) -> bool {
        matches!(self.body, Body::Whole)
    }

    /// Takes the next bytes, none of which may belong to another answer.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<()> {
        let Body::Unknown = self.body else {
            return self.push_body(bytes);
        };
        self.head.extend_from_slice(bytes);
        let Some(head) = Head::read(&self.head)? else {
            return Ok(());
        };
        let status = head.status().context("the answer has no status")?;
        ensure!(status == 200, "status {status}: {}", quote(&self.head));
        let start = head.length;
        self.body = match head.framing {
            Framing::Length(length) => Body::Length(length),
            Framing::Chunked => Body::Chunked(Chunks::default()),
        };
        let head = std::mem::take(&mut self.head);
        self.push_body(&head[start..])
    }

    fn push_body(&mut self, bytes: &[u8]) -> Result<()> {
        let whole = match &mut self.body {
            Body::Length(left) => {
                *left = left
                    .checked_sub(bytes.len())
                    .context("the answer is longer than it said")?;
                self.text.extend_from_slice(bytes);
                *left == 0
            }
            Body::Chunked(chunks) => chunks.push(bytes, &mut self.text)?,
            Body::Unknown | Body::Whole => bytes.is_empty(),
        };
        if whole {
            self.body = Body::Whole;
        }
        Ok(())
    }
}

fn quote(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(QUOTED)]).into_owned()
}
