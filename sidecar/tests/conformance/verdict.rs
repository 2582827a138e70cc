//! What became of one thing on its way from a client to an upstream, or back.

use pilotfish_sidecar::dialect::{Grade, Losses};
use std::collections::BTreeSet;
use std::fmt;

/// How a thing fared; the better, the greater.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is gone, and nobody was told: always a bug.
    Silent,
    /// The answer could not be translated.
    Failed(String),
    /// The request is refused, whatever the policy says; the field.
    Refused(String),
    /// It would be gone, so the request is refused unless the policy says `onLoss: Warn`; the fields.
    Meaning(BTreeSet<String>),
    /// It is gone, and the report says so; the fields.
    Hint(BTreeSet<String>),
    /// It arrives, and the report names something beside it.
    Remarked(BTreeSet<String>),
    /// It arrives.
    Carried,
}

impl Verdict {
    /// What a thing that arrives, or not, means with this report.
    pub(crate) fn of(arrives: bool, losses: &Losses) -> Self {
        let fields: BTreeSet<_> = losses.iter().map(|loss| loss.field.to_string()).collect();
        let of_meaning = losses.iter().filter(|loss| loss.grade == Grade::Meaning);
        let of_meaning: BTreeSet<_> = of_meaning.map(|loss| loss.field.to_string()).collect();
        match (arrives, fields.is_empty()) {
            _ if !of_meaning.is_empty() => Self::Meaning(of_meaning),
            (true, true) => Self::Carried,
            (true, false) => Self::Remarked(fields),
            (false, true) => Self::Silent,
            (false, false) => Self::Hint(fields),
        }
    }

    /// The same of an answer, in which nothing is refused.
    pub(crate) fn of_answer(arrives: bool, losses: &Losses) -> Self {
        match Self::of(arrives, losses) {
            Self::Meaning(fields) if arrives => Self::Remarked(fields),
            Self::Meaning(_) => Self::Hint(losses.iter().map(|loss| loss.field.to_string()).collect()),
            verdict => verdict,
        }
    }

    /// The better, the greater; by its words in the committed matrix.
    pub(crate) fn rank(words: &str) -> usize {
        let order = [
            "lost in silence",
            "failed",
            "refused",
            "refused unless Warn",
            "dropped",
            "carried; ",
            "carried",
        ];
        let kind = |kind: &str| match kind {
            "carried" | "lost in silence" => words == kind,
            "refused" => words.starts_with("refused: "),
            kind => words.starts_with(kind),
        };
        order.iter().position(|word| kind(word)).unwrap_or(0)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |fields: &BTreeSet<String>| fields.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        match self {
            Self::Silent => f.write_str("lost in silence"),
            Self::Failed(why) => write!(f, "failed: {why}"),
            Self::Refused(field) => write!(f, "refused: {field}"),
            Self::Meaning(fields) => write!(f, "refused unless Warn: {}", list(fields)),
            Self::Hint(fields) => write!(f, "dropped: {}", list(fields)),
            Self::Remarked(fields) => write!(f, "carried; reported: {}", list(fields)),
            Self::Carried => f.write_str("carried"),
        }
    }
}
