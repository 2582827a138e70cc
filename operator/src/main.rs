//! `pilotfish-operator`: arguments → configuration.

use anyhow::Context;
use clap::Parser;
use pilotfish_operator::app::{self, Config};
use std::net::SocketAddr;
use std::path::PathBuf;

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
    /// Where sidecars reach this very replica.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:4443")]
    advertise: String,
    /// Where it is scraped and probed.
    #[arg(long, value_name = "ADDR", default_value = "0.0.0.0:8080")]
    telemetry: SocketAddr,
    /// How to reach the API server; without it, as a pod does. KUBECONFIG is not read.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// What is logged, as a tracing filter.
    #[arg(long, value_name = "FILTER", env = "PILOTFISH_LOG", default_value = "info")]
    log: String,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    app::log_to_stderr(&arguments.log)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("the runtime could not be started")?;
    runtime.block_on(app::run_until_signal(Config {
        root_namespace: arguments.root_namespace.unwrap_or_else(|| arguments.namespace.clone()),
        namespace: arguments.namespace,
        name: arguments.name,
        advertise: arguments.advertise,
        telemetry: arguments.telemetry,
        kubeconfig: arguments.kubeconfig,
    }))
}
