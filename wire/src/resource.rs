//! The resources: one per user-visible object, and one [`Routes`] table per set of pods that see the same policies.
//!
//! Every body decodes on its own. Defaults have been filled in by the operator, references resolved, and precedence
//! decided: a sidecar judges nothing that the operator could have judged.

use crate::secret::ProviderKey;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt;

/// What a [`Resource`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// Body: [`Credential`].
    Credential,
    /// Body: [`Deployment`].
    Deployment,
    /// Body: [`Key`].
    Key,
    /// Body: [`Policy`].
    Policy,
    /// Body: [`Routes`]. There is one per pod, named `routes`.
    Routes,
    /// A kind of a later revision; refused by name.
    #[serde(other)]
    Unknown,
}

impl Kind {
    /// All that this build knows, in order.
    pub const ALL: [Self; 5] = [
        Self::Credential,
        Self::Deployment,
        Self::Key,
        Self::Policy,
        Self::Routes,
    ];

    /// As it is written in a line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::Deployment => "deployment",
            Self::Key => "key",
            Self::Policy => "policy",
            Self::Routes => "routes",
            Self::Unknown => "unknown",
        }
    }

    /// The kind that is written so, if this build knows it.
    pub fn of(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Something a resource cannot do without; compared with the sidecar's [`crate::FEATURES`].
pub type Feature = String;

/// One named resource. `body` is decoded on its own, so that one that fails is refused alone. Its `Debug` shows no
/// body, which may be a provider's key.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    /// What it is.
    pub kind: Kind,
    /// `namespace/name` of the object it was compiled from.
    pub name: String,
    /// Hash of the body's canonical bytes and of what it requires ([`version_of`]).
    pub version: String,
    /// Features without which it must not be used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<Feature>,
    /// One of the body types, as JSON.
    pub body: Box<RawValue>,
}

impl Resource {
    /// Serialises `body` and names it by the hash of its bytes.
    pub fn new(kind: Kind, name: impl Into<String>, body: &impl Serialize) -> Self {
        let body = serde_json::value::to_raw_value(body).expect("bodies have string keys and no failing serialisers");
        Self {
            kind,
            name: name.into(),
            version: version_of(body.get().as_bytes()),
            requires: Vec::new(),
            body,
        }
    }

    /// The same resource, not to be used without `feature`. A sidecar that lacks it keeps the version before, if any.
    pub fn requiring(mut self, feature: impl Into<Feature>) -> Self {
        self.requires.push(feature.into());
        let requires = self.requires.iter().flat_map(|feature| ["\n", feature]);
        let named: String = std::iter::once(self.body.get()).chain(requires).collect();
        self.version = version_of(named.as_bytes());
        self
    }

    /// Resources are the same when their kind, name and version are.
    pub fn same_as(&self, other: &Self) -> bool {
        self.kind == other.kind && self.name == other.name && self.version == other.version
    }
}

impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}@{}", self.kind, self.name, self.version)
    }
}

/// The version of `bytes`: the first 16 hex digits of their BLAKE3 hash.
pub fn version_of(bytes: &[u8]) -> String {
    let mut hex = blake3::hash(bytes).to_hex().to_string();
    hex.truncate(16);
    hex
}

/// Which policy answers for which model name at one pod. Precedence was decided by the operator, so the order is not
/// only one of length: a pattern of the pod's own namespace stands before a longer one of the root namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Routes {
    /// In the order in which they are tried; the first that matches answers. Exact names come first, each once, and no
    /// pattern that counts for more matches them, so they may be looked up in a map.
    pub routes: Vec<Route>,
}

/// One model name, or one pattern with a single `*`, and the policy that answers for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Route {
    /// `gpt-4o`, or `gpt-*`.
    pub model: String,
    /// `namespace/name` of a [`Policy`].
    pub policy: String,
}

/// A RoutingPolicy in force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    /// `metadata.generation` it was compiled from (0 where the source has none).
    #[serde(default)]
    pub generation: i64,
    /// First match wins.
    pub rules: Vec<Rule>,
    /// How a conversation sticks to a deployment.
    pub affinity: Affinity,
    /// What may be tried again.
    pub retry: Retry,
    /// The policy's own timers; the smallest of client's, policy's and deployment's holds.
    #[serde(default)]
    pub timeouts: Timeouts,
    /// What to do with a field whose loss changes the meaning.
    pub on_loss: OnLoss,
    /// Hosts from which images may be fetched for providers that want bytes: names, or `*.` and the end of names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fetch_images: Vec<String>,
    /// What a caller must prove beyond the pod's own identity.
    pub authentication: Authentication,
}

/// One rule of a policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// Its name, for metrics, logs and the decision trace.
    pub name: String,
    /// Absent: always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<When>,
    /// Deployments that can be used, all of them among the snapshot's resources.
    pub targets: Vec<Target>,
    /// Targets that were named but cannot be used, each with its sentence. When `targets` is empty, this is the 503.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unavailable: Vec<Unavailable>,
}

/// A target that dropped out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unavailable {
    /// `namespace/name` of the deployment.
    pub deployment: String,
    /// Why it cannot be used, in one sentence.
    pub reason: String,
}

/// All that is set must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct When {
    /// The estimate of input tokens is at least this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_input_tokens: Option<u64>,
    /// Each of these request headers matches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<HeaderMatch>,
    /// Labels of the caller's VirtualKey, all of them. A caller without a key has none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub key_labels: BTreeMap<String, String>,
    /// The model name asked for starts with this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_prefix: Option<String>,
    /// The request carries every one of these tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

/// A header and the exact value it must have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeaderMatch {
    /// Lower case.
    pub name: String,
    /// Compared byte for byte.
    pub value: String,
}

/// One deployment of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// `namespace/name` of a [`Deployment`].
    pub deployment: String,
    /// 0 to 1,000,000; 0 is no traffic, not even failover.
    pub weight: u32,
    /// Used when every lower tier cannot serve.
    pub tier: u32,
}

/// How a conversation sticks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Affinity {
    /// Prefer, Require or Off.
    pub mode: AffinityMode,
    /// Headers that carry a session id, lower case, before the well-known ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<String>,
    /// A session idle for longer than this is cold, milliseconds.
    pub idle_timeout_ms: u64,
}

/// Whether a session may leave its deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AffinityMode {
    /// Stay while the deployment can serve.
    Prefer,
    /// Stay or be refused.
    Require,
    /// Every request for itself.
    Off,
}

/// What may be tried again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Retry {
    /// In all, the first included; at least 1.
    pub attempts: u32,
    /// Share of requests that may be repeated, per cent.
    pub budget_percent: u32,
    /// What to do when the failed attempt may have been billed.
    pub on_ambiguous: OnAmbiguous,
}

/// What to do when the failed attempt may have been billed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnAmbiguous {
    /// Go on; it is counted and paid for.
    Failover,
    /// Stop; the client decides.
    Refuse,
}

/// What to do with a field whose loss changes the meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnLoss {
    /// 400 with the field's name.
    Refuse,
    /// Drop it, and say so in a header and a metric.
    Warn,
}

/// What a caller must prove.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Authentication {
    /// The pod's own identity is enough.
    Pod,
    /// A VirtualKey.
    VirtualKey,
}

/// Milliseconds; absent means no limit of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Timeouts {
    /// TCP and TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_ms: Option<u64>,
    /// Streams: until the first content event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_token_ms: Option<u64>,
    /// Streams: between two reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_ms: Option<u64>,
    /// One attempt, until its answer is complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt_ms: Option<u64>,
    /// The whole request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_ms: Option<u64>,
}

/// A ModelDeployment in force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deployment {
    /// `metadata.generation` it was compiled from (0 where the source has none).
    #[serde(default)]
    pub generation: i64,
    /// The provider's row, for labels (`gen_ai.provider.name`): `openai`, `anthropic`, …
    pub provider: String,
    /// The provider's own name for the model.
    pub model: String,
    /// Where it is called, one per dialect it speaks, the first preferred; a dialect occurs once.
    pub endpoints: Vec<Endpoint>,
    /// The name of a [`Credential`]; absent where no endpoint presents it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    /// Headers added to every call, lower case.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, HeaderValue>,
    /// PEM; trusted instead of the system's roots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_bundle: Option<String>,
    /// What it costs; absent: unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// What it can do.
    #[serde(default)]
    pub capabilities: Capabilities,
    /// Its own timers.
    #[serde(default)]
    pub timeouts: Timeouts,
}

/// A provider's conversational protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Dialect {
    /// OpenAI Chat Completions (and Embeddings): `/chat/completions`.
    Chat,
    /// Anthropic Messages: `/v1/messages`.
    Messages,
    /// OpenAI Responses: `/responses`.
    Responses,
    /// Ollama's own: `/api/chat`.
    Ollama,
    /// Cohere's own, version 2: `/v2/chat`.
    Cohere,
    /// Bedrock's Converse: `/model/{model}/converse` and `/model/{model}/converse-stream`.
    Converse,
    /// Gemini: `/models/MODEL:generateContent` below a base URL that names the version, or, at Vertex AI, the
    /// publisher.
    Gemini,
}

/// One dialect and the base URL at which it is spoken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// What is spoken there.
    pub dialect: Dialect,
    /// What stands before the dialect's paths (`https://api.openai.com/v1`, `https://api.anthropic.com`), without a
    /// slash at the end.
    pub url: String,
    /// How the deployment's credential is presented there.
    pub auth: Auth,
    /// What servers of the dialect do as a rule, and this one does not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacks: Vec<Service>,
    /// Stands behind the `?` of every call: `api-version=2024-10-21`. Needs [`crate::QUERY`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// In whose form the dialect is spoken there; absent: its own. Needs [`crate::HOSTING`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hosting: Option<Hosting>,
}

/// Who hosts another maker's models behind paths of its own, the bodies nearly as the maker has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Hosting {
    /// Messages by Bedrock's InvokeModel: `/model/{model}/invoke` and `/model/{model}/invoke-with-response-stream`.
    BedrockInvoke,
    /// Messages by Vertex AI's raw predictions: `/models/{model}:rawPredict` and `:streamRawPredict`.
    VertexPredict,
}

/// Something that servers of a dialect do beside conversations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Service {
    /// OpenAI's older completions: `/completions`.
    Completions,
    /// Rankings of documents: `/rerank`.
    Rerank,
    /// Of a later revision; whatever it is, this build does not use it.
    #[serde(other)]
    Unknown,
}

/// How the credential is presented.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Auth {
    /// Not at all.
    None,
    /// `Authorization: Bearer …`.
    Bearer,
    /// The key is the value of this header, lower case: `x-api-key`.
    Header(String),
    /// AWS's signature, version 4. The credential is the text of [`crate::AwsKeys`].
    #[serde(rename_all = "camelCase")]
    SigV4 {
        /// `us-east-1`.
        region: String,
        /// `bedrock`.
        service: String,
    },
    /// `Authorization: Bearer …` with a token that is fetched, and renewed before it ends. Needs [`crate::TOKENS`].
    Token(TokenGrant),
}

/// How a token is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TokenGrant {
    /// With what a service account of Google's signs. The credential is its key file, which names the endpoint.
    GoogleServiceAccount,
    /// Of the machine in Google's cloud on which the pod runs. There is no credential.
    GoogleMetadata,
    /// For an API key of IBM Cloud's, which is the credential.
    #[serde(rename_all = "camelCase")]
    Ibm {
        /// Where it is exchanged.
        url: String,
    },
}

/// A header's value: plain, or from a [`Credential`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum HeaderValue {
    /// As written.
    Value(String),
    /// The name of a [`Credential`].
    Credential(String),
}

/// Nano-USD per *million* tokens, so that "$0.0375 per million" is exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Price {
    /// Input tokens that were not cached.
    pub input: u64,
    /// Output tokens, reasoning included.
    pub output: u64,
    /// Input tokens read from the provider's cache; absent: as `input`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_input: Option<u64>,
}

/// What a model can do; absent means unknown, and unknown is passed through.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Capabilities {
    /// Context window, tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_tokens: Option<u64>,
    /// Largest answer, tokens; what `max_tokens` becomes where a dialect requires one and the client named none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<u64>,
    /// When present, the complete list: which of `Tools`, `Vision`, `Reasoning`, `ReasoningBudget` is not in it, the
    /// model lacks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features: Option<Vec<String>>,
    /// What the model's own API refuses although its dialect has it, and what the model lacks where `features` is
    /// absent: `Sampling`, `SamplingWithReasoning`, `ForcedTools`, `Prefill`, `Stop`, `ThinkingOff`, `Tools`, `Vision`,
    /// `Audio`, `Documents`, `StructuredOutput`, `Reasoning`, `ReasoningBudget`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refuses: Vec<String>,
    /// The efforts that it takes, the least first: `none`, `minimal`, `low`, `medium`, `high`, `xhigh`, `max`. Empty
    /// means unknown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasoning_efforts: Vec<String>,
    /// The effort with which it reasons when none is asked for; `none` does not reason. Absent means unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_reasoning_effort: Option<String>,
    /// Where it reasons with a budget: the least and the most that it takes, tokens. `None` means unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_tokens: Option<TokenRange>,
    /// While it reasons nothing of it is to be seen: the first token comes when that is over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub thinks_silently: bool,
    /// The shortest prompt that its provider caches, tokens. Absent means unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_from_tokens: Option<u64>,
}

/// Numbers of tokens, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenRange {
    /// The least.
    pub least: u64,
    /// The most.
    pub most: u64,
}

/// A provider's key, named `namespace/secret/key`. Never in a snapshot file, whose reader takes it from the environment
/// ([`credential_variable`]).
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Credential {
    /// The secret text.
    pub key: ProviderKey,
}

/// The environment variable that holds the credential `name` where there is no cluster:
/// `shop/open-ai/api.key` is read from `PILOTFISH_SECRET_OPEN_AI_API_KEY`. The namespace is not in it, so that two
/// credentials may share a variable; who loads them refuses that.
pub fn credential_variable(name: &str) -> String {
    let secret_and_key = name.split_once('/').map_or(name, |(_namespace, rest)| rest);
    let spelled = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        }
    };
    format!(
        "PILOTFISH_SECRET_{}",
        secret_and_key.chars().map(spelled).collect::<String>()
    )
}

/// A VirtualKey: who is calling, beyond the pod's own identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Key {
    /// BLAKE3 keyed with the installation key, 64 hex digits, of each string that is this key (two during a rotation).
    pub hashes: Vec<String>,
    /// The installation key, 64 hex digits. The same for all keys of one installation.
    pub hash_key: String,
    /// Model names or patterns it may ask for; empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// Turned off by its owner.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disabled: bool,
    /// Seconds since the Unix epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
    /// `metadata.labels`, for `when.keyLabels`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_of_a_resource_shows_no_key() {
        let credential = Credential {
            key: ProviderKey::new("sk-canary".to_owned()),
        };
        let resource = Resource::new(Kind::Credential, "shop/openai/api-key", &credential);
        assert!(resource.body.get().contains("sk-canary"));
        assert_eq!(
            format!("{resource:?}"),
            format!("Credential shop/openai/api-key@{}", resource.version)
        );
    }

    #[test]
    fn what_a_resource_requires_is_part_of_its_version() {
        let plain = || Resource::new(Kind::Routes, "routes", &Routes::default());
        let one = plain().requiring("a");
        let two = plain().requiring("a").requiring("b");
        assert_eq!(two.requires, ["a", "b"]);
        assert!(plain().version != one.version && one.version != two.version);
        assert_eq!(one.version, plain().requiring("a").version);
    }

    #[test]
    fn a_credential_s_variable_is_spelled_from_secret_and_key() {
        assert_eq!(
            credential_variable("shop/open-ai/api.key"),
            "PILOTFISH_SECRET_OPEN_AI_API_KEY"
        );
        assert_eq!(
            credential_variable("ai/anthropic/api-key"),
            "PILOTFISH_SECRET_ANTHROPIC_API_KEY"
        );
    }
}
