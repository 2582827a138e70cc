//! Where something is written, and what is wrong there.

use std::fmt;

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, below the directory that was loaded.
    pub file: String,
    /// Counted from 1; 0 means the file as a whole.
    pub line: usize,
}

/// Something wrong: `chat.yaml:12: spec.rules[0].targets: a deployment may be a target only once in a rule`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// The field; empty where a whole document or file is meant.
    pub field: String,
    /// What must hold there, for a person.
    pub sentence: String,
}

impl Place {
    /// `file` as a whole.
    pub(crate) fn file(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            line: 0,
        }
    }

    pub(crate) fn problem(&self, field: impl Into<String>, sentence: impl Into<String>) -> Problem {
        Problem {
            place: self.clone(),
            field: field.into(),
            sentence: sentence.into(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.file),
            line => write!(f, "{}:{line}", self.file),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = if self.field.is_empty() { "" } else { ": " };
        write!(f, "{}: {}{separator}{}", self.place, self.field, self.sentence)
    }
}

impl std::error::Error for Problem {}
