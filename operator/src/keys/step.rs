//! What is to be done for a VirtualKey's Secret now. Pure: the time is an argument.

use super::kept::{Entry, Kept, later};
use crate::compile::{Finding, Reason};
use crate::world::ObjectName;
use jiff::Timestamp;
use pilotfish_crds::VirtualKeySpec;
use pilotfish_crds::key::Rotation;

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing, until the time given or until something changes.
    Rest(Option<Timestamp>),
    /// Make a Secret with a new key.
    Create,
    /// Put a new key where there is none.
    Fill,
    /// Put a new key in the place of the one there is, which stays beside it.
    Rotate,
    /// Take the key before this one away.
    EndOverlap,
    /// Write the times anew: they are of a clock that was ahead.
    CorrectTimes,
    /// Nothing can be done, and a person should know.
    Stuck(Finding),
}

impl Step {
    /// For the log.
    pub(super) fn as_str(&self) -> &'static str {
        match self {
            Self::Rest(_) => "rest",
            Self::Create => "create",
            Self::Fill => "fill",
            Self::Rotate => "rotate",
            Self::EndOverlap => "end the overlap",
            Self::CorrectTimes => "correct the times",
            Self::Stuck(_) => "stuck",
        }
    }
}

/// What is to be done at `now` for the VirtualKey `name`, whose uid is `uid`. `kept` is its Secret, if one with our label
/// is seen.
///
/// The Secret is the truth. What its owner, a person or another program wrote there is never overwritten, with one
/// exception: a Secret that this very VirtualKey made is rotated, and a key that was removed from it, or emptied, is
/// replaced by a new one, which is how one asks for a new key at once.
pub(super) fn next_step(
    name: &ObjectName,
    uid: &str,
    spec: &VirtualKeySpec,
    kept: Option<&Kept>,
    now: Timestamp,
) -> Step {
    let Some(kept) = kept else { return Step::Create };
    let rotation = spec.rotation.as_ref();
    if kept.owner.as_deref() != Some(uid) {
        return rotation.map_or(Step::Rest(None), |_| Step::Stuck(not_owned(name, spec)));
    }
    if kept.ahead(now).is_some() {
        return Step::CorrectTimes;
    }
    let ends = ends(kept, rotation);
    if ends.is_some_and(|ends| ends <= now) {
        return Step::EndOverlap;
    }
    let rotates = kept.rotates_at(uid, rotation);
    match kept.current {
        Entry::Nothing => Step::Fill,
        Entry::Key if rotates.is_some_and(|rotates| rotates <= now) => Step::Rotate,
        Entry::Key => Step::Rest(ends.into_iter().chain(rotates).min()),
        Entry::Other => Step::Rest(ends),
    }
}

/// When the key before the current one ceases to be taken, if the operator put it there. A shorter overlap counts at
/// once, a longer one from the next rotation on.
fn ends(kept: &Kept, rotation: Option<&Rotation>) -> Option<Timestamp> {
    let promised = kept.previous_until.filter(|_| kept.has_previous)?;
    let wanted = rotation.and_then(|rotation| later(kept.made?, &rotation.overlap));
    Some(wanted.map_or(promised, |wanted| wanted.min(promised)))
}

fn not_owned(name: &ObjectName, spec: &VirtualKeySpec) -> Finding {
    let secret = ObjectName::new(&name.namespace, &spec.secret_name);
    let sentence = format!("Secret {secret} was not made by this VirtualKey, so its key is not rotated");
    Finding::new(Reason::SecretNotOwned, sentence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pilotfish_crds::scalar::Duration;
    use serde_json::json;

    const UID: &str = "uid-of-the-key";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + seconds).unwrap()
    }

    fn spec(rotation: Option<(&str, &str)>) -> VirtualKeySpec {
        let mut spec: VirtualKeySpec = serde_json::from_value(json!({"secretName": "keys"})).unwrap();
        spec.rotation = rotation.map(|(every, overlap)| Rotation {
            every: Duration::new(every),
            overlap: Duration::new(overlap),
        });
        spec
    }

    /// A Secret of ours, made at 0.
    fn kept() -> Kept {
        Kept {
            owner: Some(UID.to_owned()),
            made: Some(at(0)),
            previous_until: None,
            current: Entry::Key,
            has_previous: false,
        }
    }

    fn step(kept: Option<Kept>, rotation: Option<(&str, &str)>, now: i64) -> Step {
        let name = ObjectName::new("shop", "team-a");
        next_step(&name, UID, &spec(rotation), kept.as_ref(), at(now))
    }

    #[test]
    fn a_secret_is_made_where_none_is_seen() {
        assert_eq!(step(None, None, 0), Step::Create);
    }

    #[test]
    fn a_key_is_replaced_when_it_is_due_and_not_before() {
        let hourly = Some(("1h", "10m"));
        assert_eq!(step(Some(kept()), None, 1_000_000), Step::Rest(None));
        assert_eq!(step(Some(kept()), hourly, 3599), Step::Rest(Some(at(3600))));
        assert_eq!(step(Some(kept()), hourly, 3600), Step::Rotate);
        assert_eq!(step(Some(kept()), hourly, 1_000_000), Step::Rotate);
    }

    #[test]
    fn the_key_before_it_goes_when_the_overlap_ends() {
        let both = Kept {
            has_previous: true,
            previous_until: Some(at(600)),
            ..kept()
        };
        let hourly = Some(("1h", "10m"));
        assert_eq!(step(Some(both.clone()), hourly, 599), Step::Rest(Some(at(600))));
        assert_eq!(step(Some(both.clone()), hourly, 600), Step::EndOverlap);
        assert_eq!(step(Some(both.clone()), hourly, 3600), Step::EndOverlap);
        // What was promised holds where nothing is rotated any more, and a longer overlap changes nothing.
        assert_eq!(step(Some(both.clone()), None, 600), Step::EndOverlap);
        assert_eq!(step(Some(both.clone()), Some(("1h", "30m")), 600), Step::EndOverlap);
        // A shorter one is meant at once.
        assert_eq!(step(Some(both.clone()), Some(("1h", "1m")), 60), Step::EndOverlap);
        // One that the operator did not put there is not its to remove.
        let theirs = Kept {
            previous_until: None,
            ..both
        };
        assert_eq!(step(Some(theirs), None, 1_000_000), Step::Rest(None));
    }

    #[test]
    fn nobody_waits_for_a_time_that_a_clock_wrote_which_was_ahead() {
        let ahead = |seconds| Kept {
            made: Some(at(seconds)),
            has_previous: true,
            previous_until: Some(at(seconds + 600)),
            ..kept()
        };
        let hourly = Some(("1h", "10m"));
        assert_eq!(
            step(Some(ahead(60)), hourly, 0),
            Step::Rest(Some(at(660))),
            "as clocks differ"
        );
        assert_eq!(step(Some(ahead(61)), hourly, 0), Step::CorrectTimes);
        assert_eq!(step(Some(ahead(1_000_000)), None, 0), Step::CorrectTimes);
        let theirs = Kept {
            owner: None,
            ..ahead(1_000_000)
        };
        assert_eq!(step(Some(theirs), None, 0), Step::Rest(None));
    }

    #[test]
    fn what_somebody_else_made_is_used_and_not_written() {
        let theirs = |owner: Option<&str>| Kept {
            owner: owner.map(str::to_owned),
            current: Entry::Nothing,
            ..kept()
        };
        for owner in [None, Some("uid-of-another")] {
            assert_eq!(step(Some(theirs(owner)), None, 1_000_000), Step::Rest(None));
            let Step::Stuck(finding) = step(Some(theirs(owner)), Some(("1h", "10m")), 1_000_000) else {
                panic!("not stuck")
            };
            let sentence = "Secret shop/keys was not made by this VirtualKey, so its key is not rotated";
            assert_eq!(
                (finding.reason, finding.sentence.as_str()),
                (Reason::SecretNotOwned, sentence)
            );
        }
    }

    #[test]
    fn a_key_that_was_removed_is_made_anew_and_a_text_that_is_no_key_is_left() {
        let with = |current| Kept { current, ..kept() };
        assert_eq!(step(Some(with(Entry::Nothing)), None, 5), Step::Fill);
        assert_eq!(
            step(Some(with(Entry::Other)), Some(("1h", "10m")), 1_000_000),
            Step::Rest(None)
        );
    }

    #[test]
    fn a_secret_that_says_no_time_is_never_rotated() {
        let timeless = Kept { made: None, ..kept() };
        assert_eq!(step(Some(timeless), Some(("1h", "10m")), 1_000_000), Step::Rest(None));
    }
}
