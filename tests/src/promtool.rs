//! Prometheus' own tool, which `make test` builds.

use anyhow::{Context, Result, ensure};
use std::path::Path;
use std::process::Stdio;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Runs `promtool check …` on an input and returns all that it says.
pub async fn check(what: &str, input: &str) -> Result<String> {
    let promtool = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/promtool");
    ensure!(promtool.exists(), "promtool is not built; run `make test`");
    let mut process = Command::new(promtool)
        .args(["check", what])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut stdin = process.stdin.take().context("its standard input is piped")?;
    stdin.write_all(input.as_bytes()).await?;
    drop(stdin);
    let output = process.wait_with_output().await?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    ensure!(
        output.status.success(),
        "promtool check {what}: {} {said}",
        output.status
    );
    Ok(said)
}
