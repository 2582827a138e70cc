//! One round: both proxies started afresh, every scenario run against both in turn, figures of the same minute side by
//! side.

use crate::awake::Awake;
use crate::cores::Cores;
use crate::marker::Clock;
use crate::measure::{self, Figures, Scale};
use crate::metric::{Metric, PROCESS, Sample};
use crate::proxy::{Pair, Proxy, Role};
use crate::scenario::Scenario;
use crate::{nginx, sidecar};
use anyhow::{Context, Result};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

/// After readiness, for what a program still does then.
const SETTLE: Duration = Duration::from_millis(300);

/// Who is measured against nginx.
#[derive(Clone, Debug)]
pub(crate) enum Subject {
    /// The sidecar at this path.
    Sidecar(PathBuf),
    /// A second nginx: what the ratios are when there is no difference.
    Nginx,
}

/// What all rounds share.
pub(crate) struct Bench {
    /// Durations.
    pub(crate) scale: Scale,
    /// What is run.
    pub(crate) scenarios: Vec<Scenario>,
    /// Who is measured.
    pub(crate) subject: Subject,
    /// For the proxies' files.
    pub(crate) directory: PathBuf,
    /// Who runs where.
    pub(crate) cores: Cores,
    /// The fake provider.
    pub(crate) upstream: SocketAddr,
    /// That it and the load generator share.
    pub(crate) clock: Clock,
    /// Likewise.
    pub(crate) awake: Awake,
}

impl Bench {
    /// Runs round number `number`. The two take turns in going first.
    pub(crate) fn round(&self, number: u32) -> Result<Vec<Sample>> {
        let order = match number % 2 {
            0 => [Role::Reference, Role::Subject],
            _ => [Role::Subject, Role::Reference],
        };
        let proxies = self.start()?;
        let mut samples = samples(PROCESS, &proxies.map(fresh)?);
        for scenario in &self.scenarios {
            let found = self.run(scenario, &proxies, order);
            samples.extend(found.with_context(|| scenario.name.to_owned())?);
        }
        samples.extend(self::samples(PROCESS, &proxies.map(loaded)?));
        Ok(samples)
    }

    /// Keeps the subject under the load of every scenario for so long, so that a profiler can look at it.
    pub(crate) fn hold(&self, duration: Duration) -> Result<()> {
        let subject = self.start_subject()?;
        for scenario in &self.scenarios {
            let load = measure::Load {
                scale: self.scale.lasting(duration),
                clock: self.clock,
                awake: &self.awake,
                scenario,
            };
            eprintln!("process {}: {} for {duration:?}", subject.process.id(), scenario.name);
            for measurement in load.measurements().into_iter().take(1) {
                for (metric, value) in load.through(measurement, &subject, &Figures::new())? {
                    eprintln!("  {}: {value:.2}", metric.label());
                }
            }
        }
        Ok(())
    }

    fn start(&self) -> Result<Pair<Proxy>> {
        let reference = nginx::start(&self.directory.join("reference"), self.upstream, self.cores.proxy)?;
        let subject = self.start_subject()?;
        thread::sleep(SETTLE);
        Ok(Pair { reference, subject })
    }

    fn start_subject(&self) -> Result<Proxy> {
        let (directory, core) = (self.directory.join("subject"), self.cores.proxy);
        match &self.subject {
            Subject::Sidecar(file) => sidecar::start(file, &directory, self.upstream, core),
            Subject::Nginx => nginx::start(&directory, self.upstream, core),
        }
    }

    /// Every measurement through both, one right after the other.
    fn run(&self, scenario: &Scenario, proxies: &Pair<Proxy>, order: [Role; 2]) -> Result<Vec<Sample>> {
        let load = measure::Load {
            scale: self.scale,
            clock: self.clock,
            awake: &self.awake,
            scenario,
        };
        let mut samples = Vec::new();
        for measurement in load.measurements() {
            let direct = load
                .direct(measurement, self.upstream)
                .context("straight to the upstream")?;
            let asked = |role: &Role| *role == Role::Subject || measurement.is_compared();
            for _ in 0..measurement.turns() {
                let mut figures = Pair {
                    reference: Figures::new(),
                    subject: Figures::new(),
                };
                for role in order.into_iter().filter(asked) {
                    let proxy = proxies.of(role);
                    let measured = load.through(measurement, proxy, &direct);
                    let measured = measured.with_context(|| format!("{role:?}: {}", proxy.process.last_words()))?;
                    figures.of_mut(role).extend(measured);
                }
                samples.extend(self::samples(scenario.name, &figures));
            }
        }
        Ok(samples)
    }
}

fn fresh(proxy: &Proxy) -> Result<Figures> {
    Ok(vec![
        (Metric::StartToReady, proxy.process.started_in.as_secs_f64() * 1e3),
        (Metric::ResidentIdle, proxy.process.resident()?),
    ])
}

fn loaded(proxy: &Proxy) -> Result<Figures> {
    Ok(vec![(Metric::ResidentLoaded, proxy.process.resident()?)])
}

/// What the subject is measured by; the reference is not measured by all of it.
fn samples(scenario: &'static str, figures: &Pair<Figures>) -> Vec<Sample> {
    let reference = |metric| figures.reference.iter().find(|(other, _)| *other == metric);
    let sample = |&(metric, subject)| Sample {
        scenario,
        metric,
        reference: reference(metric).map_or(f64::NAN, |(_, value)| *value),
        subject,
    };
    figures.subject.iter().map(sample).collect()
}
