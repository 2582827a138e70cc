//! Families: made and registered, with the buckets of their histograms.

use super::family::{Exposed, Family};
use super::outcomes::Outcomes;
use super::value::{Counter, Gauge, Histogram, IntCounter, IntGauge, Value};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Makes families, and shows them in the order of their names.
#[derive(Default)]
pub(super) struct Families {
    registered: Mutex<BTreeMap<&'static str, Box<dyn Exposed>>>,
}

impl Families {
    /// The text of all of them.
    pub(super) fn exposition(&self) -> String {
        let mut text = String::new();
        for family in self.registered.lock().unwrap_or_else(PoisonError::into_inner).values() {
            family.expose(&mut text);
        }
        text
    }

    pub(super) fn int_counters<const N: usize>(
        &self,
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
    ) -> Family<IntCounter, N> {
        self.register(name, help, labels, &[])
    }

    pub(super) fn outcomes<const LEADING_ON: bool, const N: usize>(
        &self,
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
    ) -> Family<Outcomes<LEADING_ON>, N> {
        self.register(name, help, labels, &[])
    }

    pub(super) fn counters<const N: usize>(
        &self,
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
    ) -> Family<Counter, N> {
        self.register(name, help, labels, &[])
    }

    pub(super) fn histograms<const N: usize>(
        &self,
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
        buckets: &'static [f64],
    ) -> Family<Histogram, N> {
        self.register(name, help, labels, buckets)
    }

    pub(super) fn int_gauges<const N: usize>(
        &self,
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
    ) -> Family<IntGauge, N> {
        self.register(name, help, labels, &[])
    }

    pub(super) fn histogram(&self, name: &'static str, help: &'static str, buckets: &'static [f64]) -> Histogram {
        self.register(name, help, [], buckets).with(&[])
    }

    pub(super) fn int_counter(&self, name: &'static str, help: &'static str) -> IntCounter {
        self.register(name, help, [], &[]).with(&[])
    }

    pub(super) fn int_gauge(&self, name: &'static str, help: &'static str) -> IntGauge {
        self.register(name, help, [], &[]).with(&[])
    }

    pub(super) fn gauge(&self, name: &'static str, help: &'static str) -> Gauge {
        self.register(name, help, [], &[]).with(&[])
    }

    fn register<V: Value + Send + Sync + 'static, const N: usize>(
        &self,
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
        buckets: &'static [f64],
    ) -> Family<V, N> {
        let family = Family::new(name, help, labels, buckets);
        let mut registered = self.registered.lock().unwrap_or_else(PoisonError::into_inner);
        registered.insert(name, Box::new(family.clone()));
        family
    }
}

// The buckets that OpenTelemetry's GenAI semantic conventions advise.
pub(super) const TOKEN_BUCKETS: &[f64] = &[
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1024.0,
    4096.0,
    16384.0,
    65536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];
pub(super) const DURATION_BUCKETS: &[f64] = &[
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];
pub(super) const FIRST_TOKEN_BUCKETS: &[f64] = &[
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];
pub(super) const PER_TOKEN_BUCKETS: &[f64] = &[0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5];
/// From a request that costs nothing to one that copies megabytes.
pub(super) const OVERHEAD_BUCKETS: &[f64] = &[
    0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05,
];
