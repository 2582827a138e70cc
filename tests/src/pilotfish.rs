//! A running program. Dropping it kills it, and if its test fails its log is shown.

use crate::gauges::{Gauges, SETTLES_WITHIN};
use crate::log::Log;
use crate::{Metrics, client};
use anyhow::{Context, Result, ensure};
use pilotfish_provider::Fake;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::Instant;

/// Whatever is not ready by then has failed.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// Between two looks at something that tells nobody when it changes.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Lines of its log that are shown when its test fails.
const LAST_WORDS: usize = 20;

/// A program that is ready, or was.
pub struct Pilotfish {
    process: Starting,
    address: SocketAddr,
    telemetry: SocketAddr,
    http: reqwest::Client,
    idle: Gauges,
}

/// A program before it is known where it listens.
pub(crate) struct Starting {
    child: Child,
    log: Log,
    directory: TempDir,
}

impl Starting {
    pub(crate) fn new(child: Child, log: Log, directory: TempDir) -> Self {
        Self { child, log, directory }
    }

    pub(crate) async fn listening(self, address: SocketAddr, telemetry: SocketAddr) -> Result<Pilotfish> {
        let http = client::builder().pool_max_idle_per_host(1).build()?;
        let idle = Gauges::from(&scrape(&http, telemetry).await?);
        Ok(Pilotfish {
            process: self,
            address,
            telemetry,
            http,
            idle,
        })
    }
}

impl Pilotfish {
    /// Waits until it is ready; from then on it is idle.
    pub async fn ready(mut self) -> Result<Self> {
        let deadline = Instant::now() + READY_WITHIN;
        while !self.is_ready().await? {
            ensure!(Instant::now() < deadline, "never ready:\n{}", self.log());
            tokio::time::sleep(LOOK_EVERY).await;
        }
        self.idle = Gauges::from(&self.metrics().await?);
        Ok(self)
    }

    /// Whether it says that it is ready.
    pub async fn is_ready(&self) -> Result<bool> {
        is_ready(&self.http, &format!("http://{}/readyz", self.telemetry)).await
    }

    /// Tells it to stop, as a kubelet does.
    pub fn terminate(&self) -> Result<()> {
        let pid = self.pid().to_string();
        let status = std::process::Command::new("kill").args(["-s", "TERM", &pid]).status()?;
        ensure!(status.success(), "no signal was sent: {status}");
        Ok(())
    }

    /// Waits for its end. Fails after 30 s.
    pub async fn ended(&mut self) -> Result<ExitStatus> {
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            if let Some(status) = self.process.child.try_wait()? {
                return Ok(status);
            }
            ensure!(Instant::now() < deadline, "it does not end:\n{}", self.log());
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Where applications call.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it is scraped and probed.
    pub fn telemetry(&self) -> SocketAddr {
        self.telemetry
    }

    /// What an OpenAI SDK takes as its base URL, without `/v1`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The directory of its documents, which it watches.
    pub fn directory(&self) -> &Path {
        self.process.directory.path()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.child.id()
    }

    /// All that it has logged.
    pub fn log(&self) -> String {
        self.process.log.text()
    }

    /// The first line of its log that holds `part`, once there is one. Fails after 30 s.
    pub async fn logged(&self, part: &str) -> Result<String> {
        tokio::time::timeout(READY_WITHIN, self.process.log.line_with(part))
            .await
            .with_context(|| format!("never logged {part:?}:\n{}", self.log()))?
    }

    /// Its metrics now.
    pub async fn metrics(&self) -> Result<Metrics> {
        scrape(&self.http, self.telemetry).await
    }

    /// Waits until `holds`; fails with the last scrape's gauges after 15 s.
    pub async fn metrics_until(&self, holds: impl Fn(&Metrics) -> bool) -> Result<Metrics> {
        let deadline = Instant::now() + SETTLES_WITHIN;
        loop {
            let metrics = self.metrics().await?;
            if holds(&metrics) {
                return Ok(metrics);
            }
            let late = Instant::now() > deadline;
            ensure!(
                !late,
                "the metrics never became as expected: {:?}",
                Gauges::from(&metrics)
            );
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until it holds nothing more than when it had just started: no request, task, connection or byte. Idle
    /// connections to `fakes`, which it keeps on purpose, are closed from the other side; that takes it a second to see.
    pub async fn back_to_idle(&self, fakes: &[&Fake]) -> Result<()> {
        let is_idle = |gauges: Gauges| {
            fakes.iter().for_each(|fake| fake.close_idle_connections());
            gauges.are_within(&self.idle)
        };
        self.settles(is_idle).await
    }

    /// The same, but it may keep idle HTTP/1 connections, as many as `fakes` see. Quicker, for tests that are not about
    /// connections.
    pub async fn at_rest(&self, fakes: &[&Fake]) -> Result<()> {
        let is_at_rest = |gauges: Gauges| {
            let open: u32 = fakes
                .iter()
                .map(|fake| u32::try_from(fake.connections().open).unwrap_or(u32::MAX))
                .sum();
            let upstream = f64::from(open);
            gauges.are_within(&Gauges { upstream, ..self.idle })
        };
        self.settles(is_at_rest).await
    }

    async fn settles(&self, holds: impl Fn(Gauges) -> bool) -> Result<()> {
        self.metrics_until(|metrics| holds(Gauges::from(metrics)))
            .await
            .map(drop)
            .with_context(|| format!("something was left behind; it started with {:?}", self.idle))
    }

    /// Its resident memory, bytes.
    pub fn resident(&self) -> Result<u64> {
        resident(self.pid())
    }
}

/// The resident memory of a process, bytes.
pub(crate) fn resident(pid: u32) -> Result<u64> {
    let status = std::fs::read_to_string(PathBuf::from(format!("/proc/{pid}/status")))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.context("no VmRSS: it has ended")?.trim().trim_end_matches(" kB");
    Ok(kib.parse::<u64>()? * 1024)
}

/// The answer is read to its end, so that its connection serves the next one, too, and is no other task.
pub(crate) async fn is_ready(http: &reqwest::Client, url: &str) -> Result<bool> {
    let answer = http.get(url).send().await?;
    let ready = answer.status() == 200;
    answer.bytes().await?;
    Ok(ready)
}

pub(crate) async fn scrape(http: &reqwest::Client, telemetry: SocketAddr) -> Result<Metrics> {
    let answer = http.get(format!("http://{telemetry}/metrics")).send().await?;
    ensure!(answer.status() == 200, "/metrics answers {}", answer.status());
    Metrics::parse(&answer.text().await?)
}

impl Drop for Starting {
    fn drop(&mut self) {
        // Both fail only when it has ended and was waited for already.
        drop(self.child.kill());
        drop(self.child.wait());
        if std::thread::panicking() {
            let log = self.log.text();
            let lines: Vec<&str> = log.lines().rev().take(LAST_WORDS).collect();
            let lines: Vec<&str> = lines.into_iter().rev().collect();
            eprintln!("--- log of process {}:\n{}", self.child.id(), lines.join("\n"));
        }
    }
}
