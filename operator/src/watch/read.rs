//! The caches → values: a World, and what of the cluster is needed beside it.

use super::labelled::Labelled;
use super::remembered::{Memory, Numbers, Uids};
use super::stores::{Guarded, Stores};
use super::{LivePod, PodUid, Seen, SeenObject, pods};
use crate::remember::Written;
use crate::world::{InForce, InstallationKey, Object, ObjectName, Source, World};
use k8s_openapi::api::core::v1::Namespace;
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::Store;
use kube::{Resource, ResourceExt};
use pilotfish_crds::selector::Labels;
use pilotfish_crds::{ModelDeployment, RoutingPolicy, VirtualKey};
use std::collections::BTreeMap;

/// What the operator is told once and does not watch.
#[derive(Clone, Debug)]
pub struct Installation {
    /// Policies of this namespace may serve other namespaces.
    pub root_namespace: String,
    /// Callers' keys are hashed with it.
    pub key: InstallationKey,
}

/// The live pods, and which objects there are.
pub(super) struct Cluster {
    pub(super) pods: BTreeMap<PodUid, LivePod>,
    pub(super) seen: Seen,
}

pub(super) fn cluster(stores: &Stores) -> Cluster {
    Cluster {
        pods: pods::live(stores.pods.state(), &stores.trusted),
        seen: Seen {
            deployments: seen(&stores.deployments, |object| object.status.clone()),
            policies: seen(&stores.policies, |object| object.status.clone()),
            keys: seen(&stores.keys, |object| object.status.clone()),
            secrets: secrets(stores, |secret| secret.kept.clone()),
        },
    }
}

pub(super) fn world(stores: &Stores, cluster: &Cluster, installation: &Installation, memory: &Memory) -> World {
    World {
        root_namespace: installation.root_namespace.clone(),
        source: Source::Cluster,
        installation_key: installation.key,
        namespaces: stores.namespaces.state().iter().map(|one| namespace(one)).collect(),
        secrets: secrets(stores, |secret| secret.entries.clone()),
        deployments: objects(&stores.deployments, |object: &ModelDeployment| object.spec.clone()),
        policies: objects(&stores.policies, |object: &RoutingPolicy| object.spec.clone()),
        keys: objects(&stores.keys, |object: &VirtualKey| object.spec.clone()),
        pods: cluster
            .pods
            .values()
            .filter(|pod| pod.is_awaited())
            .map(LivePod::scope)
            .collect(),
        in_force: in_force(stores, &cluster.seen, memory),
    }
}

fn in_force(stores: &Stores, seen: &Seen, memory: &Memory) -> InForce {
    let revisions = stores.revisions.state();
    let written = Written::of(&revisions);
    memory.in_force(&written, &uids(&seen.deployments), &uids(&seen.policies))
}

/// Which generations are in force, as far as that is known before anything is compiled.
pub(super) fn numbers(stores: &Stores, seen: &Seen, memory: &Memory) -> Numbers {
    let revisions = stores.revisions.state();
    let written = Written::of(&revisions);
    memory.numbers(&written, &uids(&seen.deployments), &uids(&seen.policies))
}

pub(super) fn uids<S>(seen: &BTreeMap<ObjectName, SeenObject<S>>) -> Uids {
    seen.iter()
        .map(|(name, object)| (name.clone(), object.uid.clone()))
        .collect()
}

fn name_of(object: &impl Resource) -> ObjectName {
    let meta = object.meta();
    ObjectName::new(
        meta.namespace.clone().unwrap_or_default(),
        meta.name.clone().unwrap_or_default(),
    )
}

fn objects<K, S>(store: &Store<Guarded<K>>, spec: impl Fn(&K) -> S) -> BTreeMap<ObjectName, Object<S>>
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    let object = |guarded: &Guarded<K>| Object {
        generation: guarded.meta().generation.unwrap_or(0),
        created: guarded
            .meta()
            .creation_timestamp
            .as_ref()
            .map_or(0, |time| time.0.as_second()),
        labels: guarded.labels().clone(),
        spec: match &guarded.0 {
            Ok(strict) => Ok(spec(&strict.0)),
            Err(invalid) => Err(invalid.error.clone()),
        },
    };
    let all = store.state();
    let present = all.iter().filter(|guarded| is_present(&***guarded));
    present.map(|guarded| (name_of(&**guarded), object(guarded))).collect()
}

/// Deleting takes effect at once, whoever has yet to finish something about what is deleted.
fn is_present(object: &impl Resource) -> bool {
    object.meta().deletion_timestamp.is_none()
}

fn seen<K, S>(store: &Store<Guarded<K>>, status: impl Fn(&K) -> Option<S>) -> BTreeMap<ObjectName, SeenObject<S>>
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    let object = |guarded: &Guarded<K>| SeenObject {
        uid: guarded.uid().unwrap_or_default(),
        resource_version: guarded.resource_version().unwrap_or_default(),
        generation: guarded.meta().generation.unwrap_or(0),
        deleting: (!is_present(guarded)).then(|| guarded.finalizers().to_vec()),
        status: guarded.0.as_ref().ok().and_then(|strict| status(&strict.0)),
    };
    store
        .state()
        .iter()
        .map(|guarded| (name_of(&**guarded), object(guarded)))
        .collect()
}

fn namespace(namespace: &PartialObjectMeta<Namespace>) -> (String, Labels) {
    (namespace.name_any(), namespace.labels().clone())
}

fn secrets<T>(stores: &Stores, part: impl Fn(&Labelled) -> T) -> BTreeMap<ObjectName, T> {
    let all = stores.secrets.state();
    let present = all.iter().filter(|secret| is_present(&***secret));
    present.map(|secret| (name_of(&**secret), part(secret))).collect()
}

/// What of the caches decides what compiles: equal fingerprints, equal Worlds. A status that was written, a pod that
/// became ready, a list that was fetched again and a revision of what is in force anyway change none of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Fingerprint {
    objects: Vec<(&'static str, ObjectName, String, Labels)>,
    /// What compiling changes is the one thing of it that compiling again starts from.
    pub(super) in_force: Numbers,
}

pub(super) fn fingerprint(stores: &Stores, cluster: &Cluster, memory: &Memory) -> Fingerprint {
    let mut all = Vec::new();
    ours(&mut all, "ModelDeployment", &stores.deployments);
    ours(&mut all, "RoutingPolicy", &stores.policies);
    ours(&mut all, "VirtualKey", &stores.keys);
    for secret in stores.secrets.state() {
        let version = secret.resource_version().unwrap_or_default();
        all.push(("Secret", name_of(&*secret), version, Labels::new()));
    }
    for one in stores.namespaces.state() {
        all.push(("Namespace", name_of(&*one), String::new(), one.labels().clone()));
    }
    for pod in cluster.pods.values() {
        all.push((
            "Pod",
            pod.name.clone(),
            pod.is_awaited().to_string(),
            pod.labels.clone(),
        ));
    }
    all.sort();
    Fingerprint {
        objects: all,
        in_force: numbers(stores, &cluster.seen, memory),
    }
}

fn ours<K>(all: &mut Vec<(&'static str, ObjectName, String, Labels)>, kind: &'static str, store: &Store<Guarded<K>>)
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    for object in store.state() {
        // An object whose definition changed may decode now, or no longer, at the same generation.
        let decoded = object.0.is_ok();
        let generation = object.meta().generation.unwrap_or(0);
        let present = is_present(&*object);
        let version = format!("{} {generation} {decoded} {present}", object.uid().unwrap_or_default());
        all.push((kind, name_of(&*object), version, object.labels().clone()));
    }
}
