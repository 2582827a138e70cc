//! VirtualKey: who is calling, beyond the pod's own identity.

use crate::rules;
use crate::scalar::Duration;
use crate::status::{Condition, Refusal, Sidecars};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

/// Where the key is kept, and what it opens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "pilotfish.dev",
    version = "v1alpha1",
    kind = "VirtualKey",
    namespaced,
    status = "VirtualKeyStatus",
    shortname = "vk",
    category = "pilotfish",
    doc = "A caller with a key of its own (sk-pf-…). Its name, not the key, is what policies, sessions and metrics know \
           it by, so the key can be replaced at any time.",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct VirtualKeySpec {
    /// The Secret of this namespace that holds the key as api-key, and beside it as previous-api-key the one it
    /// replaced, for as long as both are to be taken. In a cluster the operator makes it if there is none, with a new
    /// key; one that somebody else made is used if it has the label pilotfish.dev/credentials: "true", and never
    /// written to.
    #[schemars(length(min = 1, max = 253), regex(pattern = "^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$"))]
    pub secret_name: String,
    /// The model names it may ask for. One * in a name stands for any text. Without this list, all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 256), regex(pattern = "^[!-~]+$")))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    #[x_kube(validation = rules::ONE_STAR)]
    pub models: Vec<String>,
    /// Whether it is turned off.
    #[serde(default)]
    pub disabled: bool,
    /// When it ceases to be taken, such as 2027-06-30T00:00:00Z. Without it, never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    #[x_kube(validation = rules::END_IS_OF_THIS_AGE)]
    pub expires_at: Option<Time>,
    /// How often the operator replaces the key in a Secret that it made. Without it, never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<Rotation>,
}

/// How often a key is replaced, and how long the one before it is still taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::A_MINUTE_BETWEEN_KEYS)]
#[x_kube(validation = rules::OVERLAP_IS_SHORTER)]
pub struct Rotation {
    /// How long until a key is replaced by a new one, such as 720h; at least a minute.
    pub every: Duration,
    /// For how long the replaced key is still taken, such as 24h; shorter than every.
    pub overlap: Duration,
}

/// What became of a key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct VirtualKeyStatus {
    /// The generation this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub observed_generation: Option<i64>,
    /// Accepted, ResolvedRefs and Programmed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".to_owned()]))]
    pub conditions: Vec<Condition>,
    /// The first characters of the key, enough to recognise it by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub prefix: Option<String>,
    /// When the key ceases to be taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub expires_at: Option<Time>,
    /// When the key will be replaced by a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub rotates_at: Option<Time>,
    /// How many sidecars run it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sidecars: Option<Sidecars>,
    /// The first sidecars that would not use it, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub refusals: Vec<Refusal>,
}
