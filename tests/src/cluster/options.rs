//! What a cluster of one's own is started with.

use super::Cluster;
use super::control_plane::ControlPlane;
use anyhow::Result;

/// A control plane to be started on free ports, and perhaps a node.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub(super) audited: bool,
    pub(super) apiserver_flags: Vec<String>,
    pub(super) with_node: bool,
}

impl Options {
    /// Keeps a record of every request, for [`Cluster::audit`].
    pub fn audited(mut self) -> Self {
        self.audited = true;
        self
    }

    /// Adds a flag of kube-apiserver, whole: `--event-ttl=5m`.
    pub fn apiserver_flag(mut self, flag: &str) -> Self {
        self.apiserver_flags.push(flag.to_owned());
        self
    }

    /// Adds a node on which pods run, from the images that `make e2e` packs. Needs root.
    pub fn with_node(mut self) -> Self {
        self.with_node = true;
        self
    }

    /// Starts it, without our CRDs, and waits until pods may be made in it.
    pub async fn start(self) -> Result<Cluster> {
        Ok(Cluster::own(ControlPlane::start(&self).await?))
    }
}
