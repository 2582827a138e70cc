use super::*;
use proptest::prelude::*;

const HOUR: Duration = Duration::from_secs(3600);
const WHO: Whereabouts = Whereabouts {
    conversation: 0x1234_5678_9abc_def0,
    home: 7,
};

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// A conversation that left home at second 0 and then makes requests at the given seconds, home being down until
/// `down`; whether each of them is sent away.
fn away(down: u64, requests: &[u64]) -> Vec<bool> {
    let start = Instant::now();
    let displaced = Displaced::new(start);
    displaced.remember(WHO, 8, start);
    let mut sent = Vec::new();
    for &at in requests {
        let now = start + seconds(at);
        let place = displaced.recall(WHO, at >= down, HOUR, now);
        displaced.remember(WHO, if at >= down { place.unwrap_or(WHO.home) } else { 8 }, now);
        sent.push(place == Some(8));
    }
    sent
}

/// Every 25 seconds.
fn steadily(until: u64) -> Vec<u64> {
    (1..).map(|n| n * 25).take_while(|at| *at <= until).collect()
}

#[test]
fn a_short_outage_ends_as_soon_as_home_serves() {
    assert_eq!(away(60, &[25, 50, 75, 100]), [true, true, false, false]);
}

#[test]
fn after_a_long_outage_it_stays_until_it_pauses() {
    assert_eq!(
        away(600, &[200, 400, 599, 700, 900, 1201, 1210]),
        [true, true, true, true, true, false, false]
    );
}

#[test]
fn a_pause_of_exactly_the_cache_s_lifetime_is_not_yet_cold() {
    assert_eq!(away(400, &[200, 500]), [true, true]);
    assert_eq!(away(400, &[200, 501]), [true, false]);
}

#[test]
fn a_conversation_that_never_pauses_goes_home_after_24_to_30_minutes() {
    let requests = steadily(3600);
    let sent = away(600, &requests);
    let returned = requests[sent.iter().position(|away| !away).unwrap()];
    assert!(
        (24 * 60..=30 * 60 + 25).contains(&returned),
        "returned after {returned} s"
    );
    assert!(
        sent[sent.iter().position(|away| !away).unwrap()..]
            .iter()
            .all(|away| !away),
        "once home it stays home"
    );
}

#[test]
fn it_never_goes_to_a_home_that_cannot_serve() {
    assert!(away(7200, &steadily(7000)).iter().all(|away| *away));
}

#[test]
fn the_longest_stays_differ_between_conversations() {
    let stays: Vec<_> = (0..5)
        .map(|n| longest_stay((u64::MAX / 4).saturating_mul(n)).as_secs())
        .collect();
    assert_eq!(stays, [1800, 1710, 1620, 1530, 1440]);
}

#[test]
fn a_second_failure_away_keeps_the_time_since_home_failed() {
    let start = Instant::now();
    let displaced = Displaced::new(start);
    displaced.remember(WHO, 8, start);
    displaced.remember(WHO, 9, start + seconds(250));
    assert_eq!(displaced.recall(WHO, false, HOUR, start + seconds(290)), Some(9));
    assert_eq!(
        displaced.recall(WHO, true, HOUR, start + seconds(310)),
        Some(9),
        "away for 310 s, not for 60 s"
    );
}

#[test]
fn a_shorter_idle_timeout_of_the_policy_holds() {
    let start = Instant::now();
    let displaced = Displaced::new(start);
    displaced.remember(WHO, 8, start);
    assert_eq!(displaced.recall(WHO, false, seconds(60), start + seconds(60)), Some(8));
    assert_eq!(displaced.recall(WHO, false, seconds(60), start + seconds(121)), None);
}

#[test]
fn a_request_with_other_needs_leaves_the_stay_alone() {
    let start = Instant::now();
    let displaced = Displaced::new(start);
    displaced.remember(WHO, 8, start);
    let picture = Whereabouts { home: 8, ..WHO };
    assert_eq!(displaced.recall(picture, true, HOUR, start + seconds(10)), None);
    displaced.remember(picture, 8, start + seconds(10));
    assert_eq!(displaced.recall(WHO, false, HOUR, start + seconds(20)), Some(8));
}

#[test]
fn conversations_of_different_tenants_are_strangers() {
    let start = Instant::now();
    let displaced = Displaced::new(start);
    let of = |tenant| Whereabouts {
        conversation: super::super::Conversation::new(tenant, "s", "m").key(),
        home: 7,
    };
    displaced.remember(of("shop/a"), 8, start);
    assert_eq!(displaced.recall(of("shop/b"), false, HOUR, start), None);
    assert_eq!(displaced.recall(of("shop/a"), false, HOUR, start), Some(8));
}

#[test]
fn the_memory_is_bounded_and_forgets_the_least_recently_used() {
    let start = Instant::now();
    let displaced = Displaced::new(start);
    let of = |n: u64| Whereabouts {
        conversation: place(&n.to_string()),
        home: 7,
    };
    for n in 0..100_000 {
        displaced.remember(of(n), 8, start);
        displaced.recall(of(0), false, HOUR, start);
        assert!(displaced.len() <= CAPACITY);
    }
    assert_eq!(
        displaced.recall(of(0), false, HOUR, start),
        Some(8),
        "used all the time"
    );
    assert_eq!(displaced.recall(of(99_000), false, HOUR, start), Some(8), "recent");
    assert_eq!(displaced.recall(of(50_000), false, HOUR, start), None, "long ago");
}

#[test]
fn it_is_empty_again_some_time_after_an_outage() {
    let start = Instant::now();
    let displaced = Displaced::new(start);
    for n in 0..100 {
        displaced.remember(
            Whereabouts {
                conversation: n,
                home: 7,
            },
            8,
            start,
        );
    }
    let stranger = Whereabouts {
        conversation: 1000,
        home: 7,
    };
    for minute in 1..=15 {
        displaced.recall(stranger, true, HOUR, start + minute * seconds(60));
    }
    assert!(displaced.is_empty());
}

proptest! {
    /// The rule in the module's words, over any times.
    #[test]
    fn a_displaced_conversation_returns_when_the_rule_says(
        since in 0_u64..4000, used in 0_u64..4000, home_serves: bool, conversation: u64,
    ) {
        let start = Instant::now();
        let now = start + seconds(4000);
        let stay = Stay { at: 8, since: now - seconds(since.max(used)), used: now - seconds(used) };
        let who = Whereabouts { conversation, home: 7 };
        let expected = if used > 300 { false } else if !home_serves { true } else {
            since.max(used) >= 300 && seconds(since.max(used)) < longest_stay(conversation)
        };
        prop_assert_eq!(stay.holds(who, home_serves, HOUR, now), expected);
    }
}
