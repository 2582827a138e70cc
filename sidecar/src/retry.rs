//! How often and how soon something is tried again.
//!
//! A [`Budget`] bounds what retries and failovers can add to the load of a provider that is already in trouble: a share
//! of the requests, a small constant rate for quiet policies, and a reserve for a sudden outage. One per policy and
//! sidecar, kept across snapshots, shared by all workers, retries and failovers alike. [`Backoff`] spreads repeated
//! calls of the *same* deployment; going on to another one needs no pause.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// What one retry costs, so that a request earns its percentage and a millisecond earns 1 (10 retries/s).
const PRICE: u64 = 100;

/// The reserve: 100 retries.
const FULL: u64 = 100 * PRICE;

/// Bits of the level; the rest is the time, enough for 8,000 years.
const LEVEL_BITS: u32 = 16;

/// A bucket of retries.
#[derive(Debug)]
pub struct Budget {
    /// Level and the millisecond it held at, in one word: both change together or not at all.
    word: AtomicU64,
    start: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Level {
    level: u64,
    at: u64,
}

impl Budget {
    /// Full.
    pub fn new(now: Instant) -> Self {
        Self {
            word: AtomicU64::new(Level { level: FULL, at: 0 }.pack()),
            start: now,
        }
    }

    /// A request arrived, of a policy that allows this many retries per hundred. While nothing is being retried this
    /// only reads: a full bucket stays full.
    pub fn earn(&self, percent: u32, now: Instant) {
        self.update(now, |level| Some(level + u64::from(percent)));
    }

    /// Takes one retry out, if there is one.
    pub fn spend(&self, now: Instant) -> bool {
        self.update(now, |level| level.checked_sub(PRICE))
    }

    /// Whole retries left.
    pub fn left(&self, now: Instant) -> u64 {
        Level::unpack(self.word.load(Ordering::Relaxed))
            .refilled(self.milliseconds(now))
            .level
            / PRICE
    }

    fn update(&self, now: Instant, change: impl Fn(u64) -> Option<u64>) -> bool {
        let at = self.milliseconds(now);
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            let before = Level::unpack(word).refilled(at);
            let Some(level) = change(before.level) else {
                return false;
            };
            let after = Level {
                level: level.min(FULL),
                at: before.at,
            };
            if Level::unpack(word).level == FULL && after.level == FULL {
                return true;
            }
            match self
                .word
                .compare_exchange_weak(word, after.pack(), Ordering::Relaxed, Ordering::Relaxed)
            {
                Ok(_) => return true,
                Err(current) => word = current,
            }
        }
    }

    fn milliseconds(&self, now: Instant) -> u64 {
        let passed = now.saturating_duration_since(self.start);
        passed.as_secs() * 1000 + u64::from(passed.subsec_millis())
    }
}

impl Level {
    /// Time that another worker has already counted earns nothing again.
    fn refilled(self, at: u64) -> Self {
        let earned = at.saturating_sub(self.at);
        Self {
            level: (self.level + earned).min(FULL),
            at: self.at.max(at),
        }
    }

    fn pack(self) -> u64 {
        self.at << LEVEL_BITS | self.level
    }

    fn unpack(word: u64) -> Self {
        Self {
            level: word & ((1 << LEVEL_BITS) - 1),
            at: word >> LEVEL_BITS,
        }
    }
}

/// Exponential, with full jitter: anything from nothing to the bound, so that those who failed together do not come
/// back together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The bound of the first pause; each further one doubles it.
    pub base: Duration,
    /// The bound never exceeds this.
    pub longest: Duration,
}

/// What the proxy uses: short beside a model's answer, long beside a process that restarts its listener.
pub const BACKOFF: Backoff = Backoff {
    base: Duration::from_millis(100),
    longest: Duration::from_secs(3),
};

impl Backoff {
    /// The longest pause before retry number `retry`, counted from 0.
    pub fn bound(&self, retry: u32) -> Duration {
        let factor = 1_u32.checked_shl(retry).unwrap_or(u32::MAX);
        self.base.saturating_mul(factor).min(self.longest)
    }

    /// The pause before retry number `retry`, counted from 0. `random`: uniformly distributed bits.
    pub fn pause(&self, retry: u32, random: u64) -> Duration {
        self.bound(retry).mul_f64((random >> 11) as f64 / (1_u64 << 53) as f64)
    }
}

#[cfg(test)]
mod tests;
