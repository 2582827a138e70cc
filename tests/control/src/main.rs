//! `make bench-control`: how long an edit takes to be obeyed, and what policies and connections cost the operator.
//!
//! Release builds of the operator and the sidecar, on a real API server of their own. The pods are objects without a
//! node; twenty of them have a real sidecar as a process here, two thousand a [peer] that speaks the protocol.

mod cluster;
mod crowd;
mod edits;
mod figures;
mod peer;
mod process;

use anyhow::Result;
use clap::Parser;
use cluster::{Policies, until};
use figures::Figure;
use pilotfish_tests::Operator;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::Instant;

/// What the control plane takes. Exits with 1 when a goal is missed, with 2 when it could not measure.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Edits of one policy each, with 20 sidecars and 50 policies.
    #[arg(long, default_value_t = 200)]
    edits: usize,
    /// Connections to one operator.
    #[arg(long, default_value_t = 2000)]
    connections: usize,
    /// Policies of an operator that has nothing to do.
    #[arg(long, default_value_t = 500)]
    policies: usize,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let measured = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from);
    match measured.and_then(|runtime| runtime.block_on(measure(&arguments))) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// How many goals were missed.
async fn measure(arguments: &Arguments) -> Result<usize> {
    let mut figures = vec![idle(arguments.policies).await?];
    figures.extend(edits::measure(arguments.edits).await?);
    figures.extend(crowd::measure(arguments.connections).await?);
    let mut out = std::io::stdout().lock();
    for figure in &figures {
        writeln!(out, "{}", figure.line())?;
    }
    Ok(figures.iter().filter(|figure| figure.is_missed()).count())
}

/// The memory of an operator that has `count` policies and nothing to do.
async fn idle(count: usize) -> Result<Figure> {
    let (cluster, operator) = Operator::with_cluster().await?;
    let shop = cluster.namespace("shop").await?;
    let policies = Policies::apply(&cluster.client().await?, &shop, count).await?;
    let last = cluster::name(count - 1);
    until(Instant::now(), "the last policy has a status", async || {
        Ok(policies.api.get(&last).await?.status.is_some())
    })
    .await?;
    // Statuses of the others may still be on their way.
    tokio::time::sleep(Duration::from_secs(10)).await;
    let mebibytes = process::resident(operator.pid())? / 1024.0;
    Ok(Figure::new(
        "operator with nothing to do: resident memory",
        mebibytes,
        "MiB",
        Some(40.0),
    ))
}
