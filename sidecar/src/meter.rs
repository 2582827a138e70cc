//! What is counted, and under which names.
//!
//! Series are resolved once, when a configuration comes into force, and then only added to: looking labels up per
//! request is the dear way to count. Counters therefore exist at zero, and a label's values are bounded by the
//! configuration: a model name that no policy claims is counted as `other`.

mod families;
mod family;
mod labels;
mod operator;
mod outcomes;
mod series;
mod value;

pub(crate) use labels::{Outcome, Shape};
pub(crate) use operator::OperatorSeries;
pub(crate) use series::{DeploymentSeries, Ended, RouteSeries, Streamed};
pub use value::IntGauge;

use families::{DURATION_BUCKETS, FIRST_TOKEN_BUCKETS, Families, OVERHEAD_BUCKETS, PER_TOKEN_BUCKETS, TOKEN_BUCKETS};
use family::Family;
use outcomes::{Attempts, Failovers};
use pilotfish_wire::Kind;
use series::Timed;
use std::sync::Arc;
use value::{Counter, Gauge, Histogram, IntCounter};

/// The model of requests that no policy answers for: names are the client's to invent, and each would be a series.
const OTHER: &str = "other";

/// All families of this process, and its gauges.
pub(crate) struct Meter {
    families: Families,
    requests: Family<IntCounter, 5>,
    attempts: Family<Attempts, 1>,
    failovers: Family<Failovers, 2>,
    losses: Family<IntCounter, 2>,
    tokens: Family<IntCounter, 2>,
    cost: Family<Counter, 1>,
    token_usage: Family<Histogram, 5>,
    duration: Family<Histogram, 5>,
    first_token: Family<Histogram, 4>,
    per_output_token: Family<Histogram, 4>,
    /// Time in the sidecar, upstream excluded.
    pub overhead: Histogram,
    /// Requests whose answer has not ended.
    pub in_flight: IntGauge,
    /// Bytes of bodies that are held in memory.
    pub held_bytes: IntGauge,
    /// Tasks of this process: ours and hyper's.
    pub tasks: IntGauge,
    /// Answers whose reasoning is kept, and its bytes.
    pub thoughts: IntGauge,
    pub thought_bytes: IntGauge,
    /// Open connections from applications.
    pub connections_in: IntGauge,
    /// Open connections to providers.
    pub connections_out: IntGauge,
    /// Batches that were committed.
    pub batches: IntCounter,
    /// Resources that batches have sent.
    pub resources: IntCounter,
    nacks: Family<IntCounter, 1>,
    config_info: Family<IntGauge, 1>,
    config_age: Gauge,
}

impl Meter {
    pub(crate) fn new() -> Arc<Self> {
        let families = Families::default();
        let requests = families.int_counters(
            "pilotfish_requests_total",
            "Requests answered, by what was asked for and the status the client saw.",
            ["model", "deployment", "code", "dialect", "stream"],
        );
        for shape in Shape::ALL {
            requests.with(&[OTHER, "", "404", shape.dialect_label(), shape.stream_label()]);
        }
        let nacks = families.int_counters(
            "pilotfish_config_nacks_total",
            "Versions of resources that were refused, by kind; the version before stays in force.",
            ["kind"],
        );
        for kind in Kind::ALL {
            nacks.with(&[kind.as_str()]);
        }
        let connections = families.int_gauges("pilotfish_connections", "Open connections, by side.", ["side"]);
        let token_kind = ["deployment", "kind"];
        let gen_ai = [
            "gen_ai_operation_name",
            "gen_ai_provider_name",
            "gen_ai_request_model",
            "gen_ai_response_model",
        ];
        let [operation, provider, asked, answered] = gen_ai;
        let with = |label| [operation, provider, asked, answered, label];
        let meter = Self {
            requests,
            attempts: families.outcomes(
                "pilotfish_attempts_total",
                "Upstream calls, by how they ended.",
                ["deployment"],
            ),
            failovers: families.outcomes(
                "pilotfish_failovers_total",
                "Requests that left one deployment for another, by why.",
                ["from", "to"],
            ),
            losses: families.int_counters(
                "pilotfish_translation_losses_total",
                "What of requests and answers another dialect could not carry and was dropped, by how much it matters.",
                ["deployment", "grade"],
            ),
            tokens: families.int_counters(
                "pilotfish_tokens_total",
                "Tokens as the provider counted them; input includes cached_input, output includes reasoning.",
                token_kind,
            ),
            cost: families.counters(
                "pilotfish_cost_usd_total",
                "Cost at the deployment's price.",
                ["deployment"],
            ),
            token_usage: families.histograms(
                "gen_ai_client_token_usage",
                "Tokens of one request.",
                with("gen_ai_token_type"),
                TOKEN_BUCKETS,
            ),
            duration: families.histograms(
                "gen_ai_client_operation_duration_seconds",
                "From the request's first byte to the answer's last.",
                with("error_type"),
                DURATION_BUCKETS,
            ),
            first_token: families.histograms(
                "gen_ai_server_time_to_first_token_seconds",
                "From the call upstream to its first content, streams only.",
                gen_ai,
                FIRST_TOKEN_BUCKETS,
            ),
            per_output_token: families.histograms(
                "gen_ai_server_time_per_output_token_seconds",
                "Time per output token after the first, streams only.",
                gen_ai,
                PER_TOKEN_BUCKETS,
            ),
            overhead: families.histogram(
                "pilotfish_overhead_seconds",
                "Time a request spent in the sidecar itself, waiting for the upstream and the client excluded.",
                OVERHEAD_BUCKETS,
            ),
            in_flight: families.int_gauge("pilotfish_requests_in_flight", "Requests whose answer has not ended."),
            held_bytes: families.int_gauge("pilotfish_held_bytes", "Bytes of bodies held in memory."),
            tasks: families.int_gauge("pilotfish_tasks", "Tasks of this process."),
            thoughts: families.int_gauge(
                "pilotfish_kept_reasoning",
                "Answers whose reasoning is kept for clients that drop it.",
            ),
            thought_bytes: families.int_gauge("pilotfish_kept_reasoning_bytes", "Bytes of the reasoning that is kept."),
            connections_in: connections.with(&["downstream"]),
            connections_out: connections.with(&["upstream"]),
            batches: families.int_counter(
                "pilotfish_config_batches_total",
                "Batches of configuration received whole.",
            ),
            resources: families.int_counter(
                "pilotfish_config_resources_total",
                "Resources that batches brought, new, changed, or sent again.",
            ),
            nacks,
            config_info: families.int_gauges("pilotfish_config_info", "The configuration in force.", ["version"]),
            config_age: families.gauge(
                "pilotfish_config_age_seconds",
                "Since the configuration in force was received.",
            ),
            families,
        };
        Arc::new(meter)
    }

    /// Shows `version` as the configuration in force.
    pub(crate) fn configuration(&self, version: &str) {
        self.config_info.reset();
        self.config_info.with(&[version]).set(1);
    }

    /// Counts a version of a resource that cannot be used.
    pub(crate) fn refused(&self, kind: Kind) {
        self.nacks.with(&[kind.as_str()]).inc();
    }

    /// The exposition text, `config_age` being `age_seconds`.
    pub(crate) fn exposition(&self, age_seconds: f64) -> String {
        self.config_age.set(age_seconds);
        self.families.exposition()
    }

    /// A request that ended without a deployment: refused, unknown model, nothing left. `model` is a route's label.
    pub(crate) fn unserved(&self, model: Option<&str>, shape: Shape, code: u16) {
        let model = model.unwrap_or(OTHER);
        let labels = [
            model,
            "",
            &code.to_string(),
            shape.dialect_label(),
            shape.stream_label(),
        ];
        self.requests.with(&labels).inc();
    }

    /// The series of one deployment.
    pub(crate) fn deployment(&self, name: &str) -> Arc<DeploymentSeries> {
        let tokens = |kind| self.tokens.with(&[name, kind]);
        Arc::new(DeploymentSeries {
            attempts: self.attempts.with(&[name]),
            input: tokens("input"),
            cached_input: tokens("cached_input"),
            output: tokens("output"),
            reasoning: tokens("reasoning"),
            cost: self.cost.with(&[name]),
            hints_lost: self.losses.with(&[name, "hint"]),
            meaning_lost: self.losses.with(&[name, "meaning"]),
        })
    }

    /// The series of one model name at one deployment.
    pub(crate) fn route(
        self: &Arc<Self>,
        model: &str,
        deployment: &str,
        provider: &str,
        upstream_model: &str,
    ) -> RouteSeries {
        let gen_ai = |operation| [operation, provider, model, upstream_model];
        let with = |operation, last| [operation, provider, model, upstream_model, last];
        let request = |shape: Shape| {
            let labels = [model, deployment, "200", shape.dialect_label(), shape.stream_label()];
            self.requests.with(&labels)
        };
        let timed = |operation| Timed {
            duration: self.duration.with(&with(operation, "")),
            input: self.token_usage.with(&with(operation, "input")),
            output: self.token_usage.with(&with(operation, "output")),
        };
        RouteSeries {
            meter: Arc::clone(self),
            model: model.into(),
            deployment: deployment.into(),
            gen_ai: ["chat", provider, model, upstream_model].map(Into::into),
            ok: Shape::ALL.map(request),
            chat: timed("chat"),
            completions: timed("text_completion"),
            embeddings: timed("embeddings"),
            counts: timed("count_tokens"),
            reranks: timed("rerank"),
            first_token: self.first_token.with(&gen_ai("chat")),
            per_output_token: self.per_output_token.with(&gen_ai("chat")),
        }
    }

    /// The series of every step that a request may take from one of these deployments to another.
    pub(crate) fn failovers_among(&self, deployments: &[&str]) {
        if deployments.len() > MOST_PAIRED {
            return;
        }
        for from in deployments {
            for to in deployments.iter().filter(|to| *to != from) {
                self.failovers.with(&[from, to]);
            }
        }
    }

    /// Counts one step from deployment to deployment.
    pub(crate) fn failover(&self, from: &str, to: &str, reason: Outcome) {
        self.failovers.with(&[from, to]).count(reason);
    }
}

/// Of more deployments than these the failovers begin with the first one counted: their pairs are too many to show.
const MOST_PAIRED: usize = 8;

/// Counts a request for as long as its answer has not ended.
pub(crate) struct InFlight(Arc<Meter>);

impl InFlight {
    pub(crate) fn new(meter: &Arc<Meter>) -> Self {
        meter.in_flight.inc();
        Self(Arc::clone(meter))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.dec();
    }
}

#[cfg(test)]
mod tests;
