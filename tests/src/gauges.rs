//! The gauges that must return to what they were: whatever a test did, nothing is left behind.

use crate::Metrics;
use std::time::Duration;

/// How long what is over may take to be gone: pools look after idle connections once a second.
pub(crate) const SETTLES_WITHIN: Duration = Duration::from_secs(15);

/// What a sidecar holds at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gauges {
    /// Requests whose answer has not ended.
    pub in_flight: f64,
    /// Its own tasks and hyper's, the one that answers the scrape included.
    pub tasks: f64,
    /// Connections from applications.
    pub downstream: f64,
    /// Connections to providers, idle ones included.
    pub upstream: f64,
    /// Bytes of bodies.
    pub held_bytes: f64,
}

impl Gauges {
    /// Whether there is no more of anything. Less there may be: what it held when it had just started may have been a
    /// connection of whoever asked whether it is ready.
    pub fn are_within(&self, most: &Self) -> bool {
        let all = |gauges: &Self| {
            [
                gauges.in_flight,
                gauges.tasks,
                gauges.downstream,
                gauges.upstream,
                gauges.held_bytes,
            ]
        };
        all(self).iter().zip(all(most)).all(|(held, most)| *held <= most)
    }
}

impl From<&Metrics> for Gauges {
    fn from(metrics: &Metrics) -> Self {
        let connections = |side| metrics.sum("pilotfish_connections", &[("side", side)]);
        Self {
            in_flight: metrics.sum("pilotfish_requests_in_flight", &[]),
            tasks: metrics.sum("pilotfish_tasks", &[]),
            downstream: connections("downstream"),
            upstream: connections("upstream"),
            held_bytes: metrics.sum("pilotfish_held_bytes", &[]),
        }
    }
}
