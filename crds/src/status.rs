//! What the operator writes back: conditions, and what the sidecars made of a resource.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The types of condition, all of them positive.
pub mod condition {
    /// The resource was understood and makes sense on its own.
    pub const ACCEPTED: &str = "Accepted";
    /// Everything it names exists and may be used from where it is.
    pub const RESOLVED_REFS: &str = "ResolvedRefs";
    /// Some of it is not in force: another policy's word counts for those model names.
    pub const PARTIALLY_INVALID: &str = "PartiallyInvalid";
    /// The sidecars it concerns run it.
    pub const PROGRAMMED: &str = "Programmed";
}

/// One observation about a resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// What was observed: Accepted, ResolvedRefs, PartiallyInvalid or Programmed.
    #[serde(rename = "type")]
    #[schemars(length(min = 1, max = 64))]
    pub type_: String,
    /// Whether it is so: True, False or Unknown.
    pub status: ConditionStatus,
    /// The generation of the resource that was looked at.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub observed_generation: i64,
    /// When it last changed from one status to another.
    #[schemars(length(max = 64))]
    pub last_transition_time: Time,
    /// Why, in one word for programs.
    #[schemars(length(min = 1, max = 64))]
    pub reason: String,
    /// Why, in a sentence for people.
    #[schemars(length(max = 4096))]
    pub message: String,
}

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ConditionStatus {
    /// It does.
    True,
    /// It does not.
    False,
    /// Nobody can tell yet.
    Unknown,
}

/// How many sidecars a resource concerns, and what they made of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Sidecars {
    /// Live pods with a sidecar that the resource selects, connected or not.
    #[schemars(range(min = 0))]
    pub desired: i32,
    /// Of those, how many acknowledged the newest generation.
    #[schemars(range(min = 0))]
    pub programmed: i32,
    /// Of those, how many would not use it.
    #[schemars(range(min = 0))]
    pub refused: i32,
    /// Beside those, live pods with a sidecar that the operator serves nothing, because it is of no trusted image or shares
    /// what it holds.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub unserved: i32,
}

/// A sidecar that would not use a resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// The pod, as namespace/name.
    #[schemars(length(max = 317))]
    pub pod: String,
    /// The sidecar's own sentence.
    #[schemars(length(max = 1024))]
    pub message: String,
}
