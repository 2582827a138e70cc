//! What shows or changes this process: a Unix socket in the sidecar's own volume, which no other container mounts.
//!
//! | | |
//! |---|---|
//! | `GET /config` | what is in force, as JSON; no credential, no key |
//! | `GET /log`, `PUT /log` | the log's filter, as text |
//! | `POST /drain` | finish what is under way, take nothing new, end |
//!
//! The program's own subcommands ask there ([`ask`]), so that `kubectl exec` needs nothing but the binary.

mod ask;
mod dump;

pub use ask::{Question, ask};

use crate::body::{self, Body, Held};
use crate::log::Log;
use crate::pipeline::Shared;
use bytes::Bytes;
use dump::Dump;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The socket, in the directory of what outlives the process.
const SOCKET: &str = "admin.sock";
/// Its owner may ask, and nobody else.
const MODE: u32 = 0o600;
/// Who connects asks at once.
const HEAD_TIMEOUT: Duration = Duration::from_secs(2);
/// Longer than any answer takes.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);
/// The filter of a log is no longer, bytes.
const LONGEST_FILTER: usize = 4 * 1024;

/// Where one asks, and what can be changed besides.
#[derive(Clone, Debug)]
pub struct Admin {
    /// The directory that the socket stands in.
    pub directory: PathBuf,
    /// What `/log` changes.
    pub log: Log,
}

/// The socket, open.
pub(crate) struct Listening {
    listener: UnixListener,
    log: Log,
}

/// What a request is answered from.
struct Desk {
    shared: Arc<Shared>,
    log: Log,
    stop: CancellationToken,
}

/// Takes the place of what an earlier process left there. Requests are served without it, too.
pub(crate) fn listen(admin: &Admin) -> Option<Listening> {
    let path = admin.directory.join(SOCKET);
    match bound(&path) {
        Ok(listener) => Some(Listening {
            listener,
            log: admin.log.clone(),
        }),
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "nobody can ask this sidecar anything");
            None
        }
    }
}

fn bound(path: &Path) -> io::Result<UnixListener> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(MODE))?;
    Ok(listener)
}

impl Listening {
    /// Answers until it is dropped. `stop` is what `/drain` cancels.
    pub(crate) async fn serve(self, shared: Arc<Shared>, tasks: TaskTracker, stop: CancellationToken) {
        let Self { listener, log } = self;
        let desk = Arc::new(Desk { shared, log, stop });
        loop {
            match listener.accept().await {
                Ok((stream, _)) => drop(tasks.spawn_local(connection(stream, Arc::clone(&desk)))),
                Err(error) => {
                    tracing::warn!(%error, "admin connection not accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }
}

/// One question and its answer.
async fn connection(stream: UnixStream, desk: Arc<Desk>) {
    let service = service_fn(|request| {
        let desk = Arc::clone(&desk);
        async move { Ok::<_, std::convert::Infallible>(desk.answer(request).await) }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    match tokio::time::timeout(ANSWERED_WITHIN, served).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "admin connection ended"),
        Err(_) => tracing::debug!("admin connection took too long"),
    }
}

impl Desk {
    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let (head, mut incoming) = request.into_parts();
        match (&head.method, head.uri.path()) {
            (&Method::GET, "/config") => match Dump::of(&self.shared.in_force.load()).to_json() {
                Ok(json) => said(StatusCode::OK, "application/json", json),
                Err(error) => said(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", format!("{error}\n")),
            },
            (&Method::GET, "/log") => said(StatusCode::OK, "text/plain", format!("{}\n", self.log.filter())),
            (&Method::PUT, "/log") => self.change_log(&mut incoming).await,
            (&Method::POST, "/drain") => {
                tracing::info!("told to drain");
                self.stop.cancel();
                said(StatusCode::OK, "text/plain", "finishing what is under way\n")
            }
            _ => said(
                StatusCode::NOT_FOUND,
                "text/plain",
                "this socket serves GET /config, GET and PUT /log, and POST /drain\n",
            ),
        }
    }

    async fn change_log(&self, incoming: &mut Incoming) -> Response<Body> {
        let mut held = Held::none(&self.shared.bodies);
        let read = body::collect_limited(incoming, &mut held).await;
        let changed = match read.as_deref().map(std::str::from_utf8) {
            Ok(Ok(filter)) if filter.len() <= LONGEST_FILTER => self.log.set(filter.trim()),
            _ => Err(anyhow::anyhow!("a filter is a line of text")),
        };
        match changed {
            Ok(()) => {
                tracing::info!(filter = self.log.filter(), "log changed");
                said(StatusCode::OK, "text/plain", format!("{}\n", self.log.filter()))
            }
            Err(error) => said(StatusCode::BAD_REQUEST, "text/plain", format!("{error:#}\n")),
        }
    }
}

fn said(status: StatusCode, content_type: &'static str, text: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::whole(text));
    *response.status_mut() = status;
    let content_type = HeaderValue::from_static(content_type);
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}
