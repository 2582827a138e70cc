//! An operator that does nothing by itself but sign certificates: what is said on its streams, a test says.

use crate::authority::{Authority, Life};
use anyhow::{Context, Result, anyhow, ensure};
use bytes::Bytes;
use h2::server::SendResponse;
use h2::{RecvStream, SendStream};
use http::{Request, Response};
use pilotfish_wire::{Ack, Begin, Commit, Hello, Message, Report, Resource};
use rustls::server::WebPkiClientVerifier;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The name on its certificate, wherever it is.
pub(crate) const NAME: &str = "pilotfish-operator.pilotfish-system.svc";
/// What has not come by then never comes.
const WITHIN: Duration = Duration::from_secs(45);

/// How it answers a request for a certificate.
#[derive(Clone)]
pub(crate) enum Signing {
    /// With a certificate of this life.
    For(Life),
    /// With this status and sentence.
    Not(u16, &'static str),
}

/// How one operator is to be.
pub(crate) struct Setup<'a> {
    /// Signed its own certificate.
    pub(crate) serving: &'a Authority,
    /// Signs those of its clients, and is the one it accepts them of.
    pub(crate) clients: Arc<Authority>,
    /// The name on its certificate.
    pub(crate) name: &'a str,
    pub(crate) signing: Signing,
    /// Port 0 lets the system choose.
    pub(crate) address: SocketAddr,
}

/// A listening operator; dropping it closes everything.
pub(crate) struct Operator {
    address: SocketAddr,
    sessions: mpsc::Receiver<Session>,
    signed: watch::Receiver<Vec<String>>,
    connections: JoinSet<()>,
}

/// What its connections share.
struct Shared {
    acceptor: TlsAcceptor,
    clients: Arc<Authority>,
    signing: Signing,
    /// The tokens for which certificates were asked.
    asked: watch::Sender<Vec<String>>,
    sessions: mpsc::Sender<Session>,
}

/// One sidecar's stream, of which its hello has been read.
pub(crate) struct Session {
    /// What the sidecar said first.
    pub(crate) hello: Hello,
    /// The client certificate that it presented.
    pub(crate) certificate: Option<Vec<u8>>,
    /// Its `Authorization`.
    pub(crate) bearer: Option<String>,
    reports: RecvStream,
    read: Vec<u8>,
    messages: SendStream<Bytes>,
    /// Whether anything is read or written on its connection.
    alive: Arc<watch::Sender<bool>>,
}

impl Operator {
    pub(crate) async fn start(setup: Setup<'_>) -> Result<Self> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let roots = Arc::new(setup.clients.roots()?);
        let verifier = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&provider));
        let (chain, key) = setup.serving.server(setup.name)?;
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_client_cert_verifier(verifier.allow_unauthenticated().build()?)
            .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        let listener = TcpListener::bind(setup.address).await?;
        let address = listener.local_addr()?;
        let (sessions, received) = mpsc::channel(8);
        let (asked, signed) = watch::channel(Vec::new());
        let shared = Arc::new(Shared {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            clients: setup.clients,
            signing: setup.signing,
            asked,
            sessions,
        });
        let mut connections = JoinSet::new();
        connections.spawn(accept(listener, shared));
        Ok(Self {
            address,
            sessions: received,
            signed,
            connections,
        })
    }

    /// Ends it, once everything of it is closed.
    pub(crate) async fn end(mut self) {
        self.connections.shutdown().await;
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next stream that a sidecar opens.
    pub(crate) async fn session(&mut self) -> Result<Session> {
        let session = timeout(WITHIN, self.sessions.recv())
            .await
            .context("no stream was opened")?;
        session.context("the operator has ended")
    }

    /// The tokens for which certificates were asked so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.signed.borrow().clone()
    }

    /// Waits until a certificate was asked for so often; the tokens.
    pub(crate) async fn asked_times(&mut self, times: usize) -> Result<Vec<String>> {
        let enough = self.signed.wait_for(|asked| asked.len() >= times);
        let asked = timeout(WITHIN, enough)
            .await
            .context("no certificate was asked for")??;
        Ok(asked.clone())
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            // A sidecar that does not trust us, or that we do not trust, goes away here.
            drop(connection(stream, shared).await);
        });
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) -> Result<()> {
    let stream = shared.acceptor.accept(stream).await?;
    let certificate = presented(&stream);
    let mut connection = h2::server::handshake(stream).await?;
    let alive = Arc::new(watch::Sender::new(true));
    let mut living = alive.subscribe();
    let mut requests = JoinSet::new();
    loop {
        tokio::select! {
            accepted = connection.accept() => {
                let Some(accepted) = accepted else { break };
                let (request, respond) = accepted?;
                let (shared, certificate, alive) = (Arc::clone(&shared), certificate.clone(), Arc::clone(&alive));
                requests.spawn(async move { drop(answer(request, respond, shared, certificate, alive).await) });
            }
            dead = async { living.wait_for(|alive| !alive).await.map(drop) } => {
                dead?;
                // Open, and deaf: nothing polls it any more.
                std::future::pending::<()>().await;
            }
        }
    }
    Ok(())
}

fn presented(stream: &TlsStream<TcpStream>) -> Option<Vec<u8>> {
    let (_, tls) = stream.get_ref();
    tls.peer_certificates()
        .and_then(|chain| chain.first())
        .map(|leaf| leaf.to_vec())
}

async fn answer(
    request: Request<RecvStream>,
    respond: SendResponse<Bytes>,
    shared: Arc<Shared>,
    certificate: Option<Vec<u8>>,
    alive: Arc<watch::Sender<bool>>,
) -> Result<()> {
    let bearer = request
        .headers()
        .get("authorization")
        .map(|value| value.to_str().map(str::to_owned));
    let bearer = bearer.transpose()?;
    match request.uri().path() {
        "/v1/certificate" => sign(request, respond, &shared, bearer).await,
        "/v1/stream" => {
            let session = Session::open(request, respond, certificate, bearer, alive).await?;
            shared.sessions.send(session).await.map_err(|_| anyhow!("no test"))
        }
        path => Err(anyhow!("{path} is none of ours")),
    }
}

async fn sign(
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    shared: &Shared,
    bearer: Option<String>,
) -> Result<()> {
    let mut body = request.into_body();
    let mut asked = Vec::new();
    while let Some(data) = body.data().await {
        asked.extend_from_slice(&data?);
    }
    let (status, text) = match &shared.signing {
        Signing::For(life) => (200, shared.clients.client(&String::from_utf8(asked)?, life)?),
        Signing::Not(status, sentence) => (*status, format!("{{\"error\": {sentence:?}}}")),
    };
    let mut send = respond.send_response(Response::builder().status(status).body(())?, false)?;
    send.send_data(text.into(), true)?;
    shared.asked.send_modify(|asked| asked.push(bearer.unwrap_or_default()));
    Ok(())
}

impl Session {
    async fn open(
        request: Request<RecvStream>,
        mut respond: SendResponse<Bytes>,
        certificate: Option<Vec<u8>>,
        bearer: Option<String>,
        alive: Arc<watch::Sender<bool>>,
    ) -> Result<Self> {
        let head = Response::builder()
            .header("content-type", "application/x-ndjson")
            .body(())?;
        let mut session = Self {
            hello: Hello::default(),
            certificate,
            bearer,
            reports: request.into_body(),
            read: Vec::new(),
            messages: respond.send_response(head, false)?,
            alive,
        };
        match session.report().await? {
            Report::Hello(hello) => session.hello = hello,
            other => return Err(anyhow!("{other:?} is no hello")),
        }
        Ok(session)
    }

    /// The sidecar's next line.
    pub(crate) async fn report(&mut self) -> Result<Report> {
        timeout(WITHIN, self.line()).await.context("nothing was reported")?
    }

    async fn line(&mut self) -> Result<Report> {
        loop {
            if let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.read.drain(..=end).collect();
                return Ok(Report::decode(std::str::from_utf8(&line)?)?);
            }
            let data = self.reports.data().await.context("the sidecar ended the stream")??;
            self.reports.flow_control().release_capacity(data.len())?;
            self.read.extend_from_slice(&data);
        }
    }

    /// The sidecar's next line, which must be an ack.
    pub(crate) async fn ack(&mut self) -> Result<Ack> {
        match self.report().await? {
            Report::Ack(ack) => Ok(ack),
            other => Err(anyhow!("{other:?} is no ack")),
        }
    }

    /// Sends messages, a line each.
    pub(crate) async fn say(&mut self, messages: impl IntoIterator<Item = Message>) -> Result<()> {
        for message in messages {
            self.send(format!("{}\n", message.encode()).into()).await?;
        }
        Ok(())
    }

    /// Says hello to a pod of this workload.
    pub(crate) async fn greet(&mut self, workload: &str, leader: Option<SocketAddr>) -> Result<()> {
        let scope = [("namespace", "default"), ("pod", "web-1"), ("workload", workload)];
        self.say([Message::Hello(Hello {
            revision: pilotfish_wire::REVISION,
            scope: scope.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            leader: leader.map(|address| address.to_string()),
            ..Hello::default()
        })])
        .await
    }

    /// Sends a whole batch and returns its ack.
    pub(crate) async fn batch(&mut self, nonce: u64, resources: &[Resource], version: &str) -> Result<Ack> {
        self.say([Message::Begin(Begin { nonce })]).await?;
        self.say(resources.iter().cloned().map(Message::Resource)).await?;
        self.commit(nonce, version).await?;
        let ack = self.ack().await?;
        ensure!((ack.nonce, &*ack.version) == (nonce, version), "{ack:?}");
        Ok(ack)
    }

    pub(crate) async fn commit(&mut self, nonce: u64, version: &str) -> Result<()> {
        let version = version.to_owned();
        self.say([Message::Commit(Commit { nonce, version })]).await
    }

    /// Sends bytes as they are, as fast as the sidecar takes them.
    pub(crate) async fn send(&mut self, mut bytes: Bytes) -> Result<()> {
        while !bytes.is_empty() {
            self.messages.reserve_capacity(bytes.len());
            let room = poll_fn(|cx| self.messages.poll_capacity(cx)).await;
            let room = room.context("the sidecar closed the stream")??;
            self.messages.send_data(bytes.split_to(room.min(bytes.len())), false)?;
        }
        Ok(())
    }

    /// Ends the stream as an operator does that wants its sidecars to spread anew.
    pub(crate) fn end(mut self) -> Result<()> {
        Ok(self.messages.send_data(Bytes::new(), true)?)
    }

    /// From now on the connection is open and deaf.
    pub(crate) fn fall_silent(&self) {
        self.alive.send_replace(false);
    }

    /// Waits until the sidecar has closed the stream.
    pub(crate) async fn closed(&mut self) -> Result<()> {
        let closing = async { while self.line().await.is_ok() {} };
        timeout(WITHIN, closing).await.context("the stream was not closed")
    }
}
