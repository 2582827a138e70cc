//! That nothing else in a pod reaches what its sidecar holds.
//!
//! A pod's author may write the sidecar by hand, and another webhook may change an injected one. Neither may come by a
//! provider's key that way, nor by the token with which keys are asked for: not by processes that see each other, not by a
//! volume that others mount, not by foreign code in the sidecar's container, and not by what its own program is told to
//! trust or where it is told to write. The token alone does not decide that, so the pod is looked at: when it shows its
//! token, and whenever the watch sees it.

mod arguments;
mod program;
mod volumes;

use crate::inject::obstacle;
use crate::watch::SIDECAR_CONTAINER;
use k8s_openapi::api::core::v1::{Container, PodSpec};
use std::path::{Component, Path};

/// Nothing, or a sentence about the pod `name`.
pub(super) fn check(name: &str, spec: &PodSpec, sidecar: &Container) -> Result<(), String> {
    if let Some(obstacle) = obstacle(spec) {
        return Err(format!("{name}: {obstacle}"));
    }
    if let Some(debugger) = debugger(spec) {
        return Err(format!(
            "container {debugger} of {name} was added to see the processes of {SIDECAR_CONTAINER}"
        ));
    }
    let sidecars = |trouble: String| format!("container {SIDECAR_CONTAINER} of {name} {trouble}");
    if let Some(what) = program::changed_by(sidecar) {
        return Err(sidecars(format!(
            "has {what}, by which others could come by what it holds"
        )));
    }
    volumes::check(spec, sidecar).map_err(sidecars)?;
    arguments::check(spec, sidecar).map_err(sidecars)
}

/// A container that joined the sidecar's processes while the pod ran.
fn debugger(spec: &PodSpec) -> Option<&str> {
    let mut added = spec.ephemeral_containers.iter().flatten();
    let debugger = added.find(|added| added.target_container_name.as_deref() == Some(SIDECAR_CONTAINER))?;
    Some(&debugger.name)
}

/// Whether `path` is `folder` or below it. Both are written from the root: elsewhere the kubelet puts a root before them.
fn is_within(path: &str, folder: &str) -> bool {
    is_plain(path) && is_plain(folder) && Path::new(path).starts_with(folder)
}

/// Whether it says where it leads: from the root, and never back.
fn is_plain(path: &str) -> bool {
    let path = Path::new(path);
    path.is_absolute() && !path.components().any(|part| part == Component::ParentDir)
}

#[cfg(test)]
mod tests;
