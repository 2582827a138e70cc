//! A directory of YAML and JSON → a World.
//!
//! Each document is judged by itself, in the order in which an API server does it: does it parse, does it fit the
//! schema, does it make sense. A load in which any document does not is no load at all: [`load`] returns either a World
//! or every [`Problem`]. What documents mean for each other is not judged here, but by `compile`.
//!
//! Documents of other kinds than ours, Secret and Namespace are left out and named, because a directory that is meant
//! for a cluster has them.

mod admit;
mod directory;
mod document;
mod metadata;
mod pattern;
mod position;
mod problem;
mod schema;
mod secret;

pub use directory::{Directory, SourceFile, Stamp};
pub(crate) use metadata::{label, namespace_name};
pub use problem::{Place, Problem};
pub use secret::Environment;

use admit::Admitted;
use document::Document;
use pilotfish_crds::selector::Labels;
use pilotfish_operator::world::{InForce, ObjectName, Pod, Source, World};
use std::collections::{BTreeMap, BTreeSet};

/// The namespace of documents that name none.
const DEFAULT_NAMESPACE: &str = "default";

/// The one pod that a standalone sidecar stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Its namespace.
    pub namespace: String,
    /// Its labels.
    pub labels: Labels,
    /// The namespace whose policies may serve others.
    pub root_namespace: String,
}

impl Scope {
    /// As `compile` knows it.
    pub fn pod(&self) -> Pod {
        Pod {
            namespace: self.namespace.clone(),
            labels: self.labels.clone(),
        }
    }
}

/// What a directory holds.
#[derive(Debug)]
pub struct Loaded {
    /// Everything that was written, and the Secrets from the environment. `in_force` is as it was given.
    pub world: World,
    /// Where each object of our kinds is written, by kind and name.
    pub places: BTreeMap<(String, ObjectName), Place>,
    /// Documents that mean nothing here, as kind and place.
    pub ignored: Vec<(String, Place)>,
}

/// Reads `files` for the pod of `scope`. Secrets that are in no file are looked for in `environment`.
pub fn load(
    files: &[SourceFile],
    scope: &Scope,
    in_force: InForce,
    environment: &Environment<'_>,
) -> Result<Loaded, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut loaded = Loaded {
        world: World {
            root_namespace: scope.root_namespace.clone(),
            source: Source::Files,
            pods: BTreeSet::from([scope.pod()]),
            in_force,
            ..World::default()
        },
        places: BTreeMap::new(),
        ignored: Vec::new(),
    };
    for document in files.iter().flat_map(document::documents) {
        let admitted = document.and_then(|document| admit::admit(document, scope));
        match admitted {
            Ok(admitted) => problems.extend(loaded.add(admitted).err()),
            Err(found) => problems.extend(found),
        }
    }
    problems.extend(secret::add_from_environment(&mut loaded, environment));
    if problems.is_empty() { Ok(loaded) } else { Err(problems) }
}

impl Loaded {
    /// Adds an object, unless one of its name is there.
    fn add(&mut self, (document, admitted): (Document, Admitted)) -> Result<(), Problem> {
        let world = &mut self.world;
        let (kind, name, place) = (document.kind, document.name, document.place);
        match admitted {
            Admitted::Deployment(object) => drop(world.deployments.insert(name.clone(), *object)),
            Admitted::Policy(object) => drop(world.policies.insert(name.clone(), *object)),
            Admitted::Key(object) => drop(world.keys.insert(name.clone(), object)),
            Admitted::Secret(entries) => drop(world.secrets.insert(name.clone(), entries)),
            Admitted::Namespace(labels) => drop(world.namespaces.insert(name.name.clone(), labels)),
            Admitted::Ignored => {
                self.ignored.push((kind, place));
                return Ok(());
            }
        }
        match self.places.insert((kind.clone(), name.clone()), place.clone()) {
            None => Ok(()),
            Some(before) => Err(place.problem("metadata.name", format!("{kind} {name} is already at {before}"))),
        }
    }
}
