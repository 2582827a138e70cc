//! The rules of a request that no single field shows.

use super::error::{Error, unless};
use super::shapes;
use crate::json::Json;
use crate::model::Model;
use crate::shape;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

type Checked = Result<(), Error>;

/// Everything but the model's name and the length of the prompt.
pub(super) fn request(request: &Json, model: &Model) -> Checked {
    shape::check(request, &shapes::REQUEST)?;
    let messages = request.list_of("messages");
    turns(messages)?;
    for (index, message) in messages.iter().enumerate() {
        contents(message, &format!("messages.{index}"))?;
    }
    request
        .list_of("system")
        .iter()
        .try_for_each(|block| one_member(block, "system"))?;
    documents(messages)?;
    results(messages)?;
    tools(request)?;
    cache_points(request, model)?;
    sampling(request, model)
}

fn turns(messages: &[Json]) -> Checked {
    let role = |message: &Json| message.text_of("role").unwrap_or_default().to_owned();
    unless(
        messages.first().is_some_and(|first| role(first) == "user"),
        "A conversation must start with a user message. Try again with a conversation that starts with a user message.",
    )?;
    let alternate = messages.windows(2).all(|pair| match pair {
        [one, other] => role(one) != role(other),
        _ => true,
    });
    unless(
        alternate,
        "A conversation must alternate between user and assistant roles. Make sure the conversation alternates between \
         user and assistant roles and try again.",
    )
}

/// A block is what its one member says.
fn one_member(block: &Json, place: &str) -> Checked {
    unless(
        block.fields().len() == 1,
        format!("The content of {place} must have exactly one member in each block."),
    )
}

fn contents(message: &Json, place: &str) -> Checked {
    let assistant = message.text_of("role") == Some("assistant");
    let mut texts = message
        .list_of("content")
        .iter()
        .filter_map(|block| block.text_of("text"));
    unless(
        texts.all(|text| !text.trim().is_empty()),
        format!(
            "The text field in the ContentBlock object at {place} is blank. Add text to the text field, and try again."
        ),
    )?;
    for block in message.list_of("content") {
        one_member(block, place)?;
        let wrong = match assistant {
            true => ["toolResult", "image", "document"].as_slice(),
            false => ["toolUse", "reasoningContent"].as_slice(),
        };
        if let Some(kind) = wrong.iter().find(|kind| block.get(kind).is_some()) {
            return Err(Error::invalid(format!(
                "{place}: {kind} is not allowed in messages of this role."
            )));
        }
        bytes(block)?;
        for inner in block
            .get("toolResult")
            .map_or(&[][..], |result| result.list_of("content"))
        {
            one_member(inner, place)?;
            bytes(inner)?;
            unless(
                inner.text_of("text").is_none_or(|text| !text.trim().is_empty()),
                format!("The text of a toolResult at {place} is blank."),
            )?;
        }
    }
    Ok(())
}

fn bytes(block: &Json) -> Checked {
    for kind in ["image", "document"] {
        let source = block.get(kind).and_then(|medium| medium.get("source"));
        let Some(bytes) = source.and_then(|source| source.text_of("bytes")) else {
            continue;
        };
        unless(
            STANDARD.decode(bytes).is_ok_and(|bytes| !bytes.is_empty()),
            format!("The {kind} is not valid base64 or is empty."),
        )?;
    }
    Ok(())
}

/// A document has a name of its own, and a text beside it.
fn documents(messages: &[Json]) -> Checked {
    let mut names = Vec::new();
    for message in messages {
        let blocks = message.list_of("content");
        let documents = blocks.iter().filter_map(|block| block.get("document"));
        let before = names.len();
        names.extend(documents.filter_map(|document| document.text_of("name")));
        unless(
            names.len() == before || blocks.iter().any(|block| block.get("text").is_some()),
            "A text block is required when a message has a document.",
        )?;
    }
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    unless(names.len() == count, "Duplicate document file names are not allowed.")
}

/// Every use of a tool has its result in the next message, and no result stands alone.
fn results(messages: &[Json]) -> Checked {
    let ids = |message: Option<&Json>, kind: &str| -> Vec<String> {
        let blocks = message.map_or(&[][..], |message| message.list_of("content"));
        let ids = blocks.iter().filter_map(|block| block.get(kind)?.text_of("toolUseId"));
        let mut ids: Vec<_> = ids.map(str::to_owned).collect();
        ids.sort();
        ids
    };
    for index in 0..=messages.len() {
        let before = index.checked_sub(1).and_then(|before| messages.get(before));
        let (used, answered) = (ids(before, "toolUse"), ids(messages.get(index), "toolResult"));
        unless(
            used.iter().all(|id| answered.contains(id)),
            format!(
                "Expected toolResult blocks at messages.{index}.content for the following Ids: {}",
                used.join(", ")
            ),
        )?;
        unless(
            answered.len() == used.len(),
            format!(
                "The number of toolResult blocks at messages.{index}.content exceeds the number of toolUse blocks of \
                 previous turn."
            ),
        )?;
    }
    Ok(())
}

fn tools(request: &Json) -> Checked {
    let blocks = request
        .list_of("messages")
        .iter()
        .flat_map(|message| message.list_of("content"));
    let mut uses = blocks.filter(|block| block.get("toolUse").is_some() || block.get("toolResult").is_some());
    let Some(config) = request.get("toolConfig") else {
        return unless(
            uses.next().is_none(),
            "The toolConfig field must be defined when using toolUse and toolResult content blocks.",
        );
    };
    let specs: Vec<&Json> = config
        .list_of("tools")
        .iter()
        .filter_map(|tool| tool.get("toolSpec"))
        .collect();
    for (index, spec) in specs.iter().enumerate() {
        let kind = spec
            .get("inputSchema")
            .and_then(|schema| schema.get("json")?.text_of("type"));
        unless(
            kind == Some("object"),
            format!(
                "The value at toolConfig.tools.{index}.toolSpec.inputSchema.json.type must be one of the following: \
                 object."
            ),
        )?;
    }
    let Some(choice) = config.get("toolChoice") else {
        return Ok(());
    };
    one_member(choice, "toolConfig.toolChoice")?;
    let named = choice.get("tool").and_then(|tool| tool.text_of("name"));
    unless(
        named.is_none_or(|name| specs.iter().any(|spec| spec.text_of("name") == Some(name))),
        "toolConfig.toolChoice names a tool that is not in toolConfig.tools.",
    )
}

fn cache_points(request: &Json, model: &Model) -> Checked {
    let of_messages = request
        .list_of("messages")
        .iter()
        .flat_map(|message| message.list_of("content"));
    let tools = request
        .get("toolConfig")
        .map_or(&[][..], |config| config.list_of("tools"));
    let all = request.list_of("system").iter().chain(of_messages).chain(tools);
    let count = all.filter(|block| block.get("cachePoint").is_some()).count();
    let caches = ["anthropic.", "amazon."].iter().any(|maker| model.name.contains(maker));
    unless(
        count == 0 || caches,
        "You invoked an unsupported model or your request did not allow prompt caching. See the documentation for more \
         information.",
    )?;
    unless(count <= 4, "A maximum of 4 blocks with cachePoint may be provided.")
}

/// Claude's own rules.
fn sampling(request: &Json, model: &Model) -> Checked {
    if !model.name.contains("anthropic.") {
        return Ok(());
    }
    let given = |key: &str| {
        request
            .get("inferenceConfig")
            .is_some_and(|config| config.get(key).is_some())
    };
    unless(
        !(given("temperature") && given("topP")),
        "The model returned the following errors: `temperature` and `top_p` cannot both be specified for this model. \
         Please use only one.",
    )?;
    let thinking = request
        .get("additionalModelRequestFields")
        .and_then(|fields| fields.get("thinking"));
    let thinks = matches!(
        thinking.and_then(|thinking| thinking.text_of("type")),
        Some("enabled" | "adaptive")
    );
    unless(
        !(thinks && given("temperature")),
        "The model returned the following errors: `temperature` may only be set to 1 when thinking is enabled.",
    )?;
    let choice = request.get("toolConfig").and_then(|config| config.get("toolChoice"));
    let forced = choice.is_some_and(|choice| choice.get("any").is_some() || choice.get("tool").is_some());
    unless(
        !(thinks && forced),
        "The model returned the following errors: Thinking may not be enabled when tool_choice forces tool use.",
    )
}
