//! What an error body says, whichever of the shapes in use it has.

use super::google;
use crate::json::{self, Object, Raw, Type};
use std::time::Duration;

/// The parts of an error, as far as they were given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) message: String,
    /// What the provider behind a router says, where that is quoted.
    pub(super) relayed: Option<String>,
    /// A filter says what it has found.
    pub(super) flagged: bool,
    pub(super) code: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) param: Option<String>,
    /// When the limit ends, in Google's details.
    pub(super) reset: Option<Duration>,
    /// A status inside the body (OpenRouter's and Google's `code`).
    pub(super) status: Option<u16>,
}

impl Told {
    /// The same with another message if it has none.
    pub(super) fn or_says(mut self, message: impl FnOnce() -> String) -> Self {
        if self.message.is_empty() {
            self.message = message();
        }
        self
    }

    /// The same with AWS's name of it, if it has no other: `throttlingException` in a stream, `ThrottlingException` or
    /// `ThrottlingException:http://…` in a header.
    pub(super) fn called(mut self, name: Option<&str>) -> Self {
        if self.kind.is_none() {
            self.kind = name.and_then(capitalised);
        }
        self
    }
}

fn capitalised(name: &str) -> Option<String> {
    let mut letters = name.split(':').next()?.trim().chars();
    let first = letters.next()?.to_ascii_uppercase();
    Some(std::iter::once(first).chain(letters).collect())
}

/// `{"error":{…}}`, `{"error":"…"}`, `{"type":"error",…}`, `{"object":"error","message":…}`, `{"message":…}`,
/// `{"detail":…}`, `"…"`, or an array of one of them.
pub(super) fn read(body: Raw<'_>) -> Told {
    match body.kind() {
        Type::Object => body.object().map(|object| read_object(&object)).unwrap_or_default(),
        Type::Array => body
            .elements()
            .and_then(|mut elements| elements.next())
            .map(read)
            .unwrap_or_default(),
        Type::String => Told {
            message: text(body).unwrap_or_default(),
            ..Told::default()
        },
        Type::Null | Type::Bool | Type::Number => Told::default(),
    }
}

pub(super) fn read_object(body: &Object<'_>) -> Told {
    match body.get("error") {
        Some(error) if error.kind() == Type::String => Told {
            message: text(error).unwrap_or_default(),
            ..read_inner(body)
        },
        Some(error) => error.object().map(|error| read_inner(&error)).unwrap_or_default(),
        None => read_inner(body),
    }
}

fn read_inner(error: &Object<'_>) -> Told {
    let word = |key| error.get(key).and_then(text);
    let details = error.get("details").and_then(Raw::object);
    let google = google::read(error);
    let code = error.get("code");
    let metadata = error.get("metadata").and_then(Raw::object);
    let raw = metadata.as_ref().and_then(|metadata| text(metadata.get("raw")?));
    Told {
        relayed: raw.as_deref().map(relayed),
        flagged: metadata.is_some_and(|metadata| metadata.get("flagged_input").is_some()),
        message: message(error, raw),
        // The more precise name first: Anthropic's details, then `code`, then Databricks' name for it.
        code: details
            .and_then(|details| text(details.get("error_code")?))
            .or_else(|| code.and_then(text))
            .or_else(|| word("error_code"))
            .or(google.reason),
        kind: word("type").filter(|kind| kind != "error").or_else(|| word("status")),
        param: word("param").or(google.field).or_else(|| place(error)),
        reset: google.reset,
        status: code
            .and_then(Raw::u64)
            .and_then(|code| u16::try_from(code).ok())
            .filter(|code| *code >= 400),
    }
}

/// The sentence, with what OpenRouter quotes of the provider behind it.
fn message(error: &Object<'_>, quoted: Option<String>) -> String {
    let plain = ["message", "msg", "detail", "error_description"]
        .iter()
        .find_map(|key| sentence(error.get(key)?));
    match (plain, quoted) {
        (Some(plain), Some(quoted)) => format!("{plain}: {quoted}"),
        (plain, quoted) => plain.or(quoted).unwrap_or_default(),
    }
}

/// What a quoted body says; a sentence stands for itself.
fn relayed(raw: &str) -> String {
    let told = json::parse_value(raw.as_bytes()).ok().map(read).unwrap_or_default();
    told.or_says(|| raw.to_owned()).message
}

/// A string, or FastAPI's list of `{"msg":…}`.
fn sentence(value: Raw<'_>) -> Option<String> {
    text(value)
        .or_else(|| text(value.elements()?.next()?.object()?.get("msg")?))
        .filter(|text| !text.is_empty())
}

/// FastAPI's place in what it was sent: `["body", "messages", 0]`.
fn place(error: &Object<'_>) -> Option<String> {
    let first = error.get("detail")?.elements()?.next()?.object()?;
    let steps = first.get("loc")?.elements()?;
    let step = |step: Raw<'_>| text(step).unwrap_or_else(|| step.text().to_owned());
    let place: Vec<String> = steps.map(step).filter(|step| step != "body").collect();
    (!place.is_empty()).then(|| place.join("."))
}

fn text(value: Raw<'_>) -> Option<String> {
    value.string().map(|text| text.into_owned())
}
