//! Whether a pod has a sidecar already: by an earlier call of the webhook, or by hand.

use super::{container, containers};
use crate::watch::{SIDECAR_CONTAINER, SIDECAR_LABEL};
use k8s_openapi::api::core::v1::{Pod, PodSpec};

/// What of a sidecar is in a pod.
pub(super) enum Presence {
    /// All of it.
    Whole,
    /// Nothing that stands in the way of one.
    Absent,
}

/// Something of a sidecar is there and something is missing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Incomplete {
    /// The operator finds pods by the label, so this one would never be served.
    #[error(
        "container {SIDECAR_CONTAINER} is there and the label {SIDECAR_LABEL}: \"true\" is not; a pod with a sidecar written by hand \
         needs both"
    )]
    Unlabelled,
    /// The label says that there is none.
    #[error(
        "label {SIDECAR_LABEL} is {0:?}; it is set by injection, and a pod opts out by the label pilotfish.dev/inject: \"false\""
    )]
    Denied(String),
    /// A volume of ours without our container.
    #[error(
        "volume {0} belongs to a sidecar, and there is no container {SIDECAR_CONTAINER}; leave both to injection or write both"
    )]
    Volume(String),
}

/// What of a sidecar is in `pod`. Its own container under our name is taken for a sidecar only with the label.
pub(super) fn of(pod: &Pod, spec: &PodSpec) -> Result<Presence, Incomplete> {
    let label = pod
        .metadata
        .labels
        .as_ref()
        .and_then(|labels| labels.get(SIDECAR_LABEL));
    let is_labelled = label.is_some_and(|value| value == "true");
    if containers(spec).any(|container| container.name == SIDECAR_CONTAINER) {
        return is_labelled.then_some(Presence::Whole).ok_or(Incomplete::Unlabelled);
    }
    match label {
        Some(value) if !is_labelled => return Err(Incomplete::Denied(value.clone())),
        _ => {}
    }
    let mut names = spec.volumes.iter().flatten().map(|volume| &volume.name);
    match names.find(|name| container::VOLUMES.contains(&name.as_str())) {
        Some(name) => Err(Incomplete::Volume(name.clone())),
        None => Ok(Presence::Absent),
    }
}
