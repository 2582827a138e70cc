//! The frames between an HTTP/2 connection and its socket.
//!
//! The `h2` crate decides what is right to send; here a script does what is wrong: a GOAWAY below a stream that was
//! accepted, a connection that ends exactly behind a frame. Frames pass one by one, so both happen between two frames, and
//! whoever waits for bytes to be out knows when they are.

use crate::step::HangUp;
use crate::stream::Stream;
use bytes::{Buf, Bytes, BytesMut};
use std::collections::HashMap;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::watch;

const FRAME_HEAD: usize = 9;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// What has passed, and what is to happen to the connection.
pub(super) struct Wire {
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct State {
    passed: HashMap<u32, Passed>,
    hang_up: Option<HangUp>,
    /// The last stream that a GOAWAY left alive.
    last_stream: Option<u32>,
    goaway_sent: bool,
}

/// What of a stream is on the socket.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Passed {
    pub(super) head: bool,
    pub(super) data: usize,
    pub(super) end: bool,
}

impl Wire {
    pub(super) fn new() -> Wire {
        Wire {
            state: Mutex::default(),
            changed: watch::Sender::new(()),
        }
    }

    /// Returns once this is on the socket.
    pub(super) async fn until_passed(&self, stream: u32, enough: impl Fn(Passed) -> bool) {
        self.until(|state| state.passed.get(&stream).copied().is_some_and(&enough).then_some(()))
            .await;
    }

    /// Ends the connection at the next frame's end.
    pub(super) fn hang_up(&self, how: HangUp) {
        self.change(|state| state.hang_up = Some(how));
    }

    /// Sends a GOAWAY that leaves the streams below `stream` alive, and nothing of the others from now on.
    pub(super) fn go_away_below(&self, stream: u32) {
        self.change(|state| {
            let last = stream.saturating_sub(2);
            state.last_stream = Some(state.last_stream.map_or(last, |known| known.min(last)));
        });
    }

    /// Whether a GOAWAY was sent: no stream is accepted any more.
    pub(super) fn is_going(&self) -> bool {
        self.lock().last_stream.is_some()
    }

    /// Whether the script ended the connection.
    pub(super) fn is_hung_up(&self) -> bool {
        self.lock().hang_up.is_some()
    }

    async fn until<T>(&self, found: impl Fn(&State) -> Option<T>) -> T {
        let mut changes = self.changed.subscribe();
        loop {
            changes.borrow_and_update();
            if let Some(found) = found(&self.lock()) {
                return found;
            }
            changes.changed().await.expect("the wire holds the sender");
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.send_replace(());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Carries bytes both ways until either side ends, or the script hangs up.
pub(super) async fn carry(stream: Stream, inner: DuplexStream, wire: &Wire) {
    let (mut read, mut write) = tokio::io::split(stream);
    let (mut inner_read, mut inner_write) = tokio::io::split(inner);
    let end = tokio::select! {
        end = outbound(&mut inner_read, &mut write, wire) => end,
        () = inbound(&mut read, &mut inner_write) => None,
    };
    let stream = read.unsplit(write);
    if end == Some(HangUp::Reset) {
        stream.reset_on_drop();
    }
}

/// Never returns: that the client has closed its side is passed on, and its own side is ended by the other direction.
async fn inbound(read: &mut ReadHalf<Stream>, inner: &mut WriteHalf<DuplexStream>) {
    // Either error means that one of the two is gone.
    drop(tokio::io::copy(read, inner).await);
    drop(inner.shutdown().await);
    std::future::pending::<()>().await;
}

async fn outbound(inner: &mut ReadHalf<DuplexStream>, write: &mut WriteHalf<Stream>, wire: &Wire) -> Option<HangUp> {
    let mut buffer = BytesMut::new();
    loop {
        while let Some(frame) = take_frame(&mut buffer) {
            pass(frame, write, wire).await.ok()?;
        }
        tokio::select! {
            // A GOAWAY comes before the close that follows it.
            biased;
            last = wire.until(|state| state.last_stream.filter(|_| !state.goaway_sent)) => {
                wire.change(|state| state.goaway_sent = true);
                write.write_all(&goaway(last)).await.ok()?;
                write.flush().await.ok()?;
            }
            how = wire.until(|state| state.hang_up) => return Some(how),
            read = inner.read_buf(&mut buffer) => {
                if !matches!(read, Ok(1..)) {
                    return None;
                }
            }
        }
    }
}

/// A whole frame, once it is there.
fn take_frame(buffer: &mut BytesMut) -> Option<Bytes> {
    let length = buffer
        .get(..3)?
        .iter()
        .fold(0, |length, byte| length << 8 | usize::from(*byte));
    let whole = FRAME_HEAD + length;
    (buffer.len() >= whole).then(|| buffer.split_to(whole).freeze())
}

async fn pass(frame: Bytes, write: &mut WriteHalf<Stream>, wire: &Wire) -> io::Result<()> {
    let mut head = frame.clone();
    head.advance(3);
    let (kind, flags, stream) = (head.get_u8(), head.get_u8(), head.get_u32());
    if let Some(last) = wire.lock().last_stream {
        // Nothing more for the streams that we said we would not process, and no other word on which those are.
        if stream > last || kind == GOAWAY {
            return Ok(());
        }
    }
    write.write_all(&frame).await?;
    write.flush().await?;
    wire.change(|state| {
        let passed = state.passed.entry(stream).or_default();
        passed.end |= matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0;
        match kind {
            DATA => passed.data += head.len(),
            HEADERS | CONTINUATION if flags & END_HEADERS != 0 => passed.head = true,
            _ => {}
        }
    });
    Ok(())
}

/// The frame, without an error: a server that is being drained.
fn goaway(last_stream: u32) -> Vec<u8> {
    let mut frame = vec![0, 0, 8, GOAWAY, 0, 0, 0, 0, 0];
    frame.extend_from_slice(&last_stream.to_be_bytes());
    frame.extend_from_slice(&[0; 4]);
    frame
}
