//! One core for the proxy under measurement, another for the load generator and the fake upstream.

use anyhow::{Context, Result, ensure};
use std::fs;
use std::process::Command;

/// Which core does what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cores {
    /// Load generator and fake upstream.
    pub(crate) bench: u32,
    /// The proxy, alone.
    pub(crate) proxy: u32,
}

impl Cores {
    /// The first and the last core that this process may use.
    pub(crate) fn choose() -> Result<Self> {
        let status = fs::read_to_string("/proc/self/status")?;
        let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        let list = list.context("the kernel does not say which cores may be used")?.trim();
        let numbers = list
            .split([',', '-'])
            .map(str::parse)
            .collect::<Result<Vec<u32>, _>>()?;
        let (first, last) = (
            numbers.first().copied().unwrap_or(0),
            numbers.last().copied().unwrap_or(0),
        );
        ensure!(
            first != last,
            "a benchmark takes two cores, and only core {first} may be used"
        );
        Ok(Self {
            bench: first,
            proxy: last,
        })
    }

    /// Moves this process, with all its threads to come, to the bench's core.
    pub(crate) fn settle(self) -> Result<()> {
        let (core, process) = (self.bench.to_string(), std::process::id().to_string());
        let output = Command::new("taskset").args(["-acp", &core, &process]).output();
        let output = output.context("cannot run taskset (package util-linux)")?;
        ensure!(
            output.status.success(),
            "taskset: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        Ok(())
    }
}
