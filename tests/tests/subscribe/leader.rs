//! A stream belongs with the leader, and moves there without a gap.

use crate::resources::{key, policy, urgent};
use crate::scene::{Scene, status, status_of};
use anyhow::Result;
use pilotfish_tests::Client;

#[tokio::test]
async fn a_stream_moves_to_the_leader_and_the_old_one_is_obeyed_until_then() -> Result<()> {
    let mut scene = Scene::new().await?;
    let mut leader = scene.replica().await?;
    let (sidecar, mut follower) = scene.serving().await?;
    follower.greet("Deployment/web", Some(leader.address())).await?;
    let mut session = leader.session().await?;
    assert_eq!(session.hello.known.len(), 4);
    assert!(session.certificate.is_some());

    // The leader has the stream, and has not committed yet.
    follower.batch(2, &[policy("east", "VirtualKey")], "v2").await?;
    assert_eq!(status(&sidecar).await?, 401);
    session.greet("Deployment/web", None).await?;
    follower.say([urgent(Some(9), Some(key("sk-pf-a", false)))]).await?;
    assert_eq!(follower.ack().await?.nonce, 9);
    let client = Client::new(&sidecar)?.header("authorization", "Bearer sk-pf-a");
    assert_eq!(status_of(&client).await?, 200);

    // What the leader commits replaces what the follower said since, whole.
    session.batch(1, &[], "v1").await?;
    follower.closed().await?;
    assert_eq!(status(&sidecar).await?, 200);
    assert_eq!(status_of(&client).await?, 401);
    sidecar.logged("moved to the operator's leader").await?;
    let connected = sidecar.metrics().await?.sum("pilotfish_config_stream_connected", &[]);
    assert_eq!(connected, 1.0);
    Ok(())
}

#[tokio::test]
async fn a_stream_stays_where_it_is_while_the_leader_cannot_be_reached() -> Result<()> {
    let mut scene = Scene::new().await?;
    let gone = scene.replica().await?;
    let nobody = gone.address();
    gone.end().await;
    let (sidecar, mut follower) = scene.serving().await?;
    follower.greet("Deployment/web", Some(nobody)).await?;
    sidecar
        .metrics_until(|metrics| {
            metrics.sum("pilotfish_config_stream_connects_total", &[("result", "unreachable")]) >= 2.0
        })
        .await?;
    follower.batch(2, &[], "v2").await?;
    assert_eq!(status(&sidecar).await?, 200);

    // It leads itself, or another replica does.
    let mut leader = scene.replica().await?;
    follower.greet("Deployment/web", Some(leader.address())).await?;
    let mut session = leader.session().await?;
    session.greet("Deployment/web", None).await?;
    session.batch(1, &[], "v2").await?;
    follower.closed().await
}

#[tokio::test]
async fn a_leader_that_says_that_it_does_not_lead_does_not_get_the_stream() -> Result<()> {
    let mut scene = Scene::new().await?;
    let mut other = scene.replica().await?;
    let (_sidecar, mut follower) = scene.serving().await?;
    follower.greet("Deployment/web", Some(other.address())).await?;
    let mut session = other.session().await?;
    session.greet("Deployment/web", Some(scene.operator.address())).await?;
    session.closed().await?;
    follower.batch(2, &[], "v2").await?;
    Ok(())
}

#[tokio::test]
async fn when_the_leader_is_lost_any_replica_will_do() -> Result<()> {
    let mut scene = Scene::new().await?;
    let mut leader = scene.replica().await?;
    let (sidecar, mut follower) = scene.serving().await?;
    follower.greet("Deployment/web", Some(leader.address())).await?;
    let mut session = leader.session().await?;
    session.greet("Deployment/web", None).await?;
    session.batch(1, &[], "v1").await?;
    follower.closed().await?;

    drop(session);
    leader.end().await;
    let mut again = scene.operator.session().await?;
    assert_eq!(again.hello.known.len(), 4);
    again.greet("Deployment/web", None).await?;
    again.batch(1, &[], "v1").await?;
    assert_eq!(status(&sidecar).await?, 200);
    Ok(())
}
