//! Bodies: bounded collection on the way in, and the shape of every answer on the way out.
//!
//! The bytes of all bodies that are held share one pool, so that memory is bounded whatever arrives: when the pool is
//! empty a request is refused, never queued.

use crate::meter::Meter;
use crate::pipeline::AnswerStream;
use bytes::{Bytes, BytesMut};
use http_body::{Body as _, Frame, SizeHint};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// Longest request body, bytes.
pub(crate) const MAX_REQUEST: u64 = 32 * 1024 * 1024;
/// Bytes of bodies that one sidecar holds at most, unless told otherwise.
pub(crate) const DEFAULT_POOL: u64 = 96 * 1024 * 1024;
/// Longest silence of a client in the middle of its body.
const CLIENT_IDLE: Duration = Duration::from_secs(60);
/// What is still read of a refused request's body, so that the client sees the answer and not a reset.
const DRAIN_BYTES: u64 = 64 * 1024 * 1024;
/// For how long.
const DRAIN_TIME: Duration = Duration::from_secs(5);

/// The bytes that all held bodies share.
pub(crate) struct Pool {
    /// Longest request body: a longer one than all of the pool would be told to come back for ever.
    longest: u64,
    left: AtomicU64,
    meter: Arc<Meter>,
}

impl Pool {
    pub(crate) fn new(bytes: u64, meter: Arc<Meter>) -> Arc<Self> {
        Arc::new(Self {
            longest: bytes.min(MAX_REQUEST),
            left: AtomicU64::new(bytes),
            meter,
        })
    }

    fn take(&self, bytes: u64) -> bool {
        let take = |left: u64| left.checked_sub(bytes);
        let taken = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .is_ok();
        if taken {
            self.meter.held_bytes.add(signed(bytes));
        }
        taken
    }
}

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// Permits for bytes that are held; given back when dropped.
pub(crate) struct Held {
    pool: Arc<Pool>,
    bytes: u64,
}

impl Held {
    pub(crate) fn none(pool: &Arc<Pool>) -> Self {
        Self {
            pool: Arc::clone(pool),
            bytes: 0,
        }
    }

    /// Takes permits for that many more bytes, or says that there are none.
    pub(crate) fn grow(&mut self, bytes: u64) -> bool {
        let taken = self.pool.take(bytes);
        if taken {
            self.bytes += bytes;
        }
        taken
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.pool.left.fetch_add(self.bytes, Ordering::Relaxed);
        self.pool.meter.held_bytes.sub(signed(self.bytes));
    }
}

/// Why a request's body was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum CollectError {
    /// Longer than [`MAX_REQUEST`], or than a pool that is smaller.
    TooLong {
        /// How long it may be, bytes.
        longest: u64,
    },
    /// The pool is empty.
    NoMemory,
    /// The client went silent in the middle.
    Idle,
    /// The client's bytes end, or are framed, wrongly.
    Cut,
}

/// Reads a whole request body, at most [`MAX_REQUEST`] bytes of it, against permits of the pool.
pub(crate) async fn collect_limited<B>(body: &mut B, held: &mut Held) -> Result<Bytes, CollectError>
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    let longest = held.pool.longest;
    if body.size_hint().lower() > longest {
        return Err(CollectError::TooLong { longest });
    }
    let Some(first) = next_data(body, held, 0).await? else {
        return Ok(Bytes::new());
    };
    let first_len = first.len() as u64;
    // The usual request is one frame: no copy.
    let Some(second) = next_data(body, held, first_len).await? else {
        return Ok(first);
    };
    let expected = body.size_hint().exact().unwrap_or(0).min(longest);
    let expected = usize::try_from(expected).unwrap_or(0) + first.len() + second.len();
    let mut whole = BytesMut::with_capacity(expected);
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&second);
    drop((first, second));
    while let Some(data) = next_data(body, held, whole.len() as u64).await? {
        whole.extend_from_slice(&data);
    }
    Ok(whole.freeze())
}

/// The next non-empty data frame, `before` bytes having been read already.
async fn next_data<B>(body: &mut B, held: &mut Held, before: u64) -> Result<Option<Bytes>, CollectError>
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    loop {
        if body.is_end_stream() {
            return Ok(None);
        }
        let frame = std::future::poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx));
        let frame = tokio::time::timeout(CLIENT_IDLE, frame)
            .await
            .map_err(|_| CollectError::Idle)?;
        let Some(frame) = frame else { return Ok(None) };
        let Ok(data) = frame.map_err(|_| CollectError::Cut)?.into_data() else {
            continue;
        };
        let longest = held.pool.longest;
        if before + data.len() as u64 > longest {
            return Err(CollectError::TooLong { longest });
        }
        if !held.grow(data.len() as u64) {
            return Err(CollectError::NoMemory);
        }
        if !data.is_empty() {
            return Ok(Some(data));
        }
    }
}

/// Reads on and drops what a refused client still sends, within bounds.
pub(crate) async fn drain<B>(body: B)
where
    B: http_body::Body<Data = Bytes>,
{
    let mut body = pin!(body);
    let mut read = 0;
    let drained = async {
        while read <= DRAIN_BYTES {
            let frame = std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await;
            let Some(Ok(frame)) = frame else { break };
            read += frame.data_ref().map_or(0, |data| data.len() as u64);
        }
    };
    // Whether the time or the body ended first makes no difference: the connection's owner decides what follows.
    drop(tokio::time::timeout(DRAIN_TIME, drained).await);
}

/// An answer broke off that has no way of saying so in its own words: the connection says it by ending too early.
#[derive(Debug, thiserror::Error)]
#[error("the answer broke off")]
pub(crate) struct Broken;

/// The body of every answer of this process.
pub(crate) enum Body {
    /// All of it at once, and the permits that its bytes hold.
    Whole(Option<Bytes>, Option<Held>),
    /// As it comes, and settled when it ends or is dropped.
    Stream(Pin<Box<AnswerStream>>),
}

impl Body {
    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self::Whole(Some(bytes.into()), None)
    }
}

impl Body {
    /// Gives the permits back when the bytes have been taken.
    pub(crate) fn keep(&mut self, permits: Held) {
        if let Self::Whole(_, held) = self {
            *held = Some(permits);
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        match self.get_mut() {
            Self::Whole(bytes, _) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Stream(stream) => {
                let next = ready!(stream.as_mut().poll_next(cx));
                Poll::Ready(next.map(|bytes| bytes.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes, _) => bytes.as_ref().is_none_or(Bytes::is_empty),
            Self::Stream(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes, _) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Stream(_) => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{Full, StreamBody};
    use std::convert::Infallible;

    fn pool(bytes: u64) -> Arc<Pool> {
        Pool::new(bytes, Meter::new())
    }

    fn frames(frames: &'static [&'static str]) -> impl http_body::Body<Data = Bytes> + Unpin {
        let frame = |text: &&'static str| Ok::<_, Infallible>(Frame::data(Bytes::from_static(text.as_bytes())));
        StreamBody::new(futures::stream::iter(frames.iter().map(frame)))
    }

    #[tokio::test]
    async fn frames_are_joined_and_their_permits_come_back() {
        let pool = pool(10);
        let mut held = Held::none(&pool);
        let bytes = collect_limited(&mut frames(&["ab", "", "cd", "e"]), &mut held)
            .await
            .unwrap();
        assert_eq!(bytes, "abcde");
        assert_eq!(pool.meter.held_bytes.get(), 5);
        drop(held);
        assert_eq!(pool.meter.held_bytes.get(), 0);
        assert_eq!(pool.left.load(Ordering::Relaxed), 10);
    }

    /// What becomes of a body in these frames, while `left` bytes of a pool of `size` are left.
    async fn refused(size: u64, left: u64, body: &'static [&'static str]) -> CollectError {
        let pool = pool(size);
        let mut others = Held::none(&pool);
        assert!(others.grow(size - left));
        collect_limited(&mut frames(body), &mut Held::none(&pool))
            .await
            .unwrap_err()
    }

    #[tokio::test]
    async fn an_empty_pool_and_a_long_body_are_refused() {
        assert_eq!(refused(6, 4, &["abc", "de"]).await, CollectError::NoMemory);
        // Coming back would not help.
        let too_long = CollectError::TooLong { longest: 4 };
        assert_eq!(refused(4, 4, &["abc", "de"]).await, too_long);
        assert_eq!(refused(4, 0, &["abcde"]).await, too_long);
        let long = Bytes::from(vec![b' '; 32 * 1024 * 1024 + 1]);
        let pool = pool(DEFAULT_POOL);
        assert_eq!(
            collect_limited(&mut Full::new(long), &mut Held::none(&pool)).await,
            Err(CollectError::TooLong { longest: MAX_REQUEST })
        );
        let declared = Bytes::from_static(b"abcde");
        assert_eq!(
            collect_limited(&mut Full::new(declared), &mut Held::none(&self::pool(4))).await,
            Err(too_long)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_stops_in_the_middle_is_not_waited_for_without_end() {
        let pool = pool(10);
        let mut held = Held::none(&pool);
        let mut silent = StreamBody::new(futures::stream::pending::<Result<Frame<Bytes>, Infallible>>());
        assert_eq!(collect_limited(&mut silent, &mut held).await, Err(CollectError::Idle));
    }
}
