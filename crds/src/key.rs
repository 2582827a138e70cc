//! VirtualKey: who is calling, beyond the pod's own identity.

use crate::rules;
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
    /// replaced, for as long as both are to be taken.
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
    pub expires_at: Option<Time>,
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
    /// How many sidecars run it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sidecars: Option<Sidecars>,
    /// The first sidecars that would not use it, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub refusals: Vec<Refusal>,
}
