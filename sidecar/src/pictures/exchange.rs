//! One GET: the address that is checked is the one that is dialled.

use super::place::Place;
use super::{FetchError, Guard, MOST_BYTES};
use crate::upstream;
use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderName, LOCATION, USER_AGENT};
use http::{Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::pin::pin;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// Longest head of an answer, bytes.
const LONGEST_HEAD: usize = 16 * 1024;

/// What a host answered.
#[derive(Debug)]
pub(super) enum Answered {
    Bytes(Bytes),
    /// Elsewhere.
    Moved(String),
}

/// Asks for what is at `place`. The caller has the deadline.
pub(super) async fn get(place: &Place, guard: &impl Guard) -> Result<Answered, FetchError> {
    let stream = dial(place, guard).await?;
    if !place.secure {
        return ask(place, stream).await;
    }
    let encrypted = upstream::encrypted_http1(&place.host, stream).await;
    ask(place, encrypted.map_err(|_| FetchError::Unreachable)?).await
}

/// A name with one address that may not be dialled is not dialled at all: it is no host of the internet.
async fn dial(place: &Place, guard: &impl Guard) -> Result<TcpStream, FetchError> {
    let addresses: Vec<SocketAddr> = match place.address() {
        Some(address) => vec![SocketAddr::new(address, place.port)],
        None => tokio::net::lookup_host((&*place.host, place.port))
            .await
            .map_err(|_| FetchError::Unreachable)?
            .collect(),
    };
    if addresses.is_empty() || !addresses.iter().all(|address| guard.allows(*address)) {
        return Err(FetchError::Address);
    }
    upstream::tcp(&addresses).await.map_err(|_| FetchError::Unreachable)
}

async fn ask(place: &Place, stream: impl AsyncRead + AsyncWrite + Unpin) -> Result<Answered, FetchError> {
    let lost = |_| FetchError::Unreachable;
    let mut builder = http1::Builder::new();
    builder.max_buf_size(LONGEST_HEAD);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(lost)?;
    let request = Request::get(place.path.as_str())
        .header(HOST, &place.authority)
        .header(ACCEPT, "image/png, image/jpeg, image/gif, image/webp")
        .header(USER_AGENT, concat!("pilotfish/", env!("CARGO_PKG_VERSION")))
        .body(Empty::<Bytes>::new())
        .map_err(|_| FetchError::Url)?;
    let mut answer = pin!(async { read(sender.send_request(request).await.map_err(lost)?).await });
    // Nobody else drives the connection. It may end before what it brought has been read.
    tokio::select! {
        answered = &mut answer => return answered,
        _ = connection => {}
    }
    answer.await
}

async fn read(response: Response<Incoming>) -> Result<Answered, FetchError> {
    let headers = response.headers();
    match response.status().as_u16() {
        200 => {}
        301 | 302 | 303 | 307 | 308 => {
            let location = text(headers, &LOCATION).ok_or(FetchError::Status)?;
            return Ok(Answered::Moved(location.to_owned()));
        }
        _ => return Err(FetchError::Status),
    }
    if !text(headers, &CONTENT_TYPE).is_some_and(is_picture) {
        return Err(FetchError::Type);
    }
    let said = text(headers, &CONTENT_LENGTH).and_then(|length| length.parse().ok());
    if said.is_some_and(|length: usize| length > MOST_BYTES) {
        return Err(FetchError::TooLong);
    }
    let mut body = response.into_body();
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let data = frame.map_err(|_| FetchError::Unreachable)?.into_data();
        bytes.extend_from_slice(&data.unwrap_or_default());
        if bytes.len() > MOST_BYTES {
            return Err(FetchError::TooLong);
        }
    }
    Ok(Answered::Bytes(bytes.freeze()))
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn is_picture(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    ["image/png", "image/jpeg", "image/jpg", "image/gif", "image/webp"]
        .iter()
        .any(|known| kind.eq_ignore_ascii_case(known))
}
