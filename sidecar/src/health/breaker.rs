//! The breaker's states, without locks and clocks.
//!
//! ```text
//!             three failures, or a limit without reset,
//!             or a refused credential
//!   closed ─────────────────────────────────────────────▶ open ──(pause over)──▶ half-open ──(one request)──▶ on trial
//!     ▲ ▲                                                  ▲                          ▲                          │
//!     │ └──(reset reached)── limited ◀──(limit with reset) │                          └───────(no word)──────────┤
//!     │                                                    └──(failed: the pause doubles)────────────────────────┤
//!     └───────────────────────────────────────────────────────(served)───────────────────────────────────────────┘
//! ```
//!
//! Words of attempts that started earlier arrive while it is open. They never shorten a closure and never double a
//! pause; they lengthen it when they say something that lasts longer.

use super::{Availability, Closure, Reason, Verdict};
use std::time::Duration;
use tokio::time::Instant;

/// Failures in a row that open it.
const FAILURES: u8 = 3;

/// Longest closure that a provider can ask for: daily quotas are real, a reset in the year 3000 is a mistake.
const LONGEST_RESET: Duration = Duration::from_secs(24 * 3600);

#[derive(Debug)]
pub(super) struct Breaker {
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Anybody may call.
    Closed { failures: u8 },
    /// Nobody may until the provider's reset; then anybody.
    Limited { until: Instant },
    /// Nobody may until the pause is over; then one.
    Open(Pause),
    /// One does.
    OnTrial(Pause),
}

#[derive(Clone, Copy, Debug)]
struct Pause {
    reason: Reason,
    length: Duration,
    until: Instant,
}

/// The right to decide whether a deployment serves again. Not `Clone`: one is out at most, and while it is, nothing
/// else moves the breaker.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Trial(());

impl Breaker {
    pub(super) fn new() -> Self {
        Self {
            state: State::Closed { failures: 0 },
        }
    }

    /// There is anything to remember.
    pub(super) fn is_troubled(&self) -> bool {
        !matches!(self.state, State::Closed { failures: 0 })
    }

    /// Why it is not simply called, if it is not; a trial changes nothing of that.
    pub(super) fn closure(&self) -> Option<Closure> {
        match self.state {
            State::Closed { failures: _ } => None,
            State::Limited { until } => Some(Closure {
                until,
                reason: Reason::Limited,
            }),
            State::Open(Pause { reason, until, .. }) | State::OnTrial(Pause { reason, until, .. }) => {
                Some(Closure { until, reason })
            }
        }
    }

    pub(super) fn availability(&mut self, now: Instant) -> Availability {
        self.pass(now);
        match self.state {
            State::Closed { failures: _ } => Availability::Available,
            State::Limited { until } => Availability::Closed(Closure {
                until,
                reason: Reason::Limited,
            }),
            State::Open(pause) if now >= pause.until => Availability::HalfOpen,
            State::Open(pause) => Availability::Closed(Closure {
                until: pause.until,
                reason: pause.reason,
            }),
            State::OnTrial(_) => Availability::Closed(Closure {
                until: now,
                reason: Reason::OnTrial,
            }),
        }
    }

    /// Lets a request through, on trial if need be.
    pub(super) fn enter(&mut self, now: Instant) -> Result<Option<Trial>, Closure> {
        match (self.availability(now), self.state) {
            (Availability::Closed(closure), _) => Err(closure),
            (Availability::HalfOpen, State::Open(pause)) => {
                self.state = State::OnTrial(pause);
                Ok(Some(Trial(())))
            }
            (Availability::HalfOpen | Availability::Available, _) => Ok(None),
        }
    }

    /// Nothing was learnt: the next request may try.
    pub(super) fn give_back(&mut self, Trial(()): Trial) {
        if let State::OnTrial(pause) = self.state {
            self.state = State::Open(pause);
        }
    }

    pub(super) fn judge(&mut self, trial: Option<Trial>, verdict: Verdict, now: Instant) {
        self.pass(now);
        match (trial, self.state) {
            (Some(Trial(())), State::OnTrial(pause)) => self.judge_trial(pause, verdict, now),
            (None, State::OnTrial(_)) => {}
            (Some(_) | None, _) => self.judge_other(verdict, now),
        }
    }

    fn judge_trial(&mut self, pause: Pause, verdict: Verdict, now: Instant) {
        self.state = match verdict {
            Verdict::Served => State::Closed { failures: 0 },
            Verdict::Limited(Some(reset)) => State::Limited {
                until: now + reset.min(LONGEST_RESET),
            },
            Verdict::Nothing => State::Open(pause),
            Verdict::Failed => State::Open(pause.again(Reason::Failing, now)),
            Verdict::Limited(None) => State::Open(pause.again(Reason::Limited, now)),
            Verdict::Unauthorised => State::Open(pause.again(Reason::Unauthorised, now)),
            Verdict::Spent => State::Open(pause.again(Reason::Spent, now)),
        };
    }

    fn judge_other(&mut self, verdict: Verdict, now: Instant) {
        match (verdict, self.state) {
            (Verdict::Nothing, _) => {}
            (Verdict::Served, State::Closed { failures: _ }) => self.state = State::Closed { failures: 0 },
            (Verdict::Failed, State::Closed { failures }) if failures + 1 < FAILURES => {
                self.state = State::Closed { failures: failures + 1 };
            }
            (Verdict::Failed, State::Closed { failures: _ }) => self.open(Reason::Failing, now),
            (Verdict::Limited(None), State::Closed { failures: _ }) => self.open(Reason::Limited, now),
            (Verdict::Limited(Some(reset)), _) => self.limit(now + reset.min(LONGEST_RESET), now),
            (Verdict::Unauthorised, _) => self.open(Reason::Unauthorised, now),
            (Verdict::Spent, _) => self.open(Reason::Spent, now),
            (Verdict::Served | Verdict::Failed | Verdict::Limited(None), _) => {}
        }
    }

    /// Closes it exactly until the provider's reset.
    fn limit(&mut self, until: Instant, now: Instant) {
        if until > now && self.ends_before(until) {
            self.state = State::Limited { until };
        }
    }

    fn open(&mut self, reason: Reason, now: Instant) {
        let pause = Pause::first(reason, now);
        if self.ends_before(pause.until) {
            self.state = State::Open(pause);
        }
    }

    /// No closure lasts until then already.
    fn ends_before(&self, until: Instant) -> bool {
        match self.state {
            State::Closed { failures: _ } => true,
            State::Limited { until: before } => before < until,
            State::Open(pause) | State::OnTrial(pause) => pause.until < until,
        }
    }

    /// A limit whose reset is reached is no limit.
    fn pass(&mut self, now: Instant) {
        if matches!(self.state, State::Limited { until } if now >= until) {
            self.state = State::Closed { failures: 0 };
        }
    }
}

impl Pause {
    fn first(reason: Reason, now: Instant) -> Self {
        Self::of(reason, bounds(reason).0, now)
    }

    /// After a trial that did not succeed: doubled if it failed as before, else a first one.
    fn again(self, reason: Reason, now: Instant) -> Self {
        let (first, longest) = bounds(reason);
        Self::of(
            reason,
            if reason == self.reason {
                (self.length * 2).min(longest)
            } else {
                first
            },
            now,
        )
    }

    fn of(reason: Reason, length: Duration, now: Instant) -> Self {
        Self {
            reason,
            length,
            until: now + length,
        }
    }
}

/// First and longest pause. People mend credentials and accounts, so those are tried seldom, but they are tried: what
/// was wrong may have been mended at the provider, without a change here.
fn bounds(reason: Reason) -> (Duration, Duration) {
    let seconds = match reason {
        Reason::Failing | Reason::Limited | Reason::OnTrial => (1, 30),
        Reason::Unauthorised | Reason::Spent => (60, 60),
    };
    (Duration::from_secs(seconds.0), Duration::from_secs(seconds.1))
}

#[cfg(test)]
mod tests;
