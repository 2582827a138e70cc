//! A Secret with our label as it is cached: what of it may be used, and whose it is. The rest is dropped as it is decoded.

use crate::keys::Kept;
use crate::world;
use k8s_openapi::api::core::v1::Secret;
use kube::Resource;
use kube::core::ObjectMeta;
use serde::Deserialize;
use std::borrow::Cow;

/// A Secret with our label.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "Secret")]
pub(super) struct Labelled {
    meta: ObjectMeta,
    /// As far as it may hold a caller's key.
    pub(super) kept: Kept,
    /// What of it may be used.
    pub(super) entries: world::Secret,
}

impl From<Secret> for Labelled {
    fn from(secret: Secret) -> Self {
        let kept = Kept::of(&secret);
        let data = secret.data.into_iter().flatten();
        Self {
            meta: ObjectMeta {
                namespace: secret.metadata.namespace,
                name: secret.metadata.name,
                resource_version: secret.metadata.resource_version,
                ..ObjectMeta::default()
            },
            kept,
            entries: world::Secret::of(data.map(|(key, value)| (key, value.0))),
        }
    }
}

impl Resource for Labelled {
    type DynamicType = <Secret as Resource>::DynamicType;
    type Scope = <Secret as Resource>::Scope;

    fn kind(dt: &Self::DynamicType) -> Cow<'_, str> {
        Secret::kind(dt)
    }

    fn group(dt: &Self::DynamicType) -> Cow<'_, str> {
        Secret::group(dt)
    }

    fn version(dt: &Self::DynamicType) -> Cow<'_, str> {
        Secret::version(dt)
    }

    fn plural(dt: &Self::DynamicType) -> Cow<'_, str> {
        Secret::plural(dt)
    }

    fn meta(&self) -> &ObjectMeta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.meta
    }
}
