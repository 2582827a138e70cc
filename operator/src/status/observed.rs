//! One compilation as it concerns status: every object with its verdict, its figures and what is written of it.

use super::Id;
use super::conditions::{Observed, conditions};
use super::count::{Tallies, Tally};
use super::inherited::Counting;
use super::published::{KeyStatus, Status};
use crate::compile::{CURRENT, Verdict};
use crate::keys::{Troubles, recognisable};
use crate::metrics::Subject;
use crate::watch::{Compilation, SeenObject};
use crate::world::{Object, ObjectName};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use pilotfish_crds::status::{Refusal, Sidecars};
use pilotfish_wire::Kind;
use std::borrow::Cow;
use std::collections::BTreeMap;

type Named<V> = BTreeMap<ObjectName, V>;

/// An object that has a status.
pub(super) struct Subjected<'a> {
    pub(super) id: Id,
    pub(super) uid: &'a str,
    /// Its `resourceVersion` as it is seen.
    pub(super) version: &'a str,
    /// What is written, as it is seen; `None`: it cannot be seen, because the object cannot be read.
    pub(super) written: Option<Status>,
    verdict: Cow<'a, Verdict>,
    key: KeyStatus,
    /// It is being deleted, and waits for these finalizers. Nothing is asked about it any more.
    deleting: Option<&'a [String]>,
}

/// What of the sidecars is known at one moment.
pub(super) struct Sighting<'a> {
    pub(super) tallies: Tallies<'a>,
    /// What the leader before this one published, while that still counts.
    pub(super) inherited: Option<Counting<'a>>,
}

/// Every object of ours.
pub(super) fn subjects<'a>(compilation: &'a Compilation, troubles: &'a Troubles) -> Vec<Subjected<'a>> {
    let Compilation {
        world, compiled, seen, ..
    } = compilation;
    let mut all = Vec::new();
    let deployments = (&seen.deployments, &world.deployments, &compiled.deployment_verdicts);
    all.extend(of_kind(Subject::ModelDeployment, deployments));
    let policies = (&seen.policies, &world.policies, &compiled.policy_verdicts);
    all.extend(of_kind(Subject::RoutingPolicy, policies));
    let keys = (&seen.keys, &world.keys, &compiled.key_verdicts);
    all.extend(of_kind(Subject::VirtualKey, keys).map(|mut key| {
        key.add_troubles(troubles);
        key.key = key_status(compilation, &key.id.1);
        key
    }));
    all
}

fn of_kind<'a, S, T: Clone + Into<Status>>(
    subject: Subject,
    (seen, objects, verdicts): (&'a Named<SeenObject<T>>, &'a Named<Object<S>>, &'a Named<Verdict>),
) -> impl Iterator<Item = Subjected<'a>> {
    seen.iter().filter_map(move |(name, seen)| {
        let written = seen.status.clone().map(Into::into);
        let (verdict, written) = match &seen.deleting {
            Some(_) => (Cow::Owned(unasked(seen.generation)), written),
            None => {
                let is_readable = objects.get(name)?.spec.is_ok();
                let written = is_readable.then(|| written.unwrap_or_default());
                (Cow::Borrowed(verdicts.get(name)?), written)
            }
        };
        Some(Subjected {
            id: (subject, name.clone()),
            uid: &seen.uid,
            version: &seen.resource_version,
            written,
            verdict,
            key: KeyStatus::default(),
            deleting: seen.deleting.as_deref(),
        })
    })
}

/// Of what is being deleted, which is no part of the World.
fn unasked(generation: i64) -> Verdict {
    Verdict {
        generation,
        ..Verdict::default()
    }
}

impl Subjected<'_> {
    /// What stands in the way of a key's Secret is said instead of what follows from it.
    fn add_troubles(&mut self, troubles: &Troubles) {
        let Some(trouble) = troubles.get(&self.id.1) else {
            return;
        };
        let verdict = self.verdict.to_mut();
        if trouble.explains_a_missing_key {
            if !verdict.unresolved.is_empty() {
                verdict.unresolved = vec![trouble.finding.clone()];
            }
        } else {
            verdict.unresolved.push(trouble.finding.clone());
        }
    }

    /// What its status has to be after `previous`.
    pub(super) fn status(&self, sighting: &Sighting<'_>, previous: &Status, now: &Time) -> Status {
        let nothing = Tally::default();
        let (subject, name) = &self.id;
        let name = name.to_string();
        let tally = sighting.tallies.get(&(kind(*subject), name.as_str()));
        let tally = tally.unwrap_or(&nothing);
        let (sidecars, refusals) = self.figures(sighting, tally);
        let observed = Observed {
            subject: self.id.0,
            verdict: &self.verdict,
            sidecars,
            refusals: &refusals,
            unserved: tally.first_unserved.map(|(_, why)| why),
            deleting: self.deleting,
            expired: self.key.expires_at.as_ref().filter(|at| at.0 <= now.0),
        };
        Status {
            observed_generation: Some(self.verdict.generation),
            conditions: conditions(&observed, &previous.conditions, now),
            sidecars: Some(sidecars),
            refusals,
            key: self.key.clone(),
        }
    }

    /// When its status changes although nothing happens, if it does after `now`.
    pub(super) fn expires_after(&self, now: Timestamp) -> Option<Timestamp> {
        let at = self.key.expires_at.as_ref()?.0;
        (at > now).then_some(at)
    }

    fn figures(&self, sighting: &Sighting<'_>, tally: &Tally<'_>) -> (Sidecars, Vec<Refusal>) {
        if self.verdict.held {
            // What sidecars run and acknowledge is the generation before this one.
            let counted = Sidecars {
                programmed: 0,
                refused: 0,
                ..tally.sidecars()
            };
            return (counted, Vec::new());
        }
        let inherited = sighting.inherited.as_ref();
        let completed = inherited.and_then(|inherited| inherited.complete(&self.id, self.verdict.generation, tally));
        completed.unwrap_or_else(|| (tally.sidecars(), tally.refusals()))
    }
}

fn kind(subject: Subject) -> Kind {
    match subject {
        Subject::ModelDeployment => Kind::Deployment,
        Subject::RoutingPolicy => Kind::Policy,
        Subject::VirtualKey => Kind::Key,
    }
}

/// What is known of the key itself. What cannot be read has nothing to show.
fn key_status(compilation: &Compilation, name: &ObjectName) -> KeyStatus {
    let (world, seen) = (&compilation.world, &compilation.seen);
    let spec = world.keys.get(name).and_then(|object| object.spec.as_ref().ok());
    let (Some(spec), Some(object)) = (spec, seen.keys.get(name)) else {
        return KeyStatus::default();
    };
    let secret = ObjectName::new(&name.namespace, &spec.secret_name);
    let key = world.caller_key(&secret, CURRENT).ok();
    let kept = seen.secrets.get(&secret);
    let rotates_at = kept.and_then(|kept| kept.rotates_at(&object.uid, spec.rotation.as_ref()));
    KeyStatus {
        prefix: key.and_then(recognisable).map(str::to_owned),
        expires_at: spec.expires_at.clone(),
        rotates_at: rotates_at
            .and_then(|time| Timestamp::from_second(time.as_second()).ok())
            .map(Time),
    }
}

#[cfg(test)]
mod tests;
