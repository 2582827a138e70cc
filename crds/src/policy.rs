//! RoutingPolicy: from the names that applications ask for to deployments.

use crate::rules;
use crate::scalar::Duration;
use crate::selector::{Labels, Selector, labels_schema};
use crate::status::{Condition, Refusal, Sidecars};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Which names it answers for, for whom, and where requests go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "pilotfish.dev",
    version = "v1alpha1",
    kind = "RoutingPolicy",
    plural = "routingpolicies",
    namespaced,
    status = "RoutingPolicyStatus",
    shortname = "rp",
    category = "pilotfish",
    doc = "Which deployments answer for the model names that applications ask for, in what shares, and what happens \
           when one of them fails.",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct RoutingPolicySpec {
    /// The model names it answers for. One * in a name stands for any text: gpt-* answers for every name that starts
    /// with gpt- and that nobody names exactly.
    #[schemars(
        length(min = 1, max = 64),
        inner(length(min = 1, max = 256), regex(pattern = "^[!-~]+$"))
    )]
    #[x_kube(merge_strategy = ListMerge::Set)]
    #[x_kube(validation = rules::ONE_STAR)]
    pub models: Vec<String>,
    /// The namespaces it serves. Only a policy in the operator's root namespace may say this; others serve their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespaces: Option<Selected>,
    /// The pods it serves, by their labels. Without it, every pod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workloads: Option<Selected>,
    /// Where requests go. The first rule that matches decides, and the last one matches everything.
    #[schemars(length(min = 1, max = 32))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".to_owned()]))]
    #[x_kube(validation = rules::LAST_RULE_MATCHES_ALL)]
    #[x_kube(validation = rules::ONLY_LAST_RULE_MATCHES_ALL)]
    pub rules: Vec<RoutingRule>,
    /// How the requests of one conversation stay on one deployment, where the provider has their beginning cached.
    #[serde(default)]
    pub affinity: Affinity,
    /// What is tried again when a call fails.
    #[serde(default)]
    pub retry: Retry,
    /// How long requests may take. Of the application's, these and the deployment's the smallest holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeouts: Option<Timeouts>,
    /// How faithful translation between dialects must be.
    #[serde(default)]
    pub translation: Translation,
    /// What a caller must prove. Without it, being in the pod is enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authentication: Option<Authentication>,
}

/// Objects, by their labels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Selected {
    /// The labels they must have.
    pub selector: Selector,
}

/// One rule: a condition and the deployments that answer when it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoutingRule {
    /// The rule's name, for metrics and explanations.
    #[schemars(length(min = 1, max = 63), regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub name: String,
    /// When it matches. All that is set must hold. Every rule but the last has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<When>,
    /// How one of the targets is chosen.
    #[serde(default)]
    pub strategy: Strategy,
    /// The deployments that answer.
    #[schemars(length(min = 1, max = 32))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    #[x_kube(validation = rules::TARGETS_ARE_DISTINCT)]
    #[x_kube(validation = rules::SOME_TARGET_HAS_WEIGHT)]
    pub targets: Vec<Target>,
}

/// The condition of a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::WHEN_SAYS_SOMETHING)]
pub struct When {
    /// The request has at least this many input tokens, estimated as a quarter of its text's bytes and a constant for
    /// each image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub min_input_tokens: Option<i64>,
    /// The request has all of these headers with exactly these values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".to_owned()]))]
    pub headers: Vec<HeaderMatch>,
    /// The caller's VirtualKey has all of these labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "key_labels_schema")]
    pub key_labels: Labels,
    /// The model name that was asked for starts with this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256), regex(pattern = "^[!-~]+$"))]
    pub model_prefix: Option<String>,
    /// The request carries all of these tags, in the header x-pilotfish-tags or x-litellm-tags or in metadata.tags of
    /// its body.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(min = 1, max = 16),
        inner(length(min = 1, max = 128), regex(pattern = "^[!-+.-~-]+$"))
    )]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub tags: Vec<String>,
}

/// As [`labels_schema`], and not empty.
fn key_labels_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let mut schema = labels_schema(generator);
    schema.insert("minProperties".to_owned(), 1.into());
    schema
}

/// A header and the value it must have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct HeaderMatch {
    /// The header's name, in lower case.
    #[schemars(length(min = 1, max = 128))]
    #[x_kube(validation = rules::HEADER_NAME_IN_LOWER_CASE)]
    pub name: String,
    /// Its whole value, compared byte for byte.
    #[schemars(length(max = 4096))]
    pub value: String,
}

/// How one of the targets is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Strategy {
    /// Weighted: in proportion to the targets' weights.
    #[serde(rename = "type", default)]
    pub type_: StrategyType,
}

/// How one of the targets is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum StrategyType {
    /// In proportion to the weights.
    #[default]
    Weighted,
}

/// A deployment that answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// Which one.
    pub deployment_ref: DeploymentRef,
    /// Its share among the targets of its tier. 0 means no traffic, not even when others fail.
    #[serde(default = "one")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub weight: i32,
    /// Targets of tier 1 are used when none of tier 0 can serve, and so on.
    #[serde(default)]
    #[schemars(range(min = 0, max = 15))]
    pub tier: i32,
}

fn one() -> i32 {
    1
}

/// Names a ModelDeployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentRef {
    /// Its name.
    #[schemars(length(min = 1, max = 253), regex(pattern = "^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$"))]
    pub name: String,
    /// Its namespace, if it is not the policy's own. There its allowedNamespaces must let this policy's namespace in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63), regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub namespace: Option<String>,
}

/// How a conversation stays on one deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Affinity {
    /// Prefer: it stays while its deployment can serve. Require: it is refused rather than moved. Off: every request is
    /// placed for itself.
    #[serde(default)]
    pub mode: AffinityMode,
    /// Request headers that carry the conversation's id, in lower case. They are read before the well-known ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), inner(length(min = 1, max = 128)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    #[x_kube(validation = rules::HEADER_NAMES_IN_LOWER_CASE)]
    pub headers: Vec<String>,
    /// A conversation that was silent for longer than this counts as new.
    #[serde(default = "an_hour")]
    pub idle_timeout: Duration,
}

fn an_hour() -> Duration {
    Duration::new("1h")
}

impl Default for Affinity {
    fn default() -> Self {
        Self {
            mode: AffinityMode::default(),
            headers: Vec::new(),
            idle_timeout: an_hour(),
        }
    }
}

/// Whether a conversation may leave its deployment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AffinityMode {
    /// When the deployment cannot serve.
    #[default]
    Prefer,
    /// Never.
    Require,
    /// It never stays in the first place.
    Off,
}

/// What is tried again when a call fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Retry {
    /// How often a request is tried in all, on one deployment or several. 1 tries nothing again.
    #[serde(default = "three")]
    #[schemars(range(min = 1, max = 10))]
    pub attempts: i32,
    /// How many requests in a hundred may be tried again, so that an outage is not multiplied.
    #[serde(default = "twenty")]
    #[schemars(range(min = 0, max = 100))]
    pub budget_percent: i32,
    /// What happens after a failure that the provider may charge for. Failover: the next deployment is tried, and both
    /// are counted. Refuse: the application gets the error.
    #[serde(default)]
    pub on_ambiguous: OnAmbiguous,
}

fn three() -> i32 {
    3
}

fn twenty() -> i32 {
    20
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: three(),
            budget_percent: twenty(),
            on_ambiguous: OnAmbiguous::default(),
        }
    }
}

/// What happens after a failure that may be charged for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OnAmbiguous {
    /// The next deployment is tried.
    #[default]
    Failover,
    /// The application gets the error.
    Refuse,
}

/// How long requests may take.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Timeouts {
    /// On a stream, until the first content arrives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_token: Option<Duration>,
    /// On a stream, between two pieces of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle: Option<Duration>,
    /// One attempt, until its answer is complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<Duration>,
    /// The whole request, all attempts together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<Duration>,
}

/// How faithful translation between dialects must be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Translation {
    /// What happens to a field that the other dialect cannot say and that changes the meaning of the request. Refuse: the
    /// application gets an error that names it. Warn: it is dropped, and a response header says so.
    #[serde(default)]
    pub on_loss: OnLoss,
    /// Images that a request names by URL are fetched for providers that want their bytes (Bedrock, Ollama, Gemini). Without
    /// it they are not, and such an image is a loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fetch_images: Option<FetchImages>,
}

/// From where images are fetched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct FetchImages {
    /// Host names. One that begins with *. stands for all names that end in the rest. Whatever a name resolves to, only
    /// public addresses are called, on ports 80 and 443; redirects stay within these hosts.
    #[schemars(length(min = 1, max = 32), inner(length(min = 1, max = 253)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    #[x_kube(validation = rules::HOSTS_OF_THE_INTERNET)]
    pub hosts: Vec<String>,
}

/// What happens to a field whose loss changes the meaning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OnLoss {
    /// The request is refused.
    #[default]
    Refuse,
    /// The field is dropped, and the answer says so.
    Warn,
}

/// What a caller must prove.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Authentication {
    /// VirtualKey: the request must carry the key of a VirtualKey of its namespace.
    pub require: Requirement,
}

/// What a caller must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Requirement {
    /// The key of a VirtualKey.
    VirtualKey,
}

/// What became of a policy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoutingPolicyStatus {
    /// The generation this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub observed_generation: Option<i64>,
    /// Accepted, ResolvedRefs, Programmed, and PartiallyInvalid when another policy's word counts for some names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".to_owned()]))]
    pub conditions: Vec<Condition>,
    /// How many sidecars run it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sidecars: Option<Sidecars>,
    /// The first sidecars that would not use it, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub refusals: Vec<Refusal>,
}
