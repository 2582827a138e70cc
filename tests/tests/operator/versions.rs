//! What an older or a newer version of us wrote is told apart, and spoils only itself.

use crate::scene::{Scene, chat, field, own};
use anyhow::Result;
use pilotfish_tests::cluster::Cluster;
use pilotfish_tests::{Pod, Policy};

const ACCEPTED: &str = r#"{.status.conditions[?(@.type=="Accepted")].status}"#;
const SENTENCE: &str = r#"{.status.conditions[?(@.type=="Accepted")].message}"#;

/// Changes the schema of RoutingPolicies, as another version of its chart would.
async fn schema(cluster: &Cluster, patch: &str) -> Result<()> {
    let definition = "crd/routingpolicies.pilotfish.dev";
    cluster
        .kubectl(["patch", definition, "--type=json", "--patch", patch])
        .await?
        .success()?;
    Ok(())
}

#[tokio::test]
async fn a_field_of_a_newer_version_is_not_ignored_in_silence() -> Result<()> {
    let (cluster, operator) = own().await?;
    let shop = cluster.namespace("shop").await?;
    let pod = Pod::create(&shop, "web", "{app: web}").await?;
    let scene = Scene::start(&operator, &shop, &pod).await?;

    let newer = r#"[{"op": "add", "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/quota",
        "value": {"type": "object", "properties": {"perHour": {"type": "integer"}}}}]"#;
    schema(&cluster, newer).await?;
    let sentence = "spec.quota is not known to this version of the operator; upgrade it, or remove the field";
    // The API server takes a moment to serve a schema that it has accepted. A watch that was opened before is served by the
    // former one for longer, and then ended: what it was told of this object lacks the field, and no further edit comes.
    let probe = Policy::named("probe").targets(["east"]);
    let probe = format!("{probe}  quota: {{perHour: 1}}\n");
    pilotfish_tests::cluster::until("the newer schema is served", async || shop.apply(&probe).await).await?;
    field(&shop, "rp/probe", SENTENCE, sentence).await?;
    shop.apply(&format!("{}  quota: {{perHour: 3}}\n", chat("west")))
        .await?;
    field(&shop, "rp/chat", SENTENCE, sentence).await?;
    field(&shop, "rp/chat", ACCEPTED, "False").await?;
    scene.served_by("east").await?;

    shop.apply(&chat("west")).await?;
    field(&shop, "rp/chat", ACCEPTED, "True").await?;
    scene.served_by("west").await?;
    Ok(())
}

#[tokio::test]
async fn an_object_that_no_longer_fits_spoils_only_itself() -> Result<()> {
    let (cluster, operator) = own().await?;
    let shop = cluster.namespace("shop").await?;
    let pod = Pod::create(&shop, "web", "{app: web}").await?;

    let older = r#"[{"op": "replace", "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec",
        "value": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}]"#;
    schema(&cluster, older).await?;
    let misfit = "kind: RoutingPolicy\napiVersion: pilotfish.dev/v1alpha1\nmetadata: {name: misfit}\n\
                  spec: {models: [other], rules: anything}\n";
    pilotfish_tests::cluster::until("the older schema is served", async || shop.apply(misfit).await).await?;
    field(&shop, "rp/misfit", ACCEPTED, "False").await?;
    let said = ["get", "rp/misfit", "-o", &format!("jsonpath={SENTENCE}")].map(str::to_owned);
    let said = shop.kubectl(said.iter().map(String::as_str)).await?.success()?;
    assert!(said.starts_with("spec.rules: "), "{said}");

    let scene = Scene::start(&operator, &shop, &pod).await?;
    shop.apply(&chat("west")).await?;
    scene.served_by("west").await?;
    Ok(())
}
