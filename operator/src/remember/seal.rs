//! What tells a ControllerRevision that we wrote from one that somebody else did.
//!
//! Whoever may create ControllerRevisions in any namespace could otherwise say what is in force of an object of another,
//! and have its provider's key sent to an address of theirs. So each carries a hash of whose it is, which one and what it
//! says, keyed with the installation's key, and one that does not is no word of ours.

use crate::world::InstallationKey;
use k8s_openapi::api::apps::v1::ControllerRevision;
use kube::ResourceExt;

/// The annotation with the seal, 64 hex digits.
pub(crate) const SEAL: &str = "pilotfish.dev/seal";

/// The seal of revision `number` of the object `uid` with this spec.
pub(crate) fn seal(key: InstallationKey, uid: &str, number: i64, spec: &serde_json::Value) -> String {
    key.hash(&format!("in force\n{uid}\n{number}\n{spec}"))
}

/// Whether we wrote it for the object `uid`.
pub(crate) fn is_sealed(revision: &ControllerRevision, uid: &str, key: InstallationKey) -> bool {
    let spec = revision.data.as_ref().map(|data| &data.0);
    let expected = spec.map(|spec| seal(key, uid, revision.revision, spec));
    expected.is_some() && expected.as_ref() == revision.annotations().get(SEAL)
}
