//! An object that says something this build does not know is no object of its kind.
//!
//! A newer API server's schema lets fields through that this build was not made for. Such a field may be a limit; to
//! serve the rest as if it were not there would ignore it in silence. So the object is told apart by its first unknown
//! field, and what served before it stays in force.

use kube::Resource;
use kube::core::ObjectMeta;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;

/// An object of which every field of `spec` is known.
#[derive(Clone, Debug)]
pub(super) struct Strict<K>(pub(super) K);

impl<'de, K: DeserializeOwned> Deserialize<'de> for Strict<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        known(deserializer, "spec.").map(Self)
    }
}

/// What is read, if every field below `part` of it is known.
pub(super) fn known<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
    part: &str,
) -> Result<T, D::Error> {
    let mut unknown = None;
    let mut note = |path: serde_ignored::Path<'_>| {
        // An optional field is a step of its own in such a path.
        let path = path.to_string().replace(".?", "");
        if unknown.is_none() && path.starts_with(part) {
            unknown = Some(path);
        }
    };
    let noting = serde_ignored::Deserializer::new(deserializer, &mut note);
    let read = serde_path_to_error::deserialize(noting);
    let read = read.map_err(|error| D::Error::custom(format_args!("{}: {}", error.path(), error.inner())))?;
    match unknown {
        None => Ok(read),
        Some(path) => Err(D::Error::custom(format_args!(
            "{path} is not known to this version of the operator; upgrade it, or remove the field"
        ))),
    }
}

impl<K: Resource> Resource for Strict<K> {
    type DynamicType = K::DynamicType;
    type Scope = K::Scope;

    fn kind(dt: &K::DynamicType) -> Cow<'_, str> {
        K::kind(dt)
    }

    fn group(dt: &K::DynamicType) -> Cow<'_, str> {
        K::group(dt)
    }

    fn version(dt: &K::DynamicType) -> Cow<'_, str> {
        K::version(dt)
    }

    fn plural(dt: &K::DynamicType) -> Cow<'_, str> {
        K::plural(dt)
    }

    fn meta(&self) -> &ObjectMeta {
        self.0.meta()
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        self.0.meta_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::core::DeserializeGuard;
    use pilotfish_crds::ModelDeployment;
    use serde_json::{Value, json};

    fn read(spec: Value) -> Result<ModelDeployment, String> {
        let object = json!({
            "apiVersion": "pilotfish.dev/v1alpha1", "kind": "ModelDeployment",
            "metadata": {"name": "east", "managedFields": [{"fieldsV1": {"f:spec": {}}}], "someday": 1},
            "spec": spec,
        });
        let guarded: DeserializeGuard<Strict<ModelDeployment>> = serde_json::from_value(object).unwrap();
        guarded.0.map(|strict| strict.0).map_err(|invalid| {
            assert_eq!(invalid.metadata.name.as_deref(), Some("east"));
            invalid.error
        })
    }

    #[test]
    fn a_field_of_another_version_is_told_by_its_path() {
        let known = json!({"provider": "OpenAI", "model": "m", "credentials": {"none": {}}});
        assert!(read(known.clone()).is_ok());
        let mut newer = known;
        newer["timeouts"] = json!({"attempt": "5s", "later": {"deep": true}});
        assert_eq!(
            read(newer).unwrap_err(),
            "spec.timeouts.later is not known to this version of the operator; upgrade it, or remove the field"
        );
    }

    #[test]
    fn a_spec_that_does_not_fit_keeps_its_name() {
        let error = read(json!({"provider": 5})).unwrap_err();
        assert_eq!(error, "spec.provider: Invalid type integer `5`. Expected a string");
    }
}
