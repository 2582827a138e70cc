//! Per attempt: candidate → [`Admission`]. No attempt starts without one, and nothing else makes one.

use super::route::Candidate;
use crate::health::{Attempt, Closure, Verdict};
use tokio::time::Instant;

/// One admitted attempt: it is counted on its deployment, and is the trial of a half-open breaker. Dropped without a
/// verdict it says nothing about the deployment.
pub(in crate::pipeline) struct Admission {
    attempt: Attempt,
}

/// Admits the candidate, unless it is closed by now, or another request has its trial.
pub(super) fn admit(candidate: &Candidate<'_>, streams: bool, now: Instant) -> Result<Admission, Closure> {
    candidate
        .health
        .start(streams, now)
        .map(|attempt| Admission { attempt })
}

impl Admission {
    /// The first content of a stream has come.
    pub(super) fn first_token(&mut self, now: Instant) {
        self.attempt.first_token(now);
    }

    /// What its attempt said about the deployment.
    pub(super) fn conclude(&mut self, verdict: Verdict, now: Instant) {
        self.attempt.conclude(verdict, now);
    }
}
