//! Where Mistral's API refuses more than OpenAI's, and in which words.

use super::error::Error;
use super::validate::Checked;
use crate::json::{Json, compact};
use serde_json::json;

/// How long a call's id is.
const LENGTH: usize = 9;

const FORBIDDEN: &str = "extra_forbidden";

/// What OpenAI takes and it does not; without what is its own.
pub(super) fn check(request: &Json) -> Result<Json, Error> {
    const UNKNOWN: &[&str] = &[
        "stream_options",
        "user",
        "service_tier",
        "max_completion_tokens",
        "seed",
        "top_k",
        "store",
        "prompt_cache_key",
        "safety_identifier",
        "verbosity",
    ];
    if let Some(unknown) = UNKNOWN.iter().find(|key| request.get(key).is_some()) {
        return Err(Error::new(422, FORBIDDEN, "Extra inputs are not permitted").param(unknown));
    }
    blanks(request)?;
    calls(request)?;
    Ok(request.without("random_seed"))
}

/// What OpenAI's answers have in a message, also where it says nothing.
fn blanks(request: &Json) -> Checked {
    const UNKNOWN: &[&str] = &["refusal", "annotations", "audio", "function_call"];
    let messages = request.list_of("messages").iter();
    match messages
        .flat_map(|message| UNKNOWN.iter().filter(|key| message.get(key).is_some()))
        .next()
    {
        Some(unknown) => Err(Error::new(422, FORBIDDEN, "Extra inputs are not permitted").param(unknown)),
        None => Ok(()),
    }
}

/// Each call's id, where it is made and where it is answered.
fn calls(request: &Json) -> Checked {
    for message in request.list_of("messages") {
        let made = message
            .list_of("tool_calls")
            .iter()
            .filter_map(|call| call.text_of("id"));
        made.chain(message.text_of("tool_call_id")).try_for_each(call)?;
    }
    Ok(())
}

fn call(id: &str) -> Checked {
    if id.len() == LENGTH && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(());
    }
    let sentence = format!("Tool call id was {id} but must be a-z, A-Z, 0-9, with a length of {LENGTH}.");
    Err(Error::new(400, "invalid_function_call", sentence).code("3280"))
}

/// An error without an envelope; of a field, a list of what is wrong.
pub(super) fn body(error: &Error) -> String {
    if error.kind == FORBIDDEN {
        return compact(&json!({"detail": [{"type": FORBIDDEN, "loc": ["body", error.param], "msg": error.message}]}));
    }
    compact(
        &json!({"object": "error", "message": error.message, "type": error.kind, "param": error.param,
        "code": error.code, "raw_status_code": error.status}),
    )
}
