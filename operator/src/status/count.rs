//! How many sidecars a resource concerns, and what they made of it.
//!
//! Pods that are to have the same and acknowledged the same are counted together, so the work grows with the number of
//! different configurations and not with the number of pods.

use super::conditions::clipped;
use crate::ack::{Acked, Refused};
use crate::world::ObjectName;
use pilotfish_crds::status::{Refusal, Sidecars};
use pilotfish_wire::{Kind, Resource};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many refusals a status shows.
const SHOWN: usize = 8;
/// The longest sentence of a refusal that the schema takes, in characters.
const LONGEST: usize = 1024;

/// A live pod with a sidecar.
pub(super) struct Sidecar {
    pub(super) pod: ObjectName,
    /// What it is to have, in the order of kind and name. Shared by all that are to have the same.
    pub(super) wanted: Arc<[Arc<Resource>]>,
    /// What it said; `None`: it has not reported to this replica.
    pub(super) report: Option<Report>,
    /// Why it is served nothing and not counted, if it is not.
    pub(super) unserved: Option<String>,
}

/// What a sidecar acknowledged.
pub(super) struct Report {
    /// In the order of kind and name. Shared by all that have the same.
    pub(super) view: Arc<[Arc<Resource>]>,
    /// What of it is not in force there, in the same order.
    pub(super) refused: Arc<[Refused]>,
    /// Nothing is known of what it does not refuse.
    pub(super) is_partial: bool,
}

impl Report {
    pub(super) fn of(acked: &Acked) -> Self {
        Self {
            view: Arc::clone(acked.view.resources()),
            refused: Arc::clone(&acked.refused),
            is_partial: acked.is_partial,
        }
    }
}

/// What was counted of one resource.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Tally<'a> {
    pub(super) desired: usize,
    pub(super) programmed: usize,
    /// Of those desired, how many have not reported at all.
    pub(super) silent: usize,
    /// Who would not use it, and why.
    pub(super) refused: Vec<(&'a ObjectName, &'a str)>,
    /// Beside those desired, how many are served nothing.
    pub(super) unserved: usize,
    /// The first of them by its name, and why.
    pub(super) first_unserved: Option<(&'a ObjectName, &'a str)>,
}

/// By kind and name of the resource. What no pod is to have is not in it.
pub(super) type Tallies<'a> = BTreeMap<(Kind, &'a str), Tally<'a>>;

/// Counts all sidecars.
pub(super) fn tallies(sidecars: &[Sidecar]) -> Tallies<'_> {
    let mut alike: BTreeMap<_, (usize, &Sidecar)> = BTreeMap::new();
    let mut all = Tallies::new();
    let (unserved, served): (Vec<_>, Vec<_>) = sidecars.iter().partition(|sidecar| sidecar.unserved.is_some());
    for sidecar in served {
        let report = sidecar.report.as_ref();
        if report.is_some_and(|report| report.is_partial || !report.refused.is_empty()) {
            add(&mut all, sidecar, 1);
            continue;
        }
        let acknowledged = report.map(|report| Arc::as_ptr(&report.view).addr());
        let key = (Arc::as_ptr(&sidecar.wanted).addr(), acknowledged);
        alike.entry(key).or_insert((0, sidecar)).0 += 1;
    }
    for (sidecars, one) in alike.values() {
        add(&mut all, one, *sidecars);
    }
    add_unserved(&mut all, unserved);
    all
}

/// Counts those that are served nothing, of which the first of its kind speaks for all that are to have the same.
fn add_unserved<'a>(all: &mut Tallies<'a>, mut unserved: Vec<&'a Sidecar>) {
    unserved.sort_by_key(|sidecar| &sidecar.pod);
    let mut alike: BTreeMap<usize, (usize, &Sidecar)> = BTreeMap::new();
    for sidecar in unserved {
        let key = Arc::as_ptr(&sidecar.wanted).addr();
        alike.entry(key).or_insert((0, sidecar)).0 += 1;
    }
    for (sidecars, first) in alike.into_values() {
        let why = first.unserved.as_deref().unwrap_or_default();
        for wanted in first.wanted.iter() {
            let tally = all.entry((wanted.kind, &wanted.name)).or_default();
            tally.unserved += sidecars;
            let earliest = tally.first_unserved.filter(|(pod, _)| *pod <= &first.pod);
            tally.first_unserved = earliest.or(Some((&first.pod, why)));
        }
    }
}

/// Counts `sidecars` that are like `one`.
fn add<'a>(all: &mut Tallies<'a>, one: &'a Sidecar, sidecars: usize) {
    let report = one.report.as_ref();
    let mut acknowledged = report.map_or(&[][..], |report| &report.view).iter().peekable();
    for wanted in one.wanted.iter() {
        let tally = all.entry((wanted.kind, &wanted.name)).or_default();
        tally.desired += sidecars;
        let Some(report) = report else {
            tally.silent += sidecars;
            continue;
        };
        while acknowledged
            .next_if(|has| order(has, wanted) == Ordering::Less)
            .is_some()
        {}
        let is_acknowledged = acknowledged.peek().is_some_and(|has| has.same_as(wanted));
        match refusal(&report.refused, wanted) {
            Some(why) => tally.refused.push((&one.pod, why)),
            None if is_acknowledged && !report.is_partial => tally.programmed += sidecars,
            None => {}
        }
    }
}

fn order(one: &Resource, other: &Resource) -> Ordering {
    (one.kind, &one.name).cmp(&(other.kind, &other.name))
}

/// The sentence with which this very version of a resource was refused.
fn refusal<'a>(refused: &'a [Refused], wanted: &Resource) -> Option<&'a str> {
    let place = refused
        .binary_search_by(|refused| order(&refused.resource, wanted))
        .ok()?;
    let refused = refused.get(place)?;
    refused.resource.same_as(wanted).then_some(&refused.reason)
}

impl Tally<'_> {
    /// As it stands in a status.
    pub(super) fn sidecars(&self) -> Sidecars {
        Sidecars {
            desired: count(self.desired),
            programmed: count(self.programmed),
            refused: count(self.refused.len()),
            unserved: count(self.unserved),
        }
    }

    /// The first refusals by the pods' names.
    pub(super) fn refusals(&self) -> Vec<Refusal> {
        let mut refused = self.refused.clone();
        refused.sort();
        let shown = refused.into_iter().take(SHOWN).map(|(pod, why)| Refusal {
            pod: pod.to_string(),
            message: clipped(why.to_owned(), LONGEST),
        });
        shown.collect()
    }
}

pub(super) fn count(pods: usize) -> i32 {
    i32::try_from(pods).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests;
