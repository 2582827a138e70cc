//! When to look: once it has been quiet for a moment, and at the latest after a longer one.

use std::time::Duration;
use tokio::time::Instant;

/// `kubectl apply -f` of a directory is many changes and should be one configuration.
const QUIET: Duration = Duration::from_millis(100);
/// A cluster that never rests is still served.
const LONGEST: Duration = Duration::from_secs(1);

/// Changes that have not been looked at.
#[derive(Debug, Default)]
pub(super) struct Debounce {
    first: Option<Instant>,
    last: Option<Instant>,
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
        Some((last + QUIET).min(first + LONGEST))
    }

    /// All changes so far are being looked at.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
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
        debounce.clear();
        assert_eq!(debounce.due(), None);
    }
}
