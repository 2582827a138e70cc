//! One connection: TLS, who is there, and its requests.

use super::Server;
use super::respond::{Answer, Refusal, lines, refuse, whole};
use super::stream;
use crate::certs::CertifyError;
use crate::foreign::{LONGEST_WORD, shown};
use crate::identity::{self, Refused, Verified};
use crate::metrics::Issuance;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Method, Request};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use pilotfish_crowd::Place;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// What is received and not yet read, of one stream. A sidecar has little to say.
const STREAM_WINDOW: u32 = 32 * 1024;
/// Of one connection; HTTP/2 knows no less.
const CONNECTION_WINDOW: u32 = 64 * 1024;
/// What is to be sent and waits for the peer's window, of one stream.
const SEND_BUFFER: usize = 16 * 1024;
const LONGEST_HEAD: u32 = 16 * 1024;
/// A certificate request is a few hundred bytes.
const LONGEST_REQUEST: usize = 16 * 1024;

/// Who the connection's own certificate says is there, if it has one.
type Certified = Option<Arc<Verified>>;

/// The other end of a connection.
struct Peer {
    certified: Certified,
    tasks: Executor,
    /// Lasts for as long as what it asked for is being done.
    work: TaskTrackerToken,
    /// Among those whom nobody knows.
    place: Arc<Place>,
}

/// No stranger's any more, for as long as a stream lasts. A sidecar has one on a connection.
struct Settled(Arc<Place>);

impl Settled {
    fn new(place: Arc<Place>) -> Self {
        place.settle();
        Self(place)
    }
}

impl Drop for Settled {
    fn drop(&mut self) {
        self.0.show();
    }
}

/// Hyper's own tasks, and the streams of sidecars. They end with their connection.
#[derive(Clone, Default)]
struct Executor(TaskTracker);

impl<F: Future<Output: Send + 'static> + Send + 'static> hyper::rt::Executor<F> for Executor {
    fn execute(&self, task: F) {
        drop(self.0.spawn(task));
    }
}

/// Serves one peer until it or the server has enough.
pub(super) async fn serve(server: Arc<Server>, stream: TcpStream, peer: SocketAddr, place: Place) {
    let stream = tokio::select! {
        stream = handshake(&server, stream, peer) => stream,
        () = place.left() => None,
    };
    let Some(stream) = stream else {
        return;
    };
    let Ok(certified) = certified(&stream) else {
        tracing::warn!(%peer, "client certificate names no pod");
        return;
    };
    let (tasks, work, place) = (Executor::default(), TaskTracker::new(), Arc::new(place));
    let service = service_fn(|request| {
        place.show();
        let peer = Peer {
            certified: certified.clone(),
            tasks: tasks.clone(),
            work: work.token(),
            place: Arc::clone(&place),
        };
        let answer = answer(Arc::clone(&server), peer, request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let connection = http2::Builder::new(tasks.clone())
        .timer(TokioTimer::new())
        .keep_alive_interval(server.timing.ping)
        .keep_alive_timeout(server.timing.dead)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .max_header_list_size(LONGEST_HEAD)
        .max_concurrent_streams(8)
        .serve_connection(TokioIo::new(stream), service);
    // Whoever has to leave is cut off before what it asked for has come to its end.
    let ended = {
        let mut connection = pin!(connection);
        tokio::select! {
            // What has arrived counts, also where we were too busy to look.
            biased;
            ended = connection.as_mut() => ended,
            () = place.left() => Ok(()),
            () = unasked(&server, &place) => Ok(()),
            () = enough(&server, &work) => {
                connection.as_mut().graceful_shutdown();
                // What it was sent last, and does not read, would keep it for ever.
                let ended = tokio::time::timeout(server.timing.drain, connection).await;
                ended.unwrap_or(Ok(()))
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "connection of a sidecar ended");
    }
    tasks.0.close();
    tasks.0.wait().await;
}

async fn handshake(server: &Server, stream: TcpStream, peer: SocketAddr) -> Option<TlsStream<TcpStream>> {
    let config = server.authority.sidecars().borrow().clone()?;
    let handshake = async {
        stream.set_nodelay(true)?;
        TlsAcceptor::from(config).accept(stream).await
    };
    match tokio::time::timeout(server.timing.handshake, handshake).await {
        Ok(Ok(stream)) => Some(stream),
        Ok(Err(error)) => {
            tracing::info!(%peer, %error, "connection refused");
            None
        }
        Err(_) => {
            tracing::info!(%peer, error = "no handshake in time", "connection refused");
            None
        }
    }
}

fn certified(stream: &TlsStream<TcpStream>) -> Result<Certified, Refused> {
    let (_, connection) = stream.get_ref();
    let chain = connection.peer_certificates().unwrap_or_default();
    let verified = chain.first().map(identity::of_certificate).transpose()?;
    Ok(verified.map(Arc::new))
}

/// Returns when nothing was asked for too long after the handshake.
async fn unasked(server: &Server, place: &Place) {
    tokio::time::sleep(server.timing.unasked).await;
    if place.has_shown() {
        std::future::pending().await
    }
}

/// Returns when the server stops, or when nothing was done for a while. What was done and is not read is not `work`: a peer
/// may answer pings and read nothing.
async fn enough(server: &Server, work: &TaskTracker) {
    let mut was_idle = false;
    loop {
        tokio::select! {
            () = server.stop.cancelled() => return,
            () = tokio::time::sleep(server.timing.idle) => {}
        }
        let is_idle = work.is_empty();
        if is_idle && was_idle {
            return;
        }
        was_idle = is_idle;
    }
}

async fn answer(server: Arc<Server>, peer: Peer, request: Request<Incoming>) -> Answer {
    let path = request.uri().path();
    let answer = match (request.method(), path) {
        (&Method::POST, "/v1/certificate") => certificate(&server, &peer, request).await,
        (&Method::POST, "/v1/stream") => stream(&server, peer, request).await,
        _ => Err(Refusal::NotFound),
    };
    answer.unwrap_or_else(|refusal| {
        let why = shown(&refusal.to_string(), LONGEST_WORD);
        tracing::info!(why, "sidecar refused");
        refuse(&refusal)
    })
}

/// A certificate for the pod whose token this is, and for the key of the request in the body.
async fn certificate(server: &Server, peer: &Peer, request: Request<Incoming>) -> Result<Answer, Refusal> {
    let issued = issue(server, peer, request).await;
    server.metrics.certificate_issued(match &issued {
        Ok(_) => Issuance::Issued,
        Err(Refusal::Identity(Refused::Busy { .. } | Refused::Unknown(_)) | Refusal::Certify(CertifyError::Own(_))) => {
            Issuance::Failed
        }
        Err(_) => Issuance::Refused,
    });
    issued.map(|pem| whole("application/pem-certificate-chain", pem))
}

async fn issue(server: &Server, peer: &Peer, request: Request<Incoming>) -> Result<String, Refusal> {
    let verified = proven(server, peer, &request).await?;
    let patience = server.timing.first;
    let body = tokio::time::timeout(patience, collect(request.into_body())).await;
    let body = body.map_err(|_| Refusal::Slow(patience))??;
    let pem = server.authority.certify(&body, &verified.uris(), (server.now)())?;
    tracing::debug!(pod = %verified.pod(), "certificate issued");
    Ok(pem)
}

/// What a sidecar has, both ways, for as long as it lasts.
async fn stream(server: &Arc<Server>, peer: Peer, request: Request<Incoming>) -> Result<Answer, Refusal> {
    let verified = match &peer.certified {
        Some(verified) => Verified::clone(verified),
        None => proven(server, &peer, &request).await?,
    };
    server.admit(&verified).await?;
    // One frame is on its way while the next is chosen: no line is chosen before it can be sent.
    let (sender, receiver) = mpsc::channel::<Bytes>(1);
    let stream = stream::run(Arc::clone(server), verified, request.into_body(), sender);
    let (settled, work) = (Settled::new(peer.place), peer.work);
    drop(peer.tasks.0.spawn(async move {
        stream.await;
        drop((settled, work));
    }));
    Ok(lines(receiver))
}

/// Whose token the request carries.
async fn proven(server: &Server, peer: &Peer, request: &Request<Incoming>) -> Result<Verified, Refusal> {
    let token = token(request)?;
    let verified = server.identity.of_token(token, peer.place.peer(), (server.now)());
    Ok(verified.await?)
}

fn token(request: &Request<Incoming>) -> Result<&str, Refusal> {
    let header = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let token = header.and_then(|value| value.split_once(' '));
    match token {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(Refusal::Anonymous),
    }
}

async fn collect(mut body: Incoming) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::Unreadable)?;
        bytes.extend(frame.into_data().unwrap_or_default());
        if bytes.len() > LONGEST_REQUEST {
            return Err(Refusal::TooLong(LONGEST_REQUEST));
        }
    }
    Ok(bytes)
}
