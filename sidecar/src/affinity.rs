//! Which deployment a conversation belongs to: weighted rendezvous hashing.
//!
//! Each candidate draws `−ln u / weight`, where `u` comes from a hash of the conversation and the deployment's name;
//! the lowest draw is the conversation's home, the next one its first failover, and so on. Every sidecar computes the
//! same order from the same names, nothing is shared or remembered, and a changed weight moves only the conversations
//! that it must.
//!
//! The numbers are a contract between sidecars of all builds and architectures, held by `affinity/golden.json`:
//!
//! * The input is tenant, session, model name and the deployment's `namespace/name`, in this order, each as its length
//!   in bytes (64 bits, little-endian) followed by its UTF-8.
//! * The hash is 64-bit XXH3, seeded with [`SEED`]. The common prefix is laid out once a request and the name appended
//!   for each candidate: below 240 bytes hashing it all is faster than copying XXH3's 576-byte streaming state.
//! * The logarithm is `−log₂` in fixed point (`affinity/logarithm.rs`): another base scales all draws alike. Draws are
//!   compared by cross-multiplication, so no division rounds; equal draws go by name.

pub mod displaced;
mod input;
mod logarithm;
pub mod session;

use input::Input;
use logarithm::negative_log2;
use smallvec::SmallVec;
use std::cmp::Ordering;
use std::fmt;

/// The hash's key, ASCII `pilotfsh`: public and never changed, since a change would move every conversation.
pub const SEED: u64 = u64::from_le_bytes(*b"pilotfsh");

/// One deployment that may be chosen.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// `namespace/name`.
    pub name: &'a str,
    /// 0 is never chosen.
    pub weight: u32,
    /// A higher tier stands behind every lower one.
    pub tier: u32,
}

/// What a candidate drew; the lowest wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Score {
    /// `−log₂ u`, 57 fractional bits.
    log: u64,
    /// Never 0.
    weight: u32,
}

/// A candidate in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ranked {
    /// Its position among the candidates that were given.
    pub index: usize,
    /// Its tier.
    pub tier: u32,
    /// What it drew.
    pub score: Score,
}

/// The order in which a conversation tries its candidates; on the stack for up to eight.
pub type Order = SmallVec<[Ranked; 8]>;

/// One conversation of one tenant with one model name.
#[derive(Clone, Debug)]
pub struct Conversation {
    input: Input,
}

impl Conversation {
    /// `tenant` keeps equal ids of different tenants apart; `model` is the name the client asked for.
    pub fn new(tenant: &str, session: &str, model: &str) -> Self {
        Self {
            input: Input::new([tenant, session, model]),
        }
    }

    /// A key for memories about this conversation.
    pub fn key(&self) -> u64 {
        self.input.hash(SEED)
    }

    /// Ranks the candidates that have a weight: by tier, then by draw. No allocation for up to eight of them.
    pub fn rank<'a>(&mut self, candidates: impl IntoIterator<Item = Candidate<'a>>) -> Order {
        let mut drawn: SmallVec<[(Ranked, &str); 8]> = SmallVec::new();
        for (index, candidate) in candidates
            .into_iter()
            .enumerate()
            .filter(|(_, candidate)| candidate.weight > 0)
        {
            let score = Score {
                log: negative_log2(self.input.hash_with(candidate.name, SEED)),
                weight: candidate.weight,
            };
            drawn.push((
                Ranked {
                    index,
                    tier: candidate.tier,
                    score,
                },
                candidate.name,
            ));
        }
        drawn.sort_unstable_by(|(a, a_name), (b, b_name)| {
            (a.tier.cmp(&b.tier))
                .then(a.score.cmp(&b.score))
                .then(a_name.cmp(b_name))
                .then(a.index.cmp(&b.index))
        });
        drawn.into_iter().map(|(ranked, _)| ranked).collect()
    }
}

impl Ord for Score {
    fn cmp(&self, other: &Self) -> Ordering {
        let ours = u128::from(self.log) * u128::from(other.weight);
        ours.cmp(&(u128::from(other.log) * u128::from(self.weight)))
    }
}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// As `−ln u / weight`, rounded; for people, never for comparing.
impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let natural = self.log as f64 / logarithm::ONE as f64 * std::f64::consts::LN_2;
        write!(f, "{:.3e}", natural / f64::from(self.weight))
    }
}

#[cfg(test)]
mod tests;
