//! What is counted of the stream: names and types are an interface, and all of it is there before anything happened.

use crate::scene::Scene;
use anyhow::Result;
use std::collections::BTreeSet;

const SERIES: [&str; 13] = [
    "pilotfish_client_certificate_expiry_timestamp_seconds",
    "pilotfish_last_good_ignored_total",
    "pilotfish_last_good_timestamp_seconds",
    "pilotfish_last_good_write_failures_total",
    "pilotfish_config_stream_connected",
    "pilotfish_config_stream_connects_total{result=\"connected\"}",
    "pilotfish_config_stream_connects_total{result=\"protocol\"}",
    "pilotfish_config_stream_connects_total{result=\"refused\"}",
    "pilotfish_config_stream_connects_total{result=\"tls\"}",
    "pilotfish_config_stream_connects_total{result=\"unreachable\"}",
    "pilotfish_config_stream_ends_total{reason=\"ended\"}",
    "pilotfish_config_stream_ends_total{reason=\"lost\"}",
    "pilotfish_config_stream_ends_total{reason=\"protocol\"}",
];

#[tokio::test]
async fn every_series_is_there_before_the_operator_is_reached() -> Result<()> {
    let mut scene = Scene::new().await?;
    scene.stop().await?;
    let sidecar = scene.sidecar().await?;
    let url = format!("http://{}/metrics", sidecar.telemetry());
    let text = reqwest::get(url).await?.text().await?;
    let of_the_stream = ["pilotfish_config_stream_", "pilotfish_last_good_", "pilotfish_client_"];
    let series = text
        .lines()
        .filter_map(|line| line.rsplit_once(' ').map(|(name, _)| name));
    let series = series.filter(|name| of_the_stream.iter().any(|prefix| name.starts_with(prefix)));
    assert_eq!(series.collect::<BTreeSet<_>>(), BTreeSet::from(SERIES));
    for name in SERIES.map(|series| series.split('{').next().unwrap_or_default()) {
        let kind = if name.ends_with("_total") { "counter" } else { "gauge" };
        assert!(text.contains(&format!("# TYPE {name} {kind}\n")), "{name}");
    }
    Ok(())
}
