//! The Grafana dashboard asks for what is there.

use crate::exposition::Exposition;
use anyhow::{Context, Result};
use pilotfish_provider::Step;
use pilotfish_tests::{Dialect, Pair};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What of a dashboard depends on the metrics.
#[derive(Default)]
pub(crate) struct Dashboard {
    pub(crate) expressions: Vec<String>,
    /// Labels that legends show, each with its expression.
    legends: Vec<(String, String)>,
    /// `label_values(metric, label)`.
    variables: Vec<(String, String)>,
}

impl Dashboard {
    pub(crate) fn read() -> Result<Self> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/grafana/pilotfish.json");
        let json: Value = serde_json::from_str(&std::fs::read_to_string(path)?)?;
        let mut dashboard = Self::default();
        dashboard.collect(&json);
        Ok(dashboard)
    }

    fn collect(&mut self, json: &Value) {
        if let Some(expression) = json["expr"].as_str() {
            self.expressions.push(expression.to_owned());
            let legend = json["legendFormat"].as_str().unwrap_or_default();
            let labels = legend
                .split("{{")
                .skip(1)
                .filter_map(|rest| Some(rest.split_once("}}")?.0.trim()));
            self.legends
                .extend(labels.map(|label| (expression.to_owned(), label.to_owned())));
        }
        let query = json["query"]
            .as_str()
            .and_then(|query| query.strip_prefix("label_values("));
        if let Some((metric, label)) = query.and_then(|query| query.strip_suffix(')')?.split_once(',')) {
            self.variables.push((metric.trim().to_owned(), label.trim().to_owned()));
        }
        match json {
            Value::Array(values) => values.iter().for_each(|value| self.collect(value)),
            Value::Object(fields) => fields.values().for_each(|value| self.collect(value)),
            _ => {}
        }
    }
}

/// What an expression names.
#[derive(Debug, Default, PartialEq, Eq)]
struct Named {
    /// Each with the labels that it is selected by.
    metrics: BTreeMap<String, BTreeSet<String>>,
    /// Those that stand behind `by`, `on` and the like.
    grouped: BTreeSet<String>,
}

const GROUPING: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];
const OPERATORS: [&str; 6] = ["and", "or", "unless", "bool", "offset", "atan2"];

/// Reads names and punctuation, and skips texts, numbers, durations and variables.
fn tokens(expression: &str) -> Vec<&str> {
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || "_:$".contains(letter);
    let mut tokens = Vec::new();
    let mut rest = expression.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if first == '"' {
            rest.match_indices('"').nth(1).map_or(rest.len(), |(end, _)| end + 1)
        } else if first == '[' {
            rest.find(']').map_or(rest.len(), |end| end + 1)
        } else if is_word(first) {
            rest.find(|letter| !is_word(letter)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (token, behind) = rest.split_at(length);
        if !token.starts_with(['"', '[', '$']) && !token.starts_with(|letter: char| letter.is_ascii_digit()) {
            tokens.push(token);
        }
        rest = behind.trim_start();
    }
    tokens
}

fn named(expression: &str) -> Named {
    let mut named = Named::default();
    let mut metric = String::new();
    let (mut selecting, mut grouping) = (false, false);
    let tokens = tokens(expression);
    let followed = tokens.iter().skip(1).chain([&""]);
    for (token, next) in tokens.iter().zip(followed) {
        match *token {
            "{" => selecting = true,
            "}" => selecting = false,
            ")" => grouping = false,
            word if !word.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_') => {}
            label if selecting => drop(
                named
                    .metrics
                    .entry(metric.clone())
                    .or_default()
                    .insert(label.to_owned()),
            ),
            label if grouping => drop(named.grouped.insert(label.to_owned())),
            word if GROUPING.contains(&word) => grouping = true,
            word if OPERATORS.contains(&word) || *next == "(" || GROUPING.contains(next) => {}
            name => {
                metric = name.to_owned();
                named.metrics.entry(name.to_owned()).or_default();
            }
        }
    }
    named
}

#[test]
fn names_are_found_in_an_expression() {
    let expression =
        "histogram_quantile(0.5, sum by (le, a) (rate(m_bucket{b=~\"$x\",c!=\"d\"}[5m]))) / on (e) n{} > 0 or o";
    let set = |labels: &[&str]| labels.iter().map(|label| (*label).to_owned()).collect::<BTreeSet<_>>();
    let metrics = [("m_bucket", set(&["b", "c"])), ("n", set(&[])), ("o", set(&[]))];
    let expected = Named {
        metrics: metrics.map(|(name, labels)| (name.to_owned(), labels)).into(),
        grouped: set(&["le", "a", "e"]),
    };
    assert_eq!(named(expression), expected);
}

#[tokio::test]
async fn every_name_of_the_dashboard_is_in_a_scrape() -> Result<()> {
    let pair = Pair::plain(Dialect::Chat).await?;
    pair.east.script([Step::normal(), Step::status(500)]);
    pair.ask().await?;
    pair.ask().await?;
    pair.stream().await?.events.rest().await?;
    let scrape = Exposition::of(&pair.pilotfish).await?;
    let labels = scrape.labels();
    let labels_of = |metric: &str| labels.get(metric).with_context(|| format!("no metric {metric}"));

    let dashboard = Dashboard::read()?;
    assert!(dashboard.expressions.len() > 10 && dashboard.variables.len() > 1);
    for expression in &dashboard.expressions {
        let named = named(expression);
        assert!(!named.metrics.is_empty(), "{expression}");
        for (metric, selected) in &named.metrics {
            let known = labels_of(metric)?;
            for label in selected.iter().chain(&named.grouped) {
                assert!(
                    known.contains(label.as_str()),
                    "{metric} has no label {label}: {expression}"
                );
            }
        }
    }
    for (expression, label) in &dashboard.legends {
        assert!(
            named(expression).grouped.contains(label),
            "{expression} has no {label} to show"
        );
    }
    for (metric, label) in &dashboard.variables {
        assert!(
            labels_of(metric)?.contains(label.as_str()),
            "{metric} has no label {label}"
        );
    }
    Ok(())
}
