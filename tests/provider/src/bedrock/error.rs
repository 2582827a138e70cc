//! Bedrock's refusals: a name in a header, a sentence in the body.

use crate::shape::{Segment, Violation, Wrong};
use serde::Serialize;

/// A refusal before it is an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Error {
    pub(super) status: u16,
    /// Of the exception: `ValidationException`.
    pub(super) kind: &'static str,
    pub(super) message: String,
}

#[derive(Serialize)]
struct Body<'a> {
    message: &'a str,
}

impl Error {
    pub(super) fn new(status: u16, kind: &'static str, message: impl Into<String>) -> Error {
        Error {
            status,
            kind,
            message: message.into(),
        }
    }

    /// A 400.
    pub(super) fn invalid(message: impl Into<String>) -> Error {
        Error::new(400, "ValidationException", message)
    }

    pub(super) fn body(&self) -> String {
        crate::json::compact(&Body { message: &self.message })
    }
}

/// A rule: where it does not hold, a 400 that says so.
pub(super) fn unless(holds: bool, sentence: impl Into<String>) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(Error::invalid(sentence)) }
}

pub(super) fn unknown_model() -> Error {
    Error::invalid("The provided model identifier is invalid.")
}

pub(super) fn unknown_operation() -> Error {
    Error::new(
        404,
        "UnknownOperationException",
        "The requested operation is not recognized by the service.",
    )
}

pub(super) fn context_overflow() -> Error {
    Error::invalid("The model returned the following errors: Input is too long for requested model.")
}

pub(super) fn quota() -> Error {
    Error::new(
        400,
        "ServiceQuotaExceededException",
        "Your request exceeds the service quota for your account.",
    )
}

/// What the service says with a status when nothing more is known.
pub(super) fn of_status(status: u16) -> Error {
    let (kind, message) = match status {
        400 => ("ValidationException", "The request is not valid."),
        403 => (
            "AccessDeniedException",
            "You don't have access to the model with the specified model ID.",
        ),
        404 => ("ResourceNotFoundException", "The model was not found."),
        408 => ("ModelTimeoutException", "The model took too long to answer."),
        424 => ("ModelErrorException", "The model broke while it processed the request."),
        429 => (
            "ThrottlingException",
            "Too many requests, please wait before trying again.",
        ),
        503 => (
            "ServiceUnavailableException",
            "The service is not available. Try again later.",
        ),
        _ => (
            "InternalServerException",
            "The system encountered an unexpected error during processing. Try again.",
        ),
    };
    Error::new(status, kind, message)
}

impl From<Violation> for Error {
    fn from(violation: Violation) -> Error {
        let path: String = violation.path.iter().map(step).collect();
        let why = match violation.wrong {
            Wrong::Missing => "required key is not there".to_owned(),
            Wrong::Unknown(names) => format!("extraneous key [{}] is not permitted", names.join(", ")),
            Wrong::Word { allowed, got } => format!("{got} is not one of [{}]", allowed.join(", ")),
            Wrong::Type { .. } => "it is of the wrong type".to_owned(),
            Wrong::TooSmall { bounds, .. } | Wrong::TooLarge { bounds, .. } => {
                format!("it is not between {} and {}", bounds.min, bounds.max)
            }
            Wrong::TooShort { limit, got, .. } => format!("its length is {got}, at least {limit} is needed"),
            Wrong::TooLong { limit, got, .. } => format!("its length is {got}, at most {limit} is allowed"),
            Wrong::Pattern(pattern) => format!("it does not match {pattern}"),
            Wrong::Tag { .. } | Wrong::NoTag => "it is of no known kind".to_owned(),
        };
        Error::invalid(format!(
            "Malformed input request: #{path}: {why}, please reformat your input and try again."
        ))
    }
}

fn step(segment: &Segment) -> String {
    match segment {
        Segment::Key(key) => format!("/{key}"),
        Segment::Index(index) => format!("/{index}"),
        Segment::Tag(tag) => format!("/{tag}"),
    }
}
