//! What becomes of a VirtualKey reaches the sidecars, and whoever calls with it.

use crate::keys::{Keys, key};
use crate::scene::Scene;
use anyhow::{Context, Result, ensure};
use pilotfish_tests::cluster::until;
use pilotfish_tests::{Client, Dialect, Operator, Pod, Policy};
use serde_json::json;

/// The status that a request with `key` gets.
async fn status(client: &Client, key: &str) -> Result<u16> {
    let client = client.header("authorization", &format!("Bearer {key}"));
    let answer = client
        .ask(Dialect::Chat, &Dialect::Chat.request("chat", "Hello"))
        .await?;
    Ok(answer.status)
}

async fn gets(client: &Client, key: &str, expected: u16) -> Result<()> {
    until(&format!("the key gets a {expected}"), async || {
        let status = status(client, key).await?;
        ensure!(status == expected, "it gets a {status}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_key_is_taken_while_its_virtual_key_says_so() -> Result<()> {
    let (cluster, operator) = Operator::shared().await?;
    let shop = cluster.namespace("shop").await?;
    let pod = Pod::create(&shop, "web", "{app: web}").await?;
    let scene = Scene::start(operator, &shop, &pod).await?;
    let keys = Keys::of(cluster, &shop).await?;
    let with_key = Policy::named("chat")
        .targets(["east"])
        .with("authentication: {require: VirtualKey}");
    shop.apply(&with_key.to_string()).await?;
    gets(&scene.client, "anything", 401).await?;

    shop.apply(&key("team-a", ", rotation: {every: 1h, overlap: 10m}"))
        .await?;
    keys.statuses
        .told("VirtualKey/team-a", &["Programmed=True Programmed"])
        .await?;
    let first = keys.entry("api-key").await?.context("there is a key")?;
    gets(&scene.client, &first, 200).await?;

    let long_ago = "2026-01-01T00:00:00Z";
    let annotated = |annotation: &str| json!({"metadata": {"annotations": {annotation: long_ago}}});
    keys.patch(&annotated("pilotfish.dev/key-made-at")).await?;
    let second = keys.other_than(&first).await?;
    gets(&scene.client, &second, 200).await?;
    assert_eq!(status(&scene.client, &first).await?, 200, "both are taken for a while");
    keys.patch(&annotated("pilotfish.dev/previous-key-until")).await?;
    gets(&scene.client, &first, 401).await?;
    assert_eq!(status(&scene.client, &second).await?, 200);

    shop.apply(&key("team-a", ", disabled: true")).await?;
    gets(&scene.client, &second, 401).await?;
    shop.apply(&key("team-a", ", models: [\"embed-*\"]")).await?;
    gets(&scene.client, &second, 403).await?;
    shop.apply(&key("team-a", "")).await?;
    gets(&scene.client, &second, 200).await?;
    shop.kubectl(["delete", "virtualkey", "team-a"]).await?.success()?;
    gets(&scene.client, &second, 401).await
}
