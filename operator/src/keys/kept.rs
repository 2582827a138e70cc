//! A Secret as far as it decides what becomes of the key in it.

use crate::compile::{CURRENT, PREVIOUS, is_key};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Secret;
use kube::core::ObjectMeta;
use pilotfish_crds::key::Rotation;
use pilotfish_crds::scalar::Duration;

/// The annotation that says when the operator made the key.
pub(super) const MADE_AT: &str = "pilotfish.dev/key-made-at";
/// The annotation that says until when the key before it is taken.
pub(super) const PREVIOUS_UNTIL: &str = "pilotfish.dev/previous-key-until";
/// Clocks differ by less. A key that was made later than this from now was made by a clock that was ahead.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(60);

/// A Secret as far as it decides what becomes of the key in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The uid of the object that made it and that it goes with.
    pub(super) owner: Option<String>,
    /// When the key in it was made, or the Secret was, if nobody says.
    pub(super) made: Option<Timestamp>,
    /// Until when the key before it is taken, where the operator put one there.
    pub(super) previous_until: Option<Timestamp>,
    pub(super) current: Entry,
    pub(super) has_previous: bool,
}

/// The entry that holds the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// There is a key.
    Key,
    /// There is nothing, or nothing but white space.
    Nothing,
    /// Something that is no key. Somebody wrote it, and may want it back.
    Other,
}

impl Kept {
    /// Of a Secret as the API server has it.
    pub fn of(secret: &Secret) -> Self {
        let ObjectMeta {
            owner_references,
            annotations,
            creation_timestamp,
            ..
        } = &secret.metadata;
        let mut owners = owner_references.iter().flatten();
        let owner = owners.find(|owner| owner.controller == Some(true));
        let time = |name: &str| annotations.as_ref()?.get(name)?.parse().ok();
        let entry = |name: &str| secret.data.as_ref()?.get(name);
        Self {
            owner: owner.map(|owner| owner.uid.clone()),
            made: time(MADE_AT).or(creation_timestamp.as_ref().map(|created| created.0)),
            previous_until: time(PREVIOUS_UNTIL),
            current: entry(CURRENT).map_or(Entry::Nothing, |value| Entry::of(&value.0)),
            has_previous: entry(PREVIOUS).is_some(),
        }
    }

    /// When the key is due to be replaced, if the object `uid` made it and wants that.
    pub(crate) fn rotates_at(&self, uid: &str, rotation: Option<&Rotation>) -> Option<Timestamp> {
        let rotation = rotation.filter(|_| self.owner.as_deref() == Some(uid))?;
        later(self.made?, &rotation.every)
    }

    /// How far the clock was ahead by which the key was made, if it was made after `now`. Nobody else is to wait until that
    /// time: neither for the next key, nor for the end of the one before it.
    pub(super) fn ahead(&self, now: Timestamp) -> Option<SignedDuration> {
        let ahead = self.made?.duration_since(now);
        (ahead > CLOCKS_DIFFER).then_some(ahead)
    }
}

impl Entry {
    fn of(value: &[u8]) -> Self {
        match std::str::from_utf8(value).map(str::trim_ascii) {
            Ok("") => Self::Nothing,
            Ok(text) if is_key(text) => Self::Key,
            Ok(_) | Err(_) => Self::Other,
        }
    }
}

/// `duration` after `time`; `None` where either is no such thing.
pub(super) fn later(time: Timestamp, duration: &Duration) -> Option<Timestamp> {
    let milliseconds = i64::try_from(duration.milliseconds()?).ok()?;
    time.checked_add(SignedDuration::from_millis(milliseconds)).ok()
}
