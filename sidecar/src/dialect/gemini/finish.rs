//! `finishReason` and `blockReason`, both ways.

use super::spelling::{given, word};
use crate::dialect::item::Finish;
use crate::dialect::text::Text;
use crate::dialect::{Class, Fault};
use crate::json::{Elements, Object, Raw};

/// Ends that are none: what the model wrote could not be read as what it was meant to be.
const BROKEN: &[&str] = &[
    "MALFORMED_FUNCTION_CALL",
    "MALFORMED_RESPONSE",
    "MISSING_THOUGHT_SIGNATURE",
    "TOO_MANY_TOOL_CALLS",
    "UNEXPECTED_TOOL_CALL",
];

/// Reads a candidate's reason; `None` while it has none. `calls`: the answer calls tools, for which Google has no
/// reason of its own.
pub(in crate::dialect) fn read<'a>(candidate: &Object<'a>, calls: bool) -> Result<Option<Finish<'a>>, Fault> {
    let reason = word(candidate, "finishReason");
    if BROKEN.contains(&&*reason) {
        let message = word(candidate, "finishMessage");
        let gap = if message.is_empty() { "" } else { ": " };
        let sentence = format!("the upstream ended with {reason}{gap}{message}");
        return Err(Fault::new(Class::ServerError, sentence));
    }
    Ok(match &*reason {
        "" | "FINISH_REASON_UNSPECIFIED" => None,
        "STOP" if calls => Some(Finish::Calls),
        "STOP" => Some(Finish::Stop),
        "MAX_TOKENS" => Some(Finish::Length),
        // Safety in its many names; `OTHER` and `LANGUAGE`, which also mean that there is no more to come.
        _ => Some(Finish::Refused(sentence(candidate, "finishMessage"))),
    })
}

/// The prompt was refused, so that there is no candidate.
pub(in crate::dialect) fn blocked<'a>(answer: &Object<'a>) -> Option<Finish<'a>> {
    let feedback = given(answer, "promptFeedback")?.object()?;
    let reason = word(&feedback, "blockReason");
    if matches!(&*reason, "" | "BLOCK_REASON_UNSPECIFIED" | "BLOCKED_REASON_UNSPECIFIED") {
        return None;
    }
    let said = sentence(&feedback, "blockReasonMessage");
    let said = said.unwrap_or_else(|| Text::from(format!("the prompt was blocked: {reason}")));
    Some(Finish::Refused(Some(said)))
}

/// The first candidate.
pub(in crate::dialect) fn candidate<'a>(answer: &Object<'a>) -> Option<Object<'a>> {
    let mut candidates = given(answer, "candidates")?
        .elements()
        .map(Elements::objects)?
        .flatten();
    candidates.find(|candidate| given(candidate, "index").and_then(Raw::u64).unwrap_or(0) == 0)
}

fn sentence<'a>(object: &Object<'a>, key: &str) -> Option<Text<'a>> {
    given(object, key).and_then(Text::of).filter(|text| !text.is_empty())
}

/// The reason to write. A paused answer has ended for now, and not at its cap.
pub(in crate::dialect) fn reason(finish: &Finish<'_>) -> &'static str {
    match finish {
        Finish::Stop | Finish::Sequence(_) | Finish::Calls | Finish::Paused => "STOP",
        Finish::Length | Finish::Window => "MAX_TOKENS",
        Finish::Refused(_) => "SAFETY",
    }
}
