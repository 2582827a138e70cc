//! Refusals → status and body in the client's dialect. The only place that does it.

use crate::body::{Body, CollectError};
use crate::dialect::{BadRequest, ClientDialect, Losses, PREVIOUS, UNKNOWN};
use http::header::{ALLOW, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use std::fmt::Write;
use std::time::Duration;

/// Why a request is not served. Each says what was wrong and, where there is something to do, what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No configuration has been received yet.
    NotReady,
    UnknownPath,
    /// One of Google's methods that the sidecar does not have.
    NotServed {
        method: String,
    },
    /// What some provider stores, and nobody here knows which.
    NothingKept,
    WrongMethod {
        allow: &'static str,
    },
    /// A body in a content encoding.
    Encoded,
    /// Both `Content-Length` and `Transfer-Encoding`.
    LengthAndChunked,
    Body(CollectFault),
    Bad(BadRequest),
    UnknownModel {
        model: String,
        offered: String,
    },
    /// The response to go on from is another tenant's, who shall not be told apart from nobody.
    UnknownResponse {
        id: String,
    },
    WrongKey,
    DisabledKey {
        name: String,
    },
    ExpiredKey {
        name: String,
    },
    /// This sidecar cannot use the key as it was sent.
    BrokenKey {
        name: String,
        reason: String,
    },
    KeyRequired {
        model: String,
    },
    ModelNotAllowed {
        model: String,
    },
    /// A policy claims the name and cannot serve it.
    Broken {
        model: String,
        reason: String,
    },
    /// Fields would be lost whose loss changes the meaning.
    Lossy {
        deployment: String,
        losses: Losses,
    },
    /// Nothing was tried: every deployment is excluded.
    NothingEligible {
        excluded: String,
        retry_after: Option<Duration>,
        status: Telling,
    },
    /// Everything was tried that may be.
    AllFailed {
        attempts: u32,
        tried: String,
        retry_after: Option<Duration>,
        status: Telling,
    },
}

/// [`CollectError`], as a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CollectFault {
    TooLong { longest: u64 },
    NoMemory,
    Idle,
    Cut,
}

impl From<CollectError> for Refusal {
    fn from(error: CollectError) -> Self {
        Self::Body(match error {
            CollectError::TooLong { longest } => CollectFault::TooLong { longest },
            CollectError::NoMemory => CollectFault::NoMemory,
            CollectError::Idle => CollectFault::Idle,
            CollectError::Cut => CollectFault::Cut,
        })
    }
}

impl From<BadRequest> for Refusal {
    fn from(bad: BadRequest) -> Self {
        Self::Bad(bad)
    }
}

/// The status of the most telling failure among several, the least telling first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Telling {
    /// Nothing could be reached, or nothing is open: 503.
    Unavailable,
    /// An upstream answered badly, or broke off: 502.
    BadGateway,
    /// Time was up: 504.
    Timeout,
    /// The gateway's own credential, money or model is wrong: 502, for it is not the client's fault.
    Misconfigured,
    /// Limits, which a client can wait out: 429.
    Limited,
    /// No deployment can do what the request needs: 400.
    Unsupported,
    /// The input is too long for every deployment: 400.
    ContextOverflow,
    /// Another deployment could serve, but for the `thread` in the request: 400, with the code by which Anthropic's SDKs
    /// know to go on without it.
    NoThreads,
}

/// What an error body says, before a dialect spells it.
struct Said {
    status: StatusCode,
    message: String,
    /// OpenAI's `code`.
    code: Option<&'static str>,
    param: Option<String>,
}

impl Refusal {
    #[deny(clippy::wildcard_enum_match_arm)]
    fn say(&self) -> Said {
        let said = |status, code, message: String| Said {
            status,
            message,
            code: Some(code),
            param: None,
        };
        match self {
            Self::NotReady => said(
                StatusCode::SERVICE_UNAVAILABLE,
                "not_configured",
                "this sidecar has received no configuration yet; try again in a moment".to_owned(),
            ),
            Self::UnknownPath => said(
                StatusCode::NOT_FOUND,
                "unknown_url",
                "unknown path; this sidecar serves /v1/chat/completions, /v1/responses, /v1/messages, /v1/embeddings, /v1/completions, /v1/rerank, \
                 /openai/deployments/MODEL/chat/completions, /v1beta/models/MODEL:generateContent and /v1/models"
                    .to_owned(),
            ),
            Self::NotServed { method } => said(
                StatusCode::NOT_IMPLEMENTED,
                "method_not_served",
                format!("this sidecar does not serve {method}; it serves generateContent and streamGenerateContent"),
            ),
            Self::NothingKept => said(
                StatusCode::NOT_FOUND,
                "unknown_url",
                "responses are not kept here, so that only POST /v1/responses is served; ask the provider, or send the \
                 items of earlier responses with the request"
                    .to_owned(),
            ),
            Self::WrongMethod { allow } => said(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_supported",
                format!("this path takes {allow} only"),
            ),
            Self::Encoded => said(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_content_encoding",
                "the body has a content-encoding; send it as plain JSON".to_owned(),
            ),
            Self::LengthAndChunked => said(
                StatusCode::BAD_REQUEST,
                "ambiguous_length",
                "the request has both a content-length and a transfer-encoding; send one of them".to_owned(),
            ),
            Self::Body(fault) => fault.say(),
            Self::Bad(BadRequest { message, param }) => Said {
                status: StatusCode::BAD_REQUEST,
                message: message.clone(),
                code: None,
                param: param.clone(),
            },
            Self::UnknownModel { model, offered } => Said {
                status: StatusCode::NOT_FOUND,
                message: format!("no policy offers the model {model:?} here; on offer: {offered}"),
                code: Some("model_not_found"),
                param: Some("model".to_owned()),
            },
            Self::UnknownResponse { id } => Said {
                status: StatusCode::BAD_REQUEST,
                message: format!("the previous response {id:?} was not found"),
                code: Some(UNKNOWN),
                param: Some(PREVIOUS.to_owned()),
            },
            Self::WrongKey => said(
                StatusCode::UNAUTHORIZED,
                "invalid_api_key",
                "the virtual key is not known here; it may have been rotated or deleted".to_owned(),
            ),
            Self::DisabledKey { name } => said(
                StatusCode::UNAUTHORIZED,
                "key_disabled",
                format!("the virtual key {name} is disabled"),
            ),
            Self::ExpiredKey { name } => said(
                StatusCode::UNAUTHORIZED,
                "key_expired",
                format!("the virtual key {name} has expired"),
            ),
            Self::BrokenKey { name, reason } => said(
                StatusCode::SERVICE_UNAVAILABLE,
                "key_unavailable",
                format!("the virtual key {name} cannot be used: {reason}"),
            ),
            Self::KeyRequired { model } => said(
                StatusCode::UNAUTHORIZED,
                "key_required",
                format!("the model {model:?} asks for a virtual key (sk-pf-…) and the request has none"),
            ),
            Self::ModelNotAllowed { model } => said(
                StatusCode::FORBIDDEN,
                "model_not_allowed",
                format!("this virtual key may not ask for the model {model:?}"),
            ),
            Self::Broken { model, reason } => said(
                StatusCode::SERVICE_UNAVAILABLE,
                "policy_unavailable",
                format!("the model {model:?} cannot be served: {reason}"),
            ),
            Self::Lossy { deployment, losses } => lossy(deployment, losses),
            Self::NothingEligible { excluded, status, .. } => {
                status.say(format!("no deployment can take this request: {excluded}"))
            }
            Self::AllFailed { tried, status, .. } => status.say(format!("every deployment failed: {tried}")),
        }
    }

    /// The word for programs, also in the log; `bad_request` where the answer has none.
    pub(super) fn word(&self) -> &'static str {
        self.say().code.unwrap_or("bad_request")
    }

    /// Official SDKs repeat every 429 and 5xx. Where the options are exhausted they would only multiply it; and some
    /// sleep for as long as they are told, be it an hour, while their application thinks that a model is slow.
    fn is_worth_repeating(&self) -> bool {
        let soon = self.retry_after().is_none_or(|after| after <= LONGEST_WAIT);
        soon && !matches!(self, Self::AllFailed { .. } | Self::NotServed { .. })
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::NotReady | Self::Body(CollectFault::NoMemory) => Some(Duration::from_secs(1)),
            Self::NothingEligible { retry_after, .. } | Self::AllFailed { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

impl CollectFault {
    fn say(self) -> Said {
        let (status, code, message) = match self {
            Self::TooLong { longest } => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                format!("the body is longer than {}", size(longest)),
            ),
            Self::NoMemory => (
                StatusCode::SERVICE_UNAVAILABLE,
                "no_memory",
                "the sidecar holds as many bytes of bodies as it may; try again in a moment".to_owned(),
            ),
            Self::Idle => (
                StatusCode::REQUEST_TIMEOUT,
                "body_timeout",
                "the body stopped arriving for 60 s".to_owned(),
            ),
            Self::Cut => (
                StatusCode::BAD_REQUEST,
                "body_incomplete",
                "the body ended early or was framed wrongly".to_owned(),
            ),
        };
        Said {
            status,
            message,
            code: Some(code),
            param: None,
        }
    }
}

/// A number of bytes, as a person says it.
fn size(bytes: u64) -> String {
    const MIB: u64 = 1024 * 1024;
    if bytes.is_multiple_of(MIB) {
        format!("{} MiB", bytes / MIB)
    } else {
        format!("{bytes} bytes")
    }
}

impl Telling {
    fn status(self) -> (StatusCode, &'static str) {
        match self {
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "no_deployment_available"),
            Self::BadGateway => (StatusCode::BAD_GATEWAY, "upstream_error"),
            Self::Timeout => (StatusCode::GATEWAY_TIMEOUT, "upstream_timeout"),
            Self::Misconfigured => (StatusCode::BAD_GATEWAY, "upstream_misconfigured"),
            Self::Limited => (StatusCode::TOO_MANY_REQUESTS, "rate_limit_exceeded"),
            Self::Unsupported => (StatusCode::BAD_REQUEST, "unsupported_by_deployment"),
            Self::ContextOverflow => (StatusCode::BAD_REQUEST, "context_length_exceeded"),
            Self::NoThreads => (StatusCode::BAD_REQUEST, "thread_unsupported_request"),
        }
    }

    fn say(self, message: String) -> Said {
        let (status, code) = self.status();
        Said {
            status,
            message,
            code: Some(code),
            param: None,
        }
    }
}

/// Names every field, so that one look at the answer tells what to change.
fn lossy(deployment: &str, losses: &Losses) -> Said {
    let mut message = format!("{deployment} cannot carry ");
    for (position, loss) in losses.iter().enumerate() {
        let separator = if position == 0 { "" } else { ", " };
        // Writing to a string cannot fail.
        let _written = write!(message, "{separator}{:?} ({})", loss.field, loss.why);
    }
    message.push_str("; leave it out, or set translation.onLoss: Warn in the policy");
    let param = losses.first().map(|loss| loss.field.to_string());
    Said {
        status: StatusCode::BAD_REQUEST,
        message,
        code: Some("unsupported_by_deployment"),
        param,
    }
}

/// Headers that every answer carries, refusals included.
pub(super) struct Stamp<'a> {
    pub request_id: &'a HeaderValue,
    pub config: &'a HeaderValue,
    /// The decision trace, if there was a decision and the client asked for it.
    pub trace: Option<HeaderValue>,
}

impl Stamp<'_> {
    pub(super) fn on(&self, headers: &mut http::HeaderMap) {
        headers.insert(REQUEST_ID, self.request_id.clone());
        headers.insert(CONFIG, self.config.clone());
        if let Some(trace) = &self.trace {
            headers.insert(EXPLAIN, trace.clone());
        }
        for name in [X_REQUEST_ID, PLAIN_REQUEST_ID] {
            headers.entry(name).or_insert_with(|| self.request_id.clone());
        }
    }
}

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-pilotfish-request-id");
pub(super) const CONFIG: HeaderName = HeaderName::from_static("x-pilotfish-config");
pub(super) const EXPLAIN: HeaderName = HeaderName::from_static("x-pilotfish-explain");
pub(super) const ATTEMPTS: HeaderName = HeaderName::from_static("x-pilotfish-attempts");
/// OpenAI's SDKs read this one,
pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// and Anthropic's this one.
pub(super) const PLAIN_REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");
const RETRY_AFTER_MS: HeaderName = HeaderName::from_static("retry-after-ms");
/// An SDK may wait this long by itself.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// The answer to a refused request.
pub(super) fn refuse(refusal: &Refusal, client: ClientDialect, stamp: &Stamp<'_>) -> Response<Body> {
    let Said {
        status,
        message,
        code,
        param,
    } = refusal.say();
    let error = crate::dialect::ErrorBody {
        kind: None,
        message: &message,
        code,
        param: param.as_deref(),
    };
    let body = crate::dialect::encode_error(client, status.as_u16(), &error);
    let mut response = Response::new(Body::whole(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    stamp.on(headers);
    if let Refusal::WrongMethod { allow } = refusal {
        headers.insert(ALLOW, HeaderValue::from_static(allow));
    }
    if let Some(after) = refusal.retry_after() {
        retry_after(headers, after);
    }
    if let Refusal::AllFailed { attempts, .. } = refusal {
        headers.insert(ATTEMPTS, HeaderValue::from(*attempts));
    }
    if !refusal.is_worth_repeating() {
        headers.insert(SHOULD_RETRY, HeaderValue::from_static("false"));
    }
    response
}

/// Whole seconds for everybody, rounded up, and milliseconds for the SDKs that read them.
fn retry_after(headers: &mut http::HeaderMap, after: Duration) {
    let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
    headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    headers.insert(
        RETRY_AFTER_MS,
        HeaderValue::from(u64::try_from(after.as_millis()).unwrap_or(u64::MAX)),
    );
}

#[cfg(test)]
mod tests;
