//! What a process has used, as Linux counts it.

use anyhow::{Context, Result};

/// Clock ticks a second: what `/proc` counts in, on every Linux there is today.
const TICKS: f64 = 100.0;

/// Resident memory, KiB.
pub(crate) fn resident(pid: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    Ok(line.context("it has ended")?.trim().trim_end_matches(" kB").parse()?)
}

/// Processor time since it started, milliseconds.
pub(crate) fn cpu(pid: u32) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let after_name = stat.rsplit_once(')').context("no such format")?.1;
    let ticks = |index| -> Result<f64> { Ok(after_name.split_whitespace().nth(index).context("too short")?.parse()?) };
    Ok((ticks(11)? + ticks(12)?) * 1000.0 / TICKS)
}
