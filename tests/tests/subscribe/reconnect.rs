//! Streams end, break and fall silent; requests do not notice, and nothing is sent twice.

use crate::resources::{chat, policy};
use crate::scene::{AN_HOUR, Scene, status};
use anyhow::Result;
use pilotfish_wire::{Resource, known_as};
use std::collections::BTreeMap;

fn versions(resources: &[Resource]) -> BTreeMap<String, String> {
    let version = |resource: &Resource| (known_as(resource.kind, &resource.name), resource.version.clone());
    resources.iter().map(version).collect()
}

#[tokio::test]
async fn a_reconnect_names_what_is_there_and_repeats_its_ack() -> Result<()> {
    let mut scene = Scene::new().await?;
    let (sidecar, mut session) = scene.serving().await?;
    let needy = policy("east", "Pod").requiring("time-travel");
    let refused = session.batch(2, std::slice::from_ref(&needy), "v2").await?.refused;
    let mut sent = chat("east", &scene.east);
    sent.retain(|resource| resource.name != needy.name);
    sent.push(needy);

    session.end()?;
    let mut session = scene.operator.session().await?;
    assert_eq!(session.hello.known, versions(&sent));
    assert!(session.certificate.is_some(), "the certificate that it has");
    session.greet("Deployment/web", None).await?;
    assert_eq!(session.batch(1, &[], "v2").await?.refused, refused);
    assert_eq!(status(&sidecar).await?, 200);
    let metrics = sidecar.metrics().await?;
    assert_eq!(metrics.sum("pilotfish_config_resources_total", &[]), 5.0);
    let connects = |result| metrics.sum("pilotfish_config_stream_connects_total", &[("result", result)]);
    assert_eq!((connects("connected"), connects("refused")), (2.0, 0.0));
    assert_eq!(
        metrics.sum("pilotfish_config_stream_ends_total", &[("reason", "ended")]),
        1.0
    );
    assert_eq!(scene.operator.asked().len(), 1);
    Ok(())
}

#[tokio::test]
async fn without_an_operator_all_goes_on_and_the_next_one_is_found() -> Result<()> {
    let mut scene = Scene::new().await?;
    let (sidecar, session) = scene.serving().await?;
    let known = versions(&chat("east", &scene.east));
    drop(session);
    scene.stop().await?;
    sidecar
        .metrics_until(|metrics| metrics.sum("pilotfish_config_stream_connected", &[]) == 0.0)
        .await?;
    for _ in 0..20 {
        assert_eq!(status(&sidecar).await?, 200);
    }
    sidecar.logged("the last good configuration stays in force").await?;
    assert!(sidecar.is_ready().await?);

    // At its old address: nothing else leads there.
    let address = sidecar_address(&scene);
    scene.operator_at(address, AN_HOUR).await?;
    let session = scene.operator.session().await?;
    assert_eq!(session.hello.known, known);
    Ok(())
}

fn sidecar_address(scene: &Scene) -> std::net::SocketAddr {
    scene.mounts.operator.parse().expect("the scene wrote an address")
}

#[tokio::test]
async fn a_stream_that_falls_silent_is_noticed_by_its_pings() -> Result<()> {
    let mut scene = Scene::new().await?;
    let (sidecar, session) = scene.serving().await?;
    session.fall_silent();
    let mut again = scene.operator.session().await?;
    assert_eq!(again.hello.known, versions(&chat("east", &scene.east)));
    again.greet("Deployment/web", None).await?;
    again.batch(1, &[], "v1").await?;
    assert_eq!(status(&sidecar).await?, 200);
    let lost = sidecar
        .metrics()
        .await?
        .sum("pilotfish_config_stream_ends_total", &[("reason", "lost")]);
    assert_eq!(lost, 1.0);
    Ok(())
}

#[tokio::test]
async fn an_operator_that_does_not_say_hello_is_left() -> Result<()> {
    let mut scene = Scene::new().await?;
    let sidecar = scene.sidecar().await?;
    let _mute = scene.operator.session().await?;
    let line = sidecar.logged("took longer than 10 s: to say hello").await?;
    assert!(line.contains("WARN"), "{line}");
    let _next = scene.operator.session().await?;
    Ok(())
}
