//! A restart without an operator, and with a copy that is damaged.

use crate::resources::{key, policy, urgent};
use crate::scene::{AN_HOUR, Scene, status, status_of};
use anyhow::Result;
use pilotfish_tests::Client;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

fn copy(scene: &Scene) -> PathBuf {
    scene.mounts.directory.join("state/last-good.ndjson")
}

#[tokio::test]
async fn a_restarted_sidecar_serves_at_once_credentials_and_keys_included() -> Result<()> {
    let mut scene = Scene::new().await?;
    let (sidecar, mut session) = scene.serving().await?;
    session.batch(2, &[policy("east", "VirtualKey")], "v2").await?;
    session.say([urgent(Some(3), Some(key("sk-pf-a", false)))]).await?;
    session.ack().await?;
    let address = scene.operator.address();
    drop(session);
    scene.stop().await?;
    // Told to stop, it writes what it has not written yet.
    let mut sidecar = sidecar;
    sidecar.terminate()?;
    assert_eq!(sidecar.ended().await?.code(), Some(0), "{}", sidecar.log());
    assert_eq!(fs::metadata(copy(&scene))?.permissions().mode() & 0o777, 0o600);

    let sidecar = scene.sidecar().await?.ready().await?;
    sidecar.logged("serving the last good configuration").await?;
    assert_eq!(status(&sidecar).await?, 401);
    let client = Client::new(&sidecar)?.header("authorization", "Bearer sk-pf-a");
    assert_eq!(status_of(&client).await?, 200);
    assert_eq!(scene.east.received().len(), 1);

    scene.operator_at(address, AN_HOUR).await?;
    let mut session = scene.operator.session().await?;
    assert_eq!(session.hello.known.len(), 5);
    session.greet("Deployment/web", None).await?;
    session.batch(1, &[], "v2").await?;
    let metrics = sidecar.metrics().await?;
    assert_eq!(metrics.sum("pilotfish_config_resources_total", &[]), 0.0);
    assert_eq!(status_of(&client).await?, 200);
    Ok(())
}

#[tokio::test]
async fn a_killed_sidecar_has_what_it_acknowledged() -> Result<()> {
    let mut scene = Scene::new().await?;
    let (sidecar, session) = scene.serving().await?;
    drop(sidecar);
    drop(session);
    scene.stop().await?;
    let sidecar = scene.sidecar().await?.ready().await?;
    assert_eq!(status(&sidecar).await?, 200);
    Ok(())
}

#[tokio::test]
async fn a_damaged_copy_is_ignored_and_told() -> Result<()> {
    let mut scene = Scene::new().await?;
    let (sidecar, session) = scene.serving().await?;
    drop(sidecar);
    drop(session);
    let whole = fs::read_to_string(copy(&scene))?;
    assert!(
        whole.contains("sk-up-east") && whole.contains("Deployment/web"),
        "{whole}"
    );
    fs::write(copy(&scene), whole.replace("sk-up-east", "sk-up-west"))?;

    let sidecar = scene.sidecar().await?;
    let line = sidecar.logged("the last good configuration is not used").await?;
    assert!(
        line.contains("it was altered or damaged") && line.contains("WARN"),
        "{line}"
    );
    assert!(!sidecar.is_ready().await?);
    assert_eq!(status(&sidecar).await?, 503);
    assert_eq!(
        sidecar.metrics().await?.sum("pilotfish_last_good_ignored_total", &[]),
        1.0
    );

    let mut session = scene.operator.session().await?;
    assert_eq!(session.hello.known.len(), 0);
    session.greet("Deployment/web", None).await?;
    session
        .batch(1, &crate::resources::chat("east", &scene.east), "v1")
        .await?;
    assert_eq!(fs::read_to_string(copy(&scene))?, whole, "it is written anew");
    Ok(())
}

#[tokio::test]
async fn a_volume_that_cannot_be_written_stops_nothing() -> Result<()> {
    let mut scene = Scene::new().await?;
    fs::remove_dir(scene.mounts.directory.join("state"))?;
    let (sidecar, _session) = scene.serving().await?;
    sidecar.logged("the last good configuration is not written").await?;
    assert_eq!(status(&sidecar).await?, 200);
    let failures = sidecar
        .metrics()
        .await?
        .sum("pilotfish_last_good_write_failures_total", &[]);
    assert_eq!(failures, 1.0);
    Ok(())
}
