//! Tools and the choice among them. A call can be demanded, but not that of one tool: where one is named, it alone is
//! declared.

use crate::dialect::item::{Request, Tool, ToolChoice};
use crate::dialect::loss::Ledger;
use crate::dialect::names::{renamed_words, spell_word};
use crate::dialect::schema;
use crate::dialect::text::Text;
use crate::json::{Object, ObjectWriter, Raw};

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

/// Fields of all tools together that can be enforced.
const MOST_FIELDS: usize = 200;

/// All tools are strict or none is, and each needs a parameter that is required.
fn write_strictness<'r, 'a: 'r>(
    request: &'r Request<'a>,
    declared: impl Fn(&&'r Tool<'a>) -> bool,
    body: &mut ObjectWriter<'_>,
    ledger: &mut Ledger,
) {
    let can_be = |tool: &Tool<'_>| tool.strict && tool.schema.is_some_and(can_be_strict);
    let declares = || request.tools.iter().filter(&declared).filter_map(|tool| tool.schema);
    if request.tools.iter().filter(&declared).all(can_be) && declares().map(fields).sum::<usize>() <= MOST_FIELDS {
        return body.bool("strict_tools", true);
    }
    for tool in request.tools.iter().filter(|tool| tool.strict) {
        ledger.hint(
            request.settings.names.strict_of(tool),
            "the cohere dialect enforces the schemas of all tools or of none, and a part of JSON Schema",
        );
    }
}

/// As it is, that is: what a tool is told of its arguments shall not depend on whether they are enforced.
fn can_be_strict(schema: Raw<'_>) -> bool {
    let required = schema.object().and_then(|schema| schema.get("required"));
    let mut required = required.and_then(Raw::elements).into_iter().flatten();
    required.next().is_some() && schema::fits(schema, &schema::COHERE)
}

/// How many properties a schema has, on all levels.
fn fields(schema: Raw<'_>) -> usize {
    let inner = |object: &Object<'_>| {
        let own = object.get("properties").and_then(Raw::object);
        let own = own.map_or(0, |properties| properties.members().len());
        own + object
            .members()
            .iter()
            .map(|member| fields(member.value))
            .sum::<usize>()
    };
    schema.object().as_ref().map_or(0, inner)
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
