//! Whether a pod's sidecar is served. Pure: it is asked of a pod that was just read, and of one that is watched.

use super::AUDIENCE;
use super::seclusion;
use crate::watch::{SIDECAR_CONTAINER, SIDECAR_LABEL};
use k8s_openapi::api::core::v1::{Container, Pod, PodSpec, Volume, VolumeMount};
use kube::ResourceExt;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A container's name and what it mounts.
pub(super) type Mounting<'p> = (&'p str, &'p [VolumeMount]);

/// What of a pod decides whether its sidecar is served.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    /// For sentences: `pod shop/web`.
    pub(super) name: String,
    /// What is wrong with it, whosever image it runs: a sentence.
    pub(super) fault: Option<Arc<str>>,
    /// A container in it has our name.
    pub(crate) has_sidecar: bool,
    /// What that container runs.
    pub(super) image: String,
    /// When the API server made it, in seconds since the Unix epoch. Nobody else can say so.
    pub(super) created: i64,
}

/// What a pod shows.
pub(crate) fn shown(pod: &Pod) -> Shown {
    let mut shown = new(pod);
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    if matches!(phase, Some("Succeeded" | "Failed")) {
        shown.fault = Some(format!("{} has ended", shown.name).into());
    }
    shown
}

/// What a pod shows that is only being created.
pub(super) fn new(pod: &Pod) -> Shown {
    let name = format!("pod {}/{}", pod.namespace().unwrap_or_default(), pod.name_any());
    let sidecar = pod.spec.as_ref().and_then(sidecar);
    Shown {
        fault: composed(&name, pod).err().map(Arc::from),
        has_sidecar: sidecar.is_some(),
        image: sidecar.and_then(|sidecar| sidecar.image.clone()).unwrap_or_default(),
        created: pod.creation_timestamp().map_or(i64::MAX, |time| time.0.as_second()),
        name,
    }
}

/// Nothing, or a sentence about how a pod is composed.
fn composed(name: &str, pod: &Pod) -> Result<(), String> {
    if pod.labels().get(SIDECAR_LABEL).is_none_or(|value| value != "true") {
        return Err(format!("{name} lacks the label {SIDECAR_LABEL}: \"true\""));
    }
    let Some((spec, sidecar)) = pod.spec.as_ref().and_then(|spec| Some((spec, sidecar(spec)?))) else {
        return Err(format!("{name} has no container {SIDECAR_CONTAINER}"));
    };
    token_is_mounted_there_alone(name, spec)?;
    seclusion::check(name, spec, sidecar)
}

fn token_is_mounted_there_alone(name: &str, spec: &PodSpec) -> Result<(), String> {
    let volumes: BTreeSet<&str> = token_volumes(spec).collect();
    let mut mounting = containers(spec)
        .filter(|(_, mounts)| mounts.iter().any(|mount| volumes.contains(mount.name.as_str())))
        .map(|(container, _)| container)
        .peekable();
    if mounting.peek().is_none() {
        return Err(format!(
            "container {SIDECAR_CONTAINER} of {name} mounts no projected token for {AUDIENCE}"
        ));
    }
    match mounting.find(|container| *container != SIDECAR_CONTAINER) {
        None => Ok(()),
        Some(other) => Err(format!(
            "container {other} of {name} mounts a token for {AUDIENCE}, which only {SIDECAR_CONTAINER} may"
        )),
    }
}

fn sidecar(spec: &PodSpec) -> Option<&Container> {
    let mut all = spec.init_containers.iter().flatten().chain(&spec.containers);
    all.find(|container| container.name == SIDECAR_CONTAINER)
}

/// Of all kinds: one that is added to a running pod to debug it is one, too.
pub(super) fn containers(spec: &PodSpec) -> impl Iterator<Item = Mounting<'_>> {
    let ordinary = spec.init_containers.iter().flatten().chain(&spec.containers);
    let ordinary = ordinary.map(|container| (container.name.as_str(), &container.volume_mounts));
    let debugging = spec.ephemeral_containers.iter().flatten();
    let debugging = debugging.map(|container| (container.name.as_str(), &container.volume_mounts));
    ordinary
        .chain(debugging)
        .map(|(name, mounts)| (name, mounts.as_deref().unwrap_or_default()))
}

/// The volumes of `spec` with a token by which a pod proves to us who it is.
pub(crate) fn token_volumes(spec: &PodSpec) -> impl Iterator<Item = &str> {
    let ours = |volume: &&Volume| {
        let projected = volume.projected.iter();
        let sources = projected.flat_map(|projected| projected.sources.iter().flatten());
        let mut tokens = sources.filter_map(|source| source.service_account_token.as_ref());
        tokens.any(|token| token.audience.as_deref() == Some(AUDIENCE))
    };
    spec.volumes
        .iter()
        .flatten()
        .filter(ours)
        .map(|volume| volume.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::super::image::Trusted;
    use serde_json::{Value, json};

    fn good() -> Value {
        json!({
            "metadata": {"name": "web", "namespace": "shop", "uid": "1", "labels": {"pilotfish.dev/sidecar": "true"}},
            "spec": {
                "containers": [{"name": "app", "image": "app", "volumeMounts": [{"name": "data", "mountPath": "/d"}]}],
                "initContainers": [{
                    "name": "pilotfish",
                    "image": "pilotfish/sidecar:1",
                    "volumeMounts": [{"name": "token", "mountPath": "/t"}],
                }],
                "volumes": [
                    {"name": "data", "emptyDir": {}},
                    {"name": "token", "projected": {"sources": [
                        {"serviceAccountToken": {"audience": "vault", "path": "other"}},
                        {"serviceAccountToken": {"audience": "pilotfish.dev", "path": "token"}},
                    ]}},
                    {"name": "api", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}},
                ],
            },
            "status": {"phase": "Running"},
        })
    }

    fn judged(pod: Value) -> Result<(), String> {
        let trusted = Trusted::new(&["pilotfish/sidecar:2".to_owned(), "mirror.example/sidecar".to_owned()]);
        trusted.judge(&serde_json::from_value(pod).unwrap())
    }

    fn changed(pointer: &str, value: Value) -> Value {
        let mut pod = good();
        *pod.pointer_mut(pointer).unwrap() = value;
        pod
    }

    #[test]
    fn a_pod_as_injection_makes_it_is_served() {
        assert_eq!(judged(good()), Ok(()));
        let mut ordinary = good();
        let spec = ordinary["spec"].as_object_mut().unwrap();
        let sidecar = spec.remove("initContainers").unwrap()[0].clone();
        spec["containers"].as_array_mut().unwrap().push(sidecar);
        assert_eq!(judged(ordinary), Ok(()), "written by hand, as an ordinary container");
    }

    #[test]
    fn every_other_pod_gets_a_sentence() {
        let token = || json!([{"name": "token", "mountPath": "/t"}]);
        let with = |field: &str| {
            let mut pod = good();
            pod["spec"][field] = json!(true);
            pod
        };
        let shared = |field: &str| {
            format!(
                "pod shop/web: a pod with {field} cannot have a sidecar: its containers could read the providers' keys"
            )
        };
        let (processes, host) = (shared("shareProcessNamespace"), shared("hostPID"));
        let mut debugged = good();
        debugged["spec"]["ephemeralContainers"] = json!([{"name": "debugger", "volumeMounts": token()}]);
        for (pod, sentence) in [
            (
                changed("/metadata/labels", json!({"pilotfish.dev/sidecar": "false"})),
                "pod shop/web lacks the label pilotfish.dev/sidecar: \"true\"",
            ),
            (changed("/status/phase", json!("Succeeded")), "pod shop/web has ended"),
            (
                changed("/spec/initContainers/0/name", json!("proxy")),
                "pod shop/web has no container pilotfish",
            ),
            (with("shareProcessNamespace"), processes.as_str()),
            (with("hostPID"), host.as_str()),
            (
                changed("/spec/containers/0/volumeMounts", token()),
                "container app of pod shop/web mounts a token for pilotfish.dev, which only pilotfish may",
            ),
            (
                debugged,
                "container debugger of pod shop/web mounts a token for pilotfish.dev, which only pilotfish may",
            ),
            (
                changed("/spec/initContainers/0/volumeMounts", json!([])),
                "container pilotfish of pod shop/web mounts no projected token for pilotfish.dev",
            ),
            (
                changed(
                    "/spec/volumes/1/projected/sources/1/serviceAccountToken/audience",
                    json!("vault"),
                ),
                "container pilotfish of pod shop/web mounts no projected token for pilotfish.dev",
            ),
            (
                changed("/spec/initContainers/0/image", json!("evil.example/sidecar:1")),
                "container pilotfish of pod shop/web runs evil.example/sidecar:1, which is of no trusted repository \
                 (pilotfish/sidecar, mirror.example/sidecar)",
            ),
        ] {
            assert_eq!(judged(pod), Err(sentence.to_owned()));
        }
    }
}
