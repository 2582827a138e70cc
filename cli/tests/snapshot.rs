//! `pilotfish compile`: a file that is the same each time and holds no secret.

#![cfg(test)]

use pilotfish_cli::load::{Directory, Scope};
use pilotfish_cli::snapshot;
use pilotfish_wire::{Kind, Message};
use std::collections::BTreeMap;
use std::path::Path;

fn quickstart() -> Directory {
    Directory::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/quickstart"))
}

fn scope() -> Scope {
    Scope {
        namespace: "default".to_owned(),
        labels: BTreeMap::from([("app".to_owned(), "a".to_owned()), ("tier".to_owned(), "b".to_owned())]),
        root_namespace: "pilotfish-system".to_owned(),
    }
}

#[test]
fn a_snapshot_is_the_same_each_time_and_can_be_read() {
    let first = snapshot::of(&quickstart(), &scope()).unwrap();
    let second = snapshot::of(&quickstart(), &scope()).unwrap();
    assert_eq!(first.text, second.text);
    assert_eq!(first.notices, Vec::<String>::new());

    let messages = pilotfish_wire::snapshot::read(&first.text).unwrap();
    let Some(Message::Hello(hello)) = messages.first() else {
        panic!("no hello")
    };
    let recorded: Vec<_> = hello
        .scope
        .iter()
        .map(|(key, value)| format!("{key}: {value}"))
        .collect();
    assert_eq!(
        recorded,
        [
            "labels: app=a,tier=b",
            "namespace: default",
            "rootNamespace: pilotfish-system"
        ]
    );
}

#[test]
fn a_snapshot_holds_no_secret() {
    let text = snapshot::of(&quickstart(), &scope()).unwrap().text;
    for secret in ["demo-openai-key", "demo-anthropic-key", "sk-pf-quickstart"] {
        assert!(!text.contains(secret), "{secret}");
    }
    let kinds = pilotfish_wire::snapshot::read(&text).unwrap();
    let kinds = kinds.iter().filter_map(|message| match message {
        Message::Resource(resource) => Some(resource.kind),
        _ => None,
    });
    let kinds: Vec<Kind> = kinds.collect();
    assert!(!kinds.contains(&Kind::Credential));
    assert_eq!(kinds.iter().filter(|kind| **kind == Kind::Deployment).count(), 2);
    assert_eq!(kinds.iter().filter(|kind| **kind == Kind::Key).count(), 1);
}
