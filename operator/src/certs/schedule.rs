//! When roots are made, sign, and are trusted no more. Pure: the time is an argument.
//!
//! A root is in one of these phases, by its age in parts of its lifetime:
//!
//! ```text
//! 0 ........... 1/12 ........................ 2/3 ................ 3/4 ............... 1 .......... 2
//! trusted        signs, its predecessor        its successor        the successor       kept        gone
//! (spreading)    is still trusted              is made, spreads     signs
//! ```
//!
//! Whoever must trust a root learns of it from the bundle, a file that takes a while to reach every pod. So a new root
//! signs nothing until it has spread. What a root signs lasts a twelfth of its lifetime at most, and when it stops
//! signing it is trusted for three more of them: no certificate outlives the trust in its signer.
//!
//! Where there is no choice, there is no waiting: the first root of an installation signs at once, and so does one that
//! is made after every other has ended.
//!
//! No clock is to be relied on. One that is ahead must not take the others' roots from them: a root that has ended is kept
//! in the bundle for as long again, where it is harmless, as whoever checks a certificate checks its dates. And a root that
//! was made in the future is one that nobody knows of yet: it neither signs nor keeps another from being made.

use std::time::Duration;

/// Of a root made without further wishes.
pub const DEFAULT_LIFETIME: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// Below it certificates would last for less than a second.
pub const SHORTEST_LIFETIME: Duration = Duration::from_secs(12);
/// No certificate of a sidecar lasts longer: what it proves was looked up when it was made.
const CLIENT: i64 = 60 * 60;
/// No serving certificate lasts longer, and no bundle takes longer to be everywhere.
const DAY: i64 = 24 * 60 * 60;

/// How long things last, in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    lifetime: i64,
}

/// When a root was made and when it ends, in seconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Term {
    pub(super) made: i64,
    pub(super) ends: i64,
}

/// What holds at one moment, for some roots.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// The root that signs; `None` when there is none.
    pub(super) signs: Option<usize>,
    /// The roots that are in the bundle. Every other one ended long ago.
    pub(super) kept: Vec<usize>,
    /// Another root is due.
    pub(super) make: bool,
}

impl Schedule {
    pub(super) fn new(lifetime: Duration) -> Self {
        let lifetime = lifetime.max(SHORTEST_LIFETIME).as_secs();
        Self {
            lifetime: i64::try_from(lifetime).unwrap_or(i64::MAX),
        }
    }

    /// Of a root that is made `now`.
    pub(super) fn term(self, now: i64) -> Term {
        Term {
            made: now,
            ends: now.saturating_add(self.lifetime),
        }
    }

    /// How long a bundle may take to be everywhere.
    pub(super) fn spread(self) -> i64 {
        DAY.min(self.lifetime / 12)
    }

    /// How long a sidecar's certificate lasts.
    pub(super) fn client(self) -> i64 {
        CLIENT.min(self.lifetime / 12)
    }

    /// How long a serving certificate lasts.
    pub(super) fn serving(self) -> i64 {
        DAY.min(self.lifetime / 12)
    }

    /// What is to be done with roots of these terms at `now`.
    pub(super) fn at(self, now: i64, terms: &[Term]) -> Step {
        let (made, ends) = (|root: usize| terms[root].made, |root: usize| terms[root].ends);
        let lives = |&root: &usize| !self.is_ahead(now, terms[root]) && now < ends(root);
        let living: Vec<usize> = (0..terms.len()).filter(lives).collect();
        let newest = living.iter().map(|&root| terms[root]).max_by_key(|term| term.made);
        let has_spread = |&&root: &&usize| made(root).saturating_add(self.spread()) <= now;
        let spread = living.iter().filter(has_spread).max_by_key(|&&root| made(root));
        let oldest = living.iter().min_by_key(|&&root| made(root));
        let is_kept = |&root: &usize| now < ends(root).saturating_add(self.lifetime);
        Step {
            signs: spread.or(oldest).copied(),
            make: newest.is_none_or(|newest| self.successor_due(newest) <= now),
            kept: (0..terms.len()).filter(is_kept).collect(),
        }
    }

    /// Made by a clock that differs from this one by more than clocks do.
    pub(super) fn is_ahead(self, now: i64, term: Term) -> bool {
        now.saturating_add(self.spread()) < term.made
    }

    /// A shorter lifetime than the root was made with counts at once.
    fn successor_due(self, term: Term) -> i64 {
        let lifetime = self.lifetime.min(term.ends.saturating_sub(term.made));
        term.made.saturating_add(lifetime - lifetime / 3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 60 * 60;

    /// 12 hours: whatever lasts a twelfth lasts an hour.
    fn schedule() -> Schedule {
        Schedule::new(Duration::from_secs(12 * 60 * 60))
    }

    #[test]
    fn a_root_goes_through_its_phases() {
        let first = schedule().term(0);
        let second = schedule().term(8 * HOUR);
        let step = |signs, kept: &[usize], make| Step {
            signs,
            kept: kept.to_vec(),
            make,
        };
        for (hour, terms, expected) in [
            (0, vec![], step(None, &[], true)),
            (0, vec![first], step(Some(0), &[0], false)),
            (7, vec![first], step(Some(0), &[0], false)),
            (8, vec![first], step(Some(0), &[0], true)),
            (8, vec![first, second], step(Some(0), &[0, 1], false)),
            (9, vec![first, second], step(Some(1), &[0, 1], false)),
            (11, vec![second, first], step(Some(0), &[0, 1], false)),
            (12, vec![first, second], step(Some(1), &[0, 1], false)),
            (16, vec![first, second], step(Some(1), &[0, 1], true)),
            (24, vec![first, second], step(None, &[1], true)),
            (99, vec![first, second], step(None, &[], true)),
        ] {
            assert_eq!(schedule().at(hour * HOUR, &terms), expected, "hour {hour}: {terms:?}");
        }
    }

    #[test]
    fn a_clock_that_is_ahead_takes_no_root_from_those_that_are_right() {
        let (right, ahead) = (schedule().term(0), schedule().term(13 * HOUR));
        let seen_by_who_is_ahead = schedule().at(13 * HOUR, &[right]);
        assert!(seen_by_who_is_ahead.make);
        assert_eq!(seen_by_who_is_ahead.kept, [0]);
        let seen_by_who_is_right = schedule().at(HOUR, &[right, ahead]);
        assert_eq!(seen_by_who_is_right.signs, Some(0));
        assert!(!seen_by_who_is_right.make);
        let alone = schedule().at(HOUR, &[ahead]);
        assert!(alone.make && alone.signs.is_none());
        assert!(
            schedule().at(8 * HOUR, &[right, ahead]).make,
            "the successor that is due, in spite of the one ahead"
        );
    }

    #[test]
    fn of_two_roots_that_are_both_new_every_replica_signs_with_the_older() {
        let terms = [schedule().term(5), schedule().term(3)];
        assert_eq!(schedule().at(6, &terms).signs, Some(1));
    }

    #[test]
    fn a_lifetime_that_is_shortened_makes_a_successor_early() {
        let long = Schedule::new(DEFAULT_LIFETIME).term(0);
        assert!(!schedule().at(7 * HOUR, &[long]).make);
        assert!(schedule().at(8 * HOUR, &[long]).make);
    }

    /// A leaf, by its signer's term.
    struct Leaf {
        signer: Term,
        ends: i64,
    }

    /// Time runs, with gaps in which nobody was there to do anything. Whoever has a bundle that is not older than the time
    /// it may take to spread trusts every certificate that has not ended.
    #[test]
    fn nobody_with_a_bundle_of_this_hour_meets_a_certificate_it_does_not_trust() {
        let schedule = schedule();
        let minute = 60;
        let mut roots: Vec<Term> = Vec::new();
        let mut bundles: Vec<(i64, Vec<Term>)> = Vec::new();
        let mut leaves: Vec<Leaf> = Vec::new();
        let mut signers = 0;
        for now in (0..100 * HOUR).step_by(5 * 60) {
            // Nobody is there for an hour of every 30.
            if now % (30 * HOUR) > 29 * HOUR {
                continue;
            }
            if schedule.at(now, &roots).make {
                roots.push(schedule.term(now));
            }
            let step = schedule.at(now, &roots);
            roots = step.kept.iter().map(|&root| roots[root]).collect();
            let step = schedule.at(now, &roots);
            let signer = roots[step.signs.unwrap()];
            if leaves.last().is_none_or(|leaf| leaf.signer != signer) {
                signers += 1;
            }
            let ends = signer.ends.min(now + schedule.client());
            leaves.push(Leaf { signer, ends });
            bundles.push((now, roots.clone()));
            bundles.retain(|(made, _)| now - made < schedule.spread() - minute);
            leaves.retain(|leaf| now < leaf.ends);
            for leaf in &leaves {
                for (made, bundle) in &bundles {
                    assert!(bundle.contains(&leaf.signer), "at {now}: bundle of {made}");
                }
            }
        }
        assert_eq!(signers, 13, "a root every 8 hours");
    }
}
