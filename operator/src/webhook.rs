//! The HTTPS port that the API server calls: `POST /inject` and `POST /validate`.
//!
//! HTTP/1.1, one question at a time on a connection. What is slow, long or wrong is answered with a sentence and never
//! waited for: while an answer is missing a pod waits. Told to stop, the listener stays open for a moment, because the
//! API server goes on calling until it has heard that this replica is gone.
//!
//! Nobody has to prove anything to be let in, so whoever connects may only ever be in his own way.

mod readings;

use crate::admission::{Judge, Verdict, Webhook};
use crate::foreign::{LONGEST_WORD, shown};
use crate::metrics::{Admission, Metrics};
use bytes::{Bytes, BytesMut};
use http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use pilotfish_crowd::{Crowd, Place};
use readings::Readings;
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::server::ResolvesServerCert;
use std::convert::Infallible;
use std::fmt::Display;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// Longest review, bytes: what an API server takes of a client itself.
const LONGEST: usize = 3 * 1024 * 1024;
/// Of a connection's bytes, how many are read at once.
const PIECE: usize = 64 * 1024;
/// When there are more, somebody is asked to leave: every pod may connect, and none may keep the API server out.
const MOST_CONNECTIONS: usize = 512;
/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// Who connects has something to ask, at once.
const FIRST_HEAD: Duration = Duration::from_secs(2);
/// How long a connection may be silent: longer than the API server keeps one that it does not use, so that it is never
/// closed under a question.
const SILENCE: Duration = Duration::from_secs(120);
/// How long it may take to begin: the API server sends it with its head.
const FIRST_BYTE: Duration = Duration::from_secs(1);
/// How long a review may take to arrive: less than the API server waits for its answer.
const READING: Duration = Duration::from_secs(4);
/// Before accepting is tried again after it failed, most likely for want of descriptors.
const PAUSE: Duration = Duration::from_millis(50);
/// How long connections are taken once the process is told to stop.
const LINGER: Duration = Duration::from_secs(2);
/// How long questions in hand may take after that.
const DRAIN: Duration = Duration::from_secs(5);

/// What answers, shared by all connections.
struct Handler {
    judge: Judge,
    metrics: Arc<Metrics>,
    readings: Arc<Readings>,
}

/// Some of a body.
type Piece = Result<Frame<Bytes>, hyper::Error>;

/// A question that is not passed on to the judge.
#[derive(Debug, thiserror::Error)]
enum Unread {
    #[error("the review did not arrive in time")]
    Slow,
    #[error("a review may be {LONGEST} bytes long")]
    TooLong,
    #[error("others need the room that the review takes")]
    Crowded,
    #[error("the review broke off: {0}")]
    Broken(hyper::Error),
}

/// TLS 1.3 with the certificate of the moment, for a client that has none.
pub fn tls(certificate: Arc<dyn ResolvesServerCert>) -> Result<Arc<ServerConfig>, rustls::Error> {
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder.with_protocol_versions(&[&rustls::version::TLS13])?;
    let mut config = builder.with_no_client_auth().with_cert_resolver(certificate);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Answers until `stop`, and what was asked until then.
pub async fn serve(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    judge: Judge,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
) {
    let handler = Arc::new(Handler {
        judge,
        metrics,
        readings: Arc::default(),
    });
    let mut connections = JoinSet::new();
    let ended = CancellationToken::new();
    let tls = TlsAcceptor::from(tls);
    let accepting = accept(&listener, &tls, &handler, &mut connections, &ended);
    tokio::select! {
        () = accepting => {}
        () = lingered(&stop) => {}
    }
    ended.cancel();
    let all = async { while connections.join_next().await.is_some() {} };
    if timeout(DRAIN, all).await.is_err() {
        tracing::warn!("webhooks were still asked when the time to stop was up");
    }
}

async fn lingered(stop: &CancellationToken) {
    stop.cancelled().await;
    sleep(LINGER).await;
}

async fn accept(
    listener: &TcpListener,
    tls: &TlsAcceptor,
    handler: &Arc<Handler>,
    connections: &mut JoinSet<()>,
    ended: &CancellationToken,
) {
    let crowd = Crowd::new(MOST_CONNECTIONS);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let place = crowd.enter(peer.ip());
                    let connection = connection(stream, place, tls.clone(), Arc::clone(handler), ended.clone());
                    drop(connections.spawn(connection));
                }
                Err(error) => {
                    tracing::warn!(%error, "webhook connection not accepted");
                    sleep(PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(
    stream: TcpStream,
    place: Place,
    tls: TlsAcceptor,
    handler: Arc<Handler>,
    ended: CancellationToken,
) {
    tokio::select! {
        // What has arrived counts, also where we were too busy to look.
        biased;
        () = converse(stream, &place, tls, handler, ended) => {}
        () = place.left() => {}
    }
}

async fn converse(stream: TcpStream, place: &Place, tls: TlsAcceptor, handler: Arc<Handler>, ended: CancellationToken) {
    let stream = match timeout(HANDSHAKE, tls.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            // The API server trusts another authority than ours until its configuration is healed.
            tracing::debug!(%error, "webhook handshake failed");
            return;
        }
        Err(_) => return,
    };
    let service = service_fn(|request| {
        place.show();
        let handler = Arc::clone(&handler);
        async move {
            let answer = handler.answer(request, place.peer()).await;
            place.show();
            Ok::<_, Infallible>(answer)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(SILENCE)
        .max_buf_size(PIECE)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let served = tokio::select! {
        biased;
        served = connection.as_mut() => served,
        () = unasked(place) => return,
        () = ended.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "webhook connection ended");
    }
}

/// Returns when nothing was asked for too long.
async fn unasked(place: &Place) {
    sleep(FIRST_HEAD).await;
    if place.has_shown() {
        std::future::pending().await
    }
}

impl Handler {
    async fn answer(&self, request: Request<Incoming>, peer: IpAddr) -> Response<Full<Bytes>> {
        let path = request.uri().path();
        let Some(webhook) = Webhook::ALL.into_iter().find(|webhook| webhook.path() == path) else {
            return plain(StatusCode::NOT_FOUND, "this port serves /inject and /validate");
        };
        if request.method() != Method::POST {
            let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "a webhook takes POST only");
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
            return response;
        }
        match self.read(request.into_body(), peer).await {
            Ok(review) => self.judge(webhook, &review),
            Err(unread) => self.malformed(webhook, unread.status(), &unread),
        }
    }

    /// The whole of a review.
    async fn read(&self, body: Incoming, peer: IpAddr) -> Result<Bytes, Unread> {
        let sizes = body.size_hint();
        let longest = sizes.upper().and_then(|upper| usize::try_from(upper).ok());
        let longest = longest.unwrap_or(LONGEST).min(LONGEST);
        if sizes.lower() > LONGEST as u64 {
            return Err(Unread::TooLong);
        }
        let read = self.collect(body, peer, longest);
        timeout(READING, read).await.unwrap_or(Err(Unread::Slow))
    }

    /// Takes room for `longest` bytes, once some of them are there.
    async fn collect(&self, mut body: Incoming, peer: IpAddr, longest: usize) -> Result<Bytes, Unread> {
        let first = timeout(FIRST_BYTE, body.frame()).await.map_err(|_| Unread::Slow)?;
        let reading = self.readings.begin(peer, longest).await;
        tokio::select! {
            biased;
            collected = collect(first, body) => collected,
            () = reading.left() => Err(Unread::Crowded),
        }
    }

    fn judge(&self, webhook: Webhook, review: &[u8]) -> Response<Full<Bytes>> {
        match self.judge.answer(webhook, review) {
            Ok((verdict, answer)) => {
                self.metrics.admission(webhook, admission(verdict));
                typed(StatusCode::OK, "application/json", answer)
            }
            Err(error) => self.malformed(webhook, StatusCode::BAD_REQUEST, &error),
        }
    }

    fn malformed(&self, webhook: Webhook, status: StatusCode, error: &dyn Display) -> Response<Full<Bytes>> {
        self.metrics.admission(webhook, Admission::Malformed);
        let error = shown(&error.to_string(), LONGEST_WORD);
        tracing::warn!(webhook = webhook.path(), error, "a webhook was asked in vain");
        plain(status, error)
    }
}

impl Unread {
    fn status(&self) -> StatusCode {
        match self {
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Crowded => StatusCode::SERVICE_UNAVAILABLE,
            Self::Broken(_) => StatusCode::BAD_REQUEST,
        }
    }
}

fn admission(verdict: Verdict) -> Admission {
    match verdict {
        Verdict::Allowed => Admission::Allowed,
        Verdict::Patched => Admission::Patched,
        Verdict::Refused => Admission::Refused,
    }
}

async fn collect(first: Option<Piece>, mut body: Incoming) -> Result<Bytes, Unread> {
    let (mut collected, mut next) = (BytesMut::new(), first);
    while let Some(frame) = next {
        if let Ok(data) = frame.map_err(Unread::Broken)?.into_data() {
            if collected.len() + data.len() > LONGEST {
                return Err(Unread::TooLong);
            }
            collected.extend_from_slice(&data);
        }
        next = body.frame().await;
    }
    Ok(collected.freeze())
}

fn plain(status: StatusCode, text: impl Into<Bytes>) -> Response<Full<Bytes>> {
    typed(status, "text/plain; charset=utf-8", text)
}

fn typed(status: StatusCode, content_type: &'static str, text: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    let content_type = HeaderValue::from_static(content_type);
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

#[cfg(test)]
mod tests;
