//! An object as it is listed and watched: whole, if it can be read, and otherwise no more than whose it is.
//!
//! Objects are read a list at a time, and one that cannot be read must not take the others along. Whoever may patch an
//! object also writes who manages its fields, and since when: a time that the API server takes may be one that we cannot
//! hold, and a nesting deeper than any parser follows. Nothing here reads that, so it is passed over unread. (Of a watch's
//! event that takes an API server that writes its type before its object, as they do.)

use kube::Resource;
use kube::core::ObjectMeta;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What is left of the metadata of an object that cannot be read.
const IDENTITY: &[&str] = &["name", "namespace", "uid", "resourceVersion", "generation", "labels"];

/// An object that spoils only itself.
#[derive(Clone, Debug)]
pub(crate) struct Sound<K>(pub(crate) K);

type Members = BTreeMap<String, Box<RawValue>>;

impl<'de, K: DeserializeOwned> Deserialize<'de> for Sound<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut object = Members::deserialize(deserializer)?;
        let read = object.get("metadata").map(|meta| serde_json::from_str(meta.get()));
        let mut meta: Members = read.transpose().map_err(D::Error::custom)?.unwrap_or_default();
        meta.remove("managedFields");
        let whole = read_again(&mut object, &meta);
        let read = whole.or_else(|error| {
            meta.retain(|key, _| IDENTITY.contains(&key.as_str()));
            object.retain(|key, _| matches!(key.as_str(), "apiVersion" | "kind" | "revision"));
            read_again(&mut object, &meta).map_err(|_: serde_json::Error| error)
        });
        read.map(Self).map_err(D::Error::custom)
    }
}

fn read_again<K: DeserializeOwned>(object: &mut Members, meta: &Members) -> serde_json::Result<K> {
    object.insert("metadata".to_owned(), serde_json::value::to_raw_value(meta)?);
    serde_json::from_str(&serde_json::to_string(&object)?)
}

impl<K: Resource> Resource for Sound<K> {
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
    use super::Sound;
    use k8s_openapi::api::core::v1::Pod;
    use kube::api::{ObjectList, WatchEvent};

    /// Go reads the years up to 9999.
    const BEYOND: &str = "9999-12-31T23:59:59Z";

    const NOW: &str = "2026-11-22T00:00:00Z";

    fn pod(name: &str, managed: &str, fields: &str, probed: &str) -> String {
        let managed = format!(r#"[{{"manager":"m","operation":"Update","time":"{managed}","fieldsV1":{fields}}}]"#);
        let meta =
            format!(r#"{{"name":"{name}","namespace":"a","uid":"u","labels":{{"l":"v"}},"managedFields":{managed}}}"#);
        let status = format!(r#"{{"conditions":[{{"type":"Ready","status":"True","lastProbeTime":"{probed}"}}]}}"#);
        let spec = r#"{"containers":[{"name":"app"}]}"#;
        format!(r#"{{"apiVersion":"v1","kind":"Pod","metadata":{meta},"spec":{spec},"status":{status}}}"#)
    }

    fn pods() -> [(String, bool); 4] {
        let deep = format!("{}1{}", r#"{"f:a":"#.repeat(500), "}".repeat(500));
        [
            (pod("sound", NOW, "{}", NOW), true),
            (pod("managed", BEYOND, "{}", NOW), true),
            (pod("deep", NOW, &deep, NOW), true),
            (pod("probed", NOW, "{}", BEYOND), false),
        ]
    }

    #[test]
    fn one_object_that_cannot_be_read_spoils_only_itself() {
        let items = pods().map(|(pod, _)| pod);
        let meta = r#""metadata":{"resourceVersion":"1"}"#;
        let list = format!(
            r#"{{"apiVersion":"v1","kind":"PodList",{meta},"items":[{}]}}"#,
            items.join(",")
        );
        let list: ObjectList<Sound<Pod>> = serde_json::from_str(&list).unwrap();
        for (Sound(pod), (_, whole)) in list.items.iter().zip(pods()) {
            let name = pod.metadata.name.as_deref().unwrap();
            assert_eq!(pod.spec.is_some(), whole, "{name}");
            assert_eq!(pod.metadata.labels.as_ref().unwrap()["l"], "v", "{name}");
            assert_eq!(pod.metadata.managed_fields, None, "{name}");
        }
    }

    #[test]
    fn nor_does_it_end_a_watch() {
        for (pod, whole) in pods() {
            let event = format!(r#"{{"type":"ADDED","object":{pod}}}"#);
            let WatchEvent::Added(Sound(pod)) = serde_json::from_str::<WatchEvent<Sound<Pod>>>(&event).unwrap() else {
                panic!("{event}");
            };
            assert_eq!(pod.spec.is_some(), whole);
        }
    }
}
