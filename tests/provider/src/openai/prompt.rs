//! A chat completion's request, read: the conversation for `reply`, the text for the cache and the bill.

use crate::json::Json;
use crate::model::Model;
use crate::render::{Rendered, rendered};
use crate::reply::{Choice, Format, Prompt, Tool, free_text};

/// What the model is asked.
pub(super) fn of_chat(request: &Json, model: &Model, name: &str, thinks: bool) -> Prompt {
    let messages = request.list_of("messages");
    Prompt {
        name: name.to_owned(),
        said: said(messages),
        results: results(messages),
        tools: request.list_of("tools").iter().filter_map(tool).collect(),
        choice: choice(request.get("tool_choice")),
        parallel: request.get("parallel_tool_calls") != Some(&Json::Bool(false)),
        thinks,
        announces: false,
        format: format(request.get("response_format")),
        max_tokens: max_tokens(request).unwrap_or(model.max_output_tokens),
        stop: stop(request.get("stop")),
    }
}

/// The limit that the request sets.
pub(super) fn max_tokens(request: &Json) -> Option<u64> {
    request
        .count_of("max_completion_tokens")
        .or_else(|| request.count_of("max_tokens"))
}

/// All that the model reads, tools first.
pub(super) fn text(request: &Json) -> Rendered {
    let mut whole = Rendered::default();
    let parts = request.list_of("tools").iter().chain(request.list_of("messages"));
    for part in parts.map(rendered) {
        whole.text.push_str(&part.text);
        whole.tokens += part.tokens;
    }
    whole
}

fn said(messages: &[Json]) -> String {
    match messages.last() {
        Some(last) if last.text_of("role") == Some("user") => content(last),
        _ => String::new(),
    }
}

/// The tool messages at the end, whatever precedes them.
fn results(messages: &[Json]) -> Vec<String> {
    let last = messages
        .iter()
        .rev()
        .take_while(|message| message.text_of("role") == Some("tool"));
    let mut results: Vec<String> = last.map(content).collect();
    results.reverse();
    results
}

fn content(message: &Json) -> String {
    match message.get("content") {
        Some(Json::Text(text)) => text.clone(),
        Some(Json::List(parts)) => parts.iter().map(part).collect::<Vec<_>>().join(" "),
        _ => String::new(),
    }
}

fn part(part: &Json) -> String {
    match (part.text_of("text"), part.text_of("type")) {
        (Some(text), _) => text.to_owned(),
        (None, Some(kind)) => format!("[{kind}]"),
        (None, None) => String::new(),
    }
}

fn tool(tool: &Json) -> Option<Tool> {
    if let Some(custom) = tool.get("custom") {
        let name = custom.text_of("name")?.to_owned();
        let schema = free_text();
        return Some(Tool { name, schema });
    }
    let function = tool.get("function")?;
    let schema = function.get("parameters").cloned().unwrap_or(Json::Object(Vec::new()));
    Some(Tool {
        name: function.text_of("name")?.to_owned(),
        schema,
    })
}

fn choice(choice: Option<&Json>) -> Choice {
    match choice {
        Some(Json::Text(word)) if word == "none" => Choice::None,
        Some(Json::Text(word)) if word == "required" => Choice::Any,
        Some(object @ Json::Object(_)) => named(object),
        _ => Choice::Free,
    }
}

fn named(choice: &Json) -> Choice {
    let mut kinds = ["function", "custom"].into_iter().filter_map(|kind| choice.get(kind));
    if let Some(name) = kinds.find_map(|tool| tool.text_of("name")) {
        return Choice::Named(name.to_owned());
    }
    match choice.get("allowed_tools").and_then(|allowed| allowed.text_of("mode")) {
        Some("required") => Choice::Any,
        _ => Choice::Free,
    }
}

fn format(format: Option<&Json>) -> Format {
    match format.and_then(|format| format.text_of("type")) {
        Some("json_object") => Format::AnyObject,
        Some("json_schema") => {
            let schema = format.and_then(|format| format.get("json_schema")?.get("schema"));
            schema.map_or(Format::AnyObject, |schema| Format::Schema(schema.clone()))
        }
        _ => Format::Free,
    }
}

fn stop(stop: Option<&Json>) -> Vec<String> {
    match stop {
        Some(Json::Text(text)) => vec![text.clone()],
        Some(list) => list.list().iter().filter_map(Json::text).map(str::to_owned).collect(),
        None => Vec::new(),
    }
}
