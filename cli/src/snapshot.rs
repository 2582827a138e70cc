//! What one sidecar would be sent, as a file that a sidecar without an operator can be started with.
//!
//! It holds no secrets: the sidecar reads the providers' keys from its environment, and callers' keys are in it as
//! hashes. The same directory and the same scope make the same bytes.

use crate::load::{Directory, Environment, Loaded, Problem, Scope, load};
use pilotfish_operator::compile;
use pilotfish_operator::world::InForce;
use pilotfish_wire::{Resource, snapshot};
use std::collections::BTreeMap;

/// A snapshot, and what a person should know of it.
#[derive(Debug)]
pub struct Snapshot {
    /// The file's text.
    pub text: String,
    /// Sentences about objects that do not serve as they are written.
    pub notices: Vec<String>,
}

/// Compiles `directory` for the pod of `scope`.
pub fn of(directory: &Directory, scope: &Scope) -> Result<Snapshot, Vec<Problem>> {
    let loaded = load(&directory.read()?, scope, InForce::default(), &Environment::Later)?;
    let compiled = compile(&loaded.world);
    let resources = compiled.for_pod(&scope.pod()).resources;
    let resources: Vec<Resource> = resources.iter().map(|resource| Resource::clone(resource)).collect();
    Ok(Snapshot {
        text: snapshot::write(&snapshot::batch(recorded(scope), &resources)),
        notices: notices(&loaded, &compiled),
    })
}

/// The scope as it stands in the file.
fn recorded(scope: &Scope) -> BTreeMap<String, String> {
    let labels: Vec<String> = scope
        .labels
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    BTreeMap::from([
        ("namespace".to_owned(), scope.namespace.clone()),
        ("labels".to_owned(), labels.join(",")),
        ("rootNamespace".to_owned(), scope.root_namespace.clone()),
    ])
}

fn notices(loaded: &Loaded, compiled: &compile::Compiled) -> Vec<String> {
    crate::feed::notices(loaded, compiled)
        .iter()
        .map(ToString::to_string)
        .collect()
}
