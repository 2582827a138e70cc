//! Secrets: from documents, and from the environment where no document has them.
//!
//! No sentence here shows a value.

use super::document::Document;
use super::{Loaded, Place, Problem};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pilotfish_crds::ModelDeploymentSpec;
use pilotfish_operator::world::{ObjectName, Secret, World};
use pilotfish_wire::{ProviderKey, credential_variable};
use serde_json::Value;
use std::collections::BTreeMap;

/// Where credentials are that no document has.
pub enum Environment<'a> {
    /// Read now: the value of a variable, if it is set.
    Read(&'a dyn Fn(&str) -> Option<String>),
    /// Read later, by the sidecar that is given a snapshot. Until then every credential counts as there, and all of
    /// them must have variables of their own.
    Later,
}

/// What stands for a credential that is read later. It is in no snapshot.
const LATER: &str = "read when the snapshot is served";

/// The entries of a `kind: Secret` document, `stringData` before `data`.
pub(super) fn read(document: &Document) -> Result<Secret, Vec<Problem>> {
    let mut entries = BTreeMap::new();
    let mut problems = Vec::new();
    for (field, decode) in [("data", from_base64 as fn(&str) -> _), ("stringData", as_written)] {
        match document.value.get(field) {
            None | Some(Value::Null) => {}
            Some(Value::Object(written)) => {
                for (key, value) in written {
                    match value.as_str().ok_or("must be a string").and_then(decode) {
                        Ok(bytes) => drop(entries.insert(key.clone(), bytes)),
                        Err(sentence) => problems.push(document.problem(format!("{field}.{key}"), sentence)),
                    }
                }
            }
            Some(_) => problems.push(document.problem(field, "must be an object")),
        }
    }
    if problems.is_empty() {
        Ok(Secret::of(entries))
    } else {
        Err(problems)
    }
}

fn from_base64(text: &str) -> Result<Vec<u8>, &'static str> {
    STANDARD
        .decode(text.trim_ascii())
        .map_err(|_| "must be base64; plain text goes into stringData")
}

fn as_written(text: &str) -> Result<Vec<u8>, &'static str> {
    Ok(text.as_bytes().to_vec())
}

/// A key of a Secret that a deployment names.
struct Reference {
    secret: ObjectName,
    key: String,
    /// The deployment's, for problems.
    place: Option<Place>,
}

/// Fills in the credentials that deployments name and no document has. Two of them that would be read from one variable
/// are a problem: the wrong key would go to the wrong provider.
pub(super) fn add_from_environment(loaded: &mut Loaded, environment: &Environment<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    for reference in references(loaded) {
        let name = format!("{}/{}", reference.secret, reference.key);
        let written = is_written(&loaded.world, &reference);
        if written && matches!(environment, Environment::Read(_)) {
            continue;
        }
        let variable = credential_variable(&name);
        match taken.insert(variable.clone(), name.clone()) {
            Some(other) if other != name => {
                let sentence =
                    format!("{name} and {other} would both be read from {variable}; rename one of the Secrets");
                problems.extend(reference.place.map(|place| place.problem("spec", sentence)));
                continue;
            }
            _ => {}
        }
        let text = match environment {
            Environment::Read(read) => read(&variable),
            Environment::Later => Some(LATER.to_owned()),
        };
        if let Some(text) = text.filter(|_| !written) {
            let entries = loaded.world.secrets.entry(reference.secret).or_default();
            entries.insert(reference.key, ProviderKey::new(text));
        }
    }
    problems
}

fn is_written(world: &World, reference: &Reference) -> bool {
    world
        .secrets
        .get(&reference.secret)
        .is_some_and(|entries| entries.contains(&reference.key))
}

/// Every reference of the specs that are written and of those that are in force.
fn references(loaded: &Loaded) -> Vec<Reference> {
    let world = &loaded.world;
    let written = world
        .deployments
        .iter()
        .filter_map(|(name, object)| Some((name, object.spec.as_ref().ok()?)));
    let in_force = world
        .in_force
        .deployments
        .iter()
        .map(|(name, generation)| (name, &generation.spec));
    let place = |name: &ObjectName| {
        loaded
            .places
            .get(&("ModelDeployment".to_owned(), name.clone()))
            .cloned()
    };
    written
        .chain(in_force)
        .flat_map(|(name, spec)| references_of(name, spec, place(name)))
        .collect()
}

fn references_of(name: &ObjectName, spec: &ModelDeploymentSpec, place: Option<Place>) -> Vec<Reference> {
    let of = |reference: pilotfish_crds::deployment::SecretKeyRef| Reference {
        secret: ObjectName::new(&name.namespace, &reference.name),
        key: reference.key,
        place: place.clone(),
    };
    spec.secrets().chain(spec.optional_secrets()).map(of).collect()
}
