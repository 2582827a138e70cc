//! The HTTPS port that the API server calls: `POST /inject` and `POST /validate`.
//!
//! HTTP/1.1, one question at a time on a connection. What is slow, long or wrong is answered with a sentence and never
//! waited for: while an answer is missing a pod waits. Told to stop, the listener stays open for a moment, because the
//! API server goes on calling until it has heard that this replica is gone.

use crate::admission::{Judge, Verdict, Webhook};
use crate::foreign::{LONGEST_WORD, shown};
use crate::metrics::{Admission, Metrics};
use bytes::{Bytes, BytesMut};
use http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::server::ResolvesServerCert;
use std::convert::Infallible;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// Longest review, bytes: what an API server takes of a client itself.
const LONGEST: usize = 3 * 1024 * 1024;
/// Reviews that are read at once. The API server waits for the others' answers anyway.
const MOST_READ: usize = 16;
/// More connections than these wait to be accepted.
const MOST_CONNECTIONS: usize = 512;
/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// How long a connection may be silent: longer than the API server keeps one that it does not use, so that it is never
/// closed under a question.
const SILENCE: Duration = Duration::from_secs(120);
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
    reading: Semaphore,
}

/// A question that is not passed on to the judge.
#[derive(Debug, thiserror::Error)]
enum Unread {
    #[error("the review did not arrive in time")]
    Slow,
    #[error("a review may be {LONGEST} bytes long")]
    TooLong,
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
        reading: Semaphore::new(MOST_READ),
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
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < MOST_CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    let connection = connection(stream, tls.clone(), Arc::clone(handler), ended.clone());
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

async fn connection(stream: TcpStream, tls: TlsAcceptor, handler: Arc<Handler>, ended: CancellationToken) {
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
        let handler = Arc::clone(&handler);
        async move { Ok::<_, Infallible>(handler.answer(request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(SILENCE)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = ended.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "webhook connection ended");
    }
}

impl Handler {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let path = request.uri().path();
        let Some(webhook) = Webhook::ALL.into_iter().find(|webhook| webhook.path() == path) else {
            return plain(StatusCode::NOT_FOUND, "this port serves /inject and /validate");
        };
        if request.method() != Method::POST {
            let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "a webhook takes POST only");
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
            return response;
        }
        match self.read(request.into_body()).await {
            Ok(review) => self.judge(webhook, &review),
            Err(unread) => self.malformed(webhook, unread.status(), &unread),
        }
    }

    /// The whole of a review.
    async fn read(&self, body: Incoming) -> Result<Bytes, Unread> {
        if body.size_hint().lower() > LONGEST as u64 {
            return Err(Unread::TooLong);
        }
        let read = async {
            let _permit = self.reading.acquire().await;
            collect(body).await
        };
        timeout(READING, read).await.unwrap_or(Err(Unread::Slow))
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

async fn collect(mut body: Incoming) -> Result<Bytes, Unread> {
    let mut collected = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(Unread::Broken)?.into_data() else {
            continue;
        };
        if collected.len() + data.len() > LONGEST {
            return Err(Unread::TooLong);
        }
        collected.extend_from_slice(&data);
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
