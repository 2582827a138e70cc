//! `pilotfish-sidecar`: the kube-free sidecar on a snapshot file.

use anyhow::{Context, bail};
use clap::Parser;
use pilotfish_sidecar::app::{self, Config, Subscribed};
use pilotfish_sidecar::pipeline::Pod;
use pilotfish_sidecar::standalone;
use pilotfish_wire::snapshot;
use std::net::SocketAddr;
use std::path::PathBuf;
use tokio::sync::mpsc;

/// The data plane of Pilotfish: a small LLM proxy beside an application.
#[derive(Parser)]
#[command(name = "pilotfish-sidecar", version)]
struct Arguments {
    /// The configuration, as `pilotfish compile` writes it.
    #[arg(long, value_name = "FILE")]
    snapshot: PathBuf,
    /// Where the application calls.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4000")]
    listen: SocketAddr,
    /// Where it is scraped and probed.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4001")]
    telemetry: SocketAddr,
    /// Threads that serve requests.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    workers: u8,
    /// What is logged, as a tracing filter.
    #[arg(long, value_name = "FILTER", env = "PILOTFISH_LOG", default_value = "info")]
    log: String,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    app::log_to_stderr(&arguments.log)?;
    let path = arguments.snapshot.display();
    let text = std::fs::read_to_string(&arguments.snapshot).with_context(|| format!("cannot read {path}"))?;
    let messages = snapshot::read(&text).with_context(|| format!("{path} is not used"))?;
    let messages = standalone::with_credentials(messages, |name| std::env::var(name).ok())?;
    let pod = pod_of(&messages);
    let (sender, receiver) = mpsc::channel(messages.len().max(1));
    for message in messages {
        if sender.try_send(message).is_err() {
            bail!("the snapshot's messages did not fit their queue");
        }
    }
    let (reports, _nobody) = mpsc::channel(1);
    let config = Config {
        workers: arguments.workers.into(),
        ..Config::new(arguments.listen, arguments.telemetry, pod)
    };
    app::run_until_signal(
        config,
        Subscribed {
            messages: receiver,
            reports,
        },
    )
}

/// The pod that the snapshot was compiled for.
fn pod_of(messages: &[pilotfish_wire::Message]) -> Pod {
    let scope = messages.iter().find_map(|message| match message {
        pilotfish_wire::Message::Hello(hello) => hello.scope.get("namespace").cloned(),
        _ => None,
    });
    Pod::new(scope.as_deref().unwrap_or("default"), "local/local")
}
