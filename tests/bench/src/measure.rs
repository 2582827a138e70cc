//! How one scenario is measured, straight to the upstream and through a proxy.

use crate::awake::Awake;
use crate::load::{Aim, open, saturate};
use crate::marker::Clock;
use crate::metric::Metric;
use crate::process::Process;
use crate::proxy::Proxy;
use crate::request::Prompt;
use crate::scenario::{self, Ask, Scenario};
use crate::upstream::StreamShape;
use anyhow::{Context, Result, ensure};
use hdrhistogram::Histogram;
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;
use tokio::time::Instant;

/// Requests under way at saturation.
const SATURATING: usize = 64;
/// The same when each of them is long: a sidecar holds 96 MiB of bodies, and no more.
const SATURATING_LONG: usize = 4;
/// Between two requests of the open loop: 1,000/s.
const OPEN_GAP: Duration = Duration::from_millis(1);
/// Connections of the open loop; many more than are busy unless something stalls.
const OPEN_CONNECTIONS: usize = 32;
/// Streams at once, each with a chunk every [`CHUNK_GAP`]: 5,000 chunks/s.
const STREAMS: u32 = 50;
const CHUNK_GAP: Duration = Duration::from_millis(10);
/// Between two short streams when the first token is measured: 200/s.
const FIRST_GAP: Duration = Duration::from_millis(5);
const FIRST_CONNECTIONS: usize = 16;
const FIRST_CHUNKS: u32 = 8;

/// How long things take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    /// At saturation, before it counts.
    pub(crate) warm_up: Duration,
    /// At saturation.
    pub(crate) window: Duration,
    /// At 1,000 requests/s.
    pub(crate) open: Duration,
    /// One request at a time.
    pub(crate) single: Duration,
    /// 50 streams at once.
    pub(crate) streams: Duration,
    /// Short streams, one after the other.
    pub(crate) first: Duration,
}

impl Scale {
    /// Six rounds of everything in less than eight minutes. Many short windows rather than few long ones: a ratio is of
    /// two figures of the same second, and the median forgives a disturbed one.
    pub(crate) const FULL: Self = Self {
        warm_up: Duration::from_millis(200),
        window: Duration::from_millis(800),
        open: Duration::from_millis(800),
        single: Duration::from_millis(300),
        streams: Duration::from_millis(1200),
        first: Duration::from_millis(800),
    };
    /// Enough to see that everything works.
    pub(crate) const QUICK: Self = Self {
        warm_up: Duration::from_millis(100),
        window: Duration::from_millis(200),
        open: Duration::from_millis(150),
        single: Duration::from_millis(50),
        streams: Duration::from_millis(400),
        first: Duration::from_millis(100),
    };
}

impl Scale {
    /// The same, but each scenario's first measurement lasts for so long.
    pub(crate) fn lasting(self, duration: Duration) -> Self {
        Self {
            window: duration,
            streams: duration,
            ..self
        }
    }

    /// For one of many rows.
    fn brief(self) -> Self {
        Self {
            warm_up: self.warm_up / 2,
            window: self.window * 3 / 8,
            streams: self.streams / 3,
            ..self
        }
    }

    /// One of the windows of such a row.
    fn sliced(self) -> Self {
        Self {
            warm_up: self.warm_up / 4,
            window: self.window / 8,
            ..self.brief()
        }
    }
}

/// What was found out about one proxy.
pub(crate) type Figures = Vec<(Metric, f64)>;

/// One scenario and what it takes to run it.
#[derive(Clone, Copy)]
pub(crate) struct Load<'a> {
    /// Durations.
    pub(crate) scale: Scale,
    /// Shared with the upstream.
    pub(crate) clock: Clock,
    /// Shared with it too.
    pub(crate) awake: &'a Awake,
    /// What is asked.
    pub(crate) scenario: &'a Scenario,
}

/// Who is asked, and whose CPU time it costs.
#[derive(Clone, Copy)]
struct Target<'a> {
    address: SocketAddr,
    /// Absent when the upstream is asked directly.
    process: Option<&'a Process>,
}

impl Target<'_> {
    fn cpu(&self) -> Result<Duration> {
        self.process.map_or(Ok(Duration::ZERO), Process::cpu)
    }
}

/// One thing to measure about a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measurement {
    /// As many requests as the proxy's core can take.
    Saturated(Prompt),
    /// 1,000 requests a second, open loop.
    Open(Prompt),
    /// One request at a time.
    Single(Prompt),
    /// 50 streams at once.
    Streams,
    /// The same, for what they cost alone, beside streams that are passed on.
    Chunks,
    /// Short streams.
    First,
}

impl Measurement {
    /// Whether the figure is compared with nginx's; some are compared with the sidecar's own.
    pub(crate) fn is_compared(self) -> bool {
        !matches!(self, Self::Chunks | Self::Saturated(Prompt::Turns(_)))
    }

    /// How often both are measured in turn; more often where a window is short.
    pub(crate) fn turns(self) -> u32 {
        match self {
            Self::Saturated(Prompt::Tools) => 3,
            _ => 1,
        }
    }
}

impl Load<'_> {
    /// What there is to measure.
    pub(crate) fn measurements(&self) -> Vec<Measurement> {
        match self.scenario.ask {
            Ask::Latency(prompt) => {
                vec![
                    Measurement::Saturated(prompt),
                    Measurement::Open(prompt),
                    Measurement::Single(prompt),
                ]
            }
            Ask::Plain(prompt) => vec![Measurement::Saturated(prompt)],
            Ask::Stream => vec![Measurement::Streams, Measurement::First],
            Ask::Translated => vec![Measurement::Saturated(Prompt::Tools), Measurement::Chunks],
            Ask::Grown(bytes) => vec![Measurement::Saturated(Prompt::Turns(bytes))],
        }
    }

    /// What there is to subtract: the same figures without a proxy. None at saturation, where nothing is subtracted.
    pub(crate) fn direct(&self, measurement: Measurement, upstream: SocketAddr) -> Result<Figures> {
        match measurement {
            Measurement::Saturated(_) | Measurement::Chunks => Ok(Figures::new()),
            paced => self.measure(
                paced,
                Target {
                    address: upstream,
                    process: None,
                },
            ),
        }
    }

    /// What `proxy` adds to the figures of [`Load::direct`].
    pub(crate) fn through(&self, measurement: Measurement, proxy: &Proxy, direct: &Figures) -> Result<Figures> {
        let through = self.measure(
            measurement,
            Target {
                address: proxy.address,
                process: Some(&proxy.process),
            },
        )?;
        let without = direct.iter().map(|(_, value)| *value).chain(std::iter::repeat(0.0));
        Ok(through
            .into_iter()
            .zip(without)
            .map(|((metric, value), direct)| (metric, value - direct))
            .collect())
    }

    fn measure(&self, measurement: Measurement, target: Target<'_>) -> Result<Figures> {
        match measurement {
            Measurement::Saturated(prompt) => self.saturated(target, prompt),
            Measurement::Open(prompt) => self.open(target, prompt),
            Measurement::Single(prompt) => self.single(target, prompt),
            Measurement::Streams => self.streams(target),
            Measurement::Chunks => self.chunks(target),
            Measurement::First => self.first(target),
        }
    }

    fn saturated(&self, target: Target<'_>, prompt: Prompt) -> Result<Figures> {
        let scale = match prompt {
            Prompt::Tools => self.scale.sliced(),
            _ => self.scale(),
        };
        let Scale { warm_up, window, .. } = scale;
        let long = matches!(prompt, Prompt::Turns(_));
        let plan = saturate::Plan {
            connections: if long { SATURATING_LONG } else { SATURATING },
            warm_up,
            window,
        };
        let aim = Aim {
            target: target.address,
            request: &|connection| self.scenario.request(prompt, connection),
        };
        let seen = saturate::run(plan, aim, self.awake, || target.cpu())?;
        let (requests, wall) = (f64::from(seen.requests), seen.wall.as_secs_f64());
        let each = micros(seen.cpu) / requests;
        let mut figures = vec![(Metric::CpuPerRequest, each)];
        if long {
            let bytes = u32::try_from(self.scenario.request(prompt, 0).len())?;
            figures.push((Metric::CpuPerKilobyte, each / f64::from(bytes) * 1e3));
        }
        if !matches!(self.scenario.ask, Ask::Translated) {
            figures.push((Metric::RequestsPerSecond, requests / wall));
        }
        figures.push((Metric::Busy, 100.0 * seen.cpu.as_secs_f64() / wall));
        Ok(figures)
    }

    fn scale(&self) -> Scale {
        match self.scenario.ask {
            Ask::Translated | Ask::Grown(_) => self.scale.brief(),
            Ask::Latency(_) | Ask::Plain(_) | Ask::Stream => self.scale,
        }
    }

    fn open(&self, target: Target<'_>, prompt: Prompt) -> Result<Figures> {
        let (connections, pace) = (OPEN_CONNECTIONS, open::Pace::Every(OPEN_GAP));
        let plan = open::Plan {
            connections,
            pace,
            duration: self.scale.open,
        };
        let seen = self.run(plan, target, prompt)?;
        Ok(points(Metric::OpenAddedP50, Metric::OpenAddedP99, &seen.whole))
    }

    fn single(&self, target: Target<'_>, prompt: Prompt) -> Result<Figures> {
        let plan = open::Plan {
            connections: 1,
            pace: open::Pace::BackToBack,
            duration: self.scale.single,
        };
        let seen = self.run(plan, target, prompt)?;
        Ok(points(Metric::SingleAddedP50, Metric::SingleAddedP99, &seen.whole))
    }

    /// Many long streams at once, started so that their chunks do not coincide.
    fn streams(&self, target: Target<'_>) -> Result<Figures> {
        let lasting = self.scale().streams;
        let chunks = u32::try_from(lasting.as_nanos() / CHUNK_GAP.as_nanos())?;
        let prompt = Prompt::Stream(StreamShape { chunks, gap: CHUNK_GAP });
        let pace = open::Pace::Every(CHUNK_GAP / STREAMS);
        let plan = open::Plan {
            connections: usize::try_from(STREAMS)?,
            pace,
            duration: CHUNK_GAP,
        };
        let (seen, each) = thread::scope(|scope| {
            let each = scope.spawn(|| chunk(target, lasting));
            let seen = self.run(plan, target, prompt);
            anyhow::Ok((seen?, each.join().expect("it only reads figures")?))
        })?;
        // Some dialects say everything once more at the end.
        let whole = seen.chunks.len() >= u64::from(STREAMS * chunks);
        ensure!(whole, "{} chunks came, not all", seen.chunks.len());
        let cost = (Metric::CpuPerChunk, micros(each));
        Ok([
            vec![cost],
            points(Metric::ChunkAddedP50, Metric::ChunkAddedP99, &seen.chunks),
        ]
        .concat())
    }

    /// What a chunk costs, and how much more than one that is passed on.
    fn chunks(&self, target: Target<'_>) -> Result<Figures> {
        let passed = Self {
            scenario: &scenario::PASSED,
            ..*self
        };
        let cost = |load: &Self| {
            let figures = load.streams(target)?;
            let cost = figures.iter().find(|(metric, _)| *metric == Metric::CpuPerChunk);
            cost.map(|(_, value)| *value).context("streams have a cost per chunk")
        };
        let (translated, passed) = (cost(self)?, cost(&passed)?);
        Ok(vec![
            (Metric::CpuPerChunk, translated),
            (Metric::ChunkOverPassed, translated - passed),
        ])
    }

    /// Short streams at full speed, for the time to their first content.
    fn first(&self, target: Target<'_>) -> Result<Figures> {
        let prompt = Prompt::Stream(StreamShape {
            chunks: FIRST_CHUNKS,
            gap: Duration::ZERO,
        });
        let pace = open::Pace::Every(FIRST_GAP);
        let plan = open::Plan {
            connections: FIRST_CONNECTIONS,
            pace,
            duration: self.scale.first,
        };
        let seen = self.run(plan, target, prompt)?;
        Ok(points(Metric::FirstAddedP50, Metric::FirstAddedP99, &seen.first))
    }

    fn run(&self, plan: open::Plan, target: Target<'_>, prompt: Prompt) -> Result<open::Timings> {
        let aim = Aim {
            target: target.address,
            request: &|connection| self.scenario.request(prompt, connection),
        };
        let seen = open::run(plan, self.clock, aim)?;
        ensure!(!seen.whole.is_empty(), "no request was due within {:?}", plan.duration);
        Ok(seen)
    }
}

/// CPU time of a chunk in the middle of streams that begin now and last for so long: their openings and ends, which a
/// long answer makes little of, are no part of it.
fn chunk(target: Target<'_>, lasting: Duration) -> Result<Duration> {
    thread::sleep(lasting / 6);
    let (began, used) = (Instant::now(), target.cpu()?);
    thread::sleep(lasting * 2 / 3);
    let (wall, used) = (began.elapsed(), target.cpu()?.saturating_sub(used));
    let chunks = wall.as_secs_f64() / (CHUNK_GAP / STREAMS).as_secs_f64();
    Ok(used.div_f64(chunks))
}

fn points(p50: Metric, p99: Metric, nanos: &Histogram<u64>) -> Figures {
    let at = |quantile| micros(Duration::from_nanos(nanos.value_at_quantile(quantile)));
    vec![(p50, at(0.5)), (p99, at(0.99))]
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
