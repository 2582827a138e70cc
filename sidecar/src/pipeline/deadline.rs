//! Timers: the smallest of client's, policy's and deployment's holds.

use crate::policy::Timeouts;
use http::{HeaderMap, HeaderName};
use std::time::Duration;
use tokio::time::Instant;

static PILOTFISH: HeaderName = HeaderName::from_static("x-pilotfish-timeout");
/// The official SDKs say how long they wait in all,
static STAINLESS: HeaderName = HeaderName::from_static("x-stainless-timeout");
/// and for each read.
static STAINLESS_READ: HeaderName = HeaderName::from_static("x-stainless-read-timeout");

/// Where nobody says otherwise.
const CONNECT: Duration = Duration::from_secs(5);
const FIRST_TOKEN: Duration = Duration::from_secs(60);
const IDLE: Duration = Duration::from_secs(60);
const ATTEMPT: Duration = Duration::from_secs(600);
const TOTAL: Duration = Duration::from_secs(600);

/// What the client and the policy say about a request's time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadlines {
    /// When the whole request must be over.
    pub total: Instant,
    /// How long the client waits between two reads.
    read: Option<Duration>,
    policy: Timeouts,
}

/// The timers of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AttemptTimers {
    pub connect: Duration,
    /// Streams: when the first content must be there.
    pub first_token: Instant,
    /// Streams: the longest silence.
    pub idle: Duration,
    /// When the attempt must be over.
    pub end: Instant,
}

impl Deadlines {
    pub(super) fn new(headers: &HeaderMap, policy: Timeouts, started: Instant) -> Self {
        let client = seconds(headers, &PILOTFISH).or_else(|| seconds(headers, &STAINLESS));
        let total = smallest([client, policy.total]).unwrap_or(TOTAL);
        Self {
            total: started + total,
            read: seconds(headers, &STAINLESS_READ),
            policy,
        }
    }

    /// The timers of an attempt on a deployment that begins `now`.
    pub(super) fn attempt(&self, deployment: Timeouts, now: Instant) -> AttemptTimers {
        let of = |own: fn(&Timeouts) -> Option<Duration>, client, default| {
            smallest([own(&self.policy), own(&deployment), client]).unwrap_or(default)
        };
        AttemptTimers {
            connect: of(|timeouts| timeouts.connect, None, CONNECT),
            first_token: (now + of(|timeouts| timeouts.first_token, self.read, FIRST_TOKEN)).min(self.total),
            idle: of(|timeouts| timeouts.idle, self.read, IDLE),
            end: (now + of(|timeouts| timeouts.attempt, None, ATTEMPT)).min(self.total),
        }
    }
}

fn smallest<const N: usize>(timers: [Option<Duration>; N]) -> Option<Duration> {
    timers.into_iter().flatten().min()
}

/// Seconds, fractions allowed, as SDKs write them, or with one of the units of our own durations; anything else says
/// nothing.
fn seconds(headers: &HeaderMap, name: &HeaderName) -> Option<Duration> {
    let text = headers.get(name)?.to_str().ok()?.trim();
    let (number, unit) = text.split_at(text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic()).len());
    let unit = match unit {
        "ms" => 1e-3,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * unit)
        .ok()
        .filter(|timeout| !timeout.is_zero() && *timeout < TOTAL * 144)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn millis(millis: u64) -> Option<Duration> {
        Some(Duration::from_millis(millis))
    }

    fn check(headers: &[(&'static str, &'static str)], policy: Timeouts, deployment: Timeouts) -> (u64, u64, u64) {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        let now = Instant::now();
        let deadlines = Deadlines::new(&headers, policy, now);
        let timers = deadlines.attempt(deployment, now);
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap();
        (
            millis(deadlines.total - now),
            millis(timers.first_token - now),
            millis(timers.end - now),
        )
    }

    #[test]
    fn the_smallest_of_clients_policys_and_deployments_timer_holds() {
        let policy = Timeouts {
            first_token: millis(20_000),
            total: millis(300_000),
            ..Timeouts::default()
        };
        let deployment = Timeouts {
            first_token: millis(30_000),
            attempt: millis(120_000),
            ..Timeouts::default()
        };
        let none = Timeouts::default();
        assert_eq!(check(&[], none, none), (600_000, 60_000, 600_000));
        assert_eq!(check(&[], policy, deployment), (300_000, 20_000, 120_000));
        assert_eq!(
            check(&[("x-stainless-timeout", "10.5")], policy, deployment),
            (10_500, 10_500, 10_500)
        );
        assert_eq!(
            check(&[("x-stainless-read-timeout", "5")], policy, deployment),
            (300_000, 5_000, 120_000)
        );
        for two_seconds in ["2s", "2000ms", "2.0", "2e0"] {
            assert_eq!(
                check(&[("x-pilotfish-timeout", two_seconds)], none, none),
                (2_000, 2_000, 2_000)
            );
        }
        for nonsense in ["", "soon", "-1", "0", "NaN", "inf", "1e300", "s", "1m30s", "5d"] {
            assert_eq!(
                check(&[("x-pilotfish-timeout", nonsense)], none, none),
                (600_000, 60_000, 600_000)
            );
        }
    }
}
