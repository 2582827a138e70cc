//! What is written into Secrets.

use super::kept::{Kept, MADE_AT, PREVIOUS_UNTIL, later};
use crate::compile::{CURRENT, PREVIOUS};
use crate::watch::CREDENTIALS_LABEL;
use crate::world::ObjectName;
use jiff::Timestamp;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::Resource;
use kube::core::ObjectMeta;
use pilotfish_crds::VirtualKey;
use pilotfish_crds::scalar::Duration;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The Secret `secret`, made at `now` with `key` for the VirtualKey `owner`. It goes when that goes.
pub(super) fn secret(secret: &ObjectName, owner: (&ObjectName, &str), key: String, now: Timestamp) -> Secret {
    let (name, uid) = owner;
    let owner = OwnerReference {
        api_version: VirtualKey::api_version(&()).into_owned(),
        kind: VirtualKey::kind(&()).into_owned(),
        name: name.name.clone(),
        uid: uid.to_owned(),
        controller: Some(true),
        block_owner_deletion: None,
    };
    let one = |key: &str, value: String| Some(BTreeMap::from([(key.to_owned(), value)]));
    Secret {
        metadata: ObjectMeta {
            namespace: Some(secret.namespace.clone()),
            name: Some(secret.name.clone()),
            labels: one(CREDENTIALS_LABEL, "true".to_owned()),
            annotations: one(MADE_AT, written(now)),
            owner_references: Some(vec![owner]),
            ..ObjectMeta::default()
        },
        data: Some(BTreeMap::from([(CURRENT.to_owned(), ByteString(key.into_bytes()))])),
        type_: Some("Opaque".to_owned()),
        ..Secret::default()
    }
}

/// A change of one version of a Secret.
pub(super) struct Change {
    resource_version: Option<String>,
    annotations: Map<String, Value>,
    data: Map<String, Value>,
}

impl Change {
    /// Of `secret` as it was read, and only if it still is so.
    pub(super) fn of(secret: &Secret) -> Self {
        Self {
            resource_version: secret.metadata.resource_version.clone(),
            annotations: Map::new(),
            data: Map::new(),
        }
    }

    /// Puts `key` in, made at `now`.
    pub(super) fn fill(mut self, key: &str, now: Timestamp) -> Self {
        self.annotations.insert(MADE_AT.to_owned(), written(now).into());
        self.data.insert(CURRENT.to_owned(), encoded(key.as_bytes()));
        self
    }

    /// Keeps the key that is there now beside the new one, for as long as `overlap`.
    pub(super) fn keep_previous(mut self, secret: &Secret, overlap: &Duration, now: Timestamp) -> Self {
        let current = secret.data.as_ref().and_then(|data| data.get(CURRENT));
        let current = current.map_or(Value::Null, |value| encoded(&value.0));
        let until = later(now, overlap).map_or(Value::Null, |until| written(until).into());
        self.data.insert(PREVIOUS.to_owned(), current);
        self.annotations.insert(PREVIOUS_UNTIL.to_owned(), until);
        self
    }

    /// Takes the key before the current one away.
    pub(super) fn drop_previous(mut self) -> Self {
        self.data.insert(PREVIOUS.to_owned(), Value::Null);
        self.annotations.insert(PREVIOUS_UNTIL.to_owned(), Value::Null);
        self
    }

    /// Puts all times of `kept` back by as much as the key in it was made after `now`: what was promised of it lasts as
    /// long as it was meant to.
    pub(super) fn correct_times(mut self, kept: &Kept, now: Timestamp) -> Self {
        let Some(ahead) = kept.ahead(now) else { return self };
        let until = kept.previous_until.and_then(|until| until.checked_sub(ahead).ok());
        self.annotations.insert(MADE_AT.to_owned(), written(now).into());
        if let Some(until) = until {
            self.annotations
                .insert(PREVIOUS_UNTIL.to_owned(), written(until).into());
        }
        self
    }

    /// As a merge patch.
    pub(super) fn patch(self) -> Value {
        let Self {
            resource_version,
            annotations,
            data,
        } = self;
        json!({"metadata": {"resourceVersion": resource_version, "annotations": annotations}, "data": data})
    }
}

/// To the millisecond, which no duration of ours is finer than.
fn written(time: Timestamp) -> String {
    let millisecond = Timestamp::from_millisecond(time.as_millisecond());
    millisecond.unwrap_or(time).to_string()
}

fn encoded(value: &[u8]) -> Value {
    json!(ByteString(value.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::kept::Entry;

    const OLD: &str = "sk-pf-old-old-old-old-old";
    const NEW: &str = "sk-pf-new-new-new-new-new";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// The Secret of a key that was made at 100.
    fn made() -> Secret {
        let name = ObjectName::new("shop", "team-a");
        secret(
            &ObjectName::new("shop", "keys"),
            (&name, "uid"),
            OLD.to_owned(),
            at(100),
        )
    }

    /// What the API server makes of a change.
    fn changed(secret: &Secret, change: Change) -> Secret {
        let mut value = serde_json::to_value(secret).unwrap();
        json_patch::merge(&mut value, &change.patch());
        serde_json::from_value(value).unwrap()
    }

    fn entry<'s>(secret: &'s Secret, name: &str) -> Option<&'s str> {
        let value = secret.data.as_ref()?.get(name)?;
        std::str::from_utf8(&value.0).ok()
    }

    #[test]
    fn a_secret_that_was_made_belongs_to_its_key() {
        let kept = Kept {
            owner: Some("uid".to_owned()),
            made: Some(at(100)),
            previous_until: None,
            current: Entry::Key,
            has_previous: false,
        };
        assert_eq!(Kept::of(&made()), kept);
    }

    #[test]
    fn a_rotation_keeps_the_old_key_until_it_is_dropped() {
        let secret = made();
        let overlap = Duration::new("10m");
        let change = Change::of(&secret)
            .fill(NEW, at(500))
            .keep_previous(&secret, &overlap, at(500));
        let rotated = changed(&secret, change);
        assert_eq!(
            (entry(&rotated, CURRENT), entry(&rotated, PREVIOUS)),
            (Some(NEW), Some(OLD))
        );
        let kept = Kept::of(&rotated);
        assert_eq!((kept.made, kept.previous_until), (Some(at(500)), Some(at(1100))));

        let after = changed(&rotated, Change::of(&rotated).drop_previous());
        assert_eq!((entry(&after, CURRENT), entry(&after, PREVIOUS)), (Some(NEW), None));
        assert_eq!(Kept::of(&after).previous_until, None);
        assert_eq!(Kept::of(&after).made, Some(at(500)));
    }

    #[test]
    fn a_key_of_a_clock_that_was_ahead_is_made_now_and_overlaps_for_as_long() {
        let secret = made();
        let year = 365 * 24 * 3600;
        let change = Change::of(&secret).fill(NEW, at(500 + year));
        let overlap = Duration::new("10m");
        let ahead = changed(&secret, change.keep_previous(&secret, &overlap, at(500 + year)));
        let correct = Change::of(&ahead).correct_times(&Kept::of(&ahead), at(520));
        let corrected = changed(&ahead, correct);
        let kept = Kept::of(&corrected);
        assert_eq!((kept.made, kept.previous_until), (Some(at(520)), Some(at(1120))));
        assert_eq!(corrected.data, ahead.data);
        assert_eq!(kept.ahead(at(520)), None);
    }
}
