//! A real Kubernetes for the tests: etcd, kube-apiserver, kube-controller-manager and kubectl, built by `make test`.
//!
//! A test binary has one cluster that all its tests share, each in namespaces of its own:
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use pilotfish_tests::Cluster;
//! let cluster = Cluster::shared().await?; // with our CRDs installed
//! let shop = cluster.namespace("shop").await?; // named shop-x7k2p9qa, say
//! shop.apply("{apiVersion: pilotfish.dev/v1alpha1, kind: VirtualKey, metadata: {name: a}, spec: {secretName: a}}").await?;
//! let keys = shop.kubectl(["get", "virtualkeys", "-o", "name"]).await?.success()?;
//! assert_eq!(keys, "virtualkey.pilotfish.dev/a\n");
//! let client: kube::Client = cluster.client().await?; // one per test: it belongs to the test's runtime
//! # drop(client);
//! # Ok(())
//! # }
//! ```
//!
//! - `PILOTFISH_TEST_KUBECONFIG` names a cluster that [`Cluster::shared`] uses instead of one of its own. Nothing reads
//!   `KUBECONFIG` or `~/.kube`, neither here nor in the programs that are started.
//! - Tests in `tests/e2e` take [`Cluster::shared_with_node`]: the same with a node of its own network, DNS and images
//!   (`localhost/NAME:e2e` for each of our programs, `busybox` and `python`), which needs root and what `make e2e` builds.
//!   Pods reach this machine at the address of the API server, and this machine reaches pods and Services directly.
//! - A test that needs a cluster for itself (flags, an audit log, a control plane to kill) takes
//!   [`Options::start`], some four seconds. That is never a cluster from the environment.
//! - A cluster that does not come up fails every test that asks for it, with the last words of what did not start.
//! - Whatever was started dies with the [`Cluster`] and with the test process, also when that is killed; so does the
//!   cluster's directory. No privileges are needed: without a node no pod runs, but Deployments make their pods,
//!   tokens are issued and reviewed, and webhooks on loopback are called.

mod audit;
mod command;
mod control_plane;
mod identity;
mod namespace;
mod node;
mod options;
mod port;
mod process;
mod token;
mod wait;

pub use audit::Access;
pub use command::Outcome;
pub use namespace::Namespace;
pub use options::Options;
pub(crate) use process::watched;
pub use wait::until;

use anyhow::{Context, Result, anyhow};
use control_plane::ControlPlane;
use identity::User;
use kube::config::{AuthInfo, KubeConfigOptions, Kubeconfig};
use process::Directory;
use std::path::{Path, PathBuf};
use tokio::sync::OnceCell;

/// Names a cluster to use instead of an own one.
const OTHER_CLUSTER: &str = "PILOTFISH_TEST_KUBECONFIG";
/// In the cluster's directory.
const AUDIT_LOG: &str = "audit.log";

/// A cluster. Dropping it ends what was started for it.
#[derive(Debug)]
pub struct Cluster {
    kubeconfig: PathBuf,
    home: Home,
}

/// Tests of one process share a cluster, or the reason why there is none.
type Shared = OnceCell<Result<Cluster, String>>;

/// Where its files are, and whether it is ours to end.
#[derive(Debug)]
enum Home {
    Own(Box<ControlPlane>),
    Other(Directory),
}

impl Cluster {
    /// The cluster of this test process, with our CRDs and without a node. The first to ask starts it.
    pub async fn shared() -> Result<&'static Self> {
        static SHARED: Shared = Shared::const_new();
        Self::started_once(&SHARED, Options::default()).await
    }

    /// The cluster with a node of this test process, with our CRDs. Needs root and `make e2e`.
    pub async fn shared_with_node() -> Result<&'static Self> {
        static SHARED: Shared = Shared::const_new();
        Self::started_once(&SHARED, Options::default().with_node()).await
    }

    async fn started_once(shared: &'static Shared, options: Options) -> Result<&'static Self> {
        let start = async || Self::other_or(options).await.map_err(|error| format!("{error:#}"));
        let shared = shared.get_or_init(start).await;
        shared.as_ref().map_err(|why| anyhow!("there is no cluster: {why}"))
    }

    async fn other_or(own: Options) -> Result<Self> {
        let cluster = match std::env::var_os(OTHER_CLUSTER) {
            Some(kubeconfig) => Self::other(PathBuf::from(kubeconfig))?,
            None => own.start().await?,
        };
        cluster.install_crds().await?;
        Ok(cluster)
    }

    fn other(kubeconfig: PathBuf) -> Result<Self> {
        let kubeconfig = std::path::absolute(kubeconfig)?;
        let home = Home::Other(Directory::new()?);
        Ok(Self { kubeconfig, home })
    }

    fn own(plane: ControlPlane) -> Self {
        Self {
            kubeconfig: User::Admin.kubeconfig(plane.directory()),
            home: Home::Own(Box::new(plane)),
        }
    }

    /// Applies `charts/pilotfish-crds/templates` and waits until the API server serves them.
    pub async fn install_crds(&self) -> Result<()> {
        let templates = workspace("charts/pilotfish-crds/templates");
        let templates = templates.to_str().context("the workspace's path is no text")?;
        self.kubectl(["apply", "--server-side", "-f", templates])
            .await?
            .success()?;
        self.kubectl(["wait", "--for=condition=Established", "--timeout=60s", "-f", templates])
            .await?
            .success()?;
        Ok(())
    }

    /// The administrator's kubeconfig.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// A client with the administrator's rights. It lives as long as the runtime that it was made on: make one per test.
    pub async fn client(&self) -> Result<kube::Client> {
        client_of(&self.kubeconfig).await
    }

    /// A kubeconfig of this cluster with another token, such as a ServiceAccount's (`kubectl create token`).
    pub fn kubeconfig_with_token(&self, token: &str) -> Result<PathBuf> {
        let mut kubeconfig = Kubeconfig::read_from(&self.kubeconfig)?;
        for user in &mut kubeconfig.auth_infos {
            let only_token = AuthInfo {
                token: Some(token.to_owned().into()),
                ..AuthInfo::default()
            };
            user.auth_info = Some(only_token);
        }
        let path = self.directory().join(format!("{}.kubeconfig", namespace::random(8)));
        std::fs::write(&path, serde_json::to_vec(&kubeconfig)?)?;
        Ok(path)
    }

    /// `token` with other claims, signed as the API server signs: one that has expired, say. Not on a cluster that is not
    /// the tests' own, whose key nobody here has.
    pub fn resigned(&self, token: &str, change: impl FnOnce(&mut serde_json::Value)) -> Result<String> {
        token::resigned(self.directory(), token, change)
    }

    /// Makes a namespace whose name nobody else has, and waits until pods may be made in it.
    pub async fn namespace(&self, prefix: &str) -> Result<Namespace<'_>> {
        Namespace::new(self, prefix).await
    }

    /// Runs kubectl as the administrator.
    pub async fn kubectl<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Result<Outcome> {
        command::run("kubectl", arguments, "", self).await
    }

    /// Runs kubectl with `input` as its standard input, for `-f -`.
    pub async fn kubectl_with<'a>(&self, arguments: impl IntoIterator<Item = &'a str>, input: &str) -> Result<Outcome> {
        command::run("kubectl", arguments, input, self).await
    }

    /// Runs helm as the administrator.
    pub async fn helm<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Result<Outcome> {
        command::run("helm", arguments, "", self).await
    }

    /// `kubectl apply` with these documents, as users do it; fails with what kubectl says.
    pub async fn apply(&self, documents: &str) -> Result<()> {
        let outcome = self.kubectl_with(["apply", "-f", "-"], documents).await?;
        outcome.success().map(drop)
    }

    /// Kills the API server, as a crash does.
    pub fn kill_apiserver(&self) -> Result<()> {
        self.plane()?.apiserver.kill();
        Ok(())
    }

    /// Kills etcd, as a crash does. What was written stays.
    pub fn kill_etcd(&self) -> Result<()> {
        self.plane()?.etcd.kill();
        Ok(())
    }

    /// Starts the API server again on its old port, and waits until it is ready. It needs etcd.
    pub async fn start_apiserver(&self) -> Result<()> {
        self.plane()?.start_apiserver().await
    }

    /// Starts etcd again on its old port and data, and waits until it is healthy.
    pub async fn start_etcd(&self) -> Result<()> {
        self.plane()?.start_etcd().await
    }

    /// Keeps a copy of what etcd holds, as a backup does. Both it and the API server are killed for that.
    pub fn back_up(&self) -> Result<()> {
        self.kill_apiserver()?;
        self.plane()?.back_up_etcd()
    }

    /// Puts back what was kept, and what was written since is lost: they are killed, and to be started again.
    pub fn restore(&self) -> Result<()> {
        self.kill_apiserver()?;
        self.plane()?.restore_etcd()
    }

    /// What was asked of the API server so far. Needs [`Options::audited`].
    pub fn audit(&self) -> Result<Vec<Access>> {
        audit::read(&self.directory().join(AUDIT_LOG))
    }

    fn plane(&self) -> Result<&ControlPlane> {
        match &self.home {
            Home::Own(plane) => Ok(plane),
            Home::Other(_) => Err(anyhow!("the control plane of {OTHER_CLUSTER} is not ours to stop")),
        }
    }

    fn directory(&self) -> &Path {
        match &self.home {
            Home::Own(plane) => plane.directory(),
            Home::Other(directory) => directory.path(),
        }
    }

    fn is_own(&self) -> bool {
        matches!(self.home, Home::Own(_))
    }
}

/// A file of the workspace.
fn workspace(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// A program that `tests/controlplane/build.sh` built.
fn program(name: &str) -> PathBuf {
    workspace("target/tools/controlplane").join(name)
}

pub(crate) async fn client_of(kubeconfig: &Path) -> Result<kube::Client> {
    let kubeconfig = Kubeconfig::read_from(kubeconfig)?;
    let mut config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    // A test sees what the server answers, not what a later try got.
    config.default_retry = false;
    Ok(kube::Client::try_from(config)?)
}

async fn get(client: &kube::Client, path: &str) -> Result<String> {
    let request = http::Request::get(path).body(Vec::new())?;
    Ok(client.request_text(request).await?)
}
