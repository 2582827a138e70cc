use super::*;
use proptest::prelude::*;
use std::process::Command;

mod shares;

/// A row of `golden.json`: input, draws and order together. The draws are decimal strings, since JSON numbers are not
/// exact everywhere.
#[derive(serde::Deserialize)]
struct Row {
    tenant: String,
    session: String,
    model: String,
    key: String,
    candidates: Vec<(String, u32, u32, String)>,
    order: Vec<usize>,
}

#[test]
fn the_golden_vectors_hold() {
    let rows: Vec<Row> = serde_json::from_str(include_str!("golden.json")).unwrap();
    assert!(rows.len() >= 40);
    for Row {
        tenant,
        session,
        model,
        key,
        candidates,
        order,
    } in rows
    {
        let mut conversation = Conversation::new(&tenant, &session, &model);
        let draws: Vec<_> = candidates
            .iter()
            .map(|c| negative_log2(conversation.input.hash_with(&c.0, SEED)).to_string())
            .collect();
        let expected: Vec<_> = candidates.iter().map(|c| c.3.clone()).collect();
        let given = candidates.iter().map(|c| Candidate {
            name: &c.0,
            weight: c.1,
            tier: c.2,
        });
        let ranked: Vec<_> = conversation.rank(given).iter().map(|ranked| ranked.index).collect();
        assert_eq!((draws, ranked), (expected, order), "{tenant} {session} {model}");
        assert_eq!(
            format!("{:016x}", conversation.key()),
            key,
            "{tenant} {session} {model}"
        );
    }
}

/// Two thousand conversations' whole orders, as text.
fn orders() -> String {
    let pool = ["a/one", "a/two", "b/one", "b/two", "c/größer"];
    let order = |session: usize| {
        let candidates = (1..)
            .zip(pool)
            .map(|(weight, name)| Candidate { name, weight, tier: 0 });
        let ranked = Conversation::new("shop/team", &format!("session-{session}"), "chat").rank(candidates);
        ranked.iter().map(|ranked| ranked.index.to_string()).collect::<String>()
    };
    (0..2000).map(order).collect::<Vec<_>>().join(" ")
}

const CHILD: &str = "PILOTFISH_TEST_PRINTS_ITS_ORDERS";

#[test]
fn independent_processes_agree_on_pick_and_order() {
    if std::env::var_os(CHILD).is_some() {
        println!("<{}>", orders());
        return;
    }
    let child = || {
        let name = "affinity::tests::independent_processes_agree_on_pick_and_order";
        let mut command = Command::new(std::env::current_exe().unwrap());
        let output = command
            .args([name, "--exact", "--nocapture"])
            .env(CHILD, "1")
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let expected = format!("<{}>", orders());
    for stdout in [child(), child()] {
        assert!(stdout.contains(&expected), "another process ranks otherwise: {stdout}");
    }
}

#[test]
fn the_usual_request_allocates_nothing() {
    let session = "s".repeat(session::LONGEST);
    let mut conversation = Conversation::new("production/assistants-team-a", &session, "claude-sonnet-4-5");
    let names: Vec<_> = (0..8).map(|n| format!("ai-platform/claude-sonnet-{n}")).collect();
    let order = conversation.rank(names.iter().map(|name| Candidate {
        name,
        weight: 1,
        tier: 0,
    }));
    assert!(matches!(conversation.input, Input::Usual { .. }) && !order.spilled());
}

#[test]
fn a_score_is_shown_as_the_natural_logarithm_over_the_weight() {
    let score = Score {
        log: logarithm::ONE,
        weight: 4,
    };
    assert_eq!(score.to_string(), "1.733e-1");
}

#[test]
fn scores_are_compared_exactly() {
    let nearly = |log, weight| Score { log, weight };
    assert_eq!(
        nearly(u64::MAX / 2, u32::MAX).cmp(&nearly(u64::MAX / 2, u32::MAX - 1)),
        Ordering::Less
    );
    assert_eq!(nearly(3, 1_000_000).cmp(&nearly(6, 2_000_000)), Ordering::Equal);
    assert_eq!(
        nearly(u64::MAX / 2, 1).cmp(&nearly(u64::MAX / 2 - 1, 1)),
        Ordering::Greater
    );
}

/// Candidates without a tier, and weights that a policy can have.
fn pool() -> impl Strategy<Value = Vec<(String, u32, u32)>> {
    let weight = prop_oneof![Just(0_u32), 1..4_u32, 1..=1_000_000_u32];
    prop::collection::vec(("[a-c]/[a-z]{1,8}", weight, 0..3_u32), 0..12)
}

fn rank(conversation: &mut Conversation, pool: &[(String, u32, u32)]) -> Vec<usize> {
    let candidates = pool.iter().map(|(name, weight, tier)| Candidate {
        name,
        weight: *weight,
        tier: *tier,
    });
    conversation
        .rank(candidates)
        .iter()
        .map(|ranked| ranked.index)
        .collect()
}

proptest! {
    #[test]
    fn everything_with_a_weight_is_ranked_once_and_tiers_never_mix(pool in pool(), session in ".*") {
        let order = rank(&mut Conversation::new("t", &session, "m"), &pool);
        let mut ranked = order.clone();
        ranked.sort_unstable();
        let weighty: Vec<_> = (0..pool.len()).filter(|index| pool[*index].1 > 0).collect();
        prop_assert_eq!(ranked, weighty);
        prop_assert!(order.iter().map(|index| pool[*index].2).is_sorted());
    }

    #[test]
    fn the_order_in_which_candidates_are_given_does_not_matter(pool in pool(), session in ".*") {
        let mut backwards = pool.clone();
        backwards.reverse();
        let names = |pool: &[(String, u32, u32)]| -> Vec<_> {
            let order = rank(&mut Conversation::new("t", &session, "m"), pool);
            order.iter().map(|index| pool[*index].clone()).collect()
        };
        let (mut forth, mut back) = (names(&pool), names(&backwards));
        // Entries that are the same in all but their place are told apart by it; no policy has such.
        forth.dedup();
        back.dedup();
        prop_assert_eq!(forth, back);
    }

    #[test]
    fn removing_one_leaves_the_order_of_the_others(pool in pool(), session in ".*", removed: prop::sample::Index) {
        prop_assume!(!pool.is_empty());
        let removed = removed.index(pool.len());
        let mut conversation = Conversation::new("t", &session, "m");
        let whole = rank(&mut conversation, &pool);
        let expected: Vec<_> = whole.into_iter().filter(|index| *index != removed).collect();
        let mut without = pool.clone();
        without[removed].1 = 0;
        prop_assert_eq!(rank(&mut conversation, &without), expected);
    }

    #[test]
    fn parts_of_the_key_never_run_into_each_other(a in ".{0,6}", b in ".{0,6}", c in ".{0,6}", d in ".{0,6}") {
        let (left, right) = (Conversation::new(&a, &b, "m"), Conversation::new(&c, &d, "m"));
        prop_assert_eq!(left.input.as_bytes() == right.input.as_bytes(), (a, b) == (c, d));
    }
}
