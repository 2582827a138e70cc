//! What an answer that was begun leaves behind, however it ends.

use super::super::limit::Admission;
use crate::dialect::Usage;
use crate::health::Verdict;
use crate::meter::{Ended, InFlight, Outcome, Shape, Streamed};
use crate::pipeline::CLIENT_GONE;
use crate::policy::{Deployment, Route};
use crate::upstream::StandingHeaders;
use pilotfish_wire::Price;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Counts one answered request, once: when it is finished, or, if the client goes away first, when it is dropped.
pub(super) struct Settlement {
    pub route: Arc<Route>,
    pub deployment: Arc<Deployment>,
    /// What it was called with: its keys are in nothing that the client sees.
    pub standing: Arc<StandingHeaders>,
    /// Position in the policy's deployments.
    pub index: usize,
    pub shape: Shape,
    /// When the request came.
    pub started: Instant,
    /// When the upstream was called.
    pub called: Instant,
    /// When its first content came; streams only.
    pub first_token: Option<Instant>,
    pub code: u16,
    pub usage: Option<Usage>,
    /// Undone by its own drop, after the counting.
    pub admission: Admission,
    pub _in_flight: Rc<InFlight>,
    pub finished: bool,
}

impl Settlement {
    /// The answer has ended in this way; only the first call counts.
    pub(crate) fn finish(&mut self, outcome: Outcome) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        let now = Instant::now();
        let seconds = |since: Instant| now.saturating_duration_since(since).as_secs_f64();
        let (code, error) = match outcome {
            Outcome::Ok | Outcome::Client | Outcome::ContextOverflow => (self.code, None),
            Outcome::Cancelled => (CLIENT_GONE, Some(outcome)),
            _ => (self.code, Some(outcome)),
        };
        // The time of earlier attempts is in neither of the two.
        let streamed = |first: Instant| Streamed {
            first_token_seconds: first.saturating_duration_since(self.called).as_secs_f64(),
            rest_seconds: seconds(first),
        };
        self.deployment.series.attempt(outcome);
        if let Some(usage) = self.usage {
            self.deployment.series.usage(usage, self.cost_nano_usd().unwrap_or(0));
        }
        if let Some(series) = self.route.series.get(self.index) {
            series.ended(&Ended {
                shape: self.shape,
                code,
                seconds: seconds(self.started),
                streamed: self.first_token.map(streamed),
                usage: self.usage,
                error,
            });
        }
        let health = match outcome {
            Outcome::Ok => Verdict::Served,
            Outcome::Broken => Verdict::Failed,
            _ => Verdict::Nothing,
        };
        self.admission.conclude(health, now);
        let elapsed: Duration = now.saturating_duration_since(self.started);
        tracing::debug!(
            model = &*self.route.label,
            deployment = &*self.deployment.name,
            code,
            outcome = outcome.label(),
            milliseconds = elapsed.as_millis(),
            "request ended"
        );
    }

    /// The attempt came to nothing: its deployment hears why, and what is counted is not a request's end.
    pub(crate) fn give_up(mut self, outcome: Outcome, verdict: Verdict) {
        self.finished = true;
        self.deployment.series.attempt(outcome);
        self.admission.conclude(verdict, Instant::now());
    }

    /// The first content has come.
    pub(crate) fn first_token(&mut self) {
        let now = Instant::now();
        self.first_token = Some(now);
        self.admission.first_token(now);
    }

    /// What the usage costs at the deployment's price, rounded up to a nano-USD, if both are known.
    pub(crate) fn cost_nano_usd(&self) -> Option<u64> {
        Some(cost(self.deployment.price?, self.usage?))
    }
}

impl Drop for Settlement {
    fn drop(&mut self) {
        self.finish(Outcome::Cancelled);
    }
}

/// Prices are nano-USD per million tokens; the sum is rounded up once.
fn cost(price: Price, usage: Usage) -> u64 {
    let Price {
        input,
        output,
        cached_input,
    } = price;
    let cached = usage.cached_input.min(usage.input);
    let sum = u128::from(usage.input - cached) * u128::from(input)
        + u128::from(cached) * u128::from(cached_input.unwrap_or(input))
        + u128::from(usage.output) * u128::from(output);
    u64::try_from(sum.div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_is_exact_and_rounded_up_once() {
        let price = Price {
            input: 37_500_000,
            output: 15_000_000_000,
            cached_input: Some(300_000_000),
        };
        let usage = |input, cached_input, output| Usage {
            input,
            cached_input,
            output,
            ..Usage::default()
        };
        for (usage, expected) in [
            (usage(0, 0, 0), 0),
            (usage(1, 0, 0), 38),
            (usage(1_000_000, 0, 0), 37_500_000),
            (usage(10, 10, 0), 3_000),
            (usage(0, 0, 1), 15_000),
            (usage(u64::MAX, 0, u64::MAX), u64::MAX),
        ] {
            assert_eq!(cost(price, usage), expected, "{usage:?}");
        }
        let flat = Price {
            cached_input: None,
            ..price
        };
        assert_eq!(cost(flat, usage(2, 1, 0)), 75);
    }
}
