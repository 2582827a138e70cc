//! The files of a directory, and whether they changed.
//!
//! Only the directory itself is read, not what is below it: a mounted ConfigMap keeps its old and new contents in
//! folders beside the files, and `kubectl apply -f DIR` does not descend either. Files whose name starts with `.` are
//! left out.

use super::problem::{Place, Problem};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What we read, by how its name ends.
const EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];
/// More than any configuration; it keeps a stray data file out of memory.
const LARGEST: u64 = 16 << 20;

/// What some editors begin a file with.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// A directory of YAML and JSON.
#[derive(Clone, Debug)]
pub struct Directory {
    path: PathBuf,
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Its name in the directory.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// What the files looked like from outside. The same stamp: nothing changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stamp(Vec<(String, u64, u64, i64, i64)>);

impl Stamp {
    /// A file that was there `before` is gone or shorter now: perhaps somebody is only halfway through saving it.
    pub fn is_less_than(&self, before: &Self) -> bool {
        let length = |name: &String| self.0.iter().find(|file| file.0 == *name).map(|file| file.2);
        before.0.iter().any(|file| length(&file.0) < Some(file.2))
    }
}

impl Directory {
    /// At `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Which files there are, which inode, how large and how old. Links are followed, so that a mount whose link is
    /// swapped has changed. A directory that cannot be read has no files.
    pub fn stamp(&self) -> Stamp {
        let paths = self.paths().unwrap_or_default();
        let stamp = |path: &PathBuf| {
            let file = fs::metadata(path).ok()?;
            Some((name_of(path), file.ino(), file.len(), file.mtime(), file.mtime_nsec()))
        };
        Stamp(paths.iter().filter_map(stamp).collect())
    }

    /// The files, in the order of their names.
    pub fn read(&self) -> Result<Vec<SourceFile>, Vec<Problem>> {
        let shown = self.path.display().to_string();
        let failed = |error: io::Error| vec![Place::file(&shown).problem("", error.to_string())];
        let paths = self.paths().map_err(failed)?;
        let (files, problems): (Vec<_>, Vec<_>) = paths.iter().map(|path| read(path)).partition(Result::is_ok);
        let problems: Vec<Problem> = problems.into_iter().filter_map(Result::err).collect();
        if problems.is_empty() {
            Ok(files.into_iter().flatten().collect())
        } else {
            Err(problems)
        }
    }

    fn paths(&self) -> io::Result<Vec<PathBuf>> {
        let entries = fs::read_dir(&self.path)?;
        let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
        paths.retain(|path| is_ours(path) && path.is_file());
        paths.sort();
        Ok(paths)
    }
}

fn is_ours(path: &Path) -> bool {
    let extension = path
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default();
    EXTENSIONS.contains(&extension) && !name_of(path).starts_with('.')
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn read(path: &Path) -> Result<SourceFile, Problem> {
    let name = name_of(path);
    let too_large = fs::metadata(path).is_ok_and(|file| file.len() > LARGEST);
    if too_large {
        return Err(Place::file(&name).problem("", format!("is larger than {} MiB", LARGEST >> 20)));
    }
    match fs::read_to_string(path) {
        Ok(text) => Ok(SourceFile {
            name,
            text: text.trim_start_matches(BYTE_ORDER_MARK).to_owned(),
        }),
        Err(error) => Err(Place::file(&name).problem("", error.to_string())),
    }
}
