//! What the leader before this one had published.
//!
//! Acks are told to a replica, and a new leader has heard none. Until a pod reports, it counts as it was published, for
//! at most 30 s; what a pod reports counts at once. So nothing flickers when a leader goes.

use super::Id;
use super::count::{Sidecar, Tally, count};
use super::observed::Subjected;
use pilotfish_crds::status::{Refusal, Sidecars};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

/// For how long a pod may be silent and still count.
const GRACE: Duration = Duration::from_secs(30);

/// What was published when this replica began to lead.
#[derive(Debug)]
pub(super) struct Inheritance {
    ends: Instant,
    /// Empty once it has ended.
    published: BTreeMap<Id, Inherited>,
}

/// What of it still counts.
pub(super) struct Counting<'a> {
    published: &'a BTreeMap<Id, Inherited>,
    /// The pods that have not reported.
    silent: BTreeSet<String>,
}

/// What was published of one object.
#[derive(Debug)]
struct Inherited {
    /// The generation it was about. Nothing is known of another one.
    generation: i64,
    sidecars: Sidecars,
    refusals: Vec<Refusal>,
}

impl Inheritance {
    /// Of a replica that begins to lead `now`.
    pub(super) fn of(subjects: &[Subjected<'_>], now: Instant) -> Self {
        let published = subjects.iter().filter_map(|subject| {
            let status = subject.written.as_ref()?;
            let inherited = Inherited {
                generation: status.observed_generation?,
                sidecars: status.sidecars?,
                refusals: status.refusals.clone(),
            };
            Some((subject.id.clone(), inherited))
        });
        Self {
            ends: now + GRACE,
            published: published.collect(),
        }
    }

    /// What of it counts at `now`.
    pub(super) fn at(&mut self, now: Instant, sidecars: &[Sidecar]) -> Option<Counting<'_>> {
        if now >= self.ends {
            self.published.clear();
        }
        let is_silent = |sidecar: &&Sidecar| sidecar.report.is_none() && sidecar.unserved.is_none();
        let silent = sidecars.iter().filter(is_silent);
        (!self.published.is_empty()).then(|| Counting {
            published: &self.published,
            silent: silent.map(|sidecar| sidecar.pod.to_string()).collect(),
        })
    }

    /// When it ends, if it has not.
    pub(super) fn ends(&self) -> Option<Instant> {
        (!self.published.is_empty()).then_some(self.ends)
    }
}

impl Counting<'_> {
    /// The figures of `tally` for the `generation` of an object, with what was published of pods that are silent yet.
    pub(super) fn complete(&self, id: &Id, generation: i64, tally: &Tally<'_>) -> Option<(Sidecars, Vec<Refusal>)> {
        let inherited = self.published.get(id)?;
        (inherited.generation == generation).then(|| inherited.complete(tally, &self.silent))
    }
}

impl Inherited {
    /// The figures of `tally` with what is not known yet of the `silent` pods filled in.
    fn complete(&self, tally: &Tally<'_>, silent: &BTreeSet<String>) -> (Sidecars, Vec<Refusal>) {
        let mut sidecars = tally.sidecars();
        let mut unknown = count(tally.silent);
        sidecars.programmed += taken(&mut unknown, self.sidecars.programmed - sidecars.programmed);
        let refused = taken(&mut unknown, self.sidecars.refused - sidecars.refused);
        sidecars.refused += refused;
        let mut refusals = tally.refusals();
        let still = self.refusals.iter().filter(|refusal| silent.contains(&refusal.pod));
        refusals.extend(still.take(usize::try_from(refused).unwrap_or(0)).cloned());
        (sidecars, refusals)
    }
}

/// Takes as much of `wanted` from `unknown` as there is.
fn taken(unknown: &mut i32, wanted: i32) -> i32 {
    let taken = wanted.clamp(0, *unknown);
    *unknown -= taken;
    taken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::ObjectName;

    fn refusal(pod: &str) -> Refusal {
        Refusal {
            pod: pod.to_owned(),
            message: "old".to_owned(),
        }
    }

    #[test]
    fn a_pod_that_has_not_reported_counts_as_it_was_published() {
        let inherited = Inherited {
            generation: 1,
            sidecars: Sidecars {
                desired: 5,
                programmed: 4,
                refused: 1,
                unserved: 0,
            },
            refusals: vec![refusal("shop/e")],
        };
        let all = ["shop/a", "shop/b", "shop/c", "shop/d", "shop/e"];
        let e = ObjectName::new("shop", "e");
        // How many reported and run it, whether e reported that it refuses it, and the outcome.
        let cases = [
            (0, false, (4, 1, vec!["old"])),
            (3, false, (4, 1, vec!["old"])),
            (3, true, (4, 1, vec!["new"])),
            (4, true, (4, 1, vec!["new"])),
            (5, false, (5, 0, vec![])),
        ];
        for (programmed, e_refuses, expected) in cases {
            let reported = programmed + usize::from(e_refuses);
            let tally = Tally {
                desired: 5,
                programmed,
                silent: 5 - reported,
                refused: e_refuses.then_some((&e, "new")).into_iter().collect(),
                ..Tally::default()
            };
            let silent = all
                .iter()
                .skip(programmed)
                .filter(|pod| !(e_refuses && **pod == "shop/e"));
            let silent = silent.map(|&pod| pod.to_owned()).collect();
            let (sidecars, refusals) = inherited.complete(&tally, &silent);
            let messages: Vec<_> = refusals.iter().map(|refusal| refusal.message.as_str()).collect();
            assert_eq!((sidecars.programmed, sidecars.refused, messages), expected, "{tally:?}");
            assert_eq!(sidecars.desired, 5);
        }
    }

    #[test]
    fn a_pod_that_came_since_counts_for_itself() {
        let inherited = Inherited {
            generation: 1,
            sidecars: Sidecars {
                desired: 2,
                programmed: 2,
                refused: 0,
                unserved: 0,
            },
            refusals: Vec::new(),
        };
        let tally = Tally {
            desired: 3,
            silent: 3,
            ..Tally::default()
        };
        assert_eq!(inherited.complete(&tally, &BTreeSet::new()).0.programmed, 2);
    }
}
