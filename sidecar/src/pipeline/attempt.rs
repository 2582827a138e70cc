//! Attempts: one upstream call after the other, until one answers or nothing is left that may be tried.
//!
//! Each failure stands in one row of the failure table (`verdict`), which says what may be tried next. The answer is
//! committed where [`call`](mod@call) returns it; after that nothing is repeated.

mod call;
mod headers;
mod settle;
mod stream;

use settle::Settlement;
pub(crate) use stream::AnswerStream;

use super::limit::{self, Admission};
use super::respond::{Refusal, Telling};
use super::route::{Candidate, Plan, resets_at};
use super::verdict::{Again, Next, verdict};
use super::{Visit, explain};
use crate::affinity::displaced::place;
use crate::body::Body;
use crate::dialect::{Asked, Losses};
use crate::health::Closure;
use crate::meter::Outcome;
use crate::policy::{Policy, Route};
use crate::retry;
use bytes::Bytes;
use http::Response;
use http::request::Parts;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// One request, as far as all its attempts share it.
pub(super) struct Request<'a, 'b> {
    pub visit: &'a Visit,
    pub head: &'a Parts,
    pub body: &'a Bytes,
    pub asked: &'a Asked<'b>,
    pub route: &'a Arc<Route>,
    pub policy: &'a Arc<Policy>,
    /// When the whole request must be over, and how long the client waits for a read.
    pub deadlines: super::deadline::Deadlines,
    /// An SDK is repeating this request itself: the same deployment is not repeated on top of that.
    pub sdk_retries: bool,
}

/// Why one attempt did not answer.
#[derive(Debug)]
pub(super) struct Failure {
    pub outcome: Outcome,
    /// For the client: whose fault, and what. Never a key.
    pub message: String,
    /// The upstream's limit resets after this.
    pub reset: Option<Duration>,
}

/// What one call came to.
pub(super) enum Called {
    /// Committed: the client gets this, whatever happens now.
    Answer(Box<Response<Body>>),
    /// The next attempt's business.
    Failed(Failure),
    /// Never sent: this deployment cannot carry what matters.
    Lossy(Losses),
    /// Never sent: the request is not what its dialect says it is.
    Refused(Refusal),
}

/// An attempt that failed, for the error and the decision trace.
pub(super) struct Tried<'a> {
    pub candidate: &'a Candidate<'a>,
    pub failure: Failure,
    again: Again,
}

/// Tries candidates until one answers.
pub(super) async fn attempts<'a, 'b>(
    request: &'a Request<'a, 'b>,
    plan: &'a Plan<'a>,
) -> Result<(Response<Body>, Duration), Refusal> {
    let mut course = Course {
        request,
        plan,
        tried: Vec::new(),
        lossy: None,
        count: 0,
        position: 0,
        upstream: Duration::ZERO,
    };
    let mut step = course.first().await;
    while let Some((candidate, admission, fresh)) = step {
        course.count += 1;
        let called_at = Instant::now();
        let called = call::call(request, plan, candidate, admission, fresh, &course).await;
        course.upstream += called_at.elapsed();
        step = match called {
            Called::Answer(response) => {
                course.remember(candidate);
                return Ok((*response, course.upstream));
            }
            Called::Refused(refusal) => return Err(refusal),
            Called::Lossy(losses) => course.skip(candidate, losses).await,
            Called::Failed(failure) => course.after(candidate, failure).await,
        };
    }
    Err(course.refusal())
}

/// Where a request stands among its candidates.
pub(super) struct Course<'a, 'b> {
    request: &'a Request<'a, 'b>,
    plan: &'a Plan<'a>,
    pub tried: Vec<Tried<'a>>,
    lossy: Option<(String, Losses)>,
    /// Attempts made, this one included.
    pub count: u32,
    /// The next candidate in order.
    position: usize,
    /// Spent upstream in attempts that failed.
    pub upstream: Duration,
}

type Step<'a> = Option<(&'a Candidate<'a>, Admission, bool)>;

impl<'a> Course<'a, '_> {
    async fn first(&mut self) -> Step<'a> {
        match self.next_candidate(None) {
            Some((candidate, admission)) => Some((candidate, admission, false)),
            None => self.wait_for_reset().await,
        }
    }

    /// This candidate was not called at all: the next one takes its place, at no cost to anybody.
    async fn skip(&mut self, candidate: &'a Candidate<'a>, losses: Losses) -> Step<'a> {
        self.count -= 1;
        self.lossy
            .get_or_insert_with(|| (candidate.target.deployment.name.to_string(), losses));
        self.next_candidate(None)
            .map(|(candidate, admission)| (candidate, admission, false))
    }

    /// Reads the failure table, tells the breaker, and picks what is tried next, if anything may be.
    async fn after(&mut self, candidate: &'a Candidate<'a>, failure: Failure) -> Step<'a> {
        let row = verdict(failure.outcome, failure.reset, self.request.policy.retry.on_ambiguous);
        let at_once = row.again == Again::AtOnce && self.repeats(candidate) == 0;
        let outcome = failure.outcome;
        self.tried.push(Tried {
            candidate,
            failure,
            again: row.again,
        });
        if self.is_over() {
            return None;
        }
        let step = if at_once {
            self.repeat(candidate, true)
        } else {
            self.go_on(candidate, row.next, outcome).await
        };
        if step.is_some() {
            // Two requests may both have seen the last one left; that one retry too many is not worth a lock.
            self.request.policy.retry_budget.spend(Instant::now());
        }
        step
    }

    /// Another deployment, or else the same one later.
    async fn go_on(&mut self, failed: &'a Candidate<'a>, next: Next, outcome: Outcome) -> Step<'a> {
        if let Some((next, admission)) = self.next_candidate_after(next, failed) {
            let (from, to) = (&failed.target.deployment.name, &next.target.deployment.name);
            self.request.visit.worker.shared.meter.failover(from, to, outcome).inc();
            return Some((next, admission, false));
        }
        if self.request.sdk_retries {
            return None;
        }
        self.repeat_later().await
    }

    fn admit(&self, candidate: &Candidate<'_>) -> Result<Admission, Closure> {
        limit::admit(candidate, self.request.asked.stream, Instant::now())
    }

    /// No attempt, no time or no retry budget is left.
    fn is_over(&self) -> bool {
        let now = Instant::now();
        self.count >= self.request.policy.retry.attempts
            || now >= self.request.deadlines.total
            || self.request.policy.retry_budget.left(now) == 0
    }

    fn next_candidate_after(&mut self, next: Next, failed: &Candidate<'_>) -> Option<(&'a Candidate<'a>, Admission)> {
        match next {
            Next::No => None,
            Next::Yes => self.next_candidate(None),
            Next::LargerContext => {
                // A window nobody named may well be larger.
                let known = failed.target.deployment.capabilities.context_tokens;
                self.next_candidate(Some(known.unwrap_or(0)))
            }
        }
    }

    /// The next candidate in order that is admitted, optionally one whose window is larger than `window`.
    fn next_candidate(&mut self, window: Option<u64>) -> Option<(&'a Candidate<'a>, Admission)> {
        while let Some(candidate) = self.plan.order.get(self.position) {
            self.position += 1;
            let larger = |than: u64| {
                candidate
                    .target
                    .deployment
                    .capabilities
                    .context_tokens
                    .is_none_or(|own| own > than)
            };
            if window.is_some_and(|than| !larger(than)) {
                continue;
            }
            if let Ok(admission) = self.admit(candidate) {
                return Some((candidate, admission));
            }
        }
        None
    }

    fn repeat(&self, candidate: &'a Candidate<'a>, fresh: bool) -> Step<'a> {
        Some((candidate, self.admit(candidate).ok()?, fresh))
    }

    /// Nothing else is left: the same deployment again, after a backoff or when its limit resets.
    async fn repeat_later(&mut self) -> Step<'a> {
        let backoff = self.tried.iter().find(|tried| match tried.again {
            Again::Later => true,
            Again::LaterOnce => self.repeats(tried.candidate) < 2,
            Again::AtOnce => true,
            Again::Never | Again::AtReset => false,
        });
        let Some(candidate) = backoff.map(|tried| tried.candidate) else {
            return self.wait_for_reset().await;
        };
        let failures = u32::try_from(self.repeats(candidate)).unwrap_or(u32::MAX);
        let pause = retry::BACKOFF.pause(failures.saturating_sub(1), fastrand::u64(..));
        if Instant::now() + pause >= self.request.deadlines.total {
            return None;
        }
        tokio::time::sleep(pause).await;
        self.repeat(candidate, false)
    }

    /// Everything that is left is limited: the first one to reset, if that falls within the deadline.
    async fn wait_for_reset(&mut self) -> Step<'a> {
        if self.count >= self.request.policy.retry.attempts
            || (self.count == 0 && self.request.policy.retry.attempts < 2)
        {
            return None;
        }
        let limited_now = self
            .tried
            .iter()
            .filter(|tried| tried.again == Again::AtReset)
            .map(|tried| tried.candidate);
        let limited_before = self.plan.limited.iter();
        let resets = limited_now
            .chain(limited_before)
            .filter_map(|c| Some((resets_at(c, Instant::now())?, c)));
        let (at, candidate) = resets.min_by_key(|(at, _)| *at)?;
        if at >= self.request.deadlines.total {
            return None;
        }
        tokio::time::sleep_until(at).await;
        self.repeat(candidate, false)
    }

    /// A conversation that was served away from home stays there for a while.
    fn remember(&self, candidate: &Candidate<'_>) {
        if let Some(who) = self.plan.session.and_then(|session| session.whereabouts) {
            let at = place(&candidate.target.deployment.name);
            self.request
                .visit
                .worker
                .shared
                .displaced
                .remember(who, at, Instant::now());
        }
    }

    /// How often this deployment had been tried before.
    pub(super) fn repeats(&self, candidate: &Candidate<'_>) -> usize {
        self.tried
            .iter()
            .filter(|tried| std::ptr::eq(tried.candidate, candidate))
            .count()
    }

    /// How many other deployments were tried before.
    pub(super) fn left(&self, candidate: &Candidate<'_>) -> usize {
        self.tried.len() - self.repeats(candidate)
    }

    /// One error for all that was tried, with the status of the most telling failure.
    fn refusal(self) -> Refusal {
        if let (true, Some((deployment, losses))) = (self.tried.is_empty(), self.lossy) {
            return Refusal::Lossy { deployment, losses };
        }
        let retry_after = self
            .plan
            .soonest(self.tried.iter().map(|tried| tried.candidate), Instant::now());
        if self.tried.is_empty() {
            let status = self.plan.telling();
            return Refusal::NothingEligible {
                excluded: explain::exclusions(self.plan),
                retry_after,
                status,
            };
        }
        let status = self.tried.iter().map(|tried| telling(tried.failure.outcome)).max();
        Refusal::AllFailed {
            attempts: self.count,
            tried: explain::failures(self.plan, &self.tried),
            retry_after,
            status: status.unwrap_or(Telling::Unavailable),
        }
    }
}

#[deny(clippy::wildcard_enum_match_arm)]
fn telling(outcome: Outcome) -> Telling {
    match outcome {
        Outcome::Connect | Outcome::NotProcessed | Outcome::Stale => Telling::Unavailable,
        Outcome::ServerError | Outcome::Interrupted | Outcome::Malformed | Outcome::Broken => Telling::BadGateway,
        Outcome::Timeout => Telling::Timeout,
        Outcome::Unauthorised | Outcome::Spent | Outcome::ModelNotFound => Telling::Misconfigured,
        Outcome::Limited => Telling::Limited,
        Outcome::ContextOverflow => Telling::ContextOverflow,
        Outcome::Ok | Outcome::Client | Outcome::Cancelled => Telling::Unavailable,
    }
}
