//! A sidecar of one revision reads what an operator of the same revision sends, whichever of them is older: during an
//! upgrade they are not of one build.
//!
//! The lines in `revision-1.ndjson` are kept as they were first sent. A change that makes this test fail is a new
//! revision, or needs a feature that resources require: what was written has to be read, and written again as it was.
//! New fields are optional, and not written where they say nothing.

#![cfg(test)]

use pilotfish_wire::{Credential, Deployment, Key, Kind, Message, Policy, REVISION, Resource, Routes};
use serde::Serialize;
use serde::de::DeserializeOwned;

const LINES: &str = include_str!("revision-1.ndjson");

/// The body, read and written again.
fn again<T: DeserializeOwned + Serialize>(resource: &Resource) -> String {
    let body: T = serde_json::from_str(resource.body.get()).unwrap_or_else(|error| panic!("{resource:?}: {error}"));
    serde_json::to_string(&body).unwrap()
}

fn rewritten(resource: &Resource) -> String {
    match resource.kind {
        Kind::Credential => again::<Credential>(resource),
        Kind::Deployment => again::<Deployment>(resource),
        Kind::Key => again::<Key>(resource),
        Kind::Policy => again::<Policy>(resource),
        Kind::Routes => again::<Routes>(resource),
        Kind::Unknown => panic!("{resource:?} is of no kind"),
    }
}

#[test]
fn what_this_revision_sends_is_read_and_written_as_it_ever_was() {
    assert_eq!(
        REVISION, 1,
        "the lines of the revision before are kept, beside those of this one"
    );
    let mut kinds = Vec::new();
    for line in LINES.lines() {
        let message = Message::decode(line).unwrap();
        assert_eq!(message.encode(), line);
        if let Message::Resource(resource) = message {
            assert_eq!(rewritten(&resource), resource.body.get());
            kinds.push(resource.kind);
        }
    }
    assert_eq!(kinds, Kind::ALL, "there is one of each");
}
