//! The pods that carry a sidecar.

use crate::identity::{Shown, Trusted, shown};
use crate::world::{ObjectName, Pod as Scope};
use k8s_openapi::api::core::v1::Pod;
use kube::core::ObjectMeta;
use kube::{Resource, ResourceExt};
use pilotfish_crds::selector::Labels;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The name of our container in every pod.
pub const SIDECAR_CONTAINER: &str = "pilotfish";

/// `metadata.uid` of a pod: no other pod ever has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PodUid(String);

/// A pod that runs, or is to run, a sidecar.
#[derive(Clone, Debug)]
pub struct LivePod {
    /// Its namespace and name.
    pub name: ObjectName,
    /// `metadata.labels`.
    pub labels: Labels,
    /// It is being deleted: it is served until it is gone, and counts as no sidecar.
    pub terminating: bool,
    /// A container in it has our name, whoever made it.
    pub has_sidecar: bool,
    /// Why its sidecar is served nothing, if it is not: it may have our label and be none of ours. Nobody waits for it.
    pub refused: Option<Arc<str>>,
}

/// A pod with our label as it is cached: who it is, and what it showed of its sidecar when all of it was looked at.
#[derive(Clone, Debug)]
pub(super) struct Carrier {
    meta: ObjectMeta,
    has_ended: bool,
    shown: Shown,
}

impl PodUid {
    /// Of a pod's metadata, or of a token.
    pub fn new(uid: impl Into<String>) -> Self {
        Self(uid.into())
    }

    /// As Kubernetes writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PodUid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Carrier {
    /// As the API server has it.
    pub(super) fn read(pod: Pod) -> Self {
        let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
        Self {
            has_ended: matches!(phase, Some("Succeeded" | "Failed")),
            shown: shown(&pod),
            meta: ObjectMeta {
                namespace: pod.metadata.namespace,
                name: pod.metadata.name,
                uid: pod.metadata.uid,
                labels: pod.metadata.labels,
                resource_version: pod.metadata.resource_version,
                deletion_timestamp: pod.metadata.deletion_timestamp,
                ..ObjectMeta::default()
            },
        }
    }
}

impl Resource for Carrier {
    type DynamicType = <Pod as Resource>::DynamicType;
    type Scope = <Pod as Resource>::Scope;

    fn kind(dt: &Self::DynamicType) -> Cow<'_, str> {
        Pod::kind(dt)
    }

    fn group(dt: &Self::DynamicType) -> Cow<'_, str> {
        Pod::group(dt)
    }

    fn version(dt: &Self::DynamicType) -> Cow<'_, str> {
        Pod::version(dt)
    }

    fn plural(dt: &Self::DynamicType) -> Cow<'_, str> {
        Pod::plural(dt)
    }

    fn meta(&self) -> &ObjectMeta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.meta
    }
}

impl LivePod {
    /// Whether a sidecar in it is to have what concerns it: neither on its way out nor refused.
    pub fn is_awaited(&self) -> bool {
        !self.terminating && self.refused.is_none()
    }

    /// What decides which policies it gets.
    pub fn scope(&self) -> Scope {
        Scope {
            namespace: self.name.namespace.clone(),
            labels: self.labels.clone(),
        }
    }
}

/// Of all labelled pods, those that have not ended. Whoever asks for its configuration by a token is judged the same way.
pub(super) fn live(pods: Vec<Arc<Carrier>>, trusted: &Trusted) -> BTreeMap<PodUid, LivePod> {
    let live = pods.iter().filter(|pod| !pod.has_ended);
    live.filter_map(|pod| {
        let live = LivePod {
            name: ObjectName::new(pod.namespace()?, pod.name_any()),
            labels: pod.labels().clone(),
            terminating: pod.meta.deletion_timestamp.is_some(),
            has_sidecar: pod.shown.has_sidecar,
            refused: trusted.judge_shown(&pod.shown).err().map(Arc::from),
        };
        Some((PodUid::new(pod.uid()?), live))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(name: &str, container: &str, image: &str, phase: &str) -> Arc<Carrier> {
        let token = json!({"serviceAccountToken": {"audience": "pilotfish.dev", "path": "token"}});
        let pod = json!({
            "metadata": {
                "name": name, "namespace": "shop", "uid": format!("uid-{name}"),
                "labels": {"app": name, "pilotfish.dev/sidecar": "true"},
            },
            "spec": {
                "containers": [{"name": "app"}],
                "initContainers": [
                    {"name": container, "image": image, "volumeMounts": [{"name": "token", "mountPath": "/t"}]},
                ],
                "volumes": [{"name": "token", "projected": {"sources": [token]}}],
            },
            "status": {"phase": phase},
        });
        Arc::new(Carrier::read(serde_json::from_value(pod).unwrap()))
    }

    #[test]
    fn a_pod_is_awaited_while_it_lives_and_its_sidecar_would_be_served() {
        let ours = "pilotfish-sidecar:2";
        let pods = vec![
            pod("one", "pilotfish", ours, "Running"),
            pod("two", "init", ours, "Running"),
            pod("three", "pilotfish", "evil.example/pilotfish-sidecar:2", "Running"),
            pod("four", "pilotfish", ours, "Pending"),
            pod("five", "pilotfish", ours, "Succeeded"),
        ];
        let live = live(pods, &Trusted::new(&["pilotfish-sidecar:1".to_owned()]));
        let names = |awaited: bool| -> Vec<_> {
            let pods = live.values().filter(|pod| pod.is_awaited() == awaited);
            pods.map(|pod| pod.name.to_string()).collect()
        };
        assert_eq!(names(true), ["shop/four", "shop/one"]);
        assert_eq!(names(false), ["shop/three", "shop/two"]);
        let why = |uid: &str| live[&PodUid::new(uid)].refused.as_deref().unwrap();
        assert_eq!(why("uid-two"), "pod shop/two has no container pilotfish");
        let image = "container pilotfish of pod shop/three runs evil.example/pilotfish-sidecar:2, which is of no trusted \
                     repository (pilotfish-sidecar)";
        assert_eq!(why("uid-three"), image);
    }
}
