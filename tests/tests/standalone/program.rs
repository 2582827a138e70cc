//! A program with its exit status, which the tests' usual harness has no use for.

use anyhow::{Context, Result, bail, ensure};
use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// What takes longer than this never happens.
const PATIENCE: Duration = Duration::from_secs(30);

/// Names and values.
pub(crate) type Variables<'a> = &'a [(&'a str, &'a str)];

/// A program that listens.
pub(crate) struct Program {
    child: Child,
    /// Where applications call.
    pub(crate) address: SocketAddr,
    /// Where it is scraped and probed.
    pub(crate) telemetry: SocketAddr,
    /// Reads the log to its end.
    log: JoinSet<String>,
}

fn command(program: &str, arguments: &[&OsStr], environment: Variables<'_>) -> Result<Command> {
    let tests = std::env::current_exe()?;
    let profile = tests.parent().and_then(|deps| deps.parent());
    let path: PathBuf = profile
        .context("the test stands in target/<profile>/deps")?
        .join(program);
    ensure!(path.exists(), "{} is not built; run `make test`", path.display());
    let mut command = Command::new(path);
    command
        .args(arguments)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    Ok(command)
}

/// Runs a program that ends by itself.
pub(crate) async fn output(program: &str, arguments: &[&OsStr], environment: Variables<'_>) -> Result<Output> {
    let output = command(program, arguments, environment)?.output();
    Ok(timeout(PATIENCE, output).await.context("it does not end")??)
}

/// `pilotfish compile`, which must have nothing to say.
pub(crate) async fn compile(directory: &Path, file: &Path, more: &[&str]) -> Result<()> {
    let arguments = [
        OsStr::new("compile"),
        directory.as_os_str(),
        OsStr::new("-o"),
        file.as_os_str(),
    ];
    let more: Vec<&OsStr> = more.iter().map(OsStr::new).collect();
    let output = output("pilotfish", &[&arguments[..], &more].concat(), &[]).await?;
    ensure!(
        output.status.success() && output.stderr.is_empty() && output.stdout.is_empty(),
        "{output:?}"
    );
    Ok(())
}

impl Program {
    /// Starts a program on ports that the system chooses and waits until it listens.
    pub(crate) async fn start(program: &str, arguments: &[&OsStr], environment: Variables<'_>) -> Result<Self> {
        let ports = ["--listen", "127.0.0.1:0", "--telemetry", "127.0.0.1:0"].map(OsStr::new);
        let mut child = command(program, &[arguments, &ports].concat(), environment)?.spawn()?;
        let mut lines = BufReader::new(child.stderr.take().context("it is piped")?).lines();
        let (mut said, address, telemetry) = timeout(PATIENCE, listening(&mut lines)).await??;
        let mut log = JoinSet::new();
        log.spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                said += &line;
                said.push('\n');
            }
            said
        });
        Ok(Self {
            child,
            address,
            telemetry,
            log,
        })
    }

    /// The URL of a path of the telemetry port.
    pub(crate) fn telemetry(&self, path: &str) -> String {
        format!("http://{}{path}", self.telemetry)
    }

    /// Sends it a signal by name.
    pub(crate) async fn signal(&self, name: &str) -> Result<()> {
        let pid = self.child.id().context("it has ended")?.to_string();
        let status = Command::new("kill").args(["-s", name, &pid]).status().await?;
        ensure!(status.success(), "no signal was sent: {status}");
        Ok(())
    }

    /// Waits for its end; its status and its log.
    pub(crate) async fn ended(mut self) -> Result<(ExitStatus, String)> {
        let status = timeout(PATIENCE, self.child.wait())
            .await
            .context("it does not end")??;
        let log = self.log.join_next().await.context("one task reads the log")??;
        Ok((status, log))
    }
}

/// Reads the log until it says where the program listens.
async fn listening(lines: &mut Lines<BufReader<ChildStderr>>) -> Result<(String, SocketAddr, SocketAddr)> {
    let mut said = String::new();
    while let Some(line) = lines.next_line().await? {
        said += &format!("{line}\n");
        if let Some((_, addresses)) = line.split_once("listening address=") {
            let (address, telemetry) = addresses.split_once(" telemetry=").context("two addresses")?;
            return Ok((said, address.parse()?, telemetry.parse()?));
        }
    }
    bail!("it ended:\n{said}")
}
