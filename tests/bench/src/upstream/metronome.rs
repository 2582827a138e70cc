//! Sends the chunks of every paced stream when they are due, from one thread that sleeps in between.
//!
//! An event loop's timers are a millisecond coarse and would send the chunks of many streams in one bunch, which no
//! proxy sees from real providers.

use super::answers::Answers;
use crate::dialect::Dialect;
use crate::marker::Clock;
use crate::slack;
use anyhow::{Context, Result};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// Streams that may wait for the thread to take them up.
const QUEUE: usize = 1024;

/// A stream in progress.
pub(super) struct Paced {
    /// When its next chunk is due.
    pub(super) due: Instant,
    /// Between two chunks.
    pub(super) gap: Duration,
    /// Content chunks that are left.
    pub(super) left: u32,
    /// Whose chunks.
    pub(super) dialect: Dialect,
    /// It ends with its usage.
    pub(super) usage: bool,
    /// Where it is sent.
    pub(super) writer: OwnedWriteHalf,
    /// Gets the writer back at the stream's end; dropped when the reader went away or did not keep up.
    pub(super) done: oneshot::Sender<OwnedWriteHalf>,
}

/// Hands streams to the thread.
#[derive(Clone)]
pub(super) struct Metronome {
    streams: SyncSender<Paced>,
}

impl Metronome {
    pub(super) fn start(clock: Clock, answers: Arc<Answers>) -> Result<Self> {
        let (streams, receiver) = sync_channel(QUEUE);
        let beats = move || {
            slack::remove();
            run(&receiver, clock, &answers);
        };
        thread::Builder::new().name("metronome".to_owned()).spawn(beats)?;
        Ok(Self { streams })
    }

    pub(super) fn play(&self, stream: Paced) -> Result<()> {
        self.streams
            .try_send(stream)
            .ok()
            .context("too many paced streams at once")
    }
}

fn run(receiver: &Receiver<Paced>, clock: Clock, answers: &Answers) {
    let mut streams = BinaryHeap::new();
    let mut scratch = Vec::new();
    loop {
        let wait = match streams.peek() {
            None => Duration::from_secs(3600),
            Some(Reverse(ByDue(next))) => next.due.saturating_duration_since(Instant::now()),
        };
        match receiver.recv_timeout(wait) {
            Ok(stream) => streams.push(Reverse(ByDue(stream))),
            Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {
                let Some(Reverse(ByDue(stream))) = streams.pop() else {
                    continue;
                };
                scratch.clear();
                streams.extend(beat(stream, clock, answers, &mut scratch).map(|stream| Reverse(ByDue(stream))));
            }
        }
    }
}

/// Sends what is due, and returns the stream if it goes on.
fn beat(mut stream: Paced, clock: Clock, answers: &Answers, scratch: &mut Vec<u8>) -> Option<Paced> {
    let parts = &answers.of(stream.dialect).stream;
    match stream.left {
        0 => scratch.extend_from_slice(parts.ending(stream.usage)),
        // When it was due, not when it was sent: a late beat must not hide what it delays.
        _ => parts.append_chunk(scratch, clock.mark(stream.due)),
    }
    if stream.writer.try_write(scratch).ok()? != scratch.len() {
        return None;
    }
    if stream.left == 0 {
        // The connection is gone when nobody waits for the writer.
        drop(stream.done.send(stream.writer));
        return None;
    }
    stream.left -= 1;
    stream.due += stream.gap;
    Some(stream)
}

/// Orders streams by when their next chunk is due.
struct ByDue(Paced);

impl Ord for ByDue {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.due.cmp(&other.0.due)
    }
}
impl PartialOrd for ByDue {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for ByDue {
    fn eq(&self, other: &Self) -> bool {
        self.0.due == other.0.due
    }
}
impl Eq for ByDue {}
