//! What is in force is written where Kubernetes remembers such things.
//!
//! For each generation of a ModelDeployment or RoutingPolicy that goes into force the leader creates a
//! ControllerRevision, owned by the object, with its spec; then it deletes those before it. All replicas read them, so
//! a replica, a pod or an operator that starts later serves the same (`watch/remembered.rs`). A revision's data cannot
//! be changed once it is written, hence one for each generation.

use crate::lease::Leadership;
use crate::watch::{Compilation, Compilations, IN_FORCE_LABEL, SeenObject};
use crate::world::{Generation, ObjectName};
use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use k8s_openapi::apimachinery::pkg::runtime::RawExtension;
use kube::api::{DeleteParams, PostParams};
use kube::core::ObjectMeta;
use kube::{Api, Client, Resource, ResourceExt};
use pilotfish_crds::{ModelDeployment, RoutingPolicy};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Before what could not be written is tried again.
const PAUSE: Duration = Duration::from_secs(1);
/// Why a name that exists is no error.
const ALREADY_EXISTS: u16 = 409;
/// Why a name that is gone is no error.
const NOT_FOUND: u16 = 404;

/// What is to be done so that the cluster remembers what is in force.
#[derive(Debug, Default)]
struct Plan {
    create: Vec<ControllerRevision>,
    /// Namespace and name.
    delete: Vec<ObjectName>,
}

/// Writes and deletes revisions while this replica leads, for as long as it is polled.
pub(crate) async fn run(client: Client, mut compilations: Compilations, mut leadership: Leadership) {
    loop {
        let compilation = compilations.borrow_and_update().clone();
        let leads = leadership.borrow_and_update().is_me(Instant::now());
        let done = match compilation.filter(|_| leads) {
            Some(compilation) => carry_out(&client, plan(&compilation)).await,
            None => Ok(()),
        };
        if let Err(error) = done {
            tracing::warn!(%error, "what is in force could not be written down and will be tried again");
            tokio::time::sleep(PAUSE).await;
            continue;
        }
        tokio::select! {
            changed = compilations.changed() => if changed.is_err() { return },
            changed = leadership.changed() => if changed.is_err() { return },
        }
    }
}

/// What differs between what is in force and what is written down.
fn plan(compilation: &Compilation) -> Plan {
    let in_force = &compilation.compiled.in_force;
    let seen = &compilation.seen;
    let mut plan = Plan::default();
    let written = &compilation.revisions;
    add::<ModelDeployment, _, _>(&mut plan, written, &in_force.deployments, &seen.deployments);
    add::<RoutingPolicy, _, _>(&mut plan, written, &in_force.policies, &seen.policies);
    plan
}

fn add<K: Resource<DynamicType = ()>, S: Serialize, T>(
    plan: &mut Plan,
    written: &[Arc<ControllerRevision>],
    in_force: &BTreeMap<ObjectName, Generation<S>>,
    seen: &BTreeMap<ObjectName, SeenObject<T>>,
) {
    for (name, generation) in in_force {
        let Some(object) = seen.get(name) else { continue };
        let owned: Vec<_> = written
            .iter()
            .filter(|revision| is_owned(revision, &object.uid))
            .collect();
        if owned.iter().any(|revision| revision.revision == generation.number) {
            let older = owned.iter().filter(|revision| revision.revision < generation.number);
            plan.delete
                .extend(older.map(|revision| ObjectName::new(&name.namespace, revision.name_any())));
        } else {
            plan.create.push(revision::<K>(name, &object.uid, generation));
        }
    }
}

fn is_owned(revision: &ControllerRevision, uid: &str) -> bool {
    revision.owner_references().iter().any(|owner| owner.uid == uid)
}

fn revision<K: Resource<DynamicType = ()>>(
    name: &ObjectName,
    uid: &str,
    generation: &Generation<impl Serialize>,
) -> ControllerRevision {
    let owner = OwnerReference {
        api_version: K::api_version(&()).into_owned(),
        kind: K::kind(&()).into_owned(),
        name: name.name.clone(),
        uid: uid.to_owned(),
        controller: Some(true),
        block_owner_deletion: None,
    };
    let spec = serde_json::to_value(&generation.spec).expect("specs have string keys and no failing serialisers");
    ControllerRevision {
        metadata: ObjectMeta {
            // By uid: a name would have to be shortened, and two kinds may share one.
            name: Some(format!("pilotfish-{uid}-{}", generation.number)),
            namespace: Some(name.namespace.clone()),
            labels: Some(BTreeMap::from([(IN_FORCE_LABEL.to_owned(), "true".to_owned())])),
            owner_references: Some(vec![owner]),
            ..ObjectMeta::default()
        },
        revision: generation.number,
        data: Some(RawExtension(spec)),
    }
}

async fn carry_out(client: &Client, plan: Plan) -> kube::Result<()> {
    for revision in plan.create {
        let api = Api::<ControllerRevision>::namespaced(client.clone(), &revision.namespace().unwrap_or_default());
        expecting(ALREADY_EXISTS, api.create(&PostParams::default(), &revision).await)?;
    }
    for name in plan.delete {
        let api = Api::<ControllerRevision>::namespaced(client.clone(), &name.namespace);
        expecting(NOT_FOUND, api.delete(&name.name, &DeleteParams::default()).await)?;
    }
    Ok(())
}

/// The API server's `code` means that it was done before: what is cached lags behind.
fn expecting<T>(code: u16, answer: kube::Result<T>) -> kube::Result<()> {
    match answer {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == code => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_says_whose_it_is_and_what_was_in_force() {
        let generation = Generation {
            number: 3,
            spec: serde_json::json!({"models": ["chat"]}),
        };
        let made = revision::<RoutingPolicy>(&ObjectName::new("shop", "chat"), "uid-1", &generation);
        let expected = serde_json::json!({
            "apiVersion": "apps/v1", "kind": "ControllerRevision",
            "metadata": {
                "name": "pilotfish-uid-1-3", "namespace": "shop", "labels": {"pilotfish.dev/in-force": "true"},
                "ownerReferences": [{
                    "apiVersion": "pilotfish.dev/v1alpha1", "kind": "RoutingPolicy", "name": "chat", "uid": "uid-1",
                    "controller": true,
                }],
            },
            "revision": 3, "data": {"models": ["chat"]},
        });
        assert_eq!(serde_json::to_value(made).unwrap(), expected);
    }

    #[test]
    fn what_is_written_is_not_written_again_and_what_is_older_goes() {
        let name = ObjectName::new("shop", "chat");
        let generation = Generation {
            number: 3,
            spec: serde_json::json!({}),
        };
        let in_force = BTreeMap::from([(name.clone(), generation.clone())]);
        let object = SeenObject::<()> {
            uid: "uid-1".to_owned(),
            resource_version: String::new(),
            deleting: false,
            status: None,
        };
        let seen = BTreeMap::from([(name.clone(), object)]);
        let planned = |numbers: &[i64]| {
            let written = numbers.iter().map(|&number| Generation {
                number,
                spec: serde_json::json!({}),
            });
            let written = written.map(|generation| Arc::new(revision::<RoutingPolicy>(&name, "uid-1", &generation)));
            let mut plan = Plan::default();
            add::<RoutingPolicy, _, _>(&mut plan, &written.collect::<Vec<_>>(), &in_force, &seen);
            let created: Vec<_> = plan.create.iter().map(|revision| revision.revision).collect();
            let deleted: Vec<_> = plan.delete.iter().map(ToString::to_string).collect();
            (created, deleted)
        };
        assert_eq!(planned(&[]), (vec![3], vec![]));
        assert_eq!(planned(&[2]), (vec![3], vec![]));
        assert_eq!(planned(&[2, 3]), (vec![], vec!["shop/pilotfish-uid-1-2".to_owned()]));
        assert_eq!(planned(&[3]), (vec![], vec![]));
    }
}
