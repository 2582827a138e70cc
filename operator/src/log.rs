//! The log, on standard error, which nobody can fill a disk with.
//!
//! Much of what is logged was caused by somebody else, who may do it again as fast as he can: a handshake that fails, a
//! question in vain, an object that cannot be written. So a sentence is written some times a minute; how often it was left
//! out meanwhile stands in its next line, as `left_out`. What was asked for with `--log debug` is written whole.

use anyhow::Context;
use pilotfish_loudness::{NotAFilter, targets};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use tracing::callsite::Identifier;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// The crates that write to the log.
const SPEAKERS: [&str; 11] = [
    "pilotfish_operator",
    "h2",
    "hyper",
    "hyper_rustls",
    "hyper_util",
    "kube",
    "kube_client",
    "kube_runtime",
    "tokio_util",
    "tower",
    "tower_http",
];
/// It writes whole answers that it cannot read into the log: Secrets, too. What it has to say we say with the error.
const NEVER: &str = "kube_client::client";
/// So often is a sentence written in a [`WINDOW`].
const MOST: u32 = 30;
const WINDOW: Duration = Duration::from_secs(60);

/// Writes the log to standard error; `filter` is a list of `target=level`, or one level.
pub fn log_to_stderr(filter: &str) -> anyhow::Result<()> {
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::util::SubscriberInitExt;
    let filter = heard(filter)?;
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .map_event_format(Sparing::new);
    let set_up = tracing_subscriber::registry().with(lines).with(filter).try_init();
    set_up.context("the log is set up already")
}

fn heard(filter: &str) -> Result<Targets, NotAFilter> {
    Ok(targets(filter, &SPEAKERS)?.with_target(NEVER, LevelFilter::OFF))
}

/// Writes what `format` writes, unless the same sentence was written often enough.
struct Sparing<F> {
    format: F,
    /// By the place in the program that says them.
    sentences: Mutex<HashMap<Identifier, Said>>,
}

/// How often a sentence was said, since when, and left out.
struct Said {
    since: Instant,
    times: u32,
    left_out: u64,
}

impl<F> Sparing<F> {
    fn new(format: F) -> Self {
        Self {
            format,
            sentences: Mutex::default(),
        }
    }

    fn say(&self, event: &Event<'_>) -> Option<u64> {
        if *event.metadata().level() > Level::INFO {
            return Some(0);
        }
        let mut sentences = self.sentences.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let said = sentences.entry(event.metadata().callsite());
        said.or_insert_with(|| Said::never(now)).again(now)
    }
}

impl Said {
    fn never(now: Instant) -> Self {
        Self {
            since: now,
            times: 0,
            left_out: 0,
        }
    }

    /// How often it was left out before it is said again now; `None`: it is left out now.
    fn again(&mut self, now: Instant) -> Option<u64> {
        if now - self.since >= WINDOW {
            (self.since, self.times) = (now, 0);
        }
        if self.times >= MOST {
            self.left_out += 1;
            return None;
        }
        self.times += 1;
        Some(std::mem::take(&mut self.left_out))
    }
}

impl<S, N, F> FormatEvent<S, N> for Sparing<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        match self.say(event) {
            None => Ok(()),
            Some(0) => self.format.format_event(context, writer, event),
            Some(left_out) => {
                let mut line = String::new();
                self.format.format_event(context, Writer::new(&mut line), event)?;
                writeln!(writer, "{} left_out={left_out}", line.trim_end())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::Arc;
    use tracing_subscriber::layer::SubscriberExt;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_chart_knows_the_same_targets() {
        let schema = include_str!("../../charts/pilotfish/values.schema.json");
        let targets = format!("(({})(::", SPEAKERS.join("|"));
        assert!(schema.contains(&targets), "{targets}");
    }

    #[test]
    fn who_writes_what_it_was_sent_is_never_heard() {
        for filter in ["info", "trace", "warn,kube_client=trace", "kube_client::client=trace"] {
            let heard = heard(filter).unwrap();
            assert!(!heard.would_enable(NEVER, &Level::ERROR), "{filter}");
        }
        assert!(heard("info").unwrap().would_enable("kube_client::api", &Level::INFO));
    }

    #[test]
    fn a_sentence_is_written_so_often_a_minute() {
        let written = Written::default();
        let to = written.clone();
        let lines = tracing_subscriber::fmt::layer()
            .with_writer(move || to.clone())
            .with_ansi(false)
            .map_event_format(Sparing::new);
        let subscriber = tracing_subscriber::registry().with(lines);
        tracing::subscriber::with_default(subscriber, || {
            for number in 0..1000 {
                tracing::warn!(number, "connection refused");
                tracing::debug!(number, "asked for");
            }
            tracing::warn!("something else");
        });
        let written = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        let count = |words: &str| written.lines().filter(|line| line.contains(words)).count();
        assert_eq!(count("connection refused"), 30);
        assert_eq!((count("something else"), count("asked for")), (1, 1000));
        assert_eq!(written.lines().count(), 1031, "nothing else is written");
    }

    #[test]
    fn what_was_left_out_is_counted_in_the_next_line() {
        let began = Instant::now();
        let mut said = Said::never(began);
        let answers: Vec<_> = (0..100).map(|_| said.again(began)).collect();
        assert!(answers.iter().take(30).all(|answer| *answer == Some(0)));
        assert!(answers.iter().skip(30).all(Option::is_none));
        let later = began + WINDOW;
        assert_eq!([said.again(later), said.again(later)], [Some(70), Some(0)]);
    }
}
