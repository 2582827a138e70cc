//! An answer's body as it comes in, and what becomes of its connection when it is over.

use super::error::{BodyError, reason};
use super::http1::{Http1, Piece};
use super::http2::Place;
use super::pool::Pool;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

/// An answer's body. Once it has been read to its end (a `None`, or a piece after which [`Body::is_end_stream`] holds)
/// its connection can serve again; dropped before, it closes its HTTP/1 connection at once or resets its HTTP/2 stream,
/// which is how the upstream learns that nobody listens any more. So read on after `[DONE]`.
pub struct UpstreamBody {
    incoming: Incoming,
    connection: Held,
}

/// The connection while the answer lasts.
enum Held {
    Http1(Box<Http1>, Rc<Pool>),
    /// Its end is all that matters.
    Http2 {
        _place: Place,
    },
    Nothing,
}

impl UpstreamBody {
    pub(super) fn http1(incoming: Incoming, connection: Box<Http1>, pool: Rc<Pool>) -> Self {
        Self::new(incoming, Held::Http1(connection, pool))
    }

    pub(super) fn http2(incoming: Incoming, place: Place) -> Self {
        Self::new(incoming, Held::Http2 { _place: place })
    }

    fn new(incoming: Incoming, connection: Held) -> Self {
        let mut body = Self { incoming, connection };
        body.release_at_end();
        body
    }

    /// The next piece, as it comes in; trailers are passed over. Cancel safe.
    pub async fn next(&mut self) -> Option<Result<Bytes, BodyError>> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// As [`Self::next`].
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        loop {
            match ready!(self.poll_incoming(cx)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Some(Ok(data)));
                    }
                }
            }
        }
    }

    fn poll_incoming(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let polled = ready!(self.poll_connection(cx));
        match polled {
            Some(Ok(frame)) => {
                self.release_at_end();
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(error)) => {
                self.connection = Held::Nothing;
                Poll::Ready(Some(Err(BodyError::new(format!(
                    "the answer broke off: {}",
                    reason(&error)
                )))))
            }
            None => {
                self.release();
                Poll::Ready(None)
            }
        }
    }

    fn poll_connection(&mut self, cx: &mut Context<'_>) -> Poll<Option<Piece>> {
        match &mut self.connection {
            Held::Http1(connection, _) => connection.poll_body(&mut self.incoming, cx),
            Held::Http2 { .. } | Held::Nothing => Pin::new(&mut self.incoming).poll_frame(cx),
        }
    }

    fn release_at_end(&mut self) {
        if self.incoming.is_end_stream() {
            self.release();
        }
    }

    fn release(&mut self) {
        if let Held::Http1(connection, pool) = std::mem::replace(&mut self.connection, Held::Nothing) {
            pool.put_aside(connection);
        }
    }
}

impl Body for UpstreamBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.poll_incoming(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
