//! Series that are resolved once, and then only added to.

use super::outcomes::Attempts;
use super::value::{Counter, Histogram, IntCounter};
use super::{Meter, Outcome, Shape};
use crate::dialect::{Grade, Losses, Operation, Usage};
use std::sync::Arc;

/// Counters of one deployment, resolved.
pub(crate) struct DeploymentSeries {
    pub(super) attempts: Attempts,
    pub(super) input: IntCounter,
    pub(super) cached_input: IntCounter,
    pub(super) output: IntCounter,
    pub(super) reasoning: IntCounter,
    pub(super) cost: Counter,
    pub(super) hints_lost: IntCounter,
    pub(super) meaning_lost: IntCounter,
}

impl DeploymentSeries {
    pub(crate) fn attempt(&self, outcome: Outcome) {
        self.attempts.count(outcome);
    }

    /// Adds what a request or its answer lost between two dialects.
    pub(crate) fn lost(&self, losses: &Losses) {
        for loss in losses {
            match loss.grade {
                Grade::Hint => self.hints_lost.inc(),
                Grade::Meaning => self.meaning_lost.inc(),
            }
        }
    }

    /// Adds one request's tokens and what they cost, nano-USD.
    pub(crate) fn usage(&self, usage: Usage, cost_nano_usd: u64) {
        self.input.inc_by(usage.input);
        self.cached_input.inc_by(usage.cached_input);
        self.output.inc_by(usage.output);
        self.reasoning.inc_by(usage.reasoning);
        if cost_nano_usd > 0 {
            self.cost.inc_by(nano_usd_as_usd(cost_nano_usd));
        }
    }
}

/// For display and for Prometheus, whose values are floats; never for a decision.
#[expect(
    clippy::cast_precision_loss,
    reason = "a figure shown in dollars needs no more than 53 bits"
)]
pub(crate) fn nano_usd_as_usd(nano_usd: u64) -> f64 {
    nano_usd as f64 / 1e9
}

pub(super) struct Timed {
    pub(super) duration: Histogram,
    pub(super) input: Histogram,
    pub(super) output: Histogram,
}

/// Series of one model name at one deployment, resolved for the common case.
pub(crate) struct RouteSeries {
    pub(super) meter: Arc<Meter>,
    pub(super) model: Box<str>,
    pub(super) deployment: Box<str>,
    pub(super) gen_ai: [Box<str>; 4],
    pub(super) ok: [IntCounter; Shape::ALL.len()],
    pub(super) chat: Timed,
    pub(super) completions: Timed,
    pub(super) embeddings: Timed,
    pub(super) counts: Timed,
    pub(super) reranks: Timed,
    pub(super) first_token: Histogram,
    pub(super) per_output_token: Histogram,
}

/// One request that reached a deployment, as it ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    pub shape: Shape,
    pub code: u16,
    /// Seconds from the request's first byte to the answer's last.
    pub seconds: f64,
    /// Streams whose first content came.
    pub streamed: Option<Streamed>,
    pub usage: Option<Usage>,
    /// Absent when all went well; `error.type` otherwise.
    pub error: Option<Outcome>,
}

/// The two times of a stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Streamed {
    /// Seconds from the call upstream to its first content.
    pub first_token_seconds: f64,
    /// Seconds from there to the answer's end.
    pub rest_seconds: f64,
}

impl RouteSeries {
    pub(crate) fn ended(&self, ended: &Ended) {
        self.count(ended);
        let timed = match ended.shape.operation {
            Operation::Generate => &self.chat,
            Operation::Completions => &self.completions,
            Operation::Embeddings | Operation::EmbedOne => &self.embeddings,
            Operation::CountTokens => &self.counts,
            Operation::Rerank => &self.reranks,
        };
        match ended.error {
            None => timed.duration.observe(ended.seconds),
            Some(error) => {
                let [operation, provider, model, upstream] = self.gen_ai.each_ref().map(AsRef::as_ref);
                let labels = [operation, provider, model, upstream, error.label()];
                self.meter.duration.with(&labels).observe(ended.seconds);
            }
        }
        if let Some(usage) = ended.usage {
            timed.input.observe(count_as_f64(usage.input));
            timed.output.observe(count_as_f64(usage.output));
        }
        if let Some(streamed) = ended.streamed {
            self.first_token.observe(streamed.first_token_seconds);
            self.per_token(streamed, ended.usage.unwrap_or_default());
        }
    }

    fn count(&self, ended: &Ended) {
        if ended.code == 200 {
            self.ok[ended.shape.index().min(Shape::ALL.len() - 1)].inc();
            return;
        }
        let code = ended.code.to_string();
        let labels = [
            &*self.model,
            &*self.deployment,
            &code,
            ended.shape.dialect_label(),
            ended.shape.stream_label(),
        ];
        self.meter.requests.with(&labels).inc();
    }

    fn per_token(&self, streamed: Streamed, usage: Usage) {
        if usage.output > 1 {
            self.per_output_token
                .observe(streamed.rest_seconds / count_as_f64(usage.output - 1));
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a histogram of token counts needs no more than 53 bits"
)]
fn count_as_f64(count: u64) -> f64 {
    count as f64
}
