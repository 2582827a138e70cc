//! Starting the real program.

use crate::log::Log;
use crate::operator::{Operator, Pod};
use crate::pilotfish::Pilotfish;
use anyhow::{Context, Result, ensure};
use pilotfish_wire::Message;
use std::fmt::Display;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Whatever is not listening by then has failed.
const LISTENS_WITHIN: Duration = Duration::from_secs(30);

/// What to start, and with what.
#[derive(Debug)]
pub struct Launch {
    program: &'static str,
    configuration: Configuration,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
}

#[derive(Debug)]
enum Configuration {
    /// `pilotfish run DIR`.
    Documents(String),
    /// `pilotfish-sidecar --snapshot FILE`.
    Snapshot(String),
    /// `pilotfish-sidecar --operator HOST:PORT`, with what its pod has mounted.
    Operator(Box<Mounted>),
    /// The same, with what a test has mounted and may change.
    Mounts(Mounts),
}

/// What stands in for the volumes of a sidecar's pod; a test changes the files, and starts sidecars on them one after
/// the other.
#[derive(Clone, Debug)]
pub struct Mounts {
    /// Where the operator is, `host:port`.
    pub operator: String,
    /// The name on its certificate.
    pub name: String,
    /// Holds `token` and `ca.crt`, and the directory `state` that outlives the process.
    pub directory: PathBuf,
}

/// What a pod has mounted for its sidecar.
#[derive(Debug)]
struct Mounted {
    /// Where the operator is.
    operator: String,
    /// The name on its certificate.
    name: String,
    authority: String,
    token: String,
}

impl Launch {
    /// `pilotfish run` on a directory with these documents.
    pub fn run(documents: &[impl Display]) -> Self {
        Self::new("pilotfish", Configuration::Documents(joined(documents)))
    }

    /// `pilotfish-sidecar` on a snapshot of these messages.
    pub fn snapshot(messages: &[Message]) -> Self {
        let text = pilotfish_wire::snapshot::write(messages);
        Self::new("pilotfish-sidecar", Configuration::Snapshot(text))
    }

    /// `pilotfish-sidecar` on what `pilotfish compile` makes of these documents. Credentials are to be set as variables of
    /// its environment.
    pub fn compiled(documents: &[impl Display]) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        std::fs::write(directory.path().join("documents.yaml"), joined(documents))?;
        let output = Command::new(binary("pilotfish")?)
            .arg("compile")
            .arg(directory.path())
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "pilotfish compile failed: {said}");
        let snapshot = String::from_utf8(output.stdout).context("a snapshot is text")?;
        Ok(Self::new("pilotfish-sidecar", Configuration::Snapshot(snapshot)))
    }

    /// `pilotfish-sidecar` as `pod` would run it if it had a node.
    pub async fn sidecar(operator: &Operator, pod: &Pod<'_>) -> Result<Self> {
        let mounted = Mounted {
            operator: operator.sidecars().to_string(),
            name: operator.name(),
            authority: operator.authority().await?,
            token: pod.token().await?,
        };
        Ok(Self::new(
            "pilotfish-sidecar",
            Configuration::Operator(Box::new(mounted)),
        ))
    }

    /// `pilotfish-sidecar` in a pod with these mounts.
    pub fn mounts(mounts: &Mounts) -> Self {
        Self::new("pilotfish-sidecar", Configuration::Mounts(mounts.clone()))
    }

    fn new(program: &'static str, configuration: Configuration) -> Self {
        Self {
            program,
            configuration,
            arguments: Vec::new(),
            environment: Vec::new(),
        }
    }

    /// Adds an argument, or several: `["--namespace", "shop"]`.
    pub fn arguments<'a>(mut self, arguments: impl IntoIterator<Item = &'a str>) -> Self {
        self.arguments.extend(arguments.into_iter().map(str::to_owned));
        self
    }

    /// Sets a variable of its environment.
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Starts it and waits until it is ready.
    pub async fn start(self) -> Result<Pilotfish> {
        let pilotfish = self.listening().await?;
        pilotfish.ready().await
    }

    /// Starts it and waits until it listens: without a configuration it is not ready.
    pub async fn listening(self) -> Result<Pilotfish> {
        let directory = tempfile::tempdir()?;
        let mut command = self.command(&directory)?;
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start {}", self.program))?;
        let output = child.stderr.take().context("its standard error is piped")?;
        let log = Log::of(output);
        // From here on the process is killed whatever happens.
        let starting = crate::pilotfish::Starting::new(child, log.clone(), directory);
        let line = tokio::time::timeout(LISTENS_WITHIN, log.line_with("listening address="))
            .await
            .with_context(|| format!("{} does not listen:\n{}", self.program, log.text()))??;
        starting
            .listening(address(&line, " address=")?, address(&line, " telemetry=")?)
            .await
    }

    fn command(&self, directory: &TempDir) -> Result<Command> {
        let mut command = Command::new(binary(self.program)?);
        match &self.configuration {
            Configuration::Documents(text) => {
                std::fs::write(directory.path().join("documents.yaml"), text)?;
                command.arg("run").arg(directory.path());
            }
            Configuration::Snapshot(text) => {
                let file = directory.path().join("snapshot");
                std::fs::write(&file, text)?;
                command.arg("--snapshot").arg(file);
            }
            Configuration::Operator(mounted) => {
                let (token, authority) = (directory.path().join("token"), directory.path().join("ca.crt"));
                std::fs::write(&token, &mounted.token)?;
                std::fs::write(&authority, &mounted.authority)?;
                command.args(["--operator", &mounted.operator, "--operator-name", &mounted.name]);
                command.arg("--token").arg(token).arg("--ca").arg(authority);
                command.arg("--state").arg(directory.path());
            }
            Configuration::Mounts(mounts) => {
                let at = |name: &str| mounts.directory.join(name);
                command.args(["--operator", &mounts.operator, "--operator-name", &mounts.name]);
                command.arg("--token").arg(at("token")).arg("--ca").arg(at("ca.crt"));
                command.arg("--state").arg(at("state"));
            }
        }
        command
            .args(["--listen", "127.0.0.1:0", "--telemetry", "127.0.0.1:0"])
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        Ok(command)
    }
}

/// As one file.
fn joined(documents: &[impl Display]) -> String {
    let documents: Vec<String> = documents.iter().map(ToString::to_string).collect();
    documents.join("---\n")
}

/// Where the programs are, when they are not beside the tests.
const PROGRAMS: &str = "PILOTFISH_TEST_PROGRAMS";

/// A program of the workspace, built as this one is: tests stand in a directory of their own below it.
pub fn binary(name: &str) -> Result<PathBuf> {
    if let Some(programs) = std::env::var_os(PROGRAMS) {
        let path = PathBuf::from(programs).join(name);
        ensure!(path.exists(), "{} is not there", path.display());
        return Ok(path);
    }
    let own = std::env::current_exe()?;
    let mut profile = own.parent().context("an executable stands in a directory")?;
    if profile.ends_with("deps") {
        profile = profile.parent().context("deps stands in target/<profile>")?;
    }
    let path = profile.join(name);
    ensure!(path.exists(), "{} is not built; run `make test`", path.display());
    Ok(path)
}

/// The address after `name` in a line of the log.
pub(crate) fn address(line: &str, name: &str) -> Result<SocketAddr> {
    let (_, rest) = line.split_once(name).with_context(|| format!("no{name} in {line:?}"))?;
    let text = rest.split(' ').next().unwrap_or(rest);
    text.parse()
        .with_context(|| format!("{text:?} is no address, in {line:?}"))
}
