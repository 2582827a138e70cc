//! What went wrong with a call, as the rows of the failure table know it.

use super::Failure;
use crate::dialect::{Class, Fault};
use crate::meter::Outcome;
use crate::upstream::{SendError, SendErrorKind, Sent, SignError, TokenError};
use std::time::Duration;

#[deny(clippy::wildcard_enum_match_arm)]
pub(super) fn unsent(error: &SendError) -> Failure {
    let outcome = match error.kind() {
        SendErrorKind::Connect(_) | SendErrorKind::BodyNotSent => Outcome::Connect,
        SendErrorKind::NotProcessed => Outcome::NotProcessed,
        // Without its end the body cannot have been processed.
        SendErrorKind::Stale if error.sent() != Sent::Whole => Outcome::NotProcessed,
        SendErrorKind::Stale => Outcome::Stale,
        SendErrorKind::Ambiguous => Outcome::Interrupted,
    };
    Failure {
        outcome,
        message: error.to_string(),
        reset: None,
        status: None,
    }
}

/// Nothing was sent, and nothing would be with these keys.
pub(super) fn unsigned(error: &SignError) -> Failure {
    Failure {
        outcome: Outcome::Unauthorised,
        message: error.to_string(),
        reset: None,
        status: None,
    }
}

/// Nothing was sent: nobody said who calls.
pub(super) fn without_token(error: &TokenError) -> Failure {
    let outcome = match error.is_passing() {
        true => Outcome::Connect,
        false => Outcome::Unauthorised,
    };
    Failure {
        outcome,
        message: error.to_string(),
        reset: None,
        status: None,
    }
}

/// The answer had begun, and was not committed.
pub(super) fn broke_off(message: String) -> Failure {
    Failure {
        outcome: Outcome::Interrupted,
        message,
        reset: None,
        status: None,
    }
}

#[deny(clippy::wildcard_enum_match_arm)]
pub(super) fn outcome_of(class: Class) -> Outcome {
    match class {
        Class::Limited => Outcome::Limited,
        Class::Unauthorised => Outcome::Unauthorised,
        Class::Spent => Outcome::Spent,
        Class::ModelNotFound => Outcome::ModelNotFound,
        Class::ServerError => Outcome::ServerError,
        Class::ContextOverflow => Outcome::ContextOverflow,
        Class::Client => Outcome::Client,
        Class::Malformed => Outcome::Malformed,
    }
}

pub(super) fn failure(fault: Fault, reset: Option<Duration>) -> Failure {
    let outcome = outcome_of(fault.class);
    let reset = reset.or(fault.reset);
    let status = fault.status;
    let message = match status {
        Some(status) => format!("{status}: {}", fault.message),
        None => fault.message,
    };
    Failure {
        outcome,
        message,
        reset,
        status,
    }
}
