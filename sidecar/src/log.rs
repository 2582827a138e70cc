//! The log, on standard error, and what of it is written.

use anyhow::Context;
use std::fmt;
use tracing_subscriber::Registry;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload::{self, Handle};
use tracing_subscriber::util::SubscriberInitExt;

/// The filter of this process's log, which can be changed while it runs. A filter is a list of `target=level`, or one
/// level.
#[derive(Clone)]
pub struct Log(Handle<Targets, Registry>);

impl Log {
    /// Writes the log to standard error from here on; once a process.
    pub fn to_stderr(filter: &str) -> anyhow::Result<Self> {
        let (filter, handle) = reload::Layer::new(targets(filter)?);
        let lines = tracing_subscriber::fmt::layer()
            .with_writer(std::io::stderr)
            .with_ansi(false);
        tracing_subscriber::registry()
            .with(filter)
            .with(lines)
            .try_init()
            .context("the log is set up already")?;
        Ok(Self(handle))
    }

    /// What is written from here on.
    pub(crate) fn set(&self, filter: &str) -> anyhow::Result<()> {
        let targets = targets(filter)?;
        self.0.reload(targets).context("the log cannot be changed any more")
    }

    /// What is written now.
    pub(crate) fn filter(&self) -> String {
        self.0.with_current(ToString::to_string).unwrap_or_default()
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Log").field(&self.filter()).finish()
    }
}

/// A word by itself is a level: as a target it would silence everything else, and who mistypes `debug` would see nothing.
fn targets(filter: &str) -> anyhow::Result<Targets> {
    let is_said = |part: &str| part.contains('=') || !part.is_empty() && part.parse::<LevelFilter>().is_ok();
    let targets = filter.parse().ok().filter(|_| filter.split(',').all(is_said));
    targets.with_context(|| format!("the log filter {filter:?} is not one; such as info,pilotfish_sidecar=debug"))
}
