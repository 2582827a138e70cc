//! The configuration in force, for a person who looks for what a sidecar obeys.

use crate::policy::Snapshot;
use pilotfish_wire::{Kind, Refusal, Resource};
use serde::Serialize;
use serde_json::value::RawValue;

/// What is in force. Of credentials and keys only the version is shown: what they say opens something.
#[derive(Serialize)]
pub(super) struct Dump<'a> {
    /// As `x-pilotfish-config` says it; empty before the first configuration.
    version: &'a str,
    /// RFC 3339; absent before the first configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    /// The tenant of callers without a key.
    tenant: &'a str,
    /// In order of kind and name.
    resources: Vec<Shown<'a>>,
    /// What was sent and is not used; above stands its last usable version, if there was one.
    refused: &'a [Refusal],
}

#[derive(Serialize)]
struct Shown<'a> {
    kind: Kind,
    name: &'a str,
    version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a RawValue>,
}

impl<'a> Dump<'a> {
    pub(super) fn of(snapshot: &'a Snapshot) -> Self {
        let since = jiff::Timestamp::from_second(snapshot.since).ok();
        Self {
            version: snapshot.version.to_str().unwrap_or_default(),
            since: since.filter(|_| snapshot.is_ready()).map(|since| since.to_string()),
            tenant: &snapshot.pod,
            resources: snapshot.resources.iter().map(|resource| Shown::of(resource)).collect(),
            refused: &snapshot.refused,
        }
    }

    pub(super) fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self).map(|json| json + "\n")
    }
}

impl<'a> Shown<'a> {
    fn of(resource: &'a Resource) -> Self {
        let body = match resource.kind {
            Kind::Deployment | Kind::Policy | Kind::Routes => Some(&*resource.body),
            Kind::Credential | Kind::Key | Kind::Unknown => None,
        };
        Self {
            kind: resource.kind,
            name: &resource.name,
            version: &resource.version,
            body,
        }
    }
}
