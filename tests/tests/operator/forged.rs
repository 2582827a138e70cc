//! Whoever may write ControllerRevisions says nothing of what is in force.

use crate::scene::{Scene, own};
use crate::statuses::{Statuses, event};
use anyhow::{Context, Result, ensure};
use k8s_openapi::api::apps::v1::ControllerRevision;
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use pilotfish_provider::Fake;
use pilotfish_tests::cluster::until;
use pilotfish_tests::{Client, Dialect, Launch, Operator, Pod};
use serde_json::{Value, json};

/// A revision by which `deployment` would send its key to the address in `spec`. Nothing but its finalizer keeps it from
/// being collected where its owner is not.
fn forged(name: &str, deployment: &Value, spec: &Value) -> Result<ControllerRevision> {
    let owner = json!({
        "apiVersion": "pilotfish.dev/v1alpha1", "kind": "ModelDeployment", "controller": true,
        "name": deployment["metadata"]["name"], "uid": deployment["metadata"]["uid"],
    });
    let metadata = json!({
        "name": name, "labels": {"pilotfish.dev/in-force": "true"}, "finalizers": ["evil.example/keep"],
        "annotations": {"pilotfish.dev/seal": "5".repeat(64)}, "ownerReferences": [owner],
    });
    Ok(serde_json::from_value(
        json!({"metadata": metadata, "revision": 999_999, "data": spec}),
    )?)
}

/// The spec of `deployment`, at the address of `attacker`.
fn diverted(deployment: &Value, attacker: &Fake) -> Value {
    let mut spec = deployment["spec"].clone();
    spec["endpoint"]["url"] = attacker.url().into();
    spec["endpoint"]["caBundle"] = attacker.authority_pem().into();
    spec
}

async fn is_served_by_east(client: &Client, attacker: &Fake) -> Result<()> {
    for _ in 0..5 {
        let answer = client
            .ask(Dialect::Chat, &Dialect::Chat.request("chat", "Hello"))
            .await?;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert!(attacker.received().is_empty(), "the key went to the attacker");
    Ok(())
}

/// The name under which the operator writes generation `number` of `object`, which has a revision already.
async fn name_of(revisions: &Api<ControllerRevision>, object: &Value, number: u32) -> Result<String> {
    let uid = object["metadata"]["uid"].as_str().context("a uid")?;
    let begin = format!("pilotfish-{uid}-");
    until("the object has a revision", async || {
        let all = revisions.list(&ListParams::default()).await?;
        let names = all.items.iter().map(ResourceExt::name_any);
        let name = names
            .into_iter()
            .find(|name| name.starts_with(&begin))
            .context("none")?;
        let (rest, _) = name.rsplit_once('-').context("a number")?;
        Ok(format!("{rest}-{number}"))
    })
    .await
}

#[tokio::test]
async fn a_revision_that_somebody_else_wrote_is_never_in_force() -> Result<()> {
    let (cluster, operator) = own().await?;
    let shop = cluster.namespace("shop").await?;
    let evil = cluster.namespace("evil").await?;
    let statuses = Statuses::of(&cluster, &shop).await?;
    let pod = Pod::create(&shop, "web", "{app: web}").await?;
    let scene = Scene::start(&operator, &shop, &pod).await?;
    let attacker = Dialect::Chat.provider("attacker").start().await?;
    let east = statuses.get("ModelDeployment/east").await?;
    let edited = async |key: &str| {
        let patch = json!({"spec": {"credentials": {"secretKeyRef": {"key": key}}}}).to_string();
        let arguments = ["patch", "modeldeployment", "east", "--type=merge", "-p", &patch];
        shop.kubectl(arguments).await?.success().map(drop)
    };
    let held = "Programmed=False Held: generation 1 stays in force: Secret {ns}/east has no key missing";
    edited("missing").await?;
    statuses.told("ModelDeployment/east", &[held]).await?;

    let spec = diverted(&east, &attacker);
    let client = cluster.client().await?;
    let revisions = Api::namespaced(client.clone(), shop.name());
    let ours = name_of(&revisions, &east, 999_999).await?;
    // They are seen in this order, and of the last it is known when: it stands in the operator's way.
    for (namespace, name) in [
        (&evil, ours.as_str()),
        (&evil, "other"),
        (&shop, "other"),
        (&shop, &ours),
    ] {
        let api = Api::<ControllerRevision>::namespaced(client.clone(), namespace.name());
        api.create(&PostParams::default(), &forged(name, &east, &spec)?).await?;
    }
    operator.logged("lacks our seal and is deleted").await?;
    is_served_by_east(&scene.client, &attacker).await?;
    statuses.told("ModelDeployment/east", &[held]).await?;

    // All that the next operator knows is what is written down.
    drop(operator);
    let operator = Operator::start(&cluster, "operator-1", &[]).await?;
    let later = Pod::create(&shop, "later", "{app: web}").await?;
    let sidecar = Launch::sidecar(&operator, &later).await?.start().await?;
    is_served_by_east(&Client::new(&sidecar)?, &attacker).await?;
    statuses.told("ModelDeployment/east", &[held]).await?;

    // Later generations are remembered in spite of the greater number.
    edited("api-key").await?;
    statuses
        .told("ModelDeployment/east", &["ResolvedRefs=True ResolvedRefs"])
        .await?;
    edited("missing").await?;
    let held = held.replace("generation 1", "generation 3");
    statuses.told("ModelDeployment/east", &[held.as_str()]).await?;
    is_served_by_east(&scene.client, &attacker).await
}

/// An object of somebody else's, under a name of ours.
fn squatter(name: &str, finalizers: &[&str]) -> Result<ControllerRevision> {
    let metadata = json!({"name": name, "finalizers": finalizers});
    Ok(serde_json::from_value(
        json!({"metadata": metadata, "revision": 1, "data": {}}),
    )?)
}

#[tokio::test]
async fn a_revision_whose_name_is_taken_is_told_of_and_written_in_the_end() -> Result<()> {
    let (cluster, operator) = own().await?;
    let shop = cluster.namespace("shop").await?;
    let statuses = Statuses::of(&cluster, &shop).await?;
    let deployment = |model: &str| {
        let spec = format!("{{provider: OpenAI, model: {model}, credentials: {{none: {{}}}}}}");
        format!("{{apiVersion: pilotfish.dev/v1alpha1, kind: ModelDeployment, metadata: {{name: east}}, spec: {spec}}}")
    };
    let resolved = ["ResolvedRefs=True ResolvedRefs"];
    shop.apply(&deployment("gpt-1")).await?;
    statuses.told("ModelDeployment/east", &resolved).await?;
    let east = statuses.get("ModelDeployment/east").await?;
    let api = Api::<ControllerRevision>::namespaced(cluster.client().await?, shop.name());
    let (second, third) = (name_of(&api, &east, 2).await?, name_of(&api, &east, 3).await?);
    let stubborn = squatter(&second, &["evil.example/keep"])?;
    for taken in [&stubborn, &squatter(&third, &[])?] {
        api.create(&PostParams::default(), taken).await?;
    }
    let is_written = async |name: &str| {
        until("the revision is written", async || {
            let written = api.get(name).await?;
            ensure!(written.annotations().contains_key("pilotfish.dev/seal"), "{written:?}");
            Ok(())
        })
        .await
    };

    shop.apply(&deployment("gpt-2")).await?;
    let name = &second;
    let message = event(&shop, "east", "Unremembered").await?;
    let why = format!(
        "ControllerRevision {}/{name} is in the way, which the operator did not write, and is deleted once its \
         finalizers are removed: evil.example/keep",
        shop.name()
    );
    assert!(message.ends_with(&why), "{message}");
    assert_eq!(
        operator.metrics().await?.sum("pilotfish_operator_unremembered", &[]),
        1.0
    );
    api.patch(
        name,
        &PatchParams::default(),
        &Patch::Merge(json!({"metadata": {"finalizers": null}})),
    )
    .await?;
    is_written(&second).await?;

    // One that nothing holds goes by itself.
    shop.apply(&deployment("gpt-3")).await?;
    is_written(&third).await
}
