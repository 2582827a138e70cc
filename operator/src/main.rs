//! `pilotfish-operator`: arguments → configuration.

use anyhow::Context;
use clap::{Args, Parser};
use pilotfish_crds::scalar;
use pilotfish_operator::app::{self, Config};
use pilotfish_operator::certs::SHORTEST_LIFETIME;
use pilotfish_operator::inject::{Resources, ResourcesError};
use pilotfish_operator::log::log_to_stderr;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// The control plane of Pilotfish: it compiles what users apply, and sends it to the sidecars.
#[derive(Parser)]
#[command(name = "pilotfish-operator", version)]
struct Arguments {
    /// The namespace it runs in.
    #[arg(long, value_name = "NS", env = "POD_NAMESPACE", default_value = "pilotfish-system")]
    namespace: String,
    /// Policies of this namespace may serve other namespaces; its own by default.
    #[arg(long, value_name = "NS")]
    root_namespace: Option<String>,
    /// The name of this replica.
    #[arg(long, value_name = "NAME", env = "POD_NAME", default_value = "pilotfish-operator")]
    name: String,
    /// Where sidecars are served.
    #[arg(long, value_name = "ADDR", default_value = "0.0.0.0:4443")]
    listen: SocketAddr,
    /// Where sidecars reach this very replica; where it listens by default.
    #[arg(long, value_name = "HOST:PORT")]
    advertise: Option<String>,
    /// The Service by which it is reached in its namespace.
    #[arg(long, value_name = "NAME", default_value = "pilotfish-operator")]
    service: String,
    /// How long a root of its certificate authority lasts; the next one is made well before.
    #[arg(long, value_name = "DURATION", default_value = "2160h", value_parser = lifetime)]
    ca_lifetime: Duration,
    /// Where the API server calls its webhooks.
    #[arg(long, value_name = "ADDR", default_value = "0.0.0.0:9443")]
    webhook: SocketAddr,
    /// Where it is scraped and probed.
    #[arg(long, value_name = "ADDR", default_value = "0.0.0.0:8080")]
    telemetry: SocketAddr,
    /// The image of sidecars, as a container names it. A pod is served if its sidecar is of the same repository.
    #[arg(long, value_name = "REF", default_value = concat!("pilotfish-sidecar:", env!("CARGO_PKG_VERSION")))]
    sidecar_image: String,
    /// Another image whose repository is trusted; may be repeated.
    #[arg(long, value_name = "REF")]
    trusted_image: Vec<String>,
    /// What sidecars ask of their nodes, unless their pod says something else.
    #[command(flatten)]
    sidecar_resources: SidecarResources,
    /// How to reach the API server; without it, as a pod does. KUBECONFIG is not read.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// What is logged, as a tracing filter.
    #[arg(long, value_name = "FILTER", env = "PILOTFISH_LOG", default_value = "info")]
    log: String,
}

/// Quantities, as containers have them.
#[derive(Args)]
struct SidecarResources {
    /// CPU that each sidecar's node must have left.
    #[arg(long, value_name = "QUANTITY")]
    sidecar_cpu_request: Option<String>,
    /// CPU that a sidecar may use.
    #[arg(long, value_name = "QUANTITY")]
    sidecar_cpu_limit: Option<String>,
    /// Memory that each sidecar's node must have left.
    #[arg(long, value_name = "QUANTITY")]
    sidecar_memory_request: Option<String>,
    /// Memory that a sidecar may use.
    #[arg(long, value_name = "QUANTITY")]
    sidecar_memory_limit: Option<String>,
}

impl SidecarResources {
    fn read(&self) -> Result<Resources, ResourcesError> {
        Resources::default().overridden("--sidecar-", |name| match name {
            "--sidecar-cpu-request" => self.sidecar_cpu_request.as_ref(),
            "--sidecar-cpu-limit" => self.sidecar_cpu_limit.as_ref(),
            "--sidecar-memory-request" => self.sidecar_memory_request.as_ref(),
            "--sidecar-memory-limit" => self.sidecar_memory_limit.as_ref(),
            _ => None,
        })
    }
}

/// A duration as resources have it: `2160h`.
fn lifetime(text: &str) -> Result<Duration, String> {
    let milliseconds = scalar::Duration::new(text).milliseconds();
    let lifetime = milliseconds
        .map(Duration::from_millis)
        .filter(|lifetime| *lifetime >= SHORTEST_LIFETIME);
    lifetime.ok_or_else(|| format!("must be a duration such as 2160h, and at least {SHORTEST_LIFETIME:?}"))
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    log_to_stderr(&arguments.log)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("the runtime could not be started")?;
    runtime.block_on(app::run_until_signal(Config {
        root_namespace: arguments.root_namespace.unwrap_or_else(|| arguments.namespace.clone()),
        namespace: arguments.namespace,
        name: arguments.name,
        sidecars: arguments.listen,
        advertise: arguments.advertise,
        service: arguments.service,
        ca_lifetime: arguments.ca_lifetime,
        webhook: arguments.webhook,
        telemetry: arguments.telemetry,
        sidecar_resources: arguments.sidecar_resources.read()?,
        sidecar_image: arguments.sidecar_image,
        trusted_images: arguments.trusted_image,
        kubeconfig: arguments.kubeconfig,
    }))
}
