//! A scrape as text, and the names in it.

use anyhow::{Context, Result, ensure};
use pilotfish_tests::Pilotfish;
use std::collections::{BTreeMap, BTreeSet};

/// What one scrape of `/metrics` says.
pub(crate) struct Exposition {
    pub(crate) text: String,
}

impl Exposition {
    pub(crate) async fn of(pilotfish: &Pilotfish) -> Result<Self> {
        let answer = reqwest::get(format!("http://{}/metrics", pilotfish.telemetry())).await?;
        let kind = answer.headers().get("content-type").context("a scrape has a type")?;
        ensure!(kind == "text/plain; version=0.0.4; charset=utf-8", "{kind:?}");
        Ok(Self {
            text: answer.text().await?,
        })
    }

    /// Lines that are series.
    pub(crate) fn series(&self) -> impl Iterator<Item = &str> {
        let is_series = |line: &&str| !line.starts_with('#') && !line.is_empty();
        self.text.lines().filter(is_series)
    }

    /// The labels of the series of each name, `_bucket`, `_sum` and `_count` being names of their own.
    pub(crate) fn labels(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut labels: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for line in self.series() {
            let (series, _) = line.rsplit_once(' ').unwrap_or((line, ""));
            let (name, inside) = series.split_once('{').unwrap_or((series, ""));
            // No value in these tests holds a quote.
            let names = inside.split("\",").filter_map(|pair| Some(pair.split_once("=\"")?.0));
            labels.entry(name).or_default().extend(names);
        }
        labels
    }

    /// Families and their types.
    pub(crate) fn types(&self) -> BTreeMap<&str, &str> {
        let types = self.text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        types.filter_map(|line| line.split_once(' ')).collect()
    }
}
