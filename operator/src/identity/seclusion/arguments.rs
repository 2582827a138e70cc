//! What a sidecar's program is told: whom to take for the operator, and where to write what it is sent.
//!
//! A sidecar gives its token to whoever has a certificate of the authority in `--ca`, and writes the credentials it is sent
//! below `--state`. Of all folders only those of volumes are its own: `/dev/shm`, for one, is the pod's.

use super::is_within;
use crate::inject::TRUST;
use k8s_openapi::api::core::v1::{Container, PodSpec, Volume, VolumeMount};

/// What the runtime mounts into every container.
const RUNTIMES: [&str; 3] = ["/dev", "/proc", "/sys"];
/// What the operator calls the bundle in the ConfigMap.
const BUNDLE: &str = "ca.crt";

/// Nothing, or what is wrong with the sidecar.
pub(super) fn check(spec: &PodSpec, sidecar: &Container) -> Result<(), String> {
    let arguments = sidecar.args.as_deref().unwrap_or_default();
    if let Some(argument) = arguments.iter().find(|argument| is_unknown(argument)) {
        return Err(format!(
            "has the argument {argument:?}, of which only its variables say what it is"
        ));
    }
    for path in values(arguments, "--ca") {
        if varies(path) || !is_bundle(path, spec, sidecar) {
            return Err(format!(
                "is told to trust {path}, and may trust {BUNDLE} of the ConfigMap {TRUST} alone, mounted whole"
            ));
        }
    }
    for path in values(arguments, "--state") {
        if varies(path) || !is_its_own(path, spec, sidecar) {
            return Err(format!("keeps its state in {path}, which is no emptyDir of its own"));
        }
    }
    Ok(())
}

/// Whether Kubernetes may make another flag of it: variables may only stand in the value of one.
fn is_unknown(argument: &str) -> bool {
    let Some((before, _)) = argument.split_once("$(") else {
        return false;
    };
    !(before.starts_with("--") && before.contains('='))
}

/// Whether Kubernetes may make another path of it: a variable may be `../..`.
fn varies(path: &str) -> bool {
    path.contains("$(")
}

/// What is given to `flag`, as one argument or as two.
fn values<'a>(arguments: &'a [String], flag: &'static str) -> impl Iterator<Item = &'a str> {
    arguments.iter().enumerate().filter_map(move |(index, argument)| {
        let rest = argument.strip_prefix(flag)?;
        match rest.strip_prefix('=') {
            Some(value) => Some(value),
            None if rest.is_empty() => Some(arguments.get(index + 1).map_or("", String::as_str)),
            None => None,
        }
    })
}

/// Whether `path` is in a volume of the sidecar's, and not in what the runtime mounts over that.
fn is_its_own(path: &str, spec: &PodSpec, sidecar: &Container) -> bool {
    let mut kept = mounted(spec, sidecar, |volume| volume.empty_dir.is_some());
    kept.any(|mount| is_within(path, &mount.mount_path)) && !RUNTIMES.iter().any(|folder| is_within(path, folder))
}

/// Whether `path` is what the operator writes, and nothing is mounted over it.
fn is_bundle(path: &str, spec: &PodSpec, sidecar: &Container) -> bool {
    let of_trust = |volume: &Volume| {
        let map = volume.config_map.as_ref();
        map.is_some_and(|map| map.name == TRUST && map.items.as_ref().is_none_or(Vec::is_empty))
    };
    let mut trusts = mounted(spec, sidecar, of_trust);
    let is_whole = |mount: &VolumeMount| mount.sub_path.is_none() && mount.sub_path_expr.is_none();
    let mounts = || sidecar.volume_mounts.iter().flatten();
    trusts.any(|trust| {
        let file = format!("{}/{BUNDLE}", trust.mount_path);
        let covers = |other: &VolumeMount| other != trust && is_within(&other.mount_path, &trust.mount_path);
        is_within(path, &file) && is_whole(trust) && !mounts().any(covers)
    })
}

/// The mounts of those volumes.
fn mounted<'p>(
    spec: &'p PodSpec,
    sidecar: &'p Container,
    is_wanted: impl Fn(&Volume) -> bool + 'p,
) -> impl Iterator<Item = &'p VolumeMount> {
    let wanted = move |mount: &&VolumeMount| {
        let mut volumes = spec.volumes.iter().flatten();
        volumes.any(|volume| volume.name == mount.name && is_wanted(volume))
    };
    sidecar.volume_mounts.iter().flatten().filter(wanted)
}
