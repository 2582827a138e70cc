//! The sidecar's image moves to another registry, and pods that run the former one are not cut off.

use crate::scene::{Scene, chat, own};
use crate::statuses::{Statuses, event};
use crate::wire::Wire;
use anyhow::{Context, Result, ensure};
use pilotfish_tests::cluster::{Cluster, until};
use pilotfish_tests::operator::{NAMESPACE, SIDECAR_IMAGE, manifest};
use pilotfish_tests::{Operator, Pod};
use serde_json::{Value, json};

/// Where what is injected is written down.
const SECRET: &str = "pilotfish-sidecar-images";
const FORMER: &str = "localhost/pilotfish-sidecar";
const MIRROR: [&str; 2] = ["--sidecar-image", "mirror.example:5000/sidecar:2"];

/// What is written down: repositories, and until when sidecars were injected from them, Unix seconds.
async fn written(cluster: &Cluster) -> Result<Value> {
    let path = r"jsonpath={.data.repositories\.json}";
    let get = ["--namespace", NAMESPACE, "get", "secret", SECRET, "-o", path];
    let entry = cluster.kubectl(get).await?.success()?;
    let entry = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, entry)?;
    Ok(serde_json::from_slice(&entry)?)
}

/// Writes it down, as whoever may write the operator's Secrets can.
async fn write(cluster: &Cluster, repositories: &Value) -> Result<()> {
    let patch = json!({"stringData": {"repositories.json": repositories.to_string()}}).to_string();
    let command = ["--namespace", NAMESPACE, "patch", "secret", SECRET, "--patch", &patch];
    cluster.kubectl(command).await?.success().map(drop)
}

#[tokio::test]
async fn pods_of_a_former_repository_are_served_until_they_are_gone() -> Result<()> {
    let (cluster, operator) = own().await?;
    let shop = cluster.namespace("shop").await?;
    let statuses = Statuses::of(&cluster, &shop).await?;
    let pod = Pod::create(&shop, "web", "{app: web}").await?;
    let scene = Scene::start(&operator, &shop, &pod).await?;
    let at = operator.sidecars().to_string();
    let metadata = |path: &'static str| ["get", "pod", "web", "-o", path];
    let created = shop.kubectl(metadata("jsonpath={.metadata.creationTimestamp}")).await?;
    let created = created.success()?.parse::<jiff::Timestamp>()?.as_second();
    let until_then = written(&cluster).await?[FORMER]
        .as_i64()
        .context("it is written down")?;
    assert!(until_then > created + 1800, "{until_then} is ahead of {created}");

    drop(operator);
    let operator = Operator::start(&cluster, "operator-1", &[&MIRROR[..], &["--listen", &at]].concat()).await?;
    shop.apply(&chat("west")).await?;
    scene.served_by("west").await?;
    statuses
        .told("RoutingPolicy/chat", &["Programmed=True Programmed"])
        .await?;
    assert_eq!(
        written(&cluster).await?[FORMER],
        until_then,
        "nobody extends it any more"
    );
    let mirrored = manifest("mirrored", "{app: other}").replace(SIDECAR_IMAGE, MIRROR[1]);
    let mirrored = Pod::create_from(&shop, "mirrored", &mirrored).await?;
    Wire::to(&operator).await?.served(&mirrored.token().await?).await?;
    mirrored.delete().await?;

    // The time is over, and the pod is one second younger.
    write(&cluster, &json!({FORMER: created - 1})).await?;
    let distrusted = format!(
        "container pilotfish of pod {}/web runs {SIDECAR_IMAGE}, which is of no trusted repository (mirror.example:5000/sidecar), \
         and a former one is trusted in older pods alone",
        shop.name()
    );
    let unserved = format!(
        "Programmed=False Unserved: no sidecar that it concerns is served anything, and sidecars.unserved counts them: {distrusted}"
    );
    statuses.told("RoutingPolicy/chat", &[&unserved]).await?;
    let counts = json!({"desired": 0, "programmed": 0, "refused": 0, "unserved": 1});
    statuses.shows("RoutingPolicy/chat", "/sidecars", &counts).await?;
    assert!(event(&shop, "web", "Unserved").await?.contains(&distrusted));
    assert_eq!(
        Wire::to(&operator).await?.refused(&pod.token().await?).await?,
        (403, distrusted)
    );

    // It is trusted again, and comes back by itself.
    write(&cluster, &json!({FORMER: created})).await?;
    statuses
        .told("RoutingPolicy/chat", &["Programmed=True Programmed"])
        .await?;
    shop.apply(&chat("east")).await?;
    scene.served_by("east").await?;

    // That is how it is given up at once.
    cluster
        .kubectl(["--namespace", NAMESPACE, "delete", "secret", SECRET])
        .await?
        .success()?;
    let plain = unserved.replace(", and a former one is trusted in older pods alone", "");
    statuses.told("RoutingPolicy/chat", &[&plain]).await?;
    assert!(written(&cluster).await?.get(FORMER).is_none());
    Ok(())
}

#[tokio::test]
async fn what_a_pod_says_of_itself_makes_no_repository_trusted() -> Result<()> {
    let (cluster, operator) = Operator::shared().await?;
    let shop = cluster.namespace("shop").await?;
    let claims = r#"{"image":"evil.example/sidecar:1","set":{"app":["OPENAI_BASE_URL"]}}"#;
    let forged = manifest("forged", "{app: web}")
        .replace(SIDECAR_IMAGE, "evil.example/sidecar:1")
        .replace(
            "metadata:\n",
            &format!("metadata:\n  annotations: {{pilotfish.dev/injected: '{claims}'}}\n"),
        );
    let forged = Pod::create_from(&shop, "forged", &forged).await?;
    let (status, said) = Wire::to(operator).await?.refused(&forged.token().await?).await?;
    assert_eq!(status, 403);
    assert!(
        said.ends_with("runs evil.example/sidecar:1, which is of no trusted repository (localhost/pilotfish-sidecar)"),
        "{said}"
    );
    Ok(())
}

#[tokio::test]
async fn while_replicas_inject_from_two_repositories_each_serves_both() -> Result<()> {
    let (cluster, former) = own().await?;
    let next = Operator::start(&cluster, "operator-1", &MIRROR).await?;
    let shop = cluster.namespace("shop").await?;
    let mirrored = manifest("mirrored", "{app: web}").replace(SIDECAR_IMAGE, MIRROR[1]);
    let mirrored = Pod::create_from(&shop, "mirrored", &mirrored).await?;
    let plain = Pod::create(&shop, "plain", "{app: web}").await?;
    for (operator, pod) in [(&former, &mirrored), (&next, &plain)] {
        let (wire, token) = (Wire::to(operator).await?, pod.token().await?);
        until("the other replica's pods are served", async || {
            let served = wire.served(&token).await?;
            ensure!(served.hello.scope.len() > 1, "it is nobody");
            Ok(())
        })
        .await?;
    }
    Ok(())
}
