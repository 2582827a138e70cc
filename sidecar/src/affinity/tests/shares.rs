//! What weights mean, over a million conversations.

use super::*;
use std::fmt::Write;
use std::ops::Range;

const SESSIONS: u32 = 1_000_000;

/// The most that a share may be off its weight, per cent points.
const SHARE: f64 = 0.15;

/// The most that may move beyond the difference of the shares, per cent points.
const MOVED: f64 = 0.2;

const NAMES: [&str; 3] = [
    "ai-platform/gpt-4o-east",
    "ai-platform/claude-sonnet",
    "shop/llama-local",
];

type Weights = [u32; 3];

const BEFORE: Weights = [70, 20, 10];
const RAISED: Weights = [70, 20, 20];
const REMOVED: Weights = [70, 0, 10];

/// Each conversation's home under the three weightings, and how many share it, in parallel.
fn homes() -> Vec<([usize; 3], u32)> {
    let half = SESSIONS / 2;
    let counts = std::thread::scope(|scope| {
        [0..half, half..SESSIONS]
            .map(|sessions| scope.spawn(|| count(sessions)))
            .map(|half| half.join().unwrap())
    });
    let combinations = counts.into_iter().flat_map(|counts| counts.into_iter().enumerate());
    combinations
        .map(|(at, count)| ([at / 9, at / 3 % 3, at % 3], count))
        .collect()
}

/// By `9 · home before + 3 · home raised + home removed`.
fn count(sessions: Range<u32>) -> [u32; 27] {
    let mut counts = [0; 27];
    let mut session = String::new();
    for n in sessions {
        session.clear();
        write!(session, "conversation {n}").unwrap();
        let mut conversation = Conversation::new("shop/team-a", &session, "chat");
        let mut home = |weights: Weights| {
            let candidates = NAMES
                .into_iter()
                .zip(weights)
                .map(|(name, weight)| Candidate { name, weight, tier: 0 });
            conversation.rank(candidates)[0].index
        };
        counts[9 * home(BEFORE) + 3 * home(RAISED) + home(REMOVED)] += 1;
    }
    counts
}

/// The percentage of conversations of which this holds.
fn percent(homes: &[([usize; 3], u32)], holds: impl Fn(&[usize; 3]) -> bool) -> f64 {
    let count: u32 = homes
        .iter()
        .filter(|(homes, _)| holds(homes))
        .map(|(_, count)| count)
        .sum();
    100.0 * f64::from(count) / f64::from(SESSIONS)
}

/// The shares that these weights ask for, per cent.
fn wanted(weights: Weights) -> [f64; 3] {
    weights.map(|weight| 100.0 * f64::from(weight) / f64::from(weights.iter().sum::<u32>()))
}

#[test]
fn shares_follow_the_weights_and_no_more_moves_than_must() {
    let homes = homes();
    for (weighting, weights) in [BEFORE, RAISED, REMOVED].into_iter().enumerate() {
        for (index, wanted) in wanted(weights).into_iter().enumerate() {
            let share = percent(&homes, |homes| homes[weighting] == index);
            assert!(
                (share - wanted).abs() <= SHARE,
                "{weights:?}: {} has {share} %",
                NAMES[index]
            );
        }
    }

    let raised = percent(&homes, |[before, raised, _]| before != raised);
    assert!(
        raised <= wanted(RAISED)[2] - wanted(BEFORE)[2] + MOVED,
        "one more weight moved {raised} %"
    );
    let elsewhere = percent(&homes, |[before, raised, _]| before != raised && *raised != 2);
    assert_eq!(elsewhere, 0.0, "only the raised deployment gains");

    let bystanders = percent(&homes, |[before, _, removed]| before != removed && *before != 1);
    assert_eq!(bystanders, 0.0, "only the removed deployment's conversations move");
}
