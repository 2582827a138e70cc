//! A compilation → what is to be done for each VirtualKey.

use super::kept::Kept;
use super::step::{Step, next_step};
use crate::watch::Compilation;
use crate::world::ObjectName;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::Resource;
use pilotfish_crds::{VirtualKey, VirtualKeySpec};

/// One VirtualKey, and what is to be done for it.
pub(super) struct Order<'a> {
    pub(super) name: &'a ObjectName,
    pub(super) spec: &'a VirtualKeySpec,
    /// The object itself, for its Secret and its Events.
    pub(super) regarding: ObjectReference,
    pub(super) step: Step,
}

/// For every VirtualKey that can be read, makes sense and stays, at `now`.
pub(super) fn orders(compilation: &Compilation, now: Timestamp) -> Vec<Order<'_>> {
    let keys = compilation.world.keys.iter();
    let orders = keys.filter_map(|(name, object)| {
        let spec = object.spec.as_ref().ok()?;
        let is_accepted = compilation.compiled.key_verdicts.get(name)?.faults.is_empty();
        let seen = compilation.seen.keys.get(name)?;
        if !is_accepted || seen.deleting.is_some() {
            return None;
        }
        let secret = ObjectName::new(&name.namespace, &spec.secret_name);
        let kept = compilation.seen.secrets.get(&secret);
        Some(Order {
            name,
            spec,
            regarding: regarding(name, &seen.uid),
            step: next_step(name, &seen.uid, spec, kept, now),
        })
    });
    orders.collect()
}

fn regarding(name: &ObjectName, uid: &str) -> ObjectReference {
    ObjectReference {
        api_version: Some(VirtualKey::api_version(&()).into_owned()),
        kind: Some(VirtualKey::kind(&()).into_owned()),
        namespace: Some(name.namespace.clone()),
        name: Some(name.name.clone()),
        uid: Some(uid.to_owned()),
        ..ObjectReference::default()
    }
}

impl Order<'_> {
    /// The Secret that is meant.
    pub(super) fn secret(&self) -> ObjectName {
        ObjectName::new(&self.name.namespace, &self.spec.secret_name)
    }

    pub(super) fn uid(&self) -> &str {
        self.regarding.uid.as_deref().unwrap_or_default()
    }

    /// What is to be done where the Secret is thus.
    pub(super) fn step_for(&self, kept: &Kept, now: Timestamp) -> Step {
        next_step(self.name, self.uid(), self.spec, Some(kept), now)
    }
}
