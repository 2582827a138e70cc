//! The tools a Responses client declares, and which of them the model must call.

use super::decode::word;
use super::fields;
use crate::dialect::BadRequest;
use crate::dialect::item::{Allowed, Custom, Tool, ToolChoice, ToolPlace};
use crate::dialect::loss::{self, Ledger, given, shown};
use crate::dialect::search::{self, Search};
use crate::dialect::text::Text;
use crate::json::{Object, Raw};
use std::borrow::Cow;

/// What a client declares: its own tools, and that the provider searches the web.
type Declared<'a> = (Vec<Tool<'a>>, Option<Search<'a>>);

/// Functions, and tools that take free text. A hosted tool is a loss: no other dialect could call it.
pub(super) fn declared<'a>(object: &Object<'a>, ledger: &mut Ledger) -> Result<Declared<'a>, BadRequest> {
    let Some(list) = given(object, "tools") else {
        return Ok((Vec::new(), None));
    };
    let list = list
        .elements()
        .ok_or_else(|| BadRequest::at("tools", "must be an array"))?;
    let (mut tools, mut search) = (Vec::with_capacity(8), None);
    let mut list = list.in_turn();
    while let Some((index, tool)) = list.advance() {
        let bad = |problem| BadRequest::at(format!("tools[{index}]"), problem);
        let tool = tool.ok_or_else(|| bad("must be an object"))?;
        let kind = word(tool, "type");
        if let Some(found) = search::of_responses((index, tool), &kind, ledger)? {
            search = Some(found);
            continue;
        }
        if !matches!(&*kind, "function" | "custom") {
            ledger.meaning(
                format!("tools[{index}] ({})", shown(&kind)),
                "no other dialect has this kind of tool",
            );
            continue;
        }
        loss::decide(tool, fields::TOOL, &format_args!("tools[{index}]."), ledger)?;
        tools.push(read(index, tool).ok_or_else(|| bad("must name its function"))?);
    }
    Ok((tools, search))
}

/// Without a word about it, OpenAI is strict where the schema allows it; elsewhere that is more than most models take.
fn read<'a>(index: usize, tool: &Object<'a>) -> Option<Tool<'a>> {
    Some(Tool {
        place: ToolPlace {
            tool: index,
            function: None,
        },
        name: given(tool, "name").and_then(Text::of).filter(|name| !name.is_empty())?,
        description: given(tool, "description").and_then(Text::of),
        schema: given(tool, "parameters"),
        strict: given(tool, "strict").and_then(Raw::bool).unwrap_or(false),
        custom: (word(tool, "type") == "custom").then(|| {
            let format = given(tool, "format").and_then(Raw::object);
            Custom::of(format.as_ref())
        }),
        cache: None,
    })
}

/// `tool_choice`; of `allowed_tools` its mode.
pub(super) fn choice<'a>(object: &Object<'a>, ledger: &mut Ledger) -> Result<Option<ToolChoice<'a>>, BadRequest> {
    let Some(choice) = given(object, "tool_choice") else {
        return Ok(None);
    };
    let bad = || BadRequest::at("tool_choice", "must be none, auto, required, or name a tool");
    let mode = match choice.object() {
        None => choice.string(),
        Some(choice) => match &*word(&choice, "type") {
            "function" | "custom" => {
                let name = given(&choice, "name").and_then(Text::of).ok_or_else(bad)?;
                return Ok(Some(ToolChoice::Named(name)));
            }
            "allowed_tools" => choice.get("mode").and_then(Raw::string),
            "" => return Err(bad()),
            kind => {
                let field = format!("tool_choice ({})", shown(kind));
                ledger.meaning(field, "no other dialect has this kind of tool");
                return Ok(None);
            }
        },
    };
    match mode.as_deref() {
        Some("auto") => Ok(Some(ToolChoice::Auto)),
        Some("none") => Ok(Some(ToolChoice::None)),
        Some("required") => Ok(Some(ToolChoice::Required)),
        _ => Err(bad()),
    }
}

/// What `allowed_tools` allows.
pub(super) fn allowed(object: &Object<'_>) -> Option<Allowed> {
    let choice = given(object, "tool_choice").and_then(Raw::object)?;
    let list = given(&choice, "tools").filter(|_| word(&choice, "type") == "allowed_tools")?;
    let names = list.elements().into_iter().flatten();
    let names = names.filter_map(|tool| tool.object()?.get("name")?.string().map(Cow::into_owned));
    Some(Allowed::of(names, "tool_choice.tools"))
}
