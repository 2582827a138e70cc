//! Every object says what became of it, with the sentence that a person needs.

use crate::statuses::{Statuses, event};
use anyhow::Result;
use pilotfish_tests::cluster::until;
use pilotfish_tests::{Deployment, Dialect, Operator, Policy};
use serde_json::json;

/// Nobody calls it.
fn deployment(name: &str) -> String {
    Deployment::at(Dialect::Chat, name, "http://127.0.0.1:9/v1").to_string()
}

fn policy(name: &str, targets: &[&str]) -> String {
    Policy::named(name).targets(targets.iter().copied()).to_string()
}

#[tokio::test]
async fn the_order_in_which_things_are_applied_does_not_matter() -> Result<()> {
    let (cluster, _operator) = Operator::shared().await?;
    let shop = cluster.namespace("shop").await?;
    let statuses = Statuses::of(cluster, &shop).await?;

    shop.apply(&policy("chat", &["east"])).await?;
    let expected = [
        "Accepted=True Accepted",
        "ResolvedRefs=False DeploymentNotFound: deployment {ns}/east does not exist",
        "Programmed=False NotInForce: deployment {ns}/east does not exist",
        "no PartiallyInvalid",
    ];
    statuses.told("RoutingPolicy/chat", &expected).await?;

    shop.apply(&deployment("east")).await?;
    let resolved = [
        "Accepted=True Accepted",
        "ResolvedRefs=True ResolvedRefs",
        "Programmed=True NoSidecars: no pod with a sidecar is concerned",
    ];
    statuses.told("RoutingPolicy/chat", &resolved).await?;
    statuses.told("ModelDeployment/east", &resolved).await?;
    Ok(())
}

#[tokio::test]
async fn an_edit_that_breaks_a_reference_is_held_and_others_are_untouched() -> Result<()> {
    let (cluster, _operator) = Operator::shared().await?;
    let shop = cluster.namespace("shop").await?;
    let statuses = Statuses::of(cluster, &shop).await?;
    shop.apply(&deployment("east")).await?;
    shop.apply(&policy("chat", &["east"])).await?;
    shop.apply(&policy("other", &["east"])).await?;
    for name in ["RoutingPolicy/chat", "RoutingPolicy/other"] {
        statuses.told(name, &["ResolvedRefs=True ResolvedRefs"]).await?;
    }
    let other = statuses.get("RoutingPolicy/other").await?;

    shop.apply(&policy("chat", &["esat"])).await?;
    let held = "Programmed=False Held: generation 1 stays in force: deployment {ns}/esat does not exist";
    statuses
        .told("RoutingPolicy/chat", &["Accepted=True Accepted", held])
        .await?;
    let told = event(&shop, "chat", "Held").await?;
    assert_eq!(
        told,
        format!(
            "generation 1 stays in force: deployment {}/esat does not exist",
            shop.name()
        )
    );
    assert_eq!(statuses.get("RoutingPolicy/other").await?, other);

    // What serves may come to lack something, too.
    shop.kubectl(["delete", "modeldeployment", "east"]).await?.success()?;
    let both = format!("{held}; and of what it needs: deployment {{ns}}/east does not exist");
    statuses.told("RoutingPolicy/chat", &[&both]).await?;
    shop.apply(&deployment("east")).await?;
    statuses.told("RoutingPolicy/chat", &[held]).await?;

    shop.apply(&policy("chat", &["east"])).await?;
    let resolved = [
        "ResolvedRefs=True ResolvedRefs",
        "Programmed=True NoSidecars: no pod with a sidecar is concerned",
    ];
    statuses.told("RoutingPolicy/chat", &resolved).await
}

#[tokio::test]
async fn a_secret_that_goes_or_loses_its_label_takes_its_deployment_along() -> Result<()> {
    let (cluster, _operator) = Operator::shared().await?;
    let shop = cluster.namespace("shop").await?;
    let statuses = Statuses::of(cluster, &shop).await?;
    shop.apply(&deployment("east")).await?;
    shop.apply(&policy("chat", &["east"])).await?;
    let resolved = ["ResolvedRefs=True ResolvedRefs"];
    statuses.told("RoutingPolicy/chat", &resolved).await?;

    let missing = r#"Secret {ns}/east does not exist or lacks the label pilotfish.dev/credentials: "true""#;
    let unresolved = format!("ResolvedRefs=False InvalidSecret: {missing}");
    let dropped = format!("Programmed=False NotInForce: {missing}");
    let without = format!("ResolvedRefs=False DeploymentNotInForce: deployment {{ns}}/east is not in force: {missing}");
    let gone = async || {
        statuses
            .told("ModelDeployment/east", &[unresolved.as_str(), dropped.as_str()])
            .await?;
        statuses.told("RoutingPolicy/chat", &[without.as_str()]).await
    };

    shop.kubectl(["label", "secret", "east", "pilotfish.dev/credentials-"])
        .await?
        .success()?;
    gone().await?;
    shop.kubectl(["label", "secret", "east", "pilotfish.dev/credentials=true"])
        .await?
        .success()?;
    statuses.told("RoutingPolicy/chat", &resolved).await?;

    shop.kubectl(["delete", "secret", "east"]).await?.success()?;
    gone().await
}

#[tokio::test]
async fn a_deleted_deployment_drops_out_of_a_policy_in_force() -> Result<()> {
    let (cluster, _operator) = Operator::shared().await?;
    let shop = cluster.namespace("shop").await?;
    let statuses = Statuses::of(cluster, &shop).await?;
    shop.apply(&format!("{}---\n{}", deployment("east"), deployment("west")))
        .await?;
    shop.apply(&policy("chat", &["east", "west"])).await?;
    statuses
        .told("RoutingPolicy/chat", &["ResolvedRefs=True ResolvedRefs"])
        .await?;

    shop.kubectl(["delete", "modeldeployment", "west"]).await?.success()?;
    let expected = [
        "ResolvedRefs=False DeploymentNotFound: deployment {ns}/west does not exist",
        "Programmed=True NoSidecars: no pod with a sidecar is concerned",
    ];
    statuses.told("RoutingPolicy/chat", &expected).await
}

#[tokio::test]
async fn what_is_being_deleted_says_so_for_as_long_as_it_is_there() -> Result<()> {
    let (cluster, _operator) = Operator::shared().await?;
    let shop = cluster.namespace("shop").await?;
    let statuses = Statuses::of(cluster, &shop).await?;
    shop.apply(&deployment("east")).await?;
    let finalizers = |list: &str| {
        let patch = format!(r#"{{"metadata":{{"finalizers":{list}}}}}"#);
        let shop = &shop;
        async move {
            let arguments = ["patch", "modeldeployment", "east", "--type=merge", "-p", &patch];
            shop.kubectl(arguments).await?.success().map(drop)
        }
    };
    finalizers(r#"["example.com/audit"]"#).await?;
    statuses
        .told("ModelDeployment/east", &["Accepted=True Accepted"])
        .await?;
    shop.kubectl(["delete", "modeldeployment", "east", "--wait=false"])
        .await?
        .success()?;
    let deleting = "Programmed=False Deleting: it is being deleted and serves nothing; it waits for example.com/audit";
    statuses
        .told("ModelDeployment/east", &[deleting, "Accepted=True Accepted"])
        .await?;
    finalizers("null").await?;
    until("it is gone", async || {
        anyhow::ensure!(statuses.get("ModelDeployment/east").await.is_err(), "it is there");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_no_schema_can_tell_is_told_by_the_condition() -> Result<()> {
    let (cluster, _operator) = Operator::shared().await?;
    let shop = cluster.namespace("shop").await?;
    let statuses = Statuses::of(cluster, &shop).await?;
    shop.apply(
        "{apiVersion: pilotfish.dev/v1alpha1, kind: RoutingPolicy, metadata: {name: fleet}, spec: {models: [chat], \
         namespaces: {selector: {}}, rules: [{name: all, targets: [{deploymentRef: {name: east}}]}]}}",
    )
    .await?;
    let accepted = "Accepted=False Invalid: spec.namespaces: only policies of the root namespace \"pilotfish-system\" \
                    may serve other namespaces";
    statuses.told("RoutingPolicy/fleet", &[accepted]).await
}

#[tokio::test]
async fn kubectl_shows_the_status_in_columns_and_a_status_of_another_hand_is_put_right() -> Result<()> {
    let (cluster, _operator) = Operator::shared().await?;
    let shop = cluster.namespace("shop").await?;
    let statuses = Statuses::of(cluster, &shop).await?;
    shop.apply(&deployment("east")).await?;
    statuses
        .told("ModelDeployment/east", &["ResolvedRefs=True ResolvedRefs"])
        .await?;
    let table = shop.kubectl(["get", "mdep"]).await?.success()?;
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    let (head, row) = (&rows[0], &rows[1]);
    assert_eq!(
        head[..7],
        [
            "NAME",
            "PROVIDER",
            "MODEL",
            "ACCEPTED",
            "RESOLVED",
            "PROGRAMMED",
            "SIDECARS"
        ]
    );
    assert_eq!(row[3..7], ["True", "True", "True", "0"], "{table}");

    let foreign = json!({
        "type": "example.com/Audited", "status": "True", "reason": "Audited", "message": "", "observedGeneration": 1,
        "lastTransitionTime": "2026-11-21T12:00:00Z",
    });
    let accepted = json!({
        "type": "Accepted", "status": "False", "reason": "Mistaken", "message": "not at all", "observedGeneration": 1,
        "lastTransitionTime": "2026-11-21T12:00:00Z",
    });
    statuses
        .patch_status("ModelDeployment/east", &json!({"conditions": [foreign, accepted]}))
        .await?;
    let expected = [
        "Accepted=True Accepted",
        "ResolvedRefs=True ResolvedRefs",
        "Programmed=True NoSidecars: no pod with a sidecar is concerned",
        "example.com/Audited=True Audited",
    ];
    statuses.told("ModelDeployment/east", &expected).await
}
