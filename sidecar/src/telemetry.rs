//! The telemetry port: `/metrics`, `/readyz`, `/livez`, and nothing else.

use crate::app;
use crate::body::Body;
use crate::pipeline::Shared;
use http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A scraper that sends no head for this long is let go.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);
/// While requests are drained nobody is waited for that long.
const LATE_HEAD_TIMEOUT: Duration = Duration::from_secs(1);

/// Answers scrapes and probes until it is dropped.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>, tasks: TaskTracker, stop: CancellationToken) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                drop(tasks.spawn_local(connection(stream, Arc::clone(&shared), tasks.clone(), stop.clone())))
            }
            Err(error) => {
                tracing::warn!(%error, "telemetry connection not accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>, tasks: TaskTracker, stop: CancellationToken) {
    let (ending, late) = (stop.clone(), stop.is_cancelled());
    let service = service_fn(move |request: Request<hyper::body::Incoming>| {
        let response = answer(
            request.method(),
            request.uri().path(),
            &shared,
            &tasks,
            ending.is_cancelled(),
        );
        async move { Ok::<_, std::convert::Infallible>(response) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(if late { LATE_HEAD_TIMEOUT } else { HEAD_TIMEOUT })
        .keep_alive(!late)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        // A scraper keeps its connection open; it must not hold up the end. Who comes later is answered once.
        () = stop.cancelled(), if !late => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "telemetry connection ended");
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
    shared.meter.tasks.set(i64::try_from(tasks.len()).unwrap_or(i64::MAX));
    let since = shared.in_force.load().since;
    let age = if since == 0 {
        0
    } else {
        app::unix_seconds().saturating_sub(since).max(0)
    };
    match shared.meter.exposition(u32::try_from(age).map_or(f64::MAX, f64::from)) {
        Ok(text) => typed(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", text),
        Err(error) => {
            tracing::error!(%error, "metrics could not be written");
            plain(StatusCode::INTERNAL_SERVER_ERROR, "metrics could not be written\n")
        }
    }
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
