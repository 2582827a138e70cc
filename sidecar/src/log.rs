//! The log, on standard error, and what of it is written.

use anyhow::Context;
use pilotfish_loudness::targets;
use std::fmt;
use tracing_subscriber::Registry;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload::{self, Handle};
use tracing_subscriber::util::SubscriberInitExt;

/// The crates that write to the log, of the sidecar and of `pilotfish run`, which is one.
const SPEAKERS: [&str; 9] = [
    "pilotfish_sidecar",
    "pilotfish",
    "pilotfish_operator",
    "aws_sigv4",
    "aws_smithy_runtime_api",
    "h2",
    "hyper",
    "hyper_util",
    "tokio_util",
];

/// The filter of this process's log, which can be changed while it runs. A filter is a list of `target=level`, or one
/// level.
#[derive(Clone)]
pub struct Log(Handle<Targets, Registry>);

impl Log {
    /// Writes the log to standard error from here on; once a process.
    pub fn to_stderr(filter: &str) -> anyhow::Result<Self> {
        let (filter, handle) = reload::Layer::new(targets(filter, &SPEAKERS)?);
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
        let targets = targets(filter, &SPEAKERS)?;
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
