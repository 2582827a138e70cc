//! What one set of pods is to have, each resource encoded once for everybody it is sent to.

use crate::compile::Credential;
use bytes::Bytes;
use pilotfish_wire::snapshot::version_of_names;
use pilotfish_wire::{Kind, ProviderKey, Resource};
use serde::Serialize;
use std::fmt;
use std::sync::Arc;

/// What a line begins with, up to the resource itself.
const OPEN: &[u8] = br#"{"resource":"#;
/// What it ends with.
const CLOSE: &[u8] = b"}\n";

/// A configuration: all resources that a pod is to have, and for each the line that carries it.
#[derive(Default)]
pub struct View {
    /// In the order of kind and name.
    resources: Arc<[Arc<Resource>]>,
    /// In the same order.
    lines: Vec<Bytes>,
    version: String,
}

/// One resource, and the line that carries it.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) resource: Arc<Resource>,
    /// With its newline.
    pub(super) bytes: Bytes,
}

/// A resource's kind, name and version.
pub(super) type Named<'a> = (Kind, &'a str, &'a str);

impl View {
    /// Of these lines, which are in order.
    pub(super) fn new(lines: Vec<Line>) -> Self {
        let version = version_of_names(lines.iter().map(|line| named(&line.resource)));
        let (resources, lines): (Vec<_>, _) = lines.into_iter().map(|line| (line.resource, line.bytes)).unzip();
        Self {
            resources: resources.into(),
            lines,
            version,
        }
    }

    /// The resources, in the order of kind and name.
    pub fn resources(&self) -> &Arc<[Arc<Resource>]> {
        &self.resources
    }

    /// The version of the whole: equal versions, equal resources.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// As if these had been sent.
    #[cfg(test)]
    pub(crate) fn of(resources: impl IntoIterator<Item = Arc<Resource>>) -> Self {
        Self::new(resources.into_iter().map(Line::new).collect())
    }

    pub(super) fn line(&self, index: usize) -> Option<Line> {
        Some(Line {
            resource: Arc::clone(self.resources.get(index)?),
            bytes: self.lines.get(index)?.clone(),
        })
    }

    pub(super) fn named(&self, index: usize) -> Option<Named<'_>> {
        self.resources.get(index).map(|resource| named(resource))
    }

    /// The version of this with the keys of `other`.
    pub(super) fn version_with_keys_of(&self, other: &Self) -> String {
        let own = |wanted: fn(&Kind) -> bool| self.resources.iter().filter(move |own| wanted(&own.kind));
        let keys = other.resources.iter().filter(|other| other.kind == Kind::Key);
        let (before, after) = (own(|kind| *kind < Kind::Key), own(|kind| *kind > Kind::Key));
        version_of_names(before.chain(keys).chain(after).map(|resource| named(resource)))
    }
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "View {} of {:?}", self.version, self.resources)
    }
}

impl Line {
    pub(super) fn new(resource: Arc<Resource>) -> Self {
        let body = serde_json::to_vec(&resource).expect("a resource has string keys and no failing serialisers");
        Self {
            resource,
            bytes: Bytes::from([OPEN, &body, CLOSE].concat()),
        }
    }

    /// The resource by itself, as it stands in the line.
    pub(super) fn body(&self) -> &[u8] {
        &self.bytes[OPEN.len()..self.bytes.len() - CLOSE.len()]
    }
}

fn named(resource: &Resource) -> Named<'_> {
    (resource.kind, &resource.name, &resource.version)
}

/// A credential as it is sent. Nothing else makes bytes of a provider's key.
pub(super) fn resource(credential: &Credential) -> Resource {
    #[derive(Serialize)]
    struct Body<'a> {
        key: &'a ProviderKey,
    }
    let body = Body { key: &credential.key };
    let mut resource = Resource::new(Kind::Credential, &credential.name, &body);
    resource.version.clone_from(&credential.version);
    resource
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(kind: Kind, name: &str, body: &str) -> Line {
        Line::new(Arc::new(Resource::new(kind, name, &body)))
    }

    #[test]
    fn a_line_is_the_message_that_it_carries() {
        let resource = Resource::new(Kind::Policy, "shop/chat", &"body").requiring("later");
        let line = Line::new(Arc::new(resource.clone()));
        assert_eq!(line.body(), serde_json::to_vec(&resource).unwrap());
        let message = pilotfish_wire::Message::Resource(resource).encode();
        assert_eq!(line.bytes, format!("{message}\n").as_bytes());
    }

    #[test]
    fn a_credential_is_sent_as_the_sidecar_reads_it_and_never_printed() {
        let credential = Credential {
            name: "shop/openai/api-key".to_owned(),
            version: "v".to_owned(),
            key: ProviderKey::new("sk-canary".to_owned()),
        };
        let resource = resource(&credential);
        assert_eq!(resource.body.get(), r#"{"key":"sk-canary"}"#);
        assert!(serde_json::from_str::<pilotfish_wire::Credential>(resource.body.get()).is_ok());
        let view = View::new(vec![Line::new(Arc::new(resource))]);
        assert!(!format!("{view:?}").contains("canary"), "{view:?}");
    }

    #[test]
    fn a_version_counts_in_the_keys_of_another_view() {
        let policy = line(Kind::Policy, "a/one", "1");
        let with = |keys: &[Line]| {
            let deployment = line(Kind::Deployment, "a/one", "1");
            View::new([&[deployment], keys, std::slice::from_ref(&policy)].concat())
        };
        let (none, one) = (with(&[]), with(&[line(Kind::Key, "a/key", "1")]));
        assert_eq!(none.version_with_keys_of(&one), one.version());
        assert_eq!(one.version_with_keys_of(&none), none.version());
        assert_ne!(one.version(), none.version());
    }
}
