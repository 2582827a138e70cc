//! How many sidecars run something is true, whatever they do.

use crate::scene::{Scene, chat};
use crate::statuses::{Statuses, event};
use anyhow::Result;
use pilotfish_tests::cluster::{Namespace, until};
use pilotfish_tests::operator::{SIDECAR_IMAGE, manifest};
use pilotfish_tests::{Deployment, Dialect, Launch, Operator, Pod, Policy};
use serde_json::json;

const PENDING: &str = "Programmed=False Pending: not every sidecar that it concerns has acknowledged it yet";
const PROGRAMMED: &str = "Programmed=True Programmed";
const NOBODY: &str = "Programmed=True NoSidecars: no pod with a sidecar is concerned";

fn counts(desired: u32, programmed: u32, refused: u32) -> serde_json::Value {
    json!({"desired": desired, "programmed": programmed, "refused": refused, "unserved": 0})
}

#[tokio::test]
async fn a_pod_is_waited_for_until_its_sidecar_has_it_and_no_longer_than_it_lives() -> Result<()> {
    let (cluster, operator) = Operator::shared().await?;
    let shop = cluster.namespace("shop").await?;
    let statuses = Statuses::of(cluster, &shop).await?;
    let pod = Pod::create(&shop, "web", "{app: web}").await?;
    let scene = Scene::start(operator, &shop, &pod).await?;
    for object in ["RoutingPolicy/chat", "ModelDeployment/east"] {
        statuses.told(object, &[PROGRAMMED]).await?;
        statuses.shows(object, "/sidecars", &counts(1, 1, 0)).await?;
    }
    // Nothing leads there.
    statuses.told("ModelDeployment/west", &[NOBODY]).await?;

    // One that is not connected is waited for, and one that an own selector leaves out is not.
    let late = Pod::create(&shop, "late", "{app: web}").await?;
    let only_others = Policy::named("batch")
        .targets(["east"])
        .with("workloads: {selector: {matchLabels: {app: job}}}");
    shop.apply(&only_others.to_string()).await?;
    statuses.told("RoutingPolicy/chat", &[PENDING]).await?;
    statuses
        .shows("RoutingPolicy/chat", "/sidecars", &counts(2, 1, 0))
        .await?;
    statuses.told("RoutingPolicy/batch", &[NOBODY]).await?;

    let sidecar = Launch::sidecar(operator, &late).await?.start().await?;
    statuses.told("RoutingPolicy/chat", &[PROGRAMMED]).await?;
    statuses
        .shows("RoutingPolicy/chat", "/sidecars", &counts(2, 2, 0))
        .await?;

    drop(sidecar);
    statuses.told("RoutingPolicy/chat", &[PENDING]).await?;
    late.delete().await?;
    statuses.told("RoutingPolicy/chat", &[PROGRAMMED]).await?;
    statuses
        .shows("RoutingPolicy/chat", "/sidecars", &counts(1, 1, 0))
        .await?;

    // What an edit broke: the sidecar runs the generation before it, and none this one.
    shop.apply(&chat("nowhere")).await?;
    let held = "Programmed=False Held: generation 1 stays in force: deployment {ns}/nowhere does not exist";
    statuses.told("RoutingPolicy/chat", &[held]).await?;
    statuses
        .shows("RoutingPolicy/chat", "/sidecars", &counts(1, 0, 0))
        .await?;
    drop(scene);
    Ok(())
}

#[tokio::test]
async fn a_pod_that_will_be_served_nothing_is_told_so_and_nobody_waits_for_it() -> Result<()> {
    let (cluster, operator) = Operator::shared().await?;
    let shop = cluster.namespace("shop").await?;
    let statuses = Statuses::of(cluster, &shop).await?;
    let foreign = manifest("foreign", "{app: web}").replace(SIDECAR_IMAGE, "evil.example/sidecar:1");
    Pod::create_from(&shop, "foreign", &foreign).await?;
    let mut hooked = manifest("hooked", "{app: web}");
    hooked = hooked.replace("restartPolicy: Always", "restartPolicy: Always\n    command: [sh]");
    Pod::create_from(&shop, "hooked", &hooked).await?;
    let pod = Pod::create(&shop, "web", "{app: web}").await?;
    let _scene = Scene::start(operator, &shop, &pod).await?;
    let told = "Programmed=True Programmed: sidecars that are served nothing are not among those desired, and \
                sidecars.unserved counts them: container pilotfish of pod {ns}/foreign runs evil.example/sidecar:1, which is \
                of no trusted repository (localhost/pilotfish-sidecar)";
    statuses.told("RoutingPolicy/chat", &[told]).await?;
    let mut counted = counts(1, 1, 0);
    counted["unserved"] = 2.into();
    statuses.shows("RoutingPolicy/chat", "/sidecars", &counted).await?;
    for (pod, why) in [
        (
            "foreign",
            "runs evil.example/sidecar:1, which is of no trusted repository",
        ),
        ("hooked", "has a command, by which others could come by what it holds"),
    ] {
        let told = event(&shop, pod, "Unserved").await?;
        let container = format!("container pilotfish of pod {}/{pod}", shop.name());
        let sentence = format!("its sidecar is served nothing: {container} {why}");
        assert!(told.starts_with(&sentence), "{told}");
    }
    assert!(operator.metrics().await?.sum("pilotfish_operator_pods_unserved", &[]) >= 2.0);
    Ok(())
}

#[tokio::test]
async fn what_a_sidecar_refuses_is_told_in_its_own_words() -> Result<()> {
    let (cluster, operator) = Operator::shared().await?;
    let shop = cluster.namespace("shop").await?;
    let statuses = Statuses::of(cluster, &shop).await?;
    let pod = Pod::create(&shop, "web", "{app: web}").await?;
    let scene = Scene::start(operator, &shop, &pod).await?;

    // In PEM form, which is all that a schema can see.
    let broken = "endpoint: {url: \"https://127.0.0.1:9/v1\", caBundle: \"-----BEGIN CERTIFICATE-----\\nMAA=\\n-----END CERTIFICATE-----\\n\"}";
    let deployment = Deployment::at(Dialect::Chat, "odd", "https://127.0.0.1:9/v1").to_string();
    let lines: Vec<&str> = deployment.lines().collect();
    let endpoint = lines
        .iter()
        .position(|line| line.trim() == "endpoint:")
        .expect("it has an endpoint");
    let deployment = [&lines[..endpoint], &[&format!("  {broken}")], &lines[endpoint + 2..]]
        .concat()
        .join("\n");
    shop.apply(&deployment).await?;
    shop.apply(&Policy::named("odd").targets(["odd"]).to_string()).await?;
    let refused = until("the refusal is told", async || {
        let status = statuses.get("ModelDeployment/odd").await?["status"].clone();
        anyhow::ensure!(status["sidecars"] == counts(1, 0, 1), "{status}");
        Ok(status)
    })
    .await?;
    let refusal = &refused["refusals"][0];
    assert_eq!(refusal["pod"], json!(format!("{}/web", shop.name())));
    let sentence = refusal["message"].as_str().unwrap_or_default();
    assert!(sentence.contains("caBundle"), "{sentence}");
    let programmed = format!("Programmed=False Refused: {{ns}}/web: {sentence}");
    statuses.told("ModelDeployment/odd", &[programmed.as_str()]).await?;
    statuses.told("ModelDeployment/east", &[PROGRAMMED]).await?;
    assert!(is_told(&shop, sentence).await?);
    scene.served_by("east").await?;
    Ok(())
}

async fn is_told(namespace: &Namespace<'_>, sentence: &str) -> Result<bool> {
    let arguments = [
        "get",
        "events",
        "--field-selector=reason=Refused",
        "-o",
        "jsonpath={.items[*].message}",
    ];
    until("the event is told", async || {
        let told = namespace.kubectl(arguments).await?.success()?;
        anyhow::ensure!(!told.is_empty(), "not yet");
        Ok(told.contains(sentence))
    })
    .await
}
