//! What can be said on the command line.

use crate::load::{self, Scope};
use clap::{Args, Parser, Subcommand, ValueEnum};
use pilotfish_crds::selector::Labels;
use std::net::SocketAddr;
use std::path::PathBuf;

/// LLM routing policy for Kubernetes, and without it.
#[derive(Debug, Parser)]
#[command(name = "pilotfish", version)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the policies of a directory on this machine, and follow its changes.
    Run(RunArguments),
    /// Write what one sidecar would be sent into a file, for `pilotfish-sidecar --snapshot`. It holds no secrets: that
    /// sidecar reads the providers' keys from `PILOTFISH_SECRET_<NAME>_<KEY>`.
    Compile(CompileArguments),
    /// Write the CustomResourceDefinitions into a chart's templates.
    #[command(hide = true)]
    Generate(GenerateArguments),
    /// Be one of the two providers of `run --demo`.
    #[command(hide = true)]
    DemoProvider(DemoProviderArguments),
}

/// Of `run`.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// The directory: *.yaml, *.yml and *.json, but not what is in folders below it or starts with a dot.
    pub directory: PathBuf,
    /// Where applications call.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4000")]
    pub listen: SocketAddr,
    /// Where metrics and readiness are.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4001")]
    pub telemetry: SocketAddr,
    /// What is logged, as a list of target=level or one level.
    #[arg(long, value_name = "FILTER", env = "PILOTFISH_LOG", default_value = "info")]
    pub log: String,
    /// Start two local providers beside it, so that no key and no network is needed.
    #[arg(long)]
    pub demo: bool,
    /// Where those two listen.
    #[command(flatten)]
    pub demo_ports: DemoPorts,
    /// The pod to stand for.
    #[command(flatten)]
    pub scope: ScopeArguments,
}

/// Where the providers of the demo listen: what deploy/quickstart says, unless a test says something else.
#[derive(Clone, Debug, Args)]
pub struct DemoPorts {
    /// The OpenAI-shaped one.
    #[arg(long, hide = true, default_value = "127.0.0.1:4101")]
    pub demo_openai: SocketAddr,
    /// The Anthropic-shaped one.
    #[arg(long, hide = true, default_value = "127.0.0.1:4102")]
    pub demo_anthropic: SocketAddr,
}

/// Of `demo-provider`.
#[derive(Debug, Args)]
pub struct DemoProviderArguments {
    /// Whose API it has.
    pub shape: DemoShape,
    /// Where it listens.
    #[arg(long)]
    pub listen: SocketAddr,
}

/// Whose API a provider of the demo has.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum DemoShape {
    /// OpenAI's.
    Openai,
    /// Anthropic's.
    Anthropic,
}

/// Of `compile`.
#[derive(Debug, Args)]
pub struct CompileArguments {
    /// The directory, as for run.
    pub directory: PathBuf,
    /// The file to write; without it, standard output.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The pod to stand for.
    #[command(flatten)]
    pub scope: ScopeArguments,
}

/// Of `generate`.
#[derive(Debug, Args)]
pub struct GenerateArguments {
    /// The folder to write into: one file for each kind.
    pub directory: PathBuf,
}

/// Which pod a sidecar without a cluster stands for.
#[derive(Debug, Args)]
pub struct ScopeArguments {
    /// The pod's namespace. Documents that name none are in `default`.
    #[arg(long, value_name = "NS", value_parser = load::namespace_name, default_value = "default")]
    pub namespace: String,
    /// The pod's labels, which decide about policies that select workloads: k=v,k=v
    #[arg(long, value_name = "K=V,…", value_parser = labels, default_value = "", hide_default_value = true)]
    pub labels: Labels,
    /// The namespace whose policies may serve others.
    #[arg(long, value_name = "NS", value_parser = load::namespace_name, default_value = "pilotfish-system")]
    pub root_namespace: String,
}

impl From<ScopeArguments> for Scope {
    fn from(arguments: ScopeArguments) -> Self {
        let ScopeArguments {
            namespace,
            labels,
            root_namespace,
        } = arguments;
        Self {
            namespace,
            labels,
            root_namespace,
        }
    }
}

/// Reads `k=v,k=v`.
fn labels(text: &str) -> Result<Labels, String> {
    let mut labels = Labels::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (key, value) = part
            .split_once('=')
            .ok_or_else(|| format!("{part:?} is not of the form key=value"))?;
        let (key, value) = load::label(key, value).map_err(|sentence| format!("{part:?}: {sentence}"))?;
        if labels.insert(key, value).is_some() {
            return Err(format!("{part:?} gives a second value to one label"));
        }
    }
    Ok(labels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn labels_are_pairs() {
        let expected = Labels::from([("a".to_owned(), "b".to_owned()), ("c".to_owned(), String::new())]);
        assert_eq!(labels("a=b, c="), Ok(expected));
        assert_eq!(labels(""), Ok(Labels::new()));
        for (text, sentence) in [
            ("a", "\"a\" is not of the form key=value"),
            ("a=b,a=c", "\"a=c\" gives a second value to one label"),
            ("=b", "\"=b\": a label must be "),
            ("a=b c", "\"a=b c\": a label's value must be "),
        ] {
            let said = labels(text).unwrap_err();
            assert!(said.starts_with(sentence), "{said}");
        }
    }
}
