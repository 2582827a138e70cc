//! Names, types and labels, which are an interface: dashboards and alerts are written against them.

use crate::exposition::Exposition;
use anyhow::Result;
use pilotfish_provider::Step;
use pilotfish_tests::{Dialect, Pair};
use std::collections::{BTreeMap, BTreeSet};

const GEN_AI: [&str; 4] = [
    "gen_ai_operation_name",
    "gen_ai_provider_name",
    "gen_ai_request_model",
    "gen_ai_response_model",
];

/// Every family, its type, and the labels of its series.
fn expected() -> BTreeMap<&'static str, (&'static str, BTreeSet<&'static str>)> {
    let gen_ai = |more: &'static [&'static str]| GEN_AI.iter().chain(more).copied().collect();
    let labels = |labels: &[&'static str]| labels.iter().copied().collect();
    [
        (
            "pilotfish_requests_total",
            "counter",
            labels(&["model", "deployment", "code", "dialect", "stream"]),
        ),
        (
            "pilotfish_attempts_total",
            "counter",
            labels(&["deployment", "outcome"]),
        ),
        (
            "pilotfish_failovers_total",
            "counter",
            labels(&["from", "to", "reason"]),
        ),
        (
            "pilotfish_translation_losses_total",
            "counter",
            labels(&["deployment", "grade"]),
        ),
        ("pilotfish_tokens_total", "counter", labels(&["deployment", "kind"])),
        ("pilotfish_cost_usd_total", "counter", labels(&["deployment"])),
        ("gen_ai_client_token_usage", "histogram", gen_ai(&["gen_ai_token_type"])),
        (
            "gen_ai_client_operation_duration_seconds",
            "histogram",
            gen_ai(&["error_type"]),
        ),
        ("gen_ai_server_time_to_first_token_seconds", "histogram", gen_ai(&[])),
        ("gen_ai_server_time_per_output_token_seconds", "histogram", gen_ai(&[])),
        ("pilotfish_overhead_seconds", "histogram", labels(&[])),
        ("pilotfish_requests_in_flight", "gauge", labels(&[])),
        ("pilotfish_held_bytes", "gauge", labels(&[])),
        ("pilotfish_tasks", "gauge", labels(&[])),
        ("pilotfish_kept_reasoning", "gauge", labels(&[])),
        ("pilotfish_kept_reasoning_bytes", "gauge", labels(&[])),
        ("pilotfish_connections", "gauge", labels(&["side"])),
        ("pilotfish_config_batches_total", "counter", labels(&[])),
        ("pilotfish_config_resources_total", "counter", labels(&[])),
        ("pilotfish_config_nacks_total", "counter", labels(&["kind"])),
        ("pilotfish_config_info", "gauge", labels(&["version"])),
        ("pilotfish_config_age_seconds", "gauge", labels(&[])),
    ]
    .into_iter()
    .map(|(name, kind, labels)| (name, (kind, labels)))
    .collect()
}

/// The families of a scrape, the three names of a histogram being one.
fn families(exposition: &Exposition) -> BTreeMap<&str, (&str, BTreeSet<&str>)> {
    let labels = exposition.labels();
    let of = |name: &str, kind| -> BTreeSet<&str> {
        let bucket = format!("{name}_bucket");
        let (name, without) = match kind {
            "histogram" => (bucket.as_str(), "le"),
            _ => (name, ""),
        };
        let labels = labels.get(name).into_iter().flatten().copied();
        labels.filter(|label| *label != without).collect()
    };
    exposition
        .types()
        .into_iter()
        .map(|(name, kind)| (name, (kind, of(name, kind))))
        .collect()
}

/// Series of counters and histograms that are not at zero, those of the configuration aside: it was received.
fn counted(exposition: &Exposition) -> Vec<&str> {
    let gauges: Vec<&str> = exposition
        .types()
        .into_iter()
        .filter_map(|(name, kind)| (kind == "gauge").then_some(name))
        .collect();
    let is_gauge = |line: &str| gauges.iter().any(|gauge| line.starts_with(gauge));
    exposition
        .series()
        .filter(|line| !is_gauge(line) && !line.starts_with("pilotfish_config_") && !line.ends_with(" 0"))
        .collect()
}

#[tokio::test]
async fn every_series_is_there_at_zero_before_the_first_request() -> Result<()> {
    let pair = Pair::plain(Dialect::Chat).await?;
    let before = Exposition::of(&pair.pilotfish).await?;
    assert_eq!(families(&before), expected());
    assert_eq!(counted(&before), Vec::<&str>::new());
    let series: BTreeSet<&str> = before.series().collect();
    let (east, west) = ("default/east", "default/west");
    let mut wanted = Vec::new();
    for deployment in [east, west] {
        wanted.push(format!("pilotfish_cost_usd_total{{deployment=\"{deployment}\"}} 0"));
        for kind in ["input", "cached_input", "output", "reasoning"] {
            wanted.push(format!(
                "pilotfish_tokens_total{{deployment=\"{deployment}\",kind=\"{kind}\"}} 0"
            ));
        }
        for outcome in ["ok", "limited", "connect", "server_error", "timeout", "cancelled"] {
            wanted.push(format!(
                "pilotfish_attempts_total{{deployment=\"{deployment}\",outcome=\"{outcome}\"}} 0"
            ));
        }
        for (dialect, stream) in [
            ("chat", "true"),
            ("chat", "false"),
            ("messages", "true"),
            ("embeddings", "false"),
        ] {
            wanted.push(format!(
                "pilotfish_requests_total{{code=\"200\",deployment=\"{deployment}\",dialect=\"{dialect}\",\
                 model=\"chat\",stream=\"{stream}\"}} 0"
            ));
        }
    }
    for (from, to) in [(east, west), (west, east)] {
        wanted.push(format!(
            "pilotfish_failovers_total{{from=\"{from}\",to=\"{to}\",reason=\"server_error\"}} 0"
        ));
    }
    wanted.push(
        "pilotfish_requests_total{code=\"404\",deployment=\"\",dialect=\"chat\",model=\"other\",stream=\"false\"} 0"
            .to_owned(),
    );
    for line in &wanted {
        assert!(series.contains(line.as_str()), "{line} is not there:\n{}", before.text);
    }

    // Nothing is added to the names by traffic.
    pair.east.script([Step::status(500), Step::status(400)]);
    for _ in 0..3 {
        pair.ask().await?;
    }
    pair.stream().await?.events.rest().await?;
    let after = Exposition::of(&pair.pilotfish).await?;
    assert_eq!(families(&after), expected());
    let config = pair
        .ask()
        .await?
        .header("x-pilotfish-config")
        .unwrap_or_default()
        .to_owned();
    assert!(
        after
            .text
            .contains(&format!("pilotfish_config_info{{version=\"{config}\"}} 1\n"))
    );
    Ok(())
}
