//! `pilotfish run deploy/quickstart --demo`: what it prints can be tried, and all of it ends together.

#![cfg(test)]

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout};

const PATIENCE: Duration = Duration::from_secs(30);

/// A demo, with all that it prints up to its last line.
struct Demo {
    process: Child,
    printed: Vec<String>,
}

/// Some ports that nobody listens on.
fn free_ports<const N: usize>() -> Result<[String; N]> {
    let listeners: Vec<TcpListener> = (0..N)
        .map(|_| TcpListener::bind("127.0.0.1:0"))
        .collect::<Result<_, _>>()?;
    let ports = listeners.iter().map(|listener| Ok(listener.local_addr()?.to_string()));
    let ports: Vec<String> = ports.collect::<Result<_>>()?;
    ports.try_into().ok().context("as many ports as listeners")
}

/// The quickstart, moved to other ports so that a demo may run beside the test.
fn quickstart(openai: &str, anthropic: &str) -> Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    let original = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/quickstart");
    for entry in std::fs::read_dir(original)? {
        let path = entry?.path();
        let text = std::fs::read_to_string(&path)?;
        let text = text
            .replace("127.0.0.1:4101", openai)
            .replace("127.0.0.1:4102", anthropic);
        std::fs::write(folder.path().join(path.file_name().context("a file has a name")?), text)?;
    }
    Ok(folder)
}

fn program() -> Result<PathBuf> {
    let tests = std::env::current_exe()?;
    let profile = tests.parent().and_then(Path::parent).context("target/<profile>/deps")?;
    Ok(profile.join("pilotfish"))
}

impl Demo {
    async fn start(directory: &Path, ports: &[String; 4]) -> Result<Self> {
        let [openai, anthropic, listen, telemetry] = ports;
        let mut process = Command::new(program()?)
            .arg("run")
            .arg(directory)
            .args(["--demo", "--demo-openai", openai, "--demo-anthropic", anthropic])
            .args(["--listen", listen, "--telemetry", telemetry])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut lines = BufReader::new(process.stdout.take().context("standard output is piped")?).lines();
        let mut printed = Vec::new();
        while let Some(line) = timeout(PATIENCE, lines.next_line()).await?? {
            let last = line.contains("Ctrl-C");
            printed.push(line);
            if last {
                return Ok(Self { process, printed });
            }
        }
        anyhow::bail!("the demo ended: {printed:?}")
    }

    /// The lines to try.
    fn curls(&self) -> Vec<&String> {
        self.printed.iter().filter(|line| line.starts_with("curl ")).collect()
    }

    /// The processes that the demo names.
    fn providers(&self) -> Result<Vec<u32>> {
        let line = self
            .printed
            .iter()
            .find(|line| line.contains("(process "))
            .context("no processes are named")?;
        let numbers = line
            .split("(process ")
            .skip(1)
            .filter_map(|part| part.split(')').next());
        Ok(numbers.map(str::parse).collect::<Result<_, _>>()?)
    }
}

/// Runs a line as a person would, in a shell, and returns its output.
async fn shell(line: &str) -> Result<String> {
    let output = timeout(PATIENCE, Command::new("sh").args(["-c", line]).output()).await??;
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    ensure!(output.status.success(), "{line}\n{out}{err}");
    Ok(out.into_owned())
}

/// The text of an answer in either API's shape, streamed or not.
fn text_of(answer: &str) -> Result<String> {
    if answer.starts_with("data: ") {
        ensure!(answer.contains("data: [DONE]"), "a stream without an end: {answer}");
        return Ok("stream".to_owned());
    }
    let answer: Value = serde_json::from_str(answer).with_context(|| answer.to_owned())?;
    let text = answer
        .pointer("/choices/0/message/content")
        .or(answer.pointer("/content/0/text"));
    Ok(text
        .and_then(Value::as_str)
        .with_context(|| answer.to_string())?
        .to_owned())
}

/// Whether the process is still on the system's list, if only because nobody has noticed its end.
fn is_listed(process: u32) -> bool {
    Path::new(&format!("/proc/{process}")).exists()
}

/// A process that has ended and whose parent is gone may be listed as a zombie, where nobody adopts orphans.
fn runs(process: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// Waits until none of these is on the system's list.
async fn gone(processes: &[u32]) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while processes.iter().any(|process| is_listed(*process)) {
        ensure!(Instant::now() < deadline, "{processes:?} are still there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

#[tokio::test]
async fn every_line_of_the_demo_answers_and_one_provider_stands_in_for_the_other() -> Result<()> {
    let ports = free_ports()?;
    let directory = quickstart(&ports[0], &ports[1])?;
    let mut demo = Demo::start(directory.path(), &ports).await?;
    let curls = demo.curls();
    assert!(curls.len() >= 3, "{curls:?}");
    assert!(
        curls.iter().any(|line| line.contains("\"stream\":true"))
            && curls.iter().any(|line| line.contains("/v1/messages"))
    );
    for line in &curls {
        let answer = shell(line).await?;
        assert!(!text_of(&answer)?.is_empty(), "{line}");
    }

    let stop = demo
        .printed
        .iter()
        .find(|line| line.starts_with("kill "))
        .context("nothing to stop is named")?;
    shell(stop).await?;
    for _ in 0..10 {
        let text = text_of(&shell(curls[0]).await?)?;
        assert!(text.contains("claude"), "{text}");
    }

    let providers = demo.providers()?;
    assert_eq!(providers.len(), 2);
    gone(&providers[..1]).await?;
    let own = demo.process.id().context("it runs")?;
    shell(&format!("kill -INT {own}")).await?;
    let ended = timeout(PATIENCE, demo.process.wait()).await??;
    assert!(ended.success(), "{ended}");
    assert!(!providers.iter().any(|process| is_listed(*process)), "{providers:?}");
    Ok(())
}

/// An application need not know who answers: the one model wants a budget in tokens, the other does not think at all.
#[tokio::test]
async fn who_asks_for_reasoning_is_answered_by_both_models() -> Result<()> {
    let ports = free_ports()?;
    let directory = quickstart(&ports[0], &ports[1])?;
    let demo = Demo::start(directory.path(), &ports).await?;
    let ask = |path: &str, reasoning: &str| {
        let body = format!(
            r#"{{"model":"claude","max_tokens":32000,{reasoning},"messages":[{{"role":"user","content":"Hello"}}]}}"#
        );
        let line = format!(
            "curl -sSi http://{}{path} -H 'content-type: application/json' -d '{body}'",
            ports[2]
        );
        async move { shell(&line).await }
    };
    let (effort, budget) = (
        r#""reasoning_effort":"high""#,
        r#""thinking":{"type":"enabled","budget_tokens":2000}"#,
    );

    let thought = ask("/v1/chat/completions", effort).await?;
    ensure!(
        thought.starts_with("HTTP/1.1 200") && thought.contains("reasoning_content"),
        "{thought}"
    );
    ensure!(!thought.contains("x-pilotfish-loss"), "{thought}");
    let thought = ask("/v1/messages", budget).await?;
    ensure!(thought.contains(r#""type":"thinking""#), "{thought}");

    shell(&format!("kill {}", demo.providers()?[1])).await?;
    for _ in 0..3 {
        let plain = ask("/v1/messages", budget).await?;
        ensure!(
            plain.starts_with("HTTP/1.1 200") && plain.contains("default/gpt-4o"),
            "{plain}"
        );
        ensure!(plain.contains("x-pilotfish-loss: max_tokens, thinking"), "{plain}");
    }
    Ok(())
}

#[tokio::test]
async fn the_providers_end_even_when_the_demo_is_killed() -> Result<()> {
    let ports = free_ports()?;
    let directory = quickstart(&ports[0], &ports[1])?;
    let mut demo = Demo::start(directory.path(), &ports).await?;
    let providers = demo.providers()?;
    assert!(providers.iter().all(|process| is_listed(*process)));
    demo.process.kill().await?;
    let deadline = Instant::now() + PATIENCE;
    while providers.iter().any(|process| runs(*process)) {
        ensure!(Instant::now() < deadline, "{providers:?} still run");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}
