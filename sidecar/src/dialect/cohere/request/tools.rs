//! Tools and the choice among them. A call can be demanded, but not that of one tool: where one is named, it alone is
//! declared.

use crate::dialect::item::{Request, Tool, ToolChoice};
use crate::dialect::loss::Ledger;
use crate::dialect::names::{renamed_words, spell_word};
use crate::dialect::schema;
use crate::dialect::text::Text;
use crate::json::{ObjectWriter, Raw};

/// No limit is told; this is the shortest of other providers'.
const LONGEST_NAME: usize = 64;

/// Gives back the names that had to change.
pub(super) fn write(request: &Request<'_>, body: &mut ObjectWriter<'_>, ledger: &mut Ledger) -> Vec<(String, String)> {
    if request.tools.is_empty() {
        return Vec::new();
    }
    let only = write_choice(request, body, ledger);
    let declared = |tool: &&Tool<'_>| only.is_none_or(|name| tool.name.plain() == name.plain());
    write_strictness(request, declared, body, ledger);
    let mut list = body.array("tools");
    for tool in request.tools.iter().filter(declared) {
        let mut object = list.object();
        object.string("type", "function");
        write_tool(tool, &mut object.object("function"));
    }
    renamed_words(&request.tools, LONGEST_NAME)
}

/// The one tool that must be called, if it is one.
fn write_choice<'r, 'a>(
    request: &'r Request<'a>,
    body: &mut ObjectWriter<'_>,
    ledger: &mut Ledger,
) -> Option<&'r Text<'a>> {
    let (word, only) = match request.settings.tool_choice.as_ref()? {
        ToolChoice::Auto => return None,
        ToolChoice::None => ("NONE", None),
        ToolChoice::Required => ("REQUIRED", None),
        ToolChoice::Named(name) => ("REQUIRED", Some(name)),
    };
    body.string("tool_choice", word);
    let is_declared = |name: &&Text<'_>| request.tools.iter().any(|tool| tool.name.plain() == name.plain());
    match only.filter(is_declared) {
        None if only.is_some() => ledger.meaning(
            request.settings.names.tool_choice,
            "the tool that must be called is not declared",
        ),
        Some(_) if request.tools.len() > 1 => {
            ledger.hint(
                request.settings.names.tool_choice,
                "the tools that may not be called are not declared",
            );
        }
        _ => {}
    }
    only.filter(is_declared)
}

/// All tools are strict or none is, and each needs a parameter that is required.
fn write_strictness<'r, 'a: 'r>(
    request: &'r Request<'a>,
    declared: impl Fn(&&'r Tool<'a>) -> bool,
    body: &mut ObjectWriter<'_>,
    ledger: &mut Ledger,
) {
    let can_be = |tool: &Tool<'_>| tool.strict && requires_something(tool.schema);
    if request.tools.iter().filter(&declared).all(can_be) {
        return body.bool("strict_tools", true);
    }
    for tool in request.tools.iter().filter(|tool| tool.strict) {
        ledger.hint(
            request.settings.names.strict_of(tool),
            "the cohere dialect enforces the schemas of all tools or of none, and no optional parameters alone",
        );
    }
}

fn requires_something(schema: Option<Raw<'_>>) -> bool {
    let required = schema.and_then(Raw::object).and_then(|schema| schema.get("required"));
    required
        .and_then(Raw::elements)
        .is_some_and(|mut names| names.next().is_some())
}

fn write_tool(tool: &Tool<'_>, function: &mut ObjectWriter<'_>) {
    write_name(&tool.name, function);
    if let Some(description) = &tool.description {
        description.write(function.member("description"));
    }
    schema::write_object_schema(tool.schema, function.member("parameters"));
}

/// A tool's name, also in the conversation.
pub(super) fn write_name(name: &Text<'_>, function: &mut ObjectWriter<'_>) {
    function.string("name", &spell_word(&name.plain(), LONGEST_NAME));
}
