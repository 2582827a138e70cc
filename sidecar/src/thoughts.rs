//! What models reasoned before they called tools, for clients that do not return it.
//!
//! A provider that signs or encrypts reasoning goes on from it when it gets it back with the tools' results; many clients
//! return the calls alone (`dialect/reasoned.rs`). What was reasoned is kept here under the tenant, the deployment that
//! reasoned it, the place in the conversation and the call's id, and is given to nobody else: no other tenant asks under
//! the same key, and a deployment never sees what another one has signed.
//!
//! One memory serves all workers, for a conversation's next request may come on another one's connection. It is bounded in
//! entries and in bytes, and nothing stays longer than [`LIFE`] after it was last asked for; what is forgotten is
//! reasoning that a model goes on without. While nothing is kept, asking costs one atomic load.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long a tool may take, or the person who must allow it.
pub(crate) const LIFE: Duration = Duration::from_secs(60 * 60);
/// Most answers whose reasoning is kept.
pub(crate) const MOST_ENTRIES: usize = 4096;
/// Most bytes of reasoning that are kept.
pub(crate) const MOST_BYTES: usize = 8 * 1024 * 1024;

/// Who reasoned, for whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Thinker<'a> {
    pub tenant: &'a str,
    /// `namespace/name`.
    pub deployment: &'a str,
    /// Its endpoint and its credential.
    pub revision: u64,
    pub model: &'a str,
}

/// One answer's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key([u8; 32]);

impl Key {
    /// `conversation` is what users and tools had said before, `call` the id of the answer's first call.
    pub(crate) fn new(thinker: &Thinker<'_>, conversation: u128, call: &str) -> Self {
        let Thinker {
            tenant,
            deployment,
            revision,
            model,
        } = *thinker;
        let mut hasher = blake3::Hasher::new();
        for part in [tenant, deployment, model, call] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        hasher.update(&revision.to_le_bytes());
        hasher.update(&conversation.to_le_bytes());
        Self(hasher.finalize().into())
    }
}

/// How much is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kept {
    pub entries: usize,
    pub bytes: usize,
}

/// The memory.
#[derive(Debug)]
pub(crate) struct Thoughts {
    /// Written under the lock only.
    entries: AtomicUsize,
    generations: Mutex<Generations>,
}

/// Least recently used by halves: what is used moves to `young`; when that is half of what may be kept it becomes `old`,
/// and what was `old` is forgotten.
#[derive(Debug, Default)]
struct Generations {
    young: Generation,
    old: Generation,
}

#[derive(Debug, Default)]
struct Generation {
    thoughts: HashMap<Key, Thought>,
    bytes: usize,
}

#[derive(Debug)]
struct Thought {
    entries: Arc<str>,
    used: Instant,
}

impl Thoughts {
    /// Nothing is kept.
    pub(crate) fn new() -> Self {
        Self {
            entries: AtomicUsize::new(0),
            generations: Mutex::default(),
        }
    }

    /// Nothing is kept.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.load(Ordering::Relaxed) == 0
    }

    /// What was reasoned there, as it was kept.
    pub(crate) fn recall(&self, key: &Key, now: Instant) -> Option<Arc<str>> {
        if self.is_empty() {
            return None;
        }
        let mut generations = self.lock();
        let thought = generations.take(key).filter(|thought| thought.lives(now));
        let entries = thought.map(|thought| thought.entries);
        if let Some(entries) = &entries {
            generations.put(*key, Arc::clone(entries), now);
        }
        self.publish(&generations);
        entries
    }

    /// Keeps what was reasoned there. What is longer than half of everything that may be kept is not.
    pub(crate) fn keep(&self, key: Key, entries: Arc<str>, now: Instant) {
        if entries.len() > MOST_BYTES / 2 {
            return;
        }
        let mut generations = self.lock();
        generations.take(&key);
        generations.put(key, entries, now);
        self.publish(&generations);
    }

    /// How much is kept, once what is too old has been forgotten.
    pub(crate) fn kept(&self, now: Instant) -> Kept {
        if self.is_empty() {
            return Kept::default();
        }
        let mut generations = self.lock();
        let Generations { young, old } = &mut *generations;
        young.forget(now);
        old.forget(now);
        let kept = generations.kept();
        self.publish(&generations);
        kept
    }

    fn lock(&self) -> MutexGuard<'_, Generations> {
        self.generations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, generations: &Generations) {
        self.entries.store(generations.kept().entries, Ordering::Relaxed);
    }
}

impl Generations {
    fn kept(&self) -> Kept {
        let Self { young, old } = self;
        Kept {
            entries: young.thoughts.len() + old.thoughts.len(),
            bytes: young.bytes + old.bytes,
        }
    }

    fn take(&mut self, key: &Key) -> Option<Thought> {
        self.young.take(key).or_else(|| self.old.take(key))
    }

    fn put(&mut self, key: Key, entries: Arc<str>, used: Instant) {
        let is_full = self.young.bytes + entries.len() > MOST_BYTES / 2;
        if is_full || self.young.thoughts.len() >= MOST_ENTRIES / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.bytes += entries.len();
        self.young.thoughts.insert(key, Thought { entries, used });
    }
}

impl Generation {
    fn take(&mut self, key: &Key) -> Option<Thought> {
        let thought = self.thoughts.remove(key)?;
        self.bytes -= thought.entries.len();
        Some(thought)
    }

    fn forget(&mut self, now: Instant) {
        let Self { thoughts, bytes } = self;
        thoughts.retain(|_, thought| {
            let lives = thought.lives(now);
            *bytes -= if lives { 0 } else { thought.entries.len() };
            lives
        });
        if thoughts.is_empty() {
            // Its room goes, too.
            *thoughts = HashMap::new();
        }
    }
}

impl Thought {
    fn lives(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.used) < LIFE
    }
}

#[cfg(test)]
mod tests;
