//! Pods that another webhook changes after our first call.

use super::late::Late;
use super::scene::{self, create, created, init_containers, opt_in, pod};
use anyhow::Result;
use pilotfish_tests::operator::SIDECAR_IMAGE;
use serde_json::{Value, json};

/// The value of a container's variable.
fn variable<'a>(container: &'a Value, name: &str) -> Option<&'a str> {
    let all = container["env"].as_array()?;
    all.iter().find(|variable| variable["name"] == name)?["value"].as_str()
}

#[tokio::test]
async fn a_container_that_another_webhook_adds_finds_the_sidecar() -> Result<()> {
    let (cluster, _) = scene::shared().await?;
    let shop = cluster.namespace("shop").await?;
    opt_in(cluster, &shop).await?;
    let mut webhooks = Late::default();
    let added = json!([
        {"op": "add", "path": "/spec/containers/0", "value": {"name": "late", "image": "localhost/late:test"}},
        {"op": "add", "path": "/spec/initContainers/0", "value": {"name": "early", "image": "localhost/early:test"}},
    ]);
    webhooks.changes(cluster, &shop, added).await?;

    let stored = created(&shop, &pod("{}")).await?;
    assert_eq!(init_containers(&stored), ["pilotfish", "early"]);
    let spec = &stored["spec"];
    for container in [
        &spec["initContainers"][1],
        &spec["containers"][0],
        &spec["containers"][1],
    ] {
        let url = variable(container, "OPENAI_BASE_URL");
        assert_eq!(url, Some("http://127.0.0.1:4000/v1"), "{container}");
    }
    let record = &stored["metadata"]["annotations"]["pilotfish.dev/injected"];
    let record: Value = serde_json::from_str(record.as_str().unwrap_or_default())?;
    assert_eq!(record["image"], SIDECAR_IMAGE);
    let named: Vec<_> = record["set"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(named, ["app", "early", "late"]);
    Ok(())
}

#[tokio::test]
async fn a_pod_whose_sidecar_another_webhook_spoils_is_refused_with_the_sentence() -> Result<()> {
    let (cluster, _) = scene::shared().await?;
    let mut webhooks = Late::default();
    for (change, sentence) in [
        (
            json!({"op": "add", "path": "/spec/containers/-", "value": {
                "name": "late", "image": "localhost/late:test", "ports": [{"containerPort": 4000}]}}),
            "container late has port 4000, which the sidecar needs",
        ),
        (
            json!({"op": "add", "path": "/spec/hostNetwork", "value": true}),
            "a pod with hostNetwork cannot have a sidecar: its port would be open to everything on the node",
        ),
        (
            json!({"op": "replace", "path": "/spec/initContainers/0/image", "value": "mirror.example/sidecar:1"}),
            "runs mirror.example/sidecar:1, which is of no trusted repository (localhost/pilotfish-sidecar)",
        ),
        (
            json!({"op": "add", "path": "/spec/initContainers/0/command", "value": ["/bin/sh"]}),
            "has a command, by which others could come by what it holds",
        ),
    ] {
        let shop = cluster.namespace("shop").await?;
        opt_in(cluster, &shop).await?;
        webhooks.changes(cluster, &shop, json!([change])).await?;
        let said = create(&shop, &pod("{}")).await?.failure()?;
        assert!(said.contains("namespace.inject.pilotfish.dev"), "{said}");
        assert!(
            said.contains(sentence),
            "should have said {sentence:?}, but said {said}"
        );
    }
    Ok(())
}
