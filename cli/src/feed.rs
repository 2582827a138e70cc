//! A directory that changes → the batches that an operator would send for it.
//!
//! What is in force is kept in memory, where an operator keeps it in the cluster: an edit that does not resolve leaves
//! the spec before it serving, and a load that is refused changes nothing at all, deletions included.
//!
//! Refused are also two edits that take something away without saying so: a file that held documents and is empty now,
//! as it is while a slow program writes it anew, and a credential in use whose Secret has no usable text for it any
//! more. Who means it deletes the file or the Secret.

use crate::load::{Directory, Environment, Loaded, Place, Problem, Scope, SourceFile, load};
use pilotfish_operator::batch::Sent;
use pilotfish_operator::compile::{Compiled, Verdict, compile};
use pilotfish_operator::push;
use pilotfish_operator::world::{InForce, ObjectName};
use pilotfish_wire::{Kind, Message};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A directory and what was made of it so far.
#[derive(Debug)]
pub struct Feed {
    directory: Directory,
    scope: Scope,
    in_force: InForce,
    sent: Sent,
    files: Option<Vec<SourceFile>>,
    /// The credentials in use: Secret and key.
    credentials: BTreeSet<(ObjectName, String)>,
    places: BTreeMap<(String, ObjectName), Place>,
    notices: Vec<Notice>,
}

/// What a load changed.
#[derive(Debug, Default)]
pub struct Change {
    /// For the sidecar; `None` when it has it all.
    pub batch: Option<Vec<Message>>,
    /// What a person should know and was not told by the load before.
    pub notices: Vec<Notice>,
    /// Documents that mean nothing here, when the files changed.
    pub ignored: Vec<(String, Place)>,
}

/// An object that does not serve as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Where it is written.
    pub place: Option<Place>,
    /// Its kind.
    pub kind: &'static str,
    /// Its name.
    pub name: ObjectName,
    /// Whether what served before it serves on.
    pub held: bool,
    /// Why.
    pub sentence: String,
}

impl Feed {
    /// Of `directory`, for the pod of `scope`.
    pub fn new(directory: Directory, scope: Scope) -> Self {
        Self {
            directory,
            scope,
            in_force: InForce::default(),
            sent: Sent::default(),
            files: None,
            credentials: BTreeSet::new(),
            places: BTreeMap::new(),
            notices: Vec::new(),
        }
    }

    /// Loads the directory. On an error all stays as it was.
    pub fn load(&mut self, environment: &Environment<'_>) -> Result<Change, Vec<Problem>> {
        let files = self.directory.read()?;
        if self.files.as_ref() == Some(&files) {
            return Ok(Change::default());
        }
        let mut loaded = load(&files, &self.scope, self.in_force.clone(), environment)?;
        let compiled = compile(&loaded.world);
        none(self.emptied(&files, &loaded))?;
        none(self.spoiled(&loaded, &compiled.in_force))?;
        let notices = notices(&loaded, &compiled);
        let change = Change {
            batch: self.sent.batch(&push::resources(&compiled.for_pod(&self.scope.pod()))),
            notices: notices
                .iter()
                .filter(|notice| !self.notices.contains(notice))
                .cloned()
                .collect(),
            ignored: std::mem::take(&mut loaded.ignored),
        };
        self.credentials = credentials(&compiled.in_force)
            .filter(|(secret, key)| loaded.world.credential(secret, key).is_ok())
            .collect();
        self.in_force = compiled.in_force;
        self.places = loaded.places;
        self.files = Some(files);
        self.notices = notices;
        Ok(change)
    }

    /// Files that are empty now and held what is in no other file.
    fn emptied(&self, files: &[SourceFile], loaded: &Loaded) -> Vec<Problem> {
        let is_empty = |file: &&SourceFile| file.text.trim().is_empty();
        let held = |file: &&SourceFile| {
            let mut objects = self.places.iter().filter(|(_, place)| place.file == file.name);
            objects.any(|(object, _)| !loaded.places.contains_key(object))
        };
        let emptied = files.iter().filter(is_empty).filter(held);
        emptied
            .map(|file| Place::file(&file.name).problem("", EMPTIED))
            .collect()
    }

    /// Credentials that were in use, whose Secret is still there and has no usable text for them any more.
    fn spoiled(&self, loaded: &Loaded, in_force: &InForce) -> Vec<Problem> {
        let was_used = |credential: &(ObjectName, String)| self.credentials.contains(credential);
        let used: BTreeSet<_> = credentials(in_force).filter(was_used).collect();
        let problem = |(secret, key): (ObjectName, String)| {
            let sentence = loaded.world.credential(&secret, &key).err()?;
            let place = loaded.places.get(&("Secret".to_owned(), secret))?;
            Some(place.problem(
                "",
                format!("{sentence}, and is in use; delete the Secret to stop using it"),
            ))
        };
        used.into_iter().filter_map(problem).collect()
    }

    /// Where the object is written that the resource `name` of `kind` was compiled from.
    pub fn place(&self, kind: Kind, name: &str) -> Option<&Place> {
        let kind = match kind {
            Kind::Deployment => "ModelDeployment",
            Kind::Policy => "RoutingPolicy",
            Kind::Key => "VirtualKey",
            Kind::Credential | Kind::Routes | Kind::Unknown => return None,
        };
        let (namespace, name) = name.split_once('/')?;
        self.places.get(&(kind.to_owned(), ObjectName::new(namespace, name)))
    }
}

/// Said of a file whose documents are gone.
const EMPTIED: &str = "is empty and held documents before; delete the file to delete them";

fn none(problems: Vec<Problem>) -> Result<(), Vec<Problem>> {
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// The providers' credentials that `in_force` names.
fn credentials(in_force: &InForce) -> impl Iterator<Item = (ObjectName, String)> {
    in_force.deployments.iter().flat_map(|(name, generation)| {
        let secrets = generation.spec.secrets().chain(generation.spec.optional_secrets());
        secrets.map(|reference| (ObjectName::new(&name.namespace, &reference.name), reference.key))
    })
}

/// What there is to say of a load.
pub(crate) fn notices(loaded: &Loaded, compiled: &Compiled) -> Vec<Notice> {
    let mut notices = Vec::new();
    let kinds: [(&'static str, &BTreeMap<ObjectName, Verdict>); 3] = [
        ("ModelDeployment", &compiled.deployment_verdicts),
        ("RoutingPolicy", &compiled.policy_verdicts),
        ("VirtualKey", &compiled.key_verdicts),
    ];
    for (kind, verdicts) in kinds {
        for (name, verdict) in verdicts {
            let sentences = [verdict.sentence(), verdict.lost_sentence()];
            let place = loaded.places.get(&(kind.to_owned(), name.clone()));
            for sentence in sentences.into_iter().filter(|sentence| !sentence.is_empty()) {
                let (place, name) = (place.cloned(), name.clone());
                notices.push(Notice {
                    place,
                    kind,
                    name,
                    held: verdict.held,
                    sentence,
                });
            }
        }
    }
    notices
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        let held = if self.held {
            " is held back, what served before it stays in force"
        } else {
            ""
        };
        write!(f, "{} {}{held}: {}", self.kind, self.name, self.sentence)
    }
}
