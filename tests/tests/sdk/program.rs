//! A program of `tests/clients`, run to its end by what `make test` installed for it.

use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// A program that takes longer hangs, and did not notice it itself.
const PATIENCE: Duration = Duration::from_secs(180);

/// Runs a program; what it said of itself if it did not end well.
pub(crate) async fn run(program: &str, arguments: &[&str]) -> Result<()> {
    let mut command = started_by(program)?;
    // Without the environment, for the SDKs read keys, URLs and proxies from it.
    command
        .env_clear()
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output())
        .await
        .context("does not end")??;
    let (said, wailed) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    ensure!(output.status.success(), "{}\n{said}{wailed}", output.status);
    Ok(())
}

/// Node, or the Python that has what the program imports.
fn started_by(program: &str) -> Result<Command> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = root.join("../target");
    if program.ends_with(".mjs") {
        // Packages are looked for beside where a program seems to be.
        let folder = target.join("javascript");
        let mut command = Command::new(there(folder.join("node"))?);
        command.args(["--preserve-symlinks", "--preserve-symlinks-main"]);
        command.arg(folder.join("programs").join(program));
        return Ok(command);
    }
    let environment = match program {
        _ if program.starts_with("lang") => "langchain",
        _ if program.starts_with("litellm") => "litellm",
        _ if program.starts_with("boto3") => "boto3",
        _ if program.starts_with("cohere") => "cohere",
        _ => "python",
    };
    let mut command = Command::new(there(target.join(environment).join("bin/python"))?);
    command.arg("-B").arg(root.join("clients").join(program));
    Ok(command)
}

fn there(path: PathBuf) -> Result<PathBuf> {
    ensure!(path.exists(), "{} is missing; run `make test`", path.display());
    Ok(path)
}
