//! The Secret with the installation's key is lost: what is held is not in force until it is back, and nothing is deleted.

use crate::scene::own;
use crate::statuses::Statuses;
use anyhow::{Result, ensure};
use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, ListParams, PostParams};
use kube::{Api, ResourceExt};
use pilotfish_tests::cluster::until;
use pilotfish_tests::operator::NAMESPACE;
use pilotfish_tests::{Deployment, Dialect, Operator, Policy};

const SECRET: &str = "pilotfish-installation";

#[tokio::test]
async fn what_a_lost_key_sealed_is_left_and_in_force_again_when_the_key_is_back() -> Result<()> {
    let (cluster, operator) = own().await?;
    let shop = cluster.namespace("shop").await?;
    let statuses = Statuses::of(&cluster, &shop).await?;
    let client = cluster.client().await?;
    let revisions = Api::<ControllerRevision>::namespaced(client.clone(), shop.name());
    let secrets = Api::<Secret>::namespaced(client, NAMESPACE);
    let names = async || -> Result<Vec<String>> {
        let all = revisions.list(&ListParams::default()).await?;
        Ok(all.items.iter().map(ResourceExt::name_any).collect())
    };
    for name in ["east", "west"] {
        shop.apply(&Deployment::at(Dialect::Chat, name, "http://127.0.0.1:9/v1").to_string())
            .await?;
    }
    let chat = |target: &str| Policy::named("chat").targets([target]).to_string();
    let resolved = ["ResolvedRefs=True ResolvedRefs"];
    shop.apply(&chat("east")).await?;
    statuses.told("RoutingPolicy/chat", &resolved).await?;
    until("all is remembered", async || {
        ensure!(names().await?.len() == 3, "{:?}", names().await?);
        Ok(())
    })
    .await?;
    shop.apply(&chat("nowhere")).await?;
    let why = "deployment {ns}/nowhere does not exist";
    let held = format!("Programmed=False Held: generation 1 stays in force: {why}");
    statuses.told("RoutingPolicy/chat", &[&held]).await?;
    let before = names().await?;

    drop(operator);
    let mut backup = secrets.get(SECRET).await?;
    secrets.delete(SECRET, &DeleteParams::default()).await?;
    let operator = Operator::start(&cluster, "operator-1", &[]).await?;
    operator.logged("sealed with a former key").await?;
    let lost = format!("Programmed=False NotInForce: {why}");
    statuses.told("RoutingPolicy/chat", &[&lost]).await?;
    // What is in force is remembered anew, beside what nobody can read.
    until("the deployments are remembered again", async || {
        ensure!(names().await?.len() == before.len() + 2, "{:?}", names().await?);
        Ok(())
    })
    .await?;
    let after = names().await?;
    assert!(before.iter().all(|name| after.contains(name)), "{before:?} {after:?}");
    let metrics = operator.metrics().await?;
    assert_eq!(metrics.sum("pilotfish_operator_foreign_revisions", &[]), 3.0);
    until("an Event beside the Secret says so", async || {
        let about = "--field-selector=reason=Foreign,involvedObject.name=pilotfish-installation";
        let get = [
            "--namespace",
            NAMESPACE,
            "get",
            "events",
            about,
            "-o",
            "jsonpath={.items[*].message}",
        ];
        let told = cluster.kubectl(get).await?.success()?;
        ensure!(
            told.contains("put that Secret back and restart the operator"),
            "{told:?}"
        );
        Ok(())
    })
    .await?;
    assert!(!operator.log().contains("lacks our seal"), "{}", operator.log());

    drop(operator);
    secrets.delete(SECRET, &DeleteParams::default()).await?;
    backup.metadata.resource_version = None;
    backup.metadata.uid = None;
    secrets.create(&PostParams::default(), &backup).await?;
    let operator = Operator::start(&cluster, "operator-2", &[]).await?;
    statuses.told("RoutingPolicy/chat", &[&held]).await?;
    let metrics = operator.metrics().await?;
    assert_eq!(metrics.sum("pilotfish_operator_foreign_revisions", &[]), 2.0);
    Ok(())
}
