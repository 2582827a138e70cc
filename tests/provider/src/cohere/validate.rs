//! What a chat's request must be beside its shape.

use super::{Error, schema};
use crate::json::Json;

/// Families that think, and do so unless told not to.
const THINKERS: &[&str] = &["command-a-reasoning", "command-a-plus"];
/// Families that see.
const SEERS: &[&str] = &["command-a-vision", "command-a-plus"];

/// Whether a model of this name thinks about this request.
pub(super) fn thinks(body: &Json, model: &str) -> bool {
    let off = body.get("thinking").and_then(|thinking| thinking.text_of("type")) == Some("disabled");
    !off && is_of(THINKERS, model)
}

fn is_of(families: &[&str], model: &str) -> bool {
    families.iter().any(|family| model.starts_with(family))
}

/// Everything but the model's name and the length of the prompt.
pub(super) fn chat(body: &Json, model: &str) -> Result<(), Error> {
    let tools = !body.list_of("tools").is_empty();
    let format = body.get("response_format").and_then(|format| format.text_of("type"));
    let thinking = body.given("thinking").is_some();
    let refuse = |wrong: bool, why: &str| match wrong {
        true => Err(Error(400, format!("invalid request: {why}"))),
        false => Ok(()),
    };
    refuse(
        body.given("tool_choice").is_some() && !tools,
        "tool_choice cannot be specified without tools",
    )?;
    refuse(
        body.is_set("strict_tools") && body.list_of("tools").iter().any(takes_nothing),
        "a strict tool needs a parameter that is required",
    )?;
    enforced_schemas(body)?;
    refuse(
        tools && format == Some("json_object"),
        "response_format of json_object is not supported with tools",
    )?;
    refuse(
        thinking && !is_of(THINKERS, model),
        &format!("model '{model}' does not support thinking"),
    )?;
    messages(body.list_of("messages"), model)
}

/// Schemas that are enforced: the format's, and those of strict tools.
fn enforced_schemas(body: &Json) -> Result<(), Error> {
    let format = body.get("response_format").and_then(|format| format.get("json_schema"));
    let tools = body.list_of("tools").iter().filter(|_| body.is_set("strict_tools"));
    let tools = tools.filter_map(|tool| tool.get("function")?.get("parameters"));
    for schema in format.into_iter().chain(tools) {
        schema::check(schema).map_err(|why| Error(400, format!("invalid request: invalid schema: {why}")))?;
    }
    Ok(())
}

fn takes_nothing(tool: &Json) -> bool {
    let parameters = tool.get("function").and_then(|function| function.get("parameters"));
    parameters.is_none_or(|parameters| parameters.list_of("required").is_empty())
}

fn messages(messages: &[Json], model: &str) -> Result<(), Error> {
    let mut open: Vec<&str> = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        let bad = |why: &str| Err(Error(400, format!("invalid request: message at index {index} {why}")));
        let role = message.text_of("role").unwrap_or_default();
        let parts = message.list_of("content");
        let has = |kind: &str| parts.iter().any(|part| part.text_of("type") == Some(kind));
        let said = message
            .text_of("content")
            .map_or(!parts.is_empty(), |text| !text.is_empty());
        if role != "tool" && !open.is_empty() {
            return bad(&format!("must be of the tool, as call {:?} has no result", open[0]));
        }
        if has("image_url") && (role != "user" || !is_of(SEERS, model)) {
            return bad("may not hold an image");
        }
        if has("thinking") && role != "assistant" {
            return bad("may not hold thinking");
        }
        match role {
            "user" | "system" if !said => return bad("must have non-empty content"),
            "assistant" => {
                open = message
                    .list_of("tool_calls")
                    .iter()
                    .filter_map(|call| call.text_of("id"))
                    .collect()
            }
            "tool" => {
                let call = message.text_of("tool_call_id").unwrap_or_default();
                let Some(at) = open.iter().position(|id| *id == call) else {
                    return bad(&format!("answers no call: {call:?}"));
                };
                open.remove(at);
            }
            _ => {}
        }
        if role == "assistant" && !said && open.is_empty() {
            return bad("must have non-empty content or tool calls");
        }
    }
    match open.first() {
        None => Ok(()),
        Some(call) => Err(Error(400, format!("invalid request: call {call:?} has no result"))),
    }
}
