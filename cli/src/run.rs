//! `pilotfish run`: a sidecar in this process, fed from a directory.
//!
//! The directory is looked at ten times a second. A change is loaded once it has held still for two looks, and for five
//! if a file became shorter or is gone, so that a file that is being saved is not read halfway. The sidecar is sent what
//! an operator would send it, over a channel.

use crate::arguments::RunArguments;
use crate::demo::Demo;
use crate::feed::{Change, Feed};
use crate::load::{Directory, Environment, Problem, Stamp};
use pilotfish_sidecar::app::{self, Config, Source, Subscribed};
use pilotfish_sidecar::log::Log;
use pilotfish_wire::{Hello, Message, REVISION, Report, scope};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
use tokio::sync::mpsc;

/// How often the directory is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// For how many looks a change holds still before it is loaded, and one that took something away.
const STILL: u32 = 2;
const STILL_WITH_LESS: u32 = 5;
/// Messages on their way to the sidecar; a batch may be longer, its sender then waits.
const MESSAGES: usize = 256;
/// Acks on their way back.
const REPORTS: usize = 16;

/// Serves until it is told to stop. A directory that is wrong from the start is not served at all.
pub fn run(arguments: RunArguments) -> anyhow::Result<ExitCode> {
    Log::to_stderr(&arguments.log)?;
    let directory = Directory::new(&arguments.directory);
    let config = Config::new(arguments.listen, arguments.telemetry);
    let namespace = arguments.scope.namespace.clone();
    let stamp = directory.stamp();
    let mut feed = Feed::new(directory.clone(), arguments.scope.into());
    let change = match feed.load(&environment()) {
        Ok(change) => change,
        Err(problems) => return Ok(refused(&problems)),
    };
    let demo = arguments.demo.then(|| Demo::start(&arguments.demo_ports)).transpose()?;

    let (messages, received) = mpsc::channel(MESSAGES);
    let (reports, reported) = mpsc::channel(REPORTS);
    let stop = AtomicBool::new(false);
    let follow = Follow {
        directory,
        namespace,
        feed,
        messages,
        reported,
        stamp,
        refused: false,
    };
    thread::scope(|scope| {
        scope.spawn(|| follow.until(&stop, change));
        if let Some(demo) = demo {
            let (listen, telemetry) = (config.listen, config.telemetry);
            let stop = &stop;
            scope.spawn(move || demo.attend(listen, telemetry, stop));
        }
        let source = Source::Channel(Subscribed {
            messages: received,
            reports,
        });
        let ended = app::run_until_signal(config.clone(), source);
        stop.store(true, Ordering::Relaxed);
        ended
    })?;
    Ok(ExitCode::SUCCESS)
}

fn environment() -> Environment<'static> {
    Environment::Read(&|variable| std::env::var(variable).ok())
}

/// Says every problem on standard error, one a line, and fails.
pub fn refused(problems: &[Problem]) -> ExitCode {
    for problem in problems {
        eprintln!("{problem}");
    }
    ExitCode::FAILURE
}

/// For how many looks `now` holds still before it is believed.
fn patience(loaded: &Stamp, now: &Stamp) -> u32 {
    if now.is_less_than(loaded) {
        STILL_WITH_LESS
    } else {
        STILL
    }
}

/// The thread that looks at the directory.
struct Follow {
    directory: Directory,
    /// The pod's; its workload has no name here.
    namespace: String,
    feed: Feed,
    messages: mpsc::Sender<Message>,
    reported: mpsc::Receiver<Report>,
    /// What the directory looked like when it was last loaded.
    stamp: Stamp,
    /// That load was refused.
    refused: bool,
}

/// The sidecar has gone.
struct Gone;

impl Follow {
    fn until(mut self, stop: &AtomicBool, first: Change) {
        let hello = Message::Hello(Hello {
            revision: REVISION,
            scope: [(scope::NAMESPACE.to_owned(), self.namespace.clone())].into(),
            ..Hello::default()
        });
        let mut alive = self.send([hello]).and_then(|()| self.apply(first));
        let mut seen = self.stamp.clone();
        let mut still = 0;
        while alive.is_ok() && !stop.load(Ordering::Relaxed) {
            thread::sleep(LOOK_EVERY);
            self.log_reports();
            let now = self.directory.stamp();
            still = if now == seen { still + 1 } else { 0 };
            if now != self.stamp && still >= patience(&self.stamp, &now) {
                self.stamp = now.clone();
                alive = self.load();
            }
            seen = now;
        }
    }

    fn load(&mut self) -> Result<(), Gone> {
        match self.feed.load(&environment()) {
            Ok(change) => {
                if std::mem::take(&mut self.refused) {
                    tracing::info!("configuration is as the files say again");
                }
                self.apply(change)
            }
            Err(problems) => {
                self.refused = true;
                for problem in problems {
                    tracing::error!(%problem, "configuration refused, the last good one stays in force");
                }
                Ok(())
            }
        }
    }

    fn apply(&mut self, change: Change) -> Result<(), Gone> {
        for (kind, place) in &change.ignored {
            tracing::info!(kind, %place, "a document of this kind means nothing here");
        }
        for notice in &change.notices {
            tracing::warn!(%notice, "not in force as it is written");
        }
        self.send(change.batch.into_iter().flatten())
    }

    fn send(&self, messages: impl IntoIterator<Item = Message>) -> Result<(), Gone> {
        messages
            .into_iter()
            .try_for_each(|message| self.messages.blocking_send(message).map_err(|_| Gone))
    }

    /// What the sidecar would not use, with the place where it is written.
    fn log_reports(&mut self) {
        while let Ok(report) = self.reported.try_recv() {
            let Report::Ack(ack) = report else { continue };
            for refusal in ack.refused {
                let place = self
                    .feed
                    .place(refusal.kind, &refusal.name)
                    .map(ToString::to_string)
                    .unwrap_or_default();
                tracing::error!(
                    place,
                    name = refusal.name,
                    reason = refusal.reason,
                    "refused by the sidecar"
                );
            }
        }
    }
}
