//! What users write: ModelDeployment, RoutingPolicy and VirtualKey of `pilotfish.dev/v1alpha1`.
//!
//! These types are the schema. `kubectl explain` prints their comments, the API server applies their defaults, bounds
//! and CEL rules ([`rules`]), and [`definitions`] is what `make generate` writes into the chart. A field is here once
//! it does something, and not before.
//!
//! Values stay as they were written: a [`scalar::Duration`] is the user's text until somebody asks for its
//! milliseconds. What the schema cannot say is the operator's `validate` to judge, in the same words.
#![warn(missing_docs)]
#![expect(
    unreachable_pub,
    reason = "the KubeSchema derive repeats every `pub struct` inside a function"
)]

pub mod definition;
pub mod deployment;
pub mod key;
pub mod label;
pub mod policy;
pub mod rules;
pub mod scalar;
pub mod selector;
pub mod status;

pub use definition::definitions;
pub use deployment::{ModelDeployment, ModelDeploymentSpec};
pub use key::{VirtualKey, VirtualKeySpec};
pub use policy::{RoutingPolicy, RoutingPolicySpec};

/// The API group of all kinds.
pub const GROUP: &str = "pilotfish.dev";
/// The version in which they are written.
pub const VERSION: &str = "v1alpha1";
