//! kubectl and helm, kept away from this user's own clusters.

use super::Cluster;
use anyhow::{Context, Result, bail};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Longer than anything that a test waits for by `kubectl wait` or `helm --wait`.
const PATIENCE: Duration = Duration::from_secs(300);

/// How a program ended, and all that it said.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its exit status.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
    what: String,
}

impl Outcome {
    /// Its standard output; an error with all that it said if it failed.
    pub fn success(self) -> Result<String> {
        if !self.status.success() {
            bail!("{}: {}\n{}{}", self.what, self.status, self.stdout, self.stderr);
        }
        Ok(self.stdout)
    }

    /// Its standard error; an error if it did not fail.
    pub fn failure(self) -> Result<String> {
        if self.status.success() {
            bail!("{} should have failed, but says:\n{}", self.what, self.stdout);
        }
        Ok(self.stderr)
    }
}

pub(super) async fn run<'a>(
    program: &str,
    arguments: impl IntoIterator<Item = &'a str>,
    input: &str,
    cluster: &Cluster,
) -> Result<Outcome> {
    let arguments: Vec<&str> = arguments.into_iter().collect();
    let what = format!("{program} {}", arguments.join(" "));
    let ran = ran(program, &arguments, input, cluster);
    let output = tokio::time::timeout(PATIENCE, ran)
        .await
        .with_context(|| format!("{what} did not end"))??;
    Ok(Outcome {
        status: output.status,
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        what,
    })
}

async fn ran(program: &str, arguments: &[&str], input: &str, cluster: &Cluster) -> Result<std::process::Output> {
    let file = super::program(program);
    let mut process = Command::new(&file)
        .arg("--kubeconfig")
        .arg(cluster.kubeconfig())
        .args(arguments)
        .env_remove("KUBECONFIG")
        // Its caches, plugins and configuration.
        .env("HOME", cluster.directory())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot run {}; run `make test`", file.display()))?;
    let mut stdin = process.stdin.take().context("its standard input is piped")?;
    // One that fails at its flags does not read; what it says about them is the answer.
    drop(stdin.write_all(input.as_bytes()).await);
    drop(stdin);
    Ok(process.wait_with_output().await?)
}
