//! Conversations away from home: a deployment could not serve, and the next in their order does.
//!
//! Its prompt cache has moved with a conversation, so that going home at once after a long outage would pay for the
//! whole prompt again. A displaced conversation goes home
//!
//! * at once, when it has been away for less than [`CACHE_TTL`]: home is still warm;
//! * else after a pause of its own of more than [`CACHE_TTL`] (or the policy's idle timeout, if that is shorter): it
//!   is cold wherever it goes;
//! * else after 24 to 30 minutes away, drawn from its key, so that they do not all return together.
//!
//! One memory serves all workers: a client's connections spread over them, and a conversation that one of them keeps
//! away must not be sent home by the next. While nobody is displaced, asking costs one atomic load.
//!
//! It is a memory of convenience: bounded at [`CAPACITY`] conversations, and one that is forgotten goes home early.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long a provider keeps an unused prompt prefix.
pub const CACHE_TTL: Duration = Duration::from_secs(300);

/// Longest stay away from a home that can serve.
pub const LONGEST_STAY: Duration = Duration::from_secs(30 * 60);

/// Most conversations remembered.
pub const CAPACITY: usize = 10_000;

/// The conversations that are away from home.
#[derive(Debug)]
pub struct Displaced {
    /// Written under the lock only.
    away: AtomicUsize,
    generations: Mutex<Generations>,
}

/// Least recently used by halves: what is used moves to `young`; a full or old enough `young` becomes `old`, and what
/// was `old` is forgotten.
#[derive(Debug)]
struct Generations {
    young: HashMap<u64, Stay, BuildHasherDefault<KeyIsHash>>,
    old: HashMap<u64, Stay, BuildHasherDefault<KeyIsHash>>,
    turned: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stay {
    /// Where it is.
    at: u64,
    /// When home first failed it.
    since: Instant,
    /// Its last request.
    used: Instant,
}

/// What a caller knows about a conversation.
#[derive(Clone, Copy, Debug)]
pub struct Whereabouts {
    /// [`super::Conversation::key`].
    pub conversation: u64,
    /// [`place`] of the deployment that ranks first among those able to serve this kind of request, whether or not it
    /// is up. A request with other needs may have another home; the two stays know nothing of each other.
    pub home: u64,
}

impl Whereabouts {
    fn key(self) -> u64 {
        self.conversation ^ self.home.rotate_left(32)
    }
}

/// A deployment's `namespace/name` as this memory knows it.
pub fn place(deployment: &str) -> u64 {
    xxhash_rust::xxh3::xxh3_64_with_seed(deployment.as_bytes(), super::SEED)
}

impl Displaced {
    /// Nobody is displaced.
    pub fn new(now: Instant) -> Self {
        let generations = Generations {
            young: HashMap::default(),
            old: HashMap::default(),
            turned: now,
        };
        Self {
            away: AtomicUsize::new(0),
            generations: Mutex::new(generations),
        }
    }

    /// How many conversations are remembered.
    pub fn len(&self) -> usize {
        self.away.load(Ordering::Relaxed)
    }

    /// Nobody is displaced.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where to try first instead of home ([`place`]), or `None` to follow the order. When the place it stays at cannot
    /// serve either, follow the order too and [`remember`](Self::remember) what served.
    ///
    /// `home_serves`: nothing keeps home from serving now. `idle_timeout`: the policy's.
    pub fn recall(&self, who: Whereabouts, home_serves: bool, idle_timeout: Duration, now: Instant) -> Option<u64> {
        if self.is_empty() {
            return None;
        }
        let mut generations = self.lock();
        let stay = generations
            .take(who.key(), now)
            .filter(|stay| stay.holds(who, home_serves, idle_timeout, now));
        if let Some(stay) = stay {
            generations.put(who.key(), Stay { used: now, ..stay }, now);
        }
        self.publish(&generations);
        stay.map(|stay| stay.at)
    }

    /// `at` serves this conversation because home could not, or home does.
    pub fn remember(&self, who: Whereabouts, at: u64, now: Instant) {
        if at == who.home && self.is_empty() {
            return;
        }
        let mut generations = self.lock();
        let before = generations.take(who.key(), now);
        if at != who.home {
            let since = before.map_or(now, |stay| stay.since);
            generations.put(who.key(), Stay { at, since, used: now }, now);
        }
        self.publish(&generations);
    }

    /// A panic elsewhere cannot leave a half-written memory that would matter.
    fn lock(&self) -> MutexGuard<'_, Generations> {
        self.generations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, generations: &Generations) {
        self.away
            .store(generations.young.len() + generations.old.len(), Ordering::Relaxed);
    }
}

impl Stay {
    fn holds(&self, who: Whereabouts, home_serves: bool, idle_timeout: Duration, now: Instant) -> bool {
        let away = now.saturating_duration_since(self.since);
        let cold = now.saturating_duration_since(self.used) > CACHE_TTL.min(idle_timeout);
        let warm_at_home = away < CACHE_TTL;
        !cold && (!home_serves || !warm_at_home && away < longest_stay(who.conversation))
    }
}

/// 80 to 100 % of [`LONGEST_STAY`].
fn longest_stay(conversation: u64) -> Duration {
    let spread = LONGEST_STAY / 5;
    LONGEST_STAY - spread.mul_f64((conversation >> 32) as f64 / f64::from(u32::MAX))
}

impl Generations {
    fn take(&mut self, key: u64, now: Instant) -> Option<Stay> {
        self.age(now);
        self.young.remove(&key).or_else(|| self.old.remove(&key))
    }

    fn put(&mut self, key: u64, stay: Stay, now: Instant) {
        if self.young.len() >= CAPACITY / 2 {
            self.turn(now);
        }
        self.young.insert(key, stay);
    }

    /// What was not used for a whole generation is cold and would go home anyway.
    fn age(&mut self, now: Instant) {
        if now.saturating_duration_since(self.turned) > CACHE_TTL {
            self.turn(now);
        }
    }

    fn turn(&mut self, now: Instant) {
        self.old = std::mem::take(&mut self.young);
        self.turned = now;
    }
}

/// The keys are hashes already.
#[derive(Debug, Default)]
struct KeyIsHash(u64);

impl Hasher for KeyIsHash {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxhash_rust::xxh3::xxh3_64(bytes);
    }
}

#[cfg(test)]
mod tests;
