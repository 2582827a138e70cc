//! Whom the sidecar believes to be the operator, and as whom it calls.

use crate::authority::Authority;
use crate::operator::{NAME, Operator, Setup, Signing};
use crate::scene::{AN_HOUR, Scene, TOKEN, loopback};
use anyhow::Result;
use pilotfish_tests::Mounts;
use pilotfish_tests::{Launch, Pilotfish};
use std::sync::Arc;

async fn failures(sidecar: &Pilotfish, result: &str) -> Result<f64> {
    let metrics = sidecar.metrics().await?;
    Ok(metrics.sum("pilotfish_config_stream_connects_total", &[("result", result)]))
}

#[tokio::test]
async fn another_authority_is_not_believed_until_its_certificate_is_in_the_bundle() -> Result<()> {
    let mut scene = Scene::new().await?;
    let other = Authority::new()?;
    scene.mount("ca.crt", other.pem())?;
    let sidecar = scene.sidecar().await?;
    let line = sidecar.logged("the TLS handshake with the operator at").await?;
    assert!(line.contains("invalid peer certificate"), "{line}");
    assert!(failures(&sidecar, "tls").await? >= 1.0);
    assert_eq!(
        scene.operator.asked(),
        Vec::<String>::new(),
        "the token is not shown to it"
    );

    scene.mount("ca.crt", "no certificate at all")?;
    sidecar.logged("ca.crt cannot be used: it holds no certificate").await?;
    // As during a rotation.
    scene.mount("ca.crt", &format!("{}{}", other.pem(), scene.authority.pem()))?;
    let session = scene.operator.session().await?;
    assert!(session.certificate.is_some());
    Ok(())
}

#[tokio::test]
async fn another_name_is_not_believed() -> Result<()> {
    let scene = Scene::new().await?;
    let impostor = Operator::start(Setup {
        serving: &scene.authority,
        clients: Arc::clone(&scene.authority),
        name: "web.shop.svc",
        signing: AN_HOUR,
        address: loopback(),
    })
    .await?;
    let mounts = Mounts {
        operator: impostor.address().to_string(),
        ..scene.mounts.clone()
    };
    let sidecar = Launch::mounts(&mounts).listening().await?;
    let line = sidecar.logged("the TLS handshake with the operator at").await?;
    assert!(line.contains(NAME) && line.contains("web.shop.svc"), "{line}");
    assert_eq!(impostor.asked(), Vec::<String>::new());
    Ok(())
}

#[tokio::test]
async fn a_token_that_is_refused_is_told_in_the_operators_words_and_read_again() -> Result<()> {
    let sentence = "the token's pod has been deleted";
    let mut scene = Scene::signing(Signing::Not(403, sentence)).await?;
    let sidecar = scene.sidecar().await?;
    let line = sidecar.logged("the operator answered /v1/certificate with 403").await?;
    assert!(line.contains(sentence), "{line}");
    scene.mount("token", "token-canary-2\n")?;
    loop {
        let asked = scene.operator.asked();
        let asked = scene.operator.asked_times(asked.len() + 1).await?;
        if asked.last().is_some_and(|bearer| bearer == "Bearer token-canary-2") {
            break;
        }
    }
    assert!(failures(&sidecar, "refused").await? >= 1.0);
    scene.mount("token", "")?;
    sidecar.logged("token cannot be used: it is empty").await?;
    assert!(!sidecar.log().contains("canary"), "{}", sidecar.log());
    Ok(())
}

#[tokio::test]
async fn a_certificate_of_an_authority_that_is_no_more_is_replaced_by_token() -> Result<()> {
    let mut scene = Scene::new().await?;
    let (sidecar, session) = scene.serving().await?;
    let before = session.certificate.clone();
    drop(session);
    scene.replace(Arc::new(Authority::new()?), AN_HOUR).await?;
    let session = scene.operator.session().await?;
    assert!(session.certificate.is_some() && session.certificate != before);
    assert_eq!(scene.operator.asked(), [format!("Bearer {TOKEN}")]);
    assert_eq!(session.hello.known.len(), 4);
    sidecar.logged("the client certificate may not be accepted").await?;
    Ok(())
}
