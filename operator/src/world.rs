//! The World: all that decides what sidecars do, as plain values that a test can write down.
//!
//! Everything is keyed by name in ordered maps, so a World has no order of its own: however it was put together, equal
//! contents compile to equal bytes.

mod secret;

pub use secret::Secret;

use pilotfish_crds::selector::Labels;
use pilotfish_crds::{ModelDeploymentSpec, RoutingPolicySpec, VirtualKeySpec};
use pilotfish_wire::credential_variable;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The label by which Kubernetes lets a selector name a namespace. It is on every namespace.
const NAMESPACE_NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// Everything that `compile` reads.
#[derive(Debug, Default)]
pub struct World {
    /// Policies of this namespace may serve other namespaces.
    pub root_namespace: String,
    /// Where it was read, for the words in which something missing is reported.
    pub source: Source,
    /// Keys are hashed with it.
    pub installation_key: InstallationKey,
    /// The namespaces and their labels. One that is only mentioned elsewhere has none.
    pub namespaces: BTreeMap<String, Labels>,
    /// The Secrets that may be used.
    pub secrets: BTreeMap<ObjectName, Secret>,
    /// The ModelDeployments.
    pub deployments: BTreeMap<ObjectName, Object<ModelDeploymentSpec>>,
    /// The RoutingPolicies.
    pub policies: BTreeMap<ObjectName, Object<RoutingPolicySpec>>,
    /// The VirtualKeys.
    pub keys: BTreeMap<ObjectName, Object<VirtualKeySpec>>,
    /// The pods that have a sidecar. Two policies that select pods by label are in conflict only where a pod has both.
    pub pods: BTreeSet<Pod>,
    /// What served before this World: an edit that does not resolve leaves it in force.
    pub in_force: InForce,
}

/// Where a World comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// An API server: only labelled Secrets are seen.
    #[default]
    Cluster,
    /// A directory: what is not in it may be in the environment.
    Files,
}

/// The namespace and the name of an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName {
    /// Its namespace.
    pub namespace: String,
    /// Its name within the namespace.
    pub name: String,
}

/// An object of one of our kinds.
#[derive(Clone, Debug, PartialEq)]
pub struct Object<S> {
    /// `metadata.generation`; 0 where there is none.
    pub generation: i64,
    /// When it was created, seconds since the Unix epoch; 0 where nobody knows.
    pub created: i64,
    /// `metadata.labels`.
    pub labels: Labels,
    /// What the user wants, or a sentence why it could not be read.
    pub spec: Result<S, String>,
}

/// A pod as far as it decides which policies it gets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pod {
    /// Its namespace.
    pub namespace: String,
    /// `metadata.labels`.
    pub labels: Labels,
}

/// The specs that serve, by object. What was never here was never in force.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InForce {
    /// Of ModelDeployments.
    pub deployments: BTreeMap<ObjectName, Generation<ModelDeploymentSpec>>,
    /// Of RoutingPolicies.
    pub policies: BTreeMap<ObjectName, Generation<RoutingPolicySpec>>,
}

/// A spec and the generation it had.
#[derive(Clone, Debug, PartialEq)]
pub struct Generation<S> {
    /// `metadata.generation`.
    pub number: i64,
    /// The spec of that generation.
    pub spec: S,
}

/// The key with which an installation hashes the keys of its callers. Sidecars are sent it, so it is good for nothing else.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct InstallationKey([u8; 32]);

impl ObjectName {
    /// Of `name` in `namespace`.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
        }
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl World {
    /// The labels of `namespace`, with the one that every namespace has.
    pub fn namespace_labels(&self, namespace: &str) -> Labels {
        let mut labels = self.namespaces.get(namespace).cloned().unwrap_or_default();
        labels.insert(NAMESPACE_NAME_LABEL.to_owned(), namespace.to_owned());
        labels
    }

    /// A provider's credential: the text at `key` of `secret`, or a sentence that says what is missing.
    pub fn credential(&self, secret: &ObjectName, key: &str) -> Result<&str, String> {
        self.text(secret, key).unwrap_or_else(|| {
            let variable = credential_variable(&format!("{secret}/{key}"));
            Err(match self.source {
                Source::Cluster => unlabelled(secret),
                Source::Files => format!("Secret {secret} is in no file, and {variable} is not set"),
            })
        })
    }

    /// A caller's key: as [`World::credential`], but never from the environment.
    pub fn caller_key(&self, secret: &ObjectName, key: &str) -> Result<&str, String> {
        self.text(secret, key).unwrap_or_else(|| {
            Err(match self.source {
                Source::Cluster => unlabelled(secret),
                Source::Files => format!("Secret {secret} is in no file"),
            })
        })
    }

    /// The text at `key` of `secret`, if there is such a Secret.
    fn text(&self, secret: &ObjectName, key: &str) -> Option<Result<&str, String>> {
        Some(self.secrets.get(secret)?.text(secret, key))
    }
}

fn unlabelled(secret: &ObjectName) -> String {
    format!("Secret {secret} does not exist or lacks the label pilotfish.dev/credentials: \"true\"")
}

impl InstallationKey {
    /// Takes 32 random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The one that is used where there is no installation. It is public: it keeps hashes of equal keys equal, and
    /// hides nothing.
    pub fn standalone() -> Self {
        Self(blake3::derive_key(
            "pilotfish.dev 2026-11 key hashes outside a cluster",
            b"",
        ))
    }

    /// The hash of a caller's key, 64 hex digits.
    pub fn hash(self, key: &str) -> String {
        blake3::keyed_hash(&self.0, key.as_bytes()).to_hex().to_string()
    }

    /// The key itself, 64 hex digits.
    pub fn to_hex(self) -> String {
        blake3::Hash::from_bytes(self.0).to_hex().to_string()
    }
}

impl Default for InstallationKey {
    fn default() -> Self {
        Self::standalone()
    }
}

impl fmt::Debug for InstallationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InstallationKey(redacted)")
    }
}
