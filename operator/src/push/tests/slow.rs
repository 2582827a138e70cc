//! Sidecars that read slowly, or never, or say what nobody should.

use super::scene::Scene;
use super::sidecar::{Connection, Stream};
use crate::identity::Verified;
use crate::push::Timing;
use pilotfish_wire::{Hello, Message, Report};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// So many deployments that they do not fit into the window of a peer that reads nothing.
const MANY: usize = 600;

fn web() -> Verified {
    Verified::unproven("shop", "web", "uid-1")
}

/// Many deployments with this model, one policy for each, and a key.
fn crowd(model: &str, key: &str) -> String {
    let mut words = format!("pod shop/web uid-1\nkey shop/team {key}\n");
    for number in 0..MANY {
        words.push_str(&format!(
            "deployment shop/d{number} {model}\npolicy shop/p{number} d{number}\n"
        ));
    }
    words
}

const KEY: &str = "sk-pf-0123456789abcdef";
const OTHER_KEY: &str = "sk-pf-fedcba9876543210";

#[tokio::test]
async fn a_key_overtakes_a_configuration_that_is_stuck() {
    let scene = Scene::new().await;
    scene.publish(&crowd("gpt-1", KEY));
    let mut sidecar = Stream::open(&scene, &web(), Hello::default()).await;
    while !matches!(sidecar.next().await, Message::Begin(_)) {}
    // It reads no further; the first batch is stuck.
    scene.publish(&crowd("gpt-1", OTHER_KEY));
    let (batch, _) = sidecar.batch().await;
    let place = batch.iter().position(|word| word == "urgent shop/team");
    let place = place.expect("the key is sent within the batch");
    assert!(place < batch.len() - 100, "line {place} of {}", batch.len());
    assert!(batch.iter().filter(|word| *word == "key shop/team").count() <= 1);
}

#[tokio::test]
async fn a_sidecar_that_reads_nothing_misses_what_is_outdated_and_gets_the_newest() {
    let scene = Scene::new().await;
    scene.publish(&crowd("gpt-0", KEY));
    let mut sidecar = Stream::open(&scene, &web(), Hello::default()).await;
    while !matches!(sidecar.next().await, Message::Begin(_)) {}
    let mut edit = 0;
    while scene.count("dropped_snapshots_total") < 5 {
        edit += 1;
        scene.publish(&crowd(&format!("gpt-{edit}"), KEY));
        tokio::task::yield_now().await;
    }
    let dropped = scene.count("dropped_snapshots_total");
    let (first, second) = (sidecar.batch().await, sidecar.batch().await);
    assert_eq!(first.0.len(), 2 * MANY + 2, "what had begun is finished");
    assert_eq!(second.0.len(), MANY, "then all deployments again, and nothing else");
    let version = second.1.version.clone();
    sidecar.report(&Report::Ack(second.1));
    let acked = scene.acked("uid-1", &version).await;
    let newest = format!("\"model\":\"gpt-{edit}\"");
    let one = acked.view.resources().iter().find(|one| one.name == "shop/d0").unwrap();
    assert!(one.body.get().contains(&newest), "{}", one.body);
    assert_eq!(scene.count("batches_total"), 2);
    assert_eq!(scene.count("dropped_snapshots_total"), dropped);
}

#[tokio::test]
async fn a_sidecar_that_never_reads_is_let_go() {
    let timing = Timing {
        stuck: Duration::from_millis(300),
        ..Timing::default()
    };
    let scene = Scene::with(timing).await;
    scene.publish(&crowd("gpt-1", KEY));
    let sidecar = Stream::open(&scene, &web(), Hello::default()).await;
    scene.counted("streams_ended_total{reason=\"lost\"}", 1).await;
    drop(sidecar);
}

#[tokio::test]
async fn a_peer_that_answers_pings_and_never_reads_keeps_no_connection() {
    let timing = Timing {
        stuck: Duration::from_millis(300),
        idle: Duration::from_millis(50),
        drain: Duration::from_millis(50),
        ..Timing::default()
    };
    let scene = Scene::with(timing).await;
    scene.publish(&crowd("gpt-1", KEY));
    let mut sidecar = Stream::open(&scene, &web(), Hello::default()).await;
    sidecar.connection_closed().await;
    assert_eq!(scene.count("streams_ended_total{reason=\"lost\"}"), 1);
}

#[tokio::test]
async fn a_line_of_a_hundred_megabytes_ends_the_stream_after_one() {
    let scene = Scene::new().await;
    scene.publish("pod shop/web uid-1");
    let mut sidecar = Stream::open(&scene, &web(), Hello::default()).await;
    sidecar.batch().await;
    let mut sent = 0;
    let chunk = bytes::Bytes::from(vec![b'x'; 16 * 1024]);
    while sent < 100 * 1024 * 1024 {
        sidecar.say.reserve_capacity(chunk.len());
        match std::future::poll_fn(|context| sidecar.say.poll_capacity(context)).await {
            Some(Ok(capacity)) => {
                let part = chunk.slice(..capacity.min(chunk.len()));
                sent += part.len();
                if sidecar.say.send_data(part, false).is_err() {
                    break;
                }
            }
            Some(Err(_)) | None => break,
        }
    }
    assert!(
        (1024 * 1024..2 * 1024 * 1024).contains(&sent),
        "{sent} bytes were taken"
    );
    scene.counted("streams_ended_total{reason=\"protocol\"}", 1).await;
}

#[tokio::test]
async fn what_is_not_of_the_protocol_ends_the_stream() {
    let scene = Scene::new().await;
    scene.publish("pod shop/web uid-1");
    for (ended, text) in [
        (1, "GET / HTTP/1.1\n"),
        (2, "{\"ack\":{\"nonce\":1,\"version\":\"v\"}}\n"),
        (3, "{\"hello\":{}}\n"),
    ] {
        let identity = scene.certificate(&web());
        let connection = Connection::open(&scene, Some(&identity)).await.unwrap();
        let mut sidecar = connection.stream(None).await.unwrap();
        sidecar.text(text);
        sidecar.ended().await;
        scene.counted("streams_ended_total{reason=\"protocol\"}", ended).await;
    }
}

#[tokio::test]
async fn a_peer_that_says_nothing_is_let_go() {
    let timing = Timing {
        first: Duration::from_millis(100),
        handshake: Duration::from_millis(100),
        ..Timing::default()
    };
    let scene = Scene::with(timing).await;
    scene.publish("pod shop/web uid-1");
    let mut silent = TcpStream::connect(scene.address).await.unwrap();
    assert_eq!(silent.read(&mut [0]).await.unwrap(), 0, "no handshake");
    let identity = scene.certificate(&web());
    let connection = Connection::open(&scene, Some(&identity)).await.unwrap();
    let mut sidecar = connection.stream(None).await.unwrap();
    sidecar.ended().await;
    scene.counted("streams_ended_total{reason=\"lost\"}", 1).await;
}

#[tokio::test]
async fn a_half_open_connection_is_noticed() {
    let timing = Timing {
        ping: Duration::from_millis(100),
        dead: Duration::from_millis(200),
        ..Timing::default()
    };
    let scene = Scene::with(timing).await;
    scene.publish("pod shop/web uid-1");
    let wire = Wire::to(scene.address).await;
    let identity = scene.certificate(&web());
    let connection = Connection::open_at(wire.address, &scene, Some(&identity))
        .await
        .unwrap();
    let mut sidecar = connection.stream(None).await.unwrap();
    sidecar.text("{\"hello\":{\"revision\":1}}\n");
    sidecar.batch().await;
    wire.cut();
    scene.counted("streams_ended_total{reason=\"lost\"}", 1).await;
    assert!(scene.acks.connected().is_empty());
}

/// A connection that can stop passing bytes on without telling either end.
struct Wire {
    address: std::net::SocketAddr,
    cut: tokio_util::sync::CancellationToken,
    _passing: JoinSet<()>,
}

impl Wire {
    async fn to(server: std::net::SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let cut = tokio_util::sync::CancellationToken::new();
        let mut passing = JoinSet::new();
        let until = cut.clone();
        passing.spawn(async move {
            let (near, _) = listener.accept().await.unwrap();
            let far = TcpStream::connect(server).await.unwrap();
            let (mut near, mut far) = (near, far);
            tokio::select! {
                copied = tokio::io::copy_bidirectional(&mut near, &mut far) => drop(copied),
                () = until.cancelled() => {}
            }
            // Both ends stay open, and neither hears from the other.
            std::future::pending::<()>().await;
            drop(far.shutdown().await);
        });
        Self {
            address,
            cut,
            _passing: passing,
        }
    }

    fn cut(&self) {
        self.cut.cancel();
    }
}
