//! What the sidecar promises, as data.

use crate::metric::{Metric, PROCESS};

/// What a goal's limit is compared with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    /// The median of the rounds' ratios to nginx.
    TimesReference(f64),
    /// The median of the rounds' values.
    Value(f64),
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

/// All of them.
pub(crate) const GOALS: [Goal; 11] = [
    goal("passthrough", Metric::CpuPerRequest, Limit::TimesReference(1.3)),
    goal("messages-messages", Metric::CpuPerRequest, Limit::TimesReference(1.3)),
    goal("chat-messages", Metric::CpuPerRequest, Limit::TimesReference(1.8)),
    goal("messages-chat", Metric::CpuPerRequest, Limit::TimesReference(1.8)),
    goal("prompt-128k", Metric::CpuPerRequest, Limit::TimesReference(1.05)),
    goal("stream", Metric::CpuPerChunk, Limit::TimesReference(0.85)),
    goal("passthrough", Metric::OpenAddedP50, Limit::TimesReference(1.1)),
    goal("stream", Metric::FirstAddedP50, Limit::TimesReference(1.2)),
    goal(PROCESS, Metric::ResidentIdle, Limit::Value(6.0)),
    goal(PROCESS, Metric::StartToReady, Limit::Value(20.0)),
    goal(PROCESS, Metric::BinarySize, Limit::Value(10.0)),
];

const fn goal(scenario: &'static str, metric: Metric, limit: Limit) -> Goal {
    Goal {
        scenario,
        metric,
        limit,
    }
}

/// The promise about a figure, if there is one.
pub(crate) fn of(scenario: &str, metric: Metric) -> Option<Limit> {
    GOALS
        .iter()
        .find(|goal| goal.scenario == scenario && goal.metric == metric)
        .map(|goal| goal.limit)
}
