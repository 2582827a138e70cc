//! Errors: what an upstream's says, and how the client's dialect says one.

mod blame;
mod class;
mod encode;
mod google;
mod quoted;
mod reset;
mod told;

pub use encode::{ErrorBody, encode_error, error_event};
pub use reset::reset_after;

use super::{Class, Dialect, Fault};
use crate::json::{self, Object, Raw};
use told::Told;

/// Longest error text taken over from an upstream, bytes.
const LONGEST_MESSAGE: usize = 2048;

/// Where AWS names an error.
const ERROR_TYPE: &str = "x-amzn-errortype";

impl Fault {
    /// A fault that is ours to name.
    pub fn new(class: Class, message: impl Into<String>) -> Self {
        let mut message = message.into();
        message.truncate(message.floor_char_boundary(LONGEST_MESSAGE));
        Self {
            class,
            message,
            code: None,
            kind: None,
            param: None,
            reset: None,
            status: None,
        }
    }

    /// What came is no answer of its dialect.
    pub fn malformed(message: impl Into<String>) -> Self {
        Self::new(Class::Malformed, message)
    }

    /// The same with every text of the upstream's changed by `redact`.
    pub fn redacted(self, redact: impl Fn(String) -> String) -> Self {
        let Self {
            class,
            message,
            code,
            kind,
            param,
            reset,
            status,
        } = self;
        Self {
            class,
            message: redact(message),
            code: code.map(&redact),
            kind: kind.map(&redact),
            param: param.map(&redact),
            reset,
            status,
        }
    }

    /// As an error answer says it.
    pub fn body(&self) -> ErrorBody<'_> {
        let Self {
            class,
            message,
            code,
            kind,
            param,
            reset: _,
            status: _,
        } = self;
        // Clients of OpenAI's look for this word; elsewhere only the sentence says it.
        let overflow = (*class == Class::ContextOverflow).then_some("context_length_exceeded");
        ErrorBody {
            kind: kind.as_deref(),
            message,
            code: code.as_deref().or(overflow),
            param: param.as_deref(),
        }
    }

    /// The status as which a client hears of it whose answer has begun: what is none of its own doing is the server's.
    pub fn status_in_stream(&self) -> u16 {
        match self.class {
            Class::Client | Class::ContextOverflow | Class::Limited | Class::Spent => self.status.unwrap_or(502),
            Class::Unauthorised | Class::ModelNotFound | Class::ServerError | Class::Malformed => {
                self.status.filter(|status| *status >= 500).unwrap_or(502)
            }
        }
    }

    fn of(told: Told, status: u16, class: Class) -> Self {
        let Told {
            message,
            relayed: _,
            flagged: _,
            code,
            kind,
            param,
            reset,
            status: _,
        } = told;
        Self {
            code,
            kind,
            param,
            reset,
            status: Some(status),
            ..Self::new(class, message)
        }
    }
}

/// Reads an answer with an error status. The body may be any provider's shape, a bare string, or a web page; dialects
/// do not differ here, because compatible servers mix their shapes. AWS names its errors in a header.
pub fn decode_error(_dialect: Dialect, status: u16, headers: &http::HeaderMap, body: &[u8]) -> Fault {
    let told = json::parse_value(body).map(told::read).unwrap_or_default();
    let readable = !told.message.is_empty();
    let told = told
        .called(headers.get(ERROR_TYPE).and_then(|name| name.to_str().ok()))
        .or_says(|| spoken(status, headers, body));
    let class = class::of(status, readable, &told);
    Fault::of(told, status, class)
}

/// The error that a 200 or a stream's event stands for, if it is one.
pub(super) fn within(answer: &Object<'_>) -> Option<Fault> {
    let word = |key| answer.get(key).and_then(Raw::string);
    let is_error = answer.get("error").is_some_and(is_truthy)
        || word("type").is_some_and(|kind| kind == "error")
        || word("object").is_some_and(|object| object == "error");
    is_error.then(|| of_told(told::read_object(answer)))
}

/// An event that is an error by its name.
pub(super) fn in_stream(data: &[u8]) -> Fault {
    let told = json::parse_value(data).map(told::read).unwrap_or_default();
    of_told(told.or_says(|| String::from_utf8_lossy(data).into_owned()))
}

/// An exception in the middle of an event stream, by its name, which stands for a status.
pub(super) fn raised(name: Option<&str>, data: &[u8]) -> Fault {
    let told = json::parse_value(data).map(told::read).unwrap_or_default();
    let told = told.or_says(|| String::from_utf8_lossy(data).into_owned());
    of_told(told.called(name))
}

fn of_told(told: Told) -> Fault {
    let readable = !told.message.is_empty();
    let told = told.or_says(|| "the upstream reported an error without a message".to_owned());
    let status = class::status(&told);
    let class = class::of(status, readable, &told);
    Fault::of(told, status, class)
}

/// What the official SDKs take for an error: `false`, `""` and `{}` are none.
fn is_truthy(value: Raw<'_>) -> bool {
    !matches!(value.text(), "null" | "false" | "\"\"" | "{}" | "[]" | "0")
}

/// A sentence for a body that says nothing: plain text as it is, a web page by its type.
fn spoken(status: u16, headers: &http::HeaderMap, body: &[u8]) -> String {
    let kind = headers
        .get(http::header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or("no content type");
    let text = std::str::from_utf8(body).map(str::trim).unwrap_or_default();
    if text.is_empty() || kind.starts_with("text/html") || text.starts_with('<') {
        return format!("the upstream answered {status} with {kind}");
    }
    text.to_owned()
}

#[cfg(test)]
mod tests;
