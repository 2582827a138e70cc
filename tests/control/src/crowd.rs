//! Thousands of connections on one operator.

use crate::cluster::{Policies, acks, until};
use crate::figures::Figure;
use crate::peer::{self, Identity, Known};
use crate::process::{cpu, resident};
use anyhow::Result;
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::authentication::v1::{BoundObjectReference, TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{Pod, ServiceAccount};
use kube::api::PostParams;
use kube::{Api, ResourceExt};
use pilotfish_tests::Operator;
use pilotfish_tests::operator::manifest;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

const POLICIES: usize = 50;
/// Requests to the API server that are made at once.
const AT_ONCE: usize = 16;
/// The first and the longest pause before a sidecar connects again; it draws from all of it.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(15));

/// Of `count` connections.
pub(crate) async fn measure(count: usize) -> Result<Vec<Figure>> {
    let (cluster, operator) = Operator::with_cluster().await?;
    let shop = cluster.namespace("shop").await?;
    let client = cluster.client().await?;
    let policies = Policies::apply(&client, &shop, POLICIES).await?;
    let tokens = tokens(&client, shop.name(), count).await?;
    let wanted = f64::from(u32::try_from(count)?);
    let at = peer::Operator {
        address: operator.sidecars(),
        name: operator.name(),
        authority: operator.authority().await?,
    };

    let begun = Instant::now();
    let certified: Vec<Identity> = stream::iter(&tokens)
        .map(|token| at.certify(token))
        .buffer_unordered(AT_ONCE * 4)
        .try_collect()
        .await?;
    let reviews = operator
        .metrics()
        .await?
        .sum("pilotfish_operator_token_reviews_total", &[]);
    let review_rate = reviews / begun.elapsed().as_secs_f64();

    let before = resident(operator.pid())?;
    let mut peers = JoinSet::new();
    for identity in certified {
        peers.spawn(stay(at.clone(), identity));
    }
    until(Instant::now(), "all are connected", async || {
        Ok(acks(&operator).await? >= wanted)
    })
    .await?;
    let each = (resident(operator.pid())? - before) / wanted;

    let (spent, acked) = (cpu(operator.pid())?, acks(&operator).await?);
    policies.turn(0, "west").await?;
    let all = until(Instant::now(), "all have acknowledged", async || {
        Ok(acks(&operator).await? >= acked + wanted)
    });
    let all = all.await?;
    let spent = cpu(operator.pid())? - spent;

    let listen = operator.sidecars().to_string();
    drop(operator);
    let begun = Instant::now();
    let operator = Operator::start(&cluster, "operator-1", &["--listen", &listen]).await?;
    let back = until(begun, "all are back", async || Ok(acks(&operator).await? >= wanted)).await?;
    let metrics = operator.metrics().await?;
    let again = metrics.sum("pilotfish_operator_resources_sent_total", &[]);
    peers.shutdown().await;
    Ok(vec![
        Figure::new(
            "certificates at once: TokenReviews a second",
            review_rate,
            "/s",
            Some(200.0),
        ),
        Figure::new("memory of a connection", each, "KiB", Some(60.0)),
        Figure::new("one edit: processor time of the operator", spent, "ms", None),
        Figure::new(
            "one edit: until all have acknowledged",
            all.as_secs_f64() * 1000.0,
            "ms",
            Some(1000.0),
        ),
        Figure::new("restart: until all are back", back.as_secs_f64(), "s", Some(10.0)),
        Figure::new("restart: resources sent again", again, "", Some(0.0)),
    ])
}

/// Connects, and connects again, as a sidecar does.
async fn stay(at: peer::Operator, identity: Identity) {
    let mut known = Known::new();
    let mut longest = PAUSES.0;
    loop {
        let begun = Instant::now();
        drop(at.stream(&identity, &mut known).await);
        longest = if begun.elapsed() > PAUSES.1 {
            PAUSES.0
        } else {
            (longest * 2).min(PAUSES.1)
        };
        tokio::time::sleep(longest.mul_f64(fastrand::f64())).await;
    }
}

/// Pods that carry a sidecar, and the token of each.
async fn tokens(client: &kube::Client, namespace: &str, count: usize) -> Result<Vec<String>> {
    let pods = Api::<Pod>::namespaced(client.clone(), namespace);
    let accounts = Arc::new(Api::<ServiceAccount>::namespaced(client.clone(), namespace));
    let token = async |number: usize| -> Result<String> {
        let name = format!("peer-{number}");
        let pod: Pod = serde_yaml::from_str(&manifest(&name, "{app: peer}"))?;
        let pod = pods.create(&PostParams::default(), &pod).await?;
        let request = TokenRequest {
            spec: TokenRequestSpec {
                audiences: vec!["pilotfish.dev".to_owned()],
                bound_object_ref: Some(BoundObjectReference {
                    api_version: Some("v1".to_owned()),
                    kind: Some("Pod".to_owned()),
                    name: Some(name),
                    uid: pod.uid(),
                }),
                ..TokenRequestSpec::default()
            },
            ..TokenRequest::default()
        };
        let answered = accounts
            .create_token_request("default", &PostParams::default(), &request)
            .await?;
        Ok(answered.status.map(|status| status.token).unwrap_or_default())
    };
    stream::iter(0..count)
        .map(token)
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}
