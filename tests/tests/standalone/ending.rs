//! SIGTERM and Ctrl-C: what is under way is finished, what is new is not begun.

use crate::program::{Program, compile};
use anyhow::{Context, Result};
use pilotfish_provider::{Fake, Gate, Pause, Point, Step};
use pilotfish_tests::{Deployment, Dialect, Policy, http, http_with_pool};
use std::ffi::OsStr;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Far less than a drain may take.
const SOON: Duration = Duration::from_secs(10);

/// A directory that sends `chat` to this provider.
fn directory(east: &Fake) -> Result<TempDir> {
    let folder = tempfile::tempdir()?;
    let deployment = Deployment::of(Dialect::Chat, "east", east).to_string();
    let policy = Policy::named("chat").targets(["east"]).to_string();
    std::fs::write(folder.path().join("all.yaml"), format!("{deployment}---\n{policy}"))?;
    Ok(folder)
}

async fn ready(program: &Program) -> Result<()> {
    let http = http()?;
    while http.get(program.telemetry("/readyz")).send().await?.status() != 200 {
        tokio::task::yield_now().await;
    }
    Ok(())
}

fn ask(http: &reqwest::Client, program: &Program, stream: bool) -> reqwest::RequestBuilder {
    let request = match stream {
        true => Dialect::Chat.stream_request("chat", "one two three"),
        false => Dialect::Chat.request("chat", "one two three"),
    };
    let url = format!("http://{}{}", program.address, Dialect::Chat.path());
    http.post(url)
        .header("content-type", "application/json")
        .body(request.to_string())
}

/// Waits until nobody takes connections there.
async fn closed(program: &Program) {
    while TcpStream::connect(program.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

/// A stream of which a word has come, a request whose answer has no head yet, and two connections without a request.
async fn drains(program: Program, east: &Fake) -> Result<()> {
    ready(&program).await?;
    let gate = Gate::new();
    east.script([
        Step::normal().pause(Point::Content(2), Pause::Until(gate.clone())),
        Step::normal().pause(Point::BeforeHead, Pause::Until(gate.clone())),
    ]);
    let http = http_with_pool()?;
    let _silent = TcpStream::connect(program.address).await?;
    let mut stream = ask(&http, &program, true).send().await?;
    let mut text = stream.chunk().await?.context("the first word")?.to_vec();
    let mut requests = JoinSet::new();
    requests.spawn(ask(&http, &program, false).send());
    gate.reached(2).await;

    program.signal("TERM").await?;
    closed(&program).await;
    gate.open();
    while let Some(more) = stream.chunk().await? {
        text.extend_from_slice(&more);
    }
    let text = String::from_utf8(text)?;
    assert!(text.contains("three") && text.ends_with("data: [DONE]\n\n"), "{text}");
    let answer = requests.join_next().await.context("one was asked")???;
    assert_eq!(answer.status(), 200);
    assert!(answer.text().await?.contains("one two three"));
    let (status, log) = program.ended().await?;
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(!log.contains("ERROR") && !log.contains("WARN"), "{log}");
    Ok(())
}

#[tokio::test]
async fn run_finishes_what_is_under_way() -> Result<()> {
    let east = Dialect::Chat.provider("east").start().await?;
    let directory = directory(&east)?;
    let arguments = [OsStr::new("run"), directory.path().as_os_str()];
    drains(Program::start("pilotfish", &arguments, &[]).await?, &east).await
}

#[tokio::test]
async fn a_sidecar_finishes_what_is_under_way() -> Result<()> {
    let east = Dialect::Chat.provider("east").start().await?;
    let directory = directory(&east)?;
    let snapshot = directory.path().join("snapshot");
    compile(directory.path(), &snapshot, &[]).await?;
    let arguments = [OsStr::new("--snapshot"), snapshot.as_os_str()];
    let key = [("PILOTFISH_SECRET_EAST_API_KEY", "sk-up-east")];
    drains(Program::start("pilotfish-sidecar", &arguments, &key).await?, &east).await
}

#[tokio::test]
async fn nothing_under_way_is_nothing_to_wait_for() -> Result<()> {
    let east = Dialect::Chat.provider("east").start().await?;
    let directory = directory(&east)?;
    for signal in ["TERM", "INT"] {
        let arguments = [OsStr::new("run"), directory.path().as_os_str()];
        let program = Program::start("pilotfish", &arguments, &[]).await?;
        ready(&program).await?;
        let http = http_with_pool()?;
        // Its connection is kept.
        let answer = ask(&http, &program, false).send().await?;
        assert_eq!(answer.status(), 200);
        answer.bytes().await?;
        let asked = Instant::now();
        program.signal(signal).await?;
        let (status, log) = program.ended().await?;
        assert_eq!(status.code(), Some(0), "{log}");
        assert!(asked.elapsed() < SOON, "{:?}:\n{log}", asked.elapsed());
    }
    Ok(())
}
