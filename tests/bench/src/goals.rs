//! What the sidecar promises, as data.

use crate::metric::{Metric, PROCESS};
use crate::scenario::{self, STREAM};

/// What a goal's limit is compared with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    /// The median of the rounds' ratios to nginx.
    TimesReference(f64),
    /// The median of the rounds' values.
    Value(f64),
    /// The median of the rounds' values as multiples of those of another scenario.
    Times(&'static str, f64),
}

/// One promise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Goal {
    /// The scenario's name, or [`PROCESS`].
    pub(crate) scenario: &'static str,
    /// The figure.
    pub(crate) metric: Metric,
    /// What it must not exceed.
    pub(crate) limit: Limit,
}

/// About one scenario each.
const SINGLE: [Goal; 17] = [
    goal("passthrough", Metric::CpuPerRequest, Limit::TimesReference(1.3)),
    goal("messages-messages", Metric::CpuPerRequest, Limit::TimesReference(1.3)),
    goal("chat-messages", Metric::CpuPerRequest, Limit::TimesReference(1.8)),
    goal("messages-chat", Metric::CpuPerRequest, Limit::TimesReference(1.8)),
    goal("prompt-128k", Metric::CpuPerRequest, Limit::TimesReference(1.05)),
    goal(STREAM, Metric::CpuPerChunk, Limit::TimesReference(0.85)),
    goal("passthrough", Metric::OpenAddedP50, Limit::TimesReference(1.1)),
    goal(STREAM, Metric::FirstAddedP50, Limit::TimesReference(1.2)),
    goal(PROCESS, Metric::ResidentIdle, Limit::Value(6.0)),
    goal(PROCESS, Metric::StartToReady, Limit::Value(20.0)),
    goal(PROCESS, Metric::BinarySize, Limit::Value(10.0)),
    linear("chat-messages-2m", "chat-messages-256k"),
    linear("messages-chat-2m", "messages-chat-256k"),
    linear("responses-gemini-2m", "responses-gemini-256k"),
    linear("responses-converse-2m", "responses-converse-256k"),
    linear("gemini-cohere-2m", "gemini-cohere-256k"),
    linear("gemini-ollama-2m", "gemini-ollama-256k"),
];

const fn goal(scenario: &'static str, metric: Metric, limit: Limit) -> Goal {
    Goal {
        scenario,
        metric,
        limit,
    }
}

/// Each byte costs the same, or, as caches are not endless, little more.
const fn linear(longer: &'static str, shorter: &'static str) -> Goal {
    goal(longer, Metric::CpuPerKilobyte, Limit::Times(shorter, 1.3))
}

/// All of them; those about one scenario stand before those about every pair.
pub(crate) fn all() -> impl Iterator<Item = Goal> {
    let pairs = scenario::PAIRS.iter().flat_map(|pair| {
        [
            goal(pair.name, Metric::CpuPerRequest, Limit::TimesReference(2.0)),
            goal(pair.name, Metric::ChunkOverPassed, Limit::Value(2.0)),
        ]
    });
    SINGLE.into_iter().chain(pairs)
}

/// The promise about a figure, if there is one.
pub(crate) fn of(scenario: &str, metric: Metric) -> Option<Limit> {
    all()
        .find(|goal| goal.scenario == scenario && goal.metric == metric)
        .map(|goal| goal.limit)
}
