//! A directory that changes → the batches that an operator would send for it.
//!
//! What is in force is kept in memory, where an operator keeps it in the cluster: an edit that does not resolve leaves
//! the spec before it serving, and a load that is refused changes nothing at all, deletions included.

use crate::load::{Directory, Environment, Loaded, Place, Problem, Scope, SourceFile, load};
use pilotfish_operator::batch::Sent;
use pilotfish_operator::compile::{Compiled, Verdict, compile};
use pilotfish_operator::world::{InForce, ObjectName};
use pilotfish_wire::{Kind, Message};
use std::collections::BTreeMap;
use std::fmt;

/// A directory and what was made of it so far.
#[derive(Debug)]
pub struct Feed {
    directory: Directory,
    scope: Scope,
    in_force: InForce,
    sent: Sent,
    files: Option<Vec<SourceFile>>,
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
        let notices = notices(&loaded, &compiled);
        let change = Change {
            batch: self.sent.batch(&compiled.for_pod(&self.scope.pod())),
            notices: notices
                .iter()
                .filter(|notice| !self.notices.contains(notice))
                .cloned()
                .collect(),
            ignored: std::mem::take(&mut loaded.ignored),
        };
        self.in_force = compiled.in_force;
        self.places = loaded.places;
        self.files = Some(files);
        self.notices = notices;
        Ok(change)
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
