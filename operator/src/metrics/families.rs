//! Families: made, registered, and begun at zero.

use prometheus::core::Collector;
use prometheus::{
    GaugeVec, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
};

/// From a handful of objects to the 500 policies and 2,000 pods of a large cluster.
pub(super) const COMPILE_BUCKETS: &[f64] = &[0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0];

type Made<F> = Result<F, prometheus::Error>;

/// Makes and registers families.
#[derive(Default)]
pub(super) struct Families {
    pub(super) registry: Registry,
}

impl Families {
    fn register<C: Collector + Clone + 'static>(&self, family: C) -> Made<C> {
        self.registry.register(Box::new(family.clone()))?;
        Ok(family)
    }

    pub(super) fn counter(&self, name: &str, help: &str) -> Made<IntCounter> {
        self.register(IntCounter::new(name, help)?)
    }

    /// One counter for each of `values`.
    pub(super) fn counters<const N: usize>(
        &self,
        name: &str,
        help: &str,
        label: &str,
        values: [&str; N],
    ) -> Made<IntCounterVec> {
        let family = self.register(IntCounterVec::new(Opts::new(name, help), &[label])?)?;
        for value in values {
            family.with_label_values(&[value]);
        }
        Ok(family)
    }

    /// One counter for each pair of values.
    pub(super) fn counter_pairs(
        &self,
        name: &str,
        help: &str,
        labels: [&str; 2],
        (firsts, seconds): (&[&str], &[&str]),
    ) -> Made<IntCounterVec> {
        let family = self.register(IntCounterVec::new(Opts::new(name, help), &labels)?)?;
        for first in firsts {
            for second in seconds {
                family.with_label_values(&[first, second]);
            }
        }
        Ok(family)
    }

    /// Counters whose label values come later.
    pub(super) fn open_counters(&self, name: &str, help: &str, label: &str) -> Made<IntCounterVec> {
        self.counters(name, help, label, [])
    }

    pub(super) fn gauge(&self, name: &str, help: &str) -> Made<IntGauge> {
        self.register(IntGauge::new(name, help)?)
    }

    /// One gauge for each of `values`.
    pub(super) fn gauges<const N: usize>(
        &self,
        name: &str,
        help: &str,
        label: &str,
        values: [&str; N],
    ) -> Made<IntGaugeVec> {
        let family = self.register(IntGaugeVec::new(Opts::new(name, help), &[label])?)?;
        for value in values {
            family.with_label_values(&[value]);
        }
        Ok(family)
    }

    /// Gauges of fractions, whose label values come later.
    pub(super) fn float_gauges(&self, name: &str, help: &str, label: &str) -> Made<GaugeVec> {
        self.register(GaugeVec::new(Opts::new(name, help), &[label])?)
    }

    pub(super) fn histogram(&self, name: &str, help: &str, buckets: &[f64]) -> Made<Histogram> {
        let options = HistogramOpts::new(name, help).buckets(buckets.to_vec());
        self.register(Histogram::with_opts(options)?)
    }
}
