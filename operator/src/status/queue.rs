//! What is kept from one look to the next, for as long as it leads.

use super::Id;
use super::count::{Sidecar, tallies};
use super::inherited::Inheritance;
use super::observed::{Sighting, Subjected};
use super::published::{Difference, Status};
use super::schedule::Schedule;
use super::write::{Draft, Outcome};
use super::written::Written;
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
    /// What is being written.
    busy: BTreeSet<Id>,
}

impl Queue {
    /// Compares every status with what is written, and hands out at most `room` of those that are due.
    pub(super) fn look(&mut self, subjects: &[Subjected<'_>], sidecars: &[Sidecar], room: usize) -> Vec<Draft> {
        let (now, wall) = (Instant::now(), now_in_seconds());
        self.forget(subjects);
        let inheritance = self.inheritance.get_or_insert_with(|| Inheritance::of(subjects, now));
        let sighting = Sighting {
            tallies: tallies(sidecars),
            inherited: inheritance.at(now, sidecars),
        };
        let mut due = Vec::new();
        for subject in subjects {
            if self.busy.contains(&subject.id) {
                continue;
            }
            let (draft, difference) = draft(subject, &self.written, &sighting, &wall);
            self.schedule.note(&subject.id, subject.version, difference, now);
            if let Some(since) = self.schedule.due_since(&subject.id, now) {
                due.push((since, draft));
            }
        }
        let mut drafts = in_turns(due);
        drafts.truncate(room);
        for draft in &drafts {
            self.schedule.begun(&draft.id);
            self.busy.insert(draft.id.clone());
        }
        drafts
    }

    /// Takes note of what came of a draft.
    pub(super) fn note(&mut self, outcome: Outcome, now: Instant) {
        let Outcome { id, seen, written } = outcome;
        self.busy.remove(&id);
        match written {
            Some((version, status)) => self.written.note(id, seen, version, status),
            None => self.schedule.failed(&id, &seen, now),
        }
    }

    /// When to look again although nothing has happened.
    pub(super) fn next(&self) -> Option<Instant> {
        let inheritance = self.inheritance.as_ref().and_then(Inheritance::ends);
        self.schedule.next().into_iter().chain(inheritance).min()
    }

    fn forget(&mut self, subjects: &[Subjected<'_>]) {
        let exist: BTreeSet<&Id> = subjects.iter().map(|subject| &subject.id).collect();
        self.schedule.retain(|id| exist.contains(id));
        self.written.retain(|id| exist.contains(id));
    }
}

/// Namespaces take turns, so that one with thousands to be written does not keep the others waiting; within one, who has
/// waited longest comes first.
fn in_turns(mut due: Vec<(Instant, Draft)>) -> Vec<Draft> {
    due.sort_by_key(|(since, _)| *since);
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    let mut turns: Vec<_> = due
        .into_iter()
        .map(|(since, draft)| {
            let turn = taken.entry(draft.id.1.namespace.clone()).or_default();
            *turn += 1;
            (*turn, since, draft)
        })
        .collect();
    turns.sort_by_key(|(turn, since, _)| (*turn, *since));
    turns.into_iter().map(|(_, _, draft)| draft).collect()
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
fn now_in_seconds() -> Time {
    let now = Timestamp::now();
    Time(Timestamp::from_second(now.as_second()).unwrap_or(now))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Subject;
    use crate::world::ObjectName;
    use std::time::Duration;

    #[test]
    fn a_namespace_with_much_to_write_does_not_keep_others_waiting() {
        let start = Instant::now();
        let draft = |namespace: &str, name: &str, waited: u64| {
            let draft = Draft {
                id: (Subject::RoutingPolicy, ObjectName::new(namespace, name)),
                uid: String::new(),
                seen: String::new(),
                base: String::new(),
                previous: None,
                next: Status::default(),
            };
            (start - Duration::from_secs(waited), draft)
        };
        let due = vec![
            draft("noisy", "a", 9),
            draft("noisy", "b", 30),
            draft("noisy", "c", 20),
            draft("quiet", "edited", 1),
        ];
        let order = in_turns(due);
        let names: Vec<&str> = order.iter().map(|draft| &*draft.id.1.name).collect();
        assert_eq!(names, ["b", "edited", "c", "a"]);
    }
}
