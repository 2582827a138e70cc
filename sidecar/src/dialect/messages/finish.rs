//! `stop_reason`, both ways.

use crate::dialect::item::Finish;
use crate::dialect::loss::given;
use crate::dialect::text::Text;
use crate::json::{Object, ObjectWriter, Raw};

/// Reads the `stop_reason` of a message or a `message_delta`, with what explains it; `None` when it is not there.
pub(in crate::dialect) fn read<'a>(holder: &Object<'a>) -> Option<Finish<'a>> {
    let reason = given(holder, "stop_reason").and_then(Raw::string)?;
    Some(match &*reason {
        "stop_sequence" => Finish::Sequence(given(holder, "stop_sequence").and_then(Text::of)),
        "max_tokens" => Finish::Length,
        "model_context_window_exceeded" => Finish::Window,
        "tool_use" => Finish::Calls,
        "pause_turn" => Finish::Paused,
        "refusal" => Finish::Refused(explanation(holder)),
        _ => Finish::Stop,
    })
}

fn explanation<'a>(holder: &Object<'a>) -> Option<Text<'a>> {
    given(&given(holder, "stop_details")?.object()?, "explanation").and_then(Text::of)
}

/// Writes `stop_reason` and `stop_sequence`, and `stop_details` when there is something to explain.
pub(in crate::dialect) fn write(finish: &Finish<'_>, holder: &mut ObjectWriter<'_>) {
    holder.string("stop_reason", word(finish));
    match finish {
        Finish::Sequence(Some(sequence)) => sequence.write(holder.member("stop_sequence")),
        _ => holder.null("stop_sequence"),
    }
    if let Finish::Refused(Some(explanation)) = finish {
        let mut details = holder.object("stop_details");
        details.string("type", "refusal");
        details.null("category");
        explanation.write(details.member("explanation"));
    }
}

fn word(finish: &Finish<'_>) -> &'static str {
    match finish {
        Finish::Stop => "end_turn",
        Finish::Sequence(_) => "stop_sequence",
        Finish::Length => "max_tokens",
        Finish::Window => "model_context_window_exceeded",
        Finish::Calls => "tool_use",
        Finish::Refused(_) => "refusal",
        Finish::Paused => "pause_turn",
    }
}
