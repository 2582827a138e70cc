//! Anthropic's refusals: a type by status, a sentence, and the request's id.

use crate::shape::{Bounds, Kind, Segment, Violation, Wrong};
use serde::Serialize;

/// A refusal before it is an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Error {
    pub(super) status: u16,
    pub(super) message: String,
    kind: &'static str,
    details: Option<&'static str>,
}

#[derive(Serialize)]
struct Envelope<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    error: Inner<'a>,
    request_id: &'a str,
}

#[derive(Serialize)]
struct Inner<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Details>,
    #[serde(rename = "type")]
    kind: &'static str,
    message: &'a str,
}

#[derive(Serialize)]
struct Details {
    error_code: &'static str,
}

impl Error {
    fn new(status: u16, kind: &'static str, message: impl Into<String>) -> Error {
        Error {
            status,
            kind,
            message: message.into(),
            details: None,
        }
    }

    /// A 400.
    pub(super) fn invalid(message: impl Into<String>) -> Error {
        Error::new(400, "invalid_request_error", message)
    }

    /// The body, and the data of an error event.
    pub(super) fn body(&self, request_id: &str) -> String {
        let details = self.details.map(|error_code| Details { error_code });
        let error = Inner {
            details,
            kind: self.kind,
            message: &self.message,
        };
        crate::json::compact(&Envelope {
            kind: "error",
            error,
            request_id,
        })
    }
}

/// A rule: where it does not hold, a 400 that says so.
pub(super) fn unless(holds: bool, sentence: impl Into<String>) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(Error::invalid(sentence)) }
}

pub(super) fn no_key() -> Error {
    Error::new(401, "authentication_error", "x-api-key header is required")
}

pub(super) fn wrong_key() -> Error {
    Error::new(401, "authentication_error", "invalid x-api-key")
}

pub(super) fn wrong_token() -> Error {
    Error::new(401, "authentication_error", "Invalid bearer token")
}

pub(super) fn unknown_model(model: &str) -> Error {
    Error::new(404, "not_found_error", format!("model: {model}"))
}

pub(super) fn no_thread(id: &str) -> Error {
    Error {
        details: Some("thread_not_found"),
        ..Error::new(404, "not_found_error", format!("thread: no thread found for {id}"))
    }
}

pub(super) fn unknown_path() -> Error {
    Error::new(404, "not_found_error", "Not Found")
}

pub(super) fn wrong_method() -> Error {
    Error::new(405, "invalid_request_error", "Method Not Allowed")
}

pub(super) fn context_overflow(tokens: u64, limit: u64) -> Error {
    Error::invalid(format!("prompt is too long: {tokens} tokens > {limit} maximum"))
}

pub(super) fn rate_limited() -> Error {
    let message = "This request would exceed your organization's rate limit of 4,000 requests per minute. For details, \
                   refer to: https://docs.claude.com/en/api/rate-limits. Please reduce the prompt length or the maximum \
                   tokens requested, or try again later.";
    Error::new(429, "rate_limit_error", message)
}

pub(super) fn spend_limit() -> Error {
    let message = "You have reached your specified API usage limits.";
    Error {
        details: Some("enforced_spend_limit_reached"),
        ..Error::new(429, "rate_limit_error", message)
    }
}

/// What the API says with a status when nothing more is known.
pub(super) fn of_status(status: u16, model: &str) -> Error {
    match status {
        400 => Error::invalid("Bad request."),
        401 => wrong_key(),
        402 => Error::new(
            402,
            "billing_error",
            "Your credit balance is too low to access the Anthropic API.",
        ),
        403 => Error::new(
            403,
            "permission_error",
            "Your API key does not have permission to use the specified resource.",
        ),
        404 => unknown_model(model),
        413 => Error::new(413, "request_too_large", "Request exceeds the maximum size"),
        429 => rate_limited(),
        504 => Error::new(504, "timeout_error", "Request timed out."),
        529 => Error::new(529, "overloaded_error", "Overloaded"),
        _ => Error::new(status, "api_error", "Internal server error"),
    }
}

impl From<Violation> for Error {
    fn from(violation: Violation) -> Error {
        let whole = path(&violation.path);
        let object = path(violation.path.split_last().map_or(&[][..], |(_, object)| object));
        Error::invalid(match violation.wrong {
            Wrong::Missing => format!("{whole}: Field required"),
            Wrong::NoTag => format!("{object}: Unable to extract tag using discriminator 'type'"),
            Wrong::Unknown(names) => {
                let dot = if whole.is_empty() { "" } else { "." };
                let name = names.first().map_or("", String::as_str);
                format!("{whole}{dot}{name}: Extra inputs are not permitted")
            }
            Wrong::Type { expected, .. } => format!("{whole}: Input should be a valid {}", type_word(&expected)),
            Wrong::Word { allowed, .. } => format!("{whole}: Input should be {}", listed(&allowed)),
            Wrong::Tag { allowed, got } => format!(
                "{object}: Input tag '{got}' found using 'type' does not match any of the expected tags: {}",
                quoted(&allowed).join(", ")
            ),
            Wrong::TooSmall { bounds, .. } => outside(&whole, bounds, "greater", bounds.min),
            Wrong::TooLarge { bounds, .. } => outside(&whole, bounds, "less", bounds.max),
            Wrong::TooShort { list, limit, got } => too(&whole, list, "at least", limit, got),
            Wrong::TooLong { list, limit, got } => too(&whole, list, "at most", limit, got),
            Wrong::Pattern(pattern) => format!("{whole}: String should match pattern '{pattern}'"),
        })
    }
}

fn outside(path: &str, bounds: Bounds, direction: &str, limit: f64) -> String {
    match bounds.integer {
        true => format!("{path}: Input should be {direction} than or equal to {limit}"),
        false => format!("{path}: range: {}..{}", bounds.min, bounds.max),
    }
}

fn too(path: &str, list: bool, bound: &str, limit: usize, got: usize) -> String {
    match list {
        true => format!("{path}: List should have {bound} {limit} items after validation, not {got}"),
        false => format!("{path}: String should have {bound} {limit} characters"),
    }
}

/// `messages.0.content.1.text.text`
fn path(segments: &[Segment]) -> String {
    let words: Vec<String> = segments.iter().map(word).collect();
    words.join(".")
}

fn word(segment: &Segment) -> String {
    match segment {
        Segment::Key(key) => key.clone(),
        Segment::Index(index) => index.to_string(),
        Segment::Tag(tag) => (*tag).to_owned(),
    }
}

fn type_word(expected: &[Kind]) -> &'static str {
    // Of several types the last is the one it names.
    match expected.last() {
        Some(Kind::Boolean) => "boolean",
        Some(Kind::Integer) => "integer",
        Some(Kind::Number) => "number",
        Some(Kind::Text) => "string",
        Some(Kind::List | Kind::Texts | Kind::Objects) => "list",
        Some(Kind::Object) => "dictionary",
        Some(Kind::Null) | None => "value",
    }
}

fn quoted(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| format!("'{word}'")).collect()
}

/// `'a', 'b' or 'c'`
fn listed(words: &[&str]) -> String {
    let quoted = quoted(words);
    match quoted.split_last() {
        Some((last, most)) if !most.is_empty() => format!("{} or {last}", most.join(", ")),
        Some((only, _)) => only.clone(),
        None => String::new(),
    }
}
