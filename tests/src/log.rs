//! What a program writes to its standard error, line by line, as it is written.

use anyhow::{Result, bail};
use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// The lines so far, read by a thread that ends with the program.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    lines: Arc<Mutex<Vec<String>>>,
    changed: watch::Receiver<()>,
}

impl Log {
    pub(crate) fn of(output: impl Read + Send + 'static) -> Self {
        let (change, changed) = watch::channel(());
        let lines = Arc::new(Mutex::new(Vec::new()));
        let log = Self {
            lines: Arc::clone(&lines),
            changed,
        };
        std::thread::spawn(move || {
            for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
                lock(&lines).push(String::from_utf8_lossy(&line).into_owned());
                change.send_replace(());
            }
        });
        log
    }

    pub(crate) fn text(&self) -> String {
        lock(&self.lines).join("\n")
    }

    /// The first line that holds `part`, once it is there; an error when the log ends without it.
    pub(crate) async fn line_with(&self, part: &str) -> Result<String> {
        let mut changed = self.changed.clone();
        loop {
            changed.mark_unchanged();
            if let Some(line) = lock(&self.lines).iter().find(|line| line.contains(part)) {
                return Ok(line.clone());
            }
            if changed.changed().await.is_err() {
                bail!("its log ended without {part:?}:\n{}", self.text());
            }
        }
    }
}

fn lock(lines: &Mutex<Vec<String>>) -> MutexGuard<'_, Vec<String>> {
    lines.lock().unwrap_or_else(PoisonError::into_inner)
}
