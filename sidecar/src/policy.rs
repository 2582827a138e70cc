//! The snapshot in force: what requests obey.
//!
//! A [`Snapshot`] is immutable and whole. A request takes one reference at its start and never sees another one;
//! `subscribe` swaps in the next. What must outlive a snapshot (breakers, retry budgets, series) is shared by name
//! between consecutive ones.

mod build;
mod configuration;

pub(crate) use build::{Broken, Builder};
pub(crate) use configuration::{Configuration, Id};

use crate::dialect::{Asked, Dialect, Operation};
use crate::health::Board;
use crate::meter::{DeploymentSeries, RouteSeries};
use crate::pictures::Hosts;
use crate::retry;
use crate::upstream::{Endpoint, StandingHeaders};
use arc_swap::ArcSwap;
use http::header::{HeaderName, HeaderValue};
use pilotfish_wire as wire;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// What the tenants that are virtual keys begin with; a pod's begins with `workload/`.
const KEY_TENANT: &str = "key/";

/// Where the snapshot in force lives.
pub(crate) type InForce = ArcSwap<Snapshot>;

/// Everything one pod's requests obey, at one moment.
pub(crate) struct Snapshot {
    /// What `x-pilotfish-config` shows; empty before the first configuration.
    pub version: HeaderValue,
    /// Seconds since the Unix epoch at which it came into force; 0 before the first configuration.
    pub since: i64,
    /// The tenant of callers without a key: the pod that this sidecar stands beside.
    pub pod: Arc<str>,
    /// Exact model names.
    pub(super) exact: HashMap<Box<str>, Arc<Route>>,
    /// Patterns, in the order in which they are tried.
    pub(super) patterns: Vec<(Pattern, Arc<Route>)>,
    /// Virtual keys by the hash of their string.
    pub(super) keys: HashMap<[u8; 32], Arc<Key>>,
    /// What those hashes are keyed with; absent when there are no keys.
    pub(super) hash_key: Option<[u8; 32]>,
    /// The deployments' health as callers without a key meet it.
    pub pod_board: Board,
    /// What all of this was made of, in order of kind and name: the last usable version of each.
    pub resources: Vec<Arc<wire::Resource>>,
    /// What was sent and could not be used.
    pub refused: Vec<wire::Refusal>,
    /// Names of all deployments.
    pub(super) deployments: BTreeSet<Arc<str>>,
    /// Tenants that are virtual keys.
    pub(super) tenants: BTreeSet<Arc<str>>,
}

impl Snapshot {
    /// There are more tenants than the pod.
    pub(crate) fn has_keys(&self) -> bool {
        !self.keys.is_empty()
    }

    /// Nothing is configured yet.
    pub(crate) fn empty() -> Self {
        Self {
            version: HeaderValue::from_static(""),
            since: 0,
            pod: "".into(),
            exact: HashMap::new(),
            patterns: Vec::new(),
            keys: HashMap::new(),
            hash_key: None,
            pod_board: Board::new(0),
            resources: Vec::new(),
            refused: Vec::new(),
            deployments: BTreeSet::new(),
            tenants: BTreeSet::new(),
        }
    }

    /// A configuration has been received.
    pub(crate) fn is_ready(&self) -> bool {
        !self.version.is_empty()
    }

    /// Who answers for `model` at this pod.
    pub(crate) fn route(&self, model: &str) -> Option<&Arc<Route>> {
        let pattern = || self.patterns.iter().find(|(pattern, _)| pattern.matches(model));
        self.exact.get(model).or_else(|| pattern().map(|(_, route)| route))
    }

    /// Model names and patterns of this pod and who answers for them, sorted by name, patterns last.
    pub(crate) fn offered(&self) -> Vec<(&str, &Arc<Route>)> {
        let mut names: Vec<_> = self.exact.iter().map(|(name, route)| (&**name, route)).collect();
        names.sort_unstable_by_key(|(name, _)| *name);
        names.extend(self.patterns.iter().map(|(pattern, route)| (&*pattern.text, route)));
        names
    }

    /// Whether anything may still be learnt about this deployment on behalf of this tenant.
    pub(crate) fn knows(&self, tenant: &str, deployment: &str) -> bool {
        self.deployments.contains(deployment) && (tenant == &*self.pod || self.tenants.contains(tenant))
    }

    /// The virtual key whose string is `presented`.
    pub(crate) fn key(&self, presented: &str) -> Option<&Arc<Key>> {
        let hash = blake3::keyed_hash(self.hash_key.as_ref()?, presented.as_bytes());
        let key = self.keys.get(hash.as_bytes())?;
        // The map's lookup compares early-out on a keyed hash, which tells a guesser nothing; this is the last word.
        let same = |known: &[u8; 32]| bool::from(subtle::ConstantTimeEq::ct_eq(&known[..], &hash.as_bytes()[..]));
        key.hashes.iter().any(same).then_some(key)
    }
}

/// A model name with at most one `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    text: Box<str>,
    prefix: Box<str>,
    /// Absent: an exact name.
    suffix: Option<Box<str>>,
}

impl Pattern {
    pub(crate) fn new(text: &str) -> Self {
        let (prefix, suffix) = match text.split_once('*') {
            Some((prefix, suffix)) => (prefix, Some(suffix.into())),
            None => (text, None),
        };
        Self {
            text: text.into(),
            prefix: prefix.into(),
            suffix,
        }
    }

    pub(crate) fn is_exact(&self) -> bool {
        self.suffix.is_none()
    }

    pub(crate) fn matches(&self, model: &str) -> bool {
        match &self.suffix {
            None => model == &*self.prefix,
            Some(suffix) => {
                model.len() >= self.prefix.len() + suffix.len()
                    && model.starts_with(&*self.prefix)
                    && model.ends_with(&**suffix)
            }
        }
    }
}

/// One model name, or pattern, at this pod.
pub(crate) struct Route {
    /// The name or pattern as configured: the bounded value of the `model` label.
    pub label: Arc<str>,
    /// Who answers for it, or why nobody can.
    pub policy: Result<Arc<Policy>, Broken>,
    /// Series of this name, by [`Deployment::index`] within the policy; empty when the policy is broken.
    pub series: Vec<RouteSeries>,
}

/// A RoutingPolicy in force.
pub(crate) struct Policy {
    /// `namespace/name`, for `x-pilotfish-policy`.
    pub header: HeaderValue,
    pub rules: Vec<Rule>,
    /// Every deployment its rules name, once.
    pub deployments: Vec<Arc<Deployment>>,
    pub affinity: Affinity,
    pub retry: wire::Retry,
    /// Survives snapshots.
    pub retry_budget: Arc<retry::Budget>,
    pub timeouts: Timeouts,
    pub on_loss: wire::OnLoss,
    /// From where pictures may be fetched for providers that want bytes.
    pub fetch_images: Hosts,
    pub authentication: wire::Authentication,
}

/// How a conversation sticks to a deployment.
pub(crate) struct Affinity {
    pub mode: wire::AffinityMode,
    pub headers: Vec<HeaderName>,
    pub idle_timeout: Duration,
}

/// One rule: first match wins.
pub(crate) struct Rule {
    pub name: Arc<str>,
    pub when: Option<When>,
    /// Sorted by tier.
    pub targets: Vec<Target>,
    pub unavailable: Vec<wire::Unavailable>,
}

/// All that is set must hold.
pub(crate) struct When {
    pub min_input_tokens: Option<u64>,
    pub headers: Vec<(HeaderName, Box<str>)>,
    pub key_labels: BTreeMap<String, String>,
    pub model_prefix: Option<Box<str>>,
    pub tags: Vec<String>,
}

/// One deployment of a rule.
pub(crate) struct Target {
    pub deployment: Arc<Deployment>,
    /// Position in [`Policy::deployments`].
    pub index: usize,
    pub weight: u32,
    pub tier: u32,
}

/// A ModelDeployment in force.
pub(crate) struct Deployment {
    /// Its place on every [`Board`] of this snapshot.
    pub number: usize,
    /// Changes when what was learnt of its health is void: with its endpoints and its credential.
    pub revision: u64,
    /// `namespace/name`.
    pub name: Arc<str>,
    /// The same, for `x-pilotfish-deployment`.
    pub header: HeaderValue,
    /// The provider's row.
    pub provider: Arc<str>,
    /// The provider's own name for the model.
    pub model: Box<str>,
    /// Where it is called, in order of preference.
    pub endpoints: Vec<Upstream>,
    pub price: Option<wire::Price>,
    pub capabilities: wire::Capabilities,
    pub timeouts: Timeouts,
    pub series: Arc<DeploymentSeries>,
}

/// One dialect of a deployment, with all that a call needs made ready.
pub(crate) struct Upstream {
    pub dialect: Dialect,
    /// In whose form, if not its own.
    pub hosting: Option<wire::Hosting>,
    pub endpoint: Arc<Endpoint>,
    /// The credential, and what the deployment's owner added: on every call.
    pub standing: Arc<StandingHeaders>,
    pub generate: http::uri::PathAndQuery,
    /// The same, streamed.
    pub stream: http::uri::PathAndQuery,
    /// What else it does.
    pub others: Vec<(Operation, http::uri::PathAndQuery)>,
}

impl Upstream {
    /// The request passes through to it; otherwise it is translated.
    pub(crate) fn passes(&self, asked: &Asked<'_>) -> bool {
        asked.passes_to(self.dialect) && (asked.operation != Operation::Completions || self.has(Operation::Completions))
    }

    fn has(&self, operation: Operation) -> bool {
        self.others.iter().any(|(known, _)| *known == operation)
    }

    /// Where it does what is asked, if it does. One text can be embedded where many can, and a text completed where a
    /// conversation can be held.
    pub(crate) fn path(&self, asked: &Asked<'_>) -> Option<&http::uri::PathAndQuery> {
        let other = |operation| {
            let found = self.others.iter().find(|(known, _)| *known == operation);
            found.map(|(_, path)| path)
        };
        match asked.operation {
            Operation::Generate if asked.stream => Some(&self.stream),
            Operation::Generate => Some(&self.generate),
            Operation::EmbedOne => other(Operation::EmbedOne).or_else(|| other(Operation::Embeddings)),
            Operation::Completions if !self.passes(asked) => {
                Some(if asked.stream { &self.stream } else { &self.generate })
            }
            operation => other(operation),
        }
    }
}

/// Timers; absent means no limit of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Timeouts {
    pub connect: Option<Duration>,
    pub first_token: Option<Duration>,
    pub idle: Option<Duration>,
    pub attempt: Option<Duration>,
    pub total: Option<Duration>,
}

impl From<wire::Timeouts> for Timeouts {
    fn from(timeouts: wire::Timeouts) -> Self {
        let wire::Timeouts {
            connect_ms,
            first_token_ms,
            idle_ms,
            attempt_ms,
            total_ms,
        } = timeouts;
        let duration = |millis: Option<u64>| millis.map(Duration::from_millis);
        Self {
            connect: duration(connect_ms),
            first_token: duration(first_token_ms),
            idle: duration(idle_ms),
            attempt: duration(attempt_ms),
            total: duration(total_ms),
        }
    }
}

/// A VirtualKey: who is calling.
pub(crate) struct Key {
    /// `namespace/name`.
    pub name: Box<str>,
    /// The tenant that its callers are: it outlives the key's string.
    pub tenant: Arc<str>,
    pub hashes: Vec<[u8; 32]>,
    /// Empty: all.
    pub models: Vec<Pattern>,
    pub disabled: bool,
    /// Seconds since the Unix epoch.
    pub expires_at: Option<i64>,
    pub labels: BTreeMap<String, String>,
    /// Why it can be nobody's key for now.
    pub broken: Option<Broken>,
    /// The deployments' health as this key's callers meet it.
    pub board: Board,
}

impl Key {
    /// It may ask for this model.
    pub(crate) fn allows(&self, model: &str) -> bool {
        self.models.is_empty() || self.models.iter().any(|pattern| pattern.matches(model))
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn one_star_stands_for_any_text_and_nothing_overlaps() {
        for (pattern, model, expected) in [
            ("gpt-4o", "gpt-4o", true),
            ("gpt-4o", "gpt-4o-mini", false),
            ("gpt-*", "gpt-", true),
            ("gpt-*", "gpt-4o", true),
            ("*-mini", "gpt-4o-mini", true),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("*", "", true),
        ] {
            assert_eq!(
                Pattern::new(pattern).matches(model),
                expected,
                "{pattern} against {model}"
            );
        }
    }
}
