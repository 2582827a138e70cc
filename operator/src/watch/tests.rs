//! What is published, of caches that are filled by hand.

use super::stores::Guarded;
use super::*;
use crate::identity::Trusted;
use crate::remember::{SealKey, sealed};
use crate::world::InstallationKey;
use kube::runtime::reflector::{self, Lookup};
use kube::runtime::watcher::Event;
use pilotfish_crds::ModelDeployment;
use serde_json::{Value, json};
use std::fmt;
use std::hash::Hash;

const UID: &str = "uid-1";

/// A cache, and who fills it.
fn cache<K>() -> (reflector::Store<K>, reflector::store::Writer<K>)
where
    K: Lookup + Clone + fmt::Debug + 'static,
    K::DynamicType: Default + Eq + Hash + Clone,
{
    reflector::store()
}

struct Scene {
    deployments: reflector::store::Writer<Guarded<ModelDeployment>>,
    revisions: reflector::store::Writer<Revision>,
    publisher: Publisher,
    compilations: Compilations,
    metrics: Arc<Metrics>,
}

impl Scene {
    fn new() -> Self {
        let (deployments, fill_deployments) = cache();
        let (revisions, fill_revisions) = cache();
        let stores = Stores {
            deployments,
            revisions,
            policies: cache().0,
            keys: cache().0,
            secrets: cache().0,
            pods: cache().0,
            trusted: Arc::new(Trusted::new(&[])),
            namespaces: cache().0,
        };
        let installation = Installation {
            root_namespace: "pilotfish-system".to_owned(),
            key: InstallationKey::new([0; 32]),
        };
        let (publish, compilations) = watch::channel(None);
        let metrics = Metrics::new().unwrap();
        Self {
            deployments: fill_deployments,
            revisions: fill_revisions,
            publisher: Publisher::new(stores, installation, Arc::clone(&metrics), publish),
            compilations,
            metrics,
        }
    }

    fn deployment(&mut self, generation: i64, spec: Value) {
        let object = json!({
            "apiVersion": "pilotfish.dev/v1alpha1", "kind": "ModelDeployment",
            "metadata": {"namespace": "shop", "name": "east", "uid": UID, "generation": generation},
            "spec": spec,
        });
        self.deployments
            .apply_watcher_event(&Event::Apply(serde_json::from_value(object).unwrap()));
    }

    /// The compilation that is published next, and how often anything was compiled.
    fn published(&mut self) -> (Arc<Compilation>, u64) {
        self.publisher.publish();
        let newest = self.compilations.borrow().clone().unwrap();
        (newest, self.metrics.compile_seconds.get_sample_count())
    }
}

fn spec(model: &str) -> Value {
    json!({"provider": "OpenAI", "model": model, "credentials": {"none": {}}})
}

/// As a leader writes it down.
fn revision(number: i64, spec: Value) -> Revision {
    let key = SealKey::new([7; 32]);
    let mut revision = sealed(key, &ObjectName::new("shop", "east"), UID, number, spec);
    revision.metadata.resource_version = Some(number.to_string());
    Revision::read(revision, key)
}

fn in_force(compilation: &Compilation) -> (i64, &str) {
    let generation = &compilation.compiled.in_force.deployments[&ObjectName::new("shop", "east")];
    (generation.number, &generation.spec.model)
}

#[test]
fn what_is_written_down_of_what_serves_is_not_compiled_again() {
    let mut scene = Scene::new();
    scene.deployment(1, spec("gpt-1"));
    let (first, compiled) = scene.published();
    assert_eq!((in_force(&first), compiled), ((1, "gpt-1"), 1));

    let ours = revision(1, spec("gpt-1"));
    scene.revisions.apply_watcher_event(&Event::Apply(ours.clone()));
    let (written, compiled) = scene.published();
    assert_eq!((written.revisions.len(), compiled), (1, 1));
    scene.revisions.apply_watcher_event(&Event::Delete(ours));
    let (cleared, compiled) = scene.published();
    assert_eq!((cleared.revisions.len(), compiled), (0, 1));
    assert!(Arc::ptr_eq(&cleared.compiled, &first.compiled));
}

#[test]
fn what_another_replica_put_in_force_is_compiled_once() {
    let mut scene = Scene::new();
    scene.deployment(1, spec("gpt-1"));
    scene.published();
    // What is applied cannot serve, and what served before it is not known to this replica.
    scene.deployment(
        3,
        json!({"provider": "Nobody", "model": "gpt-3", "credentials": {"none": {}}}),
    );
    let (held, compiled) = scene.published();
    assert_eq!((in_force(&held), compiled), ((1, "gpt-1"), 2));
    scene
        .revisions
        .apply_watcher_event(&Event::Apply(revision(2, spec("gpt-2"))));
    for _ in 0..2 {
        let (newer, compiled) = scene.published();
        assert_eq!((in_force(&newer), compiled), ((2, "gpt-2"), 3));
    }
}
