//! What is in force, from where Kubernetes remembers it and from where this process does.
//!
//! The leader writes a ControllerRevision for each generation that goes into force (`remember.rs`). Until it is
//! written, or where another replica leads, the last compilation of this process knows as well. The newer of both
//! counts. An object that was deleted and made again has another uid, and nothing of the old one is in force for it.

use crate::remember::is_sealed;
use crate::world::{Generation, InForce, InstallationKey, ObjectName};
use k8s_openapi::api::apps::v1::ControllerRevision;
use kube::ResourceExt;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The uid of each object that exists, by name.
pub(super) type Uids = BTreeMap<ObjectName, String>;

/// The newest specs in force that revisions tell of, by the uid of their owner.
pub(super) struct Revisions<'a> {
    by_owner: BTreeMap<&'a str, Vec<&'a ControllerRevision>>,
}

impl<'a> Revisions<'a> {
    /// Of those that were sealed with `key`.
    pub(super) fn new(revisions: &'a [Arc<ControllerRevision>], key: InstallationKey) -> Self {
        let mut by_owner: BTreeMap<&str, Vec<&ControllerRevision>> = BTreeMap::new();
        for revision in revisions {
            for owner in revision
                .owner_references()
                .iter()
                .filter(|owner| owner.controller == Some(true) && is_sealed(revision, &owner.uid, key))
            {
                by_owner.entry(&owner.uid).or_default().push(revision);
            }
        }
        for revisions in by_owner.values_mut() {
            revisions.sort_by_key(|revision| std::cmp::Reverse(revision.revision));
        }
        Self { by_owner }
    }

    /// The newest one of the object `uid` that can be read.
    fn newest<S: DeserializeOwned>(&self, uid: &str) -> Option<Generation<S>> {
        let revisions = self.by_owner.get(uid)?;
        revisions.iter().find_map(|revision| {
            let spec = serde_json::from_value(revision.data.as_ref()?.0.clone());
            match spec {
                Ok(spec) => Some(Generation {
                    number: revision.revision,
                    spec,
                }),
                Err(error) => {
                    tracing::warn!(revision = revision.name_any(), %error, "what was in force cannot be read");
                    None
                }
            }
        })
    }
}

/// What this process last compiled, with the uids it was compiled of.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) in_force: InForce,
    pub(super) deployments: Uids,
    pub(super) policies: Uids,
}

impl Memory {
    /// What is in force of the objects that exist now.
    pub(super) fn in_force(&self, revisions: &Revisions<'_>, deployments: &Uids, policies: &Uids) -> InForce {
        InForce {
            deployments: newest(revisions, deployments, &self.deployments, &self.in_force.deployments),
            policies: newest(revisions, policies, &self.policies, &self.in_force.policies),
        }
    }
}

fn newest<S: DeserializeOwned + Clone>(
    revisions: &Revisions<'_>,
    now: &Uids,
    before: &Uids,
    remembered: &BTreeMap<ObjectName, Generation<S>>,
) -> BTreeMap<ObjectName, Generation<S>> {
    let of = |(name, uid): (&ObjectName, &String)| {
        let own = remembered.get(name).filter(|_| before.get(name) == Some(uid)).cloned();
        // An equal number is the same spec; no need to read it again.
        let written = revisions.by_owner.get(uid.as_str()).and_then(|list| list.first());
        let is_newer = written.is_some_and(|written| own.as_ref().is_none_or(|own| written.revision > own.number));
        let written = is_newer.then(|| revisions.newest(uid)).flatten();
        Some((name.clone(), written.or(own)?))
    };
    now.iter().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remember::seal;
    use crate::world::ObjectName;
    use serde_json::json;

    fn key() -> InstallationKey {
        InstallationKey::new([7; 32])
    }

    fn revision(owner: &str, number: i64, data: serde_json::Value) -> Arc<ControllerRevision> {
        let owner = json!({
            "apiVersion": "pilotfish.dev/v1alpha1", "kind": "RoutingPolicy", "name": "p", "uid": owner,
            "controller": true,
        });
        let seal = seal(key(), owner["uid"].as_str().unwrap_or_default(), number, &data);
        let meta = json!({"name": "r", "ownerReferences": [owner], "annotations": {"pilotfish.dev/seal": seal}});
        let revision = json!({"metadata": meta, "revision": number, "data": data});
        Arc::new(serde_json::from_value(revision).unwrap())
    }

    fn found(revisions: &[Arc<ControllerRevision>], own: Option<(&str, i64, &str)>) -> Option<(i64, String)> {
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
        let all: BTreeMap<_, Generation<String>> =
            newest(&Revisions::new(revisions, key()), &now, &before, &remembered);
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
        let mut forged = ControllerRevision::clone(&revision("new", 2, json!("two")));
        forged.revision = 999_999;
        let written = [Arc::new(forged), revision("new", 1, json!("one"))];
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
    }
}
