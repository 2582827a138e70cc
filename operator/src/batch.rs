//! From one configuration to the next: what must be sent to a sidecar that has the one, so that it has the other.
//!
//! For a channel in memory, which loses nothing and has one reader. Streams, which share views and know what their
//! sidecar had before, have theirs in `push/lanes.rs`.

use pilotfish_wire::snapshot::configuration_version;
use pilotfish_wire::{Begin, Commit, Kind, Message, Remove, Resource};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What one sidecar was sent.
#[derive(Debug, Default)]
pub struct Sent {
    versions: BTreeMap<(Kind, String), String>,
    nonce: u64,
}

impl Sent {
    /// The batch that makes `resources` the whole configuration, or `None` when they already are. The first batch of a
    /// stream is never left out: its commit is what tells the sidecar that it is up to date.
    pub fn batch(&mut self, resources: &[Arc<Resource>]) -> Option<Vec<Message>> {
        let wanted: BTreeMap<_, _> = resources.iter().map(|resource| (key(resource), resource)).collect();
        let changed = wanted
            .iter()
            .filter(|(key, resource)| self.versions.get(*key) != Some(&resource.version))
            .map(|(_, resource)| Message::Resource(Resource::clone(resource)));
        let gone = self.versions.keys().filter(|key| !wanted.contains_key(*key));
        let gone = gone.map(|(kind, name)| {
            Message::Remove(Remove {
                kind: *kind,
                name: name.clone(),
            })
        });
        let changes: Vec<Message> = changed.chain(gone).collect();
        if changes.is_empty() && self.nonce > 0 {
            return None;
        }
        let version = configuration_version(wanted.values().map(|resource| &***resource));
        self.versions = wanted
            .into_iter()
            .map(|(key, resource)| (key, resource.version.clone()))
            .collect();
        Some(self.framed(changes, version))
    }

    fn framed(&mut self, changes: Vec<Message>, version: String) -> Vec<Message> {
        self.nonce += 1;
        let nonce = self.nonce;
        let mut batch = vec![Message::Begin(Begin { nonce })];
        batch.extend(changes);
        batch.push(Message::Commit(Commit { nonce, version }));
        batch
    }
}

fn key(resource: &Resource) -> (Kind, String) {
    (resource.kind, resource.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(kind: Kind, name: &str, body: &str) -> Arc<Resource> {
        Arc::new(Resource::new(kind, name, &body))
    }

    /// What a batch does, without its version.
    fn changes(batch: Option<Vec<Message>>) -> Vec<String> {
        let spelled = |message: &Message| match message {
            Message::Begin(begin) => format!("begin {}", begin.nonce),
            Message::Resource(resource) => format!("{:?} {}", resource.kind, resource.name),
            Message::Remove(remove) => format!("remove {:?} {}", remove.kind, remove.name),
            Message::Commit(commit) => format!("commit {}", commit.nonce),
            Message::Hello(_) | Message::Urgent(_) | Message::Unknown(_) => "not of a batch".to_owned(),
        };
        batch.unwrap_or_default().iter().map(spelled).collect()
    }

    #[test]
    fn only_what_changed_is_sent() {
        let mut sent = Sent::default();
        let one = resource(Kind::Policy, "a/one", "1");
        let two = resource(Kind::Policy, "a/two", "1");
        let first = sent.batch(&[one.clone(), two]);
        assert_eq!(changes(first), ["begin 1", "Policy a/one", "Policy a/two", "commit 1"]);

        let changed = resource(Kind::Policy, "a/two", "2");
        let second = sent.batch(&[one.clone(), changed]);
        assert_eq!(changes(second), ["begin 2", "Policy a/two", "commit 2"]);

        assert_eq!(
            changes(sent.batch(std::slice::from_ref(&one))),
            ["begin 3", "remove Policy a/two", "commit 3"]
        );
        assert!(sent.batch(&[one]).is_none());
    }

    #[test]
    fn an_empty_configuration_is_committed_too() {
        assert_eq!(changes(Sent::default().batch(&[])), ["begin 1", "commit 1"]);
    }

    #[test]
    fn the_version_is_that_of_the_whole_configuration() {
        let one = resource(Kind::Deployment, "a/one", "1");
        let two = resource(Kind::Policy, "a/one", "1");
        let Some(Message::Commit(commit)) = Sent::default()
            .batch(&[two.clone(), one.clone()])
            .and_then(|mut b| b.pop())
        else {
            panic!("no commit")
        };
        assert_eq!(commit.version, configuration_version([&*one, &*two]));
    }
}
