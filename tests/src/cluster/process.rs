//! A process that does not outlive this one, however this one ends.
//!
//! Each is watched by a shell at the other end of a pipe that only this process holds. The pipe closes when the
//! [`Process`] is dropped and also when this process is killed, and then the shell kills what it watches. The signal that
//! Linux can send on a parent's death would not do: it comes when the *thread* ends that started the child, and that is
//! some test's.

use anyhow::{Context, Result};
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Runs its arguments, under the shell's own process id, and kills them when standard input ends.
const WATCHED: &str = r#"exec 3<&0 </dev/null; { read -r _ <&3; kill -9 $$; } & exec 3<&-; exec "$@""#;
/// Runs its arguments when standard input ends.
const AT_END: &str = r#"read -r _; exec "$@""#;
/// Removes a directory. Who writes into it may take a moment to die.
const SWEEP: &str = r#"for _ in 1 2 3 4 5 6 7 8 9; do rm -rf -- "$1" && exit; sleep 0.2; done"#;

/// Between two looks at whether a process has ended.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Lines of a log that an error quotes.
const LAST_WORDS: usize = 15;

/// A running program.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
}

impl Process {
    /// Starts `program`, a path or a name on the `PATH`; what it writes is appended to `log`.
    pub(super) fn start(program: &Path, arguments: &[String], log: &Path) -> Result<Self> {
        let output = File::options().create(true).append(true).open(log)?;
        let child = watched(program, arguments)
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Self { child })
    }

    /// Its process id.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it has ended, and says how.
    pub(super) async fn ends(&mut self) -> String {
        loop {
            match self.child.try_wait() {
                Ok(None) => tokio::time::sleep(LOOK_EVERY).await,
                Ok(Some(status)) => return status.to_string(),
                Err(error) => return error.to_string(),
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// The last lines of a log.
pub(super) fn last_words(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(LAST_WORDS);
    lines.into_iter().skip(from).collect::<Vec<_>>().join("\n")
}

/// A command that runs when it is dropped or this process ends.
#[derive(Debug)]
pub(super) struct AtEnd(Child);

impl AtEnd {
    /// Keeps it for later.
    pub(super) fn run(words: &[&OsStr]) -> Result<Self> {
        let child = shell(AT_END, words).spawn().context("cannot start sh")?;
        Ok(Self(child))
    }
}

impl Drop for AtEnd {
    fn drop(&mut self) {
        end(&mut self.0);
    }
}

/// A directory that is removed when it is dropped or this process ends.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    _removal: AtEnd,
}

impl Directory {
    /// A new one that only this user can read.
    pub(super) fn new() -> Result<Self> {
        let path = tempfile::Builder::new().prefix("pilotfish-cluster-").tempdir()?.keep();
        let words = ["sh", "-c", SWEEP, "sh"].map(OsStr::new);
        let removal = AtEnd::run(&[&words[..], &[path.as_os_str()]].concat())?;
        Ok(Self {
            path,
            _removal: removal,
        })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// The command that runs `program` until the pipe of its standard input is closed, at the latest when this process ends.
pub(crate) fn watched(program: &Path, arguments: &[String]) -> Command {
    let mut words: Vec<&OsStr> = vec![program.as_os_str()];
    words.extend(arguments.iter().map(OsStr::new));
    shell(WATCHED, &words)
}

fn shell(script: &str, words: &[&OsStr]) -> Command {
    let mut command = Command::new("sh");
    command
        // Apart from this process' own: what ends a whole group, as Ctrl-C does, would leave nobody to clean up.
        .process_group(0)
        .args(["-c", script, "sh"])
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::null());
    command
}

/// Closes the pipe, and only then waits: until it is waited for, its process id belongs to nobody else.
fn end(child: &mut Child) {
    drop(child.stdin.take());
    // Fails only when it was waited for already.
    drop(child.wait());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(pid: u32) -> bool {
        Path::new(&format!("/proc/{pid}")).exists()
    }

    #[test]
    fn a_dropped_process_is_dead_and_a_dropped_directory_gone() {
        let directory = Directory::new().unwrap();
        let path = directory.path().to_owned();
        let process = Process::start(Path::new("/bin/sleep"), &["1000".to_owned()], &path.join("log")).unwrap();
        let pid = process.pid();
        assert!(runs(pid) && path.exists());
        drop(process);
        drop(directory);
        assert!(!runs(pid) && !path.exists());
    }

    #[tokio::test]
    async fn one_that_ended_by_itself_says_how_and_why() {
        let directory = Directory::new().unwrap();
        let arguments = ["-c".to_owned(), "echo no such flag; exit 3".to_owned()];
        let log = directory.path().join("log");
        let mut process = Process::start(Path::new("/bin/sh"), &arguments, &log).unwrap();
        assert_eq!(process.ends().await, "exit status: 3");
        assert_eq!(last_words(&log), "no such flag");
    }
}
