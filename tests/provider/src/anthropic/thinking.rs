//! The rules of thinking: what may be asked together with it, and what must come back as it was.

use super::error::{Error, unless};
use super::tools::are_forced;
use super::validate::{Checked, blocks_of};
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
    let temperature = request.number_of("temperature").unwrap_or(1.0);
    unless(
        (temperature - 1.0).abs() < f64::EPSILON,
        "`temperature` may only be set to 1 when thinking is enabled. Please consult our documentation at \
         https://docs.claude.com/en/docs/build-with-claude/extended-thinking#important-considerations-when-using-extended-thinking",
    )?;
    unless(
        request.given("top_k").is_none(),
        "`top_k` must be unset when thinking is enabled.",
    )?;
    unless(
        request.number_of("top_p").is_none_or(|top_p| top_p >= 0.95),
        "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled.",
    )?;
    unless(
        !are_forced(request),
        "Thinking may not be enabled when tool_choice forces tool use.",
    )
}

/// The assistant's last turn, if its tools are being answered or it is to be continued, begins with its thinking. Only a
/// budget insists: a model that thinks as it sees fit may not have thought.
fn last_turn(request: &Json) -> Checked {
    let messages = request.list_of("messages");
    let last = messages
        .iter()
        .rposition(|message| message.text_of("role") == Some("assistant"));
    let Some(index) = last.filter(|_| asked(request) == Some("enabled")) else {
        return Ok(());
    };
    let after = messages.get(index + 1..).unwrap_or_default();
    let answers_tools = after
        .iter()
        .flat_map(blocks_of)
        .any(|block| block.text_of("type") == Some("tool_result"));
    let first = messages.get(index).map(blocks_of).unwrap_or_default();
    let first = first.first().and_then(|block| block.text_of("type")).unwrap_or("text");
    unless(
        !(answers_tools || after.is_empty()) || matches!(first, "thinking" | "redacted_thinking"),
        format!(
            "messages.{index}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{first}`. When \
             `thinking` is enabled, a final `assistant` message must start with a thinking block (preceeding the \
             lastmost set of `tool_use` and `tool_result` blocks). We recommend you include thinking blocks from \
             previous turns. To avoid this requirement, disable `thinking`. Please consult our documentation at \
             https://docs.claude.com/en/docs/build-with-claude/extended-thinking"
        ),
    )
}

/// Whatever thinking comes back is as it was given, and not the end of its message.
fn unchanged(messages: &[Json]) -> Checked {
    for (index, message) in messages.iter().enumerate() {
        let blocks = blocks_of(message);
        for (number, block) in blocks.iter().enumerate() {
            genuine(block, &format!("messages.{index}.content.{number}"))?;
        }
        let last = blocks.last().and_then(|block| block.text_of("type"));
        unless(
            !matches!(last, Some("thinking" | "redacted_thinking")),
            format!("messages.{index}: The final block in an assistant message cannot be `thinking`."),
        )?;
    }
    Ok(())
}

fn genuine(block: &Json, place: &str) -> Checked {
    let text = |key: &str| block.text_of(key).unwrap_or_default();
    match block.text_of("type") {
        Some("thinking") => unless(
            signature::verify(text("thinking"), text("signature")),
            format!("{place}: Invalid `signature` in `thinking` block"),
        ),
        Some("redacted_thinking") => unless(
            signature::is_redacted(text("data")),
            format!("{place}: Invalid `data` in `redacted_thinking` block"),
        ),
        _ => Ok(()),
    }
}
