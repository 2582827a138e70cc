//! A request, read: the conversation for `reply`, the blocks for the cache and the bill.

use crate::cache::{Block, Mark};
use crate::json::Json;
use crate::model::Model;
use crate::render::rendered;
use crate::reply::{Choice, Format, Prompt, Tool};

/// What the model is asked.
pub(super) fn of_request(request: &Json, model: &Model, name: &str) -> Prompt {
    let last = request.list_of("messages").last();
    let is_user = |message: &&Json| message.text_of("role") == Some("user");
    let last = last
        .filter(is_user)
        .map_or(&[][..], |message| message.list_of("content"));
    let results = last.iter().filter_map(|block| block.get("toolResult"));
    let said: Vec<String> = last.iter().filter_map(spoken).collect();
    let config = request.get("inferenceConfig");
    let tools = request
        .get("toolConfig")
        .map_or(&[][..], |config| config.list_of("tools"));
    let claude_s = request
        .get("additionalModelRequestFields")
        .and_then(|fields| fields.get("tool_choice"));
    Prompt {
        name: name.to_owned(),
        said: said.join(" "),
        results: results.map(result).collect(),
        tools: tools.iter().filter_map(tool).collect(),
        choice: chosen(request, claude_s),
        parallel: !claude_s.is_some_and(|choice| choice.is_set("disable_parallel_tool_use")),
        thinks: thinks(request),
        announces: true,
        format: format(request),
        max_tokens: config
            .and_then(|config| config.count_of("maxTokens"))
            .unwrap_or(model.max_output_tokens),
        stop: config
            .map_or(&[][..], |config| config.list_of("stopSequences"))
            .iter()
            .filter_map(Json::text)
            .map(str::to_owned)
            .collect(),
    }
}

fn spoken(block: &Json) -> Option<String> {
    let kind = || Some(format!("[{}]", block.fields().first()?.0));
    match block.get("toolResult").or_else(|| block.get("cachePoint")) {
        Some(_) => None,
        None => block.text_of("text").map(str::to_owned).or_else(kind),
    }
}

fn result(result: &Json) -> String {
    let text: Vec<String> = result.list_of("content").iter().filter_map(spoken).collect();
    match result.text_of("status") {
        Some("error") => format!("error: {}", text.join(" ")),
        _ => text.join(" "),
    }
}

fn tool(tool: &Json) -> Option<Tool> {
    let spec = tool.get("toolSpec")?;
    Some(Tool {
        name: spec.text_of("name")?.to_owned(),
        schema: spec.get("inputSchema")?.get("json")?.clone(),
    })
}

fn chosen(request: &Json, claude_s: Option<&Json>) -> Choice {
    let named = |choice: &Json| choice.text_of("name").map(|name| Choice::Named(name.to_owned()));
    match claude_s.map(|choice| (choice, choice.text_of("type"))) {
        Some((_, Some("none"))) => return Choice::None,
        Some((_, Some("any"))) => return Choice::Any,
        Some((choice, Some("tool"))) => return named(choice).unwrap_or_default(),
        Some(_) | None => {}
    }
    let choice = request.get("toolConfig").and_then(|config| config.get("toolChoice"));
    match choice {
        Some(choice) if choice.get("any").is_some() => Choice::Any,
        Some(choice) => choice.get("tool").and_then(named).unwrap_or_default(),
        None => Choice::Free,
    }
}

fn thinks(request: &Json) -> bool {
    let fields = request.get("additionalModelRequestFields");
    let thinking = fields.and_then(|fields| fields.get("thinking")?.text_of("type"));
    matches!(thinking, Some("enabled" | "adaptive"))
}

fn format(request: &Json) -> Format {
    let format = request.get("outputConfig").and_then(|config| config.get("textFormat"));
    let schema = format.and_then(|format| format.get("structure")?.get("jsonSchema")?.text_of("schema"));
    let schema = schema.and_then(|schema| serde_json::from_str(schema).ok());
    schema.map_or(Format::Free, Format::Schema)
}

/// All that the model reads, in the order in which a prefix is cached, with the marks.
pub(super) fn blocks(request: &Json) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let tools = request
        .get("toolConfig")
        .map_or(&[][..], |config| config.list_of("tools"));
    let of_messages = request
        .list_of("messages")
        .iter()
        .flat_map(|message| message.list_of("content"));
    for block in tools.iter().chain(request.list_of("system")).chain(of_messages) {
        match (block.get("cachePoint"), blocks.last_mut()) {
            (Some(point), Some(last)) => last.mark = Some(mark(point)),
            (Some(_), None) => {}
            (None, _) => {
                let rendered = rendered(block);
                blocks.push(Block {
                    text: rendered.text,
                    tokens: rendered.tokens,
                    mark: None,
                });
            }
        }
    }
    blocks
}

fn mark(point: &Json) -> Mark {
    match point.text_of("ttl") {
        Some("1h") => Mark::OneHour,
        _ => Mark::FiveMinutes,
    }
}
