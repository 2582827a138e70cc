//! The tools a chat client declares, and which of them the model must call.

use super::decode::{cache, word};
use crate::dialect::BadRequest;
use crate::dialect::item::{Allowed, Custom, Tool, ToolChoice, ToolPlace};
use crate::dialect::loss::{self, Ledger, given};
use crate::dialect::text::Text;
use crate::json::{Object, Raw};
use std::borrow::Cow;

/// Functions, and tools that take free text. A hosted tool is a loss: no other dialect could call it.
pub(super) fn declared<'a>(object: &Object<'a>, ledger: &mut Ledger) -> Result<Vec<Tool<'a>>, BadRequest> {
    let Some(list) = given(object, "tools") else {
        return Ok(Vec::new());
    };
    let list = list
        .elements()
        .ok_or_else(|| BadRequest::at("tools", "must be an array"))?;
    let mut tools = Vec::with_capacity(8);
    let mut list = list.in_turn();
    while let Some((index, tool)) = list.advance() {
        let bad = |problem| BadRequest::at(format!("tools[{index}]"), problem);
        let tool = tool.ok_or_else(|| bad("must be an object"))?;
        let kind = word(tool, "type");
        if kind == "custom" {
            let custom = tool.get("custom").and_then(Raw::object);
            let custom = custom.ok_or_else(|| bad("must have a custom"))?;
            tools.push(read_custom(index, tool, &custom).ok_or_else(|| bad("must name its tool"))?);
            continue;
        }
        if kind != "function" {
            ledger.meaning(
                format!("tools[{index}] ({})", loss::shown(&kind)),
                "no other dialect has this kind of tool",
            );
            continue;
        }
        let function = tool
            .get("function")
            .and_then(Raw::object)
            .ok_or_else(|| bad("must have a function"))?;
        tools.push(read(index, tool, &function).ok_or_else(|| bad("must name its function"))?);
    }
    Ok(tools)
}

fn read<'a>(index: usize, tool: &Object<'a>, function: &Object<'a>) -> Option<Tool<'a>> {
    Some(Tool {
        place: ToolPlace {
            tool: index,
            function: None,
        },
        name: given(function, "name")
            .and_then(Text::of)
            .filter(|name| !name.is_empty())?,
        description: given(function, "description").and_then(Text::of),
        schema: given(function, "parameters"),
        strict: given(function, "strict").and_then(Raw::bool).unwrap_or(false),
        custom: None,
        cache: cache(tool).or_else(|| cache(function)),
    })
}

/// `{"name":…,"format":{"type":"grammar","grammar":{"syntax":…,"definition":…}}}`.
fn read_custom<'a>(index: usize, tool: &Object<'a>, custom: &Object<'a>) -> Option<Tool<'a>> {
    let format = given(custom, "format").and_then(Raw::object);
    let grammar = format.and_then(|format| given(&format, "grammar")?.object());
    Some(Tool {
        schema: None,
        strict: false,
        custom: Some(Custom::of(grammar.as_ref())),
        ..read(index, tool, custom)?
    })
}

/// `tool_choice`; of `allowed_tools` its mode.
pub(super) fn choice<'a>(object: &Object<'a>) -> Result<Option<ToolChoice<'a>>, BadRequest> {
    let Some(choice) = given(object, "tool_choice") else {
        return Ok(None);
    };
    let bad = || BadRequest::at("tool_choice", "must be none, auto, required, or name a function");
    let mode = match choice.object() {
        None => choice.string(),
        Some(choice) => match &*word(&choice, "type") {
            "function" => return named(&choice, "function").map(Some).ok_or_else(bad),
            "custom" => return named(&choice, "custom").map(Some).ok_or_else(bad),
            "allowed_tools" => allowed_tools(&choice).and_then(|allowed| allowed.get("mode")?.string()),
            _ => None,
        },
    };
    match mode.as_deref() {
        Some("auto") => Ok(Some(ToolChoice::Auto)),
        Some("none") => Ok(Some(ToolChoice::None)),
        // Mistral's word is `any`.
        Some("required" | "any") => Ok(Some(ToolChoice::Required)),
        _ => Err(bad()),
    }
}

fn named<'a>(choice: &Object<'a>, kind: &str) -> Option<ToolChoice<'a>> {
    given(&choice.get(kind)?.object()?, "name")
        .and_then(Text::of)
        .map(ToolChoice::Named)
}

fn allowed_tools<'a>(choice: &Object<'a>) -> Option<Object<'a>> {
    choice.get("allowed_tools")?.object()
}

/// What `allowed_tools` allows.
pub(super) fn allowed(object: &Object<'_>) -> Option<Allowed> {
    let choice = given(object, "tool_choice").and_then(Raw::object)?;
    let list = given(&allowed_tools(&choice)?, "tools")?.elements();
    let names = list.into_iter().flatten().filter_map(|tool| {
        let tool = tool.object()?;
        let inner = tool.get("function").or_else(|| tool.get("custom"));
        let name = inner.and_then(Raw::object).and_then(|inner| inner.get("name"));
        name.or_else(|| tool.get("name"))?.string().map(Cow::into_owned)
    });
    Some(Allowed::of(names, "tool_choice.allowed_tools"))
}
