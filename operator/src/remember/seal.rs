//! What tells a ControllerRevision that we wrote from one that somebody else did.
//!
//! Whoever may create ControllerRevisions in any namespace could otherwise say what is in force of an object of another,
//! and have its provider's key sent to an address of theirs. So each carries a hash of whose it is, which one and what it
//! says, keyed with what only the operator knows, and one that does not is no word of ours. Its name tells which key that
//! was: what another key sealed was the word of another installation, or of this one before its Secret was lost.

use k8s_openapi::api::apps::v1::ControllerRevision;
use kube::ResourceExt;
use std::fmt;

/// The annotation with the seal, 64 hex digits.
pub(crate) const SEAL: &str = "pilotfish.dev/seal";

/// Of [`SealKey::id`].
pub(super) const ID_LENGTH: usize = 8;

/// What seals are made with. No sidecar is sent it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct SealKey([u8; 32]);

impl SealKey {
    pub(crate) fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// What tells it from other keys, and nothing about it: 8 hex digits.
    pub(super) fn id(self) -> String {
        let mut id = [0; ID_LENGTH / 2];
        blake3::Hasher::new_keyed(&self.0)
            .update(b"which key")
            .finalize_xof()
            .fill(&mut id);
        id.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(redacted)")
    }
}

/// The seal of revision `number` of the object `uid` with this spec.
pub(crate) fn seal(key: SealKey, uid: &str, number: i64, spec: &serde_json::Value) -> String {
    let text = format!("in force\n{uid}\n{number}\n{spec}");
    blake3::keyed_hash(&key.0, text.as_bytes()).to_hex().to_string()
}

/// Whether we wrote it for the object `uid`.
pub(crate) fn is_sealed(revision: &ControllerRevision, uid: &str, key: SealKey) -> bool {
    let spec = revision.data.as_ref().map(|data| &data.0);
    let expected = spec.map(|spec| seal(key, uid, revision.revision, spec));
    expected.is_some() && expected.as_ref() == revision.annotations().get(SEAL)
}
