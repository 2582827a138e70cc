//! The rules of tools: how they are declared and chosen, and that each use has its result.

use super::error::{Error, unless};
use super::validate::{Checked, blocks_of};
use crate::json::Json;

/// Names once each, schemas that are objects, and some tool where the conversation has used one.
pub(super) fn declared(request: &Json) -> Checked {
    let names = names(request);
    for (index, tool) in request.list_of("tools").iter().enumerate() {
        let unique = !names.iter().take(index).any(|name| tool.text_of("name") == Some(name));
        unless(unique, "tools: Tool names must be unique.")?;
        if let Some(schema) = tool.get("input_schema") {
            self::schema(schema, &format!("tools.{index}.custom.input_schema"))?;
        }
    }
    let blocks = request.list_of("messages").iter().flat_map(blocks_of);
    let of_tools = |block: Json| matches!(block.text_of("type"), Some("tool_use" | "tool_result"));
    unless(
        !names.is_empty() || !blocks.into_iter().any(of_tools),
        "Requests which include `tool_use` or `tool_result` blocks must define tools",
    )
}

fn names(request: &Json) -> Vec<&str> {
    request
        .list_of("tools")
        .iter()
        .filter_map(|tool| tool.text_of("name"))
        .collect()
}

fn schema(schema: &Json, place: &str) -> Checked {
    unless(
        !["oneOf", "allOf", "anyOf"].iter().any(|key| schema.get(key).is_some()),
        format!("{place}: input_schema does not support oneOf, allOf, or anyOf at the top level"),
    )?;
    unless(schema.get("type").is_some(), format!("{place}.type: Field required"))?;
    unless(
        schema.text_of("type") == Some("object"),
        format!("{place}.type: Input should be 'object'"),
    )
}

/// Only what is declared can be chosen.
pub(super) fn chosen(request: &Json) -> Checked {
    let Some(choice) = request.get("tool_choice") else {
        return Ok(());
    };
    let names = names(request);
    unless(
        !names.is_empty(),
        "tool_choice: tool_choice may only be specified while providing tools",
    )?;
    match choice.text_of("name") {
        Some(name) => unless(
            names.contains(&name),
            format!("tool_choice: Tool '{name}' not found in provided tools"),
        ),
        None => Ok(()),
    }
}

/// Whether a tool is forced.
pub(super) fn are_forced(request: &Json) -> bool {
    let choice = request.get("tool_choice").and_then(|choice| choice.text_of("type"));
    matches!(choice, Some("any" | "tool"))
}

/// Every use of a tool has its result in the next message, before anything else, and no result stands alone.
pub(super) fn pairs(messages: &[Json]) -> Checked {
    let turns = turns(messages);
    let mut open: Vec<String> = Vec::new();
    let mut seen: Vec<String> = Vec::new();
    for (index, (role, blocks)) in turns.iter().enumerate() {
        match *role {
            "assistant" => open = used(blocks, &mut seen)?,
            _ => {
                answered(index, blocks, &open)?;
                open.clear();
            }
        }
    }
    match open.is_empty() {
        true => Ok(()),
        false => Err(unanswered(turns.len() - 1, &open)),
    }
}

/// Consecutive messages of one role are one turn; what the system says between them is none.
fn turns(messages: &[Json]) -> Vec<(&str, Vec<Json>)> {
    let mut turns: Vec<(&str, Vec<Json>)> = Vec::new();
    for message in messages {
        let role = message.text_of("role").unwrap_or_default();
        if role == "system" {
            continue;
        }
        match turns.last_mut() {
            Some((last, blocks)) if *last == role => blocks.extend(blocks_of(message)),
            _ => turns.push((role, blocks_of(message))),
        }
    }
    turns
}

fn used(blocks: &[Json], seen: &mut Vec<String>) -> Result<Vec<String>, Error> {
    let of_tools = blocks.iter().filter(|block| block.text_of("type") == Some("tool_use"));
    let ids: Vec<String> = of_tools
        .filter_map(|block| block.text_of("id"))
        .map(str::to_owned)
        .collect();
    for id in &ids {
        if seen.contains(id) {
            return Err(Error::invalid("messages: `tool_use` ids must be unique"));
        }
        seen.push(id.clone());
    }
    Ok(ids)
}

fn answered(index: usize, blocks: &[Json], open: &[String]) -> Checked {
    let result = |block: &Json| block.text_of("tool_use_id").map(str::to_owned);
    let first: Vec<String> = blocks.iter().map_while(result).collect();
    let missing: Vec<String> = open.iter().filter(|id| !first.contains(id)).cloned().collect();
    if !missing.is_empty() {
        return Err(unanswered(index - 1, &missing));
    }
    for (number, block) in blocks.iter().enumerate() {
        let Some(id) = result(block) else { continue };
        unless(
            open.contains(&id),
            format!(
                "messages.{index}.content.{number}: unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each \
                 `tool_result` block must have a corresponding `tool_use` block in the previous message."
            ),
        )?;
        unless(
            blocks.iter().filter_map(result).filter(|other| *other == id).count() == 1,
            format!(
                "messages.{index}.content.{number}: each tool_use must have a single result. Found multiple \
                 `tool_result` blocks with id: {id}"
            ),
        )?;
    }
    Ok(())
}

fn unanswered(index: usize, ids: &[String]) -> Error {
    Error::invalid(format!(
        "messages.{index}: `tool_use` ids were found without `tool_result` blocks immediately after: {}. Each `tool_use` \
         block must have a corresponding `tool_result` block in the next message.",
        ids.join(", ")
    ))
}
