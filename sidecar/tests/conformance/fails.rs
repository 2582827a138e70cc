//! What upstreams answer when they do not answer, and what each client must be told.

use crate::seek::{Sought, spot, value};
use crate::verdict::Verdict;
use pilotfish_sidecar::dialect::{Class, ClientDialect, Dialect, Losses, decode_error, encode_error};
use serde_json::{Value, json};

/// A way to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fail {
    Request,
    Key,
    Rate,
    Overload,
    Overflow,
}

impl Fail {
    pub(crate) const ALL: &[Self] = &[Self::Request, Self::Key, Self::Rate, Self::Overload, Self::Overflow];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Request => "error: a bad request",
            Self::Key => "error: a bad key",
            Self::Rate => "error: too many requests",
            Self::Overload => "error: overloaded",
            Self::Overflow => "error: the context is too long",
        }
    }

    fn class(self) -> Class {
        match self {
            Self::Request => Class::Client,
            Self::Key => Class::Unauthorised,
            Self::Rate | Self::Overload => Class::Limited,
            Self::Overflow => Class::ContextOverflow,
        }
    }

    /// What a client is told of this failure, by the real decoder and the real encoder.
    pub(crate) fn verdict(self, client: ClientDialect, upstream: Dialect) -> Verdict {
        let Failed { status, header, body } = failed(upstream, self);
        let mut headers = http::HeaderMap::new();
        if let Some(name) = header {
            headers.insert("x-amzn-errortype", http::HeaderValue::from_static(name));
        }
        let fault = decode_error(upstream, status, &headers, body.to_string().as_bytes());
        if fault.class != self.class() {
            return Verdict::Failed(format!("taken for {:?}", fault.class));
        }
        let told = encode_error(client, fault.status.unwrap_or(502), &fault.body());
        let told: Value = serde_json::from_slice(&told).expect("an error is JSON");
        let sentence = sentence(upstream, self);
        Verdict::of(
            heard(client, self, sentence, status)
                .iter()
                .any(|spots| spots.are_in(&told)),
            &Losses::new(),
        )
    }
}

struct Failed {
    status: u16,
    header: Option<&'static str>,
    body: Value,
}

/// Overflows are told by sentences alone in most dialects.
fn sentence(upstream: Dialect, fail: Fail) -> &'static str {
    if fail != Fail::Overflow {
        return "the quince is wrong";
    }
    match upstream {
        Dialect::Chat | Dialect::Responses => "This model's maximum context length is 8192 tokens.",
        Dialect::Messages => "prompt is too long: 250000 tokens > 200000 maximum",
        Dialect::Gemini => "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).",
        Dialect::Converse => "Input is too long for requested model.",
        Dialect::Ollama => "the input length exceeds the context length",
        Dialect::Cohere => "too many tokens: total number of tokens in the prompt cannot exceed 256000",
    }
}

fn failed(upstream: Dialect, fail: Fail) -> Failed {
    let message = sentence(upstream, fail);
    let (status, header, body) = match upstream {
        Dialect::Chat | Dialect::Responses => {
            let (status, kind, code) = match fail {
                Fail::Request => (400, "invalid_request_error", None),
                Fail::Key => (401, "invalid_request_error", Some("invalid_api_key")),
                Fail::Rate => (429, "requests", Some("rate_limit_exceeded")),
                Fail::Overload => (503, "server_error", None),
                Fail::Overflow => (400, "invalid_request_error", Some("context_length_exceeded")),
            };
            (
                status,
                None,
                json!({"error": {"message": message, "type": kind, "param": null, "code": code}}),
            )
        }
        Dialect::Messages => {
            let (status, kind) = match fail {
                Fail::Request | Fail::Overflow => (400, "invalid_request_error"),
                Fail::Key => (401, "authentication_error"),
                Fail::Rate => (429, "rate_limit_error"),
                Fail::Overload => (529, "overloaded_error"),
            };
            (
                status,
                None,
                json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_q"}),
            )
        }
        Dialect::Gemini => {
            let (status, kind) = match fail {
                Fail::Request | Fail::Overflow => (400, "INVALID_ARGUMENT"),
                Fail::Key => (401, "UNAUTHENTICATED"),
                Fail::Rate => (429, "RESOURCE_EXHAUSTED"),
                Fail::Overload => (503, "UNAVAILABLE"),
            };
            (
                status,
                None,
                json!({"error": {"code": status, "message": message, "status": kind}}),
            )
        }
        Dialect::Converse => {
            let (status, kind) = match fail {
                Fail::Request | Fail::Overflow => (400, "ValidationException"),
                Fail::Key => (403, "UnrecognizedClientException"),
                Fail::Rate => (429, "ThrottlingException"),
                Fail::Overload => (503, "ServiceUnavailableException"),
            };
            (status, Some(kind), json!({ "message": message }))
        }
        Dialect::Cohere => {
            let status = match fail {
                Fail::Request | Fail::Overflow => 400,
                Fail::Key => 401,
                Fail::Rate => 429,
                Fail::Overload => 503,
            };
            (status, None, json!({"id": "q", "message": message}))
        }
        Dialect::Ollama => {
            let status = match fail {
                Fail::Request | Fail::Overflow => 400,
                Fail::Key => 401,
                Fail::Rate => 429,
                Fail::Overload => 503,
            };
            (status, None, json!({ "error": message }))
        }
    };
    Failed { status, header, body }
}

/// What an error event after the first words says.
pub(crate) const MIDWAY: &str = "the quince fell";

/// The event by which a stream fails.
pub(crate) fn midway(upstream: Dialect) -> (&'static str, Value) {
    match upstream {
        Dialect::Chat => (
            "",
            json!({"error": {"message": MIDWAY, "type": "server_error", "code": null}}),
        ),
        Dialect::Responses => (
            "error",
            json!({"type": "error", "code": "server_error", "message": MIDWAY, "param": null, "sequence_number": 9}),
        ),
        Dialect::Messages => (
            "error",
            json!({"type": "error", "error": {"type": "overloaded_error", "message": MIDWAY}}),
        ),
        Dialect::Gemini => (
            "",
            json!({"error": {"code": 503, "message": MIDWAY, "status": "UNAVAILABLE"}}),
        ),
        Dialect::Converse => ("modelStreamErrorException", json!({ "message": MIDWAY })),
        Dialect::Cohere => (
            "message-end",
            json!({"type": "message-end", "delta": {"finish_reason": "ERROR", "error": MIDWAY}}),
        ),
        Dialect::Ollama => ("", json!({ "error": MIDWAY })),
    }
}

/// The sentence, and the word that the client's SDK or its users decide by. The SDKs choose their exceptions by the
/// status, which is the upstream's.
fn heard(client: ClientDialect, fail: Fail, sentence: &str, status: u16) -> Sought {
    let error = |more: Value| {
        let mut having = json!({ "message": sentence });
        having
            .as_object_mut()
            .expect("it is an object")
            .extend(more.as_object().cloned().expect("it is an object"));
        spot("error", having)
    };
    match (client, fail) {
        (ClientDialect::Chat | ClientDialect::Responses, Fail::Overflow) => {
            vec![error(
                json!({"type": "invalid_request_error", "code": "context_length_exceeded"}),
            )]
        }
        (ClientDialect::Chat | ClientDialect::Responses, Fail::Request) => {
            vec![error(json!({"type": "invalid_request_error"}))]
        }
        (ClientDialect::Chat | ClientDialect::Responses, Fail::Key) => vec![
            error(json!({"type": "authentication_error"})),
            error(json!({"type": "permission_error"})),
            error(json!({"code": "invalid_api_key"})),
        ],
        (ClientDialect::Chat | ClientDialect::Responses, Fail::Rate) => vec![
            error(json!({"type": "rate_limit_error"})),
            error(json!({"code": "rate_limit_exceeded"})),
        ],
        (ClientDialect::Chat | ClientDialect::Responses, Fail::Overload) => {
            vec![
                error(json!({"type": "server_error"})),
                error(json!({"type": "overloaded_error"})),
            ]
        }
        (ClientDialect::Messages, fail) => {
            let kinds: &[&str] = match fail {
                Fail::Request | Fail::Overflow => &["invalid_request_error"],
                Fail::Key => &["authentication_error", "permission_error"],
                Fail::Rate => &["rate_limit_error"],
                Fail::Overload => &["overloaded_error"],
            };
            let of = |kind: &&str| error(json!({ "type": kind })).and(value("type", json!("error")));
            kinds.iter().map(of).collect()
        }
        (ClientDialect::Gemini, fail) => {
            let kinds: &[&str] = match fail {
                Fail::Request | Fail::Overflow => &["INVALID_ARGUMENT"],
                Fail::Key => &["UNAUTHENTICATED", "PERMISSION_DENIED"],
                Fail::Rate => &["RESOURCE_EXHAUSTED"],
                Fail::Overload => &["UNAVAILABLE"],
            };
            kinds
                .iter()
                .map(|kind| error(json!({"status": kind, "code": status})))
                .collect()
        }
    }
}
