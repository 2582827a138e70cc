//! The README's cluster section, command by command, on an empty cluster.

use crate::installed::{IMAGES, providers, workspace};
use anyhow::{Context, Result, ensure};
use pilotfish_tests::cluster::Options;
use std::process::Stdio;
use tokio::process::Command;

/// The commands of the section's first block.
fn commands() -> Result<Vec<String>> {
    let readme = std::fs::read_to_string(workspace("README.md"))?;
    let (_, section) = readme
        .split_once("\n## In a cluster\n")
        .context("the README has the section")?;
    let (_, block) = section.split_once("```console\n").context("it begins with commands")?;
    let (block, _) = block.split_once("```").context("which end")?;
    Ok(block
        .lines()
        .filter_map(|line| line.strip_prefix("$ "))
        .map(str::to_owned)
        .collect())
}

/// As on this machine: its own images, and a provider that can be reached.
fn on_this_machine(command: &str) -> String {
    if command.starts_with("helm install pilotfish ") {
        return format!("{command} {}", IMAGES.join(" "));
    }
    let example = "kubectl apply --namespace shop -f deploy/examples/one-provider.yaml";
    if command == example {
        let endpoint = r#"{"spec": {"endpoint": {"url": "http://openai.providers.svc:8000/v1"}}}"#;
        return format!("{example} && kubectl patch --namespace shop mdep gpt-4o --type merge -p '{endpoint}'");
    }
    command.replace("--image=busybox", "--image=localhost/busybox:e2e")
}

#[tokio::test]
async fn an_empty_cluster_comes_to_a_routed_request() -> Result<()> {
    let cluster = Options::default().with_node().start().await?;
    providers(&cluster).await?;
    let commands = commands()?;
    ensure!(commands.len() == 8, "{commands:?}");
    let tools = workspace("target/tools/controlplane").canonicalize()?;
    let path = format!("{}:{}", tools.display(), std::env::var("PATH")?);
    let mut last = String::new();
    for command in &commands {
        let output = Command::new("sh")
            .args(["-c", &on_this_machine(command)])
            .current_dir(workspace("."))
            .env("KUBECONFIG", cluster.kubeconfig())
            .env("PATH", &path)
            .stdin(Stdio::null())
            .output()
            .await?;
        last = String::from_utf8_lossy(&output.stdout).into_owned();
        let said = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            let pods = cluster.kubectl(["describe", "pods", "--all-namespaces"]).await?;
            anyhow::bail!("{command}\n{last}{said}\n{pods:?}");
        }
    }
    let answer: serde_json::Value = serde_json::from_str(&last).with_context(|| last.clone())?;
    assert_eq!(answer["object"], "chat.completion", "{answer}");
    Ok(())
}
