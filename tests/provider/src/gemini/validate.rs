//! The rules that no single field shows.

use super::error::{Error, unless};
use super::{shapes, turns};
use crate::json::Json;
use crate::model::{Model, Thinking};
use crate::shape;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub(super) type Checked = Result<(), Error>;

/// Everything but the length of the prompt.
pub(super) fn request(request: &Json, model: &Model) -> Checked {
    shape::check(request, &shapes::REQUEST)?;
    let contents = request.list_of("contents");
    unless(
        !contents.is_empty(),
        "* GenerateContentRequest.contents: contents is not specified\n",
    )?;
    for (index, content) in contents.iter().enumerate() {
        self::content(content, &format!("contents[{index}]"))?;
    }
    if let Some(system) = request.get("systemInstruction") {
        content(system, "system_instruction")?;
    }
    turns::validate(contents, model)?;
    tools(request)?;
    measured(request)?;
    thinking(request, model)
}

fn content(content: &Json, place: &str) -> Checked {
    let role = content.text_of("role").unwrap_or("user");
    unless(
        matches!(role, "user" | "model" | "function") || place == "system_instruction",
        "Please use a valid role: user, model.",
    )?;
    let parts = content.list_of("parts");
    unless(
        !parts.is_empty(),
        format!("* GenerateContentRequest.{place}.parts: contents.parts must not be empty.\n"),
    )?;
    for (index, part) in parts.iter().enumerate() {
        self::part(part, &format!("{place}.parts[{index}]"))?;
    }
    Ok(())
}

fn part(part: &Json, place: &str) -> Checked {
    let kinds = [
        "text",
        "inlineData",
        "fileData",
        "functionCall",
        "functionResponse",
        "executableCode",
        "codeExecutionResult",
    ];
    let given = kinds.iter().filter(|kind| part.get(kind).is_some()).count();
    unless(
        given == 1,
        format!("* GenerateContentRequest.{place}.data: required oneof field 'data' must have one initialized field\n"),
    )?;
    let data = part.get("inlineData").and_then(|blob| blob.text_of("data"));
    unless(
        data.is_none_or(|data| STANDARD.decode(data.replace('-', "+").replace('_', "/")).is_ok()),
        format!("Invalid value at '{place}.inline_data.data' (TYPE_BYTES), Base64 decoding failed"),
    )
}

fn tools(request: &Json) -> Checked {
    let tools = request.list_of("tools");
    let mut functions = tools.iter().flat_map(|tool| tool.list_of("functionDeclarations"));
    let declared = functions.clone().next().is_some();
    for function in functions.by_ref() {
        let name = function.text_of("name").unwrap_or_default();
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '-');
        let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        unless(
            begins && name.len() <= 64 && name.chars().all(fits),
            "Invalid function name. Must start with a letter or an underscore. Must be alphanumeric (a-z, A-Z, 0-9), \
             underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 64.",
        )?;
        unless(
            function.get("parameters").is_none() || function.get("parametersJsonSchema").is_none(),
            "parameters and parametersJsonSchema are mutually exclusive.",
        )?;
    }
    let calling = request
        .get("toolConfig")
        .and_then(|config| config.get("functionCallingConfig"));
    let mode = calling.and_then(|calling| calling.text_of("mode")).unwrap_or_default();
    unless(
        declared || !matches!(mode, "ANY" | "VALIDATED"),
        "Function calling config is set without function_declarations.",
    )?;
    unless(
        matches!(mode, "ANY" | "VALIDATED")
            || calling.is_none_or(|calling| calling.list_of("allowedFunctionNames").is_empty()),
        "allowed_function_names should only be set when the function calling mode is ANY.",
    )
}

fn measured(request: &Json) -> Checked {
    let config = request.get("generationConfig");
    let asks = |key: &str| config.is_some_and(|config| config.given(key).is_some());
    unless(
        !asks("logprobs") || config.is_some_and(|config| config.is_set("responseLogprobs")),
        "Logprobs should only be set when response_logprobs is true.",
    )
}

/// The least and the most tokens with which a model of the second generation thinks, and whether it can do without.
const BUDGETS: [(&str, f64, f64, bool); 3] = [
    ("gemini-2.5-pro", 128.0, 32_768.0, false),
    ("gemini-2.5-flash-lite", 512.0, 24_576.0, true),
    ("gemini-2.5-flash", 0.0, 24_576.0, true),
];

fn budget_of(budget: f64, model: &Model) -> Checked {
    let Some((_, least, most, stops)) = BUDGETS.iter().find(|(name, ..)| model.name.starts_with(name)) else {
        return Ok(());
    };
    unless(
        budget != 0.0 || *stops,
        "Budget 0 is invalid. This model only works in thinking mode.",
    )?;
    unless(
        budget == -1.0 || budget == 0.0 || (*least..=*most).contains(&budget),
        format!("The thinking budget {budget} is invalid. Please choose a value between {least} and {most}."),
    )
}

fn thinking(request: &Json, model: &Model) -> Checked {
    let config = request.get("generationConfig");
    let Some(thinking) = config.and_then(|config| config.get("thinkingConfig")) else {
        return Ok(());
    };
    let (budget, level) = (thinking.get("thinkingBudget"), thinking.get("thinkingLevel"));
    unless(
        budget.is_none() || level.is_none(),
        "You can only set only one of thinking budget and thinking level.",
    )?;
    if let Some(tokens) = thinking.number_of("thinkingBudget") {
        budget_of(tokens, model)?;
    }
    unless(
        level.is_none() || model.traits.thinking == Thinking::Always,
        "Thinking level is not supported for this model.",
    )
}
