//! Bodies: how long they may be, how many may be held at once, and what becomes of those that are refused.

use crate::bad_input::{KEY, Refused, Scene, model};
use anyhow::{Context, Result};
use futures::future::join_all;
use pilotfish_provider::{Gate, Pause, Point, Step};
use pilotfish_tests::raw::Raw;
use pilotfish_tests::{Dialect, Pair};
use std::time::Duration;

const MIB: usize = 1024 * 1024;
/// The longest body, and the bytes of bodies that are held at once.
const LONGEST: usize = 32 * MIB;
const POOL: usize = 96 * MIB;

const TOO_LONG: Refused = Refused {
    status: 413,
    kinds: ["invalid_request_error", "request_too_large"],
    code: Some("body_too_large"),
    says: "the body is longer than 32 MiB",
};

/// A good request with spaces behind it.
fn padded(dialect: Dialect, bytes: usize) -> Vec<u8> {
    let mut body = dialect.request(model(dialect), "Hello").to_string().into_bytes();
    body.resize(bytes, b' ');
    body
}

/// A connection on which the head of a good request has been sent.
async fn begun(scene: &Scene, dialect: Dialect, lines: &[&str]) -> Result<Raw> {
    let mut raw = Raw::connect(scene.pilotfish.address()).await?;
    let first = format!("POST {} HTTP/1.1", dialect.path());
    raw.head(&[&[&*first, "host: pilotfish"], lines].concat()).await?;
    Ok(raw)
}

pub(crate) async fn too_long(scene: &Scene) -> Result<()> {
    for dialect in Dialect::BOTH {
        // Its length is said: it is refused before it is sent.
        let length = format!("content-length: {}", LONGEST + 1);
        let mut raw = begun(scene, dialect, &[&length, "expect: 100-continue"]).await?;
        TOO_LONG.check(&raw.answer().await?, dialect)?;
        // Its length is not said: it is refused once it is too long.
        let mut raw = begun(scene, dialect, &["transfer-encoding: chunked"]).await?;
        let chunk = [format!("{MIB:x}\r\n").as_bytes(), &vec![b' '; MIB], b"\r\n"].concat();
        for _ in 0..33 {
            raw.send(&chunk).await?;
        }
        raw.send("0\r\n\r\n").await?;
        TOO_LONG.check(&raw.answer().await?, dialect)?;
    }
    // The longest that is taken.
    let scene_body = padded(Dialect::Chat, LONGEST);
    let answer = scene.client.post(Dialect::Chat.path(), scene_body).await?;
    assert_ne!(answer.status, 413, "{}", answer.text());
    Ok(())
}

/// Whoever is refused before its body has been read sends on, and must see the answer, not a reset.
pub(crate) async fn early_refusals(scene: &Scene) -> Result<()> {
    let unknown = format!("authorization: Bearer {}-not", KEY);
    for (path, header, status) in [
        ("/v1/chat/completions", &*unknown, 401),
        ("/v1/chat/completions", "content-encoding: gzip", 415),
        ("/v1/nothing", "accept: */*", 404),
        ("/v1/models", "accept: */*", 405),
        ("/v1/messages", "accept: */*", 413),
    ] {
        let bytes = if status == 413 { 40 * MIB } else { 20 * MIB };
        let mut raw = Raw::connect(scene.pilotfish.address()).await?;
        let (first, length) = (format!("POST {path} HTTP/1.1"), format!("content-length: {bytes}"));
        raw.head(&[&*first, "host: pilotfish", &length, header]).await?;
        let piece = vec![b' '; MIB];
        for _ in 0..bytes / MIB {
            raw.send(&piece).await.with_context(|| format!("{path} {header}"))?;
        }
        let answer = raw.answer().await.with_context(|| format!("{path} {header}"))?;
        assert_eq!(answer.status, status, "{}", answer.text());
        // What was dropped is out of the way: the connection serves on.
        let body = scene.request(Dialect::Chat);
        let length = format!("content-length: {}", body.len());
        raw.head(&["POST /v1/chat/completions HTTP/1.1", "host: pilotfish", &length])
            .await?;
        raw.send(body).await?;
        assert_eq!(raw.answer().await?.status, 200, "{path} {header}");
    }
    Ok(())
}

pub(crate) async fn pool(scene: &Scene) -> Result<()> {
    let dialect = Dialect::Chat;
    let gate = Gate::new();
    // What is held by the provider is held by the sidecar, too.
    scene
        .fake(dialect)
        .always(Step::normal().pause(Point::BeforeHead, Pause::Until(gate.clone())));
    let patient = scene.client.clone();
    let each = 24 * MIB;
    let fits = POOL / each;
    let body = bytes::Bytes::from(padded(dialect, each));
    let held = join_all((0..fits).map(|_| patient.post("/v1/chat/completions", body.clone())));
    let refused = async {
        let full =
            |metrics: &pilotfish_tests::Metrics| metrics.sum("pilotfish_held_bytes", &[]) >= (fits * each) as f64;
        scene.pilotfish.metrics_until(full).await?;
        let no_memory = Refused {
            status: 503,
            kinds: ["server_error", "overloaded_error"],
            code: Some("no_memory"),
            says: "holds as many bytes of bodies as it may",
        };
        for dialect in Dialect::BOTH {
            let answer = scene.client.post(dialect.path(), scene.request(dialect)).await?;
            no_memory.check(&answer, dialect)?;
            assert_eq!(answer.header("retry-after"), Some("1"));
        }
        gate.open();
        anyhow::Ok(())
    };
    let (held, refused) = tokio::join!(held, refused);
    scene.fake(dialect).recover();
    refused?;
    for answer in held {
        drop(answer?);
    }
    Ok(())
}

#[tokio::test]
async fn a_body_that_comes_slowly_is_waited_for() -> Result<()> {
    let scene = Scene::start().await?;
    for dialect in Dialect::BOTH {
        let body = scene.request(dialect);
        let mut raw = begun(&scene, dialect, &[&format!("content-length: {}", body.len())]).await?;
        for byte in body.as_bytes() {
            raw.send([*byte]).await?;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(raw.answer().await?.status, 200);
    }
    scene.end().await
}

#[tokio::test]
async fn a_client_that_announces_a_body_is_told_to_go_on() -> Result<()> {
    let scene = Scene::start().await?;
    let body = scene.request(Dialect::Chat);
    let length = format!("content-length: {}", body.len());
    let mut raw = begun(&scene, Dialect::Chat, &[&length, "expect: 100-continue"]).await?;
    assert_eq!(raw.answer_head_only().await?, 100);
    raw.send(body).await?;
    assert_eq!(raw.answer().await?.status, 200);
    drop(raw);
    scene.end().await
}

#[tokio::test]
async fn a_refused_client_that_never_sends_the_rest_is_let_go() -> Result<()> {
    let scene = Scene::start().await?;
    let mut raw = begun(
        &scene,
        Dialect::Chat,
        &["content-length: 100000", "content-encoding: gzip"],
    )
    .await?;
    assert_eq!(raw.answer().await?.status, 415);
    // Its connection is open on this side, and closed on the other.
    scene.end().await?;
    assert_eq!(raw.rest().await?, "");
    Ok(())
}

#[tokio::test]
async fn a_refused_client_that_sends_without_end_is_let_go() -> Result<()> {
    let scene = Scene::start().await?;
    let mut raw = begun(
        &scene,
        Dialect::Chat,
        &["transfer-encoding: chunked", "content-encoding: gzip"],
    )
    .await?;
    let chunk = [format!("{MIB:x}\r\n").as_bytes(), &vec![b' '; MIB], b"\r\n"].concat();
    let mut sent = 0;
    while raw.send(&chunk).await.is_ok() {
        sent += 1;
        anyhow::ensure!(sent < 500, "it takes all there is");
    }
    drop(raw);
    scene.end().await
}

#[tokio::test]
async fn the_pool_holds_a_body_only_as_long_as_it_may_be_needed() -> Result<()> {
    let pair = Pair::plain(Dialect::Chat).await?;
    let gate = Gate::new();
    pair.east
        .script([Step::normal().pause(Point::Content(1), Pause::Until(gate.clone()))]);
    let request = Dialect::Chat.stream_request("chat", "Hello").to_string();
    let body = format!("{request}{}", " ".repeat(4 * MIB));
    let response = pair
        .client
        .request(reqwest::Method::POST, "/v1/chat/completions", body)
        .send()
        .await?;
    assert_eq!(response.status(), 200);
    gate.reached(1).await;
    // The answer is committed: nothing can be sent again, and the stream may last for minutes.
    pair.pilotfish
        .metrics_until(|metrics| metrics.sum("pilotfish_held_bytes", &[]) == 0.0)
        .await?;
    gate.open();
    response.bytes().await?;
    pair.back_to_idle().await
}

/// A stream of about so many bytes.
fn long_stream(bytes: usize) -> bytes::Bytes {
    let chunk = |content: &str, finish: &str| {
        format!(
            "data: {{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\
             \"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{content}\"}},\"finish_reason\":{finish}}}]}}\n\n"
        )
    };
    let piece = chunk(&"word ".repeat(3000), "null");
    let end = chunk("", "\"stop\"") + "data: [DONE]\n\n";
    (piece.repeat(bytes / piece.len()) + &end).into()
}

#[tokio::test]
async fn a_client_that_does_not_read_costs_no_memory() -> Result<()> {
    let pair = Pair::plain(Dialect::Chat).await?;
    pair.ask().await?;
    let before = pair.pilotfish.resident()?;
    let stream = long_stream(48 * MIB);
    pair.east
        .script([Step::raw(200, "text/event-stream", stream.clone()).split(64 * 1024)]);
    let request = Dialect::Chat.stream_request("chat", "Hello").to_string();
    let mut response = pair
        .client
        .request(reqwest::Method::POST, "/v1/chat/completions", request)
        .send()
        .await?;
    // What is sent now stays in sockets, until they are full.
    let (mut sent, deadline) = ([0, 1, 2], tokio::time::Instant::now() + Duration::from_secs(30));
    while sent != [sent[2]; 3] || sent[2] == 0 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let now = pair.east.sent(1).context("it was called")?.body.len();
        anyhow::ensure!(now < stream.len(), "all of it was taken, and is somewhere");
        anyhow::ensure!(
            tokio::time::Instant::now() < deadline,
            "the sockets are never full: {sent:?}"
        );
        sent = [sent[1], sent[2], now];
    }
    let grown = pair.pilotfish.resident()?.saturating_sub(before);
    anyhow::ensure!(
        grown < 8 * MIB as u64,
        "{} KiB for a client that does not read",
        grown >> 10
    );
    let mut read = bytes::BytesMut::new();
    while let Some(piece) = response.chunk().await? {
        read.extend_from_slice(&piece);
    }
    assert!(read == stream, "{} bytes instead of {}", read.len(), stream.len());
    pair.back_to_idle().await
}
