//! Refusal → status and body. The only place that makes them.

use crate::certs::{CertifyError, RequestError};
use crate::identity::Refused;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use http_body_util::{Either, Full};
use serde::Serialize;
use std::time::Duration;
use tokio::sync::mpsc;

use super::lines::Lines;

/// What is answered: a whole body, or lines for as long as the stream lasts.
pub(super) type Answer = Response<Either<Full<Bytes>, Lines>>;

/// Why a request is not served.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    /// The sidecar is not known.
    #[error(transparent)]
    Identity(#[from] Refused),
    /// There is neither a certificate nor a token.
    #[error("present a client certificate, or the pod's token as Authorization: Bearer")]
    Anonymous,
    /// No certificate can be made.
    #[error(transparent)]
    Certify(#[from] CertifyError),
    /// The request's body is too long.
    #[error("the body is longer than {0} bytes")]
    TooLong(usize),
    /// The request's body did not come.
    #[error("the body did not come within {0:?}")]
    Slow(Duration),
    /// The request's body ended early.
    #[error("the body could not be read")]
    Unreadable,
    /// This replica has not seen everything yet.
    #[error("the cluster has not been listed yet, try again")]
    NotReady,
    /// No such path.
    #[error("this port serves POST /v1/certificate and POST /v1/stream")]
    NotFound,
}

/// Before one comes back who was not refused for good.
const PAUSE: Duration = Duration::from_secs(1);

impl Refusal {
    fn status(&self) -> (StatusCode, Option<Duration>) {
        match self {
            Self::Anonymous | Self::Identity(Refused::Unproven(_)) => (StatusCode::UNAUTHORIZED, None),
            Self::Identity(Refused::Untrusted(_)) => (StatusCode::FORBIDDEN, None),
            Self::Identity(Refused::Busy { after }) => (StatusCode::SERVICE_UNAVAILABLE, Some(*after)),
            Self::Identity(Refused::Unknown(_)) | Self::NotReady => (StatusCode::SERVICE_UNAVAILABLE, Some(PAUSE)),
            Self::Certify(CertifyError::Request(
                RequestError::Unreadable | RequestError::WrongKind | RequestError::NotSigned,
            ))
            | Self::Unreadable => (StatusCode::BAD_REQUEST, None),
            Self::Certify(CertifyError::Own(_)) => (StatusCode::INTERNAL_SERVER_ERROR, Some(PAUSE)),
            Self::TooLong(_) => (StatusCode::PAYLOAD_TOO_LARGE, None),
            Self::Slow(_) => (StatusCode::REQUEST_TIMEOUT, None),
            Self::NotFound => (StatusCode::NOT_FOUND, None),
        }
    }
}

/// The answer to who is refused: `{"error": "<sentence>"}`.
pub(super) fn refuse(refusal: &Refusal) -> Answer {
    #[derive(Serialize)]
    struct Body {
        error: String,
    }
    let body = Body {
        error: refusal.to_string(),
    };
    let (status, after) = refusal.status();
    let body = serde_json::to_vec(&body).expect("one string field");
    let mut response = whole("application/json", body);
    *response.status_mut() = status;
    if let Some(after) = after {
        // Whole seconds, and never none.
        let seconds = HeaderValue::from(after.as_secs() + 1);
        response.headers_mut().insert(RETRY_AFTER, seconds);
    }
    response
}

/// A body that is there.
pub(super) fn whole(content_type: &'static str, body: impl Into<Bytes>) -> Answer {
    answer(content_type, Either::Left(Full::new(body.into())))
}

/// A body whose lines are yet to come.
pub(super) fn lines(lines: mpsc::Receiver<Bytes>) -> Answer {
    answer("application/x-ndjson", Either::Right(Lines::new(lines)))
}

fn answer(content_type: &'static str, body: Either<Full<Bytes>, Lines>) -> Answer {
    let mut response = Response::new(body);
    let content_type = HeaderValue::from_static(content_type);
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}
