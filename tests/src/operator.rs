//! The real operator on a real API server, and pods for real sidecars.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use pilotfish_tests::{Launch, Operator, Pod};
//! let (cluster, operator) = Operator::shared().await?; // one of each for all tests of a binary
//! let shop = cluster.namespace("shop").await?;
//! let pod = Pod::create(&shop, "web", "{app: web}").await?;
//! let sidecar = Launch::sidecar(operator, &pod).await?.start().await?;
//! # drop(sidecar);
//! # Ok(())
//! # }
//! ```
//!
//! An operator sees the whole cluster, so two of them with different namespaces would contradict each other: a test that
//! needs one of its own (to kill it, or with other flags) takes a cluster of its own, too.

mod pod;

pub use pod::{Pod, manifest};

use crate::cluster::{Cluster, Options, client_of, until, watched};
use crate::launch::{address, binary};
use crate::log::Log;
use crate::{Metrics, client, pilotfish};
use anyhow::{Context, Result, anyhow, ensure};
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;
use tokio::sync::OnceCell;

/// The namespace in which operators run.
pub const NAMESPACE: &str = "pilotfish-system";
/// The image of the sidecar that operators here trust.
pub const SIDECAR_IMAGE: &str = "localhost/pilotfish-sidecar:test";
/// Whatever has not happened by then has failed.
const WITHIN: Duration = Duration::from_secs(30);
/// Lines of its log that an error quotes.
const LAST_WORDS: usize = 30;

/// A running operator. Dropping it kills it; it also dies with the test process.
#[derive(Debug)]
pub struct Operator {
    child: Child,
    log: Log,
    kubeconfig: PathBuf,
    sidecars: SocketAddr,
    webhook: SocketAddr,
    telemetry: SocketAddr,
}

impl Operator {
    /// The cluster and the operator of this test process. The first to ask starts them.
    pub async fn shared() -> Result<(&'static Cluster, &'static Self)> {
        static SHARED: OnceCell<Result<(Cluster, Operator), String>> = OnceCell::const_new();
        let start = async || Self::with_cluster().await.map_err(|error| format!("{error:#}"));
        let shared = SHARED.get_or_init(start).await;
        let (cluster, operator) = shared.as_ref().map_err(|why| anyhow!("there is no operator: {why}"))?;
        Ok((cluster, operator))
    }

    /// A cluster of one's own, with our kinds, and an operator on it.
    pub async fn with_cluster() -> Result<(Cluster, Self)> {
        let cluster = Options::default().start().await?;
        cluster.install_crds().await?;
        cluster.kubectl(["create", "namespace", NAMESPACE]).await?.success()?;
        let operator = Self::start(&cluster, "operator-0", &[]).await?;
        Ok((cluster, operator))
    }

    /// The replica `name` of the operator of `cluster`, with its usual flags and `more`, once it is ready.
    pub async fn start(cluster: &Cluster, name: &str, more: &[&str]) -> Result<Self> {
        let kubeconfig = cluster.kubeconfig().to_str().context("its path is text")?.to_owned();
        let mut arguments = vec!["--kubeconfig", &kubeconfig, "--namespace", NAMESPACE, "--name", name];
        let usual = [
            ("--sidecar-image", SIDECAR_IMAGE),
            ("--listen", "127.0.0.1:0"),
            ("--webhook", "127.0.0.1:0"),
            ("--telemetry", "127.0.0.1:0"),
        ];
        for (flag, value) in usual {
            if !more.contains(&flag) {
                arguments.extend([flag, value]);
            }
        }
        arguments.extend(more);
        let mut arguments: Vec<String> = arguments.into_iter().map(str::to_owned).collect();
        if std::env::var_os("PILOTFISH_TEST_VERBOSE").is_some() {
            arguments.extend(["--log".to_owned(), "debug".to_owned()]);
        }
        let mut child = watched(&binary("pilotfish-operator")?, &arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start pilotfish-operator")?;
        let log = Log::of(child.stderr.take().context("its standard error is piped")?);
        let listening = tokio::time::timeout(WITHIN, log.line_with("listening sidecars=")).await;
        let line = listening.with_context(|| format!("the operator does not listen:\n{}", log.text()))??;
        let called = log.line_with("listening for the API server").await?;
        let operator = Self {
            webhook: address(&called, " webhook=")?,
            child,
            kubeconfig: cluster.kubeconfig().to_owned(),
            sidecars: address(&line, " sidecars=")?,
            telemetry: address(&line, " telemetry=")?,
            log,
        };
        operator.ready().await?;
        Ok(operator)
    }

    async fn ready(&self) -> Result<()> {
        let http = client::http_with_pool()?;
        let url = format!("http://{}/readyz", self.telemetry);
        let ready = until("the operator is ready", async || {
            ensure!(pilotfish::is_ready(&http, &url).await?, "/readyz says no");
            Ok(())
        });
        ready.await.with_context(|| self.last_words())
    }

    /// Where sidecars connect.
    pub fn sidecars(&self) -> SocketAddr {
        self.sidecars
    }

    /// Where it answers the API server, over TLS.
    pub fn webhook(&self) -> SocketAddr {
        self.webhook
    }

    /// Where it is scraped and probed.
    pub fn telemetry(&self) -> SocketAddr {
        self.telemetry
    }

    /// The name on its certificate.
    pub fn name(&self) -> String {
        format!("pilotfish-operator.{NAMESPACE}.svc")
    }

    /// The certificates that its own are to be checked against, PEM.
    pub async fn authority(&self) -> Result<String> {
        let secret = Api::<Secret>::namespaced(client_of(&self.kubeconfig).await?, NAMESPACE)
            .get("pilotfish-ca")
            .await?;
        let bundle = secret.data.and_then(|mut data| data.remove("ca.crt"));
        Ok(String::from_utf8(
            bundle.context("Secret pilotfish-ca has no ca.crt")?.0,
        )?)
    }

    /// Its metrics now.
    pub async fn metrics(&self) -> Result<Metrics> {
        pilotfish::scrape(&client::http_with_pool()?, self.telemetry).await
    }

    /// All that it has logged.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// The first line of its log that holds `part`, once there is one. Fails after 30 s.
    pub async fn logged(&self, part: &str) -> Result<String> {
        let line = tokio::time::timeout(WITHIN, self.log.line_with(part)).await;
        line.with_context(|| format!("never logged {part:?}:\n{}", self.last_words()))?
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its resident memory, bytes.
    pub fn resident(&self) -> Result<u64> {
        pilotfish::resident(self.pid())
    }

    /// Its executable, for tests that start it in ways of their own.
    pub fn binary() -> Result<PathBuf> {
        binary("pilotfish-operator")
    }

    /// Tells it to stop, as a kubelet does, and waits until it has.
    pub async fn terminate(mut self) -> Result<()> {
        // It is killed when this pipe is closed, which waiting for it would do first.
        let pipe = self.child.stdin.take();
        signal(self.pid(), "TERM")?;
        let status = tokio::task::spawn_blocking(move || self.child.wait()).await??;
        drop(pipe);
        ensure!(status.success(), "it ended with {status}");
        Ok(())
    }

    fn last_words(&self) -> String {
        let log = self.log.text();
        let lines: Vec<&str> = log.lines().collect();
        let from = lines.len().saturating_sub(LAST_WORDS);
        lines.get(from..).unwrap_or_default().join("\n")
    }
}

/// Sends a signal, such as `TERM` or `STOP`, to a process of this test's.
pub fn signal(pid: u32, name: &str) -> Result<()> {
    ensure!(Path::new(&format!("/proc/{pid}")).exists(), "process {pid} has ended");
    let sent = std::process::Command::new("kill")
        .arg(format!("-{name}"))
        .arg(pid.to_string())
        .status()?;
    ensure!(sent.success(), "signal {name} could not be sent to {pid}");
    Ok(())
}

impl Drop for Operator {
    fn drop(&mut self) {
        // Both fail only when it has ended and was waited for already.
        drop(self.child.kill());
        drop(self.child.wait());
        if std::thread::panicking() {
            eprintln!("--- log of the operator:\n{}", self.last_words());
        }
    }
}
