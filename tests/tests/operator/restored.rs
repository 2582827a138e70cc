//! etcd comes back with an older state, as from a backup, and operators that lived on go by what there is now.

use crate::scene::{Scene, chat, field, own};
use crate::statuses::Statuses;
use crate::wire::Wire;
use anyhow::{Result, ensure};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use pilotfish_tests::cluster::{Cluster, until};
use pilotfish_tests::{Operator, Pod};
use serde_json::json;

/// Versions that the history is longer by when it is lost: what happens afterwards must not reach as far for long.
const LOST: u32 = 1_000;

/// The version of the newest object.
async fn version(cluster: &Cluster) -> Result<u64> {
    let raw = ["get", "--raw", "/api/v1/namespaces?limit=1"];
    let list: serde_json::Value = serde_json::from_str(&cluster.kubectl(raw).await?.success()?)?;
    let version = &list["metadata"]["resourceVersion"];
    Ok(version.as_str().unwrap_or_default().parse()?)
}

/// Writes what nobody watches, so that versions pass.
async fn pass_versions(cluster: &Cluster) -> Result<()> {
    let maps = Api::<ConfigMap>::namespaced(cluster.client().await?, "default");
    let map = serde_json::from_value(json!({"metadata": {"name": "passing"}}))?;
    maps.create(&PostParams::default(), &map).await?;
    for number in 0..LOST {
        let change = Patch::Merge(json!({"data": {"number": number.to_string()}}));
        maps.patch("passing", &PatchParams::default(), &change).await?;
    }
    Ok(())
}

async fn start(cluster: &Cluster) -> Result<()> {
    cluster.start_etcd().await?;
    cluster.start_apiserver().await
}

/// Opts a namespace in and waits until the operator has written whom sidecars trust there.
async fn opted_in(cluster: &Cluster, name: &str) -> Result<()> {
    cluster.kubectl(["create", "namespace", name]).await?.success()?;
    let label = ["label", "namespace", name, "pilotfish.dev/inject=enabled"];
    cluster.kubectl(label).await?.success()?;
    until("the operator sees the namespace", async || {
        let get = ["--namespace", name, "get", "configmap", "pilotfish-ca"];
        cluster.kubectl(get).await?.success().map(drop)
    })
    .await
}

async fn served(operator: &Operator, pod: &Pod<'_>) -> Result<()> {
    let (wire, token) = (Wire::to(operator).await?, pod.token().await?);
    until("the operator sees the pod", async || {
        wire.served(&token).await.map(drop)
    })
    .await
}

#[tokio::test]
async fn operators_that_lived_on_see_all_that_happens_after_a_restore() -> Result<()> {
    let (cluster, leader) = own().await?;
    let follower = Operator::start(&cluster, "operator-1", &[]).await?;
    let shop = cluster.namespace("shop").await?;
    let statuses = Statuses::of(&cluster, &shop).await?;
    let web = Pod::create(&shop, "web", "{app: web}").await?;
    let scene = Scene::start(&leader, &shop, &web).await?;
    statuses
        .told("RoutingPolicy/chat", &["Programmed=True Programmed"])
        .await?;
    cluster.back_up()?;
    start(&cluster).await?;
    let kept = version(&cluster).await?;

    // Every watch is told of something that will never have been.
    pass_versions(&cluster).await?;
    shop.apply(&chat("west")).await?;
    scene.served_by("west").await?;
    opted_in(&cluster, "lost").await?;
    let lost = Pod::create(&shop, "lost", "{app: lost}").await?;
    let secret = ["annotate", "secret", "--all", "seen=true"];
    shop.kubectl(secret).await?.success()?;
    for operator in [&leader, &follower] {
        served(operator, &lost).await?;
    }
    let reached = version(&cluster).await?;
    cluster.restore()?;
    start(&cluster).await?;
    let restored = version(&cluster).await?;
    ensure!(
        restored < kept + u64::from(LOST),
        "{restored} after {kept} and {reached}: it was not restored"
    );

    // What there is again, and what is no more.
    scene.served_by("east").await?;
    for operator in [&leader, &follower] {
        let wire = Wire::to(operator).await?;
        let token = web.token().await?;
        until("the pod that was kept is served", async || {
            wire.served(&token).await.map(drop)
        })
        .await?;
    }
    // What happens from now on, of every kind.
    let later = Pod::create(&shop, "later", "{app: later}").await?;
    for operator in [&leader, &follower] {
        served(operator, &later).await?;
    }
    opted_in(&cluster, "later").await?;
    shop.apply(&chat("west")).await?;
    scene.served_by("west").await?;
    shop.apply(&chat("nowhere")).await?;
    let reason = r#"{.status.conditions[?(@.type=="Programmed")].reason}"#;
    field(&shop, "rp/chat", reason, "Held").await?;
    scene.served_by("west").await?;
    shop.kubectl(["delete", "secret", "west"]).await?.success()?;
    let gone = "Secret {ns}/west does not exist or lacks the label pilotfish.dev/credentials: \"true\"";
    let unresolved = format!("ResolvedRefs=False InvalidSecret: {gone}");
    statuses.told("ModelDeployment/west", &[&unresolved]).await?;
    let now = version(&cluster).await?;
    ensure!(
        now < reached,
        "the history is as long again, {now} after {reached}, and shows nothing"
    );
    Ok(())
}
