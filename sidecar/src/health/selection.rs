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
//! slower, 64 sidecars; and, for one sidecar, the share of an 80 % target whose first tokens have a median of 0.5 s and
//! a 99th percentile of 4 s, at 0.02, 0.1 and 1 request/s.
//!
//! | cost | p99 of first token | share of 80 | of 80, thrice as slow by nature |
//! |---|---|---|---|
//! | weighted random | diverges | .80 .80 .80 | .80 .80 .80 |
//! | `(n + 1)`, peak mean in seconds | 5 s | .99 .92 .72 | .91 .67 .53 |
//! | `(n + e)`, peak mean in seconds | 5–7 s | .78 .73 .71 | .73 .59 .53 |
//! | `(n + e)` alone | 24 s | .79 .76 .78 | .79 .76 .77 |
//! | `(n + e)`, pressure | 8.5 s | .79 .76 .77 | .79 .75 .76 |
//! | **`(n + 2e)`, pressure** | 9.5 s | .80 .78 .78 | .80 .78 .76 |

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

/// The draw's mean, in requests. One would follow DESIGN's letter and weights less well while little is in flight.
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

/// An exponential draw with mean 1, from 53 of the bits.
fn exponential(random: u64) -> f64 {
    -(((random >> 11) as f64 + 0.5) / (1_u64 << 53) as f64).ln()
}

#[cfg(test)]
mod tests;
