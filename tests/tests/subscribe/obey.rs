//! What is streamed is obeyed and acknowledged.

use crate::resources::{chat, deployment, key, policy, routes, urgent};
use crate::scene::{Scene, TOKEN, status, status_of};
use anyhow::Result;
use pilotfish_tests::{Client, Dialect};
use pilotfish_wire::{Begin, Kind, Message, REVISION};

#[tokio::test]
async fn a_sidecar_introduces_itself_and_serves_once_it_has_a_configuration() -> Result<()> {
    let mut scene = Scene::new().await?;
    let sidecar = scene.sidecar().await?;
    let mut session = scene.operator.session().await?;
    assert_eq!((session.hello.revision, session.hello.known.len()), (REVISION, 0));
    assert_eq!(scene.operator.asked(), [format!("Bearer {TOKEN}")]);
    assert!(session.certificate.is_some() && session.bearer.is_none());
    assert!(!sidecar.is_ready().await?);
    assert_eq!(status(&sidecar).await?, 503);

    session.greet("Deployment/web", None).await?;
    let ack = session.batch(7, &chat("east", &scene.east), "v1").await?;
    assert_eq!(ack.refused, []);
    assert!(sidecar.is_ready().await?);
    let answer = Client::new(&sidecar)?
        .ask(Dialect::Chat, &Dialect::Chat.request("chat", "Hello"))
        .await?;
    assert_eq!((answer.status, answer.header("x-pilotfish-config")), (200, Some("v1")));
    let line = sidecar.logged("connected to the operator").await?;
    assert!(
        line.contains("workload=\"Deployment/web\"") && line.contains("pod=\"web-1\""),
        "{line}"
    );

    let metrics = sidecar.metrics().await?;
    let one = |name: &str| metrics.sum(name, &[]);
    assert_eq!(one("pilotfish_config_stream_connected"), 1.0);
    assert_eq!(one("pilotfish_config_batches_total"), 1.0);
    assert_eq!(one("pilotfish_config_resources_total"), 4.0);
    assert!(one("pilotfish_client_certificate_expiry_timestamp_seconds") > 1.7e9);
    assert!(one("pilotfish_last_good_timestamp_seconds") > 1.7e9);
    assert!(
        !sidecar.log().contains("canary") && !sidecar.log().contains("sk-up"),
        "{}",
        sidecar.log()
    );
    Ok(())
}

#[tokio::test]
async fn what_is_begun_is_not_in_force_before_its_commit() -> Result<()> {
    let mut scene = Scene::new().await?;
    let (sidecar, mut session) = scene.serving().await?;
    session.say([Message::Begin(Begin { nonce: 2 })]).await?;
    session
        .say(chat("west", &scene.east).into_iter().map(Message::Resource))
        .await?;
    // Once this is acknowledged, all that was sent before it has been read.
    session.say([urgent(Some(99), Some(key("sk-pf-a", false)))]).await?;
    assert_eq!(session.ack().await?.nonce, 99);
    assert_eq!(status(&sidecar).await?, 200);
    assert_eq!(session.batch(3, &[], "v3").await?.refused, []);
    assert_eq!(status(&sidecar).await?, 200, "what was begun before is discarded");
    session.commit(2, "v2").await?;
    assert_eq!(
        session.batch(4, &[], "v4").await?.nonce,
        4,
        "the stale commit is not answered"
    );
    Ok(())
}

#[tokio::test]
async fn a_key_is_in_force_at_once_whatever_is_being_sent() -> Result<()> {
    let mut scene = Scene::new().await?;
    let (sidecar, mut session) = scene.serving().await?;
    session.batch(2, &[policy("east", "VirtualKey")], "v2").await?;
    let client = Client::new(&sidecar)?.header("authorization", "Bearer sk-pf-a");
    session.say([Message::Begin(Begin { nonce: 3 })]).await?;
    let mut nonce = 10;
    for (key, expected) in [
        (None, 401),
        (Some(key("sk-pf-a", false)), 200),
        (Some(key("sk-pf-a", true)), 401),
        (Some(key("sk-pf-a", false)), 200),
        (None, 401),
    ] {
        nonce += 1;
        session.say([urgent(Some(nonce), key)]).await?;
        let ack = session.ack().await?;
        assert_eq!((ack.nonce, &*ack.version), (nonce, "v2"));
        assert_eq!(status_of(&client).await?, expected);
    }
    // Said before it was taken away, and read afterwards.
    session.say([Message::Resource(key("sk-pf-a", false))]).await?;
    session.commit(3, "v3").await?;
    assert_eq!(session.ack().await?.version, "v3");
    assert_eq!(status_of(&client).await?, 401);
    assert!(!sidecar.log().contains("sk-pf-a"), "{}", sidecar.log());
    Ok(())
}

#[tokio::test]
async fn what_requires_a_feature_that_is_lacking_is_refused_alone_and_by_name() -> Result<()> {
    let mut scene = Scene::new().await?;
    let sidecar = scene.sidecar().await?;
    let mut session = scene.operator.session().await?;
    assert!(!session.hello.features.contains(&"time-travel".to_owned()));
    session.greet("Deployment/web", None).await?;
    let [credential, up] = deployment("east", &scene.east);
    let needy = policy("east", "Pod").requiring("time-travel");
    let sentence = "this sidecar lacks the feature \"time-travel\", without which it must not be used";

    let ack = session
        .batch(1, &[credential, up, needy.clone(), routes()], "v1")
        .await?;
    let [refused] = &ack.refused[..] else { panic!("{ack:?}") };
    assert_eq!(
        (refused.kind, &*refused.name, &refused.version),
        (Kind::Policy, "default/chat", &needy.version)
    );
    assert_eq!(refused.reason, sentence);
    let client = Client::new(&sidecar)?;
    let answer = client
        .ask(Dialect::Chat, &Dialect::Chat.request("chat", "Hello"))
        .await?;
    assert_eq!(answer.status, 503);
    assert!(answer.text().contains("time-travel"), "{}", answer.text());

    // A version that was good stays in force instead.
    session.batch(2, &[policy("east", "Pod")], "v2").await?;
    assert_eq!(status(&sidecar).await?, 200);
    let ack = session
        .batch(3, &[policy("gone", "Pod").requiring("time-travel")], "v3")
        .await?;
    assert_eq!(ack.refused[0].reason, sentence);
    assert_eq!(status(&sidecar).await?, 200);
    let nacks = sidecar
        .metrics()
        .await?
        .sum("pilotfish_config_nacks_total", &[("kind", "policy")]);
    assert_eq!(nacks, 2.0);
    Ok(())
}
