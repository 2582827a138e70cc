//! How long first tokens take, compared with how long they usually take, without locks and clocks.
//!
//! *Usual* is the shortest of the last 30 to 60 minutes, or [`FLOOR`] if that is longer: what the deployment needs when
//! nothing is in the way. The pressure is how far beyond its usual variation it has gone: the mean over
//! [`TAU`] beyond [`MEAN`] times usual, or the oldest request that still waits beyond [`WAIT`] times usual. The wait
//! reacts while nothing answers any more; the mean forgets a bad minute when nobody asks any more.
//!
//! Relative to itself, because a slower model that a policy gives 20 % is meant to get 20 %; and not the peak, because
//! first tokens vary eightfold without any load, and the deployment that gets most requests sees most peaks
//! (`selection` has the numbers).

use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// The mean's time constant.
const TAU: Duration = Duration::from_secs(60);

/// The most that a single first token can weigh in the mean.
const HEAVIEST: f64 = 0.125;

/// Differences below this are not the deployment's.
const FLOOR: f64 = 0.25;

/// How far the mean is from the shortest without load, at most.
const MEAN: f64 = 3.0;

/// How far the slowest is from the shortest without load, usually.
const WAIT: f64 = 10.0;

/// How long the shortest first token is remembered at least, and at most twice as long.
const WINDOW: Duration = Duration::from_secs(30 * 60);

#[derive(Debug)]
pub(super) struct Latency {
    /// Oldest first: two workers may begin out of order by microseconds.
    waiting: VecDeque<Wait>,
    begun: u64,
    mean: f64,
    last: Option<Instant>,
    shortest: f64,
    shortest_before: f64,
    turned: Option<Instant>,
}

/// A request that waits for its first token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wait {
    since: Instant,
    number: u64,
}

impl Latency {
    pub(super) fn new() -> Self {
        Self {
            waiting: VecDeque::new(),
            begun: 0,
            mean: 0.0,
            last: None,
            shortest: f64::INFINITY,
            shortest_before: f64::INFINITY,
            turned: None,
        }
    }

    pub(super) fn begin(&mut self, now: Instant) -> Wait {
        self.begun += 1;
        let wait = Wait {
            since: now,
            number: self.begun,
        };
        let place = self.waiting.partition_point(|other| *other < wait);
        self.waiting.insert(place, wait);
        wait
    }

    pub(super) fn first_token(&mut self, wait: Wait, now: Instant) {
        self.forget(wait);
        self.observe(now.saturating_duration_since(wait.since).as_secs_f64(), now);
    }

    /// It ended without a first token.
    pub(super) fn forget(&mut self, wait: Wait) {
        if let Ok(place) = self.waiting.binary_search(&wait) {
            self.waiting.remove(place);
        }
    }

    /// At least 1.
    pub(super) fn pressure(&self, now: Instant) -> f64 {
        let usual = self.shortest.min(self.shortest_before).max(FLOOR);
        if usual.is_infinite() {
            return 1.0;
        }
        let oldest = self
            .waiting
            .front()
            .map_or(Duration::ZERO, |wait| now.saturating_duration_since(wait.since));
        (self.kept(now) * self.mean / (MEAN * usual))
            .max(oldest.as_secs_f64() / (WAIT * usual))
            .max(1.0)
    }

    fn observe(&mut self, seconds: f64, now: Instant) {
        let weight = (1.0 - self.kept(now)).min(HEAVIEST);
        self.mean += weight * (seconds - self.mean);
        self.last = Some(now);
        if self
            .turned
            .is_none_or(|turned| now.saturating_duration_since(turned) > WINDOW)
        {
            self.shortest_before = std::mem::replace(&mut self.shortest, f64::INFINITY);
            self.turned = Some(now);
        }
        self.shortest = self.shortest.min(seconds);
    }

    /// What the time since the last first token has left of the mean.
    fn kept(&self, now: Instant) -> f64 {
        let idle = self
            .last
            .map_or(Duration::MAX, |last| now.saturating_duration_since(last));
        (-idle.as_secs_f64() / TAU.as_secs_f64()).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: f64) -> Duration {
        Duration::from_secs_f64(n)
    }

    /// The pressure after first tokens that took `first`, a second apart, and then a rest.
    fn pressure(first: &[f64], rest: f64) -> f64 {
        let start = Instant::now();
        let mut latency = Latency::new();
        let mut now = start;
        for &took in first {
            let wait = latency.begin(now);
            now += seconds(took);
            latency.first_token(wait, now);
            now += seconds(1.0);
        }
        latency.pressure(now + seconds(rest))
    }

    #[test]
    fn unknown_is_no_pressure() {
        assert_eq!(Latency::new().pressure(Instant::now()), 1.0);
        let mut latency = Latency::new();
        latency.begin(Instant::now());
        assert_eq!(
            latency.pressure(Instant::now() + seconds(1000.0)),
            1.0,
            "without a usual nothing is unusual"
        );
    }

    #[test]
    fn a_usual_variation_is_no_pressure() {
        let varied: Vec<_> = (0..200).map(|n| if n % 20 == 0 { 4.0 } else { 0.5 }).collect();
        assert_eq!(pressure(&varied, 0.0), 1.0);
        assert_eq!(
            pressure(&[0.001, 0.2, 0.01, 0.7, 0.001], 0.0),
            1.0,
            "milliseconds are never a reason"
        );
    }

    #[test]
    fn a_slow_deployment_is_under_pressure_whatever_its_usual_is() {
        for usual in [0.5, 2.0] {
            let mut slowed = vec![usual; 20];
            slowed.extend(vec![usual * 20.0; 60]);
            let got = pressure(&slowed, 0.0);
            assert!((6.0..=7.0).contains(&got), "{got} times beyond {usual}");
        }
    }

    #[test]
    fn pressure_is_forgotten_when_nobody_asks() {
        let mut slowed = vec![0.5; 20];
        slowed.extend(vec![10.0; 60]);
        let (now, later) = (pressure(&slowed, 0.0), pressure(&slowed, 60.0));
        assert!(
            (now / later - std::f64::consts::E).abs() < 0.01,
            "{now} and a minute later {later}"
        );
        assert_eq!(pressure(&slowed, 600.0), 1.0);
    }

    #[test]
    fn the_oldest_wait_is_pressure_before_anything_answers() {
        let start = Instant::now();
        let mut latency = Latency::new();
        let answered = latency.begin(start);
        latency.first_token(answered, start + seconds(0.5));
        let (old, young) = (
            latency.begin(start + seconds(1.0)),
            latency.begin(start + seconds(11.0)),
        );
        assert_eq!(latency.pressure(start + seconds(5.0)), 1.0);
        assert_eq!(latency.pressure(start + seconds(21.0)), 4.0);
        latency.forget(old);
        assert_eq!(latency.pressure(start + seconds(21.0)), 2.0);
        latency.forget(young);
        latency.forget(young);
        assert_eq!(latency.pressure(start + seconds(21.0)), 1.0);
    }

    #[test]
    fn waits_that_begin_out_of_order_are_kept_in_order() {
        let start = Instant::now();
        let mut latency = Latency::new();
        let waits: Vec<_> = [3, 1, 2, 1, 0]
            .map(|at| latency.begin(start + Duration::from_micros(at)))
            .to_vec();
        assert!(latency.waiting.iter().is_sorted());
        for wait in waits {
            latency.forget(wait);
        }
        assert!(latency.waiting.is_empty());
    }

    #[test]
    fn what_is_usual_is_forgotten_within_an_hour() {
        let start = Instant::now();
        let mut latency = Latency::new();
        for minute in 0..=62 {
            let now = start + seconds(60.0 * f64::from(minute));
            latency.observe(if minute == 0 { 0.5 } else { 5.0 }, now);
            let usual = latency.shortest.min(latency.shortest_before);
            assert!(
                if minute < 30 {
                    usual == 0.5
                } else {
                    minute < 62 || usual == 5.0
                },
                "{usual} at minute {minute}"
            );
        }
    }
}
