//! The end of a sidecar in a pod: what is under way is finished, within the time that it has.

use crate::scene::Scene;
use anyhow::{Context, Result};
use pilotfish_provider::{Gate, Pause, Point, Step};
use pilotfish_tests::{Client, Dialect, Launch};
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test]
async fn an_open_stream_is_finished_and_configuration_is_received_until_then() -> Result<()> {
    let mut scene = Scene::new().await?;
    let (mut sidecar, mut session) = scene.serving().await?;
    let gate = Gate::new();
    scene
        .east
        .script([Step::normal().pause(Point::Content(2), Pause::Until(gate.clone()))]);
    let client = Client::new(&sidecar)?;
    let mut stream = client
        .stream(Dialect::Chat, &Dialect::Chat.stream_request("chat", "one two three"))
        .await?;
    gate.reached(1).await;

    sidecar.terminate()?;
    // The connection of an earlier probe is closed; a new one is answered.
    while !matches!(sidecar.is_ready().await, Ok(false)) {
        tokio::task::yield_now().await;
    }
    session.batch(2, &[], "v2").await?;
    gate.open();
    let events = stream.events.rest().await?;
    let last = events.last().context("there are events")?;
    assert_eq!(last.data, "[DONE]");
    assert_eq!(sidecar.ended().await?.code(), Some(0), "{}", sidecar.log());
    Ok(())
}

#[tokio::test]
async fn what_does_not_end_is_cut_when_the_time_to_drain_is_up() -> Result<()> {
    let mut scene = Scene::new().await?;
    let mut sidecar = Launch::mounts(&scene.mounts)
        .arguments(["--drain", "1"])
        .listening()
        .await?;
    let mut session = scene.operator.session().await?;
    session.greet("Deployment/web", None).await?;
    session
        .batch(1, &crate::resources::chat("east", &scene.east), "v1")
        .await?;
    let gate = Gate::new();
    scene
        .east
        .script([Step::normal().pause(Point::Content(2), Pause::Until(gate.clone()))]);
    let client = Client::new(&sidecar)?;
    let _stream = client
        .stream(Dialect::Chat, &Dialect::Chat.stream_request("chat", "one two three"))
        .await?;
    gate.reached(1).await;
    let told = Instant::now();
    sidecar.terminate()?;
    assert_eq!(sidecar.ended().await?.code(), Some(0), "{}", sidecar.log());
    assert!(told.elapsed() >= Duration::from_secs(1) && told.elapsed() < Duration::from_secs(10));
    Ok(())
}

#[tokio::test]
async fn an_operator_that_is_away_does_not_hold_up_the_end() -> Result<()> {
    let mut scene = Scene::new().await?;
    scene.stop().await?;
    let mut sidecar = scene.sidecar().await?;
    sidecar.logged("no stream from the operator").await?;
    sidecar.terminate()?;
    assert_eq!(sidecar.ended().await?.code(), Some(0), "{}", sidecar.log());
    Ok(())
}
