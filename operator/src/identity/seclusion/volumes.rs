//! What a sidecar mounts: nothing that others could read or write, and nothing in the place of its program.

use super::super::pod::{Mounting, containers};
use super::{is_plain, is_within};
use crate::watch::SIDECAR_CONTAINER;
use k8s_openapi::api::core::v1::{Container, PodSpec, Volume};

/// Where what a pod's author wrote may be mounted: anywhere else it could hide the program, its libraries or the
/// certificates that it trusts. No image has a link that leads out of here.
const FILLED_BELOW: &str = "/var/run/secrets";

/// Nothing, or what is wrong with the sidecar.
pub(super) fn check(spec: &PodSpec, sidecar: &Container) -> Result<(), String> {
    for mount in sidecar.volume_mounts.iter().flatten() {
        let name = &mount.name;
        if !is_plain(&mount.mount_path) {
            let path = &mount.mount_path;
            return Err(format!(
                "mounts volume {name} at {path}, which must be a path from the root, without .."
            ));
        }
        let volume = spec.volumes.iter().flatten().find(|volume| volume.name == *name);
        let others = || containers(spec).filter(|(other, _)| *other != SIDECAR_CONTAINER);
        match volume {
            Some(volume) if is_of_tokens(volume) => {}
            Some(volume) if is_filled(volume) => {
                if !is_within(&mount.mount_path, FILLED_BELOW) {
                    let path = &mount.mount_path;
                    return Err(format!(
                        "mounts volume {name} at {path}, and what others write may only be below {FILLED_BELOW}"
                    ));
                }
            }
            Some(volume) if volume.empty_dir.is_some() && !is_mounted(volume, others()) => {}
            _ => return Err(format!("mounts volume {name}, which others could read or write")),
        }
    }
    Ok(())
}

/// Nobody chooses what is in a token, so it stands for no program.
fn is_of_tokens(volume: &Volume) -> bool {
    let sources = volume.projected.iter().flat_map(|projected| &projected.sources);
    let mut sources = sources.flatten().peekable();
    sources.peek().is_some() && sources.all(|source| source.service_account_token.is_some())
}

/// By the kubelet, with what a pod's author may have written; no container can write to it.
fn is_filled(volume: &Volume) -> bool {
    volume.projected.is_some() || volume.config_map.is_some() || volume.downward_api.is_some()
}

fn is_mounted<'p>(volume: &Volume, mut by: impl Iterator<Item = Mounting<'p>>) -> bool {
    by.any(|(_, mounts)| mounts.iter().any(|mount| mount.name == volume.name))
}
