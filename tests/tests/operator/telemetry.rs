//! The operator's own metrics: all there from the start, and as Prometheus wants them.

use crate::scene::Scene;
use crate::statuses::Statuses;
use anyhow::{Context, Result};
use pilotfish_tests::promtool::check;
use pilotfish_tests::{Metrics, Operator, Pod, Strangers, http};
use std::time::Duration;
use tokio::time::timeout;

/// A kubelet waits no longer.
const PROBED_WITHIN: Duration = Duration::from_secs(5);

async fn exposition(operator: &Operator) -> Result<String> {
    let url = format!("http://{}/metrics", operator.telemetry());
    Ok(http()?.get(url).send().await?.error_for_status()?.text().await?)
}

async fn answer(operator: &Operator, path: &str) -> Result<(u16, String)> {
    let answer = http()?
        .get(format!("http://{}{path}", operator.telemetry()))
        .send()
        .await?;
    Ok((answer.status().as_u16(), answer.text().await?))
}

#[tokio::test]
async fn promtool_is_content_with_the_operator_s_metrics() -> Result<()> {
    let (cluster, operator) = Operator::shared().await?;
    let shop = cluster.namespace("shop").await?;
    let statuses = Statuses::of(cluster, &shop).await?;
    let pod = Pod::create(&shop, "web", "{app: web}").await?;
    let scene = Scene::start(operator, &shop, &pod).await?;
    statuses
        .told("RoutingPolicy/chat", &["Programmed=True Programmed"])
        .await?;

    let text = exposition(operator).await?;
    assert_eq!(check("metrics", &text).await?, "");
    let metrics = Metrics::parse(&text)?;
    let sum = |series: &str| metrics.sum(&format!("pilotfish_operator_{series}"), &[]);
    let rises = [
        "watch_listed",
        "compile_seconds_count",
        "sidecars",
        "batches_total",
        "resources_sent_total",
        "acks_total",
        "token_reviews_total",
        "status_writes_total",
        "leader",
        "certificate_expiry_timestamp_seconds",
    ];
    for series in rises {
        assert!(sum(series) > 0.0, "{series}");
    }
    // Nothing of this is wrong here, and a rate over it is right from its first.
    for series in [
        "dropped_snapshots_total",
        "streams_ended_total",
        "key_writes_total",
        "events_total",
    ] {
        assert!(
            metrics.count(&format!("pilotfish_operator_{series}"), &[]) > 0,
            "{series}"
        );
    }
    let listed = metrics.by("pilotfish_operator_watch_listed", "kind");
    assert!(
        listed.len() >= 7 && listed.values().all(|listed| *listed == 1.0),
        "{listed:?}"
    );
    drop(scene);
    Ok(())
}

#[tokio::test]
async fn the_telemetry_port_serves_three_paths_and_nothing_else() -> Result<()> {
    let (_cluster, operator) = Operator::shared().await?;
    assert_eq!(answer(operator, "/livez").await?, (200, "ok\n".to_owned()));
    assert_eq!(answer(operator, "/readyz").await?, (200, "ok\n".to_owned()));
    assert_eq!(answer(operator, "/v1/stream").await?.0, 404);
    let posted = http()?.post(format!("http://{}/metrics", operator.telemetry()));
    assert_eq!(posted.send().await?.status().as_u16(), 405);
    Ok(())
}

#[tokio::test]
async fn probes_are_answered_however_many_connections_a_stranger_holds() -> Result<()> {
    let (_cluster, operator) = Operator::shared().await?;
    let unread = "GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n".repeat(3);
    for words in ["", "GET /livez HTTP/1.1\r\n", &unread] {
        let strangers = Strangers::hold(operator.telemetry(), 200, words).await?;
        for path in ["/livez", "/readyz", "/metrics"] {
            let answer = timeout(PROBED_WITHIN, answer(operator, path)).await;
            let (status, _) = answer.with_context(|| format!("{path} beside {words:?}"))??;
            assert_eq!(status, 200, "{path}");
        }
        drop(strangers);
    }
    let silent = Strangers::hold(operator.telemetry(), 1, "").await?;
    silent.closed(1).await
}
