//! Which deployment takes a request without a session: all candidates are looked at, the lowest cost is first.
//!
//! ```text
//! cost = (in flight + 2 · e) · pressure / weight        e: exponential with mean 1, drawn anew for each candidate
//! ```
//!
//! Without load the draw alone decides, and the lowest of `e / weight` falls on each candidate with a probability in
//! proportion to its weight: the shares follow the weights. Under load the requests in flight outgrow the draw, and what
//! remains is the least busy deployment for its weight. A constant in the draw's place would send everything to the
//! heaviest while there is no load.
//!
//! Simulated: four deployments of 32 slots, service lognormal with mean 6 s, 0.7 of the nominal load, one three times
//! slower, in front of it 64 or 512 sidecars; and, for one sidecar, the share of an 80 % target whose first tokens have
//! a median of 0.5 s and a 99th percentile of 4 s, at 0.02, 0.1 and 1 request/s. *Seconds* stands for the mean that
//! jumps to each peak, at least 1.
//!
//! | cost × weight | p99 of first token, 64 / 512 | share of 80 | same, median 1.5 s beside 0.5 s |
//! |---|---|---|---|
//! | `e` (weighted random) | diverges | .79 .79 .79 | .79 .79 .79 |
//! | `(n + 1) · seconds` | 5 s / 50 s | .99 .93 .74 | .91 .68 .56 |
//! | `(n + e) · seconds` | 7 s / 58 s | .78 .74 .70 | .73 .60 .52 |
//! | `n + e` | 24 s / 176 s | .79 .76 .78 | .79 .76 .77 |
//! | `(n + e) · pressure` | 9 s / 163 s | .79 .76 .77 | .79 .75 .76 |
//! | **`(n + 2e) · pressure`** | 10 s / 218 s | .80 .78 .78 | .80 .78 .76 |
//!
//! With 512 sidecars each sees a request in half a minute, and no local rule knows enough: that is for pooled health.

use super::Load;
use smallvec::SmallVec;

/// One deployment that may be chosen.
#[derive(Clone, Copy, Debug)]
pub struct Contender {
    /// 0 is never chosen.
    pub weight: u32,
    /// A higher tier stands behind every lower one.
    pub tier: u32,
    /// How busy it is.
    pub load: Load,
}

/// A contender in its place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// Its position among the contenders that were given.
    pub index: usize,
    /// Its tier.
    pub tier: u32,
    /// Lower is earlier.
    pub cost: f64,
}

/// The draw's mean, in requests. With less the shares follow the weights less well while little is in flight; with more
/// it takes more load until the least busy deployment is found.
const DRAW: f64 = 2.0;

/// Orders the contenders that have a weight: by tier, then by cost. `random` yields uniformly distributed bits. No
/// allocation for up to eight.
pub fn choose(
    contenders: impl IntoIterator<Item = Contender>,
    mut random: impl FnMut() -> u64,
) -> SmallVec<[Choice; 8]> {
    let mut order: SmallVec<[Choice; 8]> = SmallVec::new();
    for (index, contender) in contenders
        .into_iter()
        .enumerate()
        .filter(|(_, contender)| contender.weight > 0)
    {
        order.push(Choice {
            index,
            tier: contender.tier,
            cost: contender.cost(random()),
        });
    }
    order.sort_unstable_by(|a, b| a.tier.cmp(&b.tier).then(a.cost.total_cmp(&b.cost)));
    order
}

impl Contender {
    fn cost(&self, random: u64) -> f64 {
        let Load { in_flight, pressure } = self.load;
        (f64::from(in_flight) + DRAW * exponential(random)) * pressure / f64::from(self.weight)
    }
}

/// An exponential draw with mean 1, from 52 of the bits: with 53 the largest would round to 0.
fn exponential(random: u64) -> f64 {
    -(((random >> 12) as f64 + 0.5) / (1_u64 << 52) as f64).ln()
}

#[cfg(test)]
mod tests;
