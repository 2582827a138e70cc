//! How much of the log is written, as operator and sidecar are told: `info,pilotfish_operator::push=debug`.
//!
//! A list of one level and of targets with a level each. `tracing-subscriber` takes almost any text for such a list, and what
//! it takes a slip of the finger for is a target that nobody has: then everything else is silent, or nothing is louder, and
//! nobody is told. So a target has to begin with a crate that says something in the program.

use tracing_subscriber::filter::{LevelFilter, Targets};

/// A text that says nothing about a log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the log filter {filter:?} is not one: {part:?} is neither a level nor target=level; such as info,{speaker}=debug"
)]
pub struct NotAFilter {
    filter: String,
    part: String,
    speaker: String,
}

/// What `filter` says, in a program whose `speakers` are the crates that write to its log, its own first.
pub fn targets(filter: &str, speakers: &[&str]) -> Result<Targets, NotAFilter> {
    let refused = |part: &str| NotAFilter {
        filter: filter.to_owned(),
        part: part.to_owned(),
        speaker: speakers.first().copied().unwrap_or_default().to_owned(),
    };
    match filter.split(',').find(|part| !is_said(part, speakers)) {
        Some(part) => Err(refused(part)),
        None => filter.parse().map_err(|_| refused(filter)),
    }
}

fn is_said(part: &str, speakers: &[&str]) -> bool {
    let (target, level) = part
        .split_once('=')
        .map_or((None, part), |(target, level)| (Some(target), level));
    is_level(level) && target.is_none_or(|target| is_target(target, speakers))
}

/// `LevelFilter` takes nothing at all for a level, too.
fn is_level(word: &str) -> bool {
    !word.is_empty() && word.parse::<LevelFilter>().is_ok()
}

/// A path of modules.
fn is_target(path: &str, speakers: &[&str]) -> bool {
    let mut modules = path.split("::");
    let is_name =
        |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    modules.next().is_some_and(|first| speakers.contains(&first)) && modules.all(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEAKERS: [&str; 2] = ["pilotfish_operator", "kube"];

    #[test]
    fn a_level_and_what_speaks_are_a_filter() {
        for filter in [
            "info",
            "OFF",
            "info,kube=debug",
            "pilotfish_operator::push=trace",
            "kube=off,warn,pilotfish_operator::push::stream=TRACE",
        ] {
            assert!(targets(filter, &SPEAKERS).is_ok(), "{filter}");
        }
    }

    #[test]
    fn what_would_silence_everything_or_say_nothing_is_none() {
        for (filter, part) in [
            ("", ""),
            ("=", "="),
            ("info,", ""),
            ("debgu", "debgu"),
            ("debgu=", "debgu="),
            ("info,debgu=trace", "debgu=trace"),
            ("info,kube", "kube"),
            ("info,kube=loud", "kube=loud"),
            ("info,kube::=debug", "kube::=debug"),
            ("info\u{1b}[31m=trace", "info\u{1b}[31m=trace"),
            ("kube[{a}]=trace", "kube[{a}]=trace"),
            ("a\nb=info", "a\nb=info"),
            ("info, kube=debug", " kube=debug"),
        ] {
            let error = targets(filter, &SPEAKERS).unwrap_err().to_string();
            let expected = format!(
                "the log filter {filter:?} is not one: {part:?} is neither a level nor target=level; such as \
                 info,pilotfish_operator=debug"
            );
            assert_eq!(error, expected);
            assert!(!error.contains('\u{1b}') && !error.contains('\n'), "{error:?}");
        }
    }
}
