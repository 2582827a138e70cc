//! The other end of the wire, by hand: it reads when it is told to.

use super::api::token as named;
use super::scene::{NAME, Scene, WITHIN};
use bytes::{Bytes, BytesMut};
use h2::client::SendRequest;
use h2::{RecvStream, SendStream};
use http::{Request, StatusCode};
use pilotfish_wire::{Ack, Hello, Message, Report};
use rcgen::KeyPair;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// A connection. What drives it ends with it.
pub(super) struct Connection {
    requests: SendRequest<Bytes>,
    driving: JoinSet<Result<(), h2::Error>>,
}

/// An open stream.
pub(super) struct Stream {
    pub(super) say: SendStream<Bytes>,
    pub(super) hear: RecvStream,
    buffer: BytesMut,
    connection: Connection,
}

/// What was answered to a request that does not last.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: String,
}

impl Answer {
    /// The sentence of a refusal.
    pub(super) fn error(&self) -> String {
        let body: Value = serde_json::from_str(&self.body).unwrap();
        body["error"].as_str().unwrap().to_owned()
    }
}

impl Connection {
    pub(super) async fn open(scene: &Scene, identity: Option<&(String, KeyPair)>) -> io::Result<Self> {
        Self::open_at(scene.address, scene, identity).await
    }

    /// At another address than the server's own, where something between passes bytes on.
    pub(super) async fn open_at(
        address: SocketAddr,
        scene: &Scene,
        identity: Option<&(String, KeyPair)>,
    ) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        let name = ServerName::try_from(NAME).unwrap();
        let config = Arc::new(config(&scene.authority.trust().borrow(), identity));
        let stream = TlsConnector::from(config).connect(name, stream).await?;
        let opened = timeout(WITHIN, h2::client::handshake(stream)).await?;
        let (requests, connection) = opened.map_err(io::Error::other)?;
        let mut driving = JoinSet::new();
        driving.spawn(connection);
        let requests = timeout(WITHIN, requests.ready()).await?;
        Ok(Self {
            requests: requests.map_err(io::Error::other)?,
            driving,
        })
    }

    /// One request with its whole body.
    pub(super) async fn ask(&mut self, path: &str, token: Option<&str>, body: String) -> Answer {
        let (answer, mut say) = self.requests.send_request(request(path, token), false).unwrap();
        say.send_data(body.into(), true).unwrap();
        let answer = timeout(WITHIN, answer).await.unwrap().unwrap();
        let status = answer.status();
        let mut hear = answer.into_body();
        let mut body = Vec::new();
        while let Some(bytes) = timeout(WITHIN, hear.data()).await.unwrap() {
            body.extend(bytes.unwrap());
        }
        let body = String::from_utf8(body).unwrap();
        Answer { status, body }
    }

    /// A stream, if it is opened.
    pub(super) async fn stream(mut self, token: Option<&str>) -> Result<Stream, Answer> {
        let (answer, say) = self.requests.send_request(request("/v1/stream", token), false).unwrap();
        let answer = timeout(WITHIN, answer).await.unwrap().unwrap();
        let status = answer.status();
        let hear = answer.into_body();
        let mut stream = Stream {
            say,
            hear,
            buffer: BytesMut::new(),
            connection: self,
        };
        if status == StatusCode::OK {
            return Ok(stream);
        }
        let mut body = String::new();
        while let Some(bytes) = stream.bytes().await {
            body.push_str(str::from_utf8(&bytes).unwrap());
        }
        Err(Answer { status, body })
    }

    /// Returns when the server has closed it.
    pub(super) async fn closed(&mut self) {
        drop(timeout(WITHIN, self.driving.join_next()).await.expect("closed in time"));
    }
}

impl Stream {
    /// Of a pod with a certificate; it has said hello and nothing more.
    pub(super) async fn open(scene: &Scene, verified: &crate::identity::Verified, hello: Hello) -> Self {
        let identity = scene.certificate(verified);
        let connection = Connection::open(scene, Some(&identity)).await.unwrap();
        let mut stream = connection.stream(None).await.unwrap();
        stream.report(&Report::Hello(hello));
        stream
    }

    pub(super) fn report(&mut self, report: &Report) {
        self.text(&format!("{}\n", report.encode()));
    }

    pub(super) fn text(&mut self, text: &str) {
        self.say.send_data(text.to_owned().into(), false).unwrap();
    }

    /// The next message.
    pub(super) async fn next(&mut self) -> Message {
        self.next_or_end().await.expect("the stream goes on")
    }

    /// The next message; `None`: the stream is over.
    pub(super) async fn next_or_end(&mut self) -> Option<Message> {
        loop {
            if let Some(newline) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(newline + 1);
                return Some(Message::decode(str::from_utf8(&line).unwrap()).unwrap());
            }
            let bytes = self.bytes().await?;
            self.buffer.extend_from_slice(&bytes);
        }
    }

    async fn bytes(&mut self) -> Option<Bytes> {
        let bytes = timeout(WITHIN, self.hear.data())
            .await
            .expect("something comes in time");
        let bytes = bytes?.ok()?;
        let read = self.hear.flow_control().release_capacity(bytes.len());
        read.ok().map(|()| bytes)
    }

    /// One batch in short words, hello lines aside, and its nonce and version.
    pub(super) async fn batch(&mut self) -> (Vec<String>, Ack) {
        let mut words = Vec::new();
        loop {
            match self.next().await {
                Message::Hello(_) | Message::Begin(_) => {}
                Message::Resource(resource) => words.push(format!("{} {}", resource.kind.as_str(), resource.name)),
                Message::Remove(remove) => words.push(format!("remove {} {}", remove.kind.as_str(), remove.name)),
                Message::Urgent(urgent) => {
                    let keys = urgent.put.iter().map(|key| key.name.as_str());
                    let keys: Vec<_> = keys.chain(urgent.remove.iter().map(|key| key.name.as_str())).collect();
                    words.push(format!("urgent {}", keys.join(" ")));
                }
                Message::Commit(commit) => {
                    let ack = Ack {
                        nonce: commit.nonce,
                        version: commit.version,
                        refused: Vec::new(),
                        unnamed: 0,
                    };
                    return (words, ack);
                }
                Message::Unknown(kind) => panic!("unknown {kind}"),
            }
        }
    }

    /// Reads until the server ends the stream.
    pub(super) async fn ended(&mut self) {
        while self.next_or_end().await.is_some() {}
    }

    /// Returns when the server has closed the whole connection.
    pub(super) async fn connection_closed(&mut self) {
        self.connection.closed().await;
    }
}

fn request(path: &str, token: Option<&str>) -> Request<()> {
    let mut request = Request::post(format!("https://{NAME}{path}"));
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {}", named(token)));
    }
    request.body(()).unwrap()
}

fn config(bundle: &str, identity: Option<&(String, KeyPair)>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(bundle.as_bytes()) {
        roots.add(root.unwrap()).unwrap();
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some((pem, key)) => {
            let chain = vec![CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()];
            let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}
