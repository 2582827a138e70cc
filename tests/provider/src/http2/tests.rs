//! A client of the `h2` crate over TLS against a whole fake.

use crate::received::Protocol;
use crate::record::Outcome;
use crate::{Builder, Fake, Gate, HangUp, INTERNAL_ERROR, OpenAi, Pause, Point, Step};
use bytes::Bytes;
use h2::client::SendRequest;
use h2::{Reason, RecvStream};
use http::Request;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

const PLAIN: &str = r#"{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}]}"#;
const STREAM: &str = r#"{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}],"stream":true}"#;

struct Client {
    requests: SendRequest<Bytes>,
    connection: JoinSet<Result<(), h2::Error>>,
}

impl Client {
    async fn connect(fake: &Fake) -> Client {
        let stream = tls(fake, b"h2").await;
        let (requests, connection) = h2::client::handshake(stream).await.unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(connection);
        Client {
            requests,
            connection: tasks,
        }
    }

    /// Sends a whole request; the answer is awaited later.
    async fn post(&mut self, body: &str) -> h2::client::ResponseFuture {
        self.requests = self.requests.clone().ready().await.unwrap();
        let request = Request::post("https://localhost/v1/chat/completions")
            .header("authorization", "Bearer k")
            .header("content-type", "application/json")
            .body(())
            .unwrap();
        let (answer, mut stream) = self.requests.send_request(request, false).unwrap();
        stream.send_data(Bytes::copy_from_slice(body.as_bytes()), true).unwrap();
        answer
    }

    async fn closed(&mut self) -> Result<(), h2::Error> {
        self.connection.join_next().await.unwrap().unwrap()
    }
}

async fn tls(fake: &Fake, protocol: &[u8]) -> tokio_rustls::client::TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(fake.authority_pem().unwrap().as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    let socket = TcpStream::connect(fake.address()).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, socket)
        .await
        .unwrap()
}

async fn body(mut stream: RecvStream) -> (String, Option<Reason>) {
    let mut body = Vec::new();
    while let Some(piece) = stream.data().await {
        match piece {
            Ok(piece) => {
                stream.flow_control().release_capacity(piece.len()).unwrap();
                body.extend_from_slice(&piece);
            }
            Err(error) => {
                return (
                    String::from_utf8(body).unwrap(),
                    error.reason().or(Some(Reason::CONNECT_ERROR)),
                );
            }
        }
    }
    (String::from_utf8(body).unwrap(), None)
}

async fn status(answer: h2::client::ResponseFuture) -> u16 {
    answer.await.unwrap().status().as_u16()
}

async fn start(builder: Builder) -> Fake {
    builder.tls().start().await.unwrap()
}

#[tokio::test]
async fn streams_share_a_connection_and_are_recorded() {
    let fake = start(OpenAi::builder()).await;
    assert!(fake.url().starts_with("https://127.0.0.1:"));
    let mut client = Client::connect(&fake).await;
    let (plain, stream) = (client.post(PLAIN).await, client.post(STREAM).await);
    let (plain, stream) = (plain.await.unwrap(), stream.await.unwrap());
    assert_eq!(plain.headers()["content-type"], "application/json");
    let (text, reason) = body(plain.into_body()).await;
    assert!(text.contains("Echo from gpt-4o: hi") && reason.is_none(), "{text}");
    let (text, reason) = body(stream.into_body()).await;
    assert!(text.ends_with("data: [DONE]\n\n") && reason.is_none(), "{text}");
    let mut seen: Vec<(usize, usize, Protocol)> = Vec::new();
    for request in fake.arrived(2).await.unwrap() {
        assert_eq!(request.header("authorization"), Some("Bearer k"));
        seen.push((request.connection, request.on_connection, request.protocol));
    }
    assert_eq!(seen, [(0, 0, Protocol::Http2), (0, 1, Protocol::Http2)]);
    assert_eq!(fake.violations(), [""; 0]);
}

#[tokio::test]
async fn a_refused_stream_was_not_processed() {
    let fake = start(OpenAi::builder()).await;
    fake.script([Step::normal(), Step::refused_stream()]);
    let mut client = Client::connect(&fake).await;
    let (first, second) = (client.post(PLAIN).await, client.post(PLAIN).await);
    assert_eq!(second.await.unwrap_err().reason(), Some(Reason::REFUSED_STREAM));
    assert_eq!(status(first).await, 200);
    let third = client.post(PLAIN).await;
    assert_eq!(status(third).await, 200, "the connection goes on");
    assert_eq!(fake.bills().len(), 2);
    assert_eq!(fake.ended(1).await.unwrap().outcome, Outcome::BrokenOff);
}

#[tokio::test]
async fn a_goaway_leaves_lower_streams_alive_and_takes_no_others() {
    let fake = start(OpenAi::builder()).await;
    let gate = Gate::new();
    fake.script([
        Step::normal().pause(Point::AfterHead, Pause::Until(gate.clone())),
        Step::go_away(),
    ]);
    let mut client = Client::connect(&fake).await;
    let first = client.post(STREAM).await.await.unwrap();
    gate.reached(1).await;
    let error = client.post(PLAIN).await.await.unwrap_err();
    assert!(
        error.is_go_away() && error.is_remote() && error.reason() == Some(Reason::NO_ERROR),
        "{error:?}"
    );
    gate.open();
    let (text, reason) = body(first.into_body()).await;
    assert!(text.ends_with("data: [DONE]\n\n") && reason.is_none(), "{text}");
    client.closed().await.unwrap();
    fake.connections_until(|connections| connections.open == 0)
        .await
        .unwrap();
    assert_eq!(fake.received().len(), 2);
}

#[tokio::test]
async fn a_goaway_below_the_first_stream_ends_the_connection() {
    let fake = start(OpenAi::builder()).await;
    fake.script([Step::go_away()]);
    let mut client = Client::connect(&fake).await;
    assert!(client.post(PLAIN).await.await.unwrap_err().is_go_away());
    fake.connections_until(|connections| connections.open == 0)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_stream_is_reset_behind_its_head_or_behind_a_byte() {
    let fake = start(OpenAi::builder()).await;
    let how = HangUp::ResetStream(INTERNAL_ERROR);
    fake.script([
        Step::normal().hang_up(Point::AfterHead, how),
        Step::normal().hang_up(Point::Byte(10), how),
        Step::normal().hang_up(Point::BeforeHead, how),
    ]);
    let mut client = Client::connect(&fake).await;
    let head = client.post(STREAM).await.await.unwrap();
    assert_eq!(
        body(head.into_body()).await,
        (String::new(), Some(Reason::INTERNAL_ERROR))
    );
    let cut = client.post(STREAM).await.await.unwrap();
    assert_eq!(
        body(cut.into_body()).await,
        ("data: {\"id".to_owned(), Some(Reason::INTERNAL_ERROR))
    );
    let none = client.post(STREAM).await.await;
    assert_eq!(none.unwrap_err().reason(), Some(Reason::INTERNAL_ERROR));
}

#[tokio::test]
async fn a_connection_is_closed_behind_the_very_byte() {
    for how in [HangUp::Close, HangUp::Reset] {
        let fake = start(OpenAi::builder()).await;
        fake.script([Step::normal().hang_up(Point::Content(2), how)]);
        let mut client = Client::connect(&fake).await;
        let answer = client.post(STREAM).await;
        if let Ok(answer) = answer.await {
            let (text, reason) = body(answer.into_body()).await;
            assert!(reason.is_some(), "{how:?}: {text}");
            // What is sent before a reset may be lost with it.
            assert!(how == HangUp::Reset || text.matches("data: ").count() == 3, "{text}");
        }
        assert_eq!(fake.ended(0).await.unwrap().outcome, Outcome::BrokenOff);
        fake.connections_until(|connections| connections.open == 0)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_client_that_resets_its_stream_is_noticed_and_the_connection_goes_on() {
    let fake = start(OpenAi::builder()).await;
    let gate = Gate::new();
    fake.script([
        Step::never(),
        Step::normal().pause(Point::Content(2), Pause::Until(gate.clone())),
    ]);
    let mut client = Client::connect(&fake).await;
    let answer = client.post(STREAM).await;
    fake.arrived(1).await.unwrap();
    drop(answer);
    assert_eq!(fake.ended(0).await.unwrap().outcome, Outcome::ClientGone);

    let answer = client.post(STREAM).await.await.unwrap();
    gate.reached(1).await;
    drop(answer);
    assert_eq!(fake.ended(1).await.unwrap().outcome, Outcome::ClientGone);
    assert_eq!(fake.bills()[1].output_made, 3);
    let answer = client.post(PLAIN).await;
    assert_eq!(status(answer).await, 200);
    assert_eq!(fake.connections().accepted, 1);
}

#[tokio::test]
async fn a_client_that_drops_its_connection_leaves_all_its_streams() {
    let fake = start(OpenAi::builder()).await;
    fake.always(Step::never());
    let mut client = Client::connect(&fake).await;
    let _answers = (client.post(PLAIN).await, client.post(PLAIN).await);
    fake.arrived(2).await.unwrap();
    client.connection.shutdown().await;
    for number in 0..2 {
        assert_eq!(fake.ended(number).await.unwrap().outcome, Outcome::ClientGone);
    }
    fake.connections_until(|connections| connections.open == 0)
        .await
        .unwrap();
}

#[tokio::test]
async fn few_streams_at_once_are_announced() {
    let fake = start(OpenAi::builder().max_concurrent_streams(2)).await;
    fake.always(Step::never());
    let mut client = Client::connect(&fake).await;
    let _answers = (client.post(PLAIN).await, client.post(PLAIN).await);
    fake.arrived(2).await.unwrap();
    assert_eq!(client.requests.current_max_send_streams(), 2);
}

#[tokio::test]
async fn one_port_speaks_both_versions_under_tls() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let fake = start(OpenAi::builder()).await;
    let mut stream = tls(&fake, b"http/1.1").await;
    stream
        .write_all(b"GET /v1/models HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer k\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert_eq!(fake.received()[0].protocol, Protocol::Http1);
}
