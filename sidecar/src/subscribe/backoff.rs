//! How long to wait before the operator is called again.

use std::time::Duration;

/// What the first wait is drawn from.
const FIRST: Duration = Duration::from_millis(100);
/// What no wait exceeds.
const LONGEST: Duration = Duration::from_secs(15);

/// Full jitter: each wait is drawn evenly from nothing up to a bound that doubles. A fleet that lost its operator at one
/// moment does not come back at one moment.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The next wait; `draw` is even in 0.0 to 1.0.
    pub(super) fn next(&mut self, draw: f64) -> Duration {
        let bound = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures += 1;
        bound.mul_f64(draw.clamp(0.0, 1.0))
    }

    /// It went well: the next wait is a first one.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_doubles_from_100_ms_to_15_s_and_a_success_resets_it() {
        let mut backoff = Backoff::default();
        let millis: Vec<_> = (0..10).map(|_| backoff.next(1.0).as_millis()).collect();
        assert_eq!(millis, [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 15_000, 15_000]);
        assert_eq!(backoff.next(0.0), Duration::ZERO);
        assert_eq!(backoff.next(0.5), Duration::from_millis(7500));
        for _ in 0..100 {
            assert!(backoff.next(1.0) <= LONGEST);
        }
        backoff.reset();
        assert_eq!(backoff.next(1.0), FIRST);
    }
}
