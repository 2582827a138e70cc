//! What a stream carries, and when it ends.

use super::scene::Scene;
use super::sidecar::{Connection, Stream};
use crate::identity::Verified;
use crate::push::Timing;
use pilotfish_wire::{Ack, Hello, Kind, Message, REVISION, Refusal, Report, Resource, known_as};
use std::collections::BTreeMap;
use std::time::Duration;

const SHOP: &str = "
    pod shop/web uid-1
    deployment shop/east gpt-1 sk-east
    policy shop/chat east
    key shop/team sk-pf-0123456789abcdef
    deployment ai/west gpt-2 sk-west
    policy ai/other west
    key ai/team sk-pf-fedcba9876543210
";

fn web() -> Verified {
    Verified::unproven("shop", "web", "uid-1")
}

fn hello() -> Hello {
    Hello {
        revision: REVISION,
        ..Hello::default()
    }
}

#[tokio::test]
async fn a_sidecar_is_told_who_it_is_and_sent_what_its_pod_is_to_have() {
    let scene = Scene::new().await;
    scene.publish(SHOP);
    let mut sidecar = Stream::open(&scene, &web(), hello()).await;
    let Message::Hello(hello) = sidecar.next().await else {
        panic!("the first line is a hello")
    };
    assert_eq!(hello.revision, REVISION);
    let scope = [
        ("namespace", "shop"),
        ("pod", "web"),
        ("serviceAccount", "web"),
        ("workload", "Deployment/web"),
    ];
    assert_eq!(
        hello.scope,
        scope.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    );
    assert_eq!(hello.leader, None);
    let (batch, ack) = sidecar.batch().await;
    assert_eq!(
        batch,
        [
            "credential shop/east/api-key",
            "deployment shop/east",
            "key shop/team",
            "policy shop/chat",
            "routes routes",
        ],
        "and nothing of another namespace's"
    );
    let version = ack.version.clone();
    sidecar.report(&Report::Ack(ack));
    assert!(scene.acked("uid-1", &version).await.refused.is_empty());
    assert_eq!(scene.count("sidecars"), 1);
}

#[tokio::test]
async fn what_a_sidecar_refuses_is_known_while_its_stream_lasts() {
    let scene = Scene::new().await;
    scene.publish(SHOP);
    let mut sidecar = Stream::open(&scene, &web(), hello()).await;
    let mut refused = Vec::new();
    let commit = loop {
        match sidecar.next().await {
            Message::Resource(Resource {
                kind, name, version, ..
            }) if kind == Kind::Policy => refused.push(Refusal {
                kind,
                name,
                version,
                reason: "it requires the feature images".to_owned(),
            }),
            Message::Commit(commit) => break commit,
            _ => {}
        }
    };
    sidecar.report(&Report::Ack(Ack {
        nonce: commit.nonce,
        version: commit.version.clone(),
        refused,
        unnamed: 0,
    }));
    let acked = scene.acked("uid-1", &commit.version).await;
    let told: Vec<_> = acked
        .refused
        .iter()
        .map(|refused| (&*refused.resource.name, &*refused.reason))
        .collect();
    assert_eq!(told, [("shop/chat", "it requires the feature images")]);
    scene.counted("nacks_total", 1).await;
    drop(sidecar);
    scene.counted("streams_ended_total", 1).await;
    assert!(scene.acks.connected().is_empty());
}

#[tokio::test]
async fn a_change_is_sent_alone_and_to_whom_it_concerns() {
    let scene = Scene::new().await;
    scene.publish(SHOP);
    let mut sidecar = Stream::open(&scene, &web(), hello()).await;
    sidecar.batch().await;
    scene.publish(&SHOP.replace("west gpt-2", "west gpt-3"));
    scene.publish(&SHOP.replace("east gpt-1", "east gpt-4"));
    let (batch, ack) = sidecar.batch().await;
    assert_eq!(batch, ["deployment shop/east"]);
    assert_eq!(ack.nonce, 2, "what concerns others was no batch");
}

#[tokio::test]
async fn a_sidecar_that_comes_back_is_sent_nothing_again() {
    let scene = Scene::new().await;
    scene.publish(SHOP);
    let mut first = Stream::open(&scene, &web(), hello()).await;
    let mut known = BTreeMap::new();
    while known.len() < 5 {
        if let Message::Resource(resource) = first.next().await {
            known.insert(known_as(resource.kind, &resource.name), resource.version);
        }
    }
    drop(first);
    scene.counted("streams_ended_total", 1).await;
    let sent = scene.count("resources_sent_total");
    let hello = Hello { known, ..hello() };
    let mut second = Stream::open(&scene, &web(), hello).await;
    let (batch, ack) = second.batch().await;
    assert_eq!((batch.len(), ack.nonce), (0, 1));
    assert_eq!(scene.count("resources_sent_total"), sent);
    let version = ack.version.clone();
    second.report(&Report::Ack(ack));
    scene.acked("uid-1", &version).await;
}

#[tokio::test]
async fn an_older_and_a_newer_sidecar_are_served_as_any_other() {
    let scene = Scene::new().await;
    scene.publish(SHOP);
    for line in [
        r#"{"hello":{"revision":0}}"#,
        r#"{"hello":{"revision":9,"features":["telepathy"],"later":{"x":1},"known":{"grant/x":"v","odd":"v"}}}"#,
    ] {
        let identity = scene.certificate(&web());
        let connection = super::sidecar::Connection::open(&scene, Some(&identity)).await.unwrap();
        let mut sidecar = connection.stream(None).await.unwrap();
        sidecar.text(&format!("{line}\n"));
        let (batch, ack) = sidecar.batch().await;
        assert_eq!(batch.len(), 5, "{line}");
        sidecar.text("{\"usage\":{\"of\":\"a later revision\"}}\n");
        let version = ack.version.clone();
        sidecar.report(&Report::Ack(ack));
        scene.acked("uid-1", &version).await;
    }
}

#[tokio::test]
async fn a_sidecar_is_told_where_the_leader_is_whenever_that_changes() {
    let scene = Scene::new().await;
    scene.publish(SHOP);
    scene.follow("leader-a:4443");
    let mut sidecar = Stream::open(&scene, &web(), hello()).await;
    let mut leader = async || loop {
        if let Message::Hello(hello) = sidecar.next().await {
            break hello.leader;
        }
    };
    assert_eq!(leader().await.as_deref(), Some("leader-a:4443"));
    scene.follow("leader-b:4443");
    assert_eq!(leader().await.as_deref(), Some("leader-b:4443"));
    scene.lead();
    assert_eq!(leader().await, None);
}

#[tokio::test]
async fn a_stream_ends_with_its_pod() {
    let scene = Scene::new().await;
    scene.publish(SHOP);
    let mut sidecar = Stream::open(&scene, &web(), hello()).await;
    sidecar.batch().await;
    scene.publish("pod shop/other uid-2");
    sidecar.ended().await;
    scene.counted("streams_ended_total{reason=\"pod_gone\"}", 1).await;
}

#[tokio::test]
async fn a_stream_ends_when_its_pod_is_trusted_no_more() {
    let scene = Scene::new().await;
    scene.publish(SHOP);
    let mut sidecar = Stream::open(&scene, &web(), hello()).await;
    sidecar.batch().await;
    scene.publish(&SHOP.replace("uid-1", "uid-1 debugged"));
    sidecar.ended().await;
    let identity = scene.certificate(&web());
    let connection = Connection::open(&scene, Some(&identity)).await.unwrap();
    let refused = connection.stream(None).await.err().unwrap();
    assert_eq!((refused.status.as_u16(), refused.error().as_str()), (403, "debugged"));
}

#[tokio::test]
async fn a_pod_has_one_stream_and_the_later_one_is_it() {
    let scene = Scene::new().await;
    scene.publish(SHOP);
    let mut first = Stream::open(&scene, &web(), hello()).await;
    first.batch().await;
    let mut second = Stream::open(&scene, &web(), hello()).await;
    second.batch().await;
    first.ended().await;
    scene.counted("streams_ended_total{reason=\"replaced\"}", 1).await;
    assert_eq!(scene.acks.connected().len(), 1);
}

#[tokio::test]
async fn a_stream_does_not_last_for_ever() {
    let timing = Timing {
        stream: Duration::from_millis(200),
        ..Timing::default()
    };
    let scene = Scene::with(timing).await;
    scene.publish(SHOP);
    let mut sidecar = Stream::open(&scene, &web(), hello()).await;
    sidecar.ended().await;
    scene.counted("streams_ended_total{reason=\"rebalanced\"}", 1).await;
}

#[tokio::test]
async fn a_server_that_stops_ends_its_streams_in_good_order() {
    let mut scene = Scene::new().await;
    scene.publish(SHOP);
    let mut sidecar = Stream::open(&scene, &web(), hello()).await;
    sidecar.batch().await;
    scene.stop.cancel();
    sidecar.ended().await;
    sidecar.connection_closed().await;
    let stopped = tokio::time::timeout(Duration::from_secs(4), scene.server.join_next());
    assert!(stopped.await.is_ok(), "it waits for nobody any more");
    assert_eq!(scene.count("streams_ended_total{reason=\"stopping\"}"), 1);
}

#[tokio::test]
async fn a_connection_on_which_nothing_is_asked_is_closed() {
    let timing = Timing {
        idle: Duration::from_millis(50),
        ..Timing::default()
    };
    let scene = Scene::with(timing).await;
    scene.publish(SHOP);
    let mut silent = super::sidecar::Connection::open(&scene, None).await.unwrap();
    silent.closed().await;
    let mut busy = Stream::open(&scene, &web(), hello()).await;
    busy.batch().await;
    let mut silent = super::sidecar::Connection::open(&scene, None).await.unwrap();
    silent.closed().await;
    scene.publish(&SHOP.replace("east gpt-1", "east gpt-4"));
    assert_eq!(
        busy.batch().await.0,
        ["deployment shop/east"],
        "a stream is not nothing"
    );
}
