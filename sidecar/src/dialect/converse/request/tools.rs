//! Tools and the choice among them.

use super::maker::Maker;
use super::settings::claude_s_choice;
use super::turns::Points;
use crate::dialect::item::{Names, Part, Request, Tool, ToolChoice};
use crate::dialect::loss::Ledger;
use crate::dialect::names::{renamed, spell};
use crate::dialect::schema;
use crate::dialect::text::Text;
use crate::json::{ArrayWriter, ObjectWriter};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Longest tool name.
const LONGEST_NAME: usize = 64;

/// Writes tools and choice. A history with tool calls needs tools: where the client no longer declares them, those
/// that were called are declared by name.
pub(super) fn write(
    request: &Request<'_>,
    maker: &Maker,
    points: &mut Points,
    body: &mut ObjectWriter<'_>,
    ledger: &mut Ledger,
) -> Vec<(String, String)> {
    if request.tools.is_empty() {
        write_called(request, maker, body, ledger);
        return Vec::new();
    }
    let choice = claude_s_choice(request, maker);
    if request.settings.parallel_calls == Some(false) && choice.is_none() {
        ledger.meaning(
            request.settings.names.parallel_calls,
            "the converse dialect cannot have one call at a time from this model",
        );
    }
    let forbids = matches!(request.settings.tool_choice, Some(ToolChoice::None));
    if forbids && choice.is_none() {
        if !has_calls(request) {
            // Without tools nothing is called.
            return Vec::new();
        }
        ledger.meaning(request.settings.names.tool_choice, FORBIDS);
    }
    let mut config = body.object("toolConfig");
    let mut list = config.array("tools");
    for tool in &request.tools {
        write_tool(tool, &request.settings.names, &mut list, ledger);
        points.write_after_tool(tool.cache, &mut list);
    }
    list.end();
    if choice.is_none() {
        write_choice(request, &mut config);
    }
    renamed(&request.tools, LONGEST_NAME)
}

const FORBIDS: &str = "the converse dialect cannot forbid the calls that the conversation has";

fn write_tool(tool: &Tool<'_>, names: &Names, list: &mut ArrayWriter<'_>, ledger: &mut Ledger) {
    let mut object = list.object();
    let mut spec = object.object("toolSpec");
    write_name(&tool.name, &mut spec);
    if let Some(description) = tool.description.as_ref().filter(|text| !text.is_empty()) {
        description.write(spec.member("description"));
    }
    let mut schema = spec.object("inputSchema");
    match tool.schema {
        Some(raw) if tool.strict && schema::can_fit(raw, &schema::ANTHROPIC) => {
            schema::Fitting::of(&schema::ANTHROPIC, names.schema_of(tool), ledger).write(raw, schema.member("json"));
            schema.end();
            spec.bool("strict", true);
        }
        raw => {
            schema::write_object_schema(raw, schema.member("json"));
            if tool.strict {
                ledger.hint(
                    names.schema_of(tool),
                    "the converse dialect cannot enforce objects with properties of any name",
                );
            }
        }
    }
}

fn write_choice(request: &Request<'_>, config: &mut ObjectWriter<'_>) {
    let mut choice = match &request.settings.tool_choice {
        None | Some(ToolChoice::None) => return,
        Some(_) => config.object("toolChoice"),
    };
    match &request.settings.tool_choice {
        None | Some(ToolChoice::None) => {}
        Some(ToolChoice::Auto) => choice.object("auto").end(),
        Some(ToolChoice::Required) => choice.object("any").end(),
        Some(ToolChoice::Named(name)) => write_name(name, &mut choice.object("tool")),
    }
}

/// Declares what was called. Nothing says that it must not be called again, but for Claude.
fn write_called(request: &Request<'_>, maker: &Maker, body: &mut ObjectWriter<'_>, ledger: &mut Ledger) {
    if !has_calls(request) {
        return;
    }
    if !maker.is_anthropic {
        ledger.hint("tools", "declared by name, since the conversation has calls");
    }
    let mut seen = BTreeSet::new();
    let mut config = body.object("toolConfig");
    let mut list = config.array("tools");
    for name in called(request).filter(|name| seen.insert(name.clone())) {
        let mut object = list.object();
        let mut spec = object.object("toolSpec");
        spec.string("name", &spell(&name, LONGEST_NAME));
        schema::write_object_schema(None, spec.object("inputSchema").member("json"));
    }
}

/// The conversation calls tools.
pub(super) fn has_calls(request: &Request<'_>) -> bool {
    called(request).next().is_some()
}

fn called<'r>(request: &'r Request<'_>) -> impl Iterator<Item = Cow<'r, str>> {
    request.items.iter().filter_map(|item| match &item.part {
        Part::Call(call) => Some(call.name.plain()),
        _ => None,
    })
}

/// A tool's name, declared, chosen or called.
pub(super) fn write_name(name: &Text<'_>, object: &mut ObjectWriter<'_>) {
    object.string("name", &spell(&name.plain(), LONGEST_NAME));
}
