//! Documents → snapshot and environment, by the same `compile` as `pilotfish run`.

use anyhow::{Context, Result, bail};
use pilotfish_crds::{ModelDeployment, RoutingPolicy, VirtualKey};
use pilotfish_operator::world::{Object, ObjectName, Pod, Source, World};
use pilotfish_wire::{Kind, Message, ProviderKey, Resource, credential_variable};
use serde::Deserialize;
use serde_yaml::Value;
use std::collections::BTreeMap;

/// Names and values.
type Variables = Vec<(String, String)>;

/// The messages, and the variables that hold the credentials.
pub(crate) fn compiled(documents: &str) -> Result<(Vec<Message>, Variables)> {
    let pod = Pod {
        namespace: "default".to_owned(),
        labels: BTreeMap::new(),
    };
    let mut world = World {
        root_namespace: "pilotfish-system".to_owned(),
        source: Source::Files,
        pods: [pod.clone()].into(),
        ..World::default()
    };
    let mut variables = Vec::new();
    for document in serde_yaml::Deserializer::from_str(documents) {
        add(&mut world, &mut variables, &Value::deserialize(document)?)?;
    }
    let resources = pilotfish_operator::compile(&world).for_pod(&pod);
    let resources: Vec<Resource> = resources
        .iter()
        .filter(|resource| resource.kind != Kind::Credential)
        .map(|resource| Resource::clone(resource))
        .collect();
    Ok((pilotfish_wire::snapshot::batch(BTreeMap::new(), &resources), variables))
}

fn add(world: &mut World, variables: &mut Variables, document: &Value) -> Result<()> {
    let metadata = &document["metadata"];
    let text = |field: &str| metadata[field].as_str();
    let name = text("name").with_context(|| format!("no name: {document:?}"))?;
    let name = ObjectName::new(text("namespace").unwrap_or("default"), name);
    let labels = serde_yaml::from_value(metadata["labels"].clone()).unwrap_or_default();
    let kind = document["kind"].as_str().unwrap_or_default();
    match kind {
        "Secret" => {
            let entries: BTreeMap<String, String> = serde_yaml::from_value(document["stringData"].clone())?;
            let variable =
                |(key, value): (&String, &String)| (credential_variable(&format!("{name}/{key}")), value.clone());
            variables.extend(entries.iter().map(variable));
            let entries = entries.into_iter().map(|(key, text)| (key, ProviderKey::new(text)));
            world.secrets.insert(name, entries.collect());
        }
        "ModelDeployment" => {
            let spec = serde_yaml::from_value::<ModelDeployment>(document.clone())?.spec;
            world.deployments.insert(name, object(labels, spec));
        }
        "RoutingPolicy" => {
            let spec = serde_yaml::from_value::<RoutingPolicy>(document.clone())?.spec;
            world.policies.insert(name, object(labels, spec));
        }
        "VirtualKey" => {
            let spec = serde_yaml::from_value::<VirtualKey>(document.clone())?.spec;
            world.keys.insert(name, object(labels, spec));
        }
        other => bail!("no kind {other:?} in these tests"),
    }
    Ok(())
}

fn object<S>(labels: BTreeMap<String, String>, spec: S) -> Object<S> {
    Object {
        generation: 0,
        created: 0,
        labels,
        spec: Ok(spec),
    }
}
