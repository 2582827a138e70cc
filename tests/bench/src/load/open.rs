//! Open loop: requests are due by a schedule, whatever became of those before.
//!
//! Latency counts from the moment a request was due, not from when it could be sent: a proxy that stalls is charged for
//! everything that should have been sent meanwhile, which a closed loop would omit. A thread per connection, blocking,
//! because it wakes up more exactly than an event loop with its timers of a millisecond.

use super::answer::Answer;
use super::{Aim, connect};
use crate::marker::Clock;
use crate::slack;
use anyhow::{Context, Result, ensure};
use hdrhistogram::Histogram;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;
use tokio::time::Instant;

/// The threads are up and wait for their turn by then.
const RUN_UP: Duration = Duration::from_millis(20);

/// When requests are due.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// The next one as soon as a connection is free: what patient clients see.
    BackToBack,
    /// One every so often.
    Every(Duration),
}

/// How many requests, when, on how many connections.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Kept alive from the first request to the last.
    pub(crate) connections: usize,
    /// When requests are due.
    pub(crate) pace: Pace,
    /// Requests are due for this long.
    pub(crate) duration: Duration,
}

/// What was seen, nanoseconds.
#[derive(Clone, Debug)]
pub(crate) struct Timings {
    /// Due → answer whole.
    pub(crate) whole: Histogram<u64>,
    /// Due → first content of a stream.
    pub(crate) first: Histogram<u64>,
    /// Chunk due at the upstream → here.
    pub(crate) chunks: Histogram<u64>,
}

/// Carries out `plan`.
pub(crate) fn run(plan: Plan, clock: Clock, aim: Aim<'_>) -> Result<Timings> {
    let connections: Vec<_> = (0..plan.connections)
        .map(|n| Client::connect(clock, aim, n))
        .collect::<Result<_>>()?;
    slack::remove();
    let schedule = Schedule {
        start: Instant::now() + RUN_UP,
        plan,
        tickets: AtomicU32::new(0),
    };
    let (mut total, schedule) = (Timings::new()?, &schedule);
    thread::scope(|scope| {
        let threads: Vec<_> = connections
            .into_iter()
            .map(|client| scope.spawn(|| client.work(schedule)))
            .collect();
        threads
            .into_iter()
            .try_for_each(|thread| total.add(&thread.join().expect("a client returns its errors")?))
    })?;
    Ok(total)
}

/// Hands out the moments at which requests are due.
struct Schedule {
    start: Instant,
    plan: Plan,
    tickets: AtomicU32,
}

impl Schedule {
    /// The moment of the next request that nobody else makes; `None` when there are no more.
    fn next(&self) -> Option<Instant> {
        let due = match self.plan.pace {
            Pace::BackToBack => Instant::now().max(self.start),
            Pace::Every(gap) => self.start + moment(gap, self.tickets.fetch_add(1, Ordering::Relaxed)),
        };
        (due < self.start + self.plan.duration).then_some(due)
    }
}

/// When the n-th request is due: somewhere in the n-th gap. The golden ratio spreads the moments evenly over the gap, so
/// that they do not beat with the kernel's ticks or a proxy's timers.
fn moment(gap: Duration, n: u32) -> Duration {
    const GOLDEN: f64 = 0.618_033_988_749_895;
    gap * n + gap.mul_f64((f64::from(n) * GOLDEN).fract())
}

/// One connection and what was seen on it.
struct Client {
    stream: TcpStream,
    request: Vec<u8>,
    buffer: Vec<u8>,
    clock: Clock,
    timings: Timings,
}

impl Client {
    fn connect(clock: Clock, aim: Aim<'_>, number: usize) -> Result<Self> {
        let (stream, request) = (connect(aim.target)?, (aim.request)(number));
        Ok(Self {
            stream,
            request,
            buffer: vec![0; 64 * 1024],
            clock,
            timings: Timings::new()?,
        })
    }

    fn work(mut self, schedule: &Schedule) -> Result<Timings> {
        while let Some(due) = schedule.next() {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            self.exchange(due)?;
        }
        Ok(self.timings)
    }

    fn exchange(&mut self, due: Instant) -> Result<()> {
        self.stream.write_all(&self.request)?;
        let (mut answer, mut first) = (Answer::default(), true);
        while !answer.is_whole() {
            let count = self.stream.read(&mut self.buffer).context("waiting for an answer")?;
            let now = Instant::now();
            ensure!(count > 0, "the connection was closed before the answer was whole");
            answer.push(&self.buffer[..count])?;
            self.note_chunks(&mut answer.text, now, due, &mut first);
        }
        record(&mut self.timings.whole, Instant::now() - due);
        Ok(())
    }

    /// Takes the chunks out of `text`.
    fn note_chunks(&mut self, text: &mut Vec<u8>, now: Instant, due: Instant, first: &mut bool) {
        let timings = &mut self.timings;
        let done = self.clock.read(text, now, |delay| {
            record(&mut timings.chunks, delay);
            if std::mem::take(first) {
                record(&mut timings.first, now - due);
            }
        });
        text.drain(..done);
    }
}

impl Timings {
    fn new() -> Result<Self> {
        // A nanosecond to a minute, three digits.
        let empty = Histogram::new_with_bounds(1, 60_000_000_000, 3)?;
        Ok(Self {
            whole: empty.clone(),
            first: empty.clone(),
            chunks: empty,
        })
    }

    fn add(&mut self, other: &Self) -> Result<()> {
        self.whole.add(&other.whole)?;
        self.first.add(&other.first)?;
        Ok(self.chunks.add(&other.chunks)?)
    }
}

fn record(histogram: &mut Histogram<u64>, time: Duration) {
    histogram.saturating_record(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
}
