//! A pod that has its sidecar from an earlier call: other webhooks had their turn after it.
//!
//! The API server asks once more when one of them changed the pod. Containers that came since get their variables, the
//! sidecar goes back to the first place, and what would make it useless refuses the pod here, with a sentence for whoever
//! creates it, instead of leaving it to wait for its sidecar. A copy of a pod that was injected long ago comes by here,
//! too: what the record names is left as it is, and its sidecar is judged as the operator will judge it.

use super::environment::Environment;
use super::record::Record;
use super::{INJECTED, Refusal, conflict, containers, patch};
use crate::identity::Trusted;
use crate::watch::SIDECAR_CONTAINER;
use json_patch::Patch;
use k8s_openapi::api::core::v1::{Container, Pod, PodSpec};

/// What must change in a `pod` whose annotation is `record`; `None` if nothing.
pub(super) fn again(
    pod: &Pod,
    spec: &PodSpec,
    mut record: Record,
    trusted: &Trusted,
) -> Result<Option<Patch>, Refusal> {
    conflict::check(spec).map_err(Refusal::Taken)?;
    trusted.judge_new(pod).map_err(Refusal::Unserved)?;
    let place = place(spec)?;
    let environments = unnamed(spec, &record);
    let is_complete = environments.is_empty();
    if is_complete && place == 0 {
        return Ok(None);
    }

    let mut patch = patch::Builder::default();
    // Before the sidecar goes to its place, while the others stand where they are seen.
    patch.environments(spec, &environments);
    patch.bring_forward("initContainers", place);
    if !is_complete {
        environments
            .iter()
            .for_each(|(_, container, environment)| record.note(container, environment));
        patch.mark(
            "annotations",
            pod.metadata.annotations.as_ref(),
            INJECTED,
            &record.text(),
        );
    }
    Ok(Some(patch.finish()))
}

/// The containers that came since, by their places among all.
fn unnamed<'p>(spec: &'p PodSpec, record: &Record) -> Vec<(usize, &'p Container, Environment)> {
    let others = containers(spec)
        .enumerate()
        .filter(|(_, container)| container.name != SIDECAR_CONTAINER && !record.names(container));
    others
        .map(|(place, container)| (place, container, Environment::of(container)))
        .collect()
}

/// Where the sidecar stands among the init containers. Any other place is one that injection does not give it.
fn place(spec: &PodSpec) -> Result<usize, Refusal> {
    let mut all = spec.init_containers.iter().flatten();
    let Some(place) = all.position(|container| container.name == SIDECAR_CONTAINER) else {
        return Err(Refusal::Misplaced);
    };
    let sidecar = spec.init_containers.iter().flatten().nth(place);
    match sidecar.and_then(|sidecar| sidecar.restart_policy.as_deref()) {
        Some("Always") => Ok(place),
        _ => Err(Refusal::Misplaced),
    }
}
