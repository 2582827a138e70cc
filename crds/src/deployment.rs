//! ModelDeployment: one upstream model that can be called.

use crate::rules;
use crate::scalar::{Duration, Usd};
use crate::selector::Selector;
use crate::status::{Condition, Refusal, Sidecars};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is called, where, with which key, and what is known about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "pilotfish.dev",
    version = "v1alpha1",
    kind = "ModelDeployment",
    namespaced,
    status = "ModelDeploymentStatus",
    shortname = "mdep",
    category = "pilotfish",
    doc = "One upstream model that can be called: a provider, its name for the model, and the key to call it with. \
           Routing policies name deployments as their targets.",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct ModelDeploymentSpec {
    /// Who serves the model: OpenAI, Anthropic, Mistral, Groq, Ollama, VLLM, …, or OpenAICompatible and
    /// AnthropicCompatible for any server that speaks those APIs. The condition Accepted lists all names when this one
    /// is not known.
    #[schemars(length(min = 1, max = 63), regex(pattern = "^[A-Za-z][A-Za-z0-9]*$"))]
    pub provider: String,
    /// The provider's own name for the model, such as claude-sonnet-4-5. It replaces the name the application asked
    /// for.
    #[schemars(length(min = 1, max = 256), regex(pattern = "^[!-~]+$"))]
    pub model: String,
    /// Where the model is called, if not at the provider's public address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
    /// How Azure OpenAI is called, for the provider AzureOpenAI alone. Without it endpoint.url is the base URL of the
    /// newer API, which ends in /openai/v1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub azure: Option<Azure>,
    /// Where in Amazon Bedrock it is. Needed for the provider Bedrock, and for no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bedrock: Option<Bedrock>,
    /// How watsonx gives out tokens, for the provider Watsonx alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watsonx: Option<Watsonx>,
    /// The key to call it with. Providers of the public internet need one, servers one runs oneself may have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Credentials>,
    /// What its tokens cost. Without a price its requests are counted, but their cost is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// What the model can do, where that is not known of it or is known wrongly. Of a model that is unknown, what is
    /// not said here is not checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Capabilities>,
    /// How long it may take. Of the application's, the policy's and these the smallest holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeouts: Option<Timeouts>,
    /// Which namespaces' routing policies may name this deployment as a target, besides those of its own namespace.
    #[serde(default)]
    pub allowed_namespaces: AllowedNamespaces,
}

impl ModelDeploymentSpec {
    /// Every key of a Secret that it needs, the provider's first.
    pub fn secrets(&self) -> impl Iterator<Item = SecretKeyRef> {
        let credentials = self.credentials.iter();
        let key = credentials
            .clone()
            .filter_map(|credentials| credentials.secret_key_ref.clone());
        let aws = credentials
            .filter_map(|credentials| credentials.secret_ref.as_ref())
            .flat_map(|secret| self.keys_of_secret().iter().map(|key| secret.at(key)));
        let headers = self.endpoint.iter().flat_map(|endpoint| &endpoint.headers);
        let headers = headers.filter_map(|header| Some(header.value_from.as_ref()?.secret_key_ref.clone()));
        key.chain(aws).chain(headers)
    }

    /// What a Secret holds that is named as a whole.
    fn keys_of_secret(&self) -> &'static [&'static str] {
        match self.bedrock {
            Some(_) => &[AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY],
            None => &[GOOGLE_KEY_FILE],
        }
    }

    /// Every key of a Secret that it takes if it is there.
    pub fn optional_secrets(&self) -> impl Iterator<Item = SecretKeyRef> {
        let credentials = self.credentials.iter().filter(|_| self.bedrock.is_some());
        credentials.filter_map(|credentials| Some(credentials.secret_ref.as_ref()?.at(AWS_SESSION_TOKEN)))
    }
}

/// The keys of a Secret with those of an AWS account, called as AWS's own tools call them.
pub const AWS_ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
/// See [`AWS_ACCESS_KEY_ID`].
pub const AWS_SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";
/// See [`AWS_ACCESS_KEY_ID`]; only keys that expire have one.
pub const AWS_SESSION_TOKEN: &str = "AWS_SESSION_TOKEN";

/// The key of a Secret with the key file of a Google service account, called as Google's documentation calls it.
pub const GOOGLE_KEY_FILE: &str = "key.json";

/// What watsonx needs beside an API key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Watsonx {
    /// Where the API key is exchanged for a token, if not at iam.cloud.ibm.com, IBM Cloud's public address.
    #[schemars(length(min = 1, max = 2048))]
    #[x_kube(validation = rules::PLAIN_URL)]
    pub token_url: String,
}

/// Azure OpenAI by the paths that name a deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Azure {
    /// The version of the API, such as 2024-10-21. It is sent with every call, and calls go to
    /// /openai/deployments/MODEL below endpoint.url, which then is the address of the resource alone.
    #[schemars(
        length(min = 1, max = 64),
        regex(pattern = "^[A-Za-z0-9]([-.A-Za-z0-9]*[A-Za-z0-9])?$")
    )]
    pub api_version: String,
}

/// A place in Amazon Bedrock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Bedrock {
    /// The AWS region, such as us-east-1. Calls are signed for it, and go to its public address if endpoint.url names
    /// no other.
    #[schemars(length(min = 1, max = 63), regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub region: String,
    /// How a Claude is called for applications that speak Anthropic's Messages: Invoke, which all of them have, or
    /// Native, Anthropic's own path, which the newer ones have as well.
    #[serde(default)]
    pub messages: BedrockMessages,
}

/// A form of Anthropic's Messages in Amazon Bedrock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum BedrockMessages {
    /// By InvokeModel.
    #[default]
    Invoke,
    /// By /anthropic/v1/messages.
    Native,
}

/// Where a deployment is called.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::CA_BUNDLE_NEEDS_TLS)]
pub struct Endpoint {
    /// The base URL, http or https, exactly as an SDK for the provider's first dialect takes it: for OpenAI and all that
    /// is compatible it ends in /v1 as a rule, for Anthropic it does not. The URLs of the provider's other dialects
    /// are derived from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048))]
    #[x_kube(validation = rules::PLAIN_URL)]
    pub url: Option<String>,
    /// The dialects that are spoken there, the preferred one first. Without this list they are the provider's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".to_owned()]))]
    pub dialects: Vec<DialectEndpoint>,
    /// Headers added to every call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".to_owned()]))]
    pub headers: Vec<Header>,
    /// Certificates in PEM form. When set they are trusted instead of the public authorities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 65536))]
    #[x_kube(validation = rules::CA_BUNDLE_IS_PEM)]
    pub ca_bundle: Option<String>,
}

/// A dialect and where it is spoken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct DialectEndpoint {
    /// Chat is OpenAI's Chat Completions (and Embeddings), Responses is OpenAI's newer API, Messages is Anthropic's,
    /// Converse is Amazon Bedrock's, Gemini is generateContent, Ollama and Cohere are the APIs that have their names.
    pub name: Dialect,
    /// The base URL as an SDK of this dialect takes it. Without it the URL is the provider's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048))]
    #[x_kube(validation = rules::PLAIN_URL)]
    pub url: Option<String>,
}

/// A conversational protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum Dialect {
    /// OpenAI's Chat Completions and Embeddings.
    Chat,
    /// Anthropic's Messages.
    Messages,
    /// OpenAI's Responses.
    Responses,
    /// Ollama's own chat.
    Ollama,
    /// Cohere's own chat, version 2.
    Cohere,
    /// Amazon Bedrock's Converse.
    Converse,
    /// Gemini's generateContent.
    Gemini,
}

/// A header that is added to every call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::ONE_HEADER_SOURCE)]
pub struct Header {
    /// Its name, in lower case.
    #[schemars(length(min = 1, max = 128))]
    #[x_kube(validation = rules::HEADER_NAME_IN_LOWER_CASE)]
    #[x_kube(validation = rules::HEADER_IS_NOT_FRAMING)]
    pub name: String,
    /// Its value, as it is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 4096), regex(pattern = "^[!-~]([ -~]*[!-~])?$"))]
    pub value: Option<String>,
    /// Where its value is read, for a value that nobody may see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_from: Option<HeaderSource>,
}

/// Where a header's value is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct HeaderSource {
    /// A key of a Secret in the deployment's namespace.
    pub secret_key_ref: SecretKeyRef,
}

/// The key to call a provider with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::ONE_CREDENTIAL)]
pub struct Credentials {
    /// A key of a Secret in the deployment's namespace. In a cluster the Secret needs the label
    /// pilotfish.dev/credentials: "true".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_key_ref: Option<SecretKeyRef>,
    /// A Secret in the deployment's namespace. For the provider Bedrock it holds the keys of an AWS account:
    /// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, for keys that expire, AWS_SESSION_TOKEN. Calls are signed with
    /// them; a Bedrock API key belongs in secretKeyRef. For the provider VertexAI it holds the key file of a service
    /// account as key.json, with which the sidecar fetches and renews tokens; a token of one's own belongs in
    /// secretKeyRef. In a cluster the Secret needs the label pilotfish.dev/credentials: "true".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretRef>,
    /// The pod says who it is, for the provider VertexAI in Google's own clusters: tokens are those of the Kubernetes
    /// service account of the pod that calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload_identity: Option<WorkloadIdentity>,
    /// The server asks for no key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub none: Option<NoCredentials>,
}

/// A key of a Secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretKeyRef {
    /// The Secret's name.
    #[schemars(length(min = 1, max = 253), regex(pattern = "^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$"))]
    pub name: String,
    /// The key inside it.
    #[schemars(length(min = 1, max = 253), regex(pattern = "^[-._a-zA-Z0-9]+$"))]
    pub key: String,
}

/// A Secret whose keys have names of their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretRef {
    /// The Secret's name.
    #[schemars(length(min = 1, max = 253), regex(pattern = "^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$"))]
    pub name: String,
}

impl SecretRef {
    /// One of its keys.
    pub fn at(&self, key: &str) -> SecretKeyRef {
        SecretKeyRef {
            name: self.name.clone(),
            key: key.to_owned(),
        }
    }
}

/// Says that the pod's own identity is presented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct WorkloadIdentity {}

/// Says that there is nothing to present.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct NoCredentials {}

/// What tokens cost, in US dollars.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct Price {
    /// For a million input tokens that were not cached, such as "3.00".
    #[serde(rename = "inputPerMillionTokensUSD")]
    pub input: Usd,
    /// For a million output tokens, reasoning included, such as "15.00". For embeddings "0".
    #[serde(rename = "outputPerMillionTokensUSD")]
    pub output: Usd,
    /// For a million input tokens read from the provider's cache. Without it they cost what other input costs.
    #[serde(
        rename = "cachedInputPerMillionTokensUSD",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub cached_input: Option<Usd>,
}

/// What a model can do. Of the models in wide use all of this is known; what is said here goes before what is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::OUTPUT_FITS_CONTEXT)]
pub struct Capabilities {
    /// The context window, in tokens. A request that cannot fit is not sent here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub context_tokens: Option<i64>,
    /// The longest answer, in tokens. It is also asked for where a dialect demands a number and the application named
    /// none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub max_output_tokens: Option<i64>,
    /// All that the model can do beyond text: Tools, Vision, Reasoning, ReasoningBudget. When this list is set, a
    /// request that needs tools or vision and finds them missing is not sent here, and a request of another dialect that
    /// asks for reasoning asks for it in a way that is listed, or not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub features: Option<Vec<ModelFeature>>,
    /// What the model refuses although others of its dialect take it, or lacks when features is not set. A request of
    /// another dialect that asks for sampling, for reasoning or for no thinking goes without. One that forces a tool call,
    /// begins the answer, has stop sequences, images, sound or documents, or wants JSON of a schema is treated as its
    /// policy's onLoss says. Of the model's own dialect, a request that needs tools, images, sound or documents is not sent
    /// here, and what else is refused is the provider's to refuse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub refuses: Option<Vec<ModelRefusal>>,
    /// The efforts with which it can be made to reason. A request of another dialect that asks for one that is missing
    /// gets the nearest. An empty list means that all are taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub reasoning_efforts: Option<Vec<ReasoningEffort>>,
    /// The effort with which the model reasons when nobody asks for one. Of a model that refuses sampling while it
    /// reasons it says whether a request without an effort may have any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_reasoning_effort: Option<ReasoningEffort>,
    /// Whether nothing is to be seen while the model thinks. Where it is true and no timeout is set for the first token,
    /// that token is waited for five minutes, and not one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thinks_silently: Option<bool>,
    /// The shortest prompt, in tokens, that the provider caches. Where a request of another dialect marks a shorter one
    /// to be cached, the report says that it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000_000))]
    pub cached_from_tokens: Option<i64>,
}

/// Something that not every model can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ModelFeature {
    /// Calls tools.
    Tools,
    /// Sees images.
    Vision,
    /// Thinks with an effort: of the Claudes those that think adaptively.
    Reasoning,
    /// Thinks with a budget in tokens, as older Claudes do.
    ReasoningBudget,
}

/// Something that a model may refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ModelRefusal {
    /// temperature, top_p and top_k.
    Sampling,
    /// temperature, top_p and likelihoods of tokens, but only while it reasons.
    SamplingWithReasoning,
    /// To be made to call a tool.
    ForcedTools,
    /// To go on from the beginning of an answer.
    Prefill,
    /// Stop sequences.
    Stop,
    /// To answer without thinking.
    ThinkingOff,
    /// Tools.
    Tools,
    /// Images.
    Vision,
    /// Sound.
    Audio,
    /// Documents, such as PDF.
    Documents,
    /// To answer with JSON of a schema.
    StructuredOutput,
    /// To think with an effort.
    Reasoning,
    /// To think with a budget in tokens.
    ReasoningBudget,
}

/// How much a model is to reason, as the APIs spell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReasoningEffort {
    /// Not at all.
    None,
    /// Hardly.
    Minimal,
    /// Little.
    Low,
    /// As usual.
    Medium,
    /// Much.
    High,
    /// Very much.
    XHigh,
    /// As much as it can.
    Max,
}

/// How long a call may take.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Timeouts {
    /// Until the connection stands, TLS included, such as 2s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect: Option<Duration>,
    /// On a stream, until the first content arrives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_token: Option<Duration>,
    /// On a stream, between two pieces of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle: Option<Duration>,
    /// One attempt, until its answer is complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<Duration>,
}

/// Whose policies may route to a deployment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::SELECTOR_WITH_FROM_SELECTOR)]
pub struct AllowedNamespaces {
    /// Same: policies of the deployment's own namespace. All: policies of every namespace. Selector: those of the
    /// selected namespaces as well.
    #[serde(default)]
    pub from: AllowedFrom,
    /// The namespaces, by their labels, when from is Selector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<Selector>,
}

/// How namespaces are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AllowedFrom {
    /// The deployment's own.
    #[default]
    Same,
    /// Every one.
    All,
    /// The deployment's own and the selected ones.
    Selector,
}

/// What became of a deployment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelDeploymentStatus {
    /// The generation this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub observed_generation: Option<i64>,
    /// Accepted, ResolvedRefs and Programmed.
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
