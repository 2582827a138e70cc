//! A request's body on its way out: a few pieces, none of them copied, and a mark of how far they got.

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use smallvec::SmallVec;
use std::convert::Infallible;
use std::io::IoSlice;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

/// How much of a body has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sent {
    /// The connection has not asked for it: the upstream saw nothing of it.
    Nothing,
    /// Some of it may have left, some has not: the upstream cannot have the whole.
    Part,
    /// The transport took the last byte: the upstream may have the whole.
    Whole,
}

/// A body of known length. Cheap to make again from the same `Bytes`, so that an attempt can be repeated.
pub struct OutBody {
    payload: Arc<Payload>,
    next: usize,
}

/// Tells how far one body got, even after the body itself is gone. Keeps its bytes alive.
#[derive(Clone)]
pub struct Progress(Arc<Payload>);

/// A piece of the body inside the connection. Its `advance` is called when the transport takes bytes, which is later,
/// and nearer to the truth, than when the connection asks for the piece.
pub struct Segment {
    bytes: Bytes,
    /// Only the last piece has it: when that is gone, all is.
    last_of: Option<Arc<Payload>>,
}

struct Payload {
    segments: SmallVec<[Bytes; 5]>,
    length: u64,
    sent: AtomicU8,
}

impl OutBody {
    /// A body of these pieces, one after the other.
    pub fn new(segments: impl IntoIterator<Item = Bytes>) -> Self {
        Self::of(segments.into_iter().filter(|segment| !segment.is_empty()).collect())
    }

    /// The same bytes, nothing of them sent: for another attempt.
    pub fn again(&self) -> Self {
        Self::of(self.payload.segments.clone())
    }

    /// All its pieces.
    pub(super) fn segments(&self) -> impl Iterator<Item = &Bytes> {
        self.payload.segments.iter()
    }

    /// A handle on how far it got.
    pub fn progress(&self) -> Progress {
        Progress(Arc::clone(&self.payload))
    }

    fn of(segments: SmallVec<[Bytes; 5]>) -> Self {
        let length = segments.iter().map(|segment| segment.len() as u64).sum();
        // An empty body is whole as soon as the head is there.
        let sent = if length == 0 { Sent::Whole } else { Sent::Nothing };
        Self {
            payload: Arc::new(Payload {
                segments,
                length,
                sent: AtomicU8::new(sent as u8),
            }),
            next: 0,
        }
    }
}

impl From<Bytes> for OutBody {
    fn from(bytes: Bytes) -> Self {
        Self::new([bytes])
    }
}

impl Progress {
    /// How much has left by now.
    pub fn sent(&self) -> Sent {
        match self.0.sent.load(Ordering::Relaxed) {
            0 => Sent::Nothing,
            1 => Sent::Part,
            _ => Sent::Whole,
        }
    }
}

impl Payload {
    fn mark(&self, sent: Sent) {
        self.sent.store(sent as u8, Ordering::Relaxed);
    }
}

impl Body for OutBody {
    type Data = Segment;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Segment>, Infallible>>> {
        let Some(bytes) = self.payload.segments.get(self.next).cloned() else {
            return Poll::Ready(None);
        };
        if self.next == 0 {
            self.payload.mark(Sent::Part);
        }
        self.next += 1;
        let last_of = self.is_end_stream().then(|| Arc::clone(&self.payload));
        Poll::Ready(Some(Ok(Frame::data(Segment { bytes, last_of }))))
    }

    fn is_end_stream(&self) -> bool {
        self.next >= self.payload.segments.len()
    }

    fn size_hint(&self) -> SizeHint {
        let left = |segments: &[Bytes]| segments.iter().map(|segment| segment.len() as u64).sum();
        SizeHint::with_exact(if self.next == 0 {
            self.payload.length
        } else {
            left(self.payload.segments.get(self.next..).unwrap_or_default())
        })
    }
}

impl Buf for Segment {
    fn remaining(&self) -> usize {
        self.bytes.len()
    }

    fn chunk(&self) -> &[u8] {
        &self.bytes
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        self.bytes.chunks_vectored(slices)
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
        if self.bytes.is_empty()
            && let Some(payload) = self.last_of.take()
        {
            payload.mark(Sent::Whole);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(body: &mut OutBody) -> Vec<Segment> {
        let mut context = Context::from_waker(std::task::Waker::noop());
        let mut frames = Vec::new();
        while let Poll::Ready(Some(Ok(frame))) = Pin::new(&mut *body).poll_frame(&mut context) {
            frames.push(frame.into_data().ok().unwrap());
        }
        frames
    }

    #[test]
    fn a_body_is_whole_only_when_the_last_byte_was_taken() {
        let mut body = OutBody::new([Bytes::from_static(b"ab"), Bytes::new(), Bytes::from_static(b"cd")]);
        let progress = body.progress();
        assert_eq!((progress.sent(), body.size_hint().exact()), (Sent::Nothing, Some(4)));
        let mut segments = frames(&mut body);
        assert_eq!((progress.sent(), segments.len()), (Sent::Part, 2));
        segments[0].advance(2);
        segments[1].advance(1);
        assert_eq!(progress.sent(), Sent::Part);
        segments[1].advance(1);
        assert_eq!(progress.sent(), Sent::Whole);
    }

    #[test]
    fn a_body_made_again_has_the_same_bytes_and_sent_nothing() {
        let mut body = OutBody::from(Bytes::from_static(b"abc"));
        frames(&mut body)[0].advance(3);
        let mut again = body.again();
        assert_eq!(again.progress().sent(), Sent::Nothing);
        assert_eq!(frames(&mut again)[0].chunk(), b"abc");
    }

    #[test]
    fn an_empty_body_is_whole_at_once() {
        let body = OutBody::new([]);
        assert!(body.is_end_stream());
        assert_eq!(body.progress().sent(), Sent::Whole);
    }
}
