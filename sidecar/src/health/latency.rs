//! How long first tokens take, compared with how long they usually take, without locks and clocks.
//!
//! *Usual* is the shortest of the last 30 to 60 minutes, or [`FLOOR`] if that is longer: what the deployment needs when
//! nothing is in the way. The pressure is how far beyond its usual variation it has gone: the mean over
//! [`TAU`] beyond [`MEAN`] times usual, or the oldest request that still waits beyond [`WAIT`] times usual. The wait
//! reacts while nothing answers any more; the mean forgets a bad minute when nobody asks any more.
//!
//! Relative to itself, because a slower model that a policy gives 20 % is meant to get 20 %; and not the peak, because
//! first tokens vary eightfold without any load, and the deployment that gets most requests sees most peaks
//! (`selection` has the numbers).

use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// The mean's time constant.
const TAU: Duration = Duration::from_secs(60);

/// The most that a single first token can weigh in the mean.
const HEAVIEST: f64 = 0.125;

/// Seconds; shorter first tokens differ for reasons that are not the deployment's.
const FLOOR: f64 = 0.25;

/// How far the mean is from the shortest without load, at most.
const MEAN: f64 = 3.0;

/// How far the slowest is from the shortest without load, usually.
const WAIT: f64 = 10.0;

/// How long the shortest first token is remembered at least, and at most twice as long.
const WINDOW: Duration = Duration::from_secs(30 * 60);

#[derive(Debug)]
pub(super) struct Latency {
    /// Oldest first: two workers may begin out of order by microseconds.
    waiting: VecDeque<Wait>,
    begun: u64,
    mean: f64,
    last: Option<Instant>,
    shortest: f64,
    shortest_before: f64,
    turned: Option<Instant>,
}

/// A request that waits for its first token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wait {
    since: Instant,
    number: u64,
}

impl Latency {
    pub(super) fn new() -> Self {
        Self {
            waiting: VecDeque::new(),
            begun: 0,
            mean: 0.0,
            last: None,
            shortest: f64::INFINITY,
            shortest_before: f64::INFINITY,
            turned: None,
        }
    }

    pub(super) fn begin(&mut self, now: Instant) -> Wait {
        self.begun += 1;
        let wait = Wait {
            since: now,
            number: self.begun,
        };
        let place = self.waiting.partition_point(|other| *other < wait);
        self.waiting.insert(place, wait);
        wait
    }

    pub(super) fn first_token(&mut self, wait: Wait, now: Instant) {
        self.forget(wait);
        self.observe(now.saturating_duration_since(wait.since).as_secs_f64(), now);
    }

    /// It ended without a first token.
    pub(super) fn forget(&mut self, wait: Wait) {
        if let Ok(place) = self.waiting.binary_search(&wait) {
            self.waiting.remove(place);
        }
    }

    /// At least 1.
    pub(super) fn pressure(&self, now: Instant) -> f64 {
        let usual = self.shortest.min(self.shortest_before).max(FLOOR);
        if usual.is_infinite() {
            return 1.0;
        }
        let oldest = self
            .waiting
            .front()
            .map_or(Duration::ZERO, |wait| now.saturating_duration_since(wait.since));
        (self.kept(now) * self.mean / (MEAN * usual))
            .max(oldest.as_secs_f64() / (WAIT * usual))
            .max(1.0)
    }

    fn observe(&mut self, seconds: f64, now: Instant) {
        let weight = (1.0 - self.kept(now)).min(HEAVIEST);
        self.mean += weight * (seconds - self.mean);
        self.last = Some(now);
        if self
            .turned
            .is_none_or(|turned| now.saturating_duration_since(turned) > WINDOW)
        {
            self.shortest_before = std::mem::replace(&mut self.shortest, f64::INFINITY);
            self.turned = Some(now);
        }
        self.shortest = self.shortest.min(seconds);
    }

    /// What the time since the last first token has left of the mean.
    fn kept(&self, now: Instant) -> f64 {
        let idle = self
            .last
            .map_or(Duration::MAX, |last| now.saturating_duration_since(last));
        (-idle.as_secs_f64() / TAU.as_secs_f64()).exp()
    }
}

#[cfg(test)]
mod tests;
