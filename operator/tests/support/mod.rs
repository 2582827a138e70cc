//! Worlds written as YAML, and compiled ones printed.

use pilotfish_crds::{ModelDeployment, RoutingPolicy, VirtualKey};
use pilotfish_operator::compile::{Compiled, Verdict};
use pilotfish_operator::push;
use pilotfish_operator::world::{Object, ObjectName, Pod, Source, World};
use pilotfish_wire::{Kind, ProviderKey};
use serde::Deserialize;
use serde_yaml::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Where the goldens are.
pub(crate) fn goldens() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/goldens")
}

/// The World of `text`, in which `pilotfish-system` is the root namespace.
pub(crate) fn world(text: &str) -> World {
    let mut world = World {
        root_namespace: "pilotfish-system".to_owned(),
        source: Source::Cluster,
        ..World::default()
    };
    apply(&mut world, text);
    world
}

/// Adds the objects of `text`, or replaces those of the same name.
pub(crate) fn apply(world: &mut World, text: &str) {
    for document in serde_yaml::Deserializer::from_str(text) {
        let document = Value::deserialize(document).unwrap();
        if !document.is_null() {
            apply_one(world, document);
        }
    }
}

fn apply_one(world: &mut World, document: Value) {
    let metadata = &document["metadata"];
    let text = |field: &str| metadata[field].as_str().map(str::to_owned);
    let name = ObjectName::new(
        text("namespace").unwrap_or_else(|| "default".to_owned()),
        text("name").unwrap(),
    );
    let labels: BTreeMap<String, String> = serde_yaml::from_value(metadata["labels"].clone()).unwrap_or_default();
    match document["kind"].as_str().unwrap() {
        "Namespace" => {
            world.namespaces.insert(name.name, labels);
        }
        "Pod" => {
            world.pods.insert(Pod {
                namespace: name.namespace,
                labels,
            });
        }
        "Secret" => {
            let entries: BTreeMap<String, String> = serde_yaml::from_value(document["stringData"].clone()).unwrap();
            let entries = entries
                .into_iter()
                .map(|(key, text)| (key, ProviderKey::new(text)))
                .collect();
            world.secrets.insert(name, entries);
        }
        "ModelDeployment" => {
            let spec = serde_yaml::from_value::<ModelDeployment>(document.clone()).map(|object| object.spec);
            world.deployments.insert(name, object(&document, labels, spec));
        }
        "RoutingPolicy" => {
            let spec = serde_yaml::from_value::<RoutingPolicy>(document.clone()).map(|object| object.spec);
            world.policies.insert(name, object(&document, labels, spec));
        }
        "VirtualKey" => {
            let spec = serde_yaml::from_value::<VirtualKey>(document.clone()).map(|object| object.spec);
            world.keys.insert(name, object(&document, labels, spec));
        }
        other => panic!("no kind {other} in these tests"),
    }
}

fn object<S>(document: &Value, labels: BTreeMap<String, String>, spec: Result<S, serde_yaml::Error>) -> Object<S> {
    let number = |field: &str| document["metadata"][field].as_i64().unwrap_or(0);
    // Not a timestamp: the tests say who is older by a small number.
    Object {
        generation: number("generation"),
        created: number("age"),
        labels,
        spec: spec.map_err(|e| e.to_string()),
    }
}

/// All that a pod is sent and all that users are told, one thing a line. Credentials are only named.
pub(crate) fn printed(compiled: &Compiled, pods: &[Pod]) -> String {
    let mut text = String::new();
    for pod in pods {
        text.push_str(&format!("# pod of {} {:?}\n", pod.namespace, pod.labels));
        for resource in push::resources(&compiled.for_pod(pod)) {
            let body = if resource.kind == Kind::Credential {
                "…"
            } else {
                resource.body.get()
            };
            text.push_str(&format!("{:?} {} {body}\n", resource.kind, resource.name));
        }
    }
    print_verdicts(&mut text, "ModelDeployment", &compiled.deployment_verdicts);
    print_verdicts(&mut text, "RoutingPolicy", &compiled.policy_verdicts);
    print_verdicts(&mut text, "VirtualKey", &compiled.key_verdicts);
    text
}

fn print_verdicts(text: &mut String, kind: &str, verdicts: &BTreeMap<ObjectName, Verdict>) {
    for (name, verdict) in verdicts {
        let in_force = verdict
            .in_force
            .map_or("nothing".to_owned(), |number| format!("generation {number}"));
        let held = if verdict.held { ", held" } else { "" };
        text.push_str(&format!("# {kind} {name}: {in_force} in force{held}\n"));
        for finding in verdict.faults.iter().chain(&verdict.unresolved) {
            text.push_str(&format!("#   {}: {}\n", finding.reason.as_str(), finding.sentence));
        }
        if !verdict.lost.is_empty() {
            text.push_str(&format!("#   lost: {}\n", verdict.lost_sentence()));
        }
    }
}
