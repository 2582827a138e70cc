//! `stopReason`, read.

use crate::dialect::item::Finish;
use crate::dialect::{Class, Fault};
use crate::json::{Object, Raw};

/// Reads the `stopReason` of an answer or a `messageStop`; a fault where the model broke while it answered.
pub(in crate::dialect) fn read(holder: &Object<'_>, calls: bool) -> Result<Finish<'static>, Fault> {
    let reason = holder.get("stopReason").and_then(Raw::string).unwrap_or_default();
    Ok(match &*reason {
        "tool_use" => Finish::Calls,
        "max_tokens" => Finish::Length,
        "model_context_window_exceeded" => Finish::Window,
        // It does not say at which one.
        "stop_sequence" => Finish::Sequence(None),
        "guardrail_intervened" | "content_filtered" => Finish::Refused(None),
        "malformed_model_output" | "malformed_tool_use" => return Err(broken(&reason)),
        "end_turn" => Finish::Stop,
        _ if calls => Finish::Calls,
        _ => Finish::Stop,
    })
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
