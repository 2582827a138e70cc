//! What this sidecar has seen of a deployment, for one tenant: may it be called, and how busy is it.
//!
//! There is one [`Health`] per tenant, deployment and operation; the tenant is in the key because one tenant's requests must not
//! be able to close a deployment for another. [`Registry`] keeps them across snapshots, [`Board`] finds them by index.
//!
//! ```text
//! route     availability(now), load(now)      read only: a candidate that is never tried takes nothing
//! attempt   start(now) → Attempt              counted; in a half-open breaker it *is* the trial, or it is refused
//!           first_token(now), conclude(verdict, now), drop
//! ```
//!
//! The trial is taken when the attempt starts and not when candidates are filtered: a request that is served by its
//! first candidate would otherwise keep its second one's only trial from everybody else. An [`Attempt`] that is dropped
//! without a verdict (the client went away) gives the trial back.
//!
//! A deployment without trouble costs one atomic load here, and no lock.

mod breaker;
mod latency;
mod registry;
pub mod selection;

use crate::dialect::{Class, Operation};
use breaker::{Breaker, Trial};
use latency::{Latency, Wait};
pub use registry::{Board, Registry};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// One deployment as one tenant meets it.
#[derive(Debug)]
pub struct Health {
    /// Of what it is, for the log.
    deployment: Box<str>,
    tenant: Box<str>,
    operation: Operation,
    /// Whether the breaker is in any state but the untroubled one. Written under its lock.
    troubled: AtomicBool,
    in_flight: AtomicU32,
    breaker: Mutex<Breaker>,
    latency: Mutex<Latency>,
}

/// Whether a deployment may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// By anybody.
    Available,
    /// By one request, on trial.
    HalfOpen,
    /// By nobody.
    Closed(Closure),
}

/// Until when a deployment is not to be called, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Closure {
    /// When it is worth asking again; the present moment while a trial is out.
    pub until: Instant,
    /// Why.
    pub reason: Reason,
}

/// Why a deployment is not to be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Reason {
    /// Three in a row, or a trial.
    #[error("its last attempts failed")]
    Failing,
    /// 429, 503, 529, 498.
    #[error("the provider limits its rate")]
    Limited,
    /// 401, 403.
    #[error("the provider does not accept its credential")]
    Unauthorised,
    /// 402, or a 429 for spend.
    #[error("the provider says that its money is spent")]
    Spent,
    /// Half-open, and another request has the trial.
    #[error("another request is trying whether it serves again")]
    OnTrial,
}

/// What an attempt says about its deployment: the last column of the failure table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It answered in full.
    Served,
    /// It failed; three in a row close it.
    Failed,
    /// It wants to be left alone, for this long if it said so. No failure.
    Limited(Option<Duration>),
    /// It does not accept the credential.
    Unauthorised,
    /// The money behind the credential is spent.
    Spent,
    /// Nothing: the fault was the client's, or nobody's.
    Nothing,
}

impl Verdict {
    /// What an answer of this class says; `reset` as the provider gave it.
    pub fn of(class: Class, reset: Option<Duration>) -> Self {
        match class {
            Class::Limited => Self::Limited(reset),
            Class::Unauthorised => Self::Unauthorised,
            Class::Spent => Self::Spent,
            Class::ModelNotFound | Class::ServerError | Class::Malformed => Self::Failed,
            Class::ContextOverflow | Class::Client => Self::Nothing,
        }
    }
}

/// How busy a deployment is with this tenant's requests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// Attempts that have not ended.
    pub in_flight: u32,
    /// How many times longer than usual a first token takes; 1 while that is within its usual variation.
    pub pressure: f64,
}

impl Health {
    /// Nothing is known yet of `deployment`.
    pub fn new(tenant: &str, deployment: &str, operation: Operation) -> Arc<Self> {
        Arc::new(Self {
            deployment: deployment.into(),
            tenant: tenant.into(),
            operation,
            troubled: AtomicBool::new(false),
            in_flight: AtomicU32::new(0),
            breaker: Mutex::new(Breaker::new()),
            latency: Mutex::new(Latency::new()),
        })
    }

    /// Whether it may be called now. Takes nothing.
    pub fn availability(&self, now: Instant) -> Availability {
        if !self.troubled.load(Ordering::Acquire) {
            return Availability::Available;
        }
        self.with_breaker(|breaker| breaker.availability(now))
    }

    /// How busy it is now.
    pub fn load(&self, now: Instant) -> Load {
        let pressure = lock(&self.latency).pressure(now);
        Load {
            in_flight: self.in_flight.load(Ordering::Relaxed),
            pressure,
        }
    }

    /// Starts an attempt, on trial if the breaker is half-open. `streams`: a first token is to be waited for.
    pub fn start(self: &Arc<Self>, streams: bool, now: Instant) -> Result<Attempt, Closure> {
        let trial = match self.troubled.load(Ordering::Acquire) {
            true => self.with_breaker(|breaker| breaker.enter(now))?,
            false => None,
        };
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        let wait = streams.then(|| lock(&self.latency).begin(now));
        Ok(Attempt {
            health: Arc::clone(self),
            trial,
            wait,
        })
    }

    fn with_breaker<T>(&self, act: impl FnOnce(&mut Breaker) -> T) -> T {
        let mut breaker = lock(&self.breaker);
        let before = breaker.closure();
        let result = act(&mut breaker);
        let after = breaker.closure();
        self.troubled.store(breaker.is_troubled(), Ordering::Release);
        drop(breaker);
        self.tell(before, after);
        result
    }

    /// One line whenever the deployment begins or ceases to be called, or is not called for another reason than before.
    fn tell(&self, before: Option<Closure>, after: Option<Closure>) {
        match (before, after) {
            (Some(_), None) => tracing::info!(
                deployment = &*self.deployment,
                operation = ?self.operation,
                tenant = &*self.tenant,
                "deployment serves again"
            ),
            (None, Some(Closure { until, reason })) => self.tell_closed(until, reason),
            (Some(before), Some(Closure { until, reason })) if before.reason != reason => {
                self.tell_closed(until, reason);
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
    }

    fn tell_closed(&self, until: Instant, reason: Reason) {
        let seconds = until.saturating_duration_since(Instant::now()).as_secs_f64();
        tracing::info!(
            deployment = &*self.deployment,
            operation = ?self.operation,
            tenant = &*self.tenant,
            %reason,
            seconds = format_args!("{seconds:.1}"),
            "deployment is not called"
        );
    }
}

/// An attempt in flight. Dropping it ends it; without a verdict it says nothing.
#[derive(Debug)]
#[must_use]
pub struct Attempt {
    health: Arc<Health>,
    trial: Option<Trial>,
    wait: Option<Wait>,
}

impl Attempt {
    /// It decides whether the deployment serves again.
    pub fn is_trial(&self) -> bool {
        self.trial.is_some()
    }

    /// The first content of a stream has come. A trial has succeeded with it: the stream may last for minutes.
    pub fn first_token(&mut self, now: Instant) {
        if let Some(wait) = self.wait.take() {
            lock(&self.health.latency).first_token(wait, now);
        }
        if self.is_trial() {
            self.conclude(Verdict::Served, now);
        }
    }

    /// How it ended. Only the first word about a trial decides it; what follows counts as from any other attempt.
    pub fn conclude(&mut self, verdict: Verdict, now: Instant) {
        let untroubled = !self.health.troubled.load(Ordering::Acquire);
        let trial = (verdict != Verdict::Nothing).then(|| self.trial.take()).flatten();
        if verdict == Verdict::Nothing || verdict == Verdict::Served && untroubled {
            return;
        }
        self.health.with_breaker(|breaker| breaker.judge(trial, verdict, now));
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.health.in_flight.fetch_sub(1, Ordering::Relaxed);
        if let Some(wait) = self.wait.take() {
            lock(&self.health.latency).forget(wait);
        }
        if let Some(trial) = self.trial.take() {
            self.health.with_breaker(|breaker| breaker.give_back(trial));
        }
    }
}

/// A panic elsewhere cannot leave these half-written: every update is one assignment or can be lost.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
