//! A message's request, read: the conversation for `reply`, the blocks for the cache and the bill.

use super::validate::blocks_of;
use crate::cache::{Block, Mark};
use crate::json::Json;
use crate::model::{Model, Thinking};
use crate::render::rendered;
use crate::reply::{Choice, Format, Prompt, Tool};

/// What the model is asked.
pub(super) fn of_message(request: &Json, model: &Model, name: &str) -> Prompt {
    let last = last_of_user(request.list_of("messages"));
    let results: Vec<String> = last
        .iter()
        .filter(|block| is(block, "tool_result"))
        .map(result)
        .collect();
    let said: Vec<String> = last
        .iter()
        .filter(|block| !is(block, "tool_result"))
        .map(spoken)
        .collect();
    let choice = request.get("tool_choice");
    Prompt {
        name: name.to_owned(),
        said: said.join(" "),
        thinks: thinks(request, model, !results.is_empty()),
        results,
        tools: request.list_of("tools").iter().filter_map(tool).collect(),
        choice: chosen(choice),
        parallel: !choice.is_some_and(|choice| choice.is_set("disable_parallel_tool_use")),
        announces: true,
        format: format(request),
        max_tokens: request.count_of("max_tokens").unwrap_or(model.max_output_tokens),
        stop: request
            .list_of("stop_sequences")
            .iter()
            .filter_map(Json::text)
            .map(str::to_owned)
            .collect(),
    }
}

/// Whether thinking is shown: the newest models keep it to themselves unless asked.
pub(super) fn shows_thinking(request: &Json, model: &Model) -> bool {
    match request.get("thinking").and_then(|thinking| thinking.text_of("display")) {
        Some(display) => display == "summarized",
        None => model.traits.thinking != Thinking::Always,
    }
}

/// All that the model reads, in the order in which a prefix is cached, with the marks.
pub(super) fn blocks(request: &Json) -> Vec<Block> {
    let mut blocks: Vec<Block> = request
        .list_of("tools")
        .iter()
        .map(|tool| block("tool", tool))
        .collect();
    match request.get("system") {
        Some(text @ Json::Text(_)) => blocks.push(block("system", text)),
        Some(system) => blocks.extend(system.list().iter().map(|text| block("system", text))),
        None => {}
    }
    for message in request.list_of("messages") {
        let role = message.text_of("role").unwrap_or_default();
        blocks.extend(blocks_of(message).iter().map(|content| block(role, content)));
    }
    if let (Some(automatic), Some(last)) = (request.given("cache_control"), blocks.last_mut()) {
        last.mark = Some(mark(automatic));
    }
    blocks
}

fn block(place: &str, value: &Json) -> Block {
    let rendered = rendered(value);
    let nested = value
        .list_of("content")
        .iter()
        .filter_map(|inner| inner.given("cache_control"))
        .next_back();
    let mark = value.given("cache_control").or(nested).map(mark);
    Block {
        text: format!("{place}: {}", rendered.text),
        tokens: rendered.tokens,
        mark,
    }
}

fn mark(control: &Json) -> Mark {
    match control.text_of("ttl") {
        Some("1h") => Mark::OneHour,
        _ => Mark::FiveMinutes,
    }
}

fn is(block: &Json, kind: &str) -> bool {
    block.text_of("type") == Some(kind)
}

/// The user's last turn: all its messages since the assistant spoke.
fn last_of_user(messages: &[Json]) -> Vec<Json> {
    let is_user = |message: &&Json| message.text_of("role") == Some("user");
    let mut last: Vec<&Json> = messages
        .iter()
        .rev()
        .skip_while(|message| !is_user(message))
        .take_while(is_user)
        .collect();
    last.reverse();
    last.into_iter().flat_map(blocks_of).collect()
}

fn spoken(block: &Json) -> String {
    match (block.text_of("text"), block.text_of("type")) {
        (Some(text), _) => text.to_owned(),
        (None, Some(kind)) => format!("[{kind}]"),
        (None, None) => String::new(),
    }
}

fn result(block: &Json) -> String {
    let text = blocks_of(block).iter().map(spoken).collect::<Vec<_>>().join(" ");
    if block.is_set("is_error") {
        format!("error: {text}")
    } else {
        text
    }
}

fn tool(tool: &Json) -> Option<Tool> {
    Some(Tool {
        name: tool.text_of("name")?.to_owned(),
        schema: tool.get("input_schema")?.clone(),
    })
}

fn chosen(choice: Option<&Json>) -> Choice {
    match choice.map(|choice| (choice.text_of("type"), choice.text_of("name"))) {
        Some((Some("none"), _)) => Choice::None,
        Some((Some("any"), _)) => Choice::Any,
        Some((Some("tool"), Some(name))) => Choice::Named(name.to_owned()),
        _ => Choice::Free,
    }
}

fn format(request: &Json) -> Format {
    let format = request.get("output_config").and_then(|config| config.given("format"));
    match format.and_then(|format| format.get("schema")) {
        Some(schema) => Format::Schema(schema.clone()),
        None => Format::Free,
    }
}

fn thinks(request: &Json, model: &Model, after_tools: bool) -> bool {
    match request.get("thinking").and_then(|thinking| thinking.text_of("type")) {
        Some("enabled" | "adaptive") => true,
        Some("between_tools") => after_tools,
        Some(_) => false,
        None => model.traits.thinking == Thinking::Always,
    }
}
