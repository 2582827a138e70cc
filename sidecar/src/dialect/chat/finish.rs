//! `finish_reason`, both ways.

use crate::dialect::Class;
use crate::dialect::item::Finish;
use crate::dialect::text::Text;
use memchr::memmem::Finder;
use std::sync::LazyLock;

/// Finish reasons that are no finish: the upstream broke while it answered.
const BROKEN: &[(&str, Class)] = &[
    ("error", Class::ServerError),
    ("insufficient_system_resource", Class::Limited),
    ("load", Class::Limited),
];

/// What an answer that ended with this reason means, if it failed.
pub(in crate::dialect) fn failure(reason: &str) -> Option<Class> {
    BROKEN.iter().find(|(name, _)| *name == reason).map(|(_, class)| *class)
}

/// Built once: this looks at every answer.
static REASON: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"finish_reason\""));

/// Whether a failure may stand anywhere in a text: much cheaper than to walk to where it would.
pub(in crate::dialect) fn may_fail(text: &str) -> bool {
    let value = |at: usize| {
        let after = text.get(at + REASON.needle().len()..)?;
        after.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')
    };
    let mut found = REASON.find_iter(text.as_bytes());
    found.any(|at| value(at).is_some_and(|value| BROKEN.iter().any(|(name, _)| value.starts_with(name))))
}

/// What else an answer says about its end.
#[derive(Debug, Default)]
pub(in crate::dialect) struct Circumstances<'a> {
    /// It calls tools.
    pub(in crate::dialect) calls: bool,
    /// It holds a refusal.
    pub(in crate::dialect) refuses: bool,
    /// vLLM's `stop_reason`: the stop sequence that was met.
    pub(in crate::dialect) sequence: Option<Text<'a>>,
}

/// Reads a reason. `stop` beside tool calls is what OpenAI says after a forced function, Ollama always; some servers
/// say nothing at all.
pub(in crate::dialect) fn read<'a>(reason: &str, circumstances: Circumstances<'a>) -> Finish<'a> {
    let Circumstances {
        calls,
        refuses,
        sequence,
    } = circumstances;
    match reason {
        "length" | "max_tokens" => Finish::Length,
        // Mistral's word.
        "model_length" => Finish::Window,
        "content_filter" => Finish::Refused(None),
        _ if calls => Finish::Calls,
        "tool_calls" | "function_call" => Finish::Calls,
        _ if refuses => Finish::Refused(None),
        _ if sequence.is_some() => Finish::Sequence(sequence),
        _ => Finish::Stop,
    }
}

/// The reason to write. A paused answer has ended for now: at `length` SDKs raise, and programs ask for more tokens. A refusal that was
/// said is an answer: at `content_filter` OpenAI's SDK raises, and nobody reads what was said.
pub(in crate::dialect) fn word(finish: &Finish<'_>, refuses: bool) -> &'static str {
    match finish {
        Finish::Stop | Finish::Sequence(_) | Finish::Paused => "stop",
        Finish::Refused(None) if refuses => "stop",
        Finish::Length | Finish::Window => "length",
        Finish::Calls => "tool_calls",
        Finish::Refused(_) => "content_filter",
    }
}
