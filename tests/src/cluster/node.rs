//! One real node: containerd, kubelet, kube-proxy and DNS, in mount, network and process namespaces of their own.
//!
//! `tests/controlplane/node` has the scripts: `init.sh` is the node's first process, whose death ends all that runs in
//! it and takes its mounts and its network along.

use super::process::{AtEnd, Process, last_words};
use super::wait::until;
use super::workspace;
use anyhow::{Context, Result, anyhow, ensure};
use serde_json::Value;
use std::ffi::OsStr;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::Command;

/// New mount, network and process namespaces; what is started in them dies with `unshare`.
const UNSHARE: [&str; 6] = [
    "--mount",
    "--net",
    "--pid",
    "--fork",
    "--kill-child=SIGKILL",
    "--mount-proc",
];

/// A node, or what is to become one once the API server answers.
#[derive(Debug)]
pub(super) struct Node {
    process: Process,
    // After the process: a control group goes once it is empty.
    _groups: AtEnd,
    network: [u8; 2],
}

/// A program that `tests/controlplane/node/build.sh` built.
pub(super) fn program(name: &str) -> PathBuf {
    workspace("target/tools/node/bin").join(name)
}

impl Node {
    /// Starts it and connects it with this machine. It logs to `cluster`, and waits there for the API server.
    pub(super) fn start(cluster: &Path) -> Result<Self> {
        let kubelet = program("kubelet");
        ensure!(kubelet.exists(), "{} is not built; run `make e2e`", kubelet.display());
        may_have_a_node()?;
        let group = cluster.file_name().context("a cluster's directory has a name")?;
        let groups = script("groups.sh");
        said(Command::new(&groups).arg("make").arg(group))?;
        let groups = AtEnd::run(&[groups.as_os_str(), OsStr::new("remove"), group])?;
        let process = Process::start(
            Path::new("unshare"),
            &arguments(cluster, group),
            &cluster.join("node.log"),
        )?;
        let network = said(Command::new(script("network.sh")).arg(process.pid().to_string()))?;
        std::fs::write(cluster.join("network"), &network)?;
        Ok(Self {
            process,
            _groups: groups,
            network: parsed(&network).with_context(|| format!("{network:?} is no network"))?,
        })
    }

    /// This machine, as the node and its pods see it.
    pub(super) fn our_address(&self) -> IpAddr {
        let [first, second] = self.network;
        Ipv4Addr::new(first, second, 255, 1).into()
    }

    /// Where Services have their addresses.
    pub(super) fn services(&self) -> String {
        let [first, second] = self.network;
        format!("{first}.{second}.128.0/24")
    }

    /// Waits until pods can run on it.
    pub(super) async fn ready(&mut self, client: &kube::Client, cluster: &Path) -> Result<()> {
        let ready = async || {
            ensure!(cluster.join("images-loaded").exists(), "not all images are loaded");
            let node = super::get(client, "/api/v1/nodes/node").await?;
            ensure!(is_ready(&serde_json::from_str(&node)?), "the kubelet does not say so");
            Ok(())
        };
        let came_true = tokio::select! {
            came_true = until("the node is ready", ready) => came_true,
            status = self.process.ends() => Err(anyhow!("it ended with {status}")),
        };
        came_true.with_context(|| {
            let said = |name: &str| format!("{name}:\n{}\n", last_words(&cluster.join(name)));
            ["node.log", "containerd.log", "kubelet.log"].map(said).concat()
        })
    }
}

fn arguments(cluster: &Path, group: &OsStr) -> Vec<String> {
    let words = [
        script("init.sh").as_os_str(),
        cluster.as_os_str(),
        workspace("target/tools/node").as_os_str(),
        workspace("target/e2e/images").as_os_str(),
        group,
    ]
    .map(|word| word.to_string_lossy().into_owned());
    UNSHARE.into_iter().map(str::to_owned).chain(words).collect()
}

/// Namespaces and control groups are for root alone.
fn may_have_a_node() -> Result<()> {
    said(Command::new("unshare").args(UNSHARE).arg("true"))
        .map(drop)
        .context("a node needs Linux, root and CAP_SYS_ADMIN; name a cluster by PILOTFISH_TEST_KUBECONFIG instead")
}

fn script(name: &str) -> PathBuf {
    workspace("tests/controlplane/node").join(name)
}

fn said(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    let why = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {}\n{why}", output.status);
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

fn parsed(network: &str) -> Option<[u8; 2]> {
    let (first, second) = network.split_once('.')?;
    Some([first.parse().ok()?, second.parse().ok()?])
}

fn is_ready(node: &Value) -> bool {
    let conditions = node.pointer("/status/conditions").and_then(Value::as_array);
    let mut conditions = conditions.into_iter().flatten();
    conditions.any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}
