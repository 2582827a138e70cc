//! One counter for each outcome. They are nearly half of all series, and most stay at zero: together they take the room
//! of one, and the outcome is a label that they write themselves, as histograms write their bounds.

use super::Outcome;
use super::value::{Value, line};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How upstream calls ended.
pub(crate) type Attempts = Outcomes<false>;

/// Why requests left one deployment for another.
pub(crate) type Failovers = Outcomes<true>;

/// Counters by outcome; of all, or of those that lead on.
#[derive(Clone, Debug)]
pub(crate) struct Outcomes<const LEADING_ON: bool>(Arc<[AtomicU64; Outcome::ALL.len()]>);

impl<const LEADING_ON: bool> Outcomes<LEADING_ON> {
    pub(crate) fn count(&self, outcome: Outcome) {
        self.0[outcome as usize].fetch_add(1, Ordering::Relaxed);
    }
}

impl<const LEADING_ON: bool> Value for Outcomes<LEADING_ON> {
    const KIND: &'static str = "counter";

    fn new(_: &'static [f64]) -> Self {
        Self(Arc::new(std::array::from_fn(|_| AtomicU64::new(0))))
    }

    fn write(&self, name: &str, labels: &str, out: &mut String) {
        let (label, shown): (&str, &[Outcome]) = match LEADING_ON {
            true => ("reason", &Outcome::LEADING_ON),
            false => ("outcome", &Outcome::ALL),
        };
        for outcome in shown {
            let count = self.0[*outcome as usize].load(Ordering::Relaxed);
            line(out, name, &format!("{labels},{label}=\"{}\"", outcome.label()), count);
        }
    }
}
