//! `pilotfish-sidecar`: the kube-free sidecar, under an operator or on a snapshot file.

use anyhow::{Context, bail};
use clap::{ArgGroup, Args, Parser, Subcommand};
use pilotfish_sidecar::admin::{self, Admin, Question};
use pilotfish_sidecar::app::{self, Config, Operator, Source, Subscribed};
use pilotfish_sidecar::log::Log;
use pilotfish_sidecar::standalone;
use pilotfish_wire::snapshot;
use rustls_pki_types::ServerName;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::mpsc;

/// The data plane of Pilotfish: a small LLM proxy beside an application.
#[derive(Parser)]
#[command(name = "pilotfish-sidecar", version)]
#[command(group(ArgGroup::new("source").required(true).args(["snapshot", "operator"])))]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// The configuration, as `pilotfish compile` writes it.
    #[arg(long, value_name = "FILE")]
    snapshot: Option<PathBuf>,
    #[command(flatten)]
    operator: OperatorArguments,
    /// Where the application calls.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4000")]
    listen: SocketAddr,
    /// Where it is scraped and probed.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4001")]
    telemetry: SocketAddr,
    /// Threads that serve requests.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    workers: u8,
    /// How many bytes of request bodies it may hold at once; some 3/8 of the memory it may use.
    #[arg(long, value_name = "BYTES")]
    body_pool: Option<u64>,
    /// How long requests in hand may take to end once it is told to stop.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    drain: u32,
    /// What is logged, as a tracing filter.
    #[arg(long, value_name = "FILTER", env = "PILOTFISH_LOG", default_value = "info")]
    log: String,
}

/// What a running sidecar is asked, such as with `kubectl exec POD -c pilotfish -- /pilotfish-sidecar config`.
#[derive(Subcommand)]
enum Command {
    /// Print the configuration in force, as JSON, without credentials and keys.
    Config(Asked),
    /// Print what is logged, after changing it if FILTER is given.
    Log {
        /// A tracing filter, such as `debug`, or `info,pilotfish_sidecar::subscribe=debug`.
        filter: Option<String>,
        #[command(flatten)]
        asked: Asked,
    },
    /// Have it finish what is under way, take nothing new, and end.
    Drain(Asked),
}

/// Which sidecar.
#[derive(Args)]
struct Asked {
    /// The directory that it was started with.
    #[arg(long, value_name = "DIR", default_value = "/var/lib/pilotfish")]
    state: PathBuf,
}

/// Where the configuration comes from in a cluster.
#[derive(Args)]
struct OperatorArguments {
    /// The operator that sends the configuration.
    #[arg(long, value_name = "HOST:PORT", value_parser = host_and_port, requires_all = ["operator_name", "token", "ca"])]
    operator: Option<String>,
    /// The name that the operator's certificate must be for, whatever its address.
    #[arg(long, value_name = "NAME", value_parser = server_name, requires = "operator")]
    operator_name: Option<ServerName<'static>>,
    /// The pod's token for the operator.
    #[arg(long, value_name = "FILE", requires = "operator")]
    token: Option<PathBuf>,
    /// The certificates that the operator's may be signed by, PEM.
    #[arg(long, value_name = "FILE", requires = "operator")]
    ca: Option<PathBuf>,
    /// Where the last good configuration is kept for a restart, credentials included; to be in memory, and nobody
    /// else's.
    #[arg(long, value_name = "DIR", requires = "operator")]
    state: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if let Some(command) = arguments.command {
        return command.ask();
    }
    let log = Log::to_stderr(&arguments.log)?;
    let state = arguments.operator.state.clone();
    let source = match (arguments.snapshot, arguments.operator.settings()) {
        (Some(path), None) => of_file(&path)?,
        (None, Some(operator)) => Source::Operator(operator),
        (Some(_), Some(_)) | (None, None) => bail!("one of --snapshot and --operator is needed"),
    };
    let defaults = Config::new(arguments.listen, arguments.telemetry);
    let config = Config {
        workers: arguments.workers.into(),
        body_pool: arguments.body_pool.unwrap_or(defaults.body_pool),
        drain: Duration::from_secs(arguments.drain.into()),
        admin: state.map(|directory| Admin { directory, log }),
        ..defaults
    };
    app::run_until_signal(config, source)
}

impl Command {
    fn ask(self) -> anyhow::Result<()> {
        let (Asked { state }, question) = match self {
            Self::Config(asked) => (asked, Question::Config),
            Self::Log { filter, asked } => (asked, Question::Log(filter)),
            Self::Drain(asked) => (asked, Question::Drain),
        };
        let answer = admin::ask(&state, question)?;
        Ok(std::io::stdout().write_all(answer.as_bytes())?)
    }
}

impl OperatorArguments {
    fn settings(self) -> Option<Operator> {
        let Self {
            operator,
            operator_name,
            token,
            ca,
            state,
        } = self;
        Some(Operator {
            address: operator?,
            name: operator_name?,
            token: token?,
            ca: ca?,
            state,
        })
    }
}

/// What a snapshot file says, credentials from the environment.
fn of_file(path: &Path) -> anyhow::Result<Source> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
    let messages = snapshot::read(&text).with_context(|| format!("{shown} is not used"))?;
    let messages = standalone::with_credentials(messages, |name| std::env::var(name).ok())?;
    let (sender, receiver) = mpsc::channel(messages.len().max(1));
    for message in messages {
        if sender.try_send(message).is_err() {
            bail!("the snapshot's messages did not fit their queue");
        }
    }
    let (reports, _nobody) = mpsc::channel(1);
    Ok(Source::Channel(Subscribed {
        messages: receiver,
        reports,
    }))
}

fn host_and_port(text: &str) -> Result<String, String> {
    let port = text
        .rsplit_once(':')
        .and_then(|(host, port)| (!host.is_empty()).then_some(port));
    match port.map(str::parse::<u16>) {
        Some(Ok(_)) => Ok(text.to_owned()),
        _ => Err("must be a host and a port, such as pilotfish-operator.pilotfish-system.svc:4443".to_owned()),
    }
}

fn server_name(text: &str) -> Result<ServerName<'static>, String> {
    ServerName::try_from(text.to_owned()).map_err(|_| "must be the name of a host".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPERATOR: [&str; 8] = [
        "--operator",
        "pilotfish-operator.pilotfish-system.svc:4443",
        "--operator-name",
        "pilotfish-operator.pilotfish-system.svc",
        "--token",
        "token",
        "--ca",
        "ca.crt",
    ];

    #[test]
    fn configuration_comes_from_a_file_or_from_an_operator_and_not_from_both() {
        let without = |flag: &str| {
            let at = OPERATOR.iter().position(|argument| *argument == flag).unwrap();
            [&OPERATOR[..at], &OPERATOR[at + 2..]].concat()
        };
        let both = [&OPERATOR[..], &["--snapshot", "file"]].concat();
        let mut no_port = OPERATOR;
        no_port[1] = "pilotfish-operator";
        let mut no_name = OPERATOR;
        no_name[3] = "not a name";
        for (arguments, complaint) in [
            (&["--snapshot", "file"][..], None),
            (&OPERATOR, None),
            (
                &[&OPERATOR[..], &["--state", "state", "--body-pool", "1000"]].concat(),
                None,
            ),
            (&[], Some("<--snapshot <FILE>|--operator <HOST:PORT>>")),
            (&both, Some("cannot be used with")),
            (&without("--token"), Some("--token <FILE>")),
            (&without("--ca"), Some("--ca <FILE>")),
            (&without("--operator-name"), Some("--operator-name <NAME>")),
            (
                &["--snapshot", "file", "--state", "state"],
                Some("--operator <HOST:PORT>"),
            ),
            (&no_port, Some("must be a host and a port")),
            (&no_name, Some("must be the name of a host")),
        ] {
            let parsed = Arguments::try_parse_from(["pilotfish-sidecar"].iter().chain(arguments));
            let said = parsed.err().map(|error| error.to_string());
            match (said, complaint) {
                (None, None) => {}
                (Some(said), Some(complaint)) => assert!(said.contains(complaint), "{arguments:?}: {said}"),
                (said, _) => panic!("{arguments:?}: {said:?}"),
            }
        }
    }
}
