//! Two policies for one name: whose word counts, and who is told.

use crate::statuses::Statuses;
use anyhow::Result;
use pilotfish_tests::operator::NAMESPACE;
use pilotfish_tests::{Deployment, Dialect, Operator, Policy};

/// A deployment that everybody may use, under this name.
fn shared(name: &str) -> String {
    let deployment = Deployment::at(Dialect::Chat, name, "http://127.0.0.1:9/v1");
    deployment.with("allowedNamespaces: {from: All}").to_string()
}

#[tokio::test]
async fn the_younger_of_two_policies_for_a_name_is_told_who_has_it() -> Result<()> {
    let (cluster, _operator) = Operator::shared().await?;
    let shop = cluster.namespace("shop").await?;
    let statuses = Statuses::of(cluster, &shop).await?;
    shop.apply(&shared("east")).await?;
    // Of one second, the lesser name is the older.
    let both = |name: &str| {
        Policy::named(name)
            .models(["chat", "gpt-*", name])
            .targets(["east"])
            .to_string()
    };
    shop.apply(&both("a")).await?;
    statuses
        .told("RoutingPolicy/a", &["ResolvedRefs=True ResolvedRefs"])
        .await?;
    shop.apply(&both("b")).await?;
    let conflicted = "PartiallyInvalid=True Conflicted: chat is answered by {ns}/a; gpt-* is answered by {ns}/a";
    statuses
        .told("RoutingPolicy/b", &["Accepted=True Accepted", conflicted])
        .await?;
    statuses.told("RoutingPolicy/a", &["no PartiallyInvalid"]).await?;

    shop.kubectl(["delete", "routingpolicy", "a"]).await?.success()?;
    statuses.told("RoutingPolicy/b", &["no PartiallyInvalid"]).await
}

#[tokio::test]
async fn a_policy_of_the_root_namespace_serves_whom_it_selects_and_yields_to_their_own() -> Result<()> {
    let (cluster, _operator) = Operator::shared().await?;
    let (shop, bank) = (cluster.namespace("shop").await?, cluster.namespace("bank").await?);
    let root = Statuses::in_namespace(cluster, NAMESPACE).await?;
    let own = Statuses::of(cluster, &shop).await?;
    // All tests of this program share the root namespace.
    let fleet = shop.name().to_owned();
    let label = format!("fleet={fleet}");
    for namespace in [shop.name(), bank.name()] {
        cluster
            .kubectl(["label", "namespace", namespace, &label])
            .await?
            .success()?;
    }
    let apply_in_root = async |documents: &str| {
        let apply = ["apply", "--namespace", NAMESPACE, "-f", "-"];
        cluster.kubectl_with(apply, documents).await?.success()
    };
    let policy = |name: &str| {
        let policy = Policy::named(name).models(["chat"]).targets([fleet.as_str()]);
        let selector = format!("namespaces: {{selector: {{matchLabels: {{fleet: {fleet}}}}}}}");
        policy.with(&selector).to_string()
    };
    apply_in_root(&shared(&fleet)).await?;
    apply_in_root(&policy(&format!("{fleet}-a"))).await?;
    let (first, second) = (format!("RoutingPolicy/{fleet}-a"), format!("RoutingPolicy/{fleet}-b"));
    root.told(&first, &["ResolvedRefs=True ResolvedRefs", "no PartiallyInvalid"])
        .await?;

    // A policy of the namespace itself is more specific: that is no conflict, on neither side.
    shop.apply(&shared("east")).await?;
    shop.apply(&Policy::named("chat").targets(["east"]).to_string()).await?;
    own.told(
        "RoutingPolicy/chat",
        &["ResolvedRefs=True ResolvedRefs", "no PartiallyInvalid"],
    )
    .await?;
    root.told(&first, &["no PartiallyInvalid"]).await?;

    // Another of the root namespace is as specific, and younger.
    apply_in_root(&policy(&format!("{fleet}-b"))).await?;
    let conflicted = format!("PartiallyInvalid=True Conflicted: chat is answered by {NAMESPACE}/{fleet}-a");
    root.told(&second, &[conflicted.as_str()]).await?;

    for object in [first, second, format!("ModelDeployment/{fleet}")] {
        let arguments = ["delete", "--namespace", NAMESPACE, &object];
        cluster.kubectl(arguments).await?.success()?;
    }
    Ok(())
}
