//! A chat, read: the conversation for `reply`.

use crate::json::Json;
use crate::model::Model;
use crate::render::rendered;
use crate::reply::{Choice, Format, Prompt, Tool};

/// What the model is asked.
pub(super) fn of_chat(body: &Json, model: &Model, name: &str) -> Prompt {
    let messages = body.list_of("messages");
    let spoke = |message: &Json| message.text_of("role") == Some("assistant");
    let last = messages.iter().rposition(spoke).map_or(0, |at| at + 1);
    let last = messages.get(last..).unwrap_or_default();
    let of = |role: &str| -> Vec<String> {
        let is = |message: &&Json| message.text_of("role") == Some(role);
        last.iter().filter(is).map(spoken).collect()
    };
    let format = body.get("response_format");
    Prompt {
        name: name.to_owned(),
        said: of("user").join(" "),
        results: of("tool"),
        tools: body.list_of("tools").iter().filter_map(tool).collect(),
        choice: match body.text_of("tool_choice") {
            Some("REQUIRED") => Choice::Any,
            Some(_) => Choice::None,
            None => Choice::Free,
        },
        parallel: true,
        thinks: super::validate::thinks(body, &model.name),
        announces: true,
        format: match (
            format.and_then(|format| format.text_of("type")),
            format.and_then(|format| format.given("json_schema")),
        ) {
            (Some("json_object"), Some(schema)) => Format::Schema(schema.clone()),
            (Some("json_object"), None) => Format::AnyObject,
            _ => Format::Free,
        },
        max_tokens: body.count_of("max_tokens").unwrap_or(model.max_output_tokens),
        stop: body
            .list_of("stop_sequences")
            .iter()
            .filter_map(Json::text)
            .map(str::to_owned)
            .collect(),
    }
}

/// A message's text; pictures are named in it.
fn spoken(message: &Json) -> String {
    if let Some(text) = message.text_of("content") {
        return text.to_owned();
    }
    let part = |part: &Json| part.text_of("text").unwrap_or("[image]").to_owned();
    let parts: Vec<String> = message.list_of("content").iter().map(part).collect();
    parts.join(" ")
}

fn tool(tool: &Json) -> Option<Tool> {
    let function = tool.get("function")?;
    Some(Tool {
        name: function.text_of("name")?.to_owned(),
        schema: function.get("parameters")?.clone(),
    })
}

/// What the model reads.
pub(super) fn tokens(body: &Json) -> u64 {
    let all = body.list_of("tools").iter().chain(body.list_of("messages"));
    all.map(|value| rendered(value).tokens).sum()
}
