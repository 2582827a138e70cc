//! Resources as an operator compiles them.

use pilotfish_provider::Fake;
use pilotfish_tests::Dialect;
use pilotfish_wire::{Kind, Message, Remove, Resource, Urgent};
use serde_json::{Value, json};

const HASH_KEY: [u8; 32] = [7; 32];

fn resource(kind: Kind, name: &str, body: Value) -> Resource {
    Resource::new(kind, name, &body)
}

/// A deployment that calls `fake`, and the credential it presents: `default/<name>`.
pub(crate) fn deployment(name: &str, fake: &Fake) -> [Resource; 2] {
    let credential = format!("default/{name}/api-key");
    let body = json!({
        "provider": "openai",
        "model": Dialect::Chat.model(),
        "endpoints": [{"dialect": "chat", "url": fake.url(), "auth": "bearer"}],
        "credential": credential,
    });
    [
        resource(Kind::Credential, &credential, json!({"key": format!("sk-up-{name}")})),
        resource(Kind::Deployment, &format!("default/{name}"), body),
    ]
}

/// `chat`, served by one deployment; `authentication` is `Pod` or `VirtualKey`.
pub(crate) fn policy(deployment: &str, authentication: &str) -> Resource {
    let target = json!({"deployment": format!("default/{deployment}"), "weight": 1, "tier": 0});
    let body = json!({
        "rules": [{"name": "default", "targets": [target]}],
        "affinity": {"mode": "Prefer", "idleTimeoutMs": 3_600_000},
        "retry": {"attempts": 3, "budgetPercent": 20, "onAmbiguous": "Failover"},
        "onLoss": "Refuse",
        "authentication": authentication,
    });
    resource(Kind::Policy, "default/chat", body)
}

/// `chat` is answered by the policy.
pub(crate) fn routes() -> Resource {
    let route = json!({"model": "chat", "policy": "default/chat"});
    resource(Kind::Routes, "routes", json!({"routes": [route]}))
}

/// All that serves `chat` by one deployment.
pub(crate) fn chat(name: &str, fake: &Fake) -> Vec<Resource> {
    let [credential, deployment] = deployment(name, fake);
    vec![credential, deployment, policy(name, "Pod"), routes()]
}

/// A key whose string is `text`.
pub(crate) fn key(text: &str, disabled: bool) -> Resource {
    let hash = blake3::keyed_hash(&HASH_KEY, text.as_bytes()).to_hex();
    let body = json!({
        "hashes": [hash.as_str()],
        "hashKey": blake3::Hash::from_bytes(HASH_KEY).to_hex().as_str(),
        "disabled": disabled,
    });
    resource(Kind::Key, "default/team", body)
}

/// Puts a key, or takes it away.
pub(crate) fn urgent(nonce: Option<u64>, key: Option<Resource>) -> Message {
    let gone = || Remove {
        kind: Kind::Key,
        name: "default/team".to_owned(),
    };
    Message::Urgent(Urgent {
        nonce,
        remove: key.is_none().then(gone).into_iter().collect(),
        put: key.into_iter().collect(),
    })
}
