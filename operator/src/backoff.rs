//! What failed is tried again, each thing at its own pace: what fails for ever holds up nothing else.

use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// Things that failed, and when each is due again. The pause doubles with each failure.
#[derive(Debug)]
pub(crate) struct Backoff<K> {
    first: Duration,
    longest: Duration,
    waiting: BTreeMap<K, Waiting>,
}

#[derive(Debug)]
struct Waiting {
    pause: Duration,
    due: Instant,
}

impl<K: Ord> Backoff<K> {
    /// Of nothing that failed yet.
    pub(crate) fn new(first: Duration, longest: Duration) -> Self {
        Self {
            first,
            longest,
            waiting: BTreeMap::new(),
        }
    }

    /// Whether `thing` may be tried at `now`.
    pub(crate) fn is_due<Q: Ord + ?Sized>(&self, thing: &Q, now: Instant) -> bool
    where
        K: std::borrow::Borrow<Q>,
    {
        self.waiting.get(thing).is_none_or(|waiting| waiting.due <= now)
    }

    /// `thing` failed at `now`. Whether for the first time.
    pub(crate) fn failed(&mut self, thing: K, now: Instant) -> bool {
        let before = self.waiting.get(&thing).map(|waiting| waiting.pause);
        let pause = before.map_or(self.first, |before| (before * 2).min(self.longest));
        let due = now + pause;
        self.waiting.insert(thing, Waiting { pause, due });
        before.is_none()
    }

    /// `thing` is done.
    pub(crate) fn succeeded<Q: Ord + ?Sized>(&mut self, thing: &Q)
    where
        K: std::borrow::Borrow<Q>,
    {
        self.waiting.remove(thing);
    }

    /// Forgets what need not be done any more.
    pub(crate) fn retain(&mut self, mut still: impl FnMut(&K) -> bool) {
        self.waiting.retain(|thing, _| still(thing));
    }

    /// How many things failed and were not done since.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Over when the first of them is due; never, where nothing failed.
    pub(crate) async fn due(&self) {
        match self.waiting.values().map(|waiting| waiting.due).min() {
            Some(due) => tokio::time::sleep_until(due).await,
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_waits_for_itself_and_longer_each_time() {
        let second = Duration::from_secs(1);
        let mut backoff = Backoff::new(second, 3 * second);
        let mut now = Instant::now();
        assert!(backoff.failed("a", now), "for the first time");
        for seconds in [1, 2, 3, 3] {
            let due = now + seconds * second;
            assert!(backoff.is_due("b", now));
            assert!(!backoff.is_due("a", due - second / 2), "due before {seconds} s");
            assert!(backoff.is_due("a", due), "not due after {seconds} s");
            now = due;
            assert!(!backoff.failed("a", now));
        }
        backoff.succeeded("a");
        assert_eq!(backoff.len(), 0);
        assert!(backoff.failed("a", now), "forgotten");
        backoff.retain(|_| false);
        assert_eq!(backoff.len(), 0);
    }
}
