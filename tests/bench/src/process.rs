//! A proxy as a child process: pinned to its core, measured from outside, ended with us whatever happens.

use crate::load;
use anyhow::{Context, Result, bail, ensure};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;
use tokio::time::Instant;

/// Between two looks at whether it is ready; small beside the goal of 20 ms.
const LOOK_EVERY: Duration = Duration::from_micros(200);
/// Whatever is not ready by then has failed.
const READY_WITHIN: Duration = Duration::from_secs(10);
/// Lines of its log that an error quotes.
const LOG_LINES: usize = 5;

/// What to start, and where.
pub(crate) struct Program<'a> {
    /// A path, or a name found on `PATH`.
    pub(crate) file: &'a OsStr,
    /// Its arguments.
    pub(crate) arguments: Vec<String>,
    /// Added to its environment.
    pub(crate) environment: Vec<(String, String)>,
    /// The core it runs on.
    pub(crate) core: u32,
    /// Gets its output.
    pub(crate) log: PathBuf,
    /// Answers `GET /readyz` with 200 once it can serve.
    pub(crate) readiness: SocketAddr,
}

/// A running proxy. Dropping it kills it.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
    /// From its start until it was ready.
    pub(crate) started_in: Duration,
}

impl Process {
    /// Starts `program` and waits until it is ready.
    pub(crate) fn start(program: Program<'_>) -> Result<Self> {
        let log = File::create(&program.log)?;
        // setpriv: the kernel kills the child when the thread that started it ends, even if we are killed.
        // Both become the program itself, so the process id is the program's.
        let core = program.core.to_string();
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "taskset", "-c", &core])
            .arg(program.file)
            .args(&program.arguments);
        command
            .envs(program.environment)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let start = Instant::now();
        let child = command.spawn().context("cannot run setpriv (package util-linux)")?;
        let mut process = Self {
            child,
            log: program.log,
            started_in: Duration::ZERO,
        };
        process.wait_until_ready(program.readiness, start)?;
        process.started_in = start.elapsed();
        Ok(process)
    }

    fn wait_until_ready(&mut self, readiness: SocketAddr, start: Instant) -> Result<()> {
        while let Err(error) = load::probe(readiness, "/readyz") {
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended with {status}: {}", self.last_words());
            }
            let waited = start.elapsed();
            ensure!(
                waited < READY_WITHIN,
                "not ready after {waited:?} ({error:#}): {}",
                self.last_words()
            );
            thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// CPU time of all its threads. Exact to a few milliseconds while it runs, and exactly while it sleeps.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let mut nanos = 0;
        for thread in fs::read_dir(self.proc().join("task"))? {
            // A thread may end in between; the workers, which use nearly all of the time, stay.
            let Ok(line) = fs::read_to_string(thread?.path().join("schedstat")) else {
                continue;
            };
            let on_cpu = line.split(' ').next().context("an empty schedstat")?;
            nanos += on_cpu.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanos))
    }

    /// Its resident memory, MiB.
    pub(crate) fn resident(&self) -> Result<f64> {
        let status = fs::read_to_string(self.proc().join("status"))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .context("no VmRSS: it has ended")?;
        let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib / 1024.0)
    }

    /// The end of its log, for an error.
    pub(crate) fn last_words(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = log.lines().rev().take(LOG_LINES).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    fn proc(&self) -> PathBuf {
        Path::new("/proc").join(self.child.id().to_string())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only when it has ended and was waited for already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// An address that nobody listens on. Somebody else might take it before we do; then the start fails and says so.
pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
