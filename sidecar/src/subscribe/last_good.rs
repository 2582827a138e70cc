//! The copy of what is in force, credentials included, for a restart without the operator.
//!
//! One file, in the format of a snapshot, on a volume in memory that no other container mounts. It is replaced whole, so
//! that what is read is what was written; a damaged one is ignored. The first batch holds the version of each resource
//! that was last usable, a second one those that were sent since and refused: replayed in this order they leave the
//! sidecar as it was.

use crate::meter::OperatorSeries;
use crate::policy::{Configuration, Id};
use pilotfish_wire::{Begin, Commit, Hello, Kind, Message, REVISION, Resource, snapshot};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};
use tokio::time::Instant;

const NAME: &str = "last-good.ndjson";
/// What is being written, until it is whole.
const UNFINISHED: &str = "last-good.ndjson.new";
/// Its owner may read and write it, and nobody else anything.
const MODE: u32 = 0o600;

/// A change is written at once, but not more often than this.
const EVERY: Duration = Duration::from_secs(1);
/// After a failure: it is not the change that is at fault.
const AFTER_FAILURE: Duration = Duration::from_secs(15);

/// The file, and when it is to be written next.
pub(super) struct LastGood {
    directory: Option<PathBuf>,
    series: OperatorSeries,
    /// What is in force is not what the file says.
    stale: bool,
    /// Not before this.
    next: Instant,
}

/// What was found at the start.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) messages: Vec<Message>,
    /// Seconds since the Unix epoch.
    pub(super) written: i64,
}

/// Why a copy was not used.
#[derive(Debug, thiserror::Error)]
pub(super) enum UnusableError {
    #[error("it cannot be read: {0}")]
    File(#[from] io::Error),
    #[error(transparent)]
    Contents(#[from] snapshot::ReadError),
}

impl LastGood {
    /// The copy in `directory`; without one nothing is read or written.
    pub(super) fn new(directory: Option<PathBuf>, series: OperatorSeries) -> Self {
        Self {
            directory,
            series,
            stale: false,
            next: Instant::now(),
        }
    }

    /// What an earlier process left. A copy that cannot be used is left where it is, told, and counted.
    pub(super) fn read(&self) -> Option<Found> {
        let path = self.directory.as_ref()?.join(NAME);
        match read(&path) {
            Ok(found) => {
                self.series
                    .last_good_written
                    .set(found.as_ref().map_or(0, |found| found.written));
                found
            }
            Err(error) => {
                self.series.last_good_ignored.inc();
                tracing::warn!(path = %path.display(), %error, "the last good configuration is not used");
                None
            }
        }
    }

    /// What is in force has changed.
    pub(super) fn changed(&mut self) {
        self.stale = self.directory.is_some();
    }

    /// Waits until it is to be written; for ever, if it is as it should be. Cancelling loses nothing.
    pub(super) async fn due(&self) {
        match self.stale {
            true => tokio::time::sleep_until(self.next).await,
            false => std::future::pending().await,
        }
    }

    /// It is to be written and may be.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.stale && self.next <= now
    }

    /// Replaces the file, if it is not as it should be; `good` is the last usable version of a resource.
    pub(super) fn write<'a>(
        &mut self,
        configuration: &'a Configuration,
        good: impl Fn(&Id) -> Option<&'a Arc<Resource>>,
        now: Instant,
        unix_seconds: i64,
    ) {
        let Some(directory) = self.directory.as_ref().filter(|_| self.stale) else {
            return;
        };
        match replace(directory, &snapshot::write(&messages(configuration, good))) {
            Ok(()) => {
                self.stale = false;
                self.next = now + EVERY;
                self.series.last_good_written.set(unix_seconds);
            }
            Err(error) => {
                self.next = now + AFTER_FAILURE;
                self.series.last_good_unwritten.inc();
                tracing::warn!(directory = %directory.display(), %error, "the last good configuration is not written");
            }
        }
    }
}

fn read(path: &Path) -> Result<Option<Found>, UnusableError> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text?,
    };
    let written = fs::metadata(path)?.modified()?.duration_since(UNIX_EPOCH);
    let written = written.map_or(0, |since| since.as_secs());
    Ok(Some(Found {
        messages: snapshot::read(&text)?,
        written: i64::try_from(written).unwrap_or(0),
    }))
}

fn replace(directory: &Path, text: &str) -> io::Result<()> {
    let unfinished = directory.join(UNFINISHED);
    // One that a killed process left behind is removed, not reused: its mode is not ours.
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file: File = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(MODE)
        .open(&unfinished)?;
    // On a volume in memory there is nothing to sync.
    file.write_all(text.as_bytes())?;
    fs::rename(&unfinished, directory.join(NAME))
}

/// What the file says.
pub(super) fn messages<'a>(
    configuration: &'a Configuration,
    good: impl Fn(&Id) -> Option<&'a Arc<Resource>>,
) -> Vec<Message> {
    let Configuration {
        scope,
        version,
        resources,
    } = configuration;
    let hello = Hello {
        revision: REVISION,
        scope: scope.clone(),
        ..Hello::default()
    };
    let mut messages = vec![Message::Hello(hello)];
    // A kind that we do not know would be written without its name.
    let known = resources.iter().filter(|((kind, _), _)| *kind != Kind::Unknown);
    let usable = known.clone().map(|(id, sent)| good(id).unwrap_or(sent));
    batch(&mut messages, 1, usable, version);
    let refused = known.filter(|(id, sent)| good(id).is_some_and(|good| !good.same_as(sent)));
    let refused: Vec<_> = refused.map(|(_, sent)| sent).collect();
    if !refused.is_empty() {
        batch(&mut messages, 2, refused.into_iter(), version);
    }
    messages
}

fn batch<'a>(
    messages: &mut Vec<Message>,
    nonce: u64,
    resources: impl Iterator<Item = &'a Arc<Resource>>,
    version: &str,
) {
    messages.push(Message::Begin(Begin { nonce }));
    messages.extend(resources.map(|resource| Message::Resource(Resource::clone(resource))));
    messages.push(Message::Commit(Commit {
        nonce,
        version: version.to_owned(),
    }));
}

#[cfg(test)]
mod tests;
