//! The telemetry port: `/metrics`, `/readyz`, `/livez`, and nothing else.

use crate::app;
use crate::body::Body;
use crate::pipeline::Shared;
use http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use pilotfish_crowd::{Crowd, Place};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Who connects has something to ask, at once.
const FIRST_HEAD: Duration = Duration::from_secs(2);
/// A scraper that sends no further head for this long is let go.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);
/// While requests are drained nobody is waited for that long.
const LATE_HEAD_TIMEOUT: Duration = Duration::from_secs(1);
/// Scrapers and probes are few. When there are more, somebody is asked to leave: no stranger may keep a probe out, or
/// take memory and descriptors that requests need.
const MOST_CONNECTIONS: usize = 64;
/// What is read of a connection before it is answered, bytes. Hyper knows no less.
const LONGEST_HEAD: usize = 8 * 1024;

/// Answers scrapes and probes until it is dropped.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>, tasks: TaskTracker, stop: CancellationToken) {
    let crowd = Crowd::new(MOST_CONNECTIONS);
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let place = crowd.enter(peer.ip());
                let connection = connection(stream, place, Arc::clone(&shared), tasks.clone(), stop.clone());
                drop(tasks.spawn_local(connection));
            }
            Err(error) => {
                tracing::warn!(%error, "telemetry connection not accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, place: Place, shared: Arc<Shared>, tasks: TaskTracker, stop: CancellationToken) {
    let late = stop.is_cancelled();
    let service = service_fn(|request: Request<hyper::body::Incoming>| {
        place.show();
        let (method, path) = (request.method(), request.uri().path());
        let response = answer(method, path, &shared, &tasks, stop.is_cancelled());
        async move { Ok::<_, std::convert::Infallible>(response) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(if late { LATE_HEAD_TIMEOUT } else { HEAD_TIMEOUT })
        .keep_alive(!late)
        .max_buf_size(LONGEST_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let served = tokio::select! {
        // What has arrived counts, also where we were too busy to look.
        biased;
        served = connection.as_mut() => served,
        () = enough(&place) => return,
        // A scraper keeps its connection open; it must not hold up the end. Who comes later is answered once.
        () = stop.cancelled(), if !late => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                served = connection => served,
                () = enough(&place) => return,
            }
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "telemetry connection ended");
    }
}

/// Returns when somebody else needs the room, or when nothing was asked for too long.
async fn enough(place: &Place) {
    let unasked = tokio::time::timeout(FIRST_HEAD, place.left()).await;
    if unasked.is_err() && place.has_shown() {
        place.left().await;
    }
}

fn answer(method: &Method, path: &str, shared: &Shared, tasks: &TaskTracker, ending: bool) -> Response<Body> {
    if method != Method::GET && method != Method::HEAD {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "this port takes GET and HEAD only\n");
        response
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    match path {
        "/livez" => plain(StatusCode::OK, "ok\n"),
        "/readyz" if ending => plain(
            StatusCode::SERVICE_UNAVAILABLE,
            "told to stop, finishing what is under way\n",
        ),
        "/readyz" if shared.in_force.load().is_ready() => plain(StatusCode::OK, "ok\n"),
        "/readyz" => plain(StatusCode::SERVICE_UNAVAILABLE, "no configuration received yet\n"),
        "/metrics" => metrics(shared, tasks),
        _ => plain(StatusCode::NOT_FOUND, "this port serves /metrics, /readyz and /livez\n"),
    }
}

fn metrics(shared: &Shared, tasks: &TaskTracker) -> Response<Body> {
    let gauge = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    shared.meter.tasks.set(gauge(tasks.len()));
    let kept = shared.thoughts.kept(Instant::now());
    shared.meter.thoughts.set(gauge(kept.entries));
    shared.meter.thought_bytes.set(gauge(kept.bytes));
    let since = shared.in_force.load().since;
    let age = if since == 0 {
        0
    } else {
        app::unix_seconds().saturating_sub(since).max(0)
    };
    let text = shared.meter.exposition(u32::try_from(age).map_or(f64::MAX, f64::from));
    typed(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", text)
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    typed(status, "text/plain; charset=utf-8", text.to_owned())
}

fn typed(status: StatusCode, content_type: &'static str, text: String) -> Response<Body> {
    let mut response = Response::new(Body::whole(text));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
