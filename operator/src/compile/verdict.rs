//! What became of an object, in the words of its conditions.

use crate::validate::Fault;
use crate::world::ObjectName;
use std::fmt;

/// How many findings a sentence lists before it only counts them.
const LISTED: usize = 5;

/// What became of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The generation that was judged.
    pub generation: i64,
    /// Why it makes no sense by itself. Empty: `Accepted=True`.
    pub faults: Vec<Finding>,
    /// What it names and cannot use. Empty: `ResolvedRefs=True`.
    pub unresolved: Vec<Finding>,
    /// The generation that serves; `None`: nothing does.
    pub in_force: Option<i64>,
    /// Whether an older generation serves because this one cannot.
    pub held: bool,
    /// What that older generation names and cannot use any more.
    pub missing: Vec<Finding>,
    /// The model names for which another policy's word counts. Empty: no `PartiallyInvalid`.
    pub lost: Vec<Lost>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// For programs.
    pub reason: Reason,
    /// For people.
    pub sentence: String,
}

/// A model name that another policy claims as well, with more right.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lost {
    /// The name or the pattern, as both wrote it.
    pub model: String,
    /// The policy that has it.
    pub winner: ObjectName,
}

/// Why, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The object cannot be read.
    Undecodable,
    /// It contradicts itself, or its provider is not known.
    Invalid,
    /// It names a deployment that does not exist.
    DeploymentNotFound,
    /// It names a deployment of which nothing is in force.
    DeploymentNotInForce,
    /// It names a deployment that does not let its namespace in.
    NotAllowed,
    /// A Secret, or what is wanted of it, is missing or unusable.
    InvalidSecret,
    /// Another, older VirtualKey has the same key.
    KeyInUse,
    /// A Secret would have to be written to that somebody else made.
    SecretNotOwned,
}

impl Reason {
    /// As it stands in a condition.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Undecodable => "Undecodable",
            Self::Invalid => "Invalid",
            Self::DeploymentNotFound => "DeploymentNotFound",
            Self::DeploymentNotInForce => "DeploymentNotInForce",
            Self::NotAllowed => "NotAllowed",
            Self::InvalidSecret => "InvalidSecret",
            Self::KeyInUse => "KeyInUse",
            Self::SecretNotOwned => "SecretNotOwned",
        }
    }
}

impl Finding {
    /// Of `reason`, with a sentence for people.
    pub fn new(reason: Reason, sentence: impl Into<String>) -> Self {
        Self {
            reason,
            sentence: sentence.into(),
        }
    }
}

impl From<Fault> for Finding {
    fn from(fault: Fault) -> Self {
        Self::new(Reason::Invalid, format!("{}: {}", fault.path, fault.sentence))
    }
}

impl Verdict {
    /// Everything that is wrong with the generation judged, in one sentence; empty when nothing is.
    pub fn sentence(&self) -> String {
        sentence(self.faults.iter().chain(&self.unresolved))
    }

    /// Each name it lost and to whom, in one sentence; empty when it has all.
    pub fn lost_sentence(&self) -> String {
        let spelled = |lost: &Lost| format!("{} is answered by {}", lost.model, lost.winner);
        let spelled: Vec<String> = self.lost.iter().map(spelled).collect();
        spelled.join("; ")
    }
}

/// The sentences of `findings`, each once, as one.
pub fn sentence<'a>(findings: impl Iterator<Item = &'a Finding>) -> String {
    listed(findings.map(|finding| finding.sentence.clone()))
}

/// The first few of `sentences` without repetition, and how many more there are.
fn listed(sentences: impl Iterator<Item = String>) -> String {
    let mut distinct: Vec<String> = Vec::new();
    for sentence in sentences {
        if !distinct.contains(&sentence) {
            distinct.push(sentence);
        }
    }
    let more = distinct.len().saturating_sub(LISTED);
    distinct.truncate(LISTED);
    if more > 0 {
        distinct.push(format!("and {more} more"));
    }
    distinct.join("; ")
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence())
    }
}
