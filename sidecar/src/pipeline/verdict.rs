//! What an attempt's failure means for the next one: the failure table, and nothing else.

use crate::health::Verdict as Health;
use crate::meter::Outcome;
use pilotfish_wire::OnAmbiguous;
use std::time::Duration;

/// Whether another deployment may be tried. It is tried at once, without a sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    No,
    Yes,
    /// Only one whose context window is larger.
    LargerContext,
}

/// Whether the same deployment may be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    Never,
    /// Once, at once, on a new connection, before anything else is tried.
    AtOnce,
    /// With backoff, when nothing else is left; as often as attempts last.
    Later,
    /// With backoff, when nothing else is left; once.
    LaterOnce,
    /// When its limit resets, if that is within the deadline and nothing else is left.
    AtReset,
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub next: Next,
    pub again: Again,
    /// What the deployment's breaker makes of it.
    pub health: Health,
}

/// Reads the table; `reset` is the upstream's own word on when it may be asked again. What may have been billed is repeated only under `Failover`.
#[deny(clippy::wildcard_enum_match_arm)]
pub(super) fn verdict(outcome: Outcome, reset: Option<Duration>, on_ambiguous: OnAmbiguous) -> Verdict {
    let row = |next, again, health| Verdict { next, again, health };
    match outcome {
        Outcome::Connect => row(Next::Yes, Again::Later, Health::Failed),
        Outcome::NotProcessed => row(Next::Yes, Again::AtOnce, Health::Nothing),
        Outcome::Stale => match on_ambiguous {
            OnAmbiguous::Failover => row(Next::Yes, Again::AtOnce, Health::Nothing),
            OnAmbiguous::Refuse => row(Next::No, Again::Never, Health::Nothing),
        },
        Outcome::Limited => row(Next::Yes, Again::AtReset, Health::Limited(reset)),
        Outcome::Unauthorised => row(Next::Yes, Again::Never, Health::Unauthorised),
        Outcome::Spent => row(Next::Yes, Again::Never, Health::Spent),
        Outcome::ModelNotFound => row(Next::Yes, Again::Never, Health::Failed),
        Outcome::ServerError => row(Next::Yes, Again::LaterOnce, Health::Failed),
        Outcome::Interrupted | Outcome::Timeout | Outcome::Malformed => match on_ambiguous {
            OnAmbiguous::Failover => row(Next::Yes, Again::Never, Health::Failed),
            OnAmbiguous::Refuse => row(Next::No, Again::Never, Health::Failed),
        },
        Outcome::ContextOverflow => row(Next::LargerContext, Again::Never, Health::Nothing),
        Outcome::Client | Outcome::Cancelled | Outcome::Deadline | Outcome::NoMemory => {
            row(Next::No, Again::Never, Health::Nothing)
        }
        Outcome::Ok => row(Next::No, Again::Never, Health::Served),
        Outcome::Broken => row(Next::No, Again::Never, Health::Failed),
    }
}

#[cfg(test)]
mod tests;
