//! What in a pod cannot stand beside a sidecar.

use super::container::{DATA_PORT, TELEMETRY_PORT, VOLUMES};
use super::containers;
use crate::identity::token_volumes;
use crate::watch::SIDECAR_CONTAINER;
use k8s_openapi::api::core::v1::{Container, PodSpec};

/// Something about a pod as a whole because of which no sidecar can work in it, or keep its secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// The sidecar's loopback would be the node's.
    #[error("a pod with hostNetwork cannot have a sidecar: its port would be open to everything on the node")]
    HostNetwork,
    /// Root of another container could become the sidecar's user and read its memory.
    #[error("a pod with shareProcessNamespace cannot have a sidecar: its containers could read the providers' keys")]
    SharedProcesses,
    /// As above, for all pods of the node.
    #[error("a pod with hostPID cannot have a sidecar: its containers could read the providers' keys")]
    HostProcesses,
    /// The sidecar is a program for Linux.
    #[error("a pod for Windows cannot have a sidecar")]
    Windows,
}

/// A container has what the sidecar alone may have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Taken {
    /// Only one of the two can listen.
    #[error(
        "container {container} has port {port}, which the sidecar needs; choose another port, or leave the pod out by \
         the label pilotfish.dev/inject: \"false\""
    )]
    Port {
        /// Which container.
        container: String,
        /// Which port.
        port: u16,
    },
    /// Volumes of the sidecar hold tokens and the providers' keys.
    #[error("container {container} mounts volume {volume}, which belongs to the sidecar alone")]
    Volume {
        /// Which container.
        container: String,
        /// Which volume.
        volume: String,
    },
    /// The operator would serve no sidecar beside it.
    #[error(
        "container {container} mounts volume {volume}, which has a token for pilotfish.dev: only the sidecar may \
         prove who the pod is"
    )]
    Token {
        /// Which container.
        container: String,
        /// Which volume.
        volume: String,
    },
}

/// The first obstacle in `spec`.
pub(crate) fn obstacle(spec: &PodSpec) -> Option<Obstacle> {
    let is_windows = spec.os.as_ref().is_some_and(|os| os.name == "windows")
        || spec
            .node_selector
            .iter()
            .flatten()
            .any(|(key, value)| key == "kubernetes.io/os" && value == "windows");
    let obstacles = [
        (spec.host_network == Some(true), Obstacle::HostNetwork),
        (spec.share_process_namespace == Some(true), Obstacle::SharedProcesses),
        (spec.host_pid == Some(true), Obstacle::HostProcesses),
        (is_windows, Obstacle::Windows),
    ];
    obstacles
        .into_iter()
        .find_map(|(stands, obstacle)| stands.then_some(obstacle))
}

/// That no container beside the sidecar claims what is the sidecar's.
pub(super) fn check(spec: &PodSpec) -> Result<(), Taken> {
    let mut others = containers(spec).filter(|container| container.name != SIDECAR_CONTAINER);
    others.try_for_each(|container| {
        check_ports(container)?;
        check_mounts(container)?;
        check_tokens(container, spec)
    })
}

fn check_ports(container: &Container) -> Result<(), Taken> {
    let declared = container
        .ports
        .iter()
        .flatten()
        .filter(|port| port.protocol.as_deref().is_none_or(|protocol| protocol == "TCP"));
    let is_ours = |port: &u16| [DATA_PORT, TELEMETRY_PORT].contains(port);
    let mut numbers = declared.filter_map(|port| u16::try_from(port.container_port).ok());
    match numbers.find(is_ours) {
        Some(port) => Err(Taken::Port {
            container: container.name.clone(),
            port,
        }),
        None => Ok(()),
    }
}

fn check_tokens(container: &Container, spec: &PodSpec) -> Result<(), Taken> {
    let mut mounted = container.volume_mounts.iter().flatten().map(|mount| &mount.name);
    match mounted.find(|name| token_volumes(spec).any(|volume| volume == name.as_str())) {
        Some(volume) => Err(Taken::Token {
            container: container.name.clone(),
            volume: volume.clone(),
        }),
        None => Ok(()),
    }
}

fn check_mounts(container: &Container) -> Result<(), Taken> {
    let mut names = container.volume_mounts.iter().flatten().map(|mount| &mount.name);
    match names.find(|name| VOLUMES.contains(&name.as_str())) {
        Some(volume) => Err(Taken::Volume {
            container: container.name.clone(),
            volume: volume.clone(),
        }),
        None => Ok(()),
    }
}
