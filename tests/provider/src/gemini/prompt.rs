//! A request, read: the conversation for `reply`, the text for the cache and the bill.

use crate::json::Json;
use crate::model::{Model, Thinking};
use crate::render::{Rendered, rendered};
use crate::reply::{Choice, Format, Prompt, Tool};

/// What the model is asked.
pub(super) fn of_request(request: &Json, model: &Model, name: &str) -> Prompt {
    let last = last_of_user(request.list_of("contents"));
    let generation = request.get("generationConfig");
    let limit = generation.and_then(|generation| generation.count_of("maxOutputTokens"));
    let functions = request.list_of("tools").iter();
    let functions = functions.flat_map(|tool| tool.list_of("functionDeclarations"));
    Prompt {
        name: name.to_owned(),
        said: last
            .iter()
            .filter_map(|part| spoken(part))
            .collect::<Vec<_>>()
            .join(" "),
        results: last.iter().filter_map(|part| result(part)).collect(),
        tools: functions.filter_map(tool).collect(),
        choice: choice(request),
        parallel: true,
        thinks: thinks(generation, model),
        announces: false,
        format: format(generation),
        max_tokens: limit.unwrap_or(model.max_output_tokens),
        stop: generation
            .map_or(&[][..], |generation| generation.list_of("stopSequences"))
            .iter()
            .filter_map(Json::text)
            .map(str::to_owned)
            .collect(),
    }
}

/// Thoughts are shown to those who ask.
pub(super) fn shows_thoughts(request: &Json) -> bool {
    let thinking = request
        .get("generationConfig")
        .and_then(|generation| generation.get("thinkingConfig"));
    thinking.is_some_and(|thinking| thinking.is_set("includeThoughts"))
}

/// All that the model reads, tools first.
pub(super) fn text(request: &Json) -> Rendered {
    let mut whole = Rendered::default();
    let system = request.get("systemInstruction");
    let parts = request
        .list_of("tools")
        .iter()
        .chain(system)
        .chain(request.list_of("contents"));
    for part in parts.map(rendered) {
        whole.text.push_str(&part.text);
        whole.tokens += part.tokens;
    }
    whole
}

/// The parts of all contents since the model spoke.
fn last_of_user(contents: &[Json]) -> Vec<&Json> {
    let from = contents
        .iter()
        .rposition(|content| content.text_of("role") == Some("model"))
        .map_or(0, |at| at + 1);
    contents
        .iter()
        .skip(from)
        .flat_map(|content| content.list_of("parts"))
        .collect()
}

fn spoken(part: &Json) -> Option<String> {
    if part.get("functionResponse").is_some() {
        return None;
    }
    let media = part.get("inlineData").or_else(|| part.get("fileData"));
    let kind = media
        .and_then(|media| media.text_of("mimeType"))
        .map(|kind| format!("[{kind}]"));
    part.text_of("text").map(str::to_owned).or(kind)
}

/// What SDKs wrap is quoted without its wrapping.
fn result(part: &Json) -> Option<String> {
    let response = part.get("functionResponse")?.get("response")?;
    Some(match response.fields() {
        [(key, Json::Text(text))] if key == "result" || key == "output" => text.clone(),
        [(key, Json::Text(text))] if key == "error" => format!("error: {text}"),
        _ => response.compact(),
    })
}

fn tool(function: &Json) -> Option<Tool> {
    let schema = function
        .get("parametersJsonSchema")
        .or_else(|| function.get("parameters"));
    Some(Tool {
        name: function.text_of("name")?.to_owned(),
        schema: schema.map_or(Json::Object(Vec::new()), lower),
    })
}

/// Types in capitals are those of a schema.
fn lower(schema: &Json) -> Json {
    match schema {
        Json::Object(fields) => Json::Object(
            fields
                .iter()
                .map(|(key, value)| match (key.as_str(), value) {
                    ("type", Json::Text(kind)) => (key.clone(), Json::Text(kind.to_ascii_lowercase())),
                    _ => (key.clone(), lower(value)),
                })
                .collect(),
        ),
        Json::List(elements) => Json::List(elements.iter().map(lower).collect()),
        other => other.clone(),
    }
}

fn choice(request: &Json) -> Choice {
    let calling = request
        .get("toolConfig")
        .and_then(|config| config.get("functionCallingConfig"));
    let allowed = calling.map_or(&[][..], |calling| calling.list_of("allowedFunctionNames"));
    match (calling.and_then(|calling| calling.text_of("mode")), allowed) {
        (Some("NONE"), _) => Choice::None,
        (Some("ANY"), [Json::Text(only)]) => Choice::Named(only.clone()),
        (Some("ANY"), _) => Choice::Any,
        _ => Choice::Free,
    }
}

fn thinks(generation: Option<&Json>, model: &Model) -> bool {
    let thinking = generation.and_then(|generation| generation.get("thinkingConfig"));
    match thinking.and_then(|thinking| thinking.number_of("thinkingBudget")) {
        Some(budget) => budget != 0.0,
        None => thinking.is_some() || model.traits.thinking == Thinking::Always,
    }
}

fn format(generation: Option<&Json>) -> Format {
    let Some(generation) = generation else {
        return Format::Free;
    };
    if generation.text_of("responseMimeType") != Some("application/json") {
        return Format::Free;
    }
    let schema = generation
        .get("responseJsonSchema")
        .or_else(|| generation.get("responseSchema"));
    schema.map_or(Format::AnyObject, |schema| Format::Schema(lower(schema)))
}
