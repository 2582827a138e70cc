//! A sidecar of its own: it restarts without an operator, and its stream goes where the leader is.

use crate::scene::{PATIENCE, Scene, chat, deployments, own};
use anyhow::{Result, ensure};
use pilotfish_tests::cluster::until;
use pilotfish_tests::{Client, Dialect, Launch, Mounts, Operator, Pilotfish, Pod};
use std::fs;
use tempfile::TempDir;
use tokio::time::Instant;

/// The volumes of the pod's sidecar, which outlive it.
async fn mounts(directory: &TempDir, operator: &Operator, pod: &Pod<'_>) -> Result<Mounts> {
    fs::write(directory.path().join("token"), pod.token().await?)?;
    fs::write(directory.path().join("ca.crt"), operator.authority().await?)?;
    fs::create_dir(directory.path().join("state"))?;
    Ok(Mounts {
        operator: operator.sidecars().to_string(),
        name: operator.name(),
        directory: directory.path().to_owned(),
    })
}

async fn served_by(sidecar: &Pilotfish, deployment: &str) -> Result<bool> {
    let answer = Client::new(sidecar)?
        .ask(Dialect::Chat, &Dialect::Chat.request("chat", "Hello"))
        .await?;
    ensure!(answer.status == 200, "{} {}", answer.status, answer.text());
    Ok(answer.header("x-pilotfish-deployment") == Some(deployment))
}

/// How many sidecars are connected to this replica.
async fn connected(operator: &Operator, expected: f64) -> Result<()> {
    until("the sidecar is where it belongs", async || {
        let sidecars = operator.metrics().await?.sum("pilotfish_operator_sidecars", &[]);
        ensure!(sidecars == expected, "{sidecars} are connected");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_sidecar_restarts_without_an_operator_and_is_sent_nothing_again() -> Result<()> {
    let (cluster, operator) = own().await?;
    let shop = cluster.namespace("shop").await?;
    let pod = Pod::create(&shop, "web", "{app: web}").await?;
    let east = Dialect::Chat.provider("east").start().await?;
    let west = Dialect::Chat.provider("west").start().await?;
    shop.apply(&deployments(&east, &west)).await?;
    shop.apply(&chat("east")).await?;
    let (by_east, by_west) = (format!("{}/east", shop.name()), format!("{}/west", shop.name()));
    let directory = tempfile::tempdir()?;
    let mounts = mounts(&directory, &operator, &pod).await?;
    let at = mounts.operator.clone();
    let sidecar = Launch::mounts(&mounts).start().await?;
    until("the policy is obeyed", async || {
        ensure!(served_by(&sidecar, &by_east).await?, "not by east");
        Ok(())
    })
    .await?;

    drop(operator);
    drop(sidecar);
    let sidecar = Launch::mounts(&mounts).start().await?;
    assert!(served_by(&sidecar, &by_east).await?);

    let operator = Operator::start(&cluster, "operator-1", &["--listen", &at]).await?;
    until("the operator is told", async || {
        let acks = operator.metrics().await?.sum("pilotfish_operator_acks_total", &[]);
        ensure!(acks >= 1.0, "not yet");
        Ok(())
    })
    .await?;
    let sent = operator
        .metrics()
        .await?
        .sum("pilotfish_operator_resources_sent_total", &[]);
    let received = sidecar.metrics().await?.sum("pilotfish_config_resources_total", &[]);
    assert_eq!((sent, received), (0.0, 0.0));
    assert!(served_by(&sidecar, &by_east).await?);
    shop.apply(&chat("west")).await?;
    until("the edit is obeyed", async || {
        ensure!(served_by(&sidecar, &by_west).await?, "not by west");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_stream_moves_to_the_leader_and_comes_back_when_it_is_killed() -> Result<()> {
    let (cluster, leader) = own().await?;
    until("it leads", async || {
        let leads = leader.metrics().await?.sum("pilotfish_operator_leader", &[]);
        ensure!(leads == 1.0, "not yet");
        Ok(())
    })
    .await?;
    let follower = Operator::start(&cluster, "operator-1", &[]).await?;
    let shop = cluster.namespace("shop").await?;
    let pod = Pod::create(&shop, "web", "{app: web}").await?;
    // Its service is the follower alone.
    let scene = Scene::start(&follower, &shop, &pod).await?;
    connected(&leader, 1.0).await?;
    connected(&follower, 0.0).await?;
    shop.apply(&chat("west")).await?;
    scene.served_by("west").await?;

    let killed = Instant::now();
    drop(leader);
    connected(&follower, 1.0).await?;
    ensure!(killed.elapsed() < PATIENCE, "it took {:?}", killed.elapsed());
    shop.apply(&chat("east")).await?;
    scene.served_by("east").await?;
    Ok(())
}
