//! When each status is written: soon after a condition changed, later where only figures did, and later still where
//! writing has failed.

use super::Id;
use super::published::Difference;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// Acks follow an edit within a moment; one write says both.
const SOON: Duration = Duration::from_millis(150);
/// While pods come and go, figures change all the time.
const LATER: Duration = Duration::from_secs(5);
/// After a failure, doubled by each further one.
const FIRST_BACKOFF: Duration = Duration::from_millis(500);
/// At most.
const LONGEST_BACKOFF: Duration = Duration::from_secs(30);

/// What is to be written, and when.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    due: BTreeMap<Id, Instant>,
    failed: BTreeMap<Id, Failed>,
}

/// A write that came to nothing.
#[derive(Debug)]
struct Failed {
    /// The `resourceVersion` that was seen then. When it changes, so may the outcome.
    version: String,
    times: u32,
    until: Instant,
}

impl Schedule {
    /// The status of `id`, whose object is seen in `version`, differs thus from what is written, or not at all.
    pub(super) fn note(&mut self, id: &Id, version: &str, difference: Option<Difference>, now: Instant) {
        let Some(difference) = difference else {
            self.due.remove(id);
            self.failed.remove(id);
            return;
        };
        let wait = match difference {
            Difference::Condition => SOON,
            Difference::Figures => LATER,
        };
        let due = self.due.entry(id.clone()).or_insert(now + wait);
        *due = (*due).min(now + wait);
        if self.failed.get(id).is_some_and(|failed| failed.version != version) {
            self.failed.remove(id);
        }
    }

    /// Since when `id` has been to be written, if it is now.
    pub(super) fn due_since(&self, id: &Id, now: Instant) -> Option<Instant> {
        let waits = self.failed.get(id).is_some_and(|failed| now < failed.until);
        self.due.get(id).copied().filter(|due| !waits && *due <= now)
    }

    /// It is being written: what differs from now on differs anew.
    pub(super) fn begun(&mut self, id: &Id) {
        self.due.remove(id);
    }

    /// It could not be written while its object was seen in `version`.
    pub(super) fn failed(&mut self, id: &Id, version: &str, now: Instant) {
        let times = self.failed.get(id).map_or(0, |failed| failed.times);
        let wait = FIRST_BACKOFF * 2u32.saturating_pow(times.min(16));
        let failed = Failed {
            version: version.to_owned(),
            times: times + 1,
            until: now + wait.min(LONGEST_BACKOFF),
        };
        self.failed.insert(id.clone(), failed);
    }

    /// When the next one is due.
    pub(super) fn next(&self) -> Option<Instant> {
        let when = |(id, due): (&Id, &Instant)| self.failed.get(id).map_or(*due, |failed| failed.until.max(*due));
        self.due.iter().map(when).min()
    }

    /// Forgets what no longer exists.
    pub(super) fn retain(&mut self, exists: impl Fn(&Id) -> bool) {
        self.due.retain(|id, _| exists(id));
        self.failed.retain(|id, _| exists(id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Subject;
    use crate::world::ObjectName;

    fn id() -> Id {
        (Subject::RoutingPolicy, ObjectName::new("shop", "chat"))
    }

    fn after(start: Instant, ms: u64) -> Instant {
        start + Duration::from_millis(ms)
    }

    #[test]
    fn conditions_are_written_soon_and_figures_later() {
        let start = Instant::now();
        let mut schedule = Schedule::default();
        schedule.note(&id(), "1", Some(Difference::Figures), start);
        schedule.note(&id(), "1", Some(Difference::Figures), after(start, 4000));
        assert!(schedule.due_since(&id(), after(start, 4999)).is_none());
        assert!(schedule.due_since(&id(), after(start, 5000)).is_some());
        schedule.note(&id(), "1", Some(Difference::Condition), after(start, 1000));
        assert_eq!(schedule.next(), Some(after(start, 1150)));
        schedule.note(&id(), "1", None, after(start, 1050));
        assert_eq!(schedule.next(), None);
    }

    #[test]
    fn a_change_that_goes_on_is_not_put_off() {
        let start = Instant::now();
        let mut schedule = Schedule::default();
        for step in 0..10 {
            schedule.note(&id(), "1", Some(Difference::Condition), after(start, step * 20));
        }
        assert_eq!(schedule.next(), Some(after(start, 150)));
    }

    #[test]
    fn what_failed_waits_longer_each_time_until_the_object_changes() {
        let start = Instant::now();
        let mut schedule = Schedule::default();
        let mut now = start;
        for expected in [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000] {
            schedule.note(&id(), "1", Some(Difference::Condition), now);
            schedule.begun(&id());
            schedule.failed(&id(), "1", now);
            schedule.note(&id(), "1", Some(Difference::Condition), now);
            assert_eq!(schedule.next(), Some(after(now, expected)));
            assert!(schedule.due_since(&id(), after(now, expected - 1)).is_none());
            now = after(now, expected);
            assert!(schedule.due_since(&id(), now).is_some());
        }
        schedule.failed(&id(), "1", now);
        schedule.note(&id(), "2", Some(Difference::Condition), now);
        assert!(schedule.due_since(&id(), after(now, 150)).is_some());
    }

    #[test]
    fn what_does_not_exist_is_not_written() {
        let mut schedule = Schedule::default();
        schedule.note(&id(), "1", Some(Difference::Condition), Instant::now());
        schedule.retain(|_| false);
        assert_eq!(schedule.next(), None);
    }
}
