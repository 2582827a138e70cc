//! Two replicas: one leads and writes, and when it goes the other does.

use crate::scene::Scene;
use crate::statuses::{Statuses, conditions};
use anyhow::{Context, Result, ensure};
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use pilotfish_tests::cluster::until;
use pilotfish_tests::operator::{NAMESPACE, signal};
use pilotfish_tests::{Cluster, Deployment, Dialect, Operator, Pod, Policy};
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

/// A leader that was killed is missed for no longer than this.
const AT_MOST: Duration = Duration::from_secs(20);

async fn leads(operator: &Operator) -> Result<bool> {
    let metrics = operator.metrics().await?;
    Ok(metrics.sum("pilotfish_operator_leader", &[]) == 1.0)
}

async fn comes_to_lead(operator: &Operator) -> Result<()> {
    until("the replica leads", async || {
        ensure!(leads(operator).await?, "it does not");
        Ok(())
    })
    .await
}

async fn writes(operator: &Operator) -> Result<f64> {
    let metrics = operator.metrics().await?;
    Ok(metrics.sum("pilotfish_operator_status_writes_total", &[]))
}

/// The Lease's holder, without what tells its processes apart.
async fn holder(cluster: &Cluster) -> Result<Option<String>> {
    let api = Api::<Lease>::namespaced(cluster.client().await?, NAMESPACE);
    let holder = api
        .get("pilotfish-operator")
        .await?
        .spec
        .and_then(|spec| spec.holder_identity);
    Ok(holder.and_then(|holder| Some(holder.rsplit_once('_')?.0.to_owned())))
}

/// How long ago the Lease was renewed.
async fn age(cluster: &Cluster) -> Result<Duration> {
    let api = Api::<Lease>::namespaced(cluster.client().await?, NAMESPACE);
    let spec = api
        .get("pilotfish-operator")
        .await?
        .spec
        .context("the Lease says something")?;
    let renewed = spec.renew_time.context("it was renewed")?.0;
    let age = jiff::Timestamp::now().duration_since(renewed);
    Ok(age.unsigned_abs())
}

fn deployment(name: &str) -> String {
    Deployment::at(Dialect::Chat, name, "http://127.0.0.1:9/v1").to_string()
}

#[tokio::test]
async fn when_the_leader_is_killed_the_other_replica_takes_over_and_nothing_flickers() -> Result<()> {
    let (cluster, first) = Operator::with_cluster().await?;
    comes_to_lead(&first).await?;
    let second = Operator::start(&cluster, "operator-1", &[]).await?;
    let shop = cluster.namespace("shop").await?;
    let statuses = Statuses::of(&cluster, &shop).await?;
    let pod = Pod::create(&shop, "web", "{app: web}").await?;
    // Its sidecar is told of the leader, and has nobody else to go to once that is gone.
    let scene = Scene::start(&first, &shop, &pod).await?;
    let programmed = ["Programmed=True Programmed"];
    statuses.told("RoutingPolicy/chat", &programmed).await?;
    statuses
        .shows("RoutingPolicy/chat", "/sidecars/programmed", &json!(1))
        .await?;
    assert_eq!(
        (holder(&cluster).await?, leads(&second).await?),
        (Some("operator-0".to_owned()), false)
    );
    assert_eq!(writes(&second).await?, 0.0);
    let before = statuses.get("RoutingPolicy/chat").await?;

    let killed = Instant::now();
    drop(first);
    comes_to_lead(&second).await?;
    ensure!(killed.elapsed() < AT_MOST, "it took {:?}", killed.elapsed());
    assert_eq!(holder(&cluster).await?.as_deref(), Some("operator-1"));
    // An edit is answered for by the new leader, and what it did not touch still counts as it was published.
    shop.apply(&deployment("late")).await?;
    statuses
        .told("ModelDeployment/late", &["Accepted=True Accepted"])
        .await?;
    assert_eq!(statuses.get("RoutingPolicy/chat").await?, before);
    scene.ask().await?;
    Ok(())
}

#[tokio::test]
async fn a_leader_that_is_told_to_stop_is_followed_at_once_and_one_that_slept_writes_nothing() -> Result<()> {
    let (cluster, first) = Operator::with_cluster().await?;
    comes_to_lead(&first).await?;
    let second = Operator::start(&cluster, "operator-1", &[]).await?;
    let told = Instant::now();
    first.terminate().await?;
    comes_to_lead(&second).await?;
    // Well before the Lease would have run out.
    ensure!(told.elapsed() < Duration::from_secs(6), "it took {:?}", told.elapsed());

    // As if its machine had stood still: it wakes up as the leader that it no longer is.
    let third = Operator::start(&cluster, "operator-2", &[]).await?;
    signal(second.pid(), "STOP")?;
    comes_to_lead(&third).await?;
    let shop = cluster.namespace("shop").await?;
    let statuses = Statuses::of(&cluster, &shop).await?;
    shop.apply(&deployment("east")).await?;
    statuses
        .told("ModelDeployment/east", &["Accepted=True Accepted"])
        .await?;
    signal(second.pid(), "CONT")?;
    until("it knows that it leads no longer", async || {
        ensure!(!leads(&second).await?, "it does not");
        Ok(())
    })
    .await?;
    assert!(leads(&third).await?);
    assert_eq!(writes(&second).await?, 0.0);
    Ok(())
}

#[tokio::test]
async fn a_leader_whose_time_ran_out_leads_again_where_nobody_else_does() -> Result<()> {
    let (cluster, operator) = Operator::with_cluster().await?;
    comes_to_lead(&operator).await?;
    signal(operator.pid(), "STOP")?;
    until("its time has run out", async || {
        let age = age(&cluster).await?;
        ensure!(age > Duration::from_secs(7), "it was renewed {age:?} ago");
        Ok(())
    })
    .await?;
    signal(operator.pid(), "CONT")?;
    until("it keeps the Lease again", async || {
        let age = age(&cluster).await?;
        ensure!(age < Duration::from_secs(3), "it was renewed {age:?} ago");
        Ok(())
    })
    .await?;
    // Which is what it may write by.
    comes_to_lead(&operator).await?;
    let shop = cluster.namespace("shop").await?;
    let statuses = Statuses::of(&cluster, &shop).await?;
    shop.apply(&deployment("east")).await?;
    statuses
        .told("ModelDeployment/east", &["Accepted=True Accepted"])
        .await?;
    Ok(())
}

#[tokio::test]
async fn an_object_that_cannot_be_read_spoils_only_itself_and_a_restart_writes_nothing() -> Result<()> {
    let (cluster, operator) = Operator::with_cluster().await?;
    let shop = cluster.namespace("shop").await?;
    let statuses = Statuses::of(&cluster, &shop).await?;
    shop.apply(&deployment("east")).await?;
    shop.apply(&Policy::named("chat").targets(["east"]).to_string()).await?;
    statuses
        .told("RoutingPolicy/chat", &["ResolvedRefs=True ResolvedRefs"])
        .await?;

    // A newer version's schema lets a field through that this operator was not made for.
    let spec = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/x-kubernetes-preserve-unknown-fields";
    let patch = json!([{"op": "add", "path": spec, "value": true}]).to_string();
    let arguments = [
        "patch",
        "crd",
        "routingpolicies.pilotfish.dev",
        "--type=json",
        "--patch",
        &patch,
    ];
    cluster.kubectl(arguments).await?.success()?;
    let newer = |name: &str| {
        Policy::named(name)
            .targets(["east"])
            .with("hedge: {percentile: 95}")
            .to_string()
    };
    let why = "spec.hedge is not known to this version of the operator; upgrade it, or remove the field";
    let undecodable = format!("Accepted=False Undecodable: {why}");
    // A watch that was open before is served the former schema for a moment, and is told nothing when that ends.
    let mut looks = 0;
    until("the operator sees the newer schema", async || {
        looks += 1;
        let look = format!("look={looks}");
        shop.apply(&newer("chat")).await?;
        shop.kubectl(["annotate", "--overwrite", "rp/chat", &look])
            .await?
            .success()?;
        let said = conditions(&statuses.get("RoutingPolicy/chat").await?);
        ensure!(said.contains(&undecodable), "it says {said:?}");
        Ok(())
    })
    .await?;
    // What it was served before, without the field, is the same edit taken back: that generation counts as in force.
    let said = conditions(&statuses.get("RoutingPolicy/chat").await?);
    let held = |line: &String| line.starts_with("Programmed=False Held: generation ") && line.ends_with(why);
    ensure!(said.iter().any(held), "it says {said:?}");
    shop.apply(&newer("later")).await?;
    let never = format!("Programmed=False NotInForce: {why}");
    statuses
        .told("RoutingPolicy/later", &[undecodable.as_str(), never.as_str()])
        .await?;
    let before = statuses.get("RoutingPolicy/later").await?;

    // Everything is as it should be: the next operator has nothing to write, and says so once it leads and has looked.
    operator.terminate().await?;
    let next = Operator::start(&cluster, "operator-1", &[]).await?;
    comes_to_lead(&next).await?;
    shop.apply(&deployment("west")).await?;
    statuses
        .told("ModelDeployment/west", &["Accepted=True Accepted"])
        .await?;
    let metrics = next.metrics().await.context("it is scraped")?;
    let policies = [("kind", "RoutingPolicy")];
    assert_eq!(metrics.sum("pilotfish_operator_status_writes_total", &policies), 0.0);
    assert_eq!(statuses.get("RoutingPolicy/later").await?, before);
    Ok(())
}
