//! A ControllerRevision with our label as it is cached: who owns it, and what it says if we wrote it.
//!
//! The seal is looked at once, when the revision is read; what nobody sealed keeps its name and nothing else, however
//! much somebody put there.

use super::seal::{SealKey, is_sealed};
use k8s_openapi::api::apps::v1::ControllerRevision;
use kube::core::ObjectMeta;
use kube::{Resource, ResourceExt};
use std::borrow::Cow;

/// A ControllerRevision with our label.
#[derive(Clone, Debug)]
pub struct Revision {
    meta: ObjectMeta,
    number: i64,
    sealed: Option<Sealed>,
}

/// What we wrote.
#[derive(Clone, Debug)]
struct Sealed {
    /// The uid of the object whose spec it is.
    owner: String,
    /// As JSON.
    spec: Box<str>,
}

impl Revision {
    /// As the API server has it; what it says counts if it was sealed with `key`.
    pub(crate) fn read(revision: ControllerRevision, key: SealKey) -> Self {
        let mut owners = revision.owner_references().iter();
        let owner = owners.find(|owner| owner.controller == Some(true) && is_sealed(&revision, &owner.uid, key));
        let sealed = owner.zip(revision.data.as_ref()).map(|(owner, data)| Sealed {
            owner: owner.uid.clone(),
            spec: data.0.to_string().into(),
        });
        Self {
            sealed,
            number: revision.revision,
            meta: ObjectMeta {
                namespace: revision.metadata.namespace,
                name: revision.metadata.name,
                resource_version: revision.metadata.resource_version,
                deletion_timestamp: revision.metadata.deletion_timestamp,
                ..ObjectMeta::default()
            },
        }
    }

    /// The generation whose spec it is, if we wrote it.
    pub(crate) fn number(&self) -> i64 {
        self.number
    }

    /// It is gone as soon as its finalizers are.
    pub(crate) fn is_deleting(&self) -> bool {
        self.meta.deletion_timestamp.is_some()
    }

    /// The uid of the object whose spec it is; `None`: somebody else wrote it.
    pub(crate) fn owner(&self) -> Option<&str> {
        self.sealed.as_ref().map(|sealed| sealed.owner.as_str())
    }

    /// The spec, as JSON; `None`: somebody else wrote it.
    pub(crate) fn spec(&self) -> Option<&str> {
        self.sealed.as_ref().map(|sealed| &*sealed.spec)
    }
}

impl Resource for Revision {
    type DynamicType = <ControllerRevision as Resource>::DynamicType;
    type Scope = <ControllerRevision as Resource>::Scope;

    fn kind(dt: &Self::DynamicType) -> Cow<'_, str> {
        ControllerRevision::kind(dt)
    }

    fn group(dt: &Self::DynamicType) -> Cow<'_, str> {
        ControllerRevision::group(dt)
    }

    fn version(dt: &Self::DynamicType) -> Cow<'_, str> {
        ControllerRevision::version(dt)
    }

    fn plural(dt: &Self::DynamicType) -> Cow<'_, str> {
        ControllerRevision::plural(dt)
    }

    fn meta(&self) -> &ObjectMeta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.meta
    }
}
