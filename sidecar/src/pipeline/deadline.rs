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
/// Where nothing is seen of a model while it thinks.
const FIRST_TOKEN_OF_SILENT: Duration = Duration::from_secs(300);
const IDLE: Duration = Duration::from_secs(60);
const ATTEMPT: Duration = Duration::from_secs(600);
const TOTAL: Duration = Duration::from_secs(600);

/// What the client and the policy say about a request's time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadlines {
    /// When the whole request must be over.
    pub total: Instant,
    /// When nobody waits any longer for an answer to begin: the client of a stream may give up before `total`.
    pub begin: Instant,
    /// How long the client waits between two reads of a stream.
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
    /// `stream`: what an SDK calls its timeout bounds a whole answer, but of a stream only the beginning.
    pub(super) fn new(headers: &HeaderMap, policy: Timeouts, stream: bool, started: Instant) -> Self {
        let sdk = seconds(headers, &STAINLESS);
        let (whole, beginning) = if stream { (None, sdk) } else { (sdk, None) };
        let client = duration(headers, &PILOTFISH).or(whole);
        let total = started + smallest([client, policy.total]).unwrap_or(TOTAL);
        let read = seconds(headers, &STAINLESS_READ).filter(|_| stream);
        let begin = smallest([beginning, read]).map_or(total, |first| (started + first).min(total));
        Self {
            total,
            begin,
            read,
            policy,
        }
    }

    /// The timers of an attempt on a deployment that begins `now`.
    pub(super) fn attempt(&self, deployment: Timeouts, thinks_silently: bool, now: Instant) -> AttemptTimers {
        let first_token = if thinks_silently {
            FIRST_TOKEN_OF_SILENT
        } else {
            FIRST_TOKEN
        };
        let of = |own: fn(&Timeouts) -> Option<Duration>, client, default| {
            smallest([own(&self.policy), own(&deployment), client]).unwrap_or(default)
        };
        AttemptTimers {
            connect: of(|timeouts| timeouts.connect, None, CONNECT),
            first_token: (now + of(|timeouts| timeouts.first_token, None, first_token)).min(self.begin),
            idle: of(|timeouts| timeouts.idle, self.read, IDLE),
            end: (now + of(|timeouts| timeouts.attempt, None, ATTEMPT)).min(self.total),
        }
    }
}

fn smallest<const N: usize>(timers: [Option<Duration>; N]) -> Option<Duration> {
    timers.into_iter().flatten().min()
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// Seconds, fractions allowed, as SDKs write them; anything else says nothing.
fn seconds(headers: &HeaderMap, name: &HeaderName) -> Option<Duration> {
    limited(text(headers, name)?.parse().ok()?)
}

/// Seconds, or a duration as Kubernetes writes them (`1m30s`, `500ms`), fractions allowed.
fn duration(headers: &HeaderMap, name: &HeaderName) -> Option<Duration> {
    let text = text(headers, name)?;
    if let Ok(seconds) = text.parse() {
        return limited(seconds);
    }
    let mut rest = text;
    let mut sum = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let (number, unit) = rest.split_at_checked(digits)?;
        let number: f64 = number.parse().ok()?;
        let (name, factor) = UNITS.iter().find(|(name, _)| unit.starts_with(name))?;
        sum += number * factor;
        rest = unit.strip_prefix(name)?;
    }
    limited(sum)
}

/// The longest name that fits comes first.
const UNITS: [(&str, f64); 4] = [("ms", 0.001), ("h", 3600.0), ("m", 60.0), ("s", 1.0)];

/// More than nothing, and less than a day.
fn limited(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|timeout| !timeout.is_zero() && *timeout < TOTAL * 144)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn millis(millis: u64) -> Option<Duration> {
        Some(Duration::from_millis(millis))
    }

    fn check(headers: &[(&'static str, &'static str)], policy: Timeouts, own: Timeouts, stream: bool) -> [u64; 3] {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        let now = Instant::now();
        let deadlines = Deadlines::new(&headers, policy, stream, now);
        let timers = deadlines.attempt(own, false, now);
        [deadlines.total, timers.first_token, timers.end].map(|at| u64::try_from((at - now).as_millis()).unwrap())
    }

    #[test]
    fn whoever_thinks_in_silence_is_given_time_for_it() {
        let now = Instant::now();
        let deadlines = Deadlines::new(&HeaderMap::new(), Timeouts::default(), true, now);
        let waits = |own| {
            let timers = deadlines.attempt(own, true, now);
            timers.first_token - now
        };
        assert_eq!(waits(Timeouts::default()), FIRST_TOKEN_OF_SILENT);
        let own = Timeouts {
            first_token: millis(20_000),
            ..Timeouts::default()
        };
        assert_eq!(waits(own), Duration::from_secs(20), "what somebody says goes before");
    }

    #[test]
    fn the_smallest_of_clients_policys_and_deployments_timer_holds() {
        let policy = Timeouts {
            first_token: millis(20_000),
            total: millis(300_000),
            ..Timeouts::default()
        };
        let own = Timeouts {
            first_token: millis(30_000),
            attempt: millis(120_000),
            ..Timeouts::default()
        };
        let none = Timeouts::default();
        assert_eq!(check(&[], none, none, false), [600_000, 60_000, 600_000]);
        assert_eq!(check(&[], policy, own, true), [300_000, 20_000, 120_000]);
        let sdk = [("x-stainless-timeout", "10.5")];
        assert_eq!(check(&sdk, policy, own, false), [10_500, 10_500, 10_500]);
        assert_eq!(
            check(&sdk, policy, own, true),
            [300_000, 10_500, 120_000],
            "of a stream only the beginning"
        );
        assert_eq!(
            check(&[("x-stainless-read-timeout", "5")], policy, own, true),
            [300_000, 5_000, 120_000]
        );
    }

    #[test]
    fn a_timeout_of_ours_is_written_in_seconds_or_as_kubernetes_writes_it() {
        let none = Timeouts::default();
        for (written, expected) in [
            ("2", 2_000),
            ("2.5", 2_500),
            ("0.5s", 500),
            ("2s", 2_000),
            ("500ms", 500),
            ("1m30s", 90_000),
            ("1h", 3_600_000),
        ] {
            assert_eq!(
                check(&[("x-pilotfish-timeout", written)], none, none, true)[0],
                expected,
                "{written}"
            );
        }
        for nonsense in ["", "soon", "-1", "0", "NaN", "inf", "1e300", "5x", "m", "30d"] {
            assert_eq!(
                check(&[("x-pilotfish-timeout", nonsense)], none, none, true)[0],
                600_000,
                "{nonsense}"
            );
        }
    }
}
