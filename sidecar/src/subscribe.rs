//! Receive → check → swap → ack, or nack and keep the last good.
//!
//! A batch runs from `begin` to `commit` and is applied whole; a new `begin` discards one that was not committed. What
//! cannot be used is refused by name in the ack and replaced by its previous good version. Where the messages come from
//! (a socket, a channel, a file) is not known here.

use crate::meter::Meter;
use crate::policy::{Builder, Id, InForce};
use pilotfish_wire::{Ack, Commit, Message, Remove, Resource};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::time::Instant;

/// The receiving end of one stream of messages.
pub(crate) struct Subscription {
    in_force: Arc<InForce>,
    meter: Arc<Meter>,
    builder: Builder,
    /// All resources of the last committed batch.
    committed: BTreeMap<Id, Arc<Resource>>,
    /// The batch that is being received.
    batch: Option<Batch>,
}

struct Batch {
    nonce: u64,
    changes: Vec<Change>,
}

enum Change {
    Put(Resource),
    Remove(Id),
}

/// The two clocks at the moment a message is handled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    pub now: Instant,
    /// Seconds since the Unix epoch.
    pub unix_seconds: i64,
}

impl Subscription {
    pub(crate) fn new(in_force: Arc<InForce>, meter: Arc<Meter>) -> Self {
        let builder = Builder::new(Arc::clone(&meter));
        Self {
            in_force,
            meter,
            builder,
            committed: BTreeMap::new(),
            batch: None,
        }
    }

    /// Takes one message; a commit is answered by an ack. What stands outside a batch and is not known is ignored.
    pub(crate) fn receive(&mut self, message: Message, clock: Clock) -> Option<Ack> {
        match message {
            Message::Begin(begin) => {
                self.batch = Some(Batch {
                    nonce: begin.nonce,
                    changes: Vec::new(),
                })
            }
            Message::Resource(resource) => self.change(Change::Put(resource)),
            Message::Remove(Remove { kind, name }) => self.change(Change::Remove((kind, name))),
            Message::Commit(commit) => return self.commit(&commit, clock),
            Message::Hello(_) | Message::Unknown(_) => {}
        }
        None
    }

    fn change(&mut self, change: Change) {
        if let Some(batch) = &mut self.batch {
            batch.changes.push(change);
        }
    }

    fn commit(&mut self, commit: &Commit, clock: Clock) -> Option<Ack> {
        let batch = self.batch.take_if(|batch| batch.nonce == commit.nonce)?;
        for change in batch.changes {
            match change {
                Change::Put(resource) => self
                    .committed
                    .insert((resource.kind, resource.name.clone()), Arc::new(resource)),
                Change::Remove(id) => self.committed.remove(&id),
            };
        }
        let (snapshot, refused) = self
            .builder
            .build(&self.committed, &commit.version, clock.unix_seconds, clock.now);
        for refusal in &refused {
            tracing::warn!(kind = ?refusal.kind, name = refusal.name, reason = refusal.reason, "resource refused");
        }
        tracing::info!(
            version = commit.version,
            resources = self.committed.len(),
            "configuration in force"
        );
        self.meter.configuration(&commit.version);
        self.in_force.store(Arc::new(snapshot));
        Some(Ack {
            nonce: batch.nonce,
            version: commit.version.clone(),
            refused,
        })
    }
}

#[cfg(test)]
mod tests;
