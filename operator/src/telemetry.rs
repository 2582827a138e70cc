//! The telemetry port: `/metrics`, `/readyz`, `/livez`, and nothing else.

mod readiness;

pub use readiness::{Pending, Readiness};

use crate::metrics::Metrics;
use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use pilotfish_crowd::{Crowd, Place};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Who connects has something to ask, at once.
const FIRST_HEAD: Duration = Duration::from_secs(2);
/// A scraper that sends no further head for this long is let go.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);
/// Scrapers and probes are few. When there are more, somebody is asked to leave: no stranger may keep a probe out.
const MOST_CONNECTIONS: usize = 64;
/// What is read of a connection before it is answered, bytes. Hyper knows no less.
const LONGEST_HEAD: usize = 8 * 1024;
/// Before accepting is tried again after it failed, most likely for want of descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// What is shown.
#[derive(Clone)]
pub struct Shown {
    /// Everything that is counted.
    pub metrics: Arc<Metrics>,
    /// Whether there is anything to wait for.
    pub readiness: Readiness,
}

/// Answers scrapes and probes until it is dropped.
pub async fn serve(listener: TcpListener, shown: Shown) {
    let crowd = Crowd::new(MOST_CONNECTIONS);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let connection = connection(stream, crowd.enter(peer.ip()), shown.clone());
                    drop(connections.spawn(connection));
                }
                Err(error) => {
                    tracing::warn!(%error, "telemetry connection not accepted");
                    tokio::time::sleep(PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, place: Place, shown: Shown) {
    let service = service_fn(|request: Request<hyper::body::Incoming>| {
        place.show();
        let response = answer(request.method(), request.uri().path(), &shown);
        async move { Ok::<_, std::convert::Infallible>(response) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(LONGEST_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // What has arrived counts, also where we were too busy to look.
        biased;
        served = connection => if let Err(error) = served {
            tracing::debug!(%error, "telemetry connection ended");
        },
        () = enough(&place) => {}
    }
}

/// Returns when somebody else needs the room, or when nothing was asked for too long.
async fn enough(place: &Place) {
    let unasked = tokio::time::timeout(FIRST_HEAD, place.left()).await;
    if unasked.is_err() && place.has_shown() {
        place.left().await;
    }
}

fn answer(method: &Method, path: &str, shown: &Shown) -> Response<Full<Bytes>> {
    if method != Method::GET && method != Method::HEAD {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "this port takes GET and HEAD only\n");
        let allowed = HeaderValue::from_static("GET, HEAD");
        response.headers_mut().insert(ALLOW, allowed);
        return response;
    }
    match path {
        "/livez" => plain(StatusCode::OK, "ok\n"),
        "/readyz" => ready(&shown.readiness),
        "/metrics" => metrics(&shown.metrics),
        _ => plain(StatusCode::NOT_FOUND, "this port serves /metrics, /readyz and /livez\n"),
    }
}

fn ready(readiness: &Readiness) -> Response<Full<Bytes>> {
    let pending = readiness.pending();
    if pending.is_empty() {
        return plain(StatusCode::OK, "ok\n");
    }
    let sentence = format!("still to come: {}\n", pending.join(", "));
    plain(StatusCode::SERVICE_UNAVAILABLE, sentence)
}

fn metrics(metrics: &Metrics) -> Response<Full<Bytes>> {
    match metrics.exposition(Instant::now()) {
        Ok(text) => typed(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", text),
        Err(error) => {
            tracing::error!(%error, "metrics could not be written");
            plain(StatusCode::INTERNAL_SERVER_ERROR, "metrics could not be written\n")
        }
    }
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
mod tests {
    use super::*;

    fn shown() -> Shown {
        Shown {
            metrics: Metrics::new().unwrap(),
            readiness: Readiness::default(),
        }
    }

    fn status(method: &Method, path: &str, shown: &Shown) -> u16 {
        answer(method, path, shown).status().as_u16()
    }

    #[test]
    fn it_answers_three_paths_and_two_methods() {
        let shown = shown();
        for (method, path, expected) in [
            (Method::GET, "/livez", 200),
            (Method::HEAD, "/livez", 200),
            (Method::GET, "/readyz", 200),
            (Method::GET, "/metrics", 200),
            (Method::GET, "/metrics/", 404),
            (Method::GET, "/debug", 404),
            (Method::POST, "/livez", 405),
        ] {
            assert_eq!(status(&method, path, &shown), expected, "{method} {path}");
        }
    }

    #[test]
    fn it_is_ready_when_nothing_is_awaited_any_more_and_says_for_what_it_waits() {
        let shown = shown();
        let pods = shown.readiness.awaits("list of Pod");
        let serving = shown.readiness.awaits("certificate");
        assert_eq!(status(&Method::GET, "/readyz", &shown), 503);
        assert_eq!(shown.readiness.pending(), ["list of Pod", "certificate"]);
        pods.done();
        assert_eq!(status(&Method::GET, "/readyz", &shown), 503);
        assert_eq!(status(&Method::GET, "/livez", &shown), 200);
        serving.done();
        assert_eq!(status(&Method::GET, "/readyz", &shown), 200);
    }
}
