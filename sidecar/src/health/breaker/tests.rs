use super::*;
use proptest::prelude::*;

/// What happens to a breaker, at a number of milliseconds.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// An attempt without a trial ends so.
    Other(Verdict),
    /// The one on trial ends so.
    Trial(Verdict),
    /// A request comes; if it gets the trial it keeps it.
    Request,
    /// The one on trial goes away without a word.
    Gone,
}
use Event::{Gone, Other, Request, Trial as Tried};
use Verdict::{Failed, Limited, Nothing, Served, Spent, Unauthorised};

/// A breaker, the time it started at, and the trial that is out.
struct Script {
    breaker: Breaker,
    start: Instant,
    trial: Option<Trial>,
}

impl Script {
    fn new() -> Self {
        Self {
            breaker: Breaker::new(),
            start: Instant::now(),
            trial: None,
        }
    }

    fn happens(&mut self, at: u64, event: Event) {
        let now = self.start + ms(at);
        match event {
            Other(verdict) => self.breaker.judge(None, verdict, now),
            Tried(verdict) => {
                let trial = self.trial.take().expect("a trial is out");
                self.breaker.judge(Some(trial), verdict, now);
            }
            Request => {
                if let Ok(Some(trial)) = self.breaker.enter(now) {
                    assert!(self.trial.replace(trial).is_none(), "a second trial at {at}");
                }
            }
            Gone => self.breaker.give_back(self.trial.take().expect("a trial is out")),
        }
    }

    /// `available`, `half-open`, or until when it is closed and why.
    fn shows(&mut self, at: u64) -> String {
        match self.breaker.availability(self.start + ms(at)) {
            Availability::Available => "available".to_owned(),
            Availability::HalfOpen => "half-open".to_owned(),
            Availability::Closed(Closure { until, reason }) => {
                format!("{reason:?} until {}", until.duration_since(self.start).as_millis())
            }
        }
    }
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn reset(milliseconds: u64) -> Verdict {
    Limited(Some(ms(milliseconds)))
}

/// After these events, at these times, it shows this.
fn check(events: &[(u64, Event)], expected: &[(u64, &str)]) {
    let mut script = Script::new();
    for &(at, event) in events {
        script.happens(at, event);
    }
    for &(at, shows) in expected {
        assert_eq!(script.shows(at), shows, "at {at} ms after {events:?}");
    }
}

#[test]
fn three_failures_in_a_row_open_it_and_fewer_do_not() {
    check(&[(0, Other(Failed)), (1, Other(Failed))], &[(2, "available")]);
    check(
        &[(0, Other(Failed)), (1, Other(Failed)), (2, Other(Failed))],
        &[(3, "Failing until 1002")],
    );
    check(
        &[
            (0, Other(Failed)),
            (1, Other(Failed)),
            (2, Other(Served)),
            (3, Other(Failed)),
            (4, Other(Failed)),
        ],
        &[(5, "available")],
    );
}

#[test]
fn what_is_no_failure_neither_counts_nor_resets() {
    for between in [Nothing, reset(0)] {
        check(
            &[(0, Other(Failed)), (1, Other(Failed)), (2, Other(between))],
            &[(3, "available")],
        );
        check(
            &[
                (0, Other(Failed)),
                (1, Other(Failed)),
                (2, Other(between)),
                (3, Other(Failed)),
            ],
            &[(4, "Failing until 1003")],
        );
    }
}

const OPENED: [(u64, Event); 3] = [(0, Other(Failed)), (0, Other(Failed)), (0, Other(Failed))];

/// As [`check`], of a breaker that opened at 0.
fn check_opened(events: &[(u64, Event)], expected: &[(u64, &str)]) {
    check(&[&OPENED, events].concat(), expected);
}

#[test]
fn after_its_pause_one_request_is_on_trial() {
    check_opened(
        &[],
        &[(999, "Failing until 1000"), (1000, "half-open"), (100_000, "half-open")],
    );
    check_opened(&[(999, Request)], &[(1000, "half-open")]);
    check_opened(&[(1000, Request), (1001, Request)], &[(1001, "OnTrial until 1001")]);
}

#[test]
fn a_trial_that_is_served_closes_it_and_the_count_starts_anew() {
    check_opened(&[(1000, Request), (1001, Tried(Served))], &[(1001, "available")]);
    check_opened(
        &[
            (1000, Request),
            (1001, Tried(Served)),
            (1002, Other(Failed)),
            (1003, Other(Failed)),
        ],
        &[(1003, "available")],
    );
}

#[test]
fn a_trial_that_goes_away_frees_it_for_the_next() {
    check_opened(&[(1000, Request), (1001, Gone)], &[(1001, "half-open")]);
    check_opened(&[(1000, Request), (1001, Tried(Nothing))], &[(1001, "half-open")]);
    check_opened(
        &[(1000, Request), (1001, Gone), (1002, Request)],
        &[(1002, "OnTrial until 1002")],
    );
}

/// The pauses, in seconds, of a breaker whose trials all end so.
fn pauses(first: Verdict, trials: Verdict) -> Vec<u128> {
    let mut script = Script::new();
    let mut at = 0;
    for _ in 0..3 {
        script.happens(at, Other(first));
    }
    let pause = |script: &mut Script, at: &mut u64| {
        let start = *at;
        while script.shows(*at) != "half-open" {
            *at += 500;
        }
        u128::from(*at - start) / 1000
    };
    let mut pauses = vec![pause(&mut script, &mut at)];
    for _ in 0..7 {
        script.happens(at, Request);
        script.happens(at, Tried(trials));
        pauses.push(pause(&mut script, &mut at));
    }
    pauses
}

#[test]
fn pauses_double_up_to_their_bound() {
    assert_eq!(pauses(Failed, Failed), [1, 2, 4, 8, 16, 30, 30, 30]);
    assert_eq!(pauses(Limited(None), Limited(None)), [1, 2, 4, 8, 16, 30, 30, 30]);
    assert_eq!(pauses(Unauthorised, Unauthorised), [60; 8]);
    assert_eq!(pauses(Spent, Spent), [60; 8]);
    assert_eq!(
        pauses(Failed, Limited(None)),
        [1, 1, 2, 4, 8, 16, 30, 30],
        "another reason starts its own pauses"
    );
    assert_eq!(pauses(Failed, Unauthorised), [1, 60, 60, 60, 60, 60, 60, 60]);
}

#[test]
fn a_limit_with_a_reset_closes_it_exactly_until_then_for_everybody() {
    check(
        &[(10, Other(reset(20_000)))],
        &[
            (10, "Limited until 20010"),
            (20_009, "Limited until 20010"),
            (20_010, "available"),
        ],
    );
    check(&[(0, Other(reset(0)))], &[(0, "available")]);
    check_opened(
        &[(1000, Request), (1500, Tried(reset(5000)))],
        &[(1500, "Limited until 6500"), (6500, "available")],
    );
}

#[test]
fn of_several_resets_the_latest_holds() {
    check(
        &[(0, Other(reset(5000))), (1, Other(reset(3000)))],
        &[(2, "Limited until 5000")],
    );
    check(
        &[(0, Other(reset(3000))), (1, Other(reset(5000)))],
        &[(2, "Limited until 5001")],
    );
}

#[test]
fn a_reset_in_the_far_future_closes_it_for_a_day() {
    check(
        &[(0, Other(Limited(Some(Duration::MAX))))],
        &[(0, "Limited until 86400000"), (86_400_000, "available")],
    );
}

#[test]
fn a_limit_without_a_reset_opens_it_at_once() {
    check(
        &[(0, Other(Limited(None)))],
        &[(999, "Limited until 1000"), (1000, "half-open")],
    );
}

#[test]
fn a_refused_credential_opens_it_at_once() {
    check(
        &[(0, Other(Unauthorised))],
        &[(1, "Unauthorised until 60000"), (60_000, "half-open")],
    );
    check(&[(0, Other(Spent))], &[(1, "Spent until 60000"), (60_000, "half-open")]);
}

#[test]
fn words_of_earlier_attempts_never_shorten_a_closure() {
    for late in [Served, Failed, Limited(None), Nothing, reset(100)] {
        check_opened(&[(500, Other(late))], &[(500, "Failing until 1000")]);
        check(
            &[(0, Other(Unauthorised)), (1, Other(late))],
            &[(1, "Unauthorised until 60000")],
        );
        check(
            &[(0, Other(reset(90_000))), (1, Other(late))],
            &[(1, "Limited until 90000")],
        );
    }
    check(
        &[(0, Other(reset(90_000))), (1, Other(Unauthorised))],
        &[(1, "Limited until 90000")],
    );
}

#[test]
fn words_of_earlier_attempts_lengthen_a_closure_when_they_last_longer() {
    check_opened(
        &[(500, Other(reset(8000)))],
        &[(500, "Limited until 8500"), (8500, "available")],
    );
    check_opened(&[(500, Other(Unauthorised))], &[(500, "Unauthorised until 60500")]);
    check(
        &[(0, Other(reset(5000))), (1, Other(Spent))],
        &[(1, "Spent until 60001")],
    );
}

#[test]
fn while_a_trial_is_out_nobody_else_is_listened_to() {
    for late in [Served, Failed, Limited(None), Unauthorised, Spent, reset(90_000)] {
        let events = [(1000, Request), (1001, Other(late)), (1002, Tried(Served))];
        check_opened(&events[..2], &[(1001, "OnTrial until 1001")]);
        check_opened(&events, &[(1002, "available")]);
    }
}

#[test]
fn failures_that_were_in_flight_together_open_it_once() {
    let burst: Vec<_> = (0..100).map(|n| (n, Other(Failed))).collect();
    check(&burst, &[(100, "Failing until 1002"), (1002, "half-open")]);
}

#[test]
fn an_untroubled_breaker_remembers_nothing() {
    let mut script = Script::new();
    let trouble: [(Event, u64); 4] = [
        (Other(Failed), 1),
        (Other(Served), 1),
        (Other(reset(1000)), 1),
        (Other(Served), 2000),
    ];
    let troubled = trouble.map(|(event, at)| {
        script.happens(at, event);
        script.breaker.is_troubled()
    });
    assert_eq!(troubled, [true, false, true, false]);
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        3 => Just(Served),
        5 => Just(Failed),
        1 => Just(Nothing),
        1 => Just(Limited(None)),
        1 => (0..40_000_u64).prop_map(reset),
        1 => Just(Unauthorised),
        1 => Just(Spent),
    ]
}

fn happening() -> impl Strategy<Value = Event> {
    prop_oneof![2 => verdict().prop_map(Other), 2 => verdict().prop_map(Tried), 3 => Just(Request), 1 => Just(Gone)]
}

proptest! {
    /// Whatever happens: one trial at most is out ([`Script::happens`] asserts it), a closure is never shortened except
    /// by its trial, and it always ends.
    #[test]
    fn it_is_never_closed_for_good_and_never_opened_early(events in prop::collection::vec((0..3000_u64, happening()), 0..200)) {
        let mut script = Script::new();
        let mut at = 0;
        for (step, event) in events {
            at += step;
            let event = if script.trial.is_none() && matches!(event, Tried(_) | Gone) { Request } else { event };
            let now = script.start + ms(at);
            let before = script.breaker.availability(now);
            script.happens(at, event);
            if let (Availability::Closed(before), Other(_), None) = (before, event, &script.trial) {
                let Availability::Closed(after) = script.breaker.availability(now) else {
                    panic!("{event:?} ended a closure at {at}");
                };
                prop_assert!(after.until >= before.until);
            }
            prop_assert_eq!(script.trial.is_some(), matches!(script.breaker.state, State::OnTrial(_)));
        }
        if let Some(trial) = script.trial.take() {
            script.breaker.give_back(trial);
        }
        let later = script.breaker.availability(script.start + ms(at) + Duration::from_secs(61));
        prop_assert!(matches!(later, Availability::Available | Availability::HalfOpen), "{:?}", later);
    }
}
