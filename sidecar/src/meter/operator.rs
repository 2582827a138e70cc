//! What is counted of the stream from an operator. Registered only where there is one.

use super::family::Family;
use super::value::{IntCounter, IntGauge};
use super::{Families, Meter};

/// The series of one process's stream.
#[derive(Clone)]
pub(crate) struct OperatorSeries {
    attempts: Family<IntCounter, 1>,
    endings: Family<IntCounter, 1>,
    /// 1 while a stream is open.
    pub connected: IntGauge,
    /// When the client certificate ends, seconds since the Unix epoch; 0 without one.
    pub certificate_ends: IntGauge,
    /// When the last good copy was written, seconds since the Unix epoch; 0 without one.
    pub last_good_written: IntGauge,
    /// Copies that were found and not used.
    pub last_good_ignored: IntCounter,
    /// Copies that could not be written.
    pub last_good_unwritten: IntCounter,
}

impl OperatorSeries {
    /// `outcomes` are those of [`OperatorSeries::attempt`], `endings` those of [`OperatorSeries::ended`].
    pub(crate) fn register(meter: &Meter, outcomes: &[&str], endings: &[&str]) -> Self {
        let families: &Families = &meter.families;
        let attempts = families.int_counters(
            "pilotfish_config_stream_connects_total",
            "Attempts to open a stream from the operator, by how they went; those connected beyond the first are \
             reconnects.",
            ["result"],
        );
        let ended = families.int_counters(
            "pilotfish_config_stream_ends_total",
            "Streams from the operator that were open and are no more: it ended them, they were lost, or what it sent \
             could not be read.",
            ["reason"],
        );
        for outcome in outcomes {
            attempts.with(&[outcome]);
        }
        for ending in endings {
            ended.with(&[ending]);
        }
        Self {
            attempts,
            endings: ended,
            connected: families.int_gauge(
                "pilotfish_config_stream_connected",
                "1 while configuration is streamed from the operator.",
            ),
            certificate_ends: families.int_gauge(
                "pilotfish_client_certificate_expiry_timestamp_seconds",
                "When the certificate that the operator is shown expires; 0 without one.",
            ),
            last_good_written: families.int_gauge(
                "pilotfish_last_good_timestamp_seconds",
                "When the copy of the last good configuration was written; 0 without one.",
            ),
            last_good_ignored: families.int_counter(
                "pilotfish_last_good_ignored_total",
                "Copies of a last good configuration that were damaged and not used.",
            ),
            last_good_unwritten: families.int_counter(
                "pilotfish_last_good_write_failures_total",
                "Copies of the last good configuration that could not be written.",
            ),
        }
    }

    /// Counts an attempt that went so.
    pub(crate) fn attempt(&self, outcome: &str) {
        self.attempts.with(&[outcome]).inc();
    }

    /// Counts a stream that ended so.
    pub(crate) fn ended(&self, reason: &str) {
        self.endings.with(&[reason]).inc();
    }
}
