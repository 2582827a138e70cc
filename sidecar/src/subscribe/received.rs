//! What one stream of messages has said so far.
//!
//! Whole in itself: two streams can be read side by side, each with its own batches and its own idea of what is there,
//! and the one that commits decides. Nothing here is in force.

use crate::policy::{Configuration, Id};
use pilotfish_wire::{Begin, Commit, Hello, Kind, Message, Refusal, Remove, Resource, Urgent, known_as};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One stream's configuration, and the batch that is on its way.
#[derive(Default)]
pub(crate) struct Received {
    configuration: Configuration,
    /// Of the last hello; the next commit makes it the configuration's.
    scope: BTreeMap<String, String>,
    batch: Option<Batch>,
}

#[derive(Default)]
struct Batch {
    nonce: u64,
    changes: Vec<Change>,
    /// What was urgent while it was received: newer than what it says itself, wherever that stands.
    urgent: Vec<Change>,
}

#[derive(Clone)]
enum Change {
    Put(Arc<Resource>),
    Remove(Id),
}

/// A message after which the stream's configuration is to be obeyed, and perhaps acknowledged.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// A batch was committed.
    Batch {
        nonce: u64,
        /// It is not what was committed before.
        changed: bool,
        /// How many resources it sent.
        resources: u64,
    },
    /// Keys have changed outside a batch.
    Urgent {
        /// Absent: it is not to be acknowledged.
        nonce: Option<u64>,
        /// Something is not what it was.
        changed: bool,
        /// What cannot be sent in this way.
        refused: Vec<Refusal>,
    },
}

impl Said {
    /// The configuration is not what it was before.
    pub(crate) fn is_change(&self) -> bool {
        match self {
            Self::Batch { changed, .. } | Self::Urgent { changed, .. } => *changed,
        }
    }

    /// The same, compared with something else.
    pub(crate) fn compared(mut self, is_change: bool) -> Self {
        match &mut self {
            Self::Batch { changed, .. } | Self::Urgent { changed, .. } => *changed = is_change,
        }
        self
    }
}

impl Received {
    /// Goes on from another stream's configuration.
    pub(crate) fn after(configuration: Configuration) -> Self {
        Self {
            scope: configuration.scope.clone(),
            configuration,
            batch: None,
        }
    }

    /// Goes on on a new stream: the batch that was on its way is void.
    pub(crate) fn reopen(&mut self) {
        self.batch = None;
    }

    /// What this stream has committed.
    pub(crate) fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// The versions it has, for a hello. What is of no kind that we know is left out, and sent and refused again.
    pub(crate) fn known(&self) -> BTreeMap<String, String> {
        let resources = self.configuration.resources.values();
        let known = resources.filter(|resource| resource.kind != Kind::Unknown);
        known
            .map(|resource| (known_as(resource.kind, &resource.name), resource.version.clone()))
            .collect()
    }

    /// Takes one message. What stands outside a batch, and what is not known, is ignored.
    pub(crate) fn receive(&mut self, message: Message) -> Option<Said> {
        match message {
            Message::Hello(Hello { scope, .. }) => self.scope = scope,
            Message::Begin(Begin { nonce }) => {
                self.batch = Some(Batch {
                    nonce,
                    ..Batch::default()
                })
            }
            Message::Resource(resource) => self.change(Change::Put(Arc::new(resource))),
            Message::Remove(Remove { kind, name }) => self.change(Change::Remove((kind, name))),
            Message::Commit(commit) => return self.commit(commit),
            Message::Urgent(urgent) => return Some(self.urgent(urgent)),
            Message::Unknown(_) => {}
        }
        None
    }

    fn change(&mut self, change: Change) {
        if let Some(batch) = &mut self.batch {
            batch.changes.push(change);
        }
    }

    fn commit(&mut self, Commit { nonce, version }: Commit) -> Option<Said> {
        let batch = self.batch.take_if(|batch| batch.nonce == nonce)?;
        let now = &mut self.configuration;
        let mut changed = now.version != version || now.scope != self.scope;
        now.version = version;
        now.scope.clone_from(&self.scope);
        let mut resources = 0;
        for change in batch.changes {
            resources += u64::from(matches!(change, Change::Put(_)));
            changed |= self.apply(change);
        }
        for change in batch.urgent {
            changed |= self.apply(change);
        }
        Some(Said::Batch {
            nonce,
            changed,
            resources,
        })
    }

    fn urgent(&mut self, Urgent { nonce, put, remove }: Urgent) -> Said {
        let (keys, others): (Vec<_>, Vec<_>) = put.into_iter().partition(|resource| resource.kind == Kind::Key);
        let put = keys.into_iter().map(|key| Change::Put(Arc::new(key)));
        let keys_gone = remove.into_iter().filter(|gone| gone.kind == Kind::Key);
        let gone = keys_gone.map(|Remove { kind, name }| Change::Remove((kind, name)));
        let mut changed = false;
        for change in put.chain(gone) {
            changed |= self.apply(change.clone());
            if let Some(batch) = &mut self.batch {
                batch.urgent.push(change);
            }
        }
        Said::Urgent {
            nonce,
            changed,
            refused: others.iter().map(not_urgent).collect(),
        }
    }

    /// Whether it was one: what is there already, by its version, is not changed by being sent again.
    fn apply(&mut self, change: Change) -> bool {
        let resources = &mut self.configuration.resources;
        match change {
            Change::Put(resource) => {
                let id = (resource.kind, resource.name.clone());
                let before = resources.insert(id, Arc::clone(&resource));
                before.is_none_or(|before| !before.same_as(&resource))
            }
            Change::Remove(id) => resources.remove(&id).is_some(),
        }
    }
}

fn not_urgent(resource: &Resource) -> Refusal {
    Refusal {
        kind: resource.kind,
        name: resource.name.clone(),
        version: resource.version.clone(),
        reason: "this sidecar takes nothing but keys outside a batch".to_owned(),
    }
}
