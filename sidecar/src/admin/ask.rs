//! The other end of the socket: what the program's subcommands ask.

use super::{ANSWERED_WITHIN, SOCKET};
use anyhow::{Context, bail};
use bytes::Bytes;
use http::header::HOST;
use http::{Method, Request, StatusCode};
use http_body_util::Full;
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::future::poll_fn;
use std::path::Path;
use std::pin::Pin;
use tokio::net::UnixStream;

/// What one asks a sidecar.
#[derive(Debug)]
pub enum Question {
    /// What is in force.
    Config,
    /// The log's filter, to be changed to this one first, if there is one.
    Log(Option<String>),
    /// To end.
    Drain,
}

impl Question {
    fn request(self) -> Result<Request<Full<Bytes>>, http::Error> {
        let (method, path, body) = match self {
            Self::Config => (Method::GET, "/config", None),
            Self::Log(None) => (Method::GET, "/log", None),
            Self::Log(Some(filter)) => (Method::PUT, "/log", Some(filter)),
            Self::Drain => (Method::POST, "/drain", None),
        };
        Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, "localhost")
            .body(Full::from(body.unwrap_or_default()))
    }
}

/// Asks the sidecar whose state is in `directory`, and returns its answer's text. Blocks the thread.
pub fn ask(directory: &Path, question: Question) -> anyhow::Result<String> {
    let path = directory.join(SOCKET);
    crate::app::block_on(async move {
        let asked = tokio::time::timeout(ANSWERED_WITHIN, answered(&path, question)).await;
        asked.with_context(|| format!("no answer at {}", path.display()))?
    })?
}

async fn answered(path: &Path, question: Question) -> anyhow::Result<String> {
    let stream = UnixStream::connect(path).await;
    let stream = stream.with_context(|| format!("no sidecar listens at {}", path.display()))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let exchange = async {
        let response = sender.send_request(question.request()?).await?;
        anyhow::Ok((response.status(), text(response.into_body()).await?))
    };
    let (status, text) = tokio::select! {
        exchanged = exchange => exchanged?,
        Err(error) = connection => return Err(error.into()),
    };
    if status != StatusCode::OK {
        bail!("{}", text.trim_end());
    }
    Ok(text)
}

/// All of it: it is our own sidecar's.
async fn text(mut body: Incoming) -> anyhow::Result<String> {
    let mut text = Vec::new();
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        text.extend_from_slice(&frame?.into_data().unwrap_or_default());
    }
    String::from_utf8(text).context("the answer is no text")
}
