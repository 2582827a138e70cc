//! What is counted and set: shared between whoever counts and whoever reads. Each is one allocation or two, as there are
//! thousands of them in a sidecar that does nothing.

use std::fmt::{Display, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// What a family has one of for each combination of its labels.
pub(super) trait Value: Clone {
    /// Its name in the exposition format.
    const KIND: &'static str;

    /// At zero. Only histograms have buckets.
    fn new(buckets: &'static [f64]) -> Self;

    /// Writes its lines; `labels` are without their braces.
    fn write(&self, name: &str, labels: &str, out: &mut String);
}

/// Only grows.
#[derive(Clone, Debug, Default)]
pub(crate) struct IntCounter(Arc<AtomicU64>);

/// Only grows, by fractions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counter(Arc<Sum>);

/// Goes up and down.
#[derive(Clone, Debug, Default)]
pub struct IntGauge(Arc<AtomicI64>);

/// Goes up and down, by fractions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gauge(Arc<Sum>);

/// How often values were how large.
#[derive(Clone, Debug)]
pub(crate) struct Histogram(Arc<Observed>);

#[derive(Debug)]
struct Observed {
    bounds: &'static [f64],
    /// Of values up to each bound and above the one before; one more for those above all.
    counts: Box<[AtomicU64]>,
    sum: Sum,
}

/// A float, as its bits.
#[derive(Debug, Default)]
struct Sum(AtomicU64);

impl Sum {
    fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }

    fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Ordering::Relaxed);
    }

    fn add(&self, value: f64) {
        let mut before = self.0.load(Ordering::Relaxed);
        loop {
            let after = (f64::from_bits(before) + value).to_bits();
            match self
                .0
                .compare_exchange_weak(before, after, Ordering::Relaxed, Ordering::Relaxed)
            {
                Ok(_) => return,
                Err(found) => before = found,
            }
        }
    }
}

impl IntCounter {
    pub(crate) fn inc(&self) {
        self.inc_by(1);
    }

    pub(crate) fn inc_by(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counter {
    pub(crate) fn inc_by(&self, value: f64) {
        self.0.add(value);
    }
}

impl IntGauge {
    /// One more.
    pub fn inc(&self) {
        self.add(1);
    }

    /// One less.
    pub fn dec(&self) {
        self.sub(1);
    }

    /// So many more.
    pub fn add(&self, count: i64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// So many less.
    pub fn sub(&self, count: i64) {
        self.0.fetch_sub(count, Ordering::Relaxed);
    }

    /// So many.
    pub fn set(&self, count: i64) {
        self.0.store(count, Ordering::Relaxed);
    }

    /// How many.
    pub fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Gauge {
    pub(crate) fn set(&self, value: f64) {
        self.0.set(value);
    }
}

impl Histogram {
    pub(crate) fn observe(&self, value: f64) {
        let Observed { bounds, counts, sum } = &*self.0;
        let within = bounds.iter().position(|bound| value <= *bound);
        counts[within.unwrap_or(bounds.len())].fetch_add(1, Ordering::Relaxed);
        sum.add(value);
    }
}

impl Value for IntCounter {
    const KIND: &'static str = "counter";

    fn new(_: &'static [f64]) -> Self {
        Self::default()
    }

    fn write(&self, name: &str, labels: &str, out: &mut String) {
        line(out, name, labels, self.get());
    }
}

impl Value for Counter {
    const KIND: &'static str = "counter";

    fn new(_: &'static [f64]) -> Self {
        Self::default()
    }

    fn write(&self, name: &str, labels: &str, out: &mut String) {
        line(out, name, labels, self.0.get());
    }
}

impl Value for IntGauge {
    const KIND: &'static str = "gauge";

    fn new(_: &'static [f64]) -> Self {
        Self::default()
    }

    fn write(&self, name: &str, labels: &str, out: &mut String) {
        line(out, name, labels, self.get());
    }
}

impl Value for Gauge {
    const KIND: &'static str = "gauge";

    fn new(_: &'static [f64]) -> Self {
        Self::default()
    }

    fn write(&self, name: &str, labels: &str, out: &mut String) {
        line(out, name, labels, self.0.get());
    }
}

impl Value for Histogram {
    const KIND: &'static str = "histogram";

    fn new(buckets: &'static [f64]) -> Self {
        let counts = (0..=buckets.len()).map(|_| AtomicU64::new(0)).collect();
        Self(Arc::new(Observed {
            bounds: buckets,
            counts,
            sum: Sum::default(),
        }))
    }

    /// A bucket counts all that is within its bound, also what is within smaller ones.
    fn write(&self, name: &str, labels: &str, out: &mut String) {
        let Observed { bounds, counts, sum } = &*self.0;
        let gap = if labels.is_empty() { "" } else { "," };
        let above_all = f64::INFINITY;
        let mut so_far = 0;
        for (bound, count) in bounds.iter().chain([&above_all]).zip(counts) {
            so_far += count.load(Ordering::Relaxed);
            let bound = if bound.is_finite() {
                bound.to_string()
            } else {
                "+Inf".to_owned()
            };
            line(
                out,
                &format!("{name}_bucket"),
                &format!("{labels}{gap}le=\"{bound}\""),
                so_far,
            );
        }
        line(out, &format!("{name}_sum"), labels, sum.get());
        line(out, &format!("{name}_count"), labels, so_far);
    }
}

/// One line of the text.
pub(super) fn line(out: &mut String, name: &str, labels: &str, value: impl Display) {
    let written = if labels.is_empty() {
        writeln!(out, "{name} {value}")
    } else {
        writeln!(out, "{name}{{{labels}}} {value}")
    };
    written.expect("writing to a string cannot fail");
}
