//! The figures, and what they are called.

/// One kind of figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Metric {
    /// CPU time of the proxy per request with its core full, µs.
    CpuPerRequest,
    /// The same per 1,000 bytes of the request's body, µs.
    CpuPerKilobyte,
    /// Requests a second with its core full.
    RequestsPerSecond,
    /// How full the core was, per cent of one core.
    Busy,
    /// Median latency over that without a proxy, open loop, µs.
    OpenAddedP50,
    /// The 99th percentile of the same, over that without a proxy, µs.
    OpenAddedP99,
    /// Median latency over that without a proxy, one request at a time, µs.
    SingleAddedP50,
    /// The 99th percentile of the same, µs.
    SingleAddedP99,
    /// CPU time of the proxy per stream chunk, µs.
    CpuPerChunk,
    /// How much more that is than for a chunk that is passed on, in the same seconds, µs.
    ChunkOverPassed,
    /// Median delay of a chunk over that without a proxy, µs.
    ChunkAddedP50,
    /// The 99th percentile of the same, µs.
    ChunkAddedP99,
    /// Median time to the first content over that without a proxy, µs.
    FirstAddedP50,
    /// The 99th percentile of the same, µs.
    FirstAddedP99,
    /// Resident memory before the first request, MiB.
    ResidentIdle,
    /// Resident memory after the round's load, MiB.
    ResidentLoaded,
    /// From start to ready, ms.
    StartToReady,
    /// The program's file, MB.
    BinarySize,
}

impl Metric {
    /// For people, with the unit.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::CpuPerRequest => "CPU per request, µs",
            Self::CpuPerKilobyte => "CPU per kB of the request, µs",
            Self::RequestsPerSecond => "requests/s on one core",
            Self::Busy => "core busy, %",
            Self::OpenAddedP50 => "added p50 at 1,000/s, µs",
            Self::OpenAddedP99 => "added p99 at 1,000/s, µs",
            Self::SingleAddedP50 => "added p50, one at a time, µs",
            Self::SingleAddedP99 => "added p99, one at a time, µs",
            Self::CpuPerChunk => "CPU per chunk at 5,000/s, µs",
            Self::ChunkOverPassed => "  over one that is passed on, µs",
            Self::ChunkAddedP50 => "added delay of a chunk, p50, µs",
            Self::ChunkAddedP99 => "added delay of a chunk, p99, µs",
            Self::FirstAddedP50 => "added first token, p50, µs",
            Self::FirstAddedP99 => "added first token, p99, µs",
            Self::ResidentIdle => "resident memory, idle, MiB",
            Self::ResidentLoaded => "resident memory, loaded, MiB",
            Self::StartToReady => "start to ready, ms",
            Self::BinarySize => "size of the program, MB",
        }
    }
}

/// One figure of one round, of both proxies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// The scenario's name, or [`PROCESS`].
    pub(crate) scenario: &'static str,
    /// What the figure is.
    pub(crate) metric: Metric,
    /// nginx's.
    pub(crate) reference: f64,
    /// The sidecar's.
    pub(crate) subject: f64,
}

/// Stands for the scenario where a figure belongs to none.
pub(crate) const PROCESS: &str = "process";
