//! A pod → what must change in it so that it has a sidecar.
//!
//! Pure: the webhook calls [`inject`] with the pod that somebody creates, and answers with the patch. The sidecar is a
//! native one (an init container that is restarted and never waited for at the end), so Jobs end and the application
//! starts after it and stops before it. It comes first, so that every other container, init containers too, may call it.
//!
//! What a pod's author wrote stays as it was: a variable that is set is not set again, a sidecar written by hand is left
//! alone. What `envFrom` will set cannot be seen from here, and a variable of `env` wins over it: the annotation
//! [`INJECTED`] names the containers where that may have happened.

mod again;
mod conflict;
mod container;
mod environment;
mod patch;
mod presence;
mod record;
mod resources;

pub use conflict::Obstacle;
pub(crate) use conflict::obstacle;
pub use resources::{Resources, ResourcesError};

use crate::identity::Trusted;
use crate::watch::SIDECAR_LABEL;
use environment::Environment;
use json_patch::Patch;
use k8s_openapi::api::core::v1::{Container, Pod, PodSpec};
use presence::Presence;
use record::Record;
use serde_json::json;
use std::collections::BTreeMap;

/// On a namespace (`enabled`) or on a pod (`true`, `false`): who gets a sidecar.
pub const INJECT: &str = "pilotfish.dev/inject";
/// On a pod: what injection did to it, or why it did nothing, as JSON.
pub const INJECTED: &str = "pilotfish.dev/injected";
/// On a pod: whether its containers wait for the first configuration (`Wait`, the default) or not (`Proceed`).
pub const START: &str = "pilotfish.dev/start";
/// How the names of the annotations begin by which a pod sizes its sidecar.
const PREFIX: &str = "pilotfish.dev/";
/// The ConfigMap with the certificates that a sidecar trusts, in every namespace that has one.
pub const TRUST: &str = "pilotfish-ca";

/// What every sidecar is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The image, as a container names it.
    pub image: String,
    /// Where the operator serves sidecars, `host:port`.
    pub operator: String,
    /// The name that the operator's certificate must have.
    pub operator_name: String,
    /// The namespace of the operator, whose pods get no sidecar.
    pub operator_namespace: String,
    /// The host on which a sidecar is scraped and probed: `0.0.0.0`, or `[::]` where pods have IPv6 addresses.
    pub telemetry_host: String,
    /// What it asks of its node where its pod says nothing else.
    pub resources: Resources,
}

/// Why a pod is not let in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A label or an annotation has a value that means nothing.
    #[error("{kind} {name} is {value:?}; it may be {known}")]
    UnknownWord {
        /// Label or annotation.
        kind: &'static str,
        /// Its name.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        known: &'static str,
    },
    /// Something of a sidecar is there and something is missing.
    #[error("{0}")]
    Incomplete(presence::Incomplete),
    /// No sidecar can do its work in this pod, and the pod asks for one.
    #[error("{0}, and the pod asks for one by the label pilotfish.dev/inject")]
    Impossible(Obstacle),
    /// A container has what the sidecar alone may have.
    #[error("{0}")]
    Taken(conflict::Taken),
    /// The sidecar is there already, and what became of it or of its pod keeps the operator from serving it.
    #[error("the sidecar that was injected would be served nothing: {0}")]
    Unserved(String),
    /// The application would wait for the end of the sidecar, or not for its start.
    #[error(
        "container pilotfish was injected as an init container with restartPolicy Always, and something made another one \
         of it"
    )]
    Misplaced,
    /// An annotation about resources cannot be followed.
    #[error(transparent)]
    Resources(#[from] ResourcesError),
}

/// Who wants a sidecar in a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    /// The pod itself.
    Pod,
    /// Its namespace: the webhook is called for no other pod.
    Namespace,
    /// Nobody.
    None,
}

/// What must change in a `pod` that is created in `namespace`; `None` if nothing. A pod to which the patch was applied
/// needs no other. A sidecar that was injected before is judged by `trusted`; one that was written by hand is left alone.
pub fn inject(pod: &Pod, namespace: &str, settings: &Settings, trusted: &Trusted) -> Result<Option<Patch>, Refusal> {
    let wish = wish(pod)?;
    if wish == Wish::None || is_excluded(pod, namespace, settings) {
        return Ok(None);
    }
    let spec = pod.spec.clone().unwrap_or_default();
    match presence::of(pod, &spec).map_err(Refusal::Incomplete)? {
        Presence::Whole => {
            let record = annotations(pod).get(INJECTED).and_then(|text| Record::read(text));
            return record.map_or(Ok(None), |record| again::again(pod, &spec, record, trusted));
        }
        Presence::Absent => {}
    }
    if let Some(obstacle) = obstacle(&spec) {
        return without(pod, wish, obstacle);
    }
    conflict::check(&spec).map_err(Refusal::Taken)?;
    with(pod, &spec, settings).map(Some)
}

/// The patch that adds a sidecar.
fn with(pod: &Pod, spec: &PodSpec, settings: &Settings) -> Result<Patch, Refusal> {
    let waits = waits(pod)?;
    let resources = settings
        .resources
        .within(spec.resources.as_ref())
        .overridden(PREFIX, |name| annotations(pod).get(name))?;
    let environments = containers(spec).enumerate();
    let environments = environments.map(|(place, container)| (place, container, Environment::of(container)));
    let environments: Vec<_> = environments.collect();
    let mut record = Record::new(&settings.image);
    for (_, container, environment) in &environments {
        record.note(container, environment);
    }

    let mut patch = patch::Builder::default();
    // Before the sidecar takes the first place, while the others stand where the pod's author sees them.
    patch.environments(spec, &environments);
    patch.prepend(
        "initContainers",
        spec.init_containers.as_ref(),
        container::container(settings, &resources, waits),
    );
    patch.append("volumes", spec.volumes.as_ref(), container::volumes());
    patch.mark("labels", pod.metadata.labels.as_ref(), SIDECAR_LABEL, "true");
    patch.mark(
        "annotations",
        pod.metadata.annotations.as_ref(),
        INJECTED,
        &record.text(),
    );
    Ok(patch.finish())
}

/// What is left of injection where a sidecar cannot work: a refusal for the pod that asked, a word for the one that only
/// lives in a namespace that did, because nodes need some of those.
fn without(pod: &Pod, wish: Wish, obstacle: Obstacle) -> Result<Option<Patch>, Refusal> {
    if wish == Wish::Pod {
        return Err(Refusal::Impossible(obstacle));
    }
    let word = json!({"skipped": obstacle.to_string()}).to_string();
    if annotations(pod).get(INJECTED) == Some(&word) {
        return Ok(None);
    }
    let mut patch = patch::Builder::default();
    patch.mark("annotations", pod.metadata.annotations.as_ref(), INJECTED, &word);
    Ok(Some(patch.finish()))
}

fn wish(pod: &Pod) -> Result<Wish, Refusal> {
    match pod.metadata.labels.as_ref().and_then(|labels| labels.get(INJECT)) {
        None => Ok(Wish::Namespace),
        Some(word) => match word.as_str() {
            "true" => Ok(Wish::Pod),
            "false" => Ok(Wish::None),
            _ => Err(unknown("label", INJECT, word, r#""true" or "false""#)),
        },
    }
}

fn waits(pod: &Pod) -> Result<bool, Refusal> {
    match annotations(pod).get(START).map(String::as_str) {
        None | Some("Wait") => Ok(true),
        Some("Proceed") => Ok(false),
        Some(word) => Err(unknown("annotation", START, word, "Wait or Proceed")),
    }
}

fn unknown(kind: &'static str, name: &'static str, value: &str, known: &'static str) -> Refusal {
    Refusal::UnknownWord {
        kind,
        name,
        value: value.to_owned(),
        known,
    }
}

/// The selectors of the webhook leave these out; this holds when somebody changed them. A mirror pod is a kubelet's
/// picture of a file, and nothing but the file can change it.
fn is_excluded(pod: &Pod, namespace: &str, settings: &Settings) -> bool {
    namespace == settings.operator_namespace
        || namespace.starts_with("kube-")
        || annotations(pod).contains_key("kubernetes.io/config.mirror")
}

fn annotations(pod: &Pod) -> &BTreeMap<String, String> {
    static NONE: BTreeMap<String, String> = BTreeMap::new();
    pod.metadata.annotations.as_ref().unwrap_or(&NONE)
}

/// Init containers, then the others.
fn containers(spec: &PodSpec) -> impl Iterator<Item = &Container> {
    spec.init_containers.iter().flatten().chain(&spec.containers)
}
