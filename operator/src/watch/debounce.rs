//! When to look: once it has been quiet for a moment, at the latest after a longer one, and never so often that looking is
//! most of what is done.

use std::time::Duration;
use tokio::time::Instant;

/// `kubectl apply -f` of a directory is many changes and should be one configuration.
const QUIET: Duration = Duration::from_millis(100);
/// A cluster that never rests is still served, well within the second that a status may take.
const LONGEST: Duration = Duration::from_millis(300);
/// How many times as long as a look takes nothing is looked at after it: a cluster of thousands leaves time for the rest.
/// No longer than [`LONGEST`], unless the look was.
const RESTS: u32 = 3;

/// Changes that have not been looked at.
#[derive(Debug, Default)]
pub(super) struct Debounce {
    first: Option<Instant>,
    last: Option<Instant>,
    /// Until when nothing is looked at.
    rest: Option<Instant>,
}

impl Debounce {
    /// Something changed.
    pub(super) fn touch(&mut self, now: Instant) {
        self.first.get_or_insert(now);
        self.last = Some(now);
    }

    /// When to look; `None`: nothing has changed.
    pub(super) fn due(&self) -> Option<Instant> {
        let (first, last) = (self.first?, self.last?);
        let due = (last + QUIET).min(first + LONGEST);
        Some(self.rest.map_or(due, |rest| rest.max(due)))
    }

    /// All changes so far were looked at, from `begun` to `ended`.
    pub(super) fn looked(&mut self, begun: Instant, ended: Instant) {
        let took = ended - begun;
        *self = Self {
            rest: Some(ended + (took * RESTS).min(LONGEST.max(took))),
            ..Self::default()
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_waits_for_quiet_but_not_for_ever() {
        let start = Instant::now();
        let mut debounce = Debounce::default();
        assert_eq!(debounce.due(), None);
        debounce.touch(start);
        assert_eq!(debounce.due(), Some(start + QUIET));
        for step in 1..=30 {
            debounce.touch(start + step * Duration::from_millis(50));
        }
        assert_eq!(debounce.due(), Some(start + LONGEST));
        debounce.looked(start + LONGEST, start + LONGEST);
        assert_eq!(debounce.due(), None);
    }

    #[test]
    fn a_long_look_leaves_time_for_the_rest_and_a_status_within_its_second() {
        for (took, rests) in [(0, 0), (20, 60), (150, 300), (1_000, 1_000)].map(|(took, rests)| (ms(took), ms(rests))) {
            let start = Instant::now();
            let mut debounce = Debounce::default();
            debounce.looked(start, start + took);
            debounce.touch(start + took);
            let due = (start + took + rests).max(start + took + QUIET);
            assert_eq!(debounce.due(), Some(due), "after {took:?}");
        }
    }

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }
}
