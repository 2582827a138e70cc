//! The rule of tool messages: each call has its answer at once, and no answer stands alone.

use super::error::Error;
use super::validate::Checked;
use crate::json::Json;

/// Calls are answered at once, all of them, and nothing is answered that was not called.
pub(super) fn validate(messages: &[Json]) -> Checked {
    let mut open: Vec<&str> = Vec::new();
    let mut answered: Vec<&str> = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        if let Some(id) = message.text_of("tool_call_id") {
            if answered.contains(&id) {
                let sentence = format!("Duplicate value for 'tool_call_id' of '{id}' in message[{index}].");
                return Err(Error::invalid("messages", sentence));
            }
            let Some(position) = open.iter().position(|call| *call == id) else {
                return Err(stray(index));
            };
            answered.push(open.remove(position));
            continue;
        }
        if !open.is_empty() {
            return Err(unanswered(index, &open));
        }
        answered.clear();
        open.extend(
            message
                .list_of("tool_calls")
                .iter()
                .filter_map(|call| call.text_of("id")),
        );
    }
    match open.is_empty() {
        true => Ok(()),
        false => Err(unanswered(messages.len(), &open)),
    }
}

/// Each turn that called tools says what was reasoned before.
pub(super) fn reasoned(request: &Json) -> Checked {
    for (index, message) in request.list_of("messages").iter().enumerate() {
        let called = !message.list_of("tool_calls").is_empty();
        if called && message.text_of("reasoning_content").unwrap_or_default().is_empty() {
            let sentence = format!(
                "thinking is enabled but reasoning_content is missing in assistant tool call message at index {index}"
            );
            return Err(Error::new(400, "invalid_request_error", sentence));
        }
    }
    Ok(())
}

fn stray(index: usize) -> Error {
    let sentence = "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with \
                    'tool_calls'.";
    Error::invalid(&format!("messages.[{index}].role"), sentence)
}

fn unanswered(index: usize, calls: &[&str]) -> Error {
    let sentence = format!(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. \
         The following tool_call_ids did not have response messages: {}",
        calls.join(", ")
    );
    Error::invalid(&format!("messages.[{index}].role"), sentence)
}
