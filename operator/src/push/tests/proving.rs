//! Who is served, and who is sent away with which sentence.

use super::scene::{Scene, certificate, pod};
use super::sidecar::{Answer, Connection, Stream};
use crate::certs::Authority;
use crate::identity::Verified;
use crate::push::Timing;
use http::StatusCode;
use pilotfish_wire::{Hello, Report};
use rcgen::{CertificateParams, KeyPair};
use serde_json::json;
use std::time::Duration;

const PODS: &str = "/api/v1/namespaces/shop/pods";

fn web() -> Verified {
    Verified::unproven("shop", "web", "uid-1")
}

fn request(key: &KeyPair) -> String {
    let request = CertificateParams::default().serialize_request(key).unwrap();
    request.pem().unwrap()
}

async fn refused(scene: &Scene, token: Option<&str>) -> Answer {
    let connection = Connection::open(scene, None).await.unwrap();
    match connection.stream(token).await {
        Ok(_) => panic!("served"),
        Err(answer) => answer,
    }
}

#[tokio::test]
async fn a_token_is_exchanged_for_a_certificate_that_opens_a_stream() {
    let scene = Scene::new().await;
    scene.publish("pod shop/web uid-1");
    scene.api.issue("good", "shop", "web", "uid-1");
    scene.api.put(&format!("{PODS}/web"), pod("shop", "web", "uid-1"));
    let key = KeyPair::generate().unwrap();
    let mut connection = Connection::open(&scene, None).await.unwrap();
    let answer = connection.ask("/v1/certificate", Some("good"), request(&key)).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let identity = (answer.body, key);
    let connection = Connection::open(&scene, Some(&identity)).await.unwrap();
    let mut sidecar = connection.stream(None).await.unwrap();
    sidecar.report(&Report::Hello(Hello::default()));
    sidecar.batch().await;
    assert_eq!(scene.count("certificates_issued_total{outcome=\"issued\"}"), 1);
    assert_eq!(
        scene.count("token_reviews_total{outcome=\"accepted\"}"),
        1,
        "once is enough"
    );
}

#[tokio::test]
async fn a_token_opens_a_stream_by_itself() {
    let scene = Scene::new().await;
    scene.publish("pod shop/web uid-1");
    scene.api.issue("good", "shop", "web", "uid-1");
    let mut owned = pod("shop", "web", "uid-1");
    owned["metadata"]["ownerReferences"] =
        json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-5f", "uid": "rs-1", "controller": true}]);
    scene.api.put(&format!("{PODS}/web"), owned);
    let above =
        json!([{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "d-1", "controller": true}]);
    let meta = json!({"name": "web-5f", "namespace": "shop", "uid": "rs-1", "ownerReferences": above});
    let replica_set = json!({"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": meta});
    scene
        .api
        .put("/apis/apps/v1/namespaces/shop/replicasets/web-5f", replica_set);
    let connection = Connection::open(&scene, None).await.unwrap();
    let mut sidecar = connection.stream(Some("good")).await.unwrap();
    sidecar.report(&Report::Hello(Hello::default()));
    let pilotfish_wire::Message::Hello(hello) = sidecar.next().await else {
        panic!("the first line is a hello")
    };
    assert_eq!(hello.scope["workload"], "Deployment/web");
}

#[tokio::test]
async fn who_proves_nothing_is_served_nothing() {
    let scene = Scene::new().await;
    scene.publish("pod shop/web uid-1");
    let answer = refused(&scene, None).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        answer.error(),
        "present a client certificate, or the pod's token as Authorization: Bearer"
    );
    let answer = refused(&scene, Some("forged")).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        answer.error(),
        "the API server does not accept the token for pilotfish.dev: invalid bearer token"
    );
}

#[tokio::test]
async fn a_token_is_worth_as_much_as_its_live_pod() {
    let scene = Scene::new().await;
    scene.publish("pod shop/web uid-1");
    let mut going = pod("shop", "going", "uid-2");
    going["metadata"]["deletionTimestamp"] = json!("2026-11-21T10:00:00Z");
    let mut stolen = pod("shop", "stolen", "uid-3");
    stolen["spec"]["containers"][0]["volumeMounts"] = json!([{"name": "token", "mountPath": "/t"}]);
    for (name, uid, object, sentence) in [
        (
            "gone",
            "uid-9",
            None,
            "pod shop/gone with the uid uid-9 does not exist any more",
        ),
        (
            "again",
            "uid-9",
            Some(pod("shop", "again", "uid-10")),
            "pod shop/again with the uid uid-9 does not exist any more",
        ),
        ("going", "uid-2", Some(going), "pod shop/going is being deleted"),
        (
            "stolen",
            "uid-3",
            Some(stolen),
            "container app of pod shop/stolen mounts a token for pilotfish.dev, which only pilotfish may",
        ),
    ] {
        scene.api.issue(name, "shop", name, uid);
        if let Some(object) = object {
            scene.api.put(&format!("{PODS}/{name}"), object);
        }
        let answer = refused(&scene, Some(name)).await;
        assert_eq!(
            (answer.status, answer.error().as_str()),
            (StatusCode::FORBIDDEN, sentence)
        );
    }
}

#[tokio::test]
async fn a_pod_that_is_refused_is_asked_about_again_once_it_has_changed() {
    let scene = Scene::new().await;
    let why = "container app of pod shop/web mounts a token for pilotfish.dev, which only pilotfish may";
    let reviews = || scene.count("token_reviews_total{outcome=\"accepted\"}");
    let mut stolen = pod("shop", "web", "uid-1");
    stolen["spec"]["containers"][0]["volumeMounts"] = json!([{"name": "token", "mountPath": "/t"}]);
    scene.api.put(&format!("{PODS}/web"), stolen);
    scene.api.issue("one", "shop", "web", "uid-1");
    scene.api.issue("another", "shop", "web", "uid-1");
    scene.publish(&format!("pod shop/web uid-1 {why}"));
    for (token, asked) in [("one", 1), ("one", 1), ("another", 2), ("one", 2), ("another", 2)] {
        let answer = refused(&scene, Some(token)).await;
        assert_eq!(
            (answer.status, answer.error().as_str(), reviews()),
            (StatusCode::FORBIDDEN, why, asked)
        );
    }
    scene.publish("pod shop/web uid-1 something else");
    assert_eq!(refused(&scene, Some("one")).await.error(), why);
    assert_eq!(reviews(), 3, "it has changed");

    scene.api.put(&format!("{PODS}/web"), pod("shop", "web", "uid-1"));
    scene.publish("pod shop/web uid-1");
    let connection = Connection::open(&scene, None).await.unwrap();
    let mut sidecar = connection.stream(Some("one")).await.unwrap();
    sidecar.report(&Report::Hello(Hello::default()));
    sidecar.batch().await;
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused_at_the_door() {
    let scene = Scene::new().await;
    scene.publish("pod shop/web uid-1");
    let foreign = certificate(&Authority::ready(Vec::new()), &web());
    if let Ok(mut connection) = Connection::open(&scene, Some(&foreign)).await {
        // The client believes that the handshake is done before the server has looked.
        connection.closed().await;
    }
    // And whoever comes back without it, by token, is heard.
    assert_eq!(refused(&scene, None).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(scene.count("sidecars"), 0);
}

#[tokio::test]
async fn a_pod_that_the_watch_has_not_seen_yet_is_waited_for() {
    let scene = Scene::new().await;
    let identity = scene.certificate(&web());
    let connection = Connection::open(&scene, Some(&identity)).await.unwrap();
    let mut opening = tokio::task::JoinSet::new();
    opening.spawn(connection.stream(None));
    scene.publish("pod shop/other uid-2");
    scene.publish("pod shop/web uid-1");
    let mut sidecar = opening.join_next().await.unwrap().unwrap().unwrap();
    sidecar.report(&Report::Hello(Hello::default()));
    sidecar.batch().await;
}

#[tokio::test]
async fn a_certificate_is_worth_as_much_as_its_live_pod() {
    let timing = Timing {
        fresh_pod: Duration::from_millis(50),
        ..Timing::default()
    };
    let scene = Scene::with(timing).await;
    let identity = scene.certificate(&web());
    let ask = async || {
        let connection = Connection::open(&scene, Some(&identity)).await.unwrap();
        connection
            .stream(None)
            .await
            .err()
            .map(|answer| (answer.status, answer.error()))
    };
    let sentence = "the cluster has not been listed yet, try again";
    assert_eq!(
        ask().await,
        Some((StatusCode::SERVICE_UNAVAILABLE, sentence.to_owned()))
    );
    scene.publish("pod shop/web uid-2");
    let sentence = "pod shop/web is not seen to live and to carry a sidecar";
    assert_eq!(ask().await, Some((StatusCode::FORBIDDEN, sentence.to_owned())));
    scene.publish("pod shop/web uid-1");
    assert_eq!(ask().await, None);
}

#[tokio::test]
async fn a_certificate_request_that_is_none_is_refused() {
    let scene = Scene::new().await;
    scene.publish("pod shop/web uid-1");
    scene.api.issue("good", "shop", "web", "uid-1");
    scene.api.put(&format!("{PODS}/web"), pod("shop", "web", "uid-1"));
    let mut connection = Connection::open(&scene, None).await.unwrap();
    for (path, token, body, status) in [
        (
            "/v1/certificate",
            Some("good"),
            "hello".to_owned(),
            StatusCode::BAD_REQUEST,
        ),
        ("/v1/certificate", None, "hello".to_owned(), StatusCode::UNAUTHORIZED),
        (
            "/v1/certificate",
            Some("good"),
            "x".repeat(20_000),
            StatusCode::PAYLOAD_TOO_LARGE,
        ),
        ("/v1/other", Some("good"), String::new(), StatusCode::NOT_FOUND),
    ] {
        let answer = connection.ask(path, token, body).await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert!(!answer.error().is_empty());
    }
    assert_eq!(scene.count("certificates_issued_total{outcome=\"refused\"}"), 3);
}

#[tokio::test]
async fn two_pods_of_one_kind_share_what_they_are_sent() {
    let scene = Scene::new().await;
    scene.publish("pod shop/web uid-1\npod shop/web-2 uid-2\ndeployment shop/east gpt-1\npolicy shop/chat east");
    let mut acked = Vec::new();
    for (name, uid) in [("web", "uid-1"), ("web-2", "uid-2")] {
        let mut sidecar = Stream::open(&scene, &Verified::unproven("shop", name, uid), Hello::default()).await;
        let (_, ack) = sidecar.batch().await;
        let version = ack.version.clone();
        sidecar.report(&Report::Ack(ack));
        acked.push((scene.acked(uid, &version).await, sidecar));
    }
    assert!(std::sync::Arc::ptr_eq(&acked[0].0.view, &acked[1].0.view));
}
