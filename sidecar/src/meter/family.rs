//! Series of one name, by their labels, and the text that shows them.
//!
//! A series is kept under the values of its labels: one string, made when the series is, is all that it holds beside its
//! own value. The rest of what is written is the family's.

use super::value::Value;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Series of one name, with `N` labels each.
pub(crate) struct Family<V, const N: usize>(Arc<Members<V, N>>);

struct Members<V, const N: usize> {
    name: &'static str,
    help: &'static str,
    labels: [&'static str; N],
    /// In which the labels are written: by name.
    order: [usize; N],
    buckets: &'static [f64],
    /// By their labels' values as they are written, each with [`END`] behind it.
    series: Mutex<BTreeMap<Box<str>, V>>,
}

/// Ends a label's value: a line break would be escaped in it.
const END: char = '\n';

/// What can be shown, whatever its series are.
pub(super) trait Exposed: Send + Sync {
    /// Writes its series in the text format, version 0.0.4; nothing while there are none.
    fn expose(&self, out: &mut String);
}

impl<V, const N: usize> Clone for Family<V, N> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<V: Value, const N: usize> Family<V, N> {
    pub(super) fn new(
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
        buckets: &'static [f64],
    ) -> Self {
        let mut order = std::array::from_fn(|place| place);
        order.sort_by_key(|place: &usize| labels[*place]);
        Self(Arc::new(Members {
            name,
            help,
            labels,
            order,
            buckets,
            series: Mutex::default(),
        }))
    }

    /// The series with these values of the labels, in the order in which the labels were named; begun at zero if there
    /// is none.
    pub(crate) fn with(&self, values: &[&str; N]) -> V {
        let mut key = String::new();
        for place in self.0.order {
            escape(values[place], &mut key);
            key.push(END);
        }
        let mut series = self.series();
        if let Some(found) = series.get(&*key) {
            return found.clone();
        }
        let new = V::new(self.0.buckets);
        series.insert(key.into(), new.clone());
        new
    }

    /// Forgets all series.
    pub(super) fn reset(&self) {
        self.series().clear();
    }

    fn series(&self) -> MutexGuard<'_, BTreeMap<Box<str>, V>> {
        self.0.series.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The labels of the series that is kept under `key`, without their braces.
    fn labels(&self, key: &str) -> String {
        let names = self.0.order.iter().map(|place| self.0.labels[*place]);
        let mut text = String::new();
        for (name, value) in names.zip(key.split(END)) {
            let gap = if text.is_empty() { "" } else { "," };
            text.extend([gap, name, "=\"", value, "\""]);
        }
        text
    }
}

impl<V: Value + Send + Sync, const N: usize> Exposed for Family<V, N> {
    fn expose(&self, out: &mut String) {
        let Members { name, help, .. } = &*self.0;
        let series = self.series();
        if series.is_empty() {
            return;
        }
        writeln!(out, "# HELP {name} {help}\n# TYPE {name} {}", V::KIND).expect("writing to a string cannot fail");
        for (key, value) in &*series {
            value.write(name, &self.labels(key), out);
        }
    }
}

/// Names come from resources, which may be called nearly anything.
fn escape(value: &str, out: &mut String) {
    for character in value.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            other => out.push(other),
        }
    }
}
