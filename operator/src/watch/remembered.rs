//! What is in force, from where Kubernetes remembers it and from where this process does.
//!
//! The leader writes a ControllerRevision for each generation that goes into force (`remember.rs`). Until it is
//! written, or where another replica leads, the last compilation of this process knows as well. The newer of both
//! counts. An object that was deleted and made again has another uid, and nothing of the old one is in force for it.

use super::strict;
use crate::remember::{Revision, Written};
use crate::world::{Generation, InForce, ObjectName};
use kube::ResourceExt;
use pilotfish_crds::{ModelDeploymentSpec, RoutingPolicySpec};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// The uid of each object that exists, by name.
pub(super) type Uids = BTreeMap<ObjectName, String>;

/// What this process last compiled, with the uids it was compiled of.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) in_force: InForce,
    pub(super) deployments: Uids,
    pub(super) policies: Uids,
}

/// The generations that are in force of the objects that exist.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Numbers {
    deployments: Vec<(ObjectName, i64)>,
    policies: Vec<(ObjectName, i64)>,
}

impl Memory {
    /// What is in force of the objects that exist now.
    pub(super) fn in_force(&self, written: &Written<'_>, deployments: &Uids, policies: &Uids) -> InForce {
        InForce {
            deployments: newest(written, deployments, self.of_deployments()),
            policies: newest(written, policies, self.of_policies()),
        }
    }

    /// Which generations those are. While they are the same, [`Memory::in_force`] is the same: a leader that wrote down
    /// what it serves, or cleared away what it served before, has changed nothing.
    pub(super) fn numbers(&self, written: &Written<'_>, deployments: &Uids, policies: &Uids) -> Numbers {
        Numbers {
            deployments: numbers(written, deployments, self.of_deployments()),
            policies: numbers(written, policies, self.of_policies()),
        }
    }

    fn of_deployments(&self) -> (&Uids, &BTreeMap<ObjectName, Generation<ModelDeploymentSpec>>) {
        (&self.deployments, &self.in_force.deployments)
    }

    fn of_policies(&self) -> (&Uids, &BTreeMap<ObjectName, Generation<RoutingPolicySpec>>) {
        (&self.policies, &self.in_force.policies)
    }
}

fn newest<S: DeserializeOwned + Clone>(
    written: &Written<'_>,
    now: &Uids,
    (before, remembered): (&Uids, &BTreeMap<ObjectName, Generation<S>>),
) -> BTreeMap<ObjectName, Generation<S>> {
    let of = |(name, uid): (&ObjectName, &String)| {
        let own = remembered.get(name).filter(|_| before.get(name) == Some(uid));
        // An equal number is the same spec; no need to read it again.
        let since = own.map(|own| own.number);
        Some((name.clone(), read(written, name, uid, since).or_else(|| own.cloned())?))
    };
    now.iter().filter_map(of).collect()
}

/// The numbers of the same, as far as they are written or remembered.
fn numbers<S>(
    written: &Written<'_>,
    now: &Uids,
    (before, remembered): (&Uids, &BTreeMap<ObjectName, Generation<S>>),
) -> Vec<(ObjectName, i64)> {
    let of = |(name, uid): (&ObjectName, &String)| {
        let own = remembered.get(name).filter(|_| before.get(name) == Some(uid));
        let newest = written.get(name, uid).and_then(|of_one| of_one.sealed.first());
        let number = own.map(|own| own.number).max(newest.map(|newest| newest.number()));
        Some((name.clone(), number?))
    };
    now.iter().filter_map(of).collect()
}

/// The newest revision of the object `name` that can be read, among those newer than `since`.
fn read<S: DeserializeOwned>(
    written: &Written<'_>,
    name: &ObjectName,
    uid: &str,
    since: Option<i64>,
) -> Option<Generation<S>> {
    let sealed = &written.get(name, uid)?.sealed;
    let is_newer = |revision: &&&Revision| since.is_none_or(|since| revision.number() > since);
    let mut newer = sealed.iter().take_while(is_newer);
    newer.find_map(|revision| match spec(revision.spec()?) {
        Ok(spec) => Some(Generation {
            number: revision.number(),
            spec,
        }),
        Err(error) => {
            tracing::warn!(revision = revision.name_any(), %error, "what was in force cannot be read");
            None
        }
    })
}

/// A spec that a newer version wrote may hold a limit that this one would ignore.
fn spec<S: DeserializeOwned>(text: &str) -> serde_json::Result<S> {
    strict::known(&mut serde_json::Deserializer::from_str(text), "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remember::SealKey;
    use crate::remember::sealed;
    use serde_json::json;
    use std::sync::Arc;

    fn key() -> SealKey {
        SealKey::new([7; 32])
    }

    fn revision(owner: &str, number: i64, spec: serde_json::Value) -> Arc<Revision> {
        let name = ObjectName::new("shop", "chat");
        Arc::new(Revision::read(sealed(key(), &name, owner, number, spec), key()))
    }

    fn found(revisions: &[Arc<Revision>], own: Option<(&str, i64, &str)>) -> Option<(i64, String)> {
        let name = ObjectName::new("shop", "chat");
        let now = Uids::from([(name.clone(), "new".to_owned())]);
        let before = own
            .map(|(uid, ..)| (name.clone(), uid.to_owned()))
            .into_iter()
            .collect();
        let generation = |(_, number, spec): (&str, i64, &str)| Generation {
            number,
            spec: spec.to_owned(),
        };
        let remembered = own.map(|own| (name.clone(), generation(own))).into_iter().collect();
        let all: BTreeMap<_, Generation<String>> = newest(&Written::of(revisions), &now, (&before, &remembered));
        all.get(&name)
            .map(|generation| (generation.number, generation.spec.clone()))
    }

    #[test]
    fn the_newer_of_what_is_written_and_what_is_remembered_counts() {
        let written = [revision("new", 2, json!("two")), revision("new", 1, json!("one"))];
        assert_eq!(found(&written, None), Some((2, "two".to_owned())));
        assert_eq!(
            found(&written, Some(("new", 3, "three"))),
            Some((3, "three".to_owned()))
        );
        assert_eq!(found(&written, Some(("new", 1, "uno"))), Some((2, "two".to_owned())));
        assert_eq!(found(&[], None), None);
    }

    #[test]
    fn what_nobody_sealed_is_nothing_in_force() {
        let (shop, evil) = (ObjectName::new("shop", "chat"), ObjectName::new("evil", "chat"));
        let mut forged = sealed(key(), &shop, "new", 2, json!("two"));
        forged.revision = 999_999;
        let elsewhere = sealed(key(), &evil, "new", 3, json!("three"));
        let written = [forged, elsewhere].map(|one| Arc::new(Revision::read(one, key())));
        let written = [&written[..], &[revision("new", 1, json!("one"))]].concat();
        assert_eq!(found(&written, None), Some((1, "one".to_owned())));
    }

    #[test]
    fn nothing_of_a_deleted_object_is_in_force_for_its_successor() {
        let written = [revision("old", 7, json!("seven"))];
        assert_eq!(found(&written, Some(("old", 8, "eight"))), None);
    }

    #[test]
    fn a_revision_that_cannot_be_read_gives_way_to_the_one_before_it() {
        let written = [
            revision("new", 2, json!({"later": true})),
            revision("new", 1, json!("one")),
        ];
        assert_eq!(found(&written, None), Some((1, "one".to_owned())));
        let own = ("new", 2, "served and not yet written");
        let written = [revision("new", 3, json!({"later": true})), Arc::clone(&written[1])];
        assert_eq!(found(&written, Some(own)), Some((2, own.2.to_owned())));
    }

    #[test]
    fn a_limit_that_a_newer_version_wrote_down_is_not_ignored() {
        let mut written = json!({"provider": "OpenAI", "model": "gpt", "credentials": {"none": {}}});
        assert!(spec::<ModelDeploymentSpec>(&written.to_string()).is_ok());
        written["limits"] = json!({"maxSpendPerDay": 5});
        let error = spec::<ModelDeploymentSpec>(&written.to_string())
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "limits is not known to this version of the operator; upgrade it, or remove the field"
        );
    }
}
