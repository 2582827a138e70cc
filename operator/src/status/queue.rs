//! What is kept from one look to the next, for as long as it leads.

use super::Id;
use super::count::{Sidecar, tallies};
use super::inherited::Inheritance;
use super::observed::{Sighting, Subjected};
use super::published::{Difference, Status};
use super::schedule::Schedule;
use super::write::{Draft, Outcome};
use super::written::Written;
use crate::keys::span;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use std::collections::{BTreeMap, BTreeSet};
use tokio::time::Instant;

/// What was written, what is being written, and what is to be written when.
#[derive(Default)]
pub(super) struct Queue {
    schedule: Schedule,
    written: Written,
    /// `None` until the first look.
    inheritance: Option<Inheritance>,
    /// What differs from what is written, as of the last look.
    pending: BTreeMap<Id, Draft>,
    /// What is being written.
    busy: BTreeSet<Id>,
    /// Of that, what was passed over by a look.
    passed: BTreeSet<Id>,
    /// When the next key expires.
    expires: Option<Instant>,
}

impl Queue {
    /// Compares every status with what is written. Until something that statuses follow from changes, [`Queue::due`]
    /// needs no other look, however much there is to write.
    pub(super) fn look(&mut self, subjects: &[Subjected<'_>], sidecars: &[Sidecar]) {
        let (now, time) = (Instant::now(), Timestamp::now());
        let wall = in_seconds(time);
        self.forget(subjects);
        let expires = subjects
            .iter()
            .filter_map(|subject| subject.expires_after(wall.0))
            .min();
        self.expires = expires.map(|at| now + span(time, at));
        let inheritance = self.inheritance.get_or_insert_with(|| Inheritance::of(subjects, now));
        let sighting = Sighting {
            tallies: tallies(sidecars),
            inherited: inheritance.at(now, sidecars),
        };
        self.pending.clear();
        for subject in subjects {
            if self.busy.contains(&subject.id) {
                self.passed.insert(subject.id.clone());
                continue;
            }
            let (draft, difference) = draft(subject, &self.written, &sighting, &wall);
            self.schedule.note(&subject.id, subject.version, difference, now);
            if difference.is_some() {
                self.pending.insert(draft.id.clone(), draft);
            }
        }
    }

    /// Hands out at most `room` of what is due `now`.
    pub(super) fn due(&mut self, room: usize, now: Instant) -> Vec<Draft> {
        let waited = |id| Some((self.schedule.due_since(id, now)?, id));
        let mut turns = in_turns(self.pending.keys().filter_map(waited).collect());
        turns.truncate(room);
        let turns: Vec<Id> = turns.into_iter().cloned().collect();
        for id in &turns {
            self.schedule.begun(id);
            self.busy.insert(id.clone());
        }
        turns.iter().filter_map(|id| self.pending.remove(id)).collect()
    }

    /// Takes note of what came of a draft, and says whether that calls for another look.
    pub(super) fn note(&mut self, outcome: Outcome, now: Instant) -> bool {
        let Outcome {
            id,
            seen,
            written,
            was_read,
        } = outcome;
        self.busy.remove(&id);
        let looks = self.passed.remove(&id) || was_read || written.is_none();
        match written {
            Some((version, status)) => self.written.note(id, seen, version, status),
            None => self.schedule.failed(&id, &seen, now),
        }
        looks
    }

    /// When something is to be written although nothing has happened.
    pub(super) fn next(&self) -> Option<Instant> {
        self.schedule.next()
    }

    /// When to look again although nothing has happened.
    pub(super) fn next_look(&self) -> Option<Instant> {
        let inherited = self.inheritance.as_ref().and_then(Inheritance::ends);
        inherited.into_iter().chain(self.expires).min()
    }

    fn forget(&mut self, subjects: &[Subjected<'_>]) {
        let exist: BTreeSet<&Id> = subjects.iter().map(|subject| &subject.id).collect();
        self.schedule.retain(|id| exist.contains(id));
        self.written.retain(|id| exist.contains(id));
    }
}

/// Namespaces take turns, so that one with thousands to be written does not keep the others waiting; within one, who has
/// waited longest comes first.
fn in_turns(mut due: Vec<(Instant, &Id)>) -> Vec<&Id> {
    due.sort_by_key(|(since, _)| *since);
    let mut taken: BTreeMap<&str, usize> = BTreeMap::new();
    let mut turns: Vec<_> = due
        .into_iter()
        .map(|(since, id)| {
            let turn = taken.entry(&id.1.namespace).or_default();
            *turn += 1;
            (*turn, since, id)
        })
        .collect();
    turns.sort_by_key(|(turn, since, _)| (*turn, *since));
    turns.into_iter().map(|(_, _, id)| id).collect()
}

/// The status that `subject` has to have, and how it differs from what is written.
fn draft(
    subject: &Subjected<'_>,
    written: &Written,
    sighting: &Sighting<'_>,
    wall: &Time,
) -> (Draft, Option<Difference>) {
    let known = written.of(&subject.id, subject.version);
    let previous = known.map(|(status, _)| status).or(subject.written.as_ref());
    let next = subject.status(sighting, previous.unwrap_or(&Status::default()), wall);
    // What cannot be seen is read first: its conditions may have stood for long.
    let difference = previous.map_or(Some(Difference::Condition), |previous| next.difference(previous));
    let draft = Draft {
        id: subject.id.clone(),
        uid: subject.uid.to_owned(),
        seen: subject.version.to_owned(),
        base: known.map_or(subject.version, |(_, version)| version).to_owned(),
        previous: previous.cloned(),
        next,
    };
    (draft, difference)
}

/// Kubernetes writes times to the second.
fn in_seconds(time: Timestamp) -> Time {
    Time(Timestamp::from_second(time.as_second()).unwrap_or(time))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Subject;
    use crate::world::ObjectName;
    use std::time::Duration;

    fn id(namespace: &str, name: &str) -> Id {
        (Subject::RoutingPolicy, ObjectName::new(namespace, name))
    }

    /// As a look does that found `names` to be written.
    fn found(names: impl IntoIterator<Item = String>) -> Queue {
        let mut queue = Queue::default();
        for name in names {
            let id = id("noisy", &name);
            queue
                .schedule
                .note(&id, "7", Some(Difference::Condition), Instant::now());
            let draft = Draft {
                id: id.clone(),
                uid: String::new(),
                seen: "7".to_owned(),
                base: "7".to_owned(),
                previous: None,
                next: Status::default(),
            };
            queue.pending.insert(id, draft);
        }
        queue
    }

    fn written(draft: Draft) -> Outcome {
        Outcome {
            id: draft.id,
            seen: draft.seen,
            written: Some(("8".to_owned(), draft.next)),
            was_read: false,
        }
    }

    #[test]
    fn however_much_there_is_to_write_it_is_looked_at_once() {
        let mut queue = found((0..40).map(|number| format!("p{number}")));
        let due = queue.next().unwrap();
        assert!(queue.due(16, due - Duration::from_millis(1)).is_empty());
        let last = due + Duration::from_secs(1);
        let mut names = BTreeSet::new();
        while queue.next().is_some() {
            for draft in queue.due(16, last) {
                names.insert(draft.id.1.name.clone());
                assert!(!queue.note(written(draft), Instant::now()));
            }
        }
        assert_eq!(names.len(), 40);
    }

    #[test]
    fn what_did_not_go_as_drafted_calls_for_another_look() {
        let mut queue = found(["failed", "read", "passed", "plain"].map(str::to_owned));
        let last = queue.next().unwrap() + Duration::from_secs(1);
        queue.passed.insert(id("noisy", "passed"));
        let looks = queue.due(16, last).into_iter().map(|draft| {
            let name = draft.id.1.name.clone();
            let mut outcome = written(draft);
            outcome.was_read = name == "read";
            outcome.written = outcome.written.filter(|_| name != "failed");
            (queue.note(outcome, Instant::now()), name)
        });
        let looks: BTreeMap<String, bool> = looks.map(|(looks, name)| (name, looks)).collect();
        let expected = [("failed", true), ("passed", true), ("plain", false), ("read", true)];
        assert_eq!(looks, expected.map(|(name, looks)| (name.to_owned(), looks)).into());
    }

    #[test]
    fn a_namespace_with_much_to_write_does_not_keep_others_waiting() {
        let start = Instant::now();
        let waited = [
            (id("noisy", "a"), 9),
            (id("noisy", "b"), 30),
            (id("noisy", "c"), 20),
            (id("quiet", "edited"), 1),
        ];
        let due = waited
            .iter()
            .map(|(id, seconds)| (start - Duration::from_secs(*seconds), id));
        let order = in_turns(due.collect());
        let names: Vec<&str> = order.iter().map(|id| &*id.1.name).collect();
        assert_eq!(names, ["b", "edited", "c", "a"]);
    }
}
