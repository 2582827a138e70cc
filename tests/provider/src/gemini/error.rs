//! Google's refusals: a code, a sentence, a status and, where there is more to say, details.

use crate::json::compact;
use crate::shape::{Segment, Violation, Wrong};
use serde::Serialize;
use serde_json::{Value, json};
use std::time::Duration;

/// A refusal before it is an answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Error {
    pub(super) status: u16,
    pub(super) message: String,
    word: &'static str,
    details: Vec<Value>,
}

#[derive(Serialize)]
struct Envelope<'a> {
    error: Inner<'a>,
}

#[derive(Serialize)]
struct Inner<'a> {
    code: u16,
    message: &'a str,
    status: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    details: &'a [Value],
}

impl Error {
    fn new(status: u16, word: &'static str, message: impl Into<String>) -> Error {
        Error {
            status,
            message: message.into(),
            word,
            details: Vec::new(),
        }
    }

    /// A 400.
    pub(super) fn invalid(message: impl Into<String>) -> Error {
        Error::new(400, "INVALID_ARGUMENT", message)
    }

    fn with(mut self, kind: &str, detail: Value) -> Error {
        let mut typed = json!({"@type": format!("type.googleapis.com/google.rpc.{kind}")});
        for (key, value) in detail.as_object().into_iter().flatten() {
            typed[key] = value.clone();
        }
        self.details.push(typed);
        self
    }

    /// The body, and the data of an error event.
    pub(super) fn body(&self) -> String {
        compact(&Envelope {
            error: Inner {
                code: self.status,
                message: &self.message,
                status: self.word,
                details: &self.details,
            },
        })
    }
}

/// A rule: where it does not hold, a 400 that says so.
pub(super) fn unless(holds: bool, sentence: impl Into<String>) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(Error::invalid(sentence)) }
}

pub(super) fn no_key() -> Error {
    let message = "Method doesn't allow unregistered callers (callers without established identity). Please use API Key \
                   or other form of API consumer identity to call this API.";
    Error::new(403, "PERMISSION_DENIED", message)
}

pub(super) fn wrong_key() -> Error {
    let info = json!({"reason": "API_KEY_INVALID", "domain": "googleapis.com"});
    Error::invalid("API key not valid. Please pass a valid API key.").with("ErrorInfo", info)
}

pub(super) fn no_json(error: &serde_json::Error) -> Error {
    Error::invalid(format!("Invalid JSON payload received. {error}"))
}

pub(super) fn unknown_path() -> Error {
    Error::new(404, "NOT_FOUND", "Requested entity was not found.")
}

pub(super) fn unknown_model(model: &str) -> Error {
    let message = format!(
        "models/{model} is not found for API version v1beta, or is not supported for generateContent. Call ListModels to \
         see the list of available models and their supported methods."
    );
    Error::new(404, "NOT_FOUND", message)
}

/// A body that names another model than the path.
pub(super) fn other_model(model: &str) -> Error {
    Error::invalid(format!(
        "* BatchEmbedContentsRequest.requests[].model: must be the model in the path, in the form models/NAME; got \
         {model:?}\n"
    ))
}

pub(super) fn context_overflow(tokens: u64, limit: u64) -> Error {
    Error::invalid(format!(
        "The input token count ({tokens}) exceeds the maximum number of tokens allowed ({limit})."
    ))
}

const EXCEEDED: &str = "You exceeded your current quota, please check your plan and billing details.";

fn quota(model: &str, id: &str) -> Value {
    json!({"violations": [{
        "quotaMetric": "generativelanguage.googleapis.com/generate_requests",
        "quotaId": id,
        "quotaDimensions": {"location": "global", "model": model},
    }]})
}

pub(super) fn rate_limited(model: &str, resets_in: Duration) -> Error {
    let delay = json!({"retryDelay": format!("{}s", resets_in.as_secs_f64())});
    Error::new(429, "RESOURCE_EXHAUSTED", EXCEEDED)
        .with(
            "QuotaFailure",
            quota(model, "GenerateRequestsPerMinutePerProjectPerModel"),
        )
        .with("RetryInfo", delay)
}

pub(super) fn spend_limit(model: &str) -> Error {
    Error::new(429, "RESOURCE_EXHAUSTED", EXCEEDED)
        .with("QuotaFailure", quota(model, "GenerateRequestsPerDayPerProjectPerModel"))
}

/// What the API says with a status when nothing more is known.
pub(super) fn of_status(status: u16, model: &str) -> Error {
    match status {
        400 => Error::invalid("Request contains an invalid argument."),
        401 => Error::new(
            401,
            "UNAUTHENTICATED",
            "Request had invalid authentication credentials.",
        ),
        403 => Error::new(403, "PERMISSION_DENIED", "The caller does not have permission"),
        404 => unknown_model(model),
        429 => Error::new(
            429,
            "RESOURCE_EXHAUSTED",
            "Resource has been exhausted (e.g. check quota).",
        ),
        503 | 529 => Error::new(503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
        504 => Error::new(
            504,
            "DEADLINE_EXCEEDED",
            "Deadline expired before operation could complete.",
        ),
        _ => Error::new(status, "INTERNAL", "An internal error has occurred."),
    }
}

impl From<Violation> for Error {
    fn from(violation: Violation) -> Error {
        let whole = path(&violation.path);
        let at = if whole.is_empty() {
            String::new()
        } else {
            format!(" at '{whole}'")
        };
        let message = match violation.wrong {
            Wrong::Unknown(names) => {
                let name = names.first().map_or("", String::as_str);
                format!("Invalid JSON payload received. Unknown name \"{name}\"{at}: Cannot find field.")
            }
            Wrong::Missing => format!("* GenerateContentRequest.{whole}: is required"),
            Wrong::Word { got, .. } => format!("Invalid value{at}, \"{got}\""),
            Wrong::TooLong { limit, .. } => {
                format!("Unable to submit request because {whole} must have at most {limit} elements.")
            }
            Wrong::TooSmall { bounds, .. } | Wrong::TooLarge { bounds, .. } => format!(
                "Unable to submit request because it has a {whole} value outside the supported range from {} \
                 (inclusive) to {} (inclusive). Update the value and try again.",
                bounds.min, bounds.max
            ),
            _ => format!("Invalid value{at}"),
        };
        let field = json!({"fieldViolations": [{"field": whole, "description": message}]});
        Error::invalid(message).with("BadRequest", field)
    }
}

/// `contents[0].parts[1]`
fn path(segments: &[Segment]) -> String {
    let mut path = String::new();
    for segment in segments {
        match segment {
            Segment::Key(key) if path.is_empty() => path.push_str(key),
            Segment::Key(key) => {
                path.push('.');
                path.push_str(key);
            }
            Segment::Index(index) => path.push_str(&format!("[{index}]")),
            Segment::Tag(_) => {}
        }
    }
    path
}
