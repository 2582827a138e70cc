//! The body of an answer that lasts: lines as they come.

use bytes::Bytes;
use http_body::{Body, Frame};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::mpsc;

/// Whole lines, until their sender is dropped.
pub(super) struct Lines(mpsc::Receiver<Bytes>);

impl Lines {
    pub(super) fn new(lines: mpsc::Receiver<Bytes>) -> Self {
        Self(lines)
    }
}

impl Body for Lines {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        self.0
            .poll_recv(context)
            .map(|lines| lines.map(|lines| Ok(Frame::data(lines))))
    }
}
