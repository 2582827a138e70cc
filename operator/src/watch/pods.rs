//! The pods that carry a sidecar.

use crate::world::{ObjectName, Pod as Scope};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use pilotfish_crds::selector::Labels;
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
    /// As it was last seen, without what nobody reads of it.
    pub pod: Arc<Pod>,
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

impl LivePod {
    /// What decides which policies it gets.
    pub fn scope(&self) -> Scope {
        Scope {
            namespace: self.name.namespace.clone(),
            labels: self.labels.clone(),
        }
    }
}

/// Of all labelled pods, those with our container that have not ended.
pub(super) fn live(pods: Vec<Arc<Pod>>) -> BTreeMap<PodUid, LivePod> {
    pods.into_iter().filter_map(live_pod).collect()
}

fn live_pod(pod: Arc<Pod>) -> Option<(PodUid, LivePod)> {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    if matches!(phase, Some("Succeeded" | "Failed")) {
        return None;
    }
    let spec = pod.spec.as_ref()?;
    let mut containers = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    if !containers.any(|container| container.name == SIDECAR_CONTAINER) {
        return None;
    }
    let uid = PodUid::new(pod.uid()?);
    let live = LivePod {
        name: ObjectName::new(pod.namespace()?, pod.name_any()),
        labels: pod.labels().clone(),
        terminating: pod.metadata.deletion_timestamp.is_some(),
        pod,
    };
    Some((uid, live))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(name: &str, containers: &[&str], phase: &str) -> Arc<Pod> {
        let containers: Vec<_> = containers.iter().map(|name| json!({"name": name})).collect();
        let pod = json!({
            "metadata": {"name": name, "namespace": "shop", "uid": format!("uid-{name}"), "labels": {"app": name}},
            "spec": {"containers": [{"name": "app"}], "initContainers": containers},
            "status": {"phase": phase},
        });
        Arc::new(serde_json::from_value(pod).unwrap())
    }

    #[test]
    fn a_pod_counts_while_it_lives_and_carries_our_container() {
        let pods = vec![
            pod("one", &["pilotfish"], "Running"),
            pod("two", &["init"], "Running"),
            pod("three", &["init", "pilotfish"], "Pending"),
            pod("four", &["pilotfish"], "Succeeded"),
        ];
        let live = live(pods);
        let names: Vec<_> = live.values().map(|pod| pod.name.to_string()).collect();
        assert_eq!(names, ["shop/one", "shop/three"]);
    }
}
