//! An operator that sends what no operator should.

use crate::scene::{Scene, status};
use anyhow::Result;
use bytes::Bytes;

const MEBIBYTE: usize = 1024 * 1024;

#[tokio::test]
async fn a_line_of_100_mb_ends_its_stream_and_costs_little_memory() -> Result<()> {
    let mut scene = Scene::new().await?;
    let (sidecar, mut session) = scene.serving().await?;
    let before = sidecar.resident()?;
    let part = Bytes::from(vec![b'a'; MEBIBYTE]);
    let mut sent = 0;
    while sent < 100 && session.send(part.clone()).await.is_ok() {
        sent += 1;
    }
    assert!(sent < 16, "it took {sent} MiB");
    let line = sidecar.logged("a line is longer than 8 MiB").await?;
    assert!(line.contains("the operator sent what cannot be read"), "{line}");
    let mut session = scene.operator.session().await?;
    session.greet("Deployment/web", None).await?;
    session.batch(1, &[], "v1").await?;
    assert_eq!(status(&sidecar).await?, 200);
    let grown = sidecar.resident()?.saturating_sub(before);
    assert!(grown < 32 * MEBIBYTE as u64, "{grown} bytes more");
    let protocol = [("reason", "protocol")];
    let ended = sidecar
        .metrics()
        .await?
        .sum("pilotfish_config_stream_ends_total", &protocol);
    assert_eq!(ended, 1.0);
    Ok(())
}

#[tokio::test]
async fn a_line_that_is_none_ends_its_stream_and_leaves_the_configuration() -> Result<()> {
    let mut scene = Scene::new().await?;
    let (sidecar, mut session) = scene.serving().await?;
    for bad in ["{\"begin\"\n", "\u{fffd}{}\n", "{\"commit\":{\"nonce\":true}}\n"] {
        session.send(Bytes::from_static(bad.as_bytes())).await?;
        session.closed().await?;
        session = scene.operator.session().await?;
        session.greet("Deployment/web", None).await?;
        session.batch(1, &[], "v1").await?;
        assert_eq!(status(&sidecar).await?, 200);
    }
    sidecar.logged("the operator sent what cannot be read").await?;
    Ok(())
}

#[tokio::test]
async fn a_kind_of_line_of_a_later_revision_is_ignored() -> Result<()> {
    let mut scene = Scene::new().await?;
    let (_sidecar, mut session) = scene.serving().await?;
    let later = "\n{\"grant\":{\"budget\":\"default/all\"}}\n{}\n";
    session.send(Bytes::from_static(later.as_bytes())).await?;
    session.batch(2, &[], "v2").await?;
    Ok(())
}
