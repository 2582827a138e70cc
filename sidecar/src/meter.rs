//! What is counted, and under which names.
//!
//! Series are resolved once, when a configuration comes into force, and then only added to: looking labels up per
//! request is the dear way to count. Counters therefore exist at zero, and a label's values are bounded by the
//! configuration: a model name that no policy claims is counted as `other`.

use crate::dialect::{Dialect, Operation, Usage};
use prometheus::{Counter, CounterVec, Gauge, Histogram, HistogramOpts, HistogramVec, IntCounter};
use prometheus::{IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder};
use std::sync::Arc;

/// How one attempt ended; the rows of the failure table, and success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    /// An answer, or the client's own error, reached the client.
    Ok,
    /// Refused, DNS, TLS, connect timeout, or lost before the whole body was sent.
    Connect,
    /// Not processed for certain: REFUSED_STREAM, GOAWAY below our stream.
    NotProcessed,
    /// A reused connection ended before any byte of the answer.
    Stale,
    /// 429 for rate, 503, 529, 498.
    Limited,
    /// 401, 403.
    Unauthorised,
    /// 402, 429 for spend.
    Spent,
    /// 404 for the model.
    ModelNotFound,
    /// 500, 502, 504, 408.
    ServerError,
    /// Reset or end after the body was sent and before the commit.
    Interrupted,
    /// No first token in time, or the attempt's time was up.
    Timeout,
    /// Unparsable or truncated answer.
    Malformed,
    /// 400 because the input is longer than the model's window.
    ContextOverflow,
    /// Any other 4xx.
    Client,
    /// The client went away.
    Cancelled,
    /// The stream broke after it was committed.
    Broken,
    /// The whole request's time was up: the client's patience, or the policy's, says nothing about the upstream.
    Deadline,
    /// The sidecar itself had no memory left for the answer.
    NoMemory,
}

impl Outcome {
    /// Every outcome, in the order of their discriminants.
    pub(crate) const ALL: [Self; 18] = [
        Self::Ok,
        Self::Connect,
        Self::NotProcessed,
        Self::Stale,
        Self::Limited,
        Self::Unauthorised,
        Self::Spent,
        Self::ModelNotFound,
        Self::ServerError,
        Self::Interrupted,
        Self::Timeout,
        Self::Malformed,
        Self::ContextOverflow,
        Self::Client,
        Self::Cancelled,
        Self::Broken,
        Self::Deadline,
        Self::NoMemory,
    ];

    /// Those after which another deployment may be tried: the reasons of failovers.
    pub(crate) const LEADING_ON: [Self; 12] = [
        Self::Connect,
        Self::NotProcessed,
        Self::Stale,
        Self::Limited,
        Self::Unauthorised,
        Self::Spent,
        Self::ModelNotFound,
        Self::ServerError,
        Self::Interrupted,
        Self::Timeout,
        Self::Malformed,
        Self::ContextOverflow,
    ];

    /// The value of the `outcome` and `reason` labels.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Connect => "connect",
            Self::NotProcessed => "not_processed",
            Self::Stale => "stale_connection",
            Self::Limited => "limited",
            Self::Unauthorised => "unauthorised",
            Self::Spent => "spent",
            Self::ModelNotFound => "model_not_found",
            Self::ServerError => "server_error",
            Self::Interrupted => "interrupted",
            Self::Timeout => "timeout",
            Self::Malformed => "malformed",
            Self::ContextOverflow => "context_overflow",
            Self::Client => "client_error",
            Self::Cancelled => "cancelled",
            Self::Broken => "broken_stream",
            Self::Deadline => "deadline",
            Self::NoMemory => "no_memory",
        }
    }
}

/// Who asked for what, as far as the labels of a request go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub dialect: Dialect,
    pub operation: Operation,
    pub stream: bool,
}

impl Shape {
    /// The value of the `dialect` label.
    fn dialect_label(self) -> &'static str {
        match (self.operation, self.dialect) {
            (Operation::Embeddings, _) => "embeddings",
            (Operation::Generate, Dialect::Chat) => "chat",
            (Operation::Generate, Dialect::Messages) => "messages",
        }
    }

    fn stream_label(self) -> &'static str {
        if self.stream { "true" } else { "false" }
    }

    /// Index into the per-shape handles of [`RouteSeries`].
    fn index(self) -> usize {
        let dialect = match (self.operation, self.dialect) {
            (Operation::Generate, Dialect::Chat) => 0,
            (Operation::Generate, Dialect::Messages) => 1,
            (Operation::Embeddings, _) => 2,
        };
        dialect * 2 + usize::from(self.stream)
    }

    /// Every shape that has a handle of its own, in the order of [`Shape::index`].
    const ALL: [Self; 5] = [
        Self {
            dialect: Dialect::Chat,
            operation: Operation::Generate,
            stream: false,
        },
        Self {
            dialect: Dialect::Chat,
            operation: Operation::Generate,
            stream: true,
        },
        Self {
            dialect: Dialect::Messages,
            operation: Operation::Generate,
            stream: false,
        },
        Self {
            dialect: Dialect::Messages,
            operation: Operation::Generate,
            stream: true,
        },
        Self {
            dialect: Dialect::Chat,
            operation: Operation::Embeddings,
            stream: false,
        },
    ];
}

/// The model of requests that no policy answers for: names are the client's to invent, and each would be a series.
const OTHER: &str = "other";

/// All families of this process, and its gauges.
pub(crate) struct Meter {
    registry: Registry,
    requests: IntCounterVec,
    attempts: IntCounterVec,
    failovers: IntCounterVec,
    losses: IntCounterVec,
    tokens: IntCounterVec,
    cost: CounterVec,
    token_usage: HistogramVec,
    duration: HistogramVec,
    first_token: HistogramVec,
    per_output_token: HistogramVec,
    /// Time in the sidecar, upstream excluded.
    pub overhead: Histogram,
    /// Requests whose answer has not ended.
    pub in_flight: IntGauge,
    /// Bytes of bodies that are held in memory.
    pub held_bytes: IntGauge,
    /// Tasks of this process: ours and hyper's.
    pub tasks: IntGauge,
    /// Open connections from applications.
    pub connections_in: IntGauge,
    /// Open connections to providers.
    pub connections_out: IntGauge,
    config_info: IntGaugeVec,
    config_age: Gauge,
}

impl Meter {
    pub(crate) fn new() -> Result<Arc<Self>, prometheus::Error> {
        let families = Families {
            registry: Registry::new(),
        };
        let requests = families.int_counters(
            "pilotfish_requests_total",
            "Requests answered, by what was asked for and the status the client saw.",
            &["model", "deployment", "code", "dialect", "stream"],
        )?;
        for shape in Shape::ALL {
            requests.with_label_values(&[OTHER, "", "404", shape.dialect_label(), shape.stream_label()]);
        }
        let connections = families.int_gauges("pilotfish_connections", "Open connections, by side.", &["side"])?;
        let token_kind = &["deployment", "kind"];
        let gen_ai = [
            "gen_ai_operation_name",
            "gen_ai_provider_name",
            "gen_ai_request_model",
            "gen_ai_response_model",
        ];
        let with = |label| [&gen_ai[..], &[label]].concat();
        let meter = Self {
            requests,
            attempts: families.int_counters(
                "pilotfish_attempts_total",
                "Upstream calls, by how they ended.",
                &["deployment", "outcome"],
            )?,
            failovers: families.int_counters(
                "pilotfish_failovers_total",
                "Requests that left one deployment for another, by why.",
                &["from", "to", "reason"],
            )?,
            losses: families.int_counters(
                "pilotfish_translation_losses_total",
                "Request fields that an upstream could not carry and that were dropped, by how much it matters.",
                &["deployment", "grade"],
            )?,
            tokens: families.int_counters(
                "pilotfish_tokens_total",
                "Tokens as the provider counted them; input includes cached_input, output includes reasoning.",
                token_kind,
            )?,
            cost: families.counters(
                "pilotfish_cost_usd_total",
                "Cost at the deployment's price.",
                &["deployment"],
            )?,
            token_usage: families.histograms(
                "gen_ai_client_token_usage",
                "Tokens of one request.",
                &with("gen_ai_token_type"),
                TOKEN_BUCKETS,
            )?,
            duration: families.histograms(
                "gen_ai_client_operation_duration_seconds",
                "From the request's first byte to the answer's last.",
                &with("error_type"),
                DURATION_BUCKETS,
            )?,
            first_token: families.histograms(
                "gen_ai_server_time_to_first_token_seconds",
                "From the call upstream to its first content, streams only.",
                &gen_ai,
                FIRST_TOKEN_BUCKETS,
            )?,
            per_output_token: families.histograms(
                "gen_ai_server_time_per_output_token_seconds",
                "Time per output token after the first, streams only.",
                &gen_ai,
                PER_TOKEN_BUCKETS,
            )?,
            overhead: families.histogram(
                "pilotfish_overhead_seconds",
                "Time a request spent in the sidecar itself, waiting for the upstream and the client excluded.",
                OVERHEAD_BUCKETS,
            )?,
            in_flight: families.int_gauge("pilotfish_requests_in_flight", "Requests whose answer has not ended.")?,
            held_bytes: families.int_gauge("pilotfish_held_bytes", "Bytes of bodies held in memory.")?,
            tasks: families.int_gauge("pilotfish_tasks", "Tasks of this process.")?,
            connections_in: connections.with_label_values(&["downstream"]),
            connections_out: connections.with_label_values(&["upstream"]),
            config_info: families.int_gauges("pilotfish_config_info", "The configuration in force.", &["version"])?,
            config_age: families.gauge(
                "pilotfish_config_age_seconds",
                "Since the configuration in force was received.",
            )?,
            registry: families.registry,
        };
        Ok(Arc::new(meter))
    }

    /// Shows `version` as the configuration in force.
    pub(crate) fn configuration(&self, version: &str) {
        self.config_info.reset();
        self.config_info.with_label_values(&[version]).set(1);
    }

    /// The exposition text, `config_age` being `age_seconds`.
    pub(crate) fn exposition(&self, age_seconds: f64) -> Result<String, prometheus::Error> {
        self.config_age.set(age_seconds);
        TextEncoder::new().encode_to_string(&self.registry.gather())
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
        self.requests.with_label_values(&labels).inc();
    }

    /// The series of one deployment.
    pub(crate) fn deployment(&self, name: &str) -> Arc<DeploymentSeries> {
        let tokens = |kind| self.tokens.with_label_values(&[name, kind]);
        Arc::new(DeploymentSeries {
            attempts: Outcome::ALL.map(|outcome| self.attempts.with_label_values(&[name, outcome.label()])),
            input: tokens("input"),
            cached_input: tokens("cached_input"),
            output: tokens("output"),
            reasoning: tokens("reasoning"),
            cost: self.cost.with_label_values(&[name]),
            hints_lost: self.losses.with_label_values(&[name, "hint"]),
            meaning_lost: self.losses.with_label_values(&[name, "meaning"]),
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
        let with = |operation, last| [&gen_ai(operation)[..], &[last]].concat();
        let request = |shape: Shape| {
            let labels = [model, deployment, "200", shape.dialect_label(), shape.stream_label()];
            self.requests.with_label_values(&labels)
        };
        let timed = |operation| Timed {
            duration: self.duration.with_label_values(&with(operation, "")),
            input: self.token_usage.with_label_values(&with(operation, "input")),
            output: self.token_usage.with_label_values(&with(operation, "output")),
        };
        RouteSeries {
            meter: Arc::clone(self),
            model: model.into(),
            deployment: deployment.into(),
            gen_ai: ["chat", provider, model, upstream_model].map(Into::into),
            ok: Shape::ALL.map(request),
            chat: timed("chat"),
            embeddings: timed("embeddings"),
            first_token: self.first_token.with_label_values(&gen_ai("chat")),
            per_output_token: self.per_output_token.with_label_values(&gen_ai("chat")),
        }
    }

    /// The series of every step that a request may take from one of these deployments to another.
    pub(crate) fn failovers_among(&self, deployments: &[&str]) {
        if deployments.len() > MOST_PAIRED {
            return;
        }
        for from in deployments {
            for to in deployments.iter().filter(|to| *to != from) {
                for reason in Outcome::LEADING_ON {
                    self.failover(from, to, reason);
                }
            }
        }
    }

    /// The counter of one step from deployment to deployment.
    pub(crate) fn failover(&self, from: &str, to: &str, reason: Outcome) -> IntCounter {
        self.failovers.with_label_values(&[from, to, reason.label()])
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

/// Counters of one deployment, resolved.
pub(crate) struct DeploymentSeries {
    attempts: [IntCounter; Outcome::ALL.len()],
    input: IntCounter,
    cached_input: IntCounter,
    output: IntCounter,
    reasoning: IntCounter,
    cost: Counter,
    hints_lost: IntCounter,
    meaning_lost: IntCounter,
}

impl DeploymentSeries {
    pub(crate) fn attempt(&self, outcome: Outcome) {
        self.attempts[outcome as usize].inc();
    }

    pub(crate) fn lost(&self, hints: u64, meanings: u64) {
        self.hints_lost.inc_by(hints);
        self.meaning_lost.inc_by(meanings);
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

struct Timed {
    duration: Histogram,
    input: Histogram,
    output: Histogram,
}

/// Series of one model name at one deployment, resolved for the common case.
pub(crate) struct RouteSeries {
    meter: Arc<Meter>,
    model: Box<str>,
    deployment: Box<str>,
    gen_ai: [Box<str>; 4],
    ok: [IntCounter; Shape::ALL.len()],
    chat: Timed,
    embeddings: Timed,
    first_token: Histogram,
    per_output_token: Histogram,
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
            Operation::Embeddings => &self.embeddings,
        };
        match ended.error {
            None => timed.duration.observe(ended.seconds),
            Some(error) => {
                let [operation, provider, model, upstream] = self.gen_ai.each_ref().map(AsRef::as_ref);
                let labels = [operation, provider, model, upstream, error.label()];
                self.meter.duration.with_label_values(&labels).observe(ended.seconds);
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
        self.meter.requests.with_label_values(&labels).inc();
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

/// Makes and registers families.
struct Families {
    registry: Registry,
}

impl Families {
    fn register<C: prometheus::core::Collector + Clone + 'static>(&self, family: C) -> Result<C, prometheus::Error> {
        self.registry.register(Box::new(family.clone()))?;
        Ok(family)
    }

    fn int_counters(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec, prometheus::Error> {
        self.register(IntCounterVec::new(Opts::new(name, help), labels)?)
    }

    fn counters(&self, name: &str, help: &str, labels: &[&str]) -> Result<CounterVec, prometheus::Error> {
        self.register(CounterVec::new(Opts::new(name, help), labels)?)
    }

    fn histograms(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
        buckets: &[f64],
    ) -> Result<HistogramVec, prometheus::Error> {
        self.register(HistogramVec::new(
            HistogramOpts::new(name, help).buckets(buckets.to_vec()),
            labels,
        )?)
    }

    fn histogram(&self, name: &str, help: &str, buckets: &[f64]) -> Result<Histogram, prometheus::Error> {
        self.register(Histogram::with_opts(
            HistogramOpts::new(name, help).buckets(buckets.to_vec()),
        )?)
    }

    fn int_gauges(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntGaugeVec, prometheus::Error> {
        self.register(IntGaugeVec::new(Opts::new(name, help), labels)?)
    }

    fn int_gauge(&self, name: &str, help: &str) -> Result<IntGauge, prometheus::Error> {
        self.register(IntGauge::new(name, help)?)
    }

    fn gauge(&self, name: &str, help: &str) -> Result<Gauge, prometheus::Error> {
        self.register(Gauge::new(name, help)?)
    }
}

// The buckets that OpenTelemetry's GenAI semantic conventions advise.
const TOKEN_BUCKETS: &[f64] = &[
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1024.0,
    4096.0,
    16384.0,
    65536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];
const DURATION_BUCKETS: &[f64] = &[
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];
const FIRST_TOKEN_BUCKETS: &[f64] = &[
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];
const PER_TOKEN_BUCKETS: &[f64] = &[0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5];
/// From a request that costs nothing to one that copies megabytes.
const OVERHEAD_BUCKETS: &[f64] = &[
    0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05,
];

#[cfg(test)]
mod tests;
