//! etcd, kube-apiserver and kube-controller-manager as processes on loopback.

use super::Options;
use super::identity::{self, User};
use super::node::{self, Node};
use super::port;
use super::process::{Directory, Process, last_words};
use super::wait::until;
use anyhow::{Context, Result, anyhow, ensure};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What records who asked the API server for what, and which rule allowed it.
const AUDIT_POLICY: &str = r#"{"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"],
 "rules": [{"level": "Metadata"}]}"#;

/// Where etcd writes, in the directory of the control plane.
const ETCD: &str = "etcd";
/// And where a copy of that is kept.
const BACKUP: &str = "etcd-backup";

/// A control plane. Dropping it ends it.
#[derive(Debug)]
pub(super) struct ControlPlane {
    pub(super) etcd: Program,
    pub(super) apiserver: Program,
    controller_manager: Program,
    scheduler: Program,
    health: String,
    // After the programs: the API server's address is on the node's network.
    node: Option<Node>,
    // The last to go: the programs write into it.
    directory: Directory,
}

/// A program that can be killed and started again as it was.
#[derive(Debug)]
pub(super) struct Program {
    file: PathBuf,
    arguments: Vec<String>,
    log: PathBuf,
    process: Mutex<Option<Process>>,
}

impl Program {
    fn new(file: PathBuf, arguments: Vec<String>, directory: &Path) -> Self {
        let name = file.file_name().unwrap_or_default().display();
        Self {
            arguments,
            log: directory.join(format!("{name}.log")),
            file,
            process: Mutex::new(None),
        }
    }

    fn start(&self) -> Result<()> {
        let file = self.file.display();
        let mut process = self.process();
        ensure!(process.is_none(), "{file} runs already");
        ensure!(self.file.exists(), "{file} is not built; run `make test`");
        *process = Some(Process::start(&self.file, &self.arguments, &self.log)?);
        Ok(())
    }

    /// Ends it at once, as a crash does.
    pub(super) fn kill(&self) {
        drop(self.process().take());
    }

    fn process(&self) -> MutexGuard<'_, Option<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `look` succeeds; fails with its last words after a minute, or as soon as it has ended.
    async fn until(&self, what: &str, look: impl AsyncFnMut() -> Result<()>) -> Result<()> {
        let mut process = self.process().take().context("it was not started")?;
        let came_true = tokio::select! {
            came_true = until(what, look) => came_true,
            status = process.ends() => Err(anyhow!("it ended with {status}")),
        };
        *self.process() = Some(process);
        came_true.with_context(|| format!("{} says:\n{}", self.file.display(), last_words(&self.log)))
    }
}

impl ControlPlane {
    pub(super) async fn start(options: &Options) -> Result<Self> {
        let directory = Directory::new()?;
        let node = options.with_node.then(|| Node::start(directory.path())).transpose()?;
        let mut plane = Self::new(options, directory, node)?;
        plane.start_etcd().await?;
        plane.start_apiserver().await?;
        plane.controller_manager.start()?;
        plane.has_default_account().await?;
        plane.has_node().await?;
        Ok(plane)
    }

    fn new(options: &Options, directory: Directory, node: Option<Node>) -> Result<Self> {
        let path = directory.path();
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let address = node.as_ref().map_or(loopback, Node::our_address);
        let etcd = format!("http://{loopback}:{}", port::free(loopback)?);
        let server = SocketAddr::new(address, port::free(address)?);
        identity::write(path, &format!("https://{server}"))?;
        identity::write_signing_keys(path)?;
        std::fs::write(path.join("audit-policy.json"), AUDIT_POLICY)?;
        let mut apiserver = apiserver(path, &etcd, server);
        apiserver.extend(services(node.as_ref()));
        apiserver.extend(options.audited.then(|| audit(path)).into_iter().flatten());
        apiserver.extend(options.apiserver_flags.iter().cloned());
        let program = |name, arguments| Program::new(super::program(name), arguments, path);
        Ok(Self {
            etcd: program("etcd", self::etcd(path, &etcd)),
            apiserver: program("kube-apiserver", apiserver),
            controller_manager: program("kube-controller-manager", controller_manager(path)),
            scheduler: Program::new(node::program("kube-scheduler"), scheduler(path), path),
            health: format!("{etcd}/health"),
            node,
            directory,
        })
    }

    pub(super) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(super) async fn start_etcd(&self) -> Result<()> {
        let http = crate::client::builder().build()?;
        self.etcd.start()?;
        let healthy = async || {
            let answer = http.get(&self.health).send().await?;
            ensure!(answer.status() == 200, "/health answers {}", answer.status());
            Ok(())
        };
        self.etcd.until("etcd is healthy", healthy).await
    }

    pub(super) async fn start_apiserver(&self) -> Result<()> {
        let kubeconfig = User::Admin.kubeconfig(self.directory.path());
        self.apiserver.start()?;
        // The kubeconfig names a certificate that the server makes when it first starts.
        let ready = async || {
            super::get(&super::client_of(&kubeconfig).await?, "/readyz")
                .await
                .map(drop)
        };
        self.apiserver.until("the API server is ready", ready).await
    }

    /// Kills etcd and copies what it wrote.
    pub(super) fn back_up_etcd(&self) -> Result<()> {
        self.etcd.kill();
        copy(&self.directory.path().join(ETCD), &self.directory.path().join(BACKUP))
    }

    /// Kills etcd and puts what was copied in the place of what it wrote.
    pub(super) fn restore_etcd(&self) -> Result<()> {
        self.etcd.kill();
        let data = self.directory.path().join(ETCD);
        std::fs::remove_dir_all(&data)?;
        copy(&self.directory.path().join(BACKUP), &data)
    }

    /// Without it a pod is refused, so nothing may begin before.
    async fn has_default_account(&self) -> Result<()> {
        let client = super::client_of(&User::Admin.kubeconfig(self.directory.path())).await?;
        let exists = async || {
            super::get(&client, "/api/v1/namespaces/default/serviceaccounts/default")
                .await
                .map(drop)
        };
        self.controller_manager
            .until("the default ServiceAccount exists", exists)
            .await
    }

    async fn has_node(&mut self) -> Result<()> {
        let Some(node) = &mut self.node else { return Ok(()) };
        self.scheduler.start()?;
        let client = super::client_of(&User::Admin.kubeconfig(self.directory.path())).await?;
        node.ready(&client, self.directory.path()).await
    }
}

/// Where Services have their addresses, and whether the API server has one.
fn services(node: Option<&Node>) -> Vec<String> {
    match node {
        Some(node) => flags([("service-cluster-ip-range", &node.services())]),
        // It would refuse to publish a loopback address as that of a Service.
        None => flags([
            ("service-cluster-ip-range", "10.96.0.0/24"),
            ("endpoint-reconciler-type", "none"),
        ]),
    }
}

/// A folder and all that is in it.
fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let (entry, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
        if entry.is_dir() {
            copy(&entry, &to.join(name))?;
        } else {
            std::fs::copy(&entry, to.join(name))?;
        }
    }
    Ok(())
}

fn flags<const N: usize>(flags: [(&str, &str); N]) -> Vec<String> {
    flags.map(|(name, value)| format!("--{name}={value}")).to_vec()
}

fn file(directory: &Path, name: &str) -> String {
    directory.join(name).to_string_lossy().into_owned()
}

fn etcd(directory: &Path, url: &str) -> Vec<String> {
    flags([
        ("data-dir", &file(directory, ETCD)),
        ("listen-client-urls", url),
        ("advertise-client-urls", url),
        ("listen-peer-urls", "http://127.0.0.1:0"),
        // What a killed process has written is kept all the same; only a machine's crash would lose it.
        ("unsafe-no-fsync", "true"),
        ("log-level", "warn"),
    ])
}

fn apiserver(directory: &Path, etcd: &str, server: SocketAddr) -> Vec<String> {
    flags([
        ("etcd-servers", etcd),
        ("bind-address", &server.ip().to_string()),
        ("advertise-address", &server.ip().to_string()),
        ("secure-port", &server.port().to_string()),
        ("cert-dir", &file(directory, "tls")),
        ("authorization-mode", "Node,RBAC"),
        ("token-auth-file", &file(directory, "tokens.csv")),
        // The node's name is known to nobody.
        ("kubelet-preferred-address-types", "InternalIP"),
        ("service-account-issuer", "https://kubernetes.default.svc"),
        ("service-account-key-file", &file(directory, "sa.pub")),
        ("service-account-signing-key-file", &file(directory, "sa.key")),
    ])
}

fn audit(directory: &Path) -> Vec<String> {
    flags([
        ("audit-policy-file", &file(directory, "audit-policy.json")),
        ("audit-log-path", &file(directory, super::AUDIT_LOG)),
    ])
}

fn controller_manager(directory: &Path) -> Vec<String> {
    flags([
        (
            "kubeconfig",
            &User::ControllerManager.kubeconfig(directory).to_string_lossy(),
        ),
        ("service-account-private-key-file", &file(directory, "sa.key")),
        ("root-ca-file", &file(directory, "tls/apiserver.crt")),
        ("flex-volume-plugin-dir", &file(directory, "flex")),
        // Its own user may not make pods for a Deployment; the controllers' accounts may.
        ("use-service-account-credentials", "true"),
        // The default of 20 a second makes the first ServiceAccount five seconds late.
        ("kube-api-qps", "1000"),
        ("kube-api-burst", "1000"),
        ("leader-elect", "false"),
        ("secure-port", "0"),
    ])
}

fn scheduler(directory: &Path) -> Vec<String> {
    flags([
        ("kubeconfig", &User::Scheduler.kubeconfig(directory).to_string_lossy()),
        ("leader-elect", "false"),
        ("secure-port", "0"),
    ])
}
