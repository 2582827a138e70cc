use super::*;
use proptest::prelude::*;

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

#[derive(Clone, Copy, Debug)]
enum Act {
    /// This many requests of a policy with this percentage arrive.
    Earn(u32, u32),
    /// This many retries are asked for, and this many are granted.
    Spend(u32, u32),
}
use Act::{Earn, Spend};

/// Acts at milliseconds, and what is left at the end.
fn check(acts: &[(u64, Act)], at: u64, left: u64) {
    let start = Instant::now();
    let budget = Budget::new(start);
    for &(at, act) in acts {
        match act {
            Earn(times, percent) => (0..times).for_each(|_| budget.earn(percent, start + ms(at))),
            Spend(times, granted) => {
                let got = (0..times).filter(|_| budget.spend(start + ms(at))).count();
                assert_eq!(got, granted as usize, "granted at {at} of {acts:?}");
            }
        }
    }
    assert_eq!(budget.left(start + ms(at)), left, "left at {at} after {acts:?}");
}

#[test]
fn a_budget_starts_full_and_grows_with_time_and_requests() {
    check(&[], 0, 100);
    check(&[(0, Spend(150, 100))], 0, 0);
    check(&[(0, Spend(100, 100))], 99, 0);
    check(&[(0, Spend(100, 100))], 100, 1);
    check(&[(0, Spend(100, 100))], 1000, 10);
    check(&[(0, Spend(100, 100))], 3_600_000, 100);
    check(
        &[
            (0, Spend(100, 100)),
            (0, Earn(4, 20)),
            (0, Spend(1, 0)),
            (0, Earn(1, 20)),
            (0, Spend(2, 1)),
        ],
        0,
        0,
    );
    check(&[(0, Spend(100, 100)), (0, Earn(1000, 0))], 0, 0);
    check(&[(0, Spend(100, 100)), (0, Earn(30, 100))], 0, 30);
    check(&[(0, Earn(1000, 20)), (0, Spend(200, 100))], 0, 0);
    check(&[(0, Spend(1, 1)), (0, Earn(1000, 20))], 0, 100);
}

#[test]
fn idle_time_before_the_first_retry_earns_nothing_beyond_the_reserve() {
    check(&[(5_000_000, Spend(150, 100))], 5_000_000, 0);
}

#[test]
fn a_worker_whose_clock_is_behind_earns_nothing_twice() {
    check(
        &[
            (1000, Spend(100, 100)),
            (400, Spend(1, 0)),
            (1000, Spend(1, 0)),
            (1100, Spend(2, 1)),
        ],
        1100,
        0,
    );
}

#[test]
fn an_absurd_percentage_fills_the_bucket_and_no_more() {
    check(&[(0, Spend(100, 100)), (0, Earn(2, u32::MAX))], 0, 100);
}

#[test]
fn a_day_of_steady_outage_costs_a_fifth_and_ten_a_second() {
    let start = Instant::now();
    let budget = Budget::new(start);
    let mut granted = 0;
    for n in 0..100_000_u64 {
        let now = start + ms(n * 10);
        budget.earn(20, now);
        granted += u64::from(budget.spend(now));
    }
    let expected = 100 + 100_000 / 5 + 10 * 1000;
    assert!(
        (expected - 1..=expected).contains(&granted),
        "{granted} of 100,000 requests in 1,000 s"
    );
}

#[test]
fn racing_workers_never_spend_the_same_retry() {
    let start = Instant::now();
    let budget = Budget::new(start);
    let worker = || (0..1000).filter(|_| budget.spend(start)).count();
    let granted: usize = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..8).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    assert_eq!(granted, 100);
}

proptest! {
    /// Against the plain rule in floating point.
    #[test]
    fn never_more_is_granted_than_the_rule_allows(acts in prop::collection::vec((0..2000_u64, any::<bool>(), 0..=100_u32), 0..300)) {
        let start = Instant::now();
        let budget = Budget::new(start);
        let (mut at, mut level) = (0, 100.0_f64);
        for (step, spends, percent) in acts {
            at += step;
            level = (level + step as f64 / 100.0).min(100.0);
            let now = start + ms(at);
            if spends {
                let expected = level > 1.0 - 1e-9;
                prop_assert_eq!(budget.spend(now), expected);
                level -= f64::from(u8::from(expected));
            } else {
                budget.earn(percent, now);
                level = (level + f64::from(percent) / 100.0).min(100.0);
            }
        }
    }

    #[test]
    fn a_pause_is_never_beyond_its_bound(retry: u32, random: u64) {
        prop_assert!(BACKOFF.pause(retry, random) <= BACKOFF.bound(retry));
        prop_assert!(BACKOFF.bound(retry) <= BACKOFF.longest);
    }
}

#[test]
fn the_bound_doubles_up_to_the_longest() {
    let bounds: Vec<_> = [0, 1, 2, 3, 4, 5, 6, 31, 32, u32::MAX]
        .map(|retry| BACKOFF.bound(retry).as_millis())
        .to_vec();
    assert_eq!(bounds, [100, 200, 400, 800, 1600, 3000, 3000, 3000, 3000, 3000]);
}

#[test]
fn the_jitter_is_full() {
    let pauses = [0, u64::MAX / 4, u64::MAX / 2, u64::MAX].map(|random| BACKOFF.pause(1, random).as_micros());
    assert_eq!(pauses, [0, 50_000, 100_000, 200_000]);
}
