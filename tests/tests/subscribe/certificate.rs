//! The life of the client certificate.

use crate::operator::Signing;
use crate::scene::{AN_HOUR, Scene, TOKEN, status};
use anyhow::Result;

#[tokio::test]
async fn a_certificate_is_renewed_while_its_stream_goes_on() -> Result<()> {
    // Of ten seconds that are left, five or six and a half are waited.
    let mut scene = Scene::signing(Signing::For(0..10)).await?;
    let (sidecar, mut session) = scene.serving().await?;
    scene.mount("token", "token-canary-2")?;
    let asked = scene.operator.asked_times(2).await?;
    assert_eq!(asked, [format!("Bearer {TOKEN}"), "Bearer token-canary-2".to_owned()]);
    session.batch(2, &[], "v2").await?;
    assert_eq!(status(&sidecar).await?, 200);
    Ok(())
}

#[tokio::test]
async fn a_certificate_near_its_end_is_not_presented() -> Result<()> {
    let mut scene = Scene::signing(Signing::For(-850..150)).await?;
    let (sidecar, session) = scene.serving().await?;
    assert!(session.certificate.is_none());
    assert_eq!(session.bearer.as_deref(), Some(&*format!("Bearer {TOKEN}")));
    drop(session);
    scene.restart(AN_HOUR).await?;
    let session = scene.operator.session().await?;
    assert!(session.certificate.is_some() && session.bearer.is_none());
    assert_eq!(status(&sidecar).await?, 200);
    Ok(())
}

#[tokio::test]
async fn without_a_certificate_the_token_opens_the_stream() -> Result<()> {
    let mut scene = Scene::signing(Signing::Not(503, "no authority yet")).await?;
    let (sidecar, session) = scene.serving().await?;
    assert!(session.certificate.is_none());
    assert_eq!(session.bearer.as_deref(), Some(&*format!("Bearer {TOKEN}")));
    let line = sidecar.logged("the token is used instead").await?;
    assert!(line.contains("no authority yet"), "{line}");
    Ok(())
}
