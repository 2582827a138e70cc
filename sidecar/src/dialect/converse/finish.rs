//! `stopReason`, read.

use crate::dialect::item::Finish;
use crate::dialect::loss::given;
use crate::dialect::text::Text;
use crate::dialect::{Class, Fault};
use crate::json::{Object, Raw};

/// Reads the `stopReason` of an answer or a `messageStop`; a fault where the model broke while it answered.
pub(in crate::dialect) fn read<'a>(holder: &Object<'a>, calls: bool) -> Result<Finish<'a>, Fault> {
    let reason = holder.get("stopReason").and_then(Raw::string).unwrap_or_default();
    Ok(match &*reason {
        "tool_use" => Finish::Calls,
        "max_tokens" => Finish::Length,
        "model_context_window_exceeded" => Finish::Window,
        "stop_sequence" => Finish::Sequence(sequence(holder)),
        "guardrail_intervened" | "content_filtered" => Finish::Refused(None),
        "malformed_model_output" | "malformed_tool_use" => return Err(broken(&reason)),
        "end_turn" => Finish::Stop,
        _ if calls => Finish::Calls,
        _ => Finish::Stop,
    })
}

/// At which one, where the model was asked to say: Claude says it in a field of its own.
fn sequence<'a>(holder: &Object<'a>) -> Option<Text<'a>> {
    let fields = given(holder, "additionalModelResponseFields")?.object()?;
    given(&fields, "stop_sequence").and_then(Text::of)
}

fn broken(reason: &str) -> Fault {
    Fault {
        code: Some(reason.to_owned()),
        status: Some(502),
        ..Fault::new(
            Class::ServerError,
            format!("the model broke while it answered: {reason}"),
        )
    }
}
