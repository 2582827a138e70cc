//! A ControllerRevision with our label as it is cached: who owns it, and what it says if we wrote it.
//!
//! The seal is looked at once, when the revision is read; what nobody sealed keeps its name and nothing else, however
//! much somebody put there.

use super::seal::{SEAL, SealKey, is_sealed};
use super::written::parts;
use crate::foreign::shown;
use k8s_openapi::api::apps::v1::ControllerRevision;
use kube::core::ObjectMeta;
use kube::{Resource, ResourceExt};
use std::borrow::Cow;

/// The annotation with the namespace of the operator that wrote it.
pub(super) const OPERATOR: &str = "pilotfish.dev/operator";
/// The annotation with the version of the operator that wrote it.
pub(super) const VERSION: &str = "pilotfish.dev/version";
/// Of a namespace's name.
const LONGEST_NAMESPACE: usize = 63;

/// A ControllerRevision with our label.
#[derive(Clone, Debug)]
pub struct Revision {
    meta: ObjectMeta,
    number: i64,
    origin: Origin,
}

/// Who wrote a revision.
#[derive(Clone, Debug)]
pub(super) enum Origin {
    /// We did.
    Ours(Sealed),
    /// Somebody who gave it the name of one of ours, of the object with this uid.
    Forged(String),
    /// By its name, an operator with another key. Nobody can tell whether that is true.
    Foreign(Foreign),
    /// It has nothing to do with us.
    Unknown,
}

/// What we wrote.
#[derive(Clone, Debug)]
pub(super) struct Sealed {
    /// The uid of the object whose spec it is.
    pub(super) owner: String,
    /// As JSON.
    spec: Box<str>,
    /// Another version of the operator did, which may know other fields.
    is_of_another_version: bool,
}

/// What another key sealed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Foreign {
    /// The uid of the object whose spec it is said to be.
    pub(super) owner: String,
    /// Which key that was.
    pub(super) key: String,
    /// The namespace of that operator, as it says itself.
    pub(super) operator: String,
}

impl Revision {
    /// As the API server has it; what it says counts if it was sealed with `key`.
    pub(crate) fn read(revision: ControllerRevision, key: SealKey) -> Self {
        let origin = origin(&revision, key);
        Self {
            origin,
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

    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    fn sealed(&self) -> Option<&Sealed> {
        match &self.origin {
            Origin::Ours(sealed) => Some(sealed),
            Origin::Forged(_) | Origin::Foreign(_) | Origin::Unknown => None,
        }
    }

    /// Whether we wrote it.
    pub(super) fn is_ours(&self) -> bool {
        self.sealed().is_some()
    }

    /// Whether another version of the operator wrote it, which may know other fields.
    pub(super) fn is_of_another_version(&self) -> bool {
        self.sealed().is_some_and(|sealed| sealed.is_of_another_version)
    }

    /// The spec, as JSON; `None`: somebody else wrote it.
    pub(crate) fn spec(&self) -> Option<&str> {
        self.sealed().map(|sealed| &*sealed.spec)
    }
}

fn origin(revision: &ControllerRevision, key: SealKey) -> Origin {
    let mut owners = revision.owner_references().iter();
    let owner = owners.find(|owner| owner.controller == Some(true) && is_sealed(revision, &owner.uid, key));
    if let Some((owner, data)) = owner.zip(revision.data.as_ref()) {
        let version = revision.annotations().get(VERSION).map(String::as_str);
        return Origin::Ours(Sealed {
            owner: owner.uid.clone(),
            spec: data.0.to_string().into(),
            is_of_another_version: version != Some(env!("CARGO_PKG_VERSION")),
        });
    }
    let name = revision.metadata.name.as_deref().unwrap_or_default();
    match parts(name) {
        Some((uid, id)) if id == key.id() => Origin::Forged(uid.to_owned()),
        Some((uid, id)) if revision.annotations().contains_key(SEAL) => {
            let operator = revision.annotations().get(OPERATOR).map(String::as_str);
            Origin::Foreign(Foreign {
                owner: uid.to_owned(),
                key: id.to_owned(),
                operator: shown(operator.unwrap_or("unknown"), LONGEST_NAMESPACE),
            })
        }
        _ => Origin::Unknown,
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
