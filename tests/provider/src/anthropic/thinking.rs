//! The rules of thinking: what may be asked together with it, and what must come back as it was.

use super::error::Error;
use super::validate::{Checked, blocks_of, forces_tool};
use crate::json::Json;
use crate::model::{Model, Thinking};
use crate::signature;

/// The rules, in the order in which the API applies them.
pub(super) fn validate(request: &Json, model: &Model) -> Checked {
    kind(request, model)?;
    if is_on(request) {
        company(request)?;
        last_turn(request)?;
    }
    unchanged(request.list_of("messages"))
}

fn asked(request: &Json) -> Option<&str> {
    request.get("thinking").and_then(|thinking| thinking.text_of("type"))
}

fn is_on(request: &Json) -> bool {
    matches!(asked(request), Some("enabled" | "adaptive"))
}

fn kind(request: &Json, model: &Model) -> Checked {
    let refused = |kind: &str| {
        Err(Error::invalid(format!(
            "thinking.type: '{kind}' is not supported for this model"
        )))
    };
    match (asked(request), model.traits.thinking) {
        (Some(kind @ ("adaptive" | "between_tools")), Thinking::Manual) => refused(kind),
        (Some(kind @ ("enabled" | "disabled")), Thinking::Always) => refused(kind),
        (Some("enabled"), _) => budget(request),
        _ => Ok(()),
    }
}

fn budget(request: &Json) -> Checked {
    let budget = request
        .get("thinking")
        .and_then(|thinking| thinking.count_of("budget_tokens"));
    let limit = request.count_of("max_tokens");
    match (budget, limit) {
        (Some(budget), Some(limit)) if budget >= limit => Err(Error::invalid(
            "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at \
             https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size",
        )),
        _ => Ok(()),
    }
}

/// What may not be asked together with thinking.
fn company(request: &Json) -> Checked {
    if request
        .number_of("temperature")
        .is_some_and(|temperature| (temperature - 1.0).abs() > f64::EPSILON)
    {
        return Err(Error::invalid(
            "`temperature` may only be set to 1 when thinking is enabled. Please consult our documentation at \
             https://docs.claude.com/en/docs/build-with-claude/extended-thinking#important-considerations-when-using-extended-thinking",
        ));
    }
    if request.given("top_k").is_some() {
        return Err(Error::invalid("`top_k` must be unset when thinking is enabled."));
    }
    if request.number_of("top_p").is_some_and(|top_p| top_p < 0.95) {
        return Err(Error::invalid(
            "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled.",
        ));
    }
    if forces_tool(request) {
        return Err(Error::invalid(
            "Thinking may not be enabled when tool_choice forces tool use.",
        ));
    }
    Ok(())
}

/// The assistant's last turn, if its tools are being answered or it is to be continued, begins with its thinking.
fn last_turn(request: &Json) -> Checked {
    let messages = request.list_of("messages");
    let Some(index) = messages
        .iter()
        .rposition(|message| message.text_of("role") == Some("assistant"))
    else {
        return Ok(());
    };
    let answers_tools = messages.get(index + 1..).is_some_and(|rest| {
        rest.iter()
            .flat_map(blocks_of)
            .any(|block| block.text_of("type") == Some("tool_result"))
    });
    let first = messages.get(index).map(blocks_of).unwrap_or_default();
    let first = first.first().and_then(|block| block.text_of("type")).unwrap_or("text");
    let continued = index + 1 == messages.len();
    if !(answers_tools || continued) || matches!(first, "thinking" | "redacted_thinking") {
        return Ok(());
    }
    // Only a budget insists: a model that thinks as it sees fit may not have thought.
    if asked(request) != Some("enabled") {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "messages.{index}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{first}`. When `thinking` \
         is enabled, a final `assistant` message must start with a thinking block (preceeding the lastmost set of \
         `tool_use` and `tool_result` blocks). We recommend you include thinking blocks from previous turns. To avoid \
         this requirement, disable `thinking`. Please consult our documentation at \
         https://docs.claude.com/en/docs/build-with-claude/extended-thinking"
    )))
}

/// Whatever thinking comes back is as it was given, and not the end of its message.
fn unchanged(messages: &[Json]) -> Checked {
    for (index, message) in messages.iter().enumerate() {
        let blocks = blocks_of(message);
        for (number, block) in blocks.iter().enumerate() {
            let (valid, what) = match block.text_of("type") {
                Some("thinking") => {
                    let text = block.text_of("thinking").unwrap_or_default();
                    (
                        signature::verify(text, block.text_of("signature").unwrap_or_default()),
                        ("signature", "thinking"),
                    )
                }
                Some("redacted_thinking") => {
                    let data = block.text_of("data").unwrap_or_default();
                    (signature::is_redacted(data), ("data", "redacted_thinking"))
                }
                _ => continue,
            };
            if !valid {
                let (field, kind) = what;
                return Err(Error::invalid(format!(
                    "messages.{index}.content.{number}: Invalid `{field}` in `{kind}` block"
                )));
            }
            if number + 1 == blocks.len() {
                return Err(Error::invalid(format!(
                    "messages.{index}: The final block in an assistant message cannot be `thinking`."
                )));
            }
        }
    }
    Ok(())
}
