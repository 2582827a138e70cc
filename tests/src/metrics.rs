//! A scrape of `/metrics`, to be asked for sums of series.

use anyhow::{Context, Result};
use std::collections::BTreeMap;

/// Every series and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Metrics {
    series: Vec<Series>,
}

#[derive(Clone, Debug, PartialEq)]
struct Series {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

impl Metrics {
    /// Reads Prometheus' text format.
    pub fn parse(text: &str) -> Result<Self> {
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let series = lines.map(|line| Series::parse(line).with_context(|| format!("not a sample: {line}")));
        Ok(Self {
            series: series.collect::<Result<_>>()?,
        })
    }

    /// The sum of all series of this name that have these labels; 0 when there is none.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.matching(name, labels).map(|series| series.value).sum()
    }

    /// The number of series of this name that have these labels.
    pub fn count(&self, name: &str, labels: &[(&str, &str)]) -> usize {
        self.matching(name, labels).count()
    }

    /// The labels of every series of this name that is not 0, `label` alone, with its value.
    pub fn by(&self, name: &str, label: &str) -> BTreeMap<String, f64> {
        let mut sums = BTreeMap::new();
        for series in self.matching(name, &[]).filter(|series| series.value != 0.0) {
            let key = series.labels.get(label).cloned().unwrap_or_default();
            *sums.entry(key).or_insert(0.0) += series.value;
        }
        sums
    }

    fn matching<'a>(&'a self, name: &'a str, labels: &'a [(&'a str, &'a str)]) -> impl Iterator<Item = &'a Series> {
        self.series.iter().filter(move |series| {
            series.name == name
                && labels
                    .iter()
                    .all(|(label, value)| series.labels.get(*label).is_some_and(|known| known == value))
        })
    }
}

impl Series {
    fn parse(line: &str) -> Option<Self> {
        let (series, value) = line.rsplit_once(' ')?;
        let (name, labels) = match series.split_once('{') {
            Some((name, rest)) => (name, parse_labels(rest.strip_suffix('}')?)?),
            None => (series, BTreeMap::new()),
        };
        Some(Self {
            name: name.to_owned(),
            labels,
            value: value.parse().ok()?,
        })
    }
}

/// `a="b",c="d\"e"`
fn parse_labels(text: &str) -> Option<BTreeMap<String, String>> {
    let mut labels = BTreeMap::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (name, quoted) = rest.split_once("=\"")?;
        let mut value = String::new();
        let mut letters = quoted.char_indices();
        let end = loop {
            match letters.next()? {
                (_, '\\') => match letters.next()?.1 {
                    'n' => value.push('\n'),
                    escaped => value.push(escaped),
                },
                (at, '"') => break at,
                (_, letter) => value.push(letter),
            }
        };
        labels.insert(name.trim_start_matches(',').to_owned(), value);
        rest = quoted.get(end + 1..)?;
    }
    Some(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_summed_by_the_labels_that_are_asked_for() {
        let text = "# HELP a b\na_total{x=\"1\",y=\"p,q\"} 2\na_total{x=\"1\",y=\"\\\"\"} 3\nb 4.5\n";
        let metrics = Metrics::parse(text).unwrap();
        assert_eq!(metrics.sum("a_total", &[]), 5.0);
        assert_eq!(metrics.sum("a_total", &[("x", "1"), ("y", "\"")]), 3.0);
        assert_eq!(metrics.count("a_total", &[("y", "p,q")]), 1);
        assert_eq!(metrics.sum("b", &[]), 4.5);
        assert_eq!(metrics.by("a_total", "x"), BTreeMap::from([("1".to_owned(), 5.0)]));
        assert!(Metrics::parse("nonsense").is_err());
    }
}
