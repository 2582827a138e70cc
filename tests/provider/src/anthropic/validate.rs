//! The rules of a message that no single field shows: what excludes what, and what must follow what.

use super::error::Error;
use super::thinking;
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
    pairs(request.list_of("messages"))?;
    tools(request)?;
    cache_control(request)?;
    options(request)?;
    thinking::validate(request, model)?;
    output_format(request)?;
    for_model(request, model)
}

fn roles(request: &Json, model: &Model) -> Checked {
    let messages = request.list_of("messages");
    if messages.is_empty() {
        return Err(Error::invalid("messages: at least one message is required"));
    }
    let role = |message: &Json, name: &str| message.text_of("role") == Some(name);
    if messages.iter().any(|message| role(message, "system")) && !model.traits.late_system {
        return Err(Error::invalid(
            "messages: Unexpected role \"system\". The Messages API accepts a top-level `system` parameter, not \
             \"system\" as an input message role.",
        ));
    }
    if !messages.first().is_some_and(|first| role(first, "user")) {
        return Err(Error::invalid("messages: first message must use the \"user\" role"));
    }
    let prefilled = messages.last().is_some_and(|last| role(last, "assistant"));
    if prefilled && !model.traits.prefills {
        return Err(Error::invalid(
            "This model does not support assistant message prefill. The conversation must end with a user message.",
        ));
    }
    Ok(())
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
        let last_of_assistant = index + 1 == messages.len() && message.text_of("role") == Some("assistant");
        let empty = matches!(message.get("content"), Some(Json::Text(text)) if text.is_empty())
            || blocks_of(message).is_empty();
        if empty && !last_of_assistant {
            return Err(Error::invalid(format!(
                "messages.{index}: all messages must have non-empty content except for the optional final assistant \
                 message"
            )));
        }
        if !empty {
            texts(&blocks_of(message), "messages")?;
        }
        let ends_in_space = blocks_of(message)
            .last()
            .and_then(|block| block.text_of("text").map(str::to_owned));
        if last_of_assistant && ends_in_space.is_some_and(|text| text.ends_with(char::is_whitespace)) {
            return Err(Error::invalid(
                "messages: final assistant content cannot end with trailing whitespace",
            ));
        }
    }
    texts(request.list_of("system"), "system")
}

fn texts(blocks: &[Json], place: &str) -> Checked {
    for text in blocks.iter().filter_map(|block| block.text_of("text")) {
        if text.is_empty() {
            return Err(Error::invalid(format!(
                "{place}: text content blocks must be non-empty"
            )));
        }
        if text.trim().is_empty() {
            return Err(Error::invalid(format!(
                "{place}: text content blocks must contain non-whitespace text"
            )));
        }
    }
    Ok(())
}

/// Each block in the right mouth, and every picture one.
fn blocks(request: &Json) -> Checked {
    for (index, message) in request.list_of("messages").iter().enumerate() {
        let role = message.text_of("role").unwrap_or_default();
        for (number, block) in blocks_of(message).iter().enumerate() {
            let place = format!("messages.{index}.content.{number}");
            let kind = block.text_of("type").unwrap_or_default();
            let wanted = match kind {
                "tool_use" | "thinking" | "redacted_thinking" => "assistant",
                "tool_result" | "image" | "document" | "search_result" => "user",
                _ => role,
            };
            if role != wanted {
                return Err(Error::invalid(format!(
                    "{place}: `{kind}` blocks can only be in `{wanted}` messages"
                )));
            }
            picture(block, &place)?;
            block
                .list_of("content")
                .iter()
                .enumerate()
                .try_for_each(|(inner, block)| picture(block, &format!("{place}.tool_result.content.{inner}")))?;
        }
    }
    Ok(())
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

/// Every use of a tool has its result in the next message, before anything else, and no result stands alone.
fn pairs(messages: &[Json]) -> Checked {
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

/// Consecutive messages of one role are one turn.
fn turns(messages: &[Json]) -> Vec<(&str, Vec<Json>)> {
    let mut turns: Vec<(&str, Vec<Json>)> = Vec::new();
    for message in messages {
        let role = message.text_of("role").unwrap_or_default();
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
    for (number, id) in blocks
        .iter()
        .enumerate()
        .filter_map(|(number, block)| result(block).map(|id| (number, id)))
    {
        if !open.contains(&id) {
            return Err(Error::invalid(format!(
                "messages.{index}.content.{number}: unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each \
                 `tool_result` block must have a corresponding `tool_use` block in the previous message."
            )));
        }
        if blocks.iter().filter_map(result).filter(|other| *other == id).count() > 1 {
            return Err(Error::invalid(format!(
                "messages.{index}.content.{number}: each tool_use must have a single result. Found multiple \
                 `tool_result` blocks with id: {id}"
            )));
        }
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

fn tools(request: &Json) -> Checked {
    let tools = request.list_of("tools");
    let mut names: Vec<&str> = Vec::new();
    for (index, tool) in tools.iter().enumerate() {
        let name = tool.text_of("name").unwrap_or_default();
        if names.contains(&name) {
            return Err(Error::invalid("tools: Tool names must be unique."));
        }
        names.push(name);
        let unions = ["oneOf", "allOf", "anyOf"];
        if tool
            .get("input_schema")
            .is_some_and(|schema| unions.iter().any(|key| schema.get(key).is_some()))
        {
            return Err(Error::invalid(format!(
                "tools.{index}.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level"
            )));
        }
        match tool.get("input_schema").map(|schema| schema.get("type")) {
            Some(Some(Json::Text(kind))) if kind == "object" => {}
            Some(Some(_)) => {
                return Err(Error::invalid(format!(
                    "tools.{index}.custom.input_schema.type: Input should be 'object'"
                )));
            }
            _ => {
                return Err(Error::invalid(format!(
                    "tools.{index}.custom.input_schema.type: Field required"
                )));
            }
        }
    }
    tool_choice(request, &names)?;
    let blocks = request.list_of("messages").iter().flat_map(blocks_of);
    let with_tools = blocks
        .into_iter()
        .any(|block| matches!(block.text_of("type"), Some("tool_use" | "tool_result")));
    match with_tools && tools.is_empty() {
        true => Err(Error::invalid(
            "Requests which include `tool_use` or `tool_result` blocks must define tools",
        )),
        false => Ok(()),
    }
}

fn tool_choice(request: &Json, names: &[&str]) -> Checked {
    let Some(choice) = request.get("tool_choice") else {
        return Ok(());
    };
    if names.is_empty() {
        return Err(Error::invalid(
            "tool_choice: tool_choice may only be specified while providing tools",
        ));
    }
    match choice.text_of("name") {
        Some(name) if !names.contains(&name) => Err(Error::invalid(format!(
            "tool_choice: Tool '{name}' not found in provided tools"
        ))),
        _ => Ok(()),
    }
}

/// Whether a tool is forced.
pub(super) fn forces_tool(request: &Json) -> bool {
    let choice = request.get("tool_choice").and_then(|choice| choice.text_of("type"));
    matches!(choice, Some("any" | "tool"))
}

/// At most four marks, none on an empty text, the long ones first.
fn cache_control(request: &Json) -> Checked {
    let marks = marks(request);
    if marks.len() > 4 {
        let sentence = format!(
            "A maximum of 4 blocks with cache_control may be provided. Found {}.",
            marks.len()
        );
        return Err(Error::invalid(sentence));
    }
    let short = marks.iter().position(|ttl| ttl != "1h");
    let long = marks.iter().rposition(|ttl| ttl == "1h");
    match (short, long) {
        (Some(short), Some(long)) if short < long => Err(Error::invalid(
            "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. Note that blocks are \
             processed in the following order: `tools`, `system`, `messages`.",
        )),
        _ => Ok(()),
    }
}

fn marks(request: &Json) -> Vec<String> {
    let mut marks = Vec::new();
    for part in ["tools", "system", "messages"] {
        collect_marks(request.get(part), &mut marks);
    }
    if let Some(automatic) = request.given("cache_control") {
        marks.push(automatic.text_of("ttl").unwrap_or("5m").to_owned());
    }
    marks
}

fn collect_marks(value: Option<&Json>, marks: &mut Vec<String>) {
    match value {
        Some(Json::List(elements)) => elements.iter().for_each(|element| collect_marks(Some(element), marks)),
        Some(object @ Json::Object(_)) => {
            collect_marks(object.get("content"), marks);
            if let Some(mark) = object.given("cache_control") {
                marks.push(mark.text_of("ttl").unwrap_or("5m").to_owned());
            }
        }
        _ => {}
    }
}

fn options(request: &Json) -> Checked {
    if request.given("temperature").is_some() && request.given("top_p").is_some() {
        return Err(Error::invalid(
            "`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
        ));
    }
    let blank = |stop: &Json| stop.text().is_some_and(|text| text.trim().is_empty());
    if request.list_of("stop_sequences").iter().any(blank) {
        return Err(Error::invalid(
            "stop_sequences: each stop sequence must contain non-whitespace",
        ));
    }
    Ok(())
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

fn for_model(request: &Json, model: &Model) -> Checked {
    let limit = model.max_output_tokens;
    if let Some(asked) = request.count_of("max_tokens").filter(|asked| *asked > limit) {
        return Err(Error::invalid(format!(
            "max_tokens: {asked} > {limit}, which is the maximum allowed number of output tokens for {}",
            model.answers_as
        )));
    }
    if !model.traits.samples {
        let sampling = ["temperature", "top_p", "top_k"]
            .into_iter()
            .find(|key| request.given(key).is_some());
        if let Some(key) = sampling {
            return Err(Error::invalid(format!(
                "{key}: this model does not support sampling parameters"
            )));
        }
    }
    if !model.traits.forced_tools && forces_tool(request) {
        return Err(Error::invalid(
            "tool_choice: this model does not support forced tool use",
        ));
    }
    let effort = request.get("output_config").and_then(|config| config.given("effort"));
    if effort.is_some() && model.traits.thinking == Thinking::Manual {
        return Err(Error::invalid(
            "output_config.effort: this model does not support the effort parameter",
        ));
    }
    Ok(())
}
