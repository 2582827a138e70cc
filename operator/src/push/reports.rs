//! What a sidecar says, a line at a time, from a body that may be split anywhere and may be hostile.

use bytes::{Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt;
use pilotfish_wire::{DecodeError, Report};

/// A line that is longer ends the stream.
const LONGEST_LINE: usize = 1024 * 1024;

/// The lines of a request body.
pub(super) struct Reports<B> {
    body: B,
    buffer: BytesMut,
    /// So much of the buffer holds no newline.
    searched: usize,
}

/// Why no more can be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// The peer is not one of ours, or is broken itself.
    #[error("a line is longer than {LONGEST_LINE} bytes")]
    TooLong,
    #[error("a line is not UTF-8")]
    NotText,
    #[error("a line is {0}")]
    NotReport(#[from] DecodeError),
    /// The connection is at fault, or the network.
    #[error("the connection was lost: {0}")]
    Lost(Box<dyn std::error::Error + Send + Sync>),
}

impl<B> Reports<B>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Unpin,
{
    pub(super) fn new(body: B) -> Self {
        Self {
            body,
            buffer: BytesMut::new(),
            searched: 0,
        }
    }

    /// The next report; `None`: the sidecar has said its last. Cancel-safe: what was read is kept.
    pub(super) async fn next(&mut self) -> Result<Option<Report>, Broken> {
        loop {
            while let Some(line) = self.line() {
                let line = str::from_utf8(&line).map_err(|_| Broken::NotText)?;
                if !line.trim_ascii().is_empty() {
                    return Ok(Some(Report::decode(line)?));
                }
            }
            if self.buffer.len() > LONGEST_LINE {
                return Err(Broken::TooLong);
            }
            match self.body.frame().await {
                // Hyper ends a body in silence when the stream is reset for no error, as on a ping without an answer.
                None if !self.body.is_end_stream() => return Err(Broken::Lost("it was dropped".into())),
                None => return Ok(None),
                Some(Err(error)) => return Err(Broken::Lost(error.into())),
                Some(Ok(frame)) => self.buffer.extend(frame.into_data()),
            }
        }
    }

    /// The next whole line, without its newline.
    fn line(&mut self) -> Option<BytesMut> {
        let unsearched = self.buffer.get(self.searched..).unwrap_or_default();
        let Some(newline) = unsearched.iter().position(|byte| *byte == b'\n') else {
            self.searched = self.buffer.len();
            return None;
        };
        let mut line = self.buffer.split_to(self.searched + newline + 1);
        line.truncate(line.len() - 1);
        self.searched = 0;
        if self.buffer.is_empty() {
            // A hello may have been long; acks are short, and there are thousands of streams.
            self.buffer = BytesMut::new();
        }
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body::Frame;
    use std::collections::VecDeque;
    use std::io;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    /// Knows when it is at its end.
    struct Chunks(VecDeque<io::Result<Bytes>>);

    impl Body for Chunks {
        type Data = Bytes;
        type Error = io::Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
            Poll::Ready(self.0.pop_front().map(|chunk| chunk.map(Frame::data)))
        }

        fn is_end_stream(&self) -> bool {
            self.0.is_empty()
        }
    }

    async fn all(chunks: Vec<io::Result<Bytes>>) -> Result<Vec<String>, String> {
        let mut reports = Reports::new(Chunks(chunks.into()));
        let mut lines = Vec::new();
        while let Some(report) = reports.next().await.map_err(|broken| broken.to_string())? {
            lines.push(report.encode());
        }
        Ok(lines)
    }

    const TWO: &str = "{\"hello\":{\"revision\":1}}\n\n{\"ack\":{\"nonce\":1,\"version\":\"v\"}}\n";

    #[tokio::test]
    async fn lines_survive_any_split() {
        let whole = all(vec![Ok(TWO.into())]).await.unwrap();
        assert_eq!(whole.len(), 2);
        for place in 0..TWO.len() {
            let (one, two) = TWO.split_at(place);
            assert_eq!(
                all(vec![Ok(one.into()), Ok(two.into())]).await.unwrap(),
                whole,
                "at {place}"
            );
        }
        let bytes = TWO.bytes().map(|byte| Ok(vec![byte].into())).collect();
        assert_eq!(all(bytes).await.unwrap(), whole);
    }

    #[tokio::test]
    async fn what_is_no_line_of_ours_is_told() {
        let endless = || Ok(Bytes::from(vec![b' '; 64 * 1024]));
        for (chunks, expected) in [
            (
                (0..100).map(|_| endless()).collect(),
                "a line is longer than 1048576 bytes",
            ),
            (vec![Ok(b"\xff\n".as_slice().into())], "a line is not UTF-8"),
            (vec![Err(io::Error::other("reset"))], "the connection was lost: reset"),
        ] {
            assert_eq!(all(chunks).await, Err(expected.to_owned()));
        }
        let broken = all(vec![Ok("hello\n".into())]).await.unwrap_err();
        assert!(broken.starts_with("a line is not a message: "), "{broken}");
    }

    #[tokio::test]
    async fn a_last_line_without_its_end_is_none() {
        let cut = TWO.trim_end().to_owned();
        assert_eq!(all(vec![Ok(cut.into())]).await.unwrap().len(), 1);
    }
}
