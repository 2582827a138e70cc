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
    let is = |message: &&Json, role: &str| message.text_of("role") == Some(role);
    let said: Vec<String> = last.iter().filter(|message| is(message, "user")).map(spoken).collect();
    let options = body.get("options");
    Prompt {
        name: name.to_owned(),
        said: said.join(" "),
        results: last.iter().filter(|message| is(message, "tool")).map(spoken).collect(),
        tools: body.list_of("tools").iter().filter_map(tool).collect(),
        choice: Choice::Free,
        parallel: true,
        thinks: body.get("think").is_some_and(|think| *think != Json::Bool(false)),
        announces: false,
        format: match body.given("format") {
            Some(Json::Text(_)) => Format::AnyObject,
            Some(schema) => Format::Schema(schema.clone()),
            None => Format::Free,
        },
        max_tokens: options
            .and_then(|options| options.count_of("num_predict"))
            .unwrap_or(model.max_output_tokens),
        stop: options
            .map_or(&[][..], |options| options.list_of("stop"))
            .iter()
            .filter_map(Json::text)
            .map(str::to_owned)
            .collect(),
    }
}

fn spoken(message: &Json) -> String {
    let text = message.text_of("content").unwrap_or_default();
    match message.list_of("images").is_empty() {
        true => text.to_owned(),
        false => format!("{text} [image]"),
    }
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
