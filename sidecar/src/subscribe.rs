//! Receive → check → swap → ack, or nack and keep the last good.
//!
//! A batch runs from `begin` to `commit` and is applied whole; a new `begin` discards one that was not committed. What
//! cannot be used is refused by name in the ack and replaced by its previous good version. Keys alone may be changed
//! outside a batch, at once. Where the messages come from (a socket, a channel, a file) is not known here.

use crate::meter::Meter;
use crate::policy::{Builder, Id, InForce};
use pilotfish_wire::{Ack, Commit, Kind, Message, Refusal, Remove, Resource, Urgent};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::time::Instant;

/// The receiving end of one stream of messages.
pub(crate) struct Subscription {
    in_force: Arc<InForce>,
    meter: Arc<Meter>,
    builder: Builder,
    /// All resources of the last committed batch, and what was urgent since.
    committed: BTreeMap<Id, Arc<Resource>>,
    /// Of the last commit; empty before the first.
    version: String,
    /// What of `committed` could not be used.
    refused: Vec<Refusal>,
    /// The batch that is being received.
    batch: Option<Batch>,
}

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
            version: String::new(),
            refused: Vec::new(),
            batch: None,
        }
    }

    /// Takes one message; a commit is answered by an ack, and so is what is urgent and asks for it. What stands outside
    /// a batch and is not known is ignored.
    pub(crate) fn receive(&mut self, message: Message, clock: Clock) -> Option<Ack> {
        match message {
            Message::Begin(begin) => {
                self.batch = Some(Batch {
                    nonce: begin.nonce,
                    changes: Vec::new(),
                    urgent: Vec::new(),
                })
            }
            Message::Resource(resource) => self.change(Change::Put(Arc::new(resource))),
            Message::Remove(Remove { kind, name }) => self.change(Change::Remove((kind, name))),
            Message::Commit(commit) => return self.commit(&commit, clock),
            Message::Urgent(urgent) => return self.urgent(urgent, clock),
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
        let mut changed = self.version != commit.version;
        for change in batch.changes.into_iter().chain(batch.urgent) {
            changed |= self.apply(change);
        }
        self.version.clone_from(&commit.version);
        if changed {
            self.put_in_force(clock.unix_seconds, clock.now);
            tracing::info!(
                version = commit.version,
                resources = self.committed.len(),
                "configuration in force"
            );
            self.meter.configuration(&commit.version);
        }
        Some(self.ack(batch.nonce))
    }

    /// Keys are in force at once. What an open batch says of them was said before, even if it arrives afterwards.
    fn urgent(&mut self, urgent: Urgent, clock: Clock) -> Option<Ack> {
        let Urgent { nonce, put, remove } = urgent;
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
        if changed {
            // The configuration is as old as its last commit; without one, it is none.
            let since = self.in_force.load().since;
            self.put_in_force(since, clock.now);
        }
        let mut ack = self.ack(nonce?);
        ack.refused.extend(others.iter().map(not_urgent));
        Some(ack)
    }

    /// Whether it was one: what is there already, by its version, is not changed by being sent again.
    fn apply(&mut self, change: Change) -> bool {
        match change {
            Change::Put(resource) => {
                let id = (resource.kind, resource.name.clone());
                let before = self.committed.insert(id, Arc::clone(&resource));
                before.is_none_or(|before| !before.same_as(&resource))
            }
            Change::Remove(id) => self.committed.remove(&id).is_some(),
        }
    }

    fn put_in_force(&mut self, since: i64, now: Instant) {
        let (snapshot, refused) = self.builder.build(&self.committed, &self.version, since, now);
        for refusal in refused.iter().filter(|refusal| !self.refused.contains(refusal)) {
            tracing::warn!(kind = ?refusal.kind, name = refusal.name, reason = refusal.reason, "resource refused");
        }
        self.refused = refused;
        self.in_force.store(Arc::new(snapshot));
    }

    fn ack(&self, nonce: u64) -> Ack {
        Ack {
            nonce,
            version: self.version.clone(),
            refused: self.refused.clone(),
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

#[cfg(test)]
mod tests;
