//! Attempts: one upstream call after the other, until one answers or nothing is left that may be tried.
//!
//! Each failure stands in one row of the failure table (`verdict`), which says what may be tried next. The answer is
//! committed where [`call`](mod@call) returns it; after that nothing is repeated.

mod album;
mod call;
mod headers;
mod keeper;
mod settle;
mod stream;

pub(super) use album::Album;
use settle::Settlement;
pub(crate) use stream::AnswerStream;

use super::limit::{self, Admission};
use super::respond::{Refusal, Telling};
use super::route::{Candidate, Plan, resets_at};
use super::verdict::{Again, Next, verdict};
use super::{Visit, explain, stamp};
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
    pub tenant: &'a Arc<str>,
    /// Pictures that had to be fetched.
    pub album: Album,
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
    /// What the upstream answered, or what its answer stands for.
    pub status: Option<u16>,
}

/// What one call came to.
pub(super) enum Called {
    /// Committed: the client gets this, whatever happens now.
    Answer(Box<Response<Body>>),
    /// The next attempt's business.
    Failed(Failure),
    /// Refused for what it is not sent again: what another account encrypted, a field of the sidecar's own.
    Spared(Failure),
    /// This account does not have the response that the request goes on from; another one may.
    Unknown(Losses),
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
        skipped: Vec::new(),
        spared: Vec::new(),
        count: 0,
        unknown: 0,
        position: 0,
        window: None,
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
            Called::Refused(refusal) => {
                course.explain();
                return Err(refusal);
            }
            Called::Spared(failure) => course.spare(candidate, failure).await,
            Called::Lossy(losses) => course.skip(candidate, losses).await,
            Called::Unknown(losses) => {
                course.unknown += 1;
                course.skip(candidate, losses).await
            }
            Called::Failed(failure) => course.after(candidate, failure).await,
        };
    }
    course.explain();
    Err(course.refusal())
}

/// What gives a retry that did not happen back to the budget: as much as a request earns at 100 per cent.
const ONE_RETRY: u32 = 100;

/// Where a request stands among its candidates.
pub(super) struct Course<'a, 'b> {
    request: &'a Request<'a, 'b>,
    plan: &'a Plan<'a>,
    pub tried: Vec<Tried<'a>>,
    lossy: Option<(String, Losses)>,
    /// Cannot carry this request, now or later.
    skipped: Vec<&'a Candidate<'a>>,
    /// Asked once more, without what it refused.
    spared: Vec<&'a Candidate<'a>>,
    /// Attempts made, this one included.
    count: u32,
    /// Accounts that did not have what a request goes on from: asked, and no attempts by the policy's count.
    unknown: u32,
    /// The next candidate in order.
    position: usize,
    /// The largest window for which the input was too long.
    window: Option<u64>,
    /// Spent upstream in attempts that failed.
    pub upstream: Duration,
}

type Step<'a> = Option<(&'a Candidate<'a>, Admission, bool)>;

impl<'a> Course<'a, '_> {
    async fn first(&mut self) -> Step<'a> {
        match self.next_candidate() {
            Some((candidate, admission)) => Some((candidate, admission, false)),
            None if self.plan.could_serve_without_thread() => None,
            None => self.wait_for_reset().await,
        }
    }

    /// This candidate was not called, or for nothing: what would have come after it comes now, at no cost to anybody.
    async fn skip(&mut self, candidate: &'a Candidate<'a>, losses: Losses) -> Step<'a> {
        self.count -= 1;
        self.skipped.push(candidate);
        let name = || candidate.target.deployment.name.to_string();
        self.lossy.get_or_insert_with(|| (name(), losses));
        match self.next_candidate() {
            Some((candidate, admission)) => Some((candidate, admission, false)),
            None => self.repeat_later().await,
        }
    }

    /// The same one at once: it has done nothing, and the conversation is as good as lost elsewhere, too.
    async fn spare(&mut self, candidate: &'a Candidate<'a>, failure: Failure) -> Step<'a> {
        self.spared.push(candidate);
        match self.repeat(candidate, false) {
            Some(step) => Some(step),
            None => self.after(candidate, failure).await,
        }
    }

    /// Reads the failure table, and picks what is tried next, if anything may be.
    async fn after(&mut self, candidate: &'a Candidate<'a>, failure: Failure) -> Step<'a> {
        let row = verdict(failure.outcome, failure.reset, self.request.policy.retry.on_ambiguous);
        let at_once = row.again == Again::AtOnce && self.repeats(candidate) == 0;
        let outcome = failure.outcome;
        let again = row.again;
        self.tried.push(Tried {
            candidate,
            failure,
            again,
        });
        if row.next == Next::LargerContext {
            // A window that nobody named may well be larger than any.
            let known = candidate.target.deployment.capabilities.context_tokens.unwrap_or(0);
            self.window = Some(self.window.map_or(known, |window| window.max(known)));
        }
        let budget = &self.request.policy.retry_budget;
        if row.next == Next::No || self.is_over() || !budget.spend(Instant::now()) {
            return None;
        }
        let step = match at_once.then(|| self.repeat(candidate, true)).flatten() {
            Some(step) => Some(step),
            None => self.go_on(candidate, outcome).await,
        };
        if step.is_none() {
            budget.earn(ONE_RETRY, Instant::now());
        }
        step
    }

    /// Another deployment, or else the same one later.
    async fn go_on(&mut self, failed: &'a Candidate<'a>, outcome: Outcome) -> Step<'a> {
        if let Some((next, admission)) = self.next_candidate() {
            let (from, to) = (&failed.target.deployment.name, &next.target.deployment.name);
            self.request.visit.worker.shared.meter.failover(from, to, outcome);
            return Some((next, admission, false));
        }
        self.repeat_later().await
    }

    fn admit(&self, candidate: &Candidate<'_>) -> Result<Admission, Closure> {
        limit::admit(candidate, self.request.asked.stream, Instant::now())
    }

    /// No attempt or no time is left.
    fn is_over(&self) -> bool {
        self.count >= self.request.policy.retry.attempts || Instant::now() >= self.request.deadlines.begin
    }

    /// The input was too long for a window seen before, and this one is no larger.
    fn is_too_small(&self, candidate: &Candidate<'_>) -> bool {
        let own = candidate.target.deployment.capabilities.context_tokens;
        self.window.is_some_and(|seen| own.is_some_and(|own| own <= seen))
    }

    /// The next candidate in order that is admitted.
    fn next_candidate(&mut self) -> Option<(&'a Candidate<'a>, Admission)> {
        while let Some(candidate) = self.plan.order.get(self.position) {
            self.position += 1;
            if self.is_too_small(candidate) {
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

    /// What was tried, each deployment once, with what its last failure allows.
    fn last_words(&self) -> impl Iterator<Item = (&'a Candidate<'a>, Again)> {
        let last = |(position, tried): (usize, &Tried<'a>)| {
            let later = &self.tried[position + 1..];
            let again = !later.iter().any(|other| std::ptr::eq(other.candidate, tried.candidate));
            again.then_some((tried.candidate, tried.again))
        };
        self.tried.iter().enumerate().filter_map(last)
    }

    /// Nothing else is left: the same deployment again, after a backoff or when its limit resets. An SDK that repeats
    /// the request itself is not multiplied.
    async fn repeat_later(&mut self) -> Step<'a> {
        if self.request.sdk_retries || self.plan.could_serve_without_thread() {
            return None;
        }
        let may = |(candidate, again): &(&'a Candidate<'a>, Again)| match again {
            Again::Later | Again::AtOnce => !self.is_too_small(candidate),
            Again::LaterOnce => self.repeats(candidate) < 2 && !self.is_too_small(candidate),
            Again::Never | Again::AtReset => false,
        };
        let Some((candidate, _)) = self.last_words().find(may) else {
            return self.wait_for_reset().await;
        };
        let failures = u32::try_from(self.repeats(candidate)).unwrap_or(u32::MAX);
        let pause = retry::BACKOFF.pause(failures.saturating_sub(1), fastrand::u64(..));
        if Instant::now() + pause >= self.request.deadlines.begin {
            return None;
        }
        tokio::time::sleep(pause).await;
        self.repeat(candidate, false)
    }

    /// Everything that is left is limited: the first one to reset, if that falls within the deadline.
    async fn wait_for_reset(&mut self) -> Step<'a> {
        if self.is_over() || self.request.policy.retry.attempts < 2 {
            return None;
        }
        let now = Instant::now();
        let limited = self
            .last_words()
            .filter(|(_, again)| *again == Again::AtReset)
            .map(|(candidate, _)| candidate);
        let limited = limited
            .chain(&self.plan.limited)
            .filter(|candidate| !self.is_too_small(candidate))
            .filter(|candidate| !self.skipped.iter().any(|skipped| std::ptr::eq(*skipped, *candidate)));
        // One whose reset has passed by now can be asked at once.
        let resets = limited.map(|candidate| (resets_at(candidate, now).unwrap_or(now), candidate));
        let (at, candidate) = resets.min_by_key(|(at, _)| *at)?;
        if at >= self.request.deadlines.begin {
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

    /// Calls made, this one included.
    pub(super) fn calls(&self) -> u32 {
        self.count + self.unknown
    }

    /// It is asked without what it refused before.
    pub(super) fn is_spared(&self, candidate: &Candidate<'_>) -> bool {
        self.spared.iter().any(|other| std::ptr::eq(*other, candidate))
    }

    /// How many other deployments were tried before.
    pub(super) fn left(&self, candidate: &Candidate<'_>) -> usize {
        self.tried.len() - self.repeats(candidate)
    }

    /// A refusal will carry the decision trace, too.
    fn explain(&self) {
        let trace = stamp::trace(self.request, self.plan, self);
        self.request.visit.trace.replace(trace);
    }

    /// One that is still to be asked speaks the client's dialect, too.
    pub(super) fn leaves_another_of_its_dialect(&self) -> bool {
        let mut left = self.plan.order.iter().skip(self.position);
        left.any(|candidate| candidate.upstream.passes(self.request.asked))
    }

    /// The deployment says that the input is too long, nothing else was tried, and no other one takes more: its own
    /// words are the best answer there is.
    pub(super) fn ends_with_overflow(&self, candidate: &Candidate<'_>) -> bool {
        let window = candidate.target.deployment.capabilities.context_tokens.unwrap_or(0);
        let is_no_larger = |other: &Candidate<'_>| {
            let other = other.target.deployment.capabilities.context_tokens;
            other.is_some_and(|other| other <= window)
        };
        let mut left = self.plan.order.iter().skip(self.position).chain(&self.plan.limited);
        self.tried.is_empty() && left.all(is_no_larger)
    }

    /// One error for all that was tried, with the status of the most telling failure.
    fn refusal(self) -> Refusal {
        let calls = self.calls();
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
        let status = self.tried.iter().map(|tried| telling(&tried.failure)).max();
        let status = match self.plan.could_serve_without_thread() {
            true => Some(Telling::NoThreads),
            false => status,
        };
        Refusal::AllFailed {
            attempts: calls,
            tried: explain::failures(self.plan, &self.tried),
            retry_after,
            status: status.unwrap_or(Telling::Unavailable),
        }
    }
}

#[deny(clippy::wildcard_enum_match_arm)]
fn telling(failure: &Failure) -> Telling {
    match failure.outcome {
        Outcome::Connect | Outcome::NotProcessed | Outcome::Stale => Telling::Unavailable,
        Outcome::ServerError | Outcome::Interrupted | Outcome::Malformed | Outcome::Broken => Telling::BadGateway,
        Outcome::Timeout | Outcome::Deadline => Telling::Timeout,
        Outcome::Unauthorised | Outcome::Spent | Outcome::ModelNotFound => Telling::Misconfigured,
        // Overloaded is not the client's rate.
        Outcome::Limited if failure.status.is_some_and(|status| status != 429) => Telling::Unavailable,
        Outcome::Limited => Telling::Limited,
        Outcome::ContextOverflow => Telling::ContextOverflow,
        Outcome::Ok | Outcome::Client | Outcome::Cancelled | Outcome::NoMemory => Telling::Unavailable,
    }
}
