//! Over real TLS on loopback.

use super::*;
use crate::identity::Trusted;
use crate::inject::{Resources, Settings};
use rustls::pki_types::{PrivatePkcs8KeyDer, ServerName};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

#[derive(Debug)]
struct Fixed(Arc<CertifiedKey>);

impl ResolvesServerCert for Fixed {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// A running server, and how to reach it.
struct Server {
    address: SocketAddr,
    connector: TlsConnector,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
    running: JoinSet<()>,
}

impl Server {
    async fn start() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        let provider = Arc::new(default_provider());
        let client = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()).into();
        let key = CertifiedKey::from_der(vec![made.cert.der().clone()], key, &provider).unwrap();

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (metrics, stop) = (Metrics::new().unwrap(), CancellationToken::new());
        let tls = tls(Arc::new(Fixed(Arc::new(key)))).unwrap();
        let mut running = JoinSet::new();
        running.spawn(serve(listener, tls, judge(), Arc::clone(&metrics), stop.clone()));
        Self {
            address,
            connector: TlsConnector::from(Arc::new(client)),
            metrics,
            stop,
            running,
        }
    }

    async fn connect(&self) -> TlsStream<TcpStream> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let connected = timeout(CALLED_WITHIN, self.connector.connect(name, stream));
        connected.await.expect("let in").unwrap()
    }

    /// Sends `head`, without its last empty line, and `body`; returns all that comes until the server closes.
    async fn ask(&self, head: &str, body: &str) -> String {
        let mut stream = self.connect().await;
        let request = format!("{head}\r\nhost: localhost\r\nconnection: close\r\n\r\n{body}");
        // Whoever is refused may be cut off while it is still sending.
        drop(stream.write_all(request.as_bytes()).await);
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer).await);
        String::from_utf8(answer).unwrap()
    }

    async fn post(&self, path: &str, body: &str) -> String {
        let head = format!("POST {path} HTTP/1.1\r\ncontent-length: {}", body.len());
        self.ask(&head, body).await
    }

    fn counted(&self, webhook: &str, outcome: &str) -> String {
        let text = self.metrics.exposition(tokio::time::Instant::now()).unwrap();
        let series = format!("pilotfish_operator_admissions_total{{outcome=\"{outcome}\",webhook=\"{webhook}\"}} ");
        text.lines()
            .find_map(|line| line.strip_prefix(&series))
            .unwrap()
            .to_owned()
    }
}

fn judge() -> Judge {
    Judge {
        settings: Settings {
            image: "sidecar:1".to_owned(),
            operator: "operator:4443".to_owned(),
            operator_name: "operator".to_owned(),
            operator_namespace: "pilotfish-system".to_owned(),
            telemetry_host: "0.0.0.0".to_owned(),
            resources: Resources::default(),
        },
        trusted: Arc::new(Trusted::new(&["sidecar:1".to_owned()])),
        root_namespace: "pilotfish-system".to_owned(),
    }
}

fn review() -> String {
    json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": "1", "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "resource": {"group": "", "version": "v1", "resource": "pods"}, "name": "", "namespace": "shop",
            "operation": "CREATE", "userInfo": {}, "oldObject": null,
            "object": {"apiVersion": "v1", "kind": "Pod", "metadata": {}, "spec": {"containers": [{"name": "app"}]}},
        },
    })
    .to_string()
}

/// The status line, and what stands after the head.
fn parts(answer: &str) -> (&str, &str) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
    (head.lines().next().unwrap_or_default(), body)
}

#[tokio::test]
async fn a_review_is_answered_and_counted() {
    let server = Server::start().await;
    let answer = server.post("/inject", &review()).await;
    let (status, body) = parts(&answer);
    assert_eq!(status, "HTTP/1.1 200 OK");
    let answer: Value = serde_json::from_str(body).unwrap();
    assert_eq!(
        (&answer["response"]["uid"], &answer["response"]["allowed"]),
        (&json!("1"), &json!(true))
    );
    assert_eq!(server.counted("inject", "patched"), "1");
}

#[tokio::test]
async fn what_is_no_review_is_answered_with_a_sentence() {
    let server = Server::start().await;
    let long = "POST /validate HTTP/1.1\r\ncontent-length: 3145729";
    let chunked = "POST /validate HTTP/1.1\r\ntransfer-encoding: chunked";
    let endless = format!("{:x}\r\n{}\r\n", LONGEST + 1, "x".repeat(LONGEST + 1));
    for (head, body, status, sentence) in [
        (
            "POST /inject HTTP/1.1\r\ncontent-length: 2",
            "{}",
            "400 Bad Request",
            "the body is no AdmissionReview",
        ),
        (
            "POST /inject HTTP/1.1\r\ncontent-length: 0",
            "",
            "400 Bad Request",
            "the body is no AdmissionReview",
        ),
        (
            "POST /other HTTP/1.1\r\ncontent-length: 0",
            "",
            "404 Not Found",
            "this port serves /inject and /validate",
        ),
        (
            "GET /inject HTTP/1.1",
            "",
            "405 Method Not Allowed",
            "a webhook takes POST only",
        ),
        (long, "", "413 Payload Too Large", "a review may be 3145728 bytes long"),
        (
            chunked,
            &endless,
            "413 Payload Too Large",
            "a review may be 3145728 bytes long",
        ),
    ] {
        let answer = server.ask(head, body).await;
        let (found, said) = parts(&answer);
        assert_eq!(found, format!("HTTP/1.1 {status}"), "{head}");
        assert!(said.starts_with(sentence), "{head}: {said}");
    }
    assert_eq!(server.counted("inject", "malformed"), "2");
    assert_eq!(server.counted("validate", "malformed"), "2");
    assert!(server.post("/inject", &review()).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn whoever_speaks_no_tls_hinders_nobody() {
    let server = Server::start().await;
    let mut plain = TcpStream::connect(server.address).await.unwrap();
    plain.write_all(b"POST /inject HTTP/1.1\r\n\r\n").await.unwrap();
    let mut alert = Vec::new();
    drop(plain.read_to_end(&mut alert).await);
    let silent = TcpStream::connect(server.address).await.unwrap();
    assert!(server.post("/inject", &review()).await.starts_with("HTTP/1.1 200"));
    drop(silent);
}

#[tokio::test]
async fn a_stopping_server_goes_on_answering_until_it_has_been_forgotten() {
    let mut server = Server::start().await;
    server.stop.cancel();
    assert!(server.post("/inject", &review()).await.starts_with("HTTP/1.1 200"));
    assert!(server.running.join_next().await.unwrap().is_ok());
    assert!(TcpStream::connect(server.address).await.is_err());
}

/// What the API server waits for an answer.
const CALLED_WITHIN: Duration = Duration::from_secs(5);

/// One whole answer; `None`: the connection was closed.
async fn answered(stream: &mut TlsStream<TcpStream>) -> Option<String> {
    let mut answer = String::new();
    loop {
        let mut piece = vec![0; 4096];
        let length = stream.read(&mut piece).await.ok().filter(|length| *length > 0)?;
        answer += str::from_utf8(piece.get(..length)?).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if length.is_some_and(|length| length.parse() == Ok(body.len())) {
            return Some(answer);
        }
    }
}

impl Server {
    /// So many handshakes, after each of which `words` are said.
    async fn strangers(&self, how_many: usize, words: &str) -> Vec<TlsStream<TcpStream>> {
        let mut strangers = Vec::new();
        for _ in 0..how_many {
            let mut stranger = self.connect().await;
            stranger.write_all(words.as_bytes()).await.unwrap();
            strangers.push(stranger);
        }
        strangers
    }

    /// A question of the API server's, on a connection that it goes on using.
    async fn called(&self, stream: &mut TlsStream<TcpStream>) -> String {
        let review = review();
        let head = format!(
            "POST /inject HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n",
            review.len()
        );
        stream.write_all((head + &review).as_bytes()).await.unwrap();
        let answer = timeout(CALLED_WITHIN, answered(stream)).await;
        answer.expect("answered in time").expect("not closed")
    }
}

#[tokio::test]
async fn an_api_server_is_answered_however_many_connections_a_stranger_holds() {
    let server = Server::start().await;
    let half = "POST /inject HTTP/1.1\r\nhost: a\r\ncontent-length: 3000000\r\n\r\n{";
    for words in ["", "GET / HTTP/1.1\r\nhost: a\r\n\r\n", half] {
        let strangers = server.strangers(MOST_CONNECTIONS + 8, words).await;
        let mut newcomer = server.connect().await;
        assert!(
            server.called(&mut newcomer).await.starts_with("HTTP/1.1 200"),
            "{words:?}"
        );
        drop(strangers);
    }
}

#[tokio::test]
async fn whoever_asks_nothing_is_let_go_and_whoever_asked_is_kept() {
    let server = Server::start().await;
    let mut kept = server.connect().await;
    assert!(server.called(&mut kept).await.starts_with("HTTP/1.1 200"));
    let mut silent = server.connect().await;
    let closed = timeout(2 * FIRST_HEAD, answered(&mut silent)).await;
    assert_eq!(closed.expect("closed in time"), None);
    assert!(server.called(&mut kept).await.starts_with("HTTP/1.1 200"));
}
