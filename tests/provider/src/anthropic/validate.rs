//! The rules of a message that no single field shows: what excludes what, and what must follow what.

use super::error::{Error, unless};
use super::{marks, thinking, tools};
use crate::json::Json;
use crate::model::{Model, Thinking};
use crate::shape::{self, Shape};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub(super) type Checked = Result<(), Error>;

/// Everything but the model's name and the length of the prompt.
pub(super) fn message(request: &Json, shape: &Shape, model: &Model) -> Checked {
    shape::check(request, shape)?;
    roles(request, model)?;
    contents(request)?;
    blocks(request)?;
    tools::pairs(request.list_of("messages"))?;
    tools::declared(request)?;
    tools::chosen(request)?;
    marks::validate(request)?;
    options(request)?;
    thinking::validate(request, model)?;
    output_format(request)?;
    for_model(request, model)
}

fn roles(request: &Json, model: &Model) -> Checked {
    let messages = request.list_of("messages");
    let is = |message: &Json, role: &str| message.text_of("role") == Some(role);
    unless(!messages.is_empty(), "messages: at least one message is required")?;
    unless(
        model.traits.late_system || !messages.iter().any(|message| is(message, "system")),
        "messages: Unexpected role \"system\". The Messages API accepts a top-level `system` parameter, not \"system\" \
         as an input message role.",
    )?;
    unless(
        messages.first().is_some_and(|first| is(first, "user")),
        "messages: first message must use the \"user\" role",
    )?;
    unless(
        model.traits.prefills || !messages.last().is_some_and(|last| is(last, "assistant")),
        "This model does not support assistant message prefill. The conversation must end with a user message.",
    )
}

/// The blocks of a message; a text stands for one block.
pub(super) fn blocks_of(message: &Json) -> Vec<Json> {
    match message.get("content") {
        Some(Json::Text(text)) => vec![text_block(text)],
        Some(content) => content.list().to_vec(),
        None => Vec::new(),
    }
}

fn text_block(text: &str) -> Json {
    let field = |key: &str, value: &str| (key.to_owned(), Json::Text(value.to_owned()));
    Json::Object(vec![field("type", "text"), field("text", text)])
}

/// Nothing is empty, and a text that is to be continued does not end in white space.
fn contents(request: &Json) -> Checked {
    let messages = request.list_of("messages");
    for (index, message) in messages.iter().enumerate() {
        let continued = index + 1 == messages.len() && message.text_of("role") == Some("assistant");
        content(message, index, continued)?;
    }
    texts(request.list_of("system"), "system")
}

fn content(message: &Json, index: usize, continued: bool) -> Checked {
    let blocks = blocks_of(message);
    let empty = blocks.is_empty() || message.text_of("content") == Some("");
    if empty && continued {
        return Ok(());
    }
    unless(
        !empty,
        format!(
            "messages.{index}: all messages must have non-empty content except for the optional final assistant message"
        ),
    )?;
    texts(&blocks, "messages")?;
    let last = blocks
        .last()
        .and_then(|block| block.text_of("text"))
        .unwrap_or_default();
    unless(
        !continued || !last.ends_with(char::is_whitespace),
        "messages: final assistant content cannot end with trailing whitespace",
    )
}

fn texts(blocks: &[Json], place: &str) -> Checked {
    for text in blocks.iter().filter_map(|block| block.text_of("text")) {
        unless(
            !text.is_empty(),
            format!("{place}: text content blocks must be non-empty"),
        )?;
        unless(
            !text.trim().is_empty(),
            format!("{place}: text content blocks must contain non-whitespace text"),
        )?;
    }
    Ok(())
}

/// Each block in the right mouth, and every picture one.
fn blocks(request: &Json) -> Checked {
    for (index, message) in request.list_of("messages").iter().enumerate() {
        let role = message.text_of("role").unwrap_or_default();
        for (number, block) in blocks_of(message).iter().enumerate() {
            self::block(block, role, &format!("messages.{index}.content.{number}"))?;
        }
    }
    Ok(())
}

fn block(block: &Json, role: &str, place: &str) -> Checked {
    let kind = block.text_of("type").unwrap_or_default();
    let wanted = match kind {
        "tool_use" | "thinking" | "redacted_thinking" => "assistant",
        "tool_result" | "image" | "document" | "search_result" => "user",
        _ => role,
    };
    unless(
        role == wanted,
        format!("{place}: `{kind}` blocks can only be in `{wanted}` messages"),
    )?;
    picture(block, place)?;
    let mut inner = block.list_of("content").iter().enumerate();
    inner.try_for_each(|(number, inner)| picture(inner, &format!("{place}.tool_result.content.{number}")))
}

fn picture(block: &Json, place: &str) -> Checked {
    let Some(source) = block.get("source").filter(|_| block.text_of("type") == Some("image")) else {
        return Ok(());
    };
    match (source.text_of("type"), source.text_of("data"), source.text_of("url")) {
        (Some("base64"), Some(data), _) => match STANDARD.decode(data) {
            Ok(bytes) if !bytes.is_empty() => Ok(()),
            Ok(_) => Err(Error::invalid(format!(
                "{place}.image.source.base64: image cannot be empty"
            ))),
            Err(_) => Err(Error::invalid(format!(
                "{place}.image.source.base64.data: invalid base64 data"
            ))),
        },
        (Some("url"), _, Some(url)) if !url.starts_with("https://") => Err(Error::invalid(format!(
            "{place}.image.source.url.url: Only HTTPS URLs are supported."
        ))),
        _ => Ok(()),
    }
}

fn options(request: &Json) -> Checked {
    unless(
        request.given("temperature").is_none() || request.given("top_p").is_none(),
        "`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
    )?;
    let blank = |stop: &Json| stop.text().is_some_and(|text| text.trim().is_empty());
    unless(
        !request.list_of("stop_sequences").iter().any(blank),
        "stop_sequences: each stop sequence must contain non-whitespace",
    )
}

fn output_format(request: &Json) -> Checked {
    let format = request.get("output_config").and_then(|config| config.given("format"));
    match format.and_then(|format| format.get("schema")).and_then(unsupported) {
        Some(why) => Err(Error::invalid(format!("output_config.format.schema: {why}"))),
        None => Ok(()),
    }
}

/// What a schema says that constrained decoding cannot do.
fn unsupported(schema: &Json) -> Option<String> {
    let kind = schema.text_of("type").unwrap_or_default();
    let refused = [
        "minimum",
        "maximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "maxItems",
        "patternProperties",
    ];
    if let Some(key) = refused.iter().find(|key| schema.get(key).is_some()) {
        return Some(format!("For '{kind}' type, property '{key}' is not supported"));
    }
    if schema.get("oneOf").is_some() {
        return Some("Schema type 'oneOf' is not supported".to_owned());
    }
    if kind == "object" && schema.get("additionalProperties") != Some(&Json::Bool(false)) {
        return Some("For 'object' type, 'additionalProperties' must be explicitly set to false".to_owned());
    }
    let properties = schema.get("properties").map_or(&[][..], Json::fields);
    let inner = properties.iter().find_map(|(_, schema)| unsupported(schema));
    inner.or_else(|| schema.get("items").and_then(unsupported))
}

/// What depends on the model.
fn for_model(request: &Json, model: &Model) -> Checked {
    let limit = model.max_output_tokens;
    if let Some(asked) = request.count_of("max_tokens").filter(|asked| *asked > limit) {
        return Err(Error::invalid(format!(
            "max_tokens: {asked} > {limit}, which is the maximum allowed number of output tokens for {}",
            model.answers_as
        )));
    }
    let sampling = ["temperature", "top_p", "top_k"]
        .into_iter()
        .find(|key| request.given(key).is_some());
    if let Some(key) = sampling.filter(|_| !model.traits.samples) {
        return Err(Error::invalid(format!(
            "{key}: this model does not support sampling parameters"
        )));
    }
    unless(
        model.traits.forced_tools || !tools::are_forced(request),
        "tool_choice: this model does not support forced tool use",
    )?;
    let effort = request.get("output_config").and_then(|config| config.given("effort"));
    unless(
        effort.is_none() || model.traits.thinking != Thinking::Manual,
        "output_config.effort: this model does not support the effort parameter",
    )
}
