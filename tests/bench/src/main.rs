//! `make bench`: what the sidecar costs, beside nginx, on the same core in the same minute.
//!
//! A [load generator](load) and a [fake upstream](upstream) on one core, the proxy under measurement alone on another.
//! A [round] measures nginx and the sidecar in turn; the [report] has the medians of several rounds, with their spread,
//! and the median of the rounds' ratios, which the [goals] are about.

mod awake;
mod body;
mod conversation;
mod cores;
mod dialect;
mod goals;
mod http;
mod load;
mod marker;
mod measure;
mod metric;
mod nginx;
mod process;
mod proxy;
mod report;
mod request;
mod round;
mod scenario;
mod sidecar;
mod slack;
mod upstream;

use anyhow::{Context, Result, ensure};
use awake::Awake;
use clap::Parser;
use cores::Cores;
use marker::Clock;
use measure::Scale;
use metric::Sample;
use report::{Report, Setting};
use round::{Bench, Subject};
use scenario::Scenario;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// What clients present: a virtual key to the sidecar, something to overwrite to nginx.
const CLIENT_KEY: &str = "sk-pf-benchmark0123456789abcdefghijklmnopqrstuv";
/// What the proxies present to the provider.
const PROVIDER_KEY: &str = "sk-provider-0123456789abcdefghijklmnopqrstuvwxyz";

/// What the sidecar costs, beside nginx. Exits with 1 when a goal is missed, with 2 when it could not measure.
#[derive(Clone, Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The sidecar's program, a release build.
    #[arg(long, required_unless_present = "calibrate")]
    sidecar: Option<PathBuf>,
    /// Measure nginx against itself: how far from 1 a ratio may be by chance.
    #[arg(long, conflicts_with = "sidecar")]
    calibrate: bool,
    /// Rounds; every round measures both, in turn.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=99))]
    rounds: u32,
    /// One short round that only shows whether everything works; no goals.
    #[arg(long)]
    quick: bool,
    /// Only this scenario; repeatable.
    #[arg(long, value_name = "SCENARIO", value_parser = scenario::named)]
    only: Vec<Scenario>,
    /// Measure nothing: keep the subject under the load of each scenario for so many seconds, for a profiler.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=600))]
    hold: Option<u64>,
    /// Write the figures to this file as well.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

fn main() -> ExitCode {
    bench_until_told_to_stop(Arguments::parse()).unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::from(2)
    })
}

fn bench_until_told_to_stop(arguments: Arguments) -> Result<ExitCode> {
    let cores = Cores::choose()?;
    cores.settle()?;
    let directory = tempfile::Builder::new().prefix("pilotfish-bench-").tempdir()?;
    let (done, outcome) = oneshot::channel();
    let bench = (arguments, cores, directory.path().to_owned());
    // The proxies end with the thread that started them. It ends with this function, which drops the directory last.
    thread::Builder::new().name("bench".to_owned()).spawn(move || {
        let (arguments, cores, directory) = bench;
        drop(done.send(run(&arguments, cores, &directory)));
    })?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        tokio::select! {
            outcome = outcome => outcome.context("the benchmark ended early")?,
            asked = told_to_stop() => asked.map(|()| ExitCode::from(130)),
        }
    })
}

/// Ctrl-C, or a signal that means the same.
async fn told_to_stop() -> Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

fn run(arguments: &Arguments, cores: Cores, directory: &Path) -> Result<ExitCode> {
    let setting = setting(arguments)?;
    let bench = bench(arguments, cores, directory)?;
    if let Some(seconds) = arguments.hold {
        bench.hold(Duration::from_secs(seconds))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut samples = Vec::new();
    for number in 0..setting.rounds {
        eprintln!("round {} of {}", number + 1, setting.rounds);
        samples.extend(bench.round(number)?);
    }
    samples.extend(arguments.sidecar.as_deref().map(size).transpose()?);
    let report = Report::new(setting, &samples);
    if let Some(file) = &arguments.json {
        std::fs::write(file, format!("{:#}\n", report.json())).with_context(|| file.display().to_string())?;
    }
    write!(std::io::stdout(), "{}", report.table())?;
    match report.missed() {
        0 => Ok(ExitCode::SUCCESS),
        missed => {
            eprintln!("{missed} goals missed");
            Ok(ExitCode::FAILURE)
        }
    }
}

fn setting(arguments: &Arguments) -> Result<Setting> {
    let subject = match &arguments.sidecar {
        Some(file) => file.display().to_string(),
        None => "nginx".to_owned(),
    };
    let rounds = if arguments.quick { 1 } else { arguments.rounds };
    let judged = !arguments.quick && !arguments.calibrate;
    Ok(Setting {
        reference: nginx::version()?,
        subject,
        rounds,
        judged,
    })
}

fn bench(arguments: &Arguments, cores: Cores, directory: &Path) -> Result<Bench> {
    let subject = match &arguments.sidecar {
        Some(file) => {
            // Absolute, because it is started by another program that looks names up on PATH.
            let file = file.canonicalize().with_context(|| file.display().to_string())?;
            ensure!(
                !cfg!(debug_assertions) || arguments.quick,
                "a debug build measures itself; build with --release"
            );
            Subject::Sidecar(file)
        }
        None => Subject::Nginx,
    };
    let (clock, awake) = (Clock::start(), Awake::default());
    Ok(Bench {
        scale: if arguments.quick { Scale::QUICK } else { Scale::FULL },
        scenarios: if arguments.only.is_empty() {
            scenario::all().collect()
        } else {
            arguments.only.clone()
        },
        subject,
        directory: directory.to_owned(),
        cores,
        upstream: upstream::start(clock, awake.clone())?,
        clock,
        awake,
    })
}

/// The size of the sidecar's file. nginx's says little: its libraries are elsewhere.
fn size(file: &Path) -> Result<Sample> {
    let bytes = u32::try_from(std::fs::metadata(file)?.len()).context("a sidecar beyond 4 GiB")?;
    let megabytes = f64::from(bytes) / 1e6;
    Ok(Sample {
        scenario: metric::PROCESS,
        metric: metric::Metric::BinarySize,
        reference: f64::NAN,
        subject: megabytes,
    })
}
