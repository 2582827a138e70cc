//! Decisions in words: for errors, and for `x-pilotfish-explain`.

use super::attempt::Tried;
use super::route::{Candidate, Plan, Standing, Why};
use crate::dialect::Operation;
use std::fmt::Write;

/// Longest decision trace, bytes: it travels in a header.
const MAX_TRACE: usize = 4096;

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoWeight => f.write_str("has weight 0"),
            Self::Unavailable(reason) => f.write_str(reason),
            Self::Lacks(feature) => write!(f, "its model lacks {feature}"),
            Self::TooLong { estimate, window } => {
                write!(
                    f,
                    "the input is about {estimate} tokens long and its window holds {window}"
                )
            }
            Self::NoThreads => f.write_str("holds no threads; without `thread` it could serve"),
            Self::NoOperation(operation) => f.write_str(match operation {
                Operation::Generate => "does not converse in any dialect",
                Operation::Completions => "has no completions",
                Operation::Embeddings | Operation::EmbedOne => "has no embeddings",
                Operation::CountTokens => "counts no tokens, and nothing is guessed here",
                Operation::Rerank => "ranks no documents",
            }),
            Self::Closed(closure) => write!(f, "{closure}"),
            Self::NotHome => f.write_str("the session belongs to another deployment"),
        }
    }
}

/// `a/b: why; c/d: why`.
pub(super) fn exclusions(plan: &Plan<'_>) -> String {
    let mut text = String::new();
    for (name, why) in &plan.excluded {
        append(&mut text, name, why);
    }
    if text.is_empty() {
        text.push_str("the rule has no targets");
    }
    text
}

/// What was tried, each deployment once with how its last attempt ended, and then what was not.
pub(super) fn failures(plan: &Plan<'_>, tried: &[Tried<'_>]) -> String {
    let mut text = String::new();
    for (position, last) in tried.iter().enumerate() {
        let name = name_of(last);
        if tried.iter().skip(position + 1).any(|later| name_of(later) == name) {
            continue;
        }
        let message = &last.failure.message;
        match tried.iter().filter(|tried| name_of(tried) == name).count() {
            1 => append(&mut text, name, message),
            attempts => append(&mut text, name, &format_args!("{message} ({attempts} attempts)")),
        }
    }
    for (name, why) in &plan.excluded {
        // A limit that was waited for excluded it only at first.
        if !tried.iter().any(|tried| name_of(tried) == *name) {
            append(&mut text, name, &format_args!("not tried, {why}"));
        }
    }
    text
}

fn name_of<'a>(tried: &'a Tried<'_>) -> &'a str {
    &tried.candidate.target.deployment.name
}

fn append(text: &mut String, name: &str, why: &dyn std::fmt::Display) {
    let separator = if text.is_empty() { "" } else { "; " };
    // Writing to a string cannot fail.
    let _written = write!(text, "{separator}{name}: {why}");
}

impl std::fmt::Display for Standing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown => f.write_str("?"),
            Self::Drawn(score) => write!(f, "{score}"),
            Self::Busy(cost) => write!(f, "{cost:.3e}"),
        }
    }
}

/// The decision trace: rule, session, candidates in order with their scores, exclusions, failures.
pub(super) fn trace(plan: &Plan<'_>, tried: &[Tried<'_>]) -> String {
    let shown = |Candidate { target, standing, .. }: &Candidate<'_>| match target.tier {
        0 => format!("{} ({standing})", target.deployment.name),
        tier => format!("{} ({standing}, tier {tier})", target.deployment.name),
    };
    let order: Vec<String> = plan.order.iter().map(shown).collect();
    let session = plan.session.map_or("none", |session| session.source);
    let mut text = format!("rule={}; session={session}; order={}", plan.rule.name, order.join(", "));
    if !plan.excluded.is_empty() {
        let _written = write!(text, "; excluded=[{}]", exclusions(plan));
    }
    if !tried.is_empty() {
        let each = tried.iter().map(|tried| {
            format!(
                "{}: {} ({})",
                tried.candidate.target.deployment.name,
                tried.failure.outcome.label(),
                tried.failure.message
            )
        });
        let _written = write!(text, "; failed=[{}]", each.collect::<Vec<_>>().join("; "));
    }
    header_safe(&text, MAX_TRACE)
}

/// Printable ASCII, cut to `longest`: what a header can carry.
pub(super) fn header_safe(text: &str, longest: usize) -> String {
    let printable = |letter: char| {
        if letter == ' ' || letter.is_ascii_graphic() {
            letter
        } else {
            '?'
        }
    };
    text.chars().map(printable).take(longest).collect()
}
