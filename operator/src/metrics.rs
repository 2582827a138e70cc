//! What the operator counts, and under which names.
//!
//! One [`Metrics`] is made at the start and handed to every part; each adds to its own series. Every series whose labels
//! are a fixed set exists at zero from the start, so that a rate over it is right from the first event on.

mod families;
mod labels;
mod watch;

pub use labels::{Admission, Certificate, Ending, Issuance, Occasion, Outcome, Subject, TokenReview, Told, Written};
pub use watch::WatchSeries;

use crate::admission::Webhook;
use families::{COMPILE_BUCKETS, Families};
use pilotfish_wire::Kind;
use prometheus::{Histogram, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry, TextEncoder};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::Instant;
use watch::WatchFamilies;

/// The kinds of resource that are sent.
const SENT_KINDS: [(Kind, &str); 5] = [
    (Kind::Credential, "credential"),
    (Kind::Deployment, "deployment"),
    (Kind::Key, "key"),
    (Kind::Policy, "policy"),
    (Kind::Routes, "routes"),
];

/// All series of this process.
pub struct Metrics {
    registry: Registry,
    watch_families: WatchFamilies,
    watches: Mutex<Vec<Arc<WatchSeries>>>,
    /// How long compiling one World took.
    pub compile_seconds: Histogram,
    /// Streams of sidecars that are open here.
    pub sidecars: IntGauge,
    /// Batches of configuration that were sent.
    pub batches: IntCounter,
    /// Urgent messages that were sent.
    pub urgent: IntCounter,
    /// Batches that were acknowledged, with or without refusals.
    pub acks: IntCounter,
    /// Resources that a sidecar refused when it acknowledged a batch.
    pub nacks: IntCounter,
    /// Configurations that a newer one replaced before a slow sidecar had read them.
    pub dropped_snapshots: IntCounter,
    /// 1 while this replica leads.
    pub leader: IntGauge,
    /// Namespaces whose sidecars cannot be told whom to trust.
    pub namespaces_untold: IntGauge,
    /// Revisions of what is in force that another key sealed.
    pub foreign_revisions: IntGauge,
    /// Revisions that cannot be written or deleted.
    pub unremembered: IntGauge,
    /// Pods whose sidecars are served nothing.
    pub pods_unserved: IntGauge,
    resources_sent: IntCounterVec,
    streams_ended: IntCounterVec,
    token_reviews: IntCounterVec,
    certificates_issued: IntCounterVec,
    certificate_expiry: IntGaugeVec,
    admissions: IntCounterVec,
    status_writes: IntCounterVec,
    events: IntCounterVec,
    key_writes: IntCounterVec,
}

impl Metrics {
    /// Registers everything. It fails only where two series have one name.
    pub fn new() -> Result<Arc<Self>, prometheus::Error> {
        let families = Families::default();
        let metrics = Self {
            watch_families: WatchFamilies::new(&families)?,
            watches: Mutex::default(),
            compile_seconds: families.histogram(
                "pilotfish_operator_compile_seconds",
                "Time to compile everything the cluster holds into what sidecars are sent.",
                COMPILE_BUCKETS,
            )?,
            sidecars: families.gauge("pilotfish_operator_sidecars", "Sidecars connected to this replica.")?,
            batches: families.counter("pilotfish_operator_batches_total", "Batches of configuration sent.")?,
            urgent: families.counter(
                "pilotfish_operator_urgent_messages_total",
                "Messages sent ahead of the configuration.",
            )?,
            acks: families.counter("pilotfish_operator_acks_total", "Batches that sidecars acknowledged.")?,
            nacks: families.counter("pilotfish_operator_nacks_total", "Resources that sidecars refused.")?,
            dropped_snapshots: families.counter(
                "pilotfish_operator_dropped_snapshots_total",
                "Configurations replaced by a newer one before a slow sidecar had read them.",
            )?,
            leader: families.gauge("pilotfish_operator_leader", "1 while this replica leads.")?,
            namespaces_untold: families.gauge(
                "pilotfish_operator_namespaces_untold",
                "Namespaces whose sidecars the leader cannot tell whom to trust.",
            )?,
            foreign_revisions: families.gauge(
                "pilotfish_operator_foreign_revisions",
                "Revisions of what is in force that were sealed with another key, and say nothing here.",
            )?,
            unremembered: families.gauge(
                "pilotfish_operator_unremembered",
                "Revisions of what is in force that the leader cannot write or delete: a restart may forget it.",
            )?,
            pods_unserved: families.gauge(
                "pilotfish_operator_pods_unserved",
                "Live pods whose sidecars are served nothing, because they are not trusted.",
            )?,
            resources_sent: families.counters(
                "pilotfish_operator_resources_sent_total",
                "Resources sent to sidecars, by kind. A reconnect sends none.",
                "kind",
                SENT_KINDS.map(|(_, label)| label),
            )?,
            streams_ended: families.counters(
                "pilotfish_operator_streams_ended_total",
                "Streams of sidecars that ended, by why.",
                "reason",
                Ending::ALL.map(Ending::label),
            )?,
            token_reviews: families.counters(
                "pilotfish_operator_token_reviews_total",
                "Tokens that the API server was asked about, by its answer.",
                "outcome",
                TokenReview::ALL.map(TokenReview::label),
            )?,
            certificates_issued: families.counters(
                "pilotfish_operator_certificates_issued_total",
                "Certificates that sidecars asked for, by what became of it.",
                "outcome",
                Issuance::ALL.map(Issuance::label),
            )?,
            certificate_expiry: families.gauges(
                "pilotfish_operator_certificate_expiry_timestamp_seconds",
                "When a certificate of this replica ends, in seconds since the Unix epoch; 0 while there is none.",
                "certificate",
                Certificate::ALL.map(Certificate::label),
            )?,
            admissions: families.counter_pairs(
                "pilotfish_operator_admissions_total",
                "Questions of the API server that a webhook answered, by its answer.",
                ["webhook", "outcome"],
                (&Webhook::ALL.map(Webhook::label), &Admission::ALL.map(Admission::label)),
            )?,
            status_writes: families.counter_pairs(
                "pilotfish_operator_status_writes_total",
                "Statuses written, by kind and by what came of it.",
                ["kind", "outcome"],
                (&Subject::ALL.map(Subject::label), &Written::ALL.map(Written::label)),
            )?,
            events: families.counter_pairs(
                "pilotfish_operator_events_total",
                "Kubernetes Events, by reason and by whether they were written.",
                ["reason", "outcome"],
                (&Occasion::ALL.map(Occasion::as_str), &Told::ALL.map(Told::label)),
            )?,
            key_writes: families.counters(
                "pilotfish_operator_key_writes_total",
                "Secrets of VirtualKeys written, by whether they could be.",
                "outcome",
                Outcome::ALL.map(Outcome::label),
            )?,
            registry: families.registry,
        };
        Ok(Arc::new(metrics))
    }

    /// The series of the watch on `kind`, such as `Pod`, which begins `now`. Called once for each watch.
    pub fn watch(&self, kind: &str, now: Instant) -> Arc<WatchSeries> {
        let series = Arc::new(self.watch_families.series(kind, now));
        let mut watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        watches.push(Arc::clone(&series));
        series
    }

    /// Resources of `kind` sent in batches or urgently.
    pub fn resource_sent(&self, kind: Kind) {
        if let Some((_, label)) = SENT_KINDS.iter().find(|(sent, _)| *sent == kind) {
            self.resources_sent.with_label_values(&[label]).inc();
        }
    }

    /// A sidecar's stream ended.
    pub fn stream_ended(&self, why: Ending) {
        self.streams_ended.with_label_values(&[why.label()]).inc();
    }

    /// The API server was asked about a token.
    pub fn token_review(&self, answer: TokenReview) {
        self.token_reviews.with_label_values(&[answer.label()]).inc();
    }

    /// A sidecar asked for a certificate.
    pub fn certificate_issued(&self, issuance: Issuance) {
        self.certificates_issued.with_label_values(&[issuance.label()]).inc();
    }

    /// `certificate` ends at `unix_seconds`.
    pub fn certificate_expires(&self, certificate: Certificate, unix_seconds: i64) {
        let gauge = self.certificate_expiry.with_label_values(&[certificate.label()]);
        gauge.set(unix_seconds);
    }

    /// A webhook was asked, and answered.
    pub fn admission(&self, webhook: Webhook, admission: Admission) {
        let labels = [webhook.label(), admission.label()];
        self.admissions.with_label_values(&labels).inc();
    }

    /// A status was written, or was not.
    pub fn status_write(&self, subject: Subject, written: Written) {
        let labels = [subject.label(), written.label()];
        self.status_writes.with_label_values(&labels).inc();
    }

    /// An Event was written, or was not.
    pub fn event(&self, occasion: Occasion, outcome: Told) {
        self.events
            .with_label_values(&[occasion.as_str(), outcome.label()])
            .inc();
    }

    /// A VirtualKey's Secret was written, or could not be.
    pub fn key_write(&self, outcome: Outcome) {
        self.key_writes.with_label_values(&[outcome.label()]).inc();
    }

    /// The exposition text at `now`.
    pub fn exposition(&self, now: Instant) -> Result<String, prometheus::Error> {
        let watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        watches.iter().for_each(|watch| watch.show_age(now));
        drop(watches);
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn line<'t>(text: &'t str, series: &str) -> &'t str {
        text.lines()
            .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))
            .unwrap_or_else(|| panic!("no {series} in\n{text}"))
    }

    #[test]
    fn what_was_never_counted_is_zero_and_not_absent() {
        let text = Metrics::new().unwrap().exposition(Instant::now()).unwrap();
        for series in [
            "pilotfish_operator_sidecars",
            "pilotfish_operator_batches_total",
            "pilotfish_operator_urgent_messages_total",
            "pilotfish_operator_acks_total",
            "pilotfish_operator_nacks_total",
            "pilotfish_operator_dropped_snapshots_total",
            "pilotfish_operator_leader",
            "pilotfish_operator_namespaces_untold",
            "pilotfish_operator_foreign_revisions",
            "pilotfish_operator_unremembered",
            "pilotfish_operator_pods_unserved",
            "pilotfish_operator_compile_seconds_count",
            r#"pilotfish_operator_resources_sent_total{kind="policy"}"#,
            r#"pilotfish_operator_streams_ended_total{reason="rebalanced"}"#,
            r#"pilotfish_operator_token_reviews_total{outcome="refused"}"#,
            r#"pilotfish_operator_certificates_issued_total{outcome="issued"}"#,
            r#"pilotfish_operator_certificate_expiry_timestamp_seconds{certificate="authority"}"#,
            r#"pilotfish_operator_admissions_total{outcome="patched",webhook="inject"}"#,
            r#"pilotfish_operator_status_writes_total{kind="VirtualKey",outcome="conflict"}"#,
            r#"pilotfish_operator_events_total{outcome="ok",reason="KeyRotated"}"#,
            r#"pilotfish_operator_key_writes_total{outcome="failed"}"#,
        ] {
            assert_eq!(line(&text, series), "0", "{series}");
        }
    }

    #[test]
    fn a_watch_is_as_old_as_the_last_word_of_the_api_server() {
        let metrics = Metrics::new().unwrap();
        let began = Instant::now();
        let after = |seconds| began + Duration::from_secs(seconds);
        let pods = metrics.watch("Pod", began);
        let age = |now| {
            let text = metrics.exposition(now).unwrap();
            line(&text, r#"pilotfish_operator_watch_age_seconds{kind="Pod"}"#).to_owned()
        };
        assert_eq!(age(after(7)), "7");
        pods.heard(after(8));
        assert_eq!(age(after(10)), "2");
    }

    #[test]
    fn a_watch_counts_its_failures_and_what_it_cannot_read() {
        let metrics = Metrics::new().unwrap();
        let policies = metrics.watch("RoutingPolicy", Instant::now());
        policies.failures.inc();
        policies.undecodable.set(2);
        policies.listed.set(1);
        let text = metrics.exposition(Instant::now()).unwrap();
        for (series, expected) in [
            ("watch_failures_total", "1"),
            ("watch_undecodable_objects", "2"),
            ("watch_listed", "1"),
        ] {
            let series = format!(r#"pilotfish_operator_{series}{{kind="RoutingPolicy"}}"#);
            assert_eq!(line(&text, &series), expected, "{series}");
        }
    }
}
