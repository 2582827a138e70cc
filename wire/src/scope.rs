//! The names under which a [`crate::Hello`] says for which pod its configuration is.
//!
//! An operator fills in the identity that it verified; whatever the sidecar claims of itself counts for nothing.

/// The pod's namespace.
pub const NAMESPACE: &str = "namespace";
/// The pod's own name.
pub const POD: &str = "pod";
/// Its ServiceAccount.
pub const SERVICE_ACCOUNT: &str = "serviceAccount";
/// Kind and name of its topmost controller, `Deployment/assistant`; a bare pod's is `ServiceAccount/name`.
pub const WORKLOAD: &str = "workload";
