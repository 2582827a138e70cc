use super::{Kept, Key, LIFE, MOST_BYTES, MOST_ENTRIES, Thinker, Thoughts};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

const CLAUDE: Thinker<'_> = Thinker {
    tenant: "key/shop/a",
    deployment: "shop/claude",
    revision: 1,
    model: "claude-sonnet-4-5",
};

fn key(call: usize) -> Key {
    Key::new(&CLAUDE, 7, &format!("toolu_{call}"))
}

fn text(bytes: usize) -> Arc<str> {
    "r".repeat(bytes).into()
}

#[test]
fn what_is_kept_is_found_by_nobody_else() {
    let (thoughts, now) = (Thoughts::new(), Instant::now());
    let own = Key::new(&CLAUDE, 7, "toolu_1");
    thoughts.keep(own, text(3), now);
    let others = [
        Key::new(
            &Thinker {
                tenant: "key/shop/b",
                ..CLAUDE
            },
            7,
            "toolu_1",
        ),
        Key::new(
            &Thinker {
                deployment: "shop/other",
                ..CLAUDE
            },
            7,
            "toolu_1",
        ),
        Key::new(&Thinker { revision: 2, ..CLAUDE }, 7, "toolu_1"),
        Key::new(
            &Thinker {
                model: "claude-opus-4-5",
                ..CLAUDE
            },
            7,
            "toolu_1",
        ),
        Key::new(&CLAUDE, 8, "toolu_1"),
        Key::new(&CLAUDE, 7, "toolu_2"),
        // The parts are told apart, whatever stands in them.
        Key::new(
            &Thinker {
                tenant: "key/shop/ashop/claude",
                deployment: "",
                ..CLAUDE
            },
            7,
            "toolu_1",
        ),
    ];
    for other in &others {
        assert_eq!(thoughts.recall(other, now), None);
    }
    assert_eq!(thoughts.recall(&own, now), Some(text(3)));
}

#[test]
fn nothing_stays_longer_than_its_life_after_it_was_last_asked_for() {
    let (thoughts, start) = (Thoughts::new(), Instant::now());
    let moment = Duration::from_millis(1);
    thoughts.keep(key(1), text(10), start);
    thoughts.keep(key(2), text(20), start);
    let late = start + LIFE - moment;
    assert_eq!(thoughts.recall(&key(1), late), Some(text(10)));
    assert_eq!(thoughts.recall(&key(2), start + LIFE), None);
    assert_eq!(thoughts.kept(late + LIFE - moment), Kept { entries: 1, bytes: 10 });
    assert_eq!(thoughts.kept(late + LIFE), Kept::default());
    assert!(thoughts.is_empty());
}

#[test]
fn there_is_a_bound_of_bytes_and_one_of_entries() {
    let (thoughts, now) = (Thoughts::new(), Instant::now());
    for call in 0..3 * MOST_ENTRIES {
        thoughts.keep(key(call), text(1), now);
        assert!(thoughts.kept(now).entries <= MOST_ENTRIES);
    }
    assert_eq!(thoughts.recall(&key(0), now), None);
    let last = key(3 * MOST_ENTRIES - 1);
    assert_eq!(thoughts.recall(&last, now), Some(text(1)));
    for call in 0..100 {
        thoughts.keep(key(call), text(MOST_BYTES / 10), now);
        assert!(thoughts.kept(now).bytes <= MOST_BYTES);
    }
    assert_eq!(thoughts.recall(&key(99), now), Some(text(MOST_BYTES / 10)));
    thoughts.keep(key(100), text(MOST_BYTES / 2 + 1), now);
    assert_eq!(thoughts.recall(&key(100), now), None, "longer than a half");
}

#[test]
fn what_is_asked_for_is_not_forgotten_for_what_is_new() {
    let (thoughts, now) = (Thoughts::new(), Instant::now());
    thoughts.keep(key(0), text(5), now);
    for call in 1..3 * MOST_ENTRIES {
        thoughts.keep(key(call), text(1), now);
        assert!(thoughts.recall(&key(0), now).is_some());
    }
}

#[test]
fn what_is_kept_again_replaces_what_was_kept() {
    let (thoughts, now) = (Thoughts::new(), Instant::now());
    thoughts.keep(key(1), text(5), now);
    thoughts.keep(key(1), text(7), now);
    assert_eq!(thoughts.kept(now), Kept { entries: 1, bytes: 7 });
}
