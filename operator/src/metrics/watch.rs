//! What is counted of each watch.

use super::families::Families;
use prometheus::{Gauge, GaugeVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec};
use std::sync::{Mutex, PoisonError};
use tokio::time::Instant;

/// The series of one watch.
pub struct WatchSeries {
    heard: Mutex<Instant>,
    age: Gauge,
    /// 1 once everything was listed.
    pub listed: IntGauge,
    /// How often it broke off or could not begin.
    pub failures: IntCounter,
    /// Objects of it that cannot be read at present.
    pub undecodable: IntGauge,
}

impl WatchSeries {
    /// The API server said something, if only that nothing is new.
    pub fn heard(&self, now: Instant) {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    pub(super) fn show_age(&self, now: Instant) {
        let heard = *self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        self.age.set(now.saturating_duration_since(heard).as_secs_f64());
    }
}

/// The families of all watches.
pub(super) struct WatchFamilies {
    age: GaugeVec,
    listed: IntGaugeVec,
    failures: IntCounterVec,
    undecodable: IntGaugeVec,
}

impl WatchFamilies {
    pub(super) fn new(families: &Families) -> Result<Self, prometheus::Error> {
        Ok(Self {
            age: families.float_gauges(
                "pilotfish_operator_watch_age_seconds",
                "Since the API server last said anything on the watch of the kind; bookmarks come at least every few minutes.",
                "kind",
            )?,
            listed: families.gauges(
                "pilotfish_operator_watch_listed",
                "1 once all objects of the kind were listed.",
                "kind",
                [],
            )?,
            failures: families.open_counters(
                "pilotfish_operator_watch_failures_total",
                "How often the watch on the kind broke off or could not begin.",
                "kind",
            )?,
            undecodable: families.gauges(
                "pilotfish_operator_watch_undecodable_objects",
                "Objects of the kind that cannot be read.",
                "kind",
                [],
            )?,
        })
    }

    pub(super) fn series(&self, kind: &str, now: Instant) -> WatchSeries {
        WatchSeries {
            heard: Mutex::new(now),
            age: self.age.with_label_values(&[kind]),
            listed: self.listed.with_label_values(&[kind]),
            failures: self.failures.with_label_values(&[kind]),
            undecodable: self.undecodable.with_label_values(&[kind]),
        }
    }
}
