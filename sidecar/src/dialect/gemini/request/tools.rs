//! Tools and the choice among them, read and written.

use super::decode::{inner, text};
use super::fields;
use crate::dialect::gemini::spelling::{List, camel_case, given, list, name};
use crate::dialect::item::{Allowed, Request, Tool, ToolChoice, ToolPlace};
use crate::dialect::loss::{self, Ledger, shown};
use crate::dialect::names::spell;
use crate::dialect::search::{self, Search};
use crate::dialect::text::Text;
use crate::dialect::{BadRequest, Upstream};
use crate::json::{Member, Object, ObjectWriter, Raw};
use std::borrow::Cow;

/// Longest function name that every model takes.
const LONGEST_NAME: usize = 64;

/// By their numbers.
const MODES: &[&str] = &["MODE_UNSPECIFIED", "AUTO", "ANY", "NONE"];

/// What a client declares: its own tools, and that the provider searches the web.
type Declared<'a> = (Vec<Tool<'a>>, Option<Search<'a>>);

/// The client's own functions. Google's tools are a loss, each by its name.
pub(super) fn declared<'a>(object: &Object<'a>, ledger: &mut Ledger) -> Result<Declared<'a>, BadRequest> {
    let Some(list) = list(object, "tools") else {
        return Ok((Vec::new(), None));
    };
    let (mut tools, mut search) = (Vec::with_capacity(8), None);
    for (index, tool) in list.objects().enumerate() {
        let tool = tool.ok_or_else(|| BadRequest::at(format!("tools[{index}]"), "must be an object"))?;
        for member in tool.members().iter().filter(|member| !member.value.is_null()) {
            match &*camel_case(member.key()) {
                "functionDeclarations" => functions(index, List::of(member.value), &mut tools, ledger)?,
                other => match search::of_gemini((index, other), member.value, ledger)? {
                    Some(found) => search = Some(found),
                    None => ledger.meaning(
                        format!("tools[{index}].{}", shown(other)),
                        "no other dialect has this kind of tool",
                    ),
                },
            }
        }
    }
    Ok((tools, search))
}

fn functions<'a>(
    tool: usize,
    list: List<'a>,
    tools: &mut Vec<Tool<'a>>,
    ledger: &mut Ledger,
) -> Result<(), BadRequest> {
    let path = |index: usize| format!("tools[{tool}].functionDeclarations[{index}]");
    for (index, function) in list.objects().enumerate() {
        let function = function.ok_or_else(|| BadRequest::at(path(index), "must be an object"))?;
        let within = format_args!("tools[{tool}].functionDeclarations[{index}].");
        loss::decide_as(camel_case, &function, fields::FUNCTION, &within, ledger)?;
        tools.push(Tool {
            place: ToolPlace {
                tool,
                function: Some(index),
            },
            name: text(&function, "name").ok_or_else(|| BadRequest::at(path(index), "must have a name"))?,
            description: text(&function, "description"),
            schema: given(&function, "parametersJsonSchema"),
            strict: false,
            custom: None,
            cache: None,
        });
    }
    Ok(())
}

/// The mode; with one name allowed, that function.
pub(super) fn choice<'a>(object: &Object<'a>, ledger: &mut Ledger) -> Result<Option<ToolChoice<'a>>, BadRequest> {
    let Some(config) = inner(object, "toolConfig") else {
        return Ok(None);
    };
    for member in config.members() {
        let key = camel_case(member.key());
        if &*key != "functionCallingConfig" {
            ledger.hint(format!("toolConfig.{}", shown(&key)), "only Google has this setting");
        }
    }
    let Some(calling) = inner(&config, "functionCallingConfig") else {
        return Ok(None);
    };
    let mut names = allowed_names(&calling);
    match (&*name(&calling, "mode", MODES), names.next(), names.next()) {
        ("" | "MODE_UNSPECIFIED", ..) => Ok(None),
        ("AUTO", ..) => Ok(Some(ToolChoice::Auto)),
        ("NONE", ..) => Ok(Some(ToolChoice::None)),
        ("VALIDATED", ..) => {
            ledger.hint(
                "toolConfig.functionCallingConfig.mode",
                "no other dialect validates calls that it leaves to the model",
            );
            Ok(Some(ToolChoice::Auto))
        }
        ("ANY", Some(name), None) => Ok(Some(ToolChoice::Named(name))),
        ("ANY", ..) => Ok(Some(ToolChoice::Required)),
        _ => Err(BadRequest::at(
            "toolConfig.functionCallingConfig.mode",
            "must be AUTO, ANY, NONE or VALIDATED",
        )),
    }
}

fn allowed_names<'a>(calling: &Object<'a>) -> impl Iterator<Item = Text<'a>> + use<'a> {
    let names = list(calling, "allowedFunctionNames");
    names.into_iter().flatten().filter_map(Text::of)
}

/// The tools that may be called, where several are named.
pub(super) fn allowed(object: &Object<'_>) -> Option<Allowed> {
    let calling = inner(&inner(object, "toolConfig")?, "functionCallingConfig")?;
    let names = allowed_names(&calling).map(|name| name.plain().into_owned());
    let allowed = Allowed::of(names, "toolConfig.functionCallingConfig.allowedFunctionNames");
    (allowed.names.len() > 1).then_some(allowed)
}

/// Writes the tools and the choice among them; a choice alone is refused.
pub(super) fn write(
    request: &Request<'_>,
    upstream: &Upstream<'_>,
    body: &mut ObjectWriter<'_>,
    ledger: &mut Ledger,
) -> Vec<(String, String)> {
    let mut renamed = Vec::new();
    if let Some(search) = search::taken(request, upstream, ledger) {
        search::write_gemini(search, upstream, &mut body.array("tools").object(), ledger);
    }
    if request.tools.is_empty() {
        return renamed;
    }
    write_choice(request, body);
    let mut list = body.array("tools");
    let mut tool = list.object();
    let mut functions = tool.array("functionDeclarations");
    for declared in &request.tools {
        if declared.strict {
            ledger.hint(
                request.settings.names.strict_of(declared),
                "the gemini dialect cannot hold one tool to its schema",
            );
        }
        let name = declared.name.plain();
        let spelt = spelt(&name);
        let mut function = functions.object();
        function.string("name", &spelt);
        if let Cow::Owned(spelt) = spelt {
            renamed.push((spelt, name.into_owned()));
        }
        if let Some(description) = &declared.description {
            description.write(function.member("description"));
        }
        if let Some(schema) = declared.schema.filter(|schema| has_properties(*schema)) {
            function.raw("parametersJsonSchema", schema);
        }
    }
    renamed
}

/// A schema of an object without properties is refused; a function without parameters has none.
fn has_properties(schema: Raw<'_>) -> bool {
    let Some(object) = schema.object() else { return false };
    // One look at the first property: a walk of all of them would be the second.
    let is_filled = |properties: Raw<'_>| {
        let inside = properties.text().strip_prefix('{');
        inside.is_some_and(|inside| !inside.trim_ascii_start().starts_with('}'))
    };
    let is_other = |member: &Member<'_>| {
        !matches!(
            &*member.key(),
            "type" | "properties" | "required" | "additionalProperties" | "$schema" | "title" | "description"
        )
    };
    object.get("properties").is_some_and(is_filled) || object.members().iter().any(is_other)
}

fn write_choice(request: &Request<'_>, body: &mut ObjectWriter<'_>) {
    let (mode, name) = match &request.settings.tool_choice {
        None => return,
        Some(ToolChoice::Auto) => ("AUTO", None),
        Some(ToolChoice::None) => ("NONE", None),
        Some(ToolChoice::Required) => ("ANY", None),
        Some(ToolChoice::Named(name)) => ("ANY", Some(name)),
    };
    let mut config = body.object("toolConfig");
    let mut calling = config.object("functionCallingConfig");
    calling.string("mode", mode);
    if let Some(name) = name {
        calling.array("allowedFunctionNames").string(&spelt(&name.plain()));
    } else if let Some(allowed) = &request.allowed {
        let mut names = calling.array("allowedFunctionNames");
        let tools = request.tools.iter().filter(|tool| allowed.allows(tool));
        tools.for_each(|tool| names.string(&spelt(&tool.name.plain())));
    }
}

/// A function's name as Google takes it: it begins with a letter or an underscore.
pub(super) fn spelt(name: &str) -> Cow<'_, str> {
    let spelt = spell(name, LONGEST_NAME);
    match spelt.as_bytes().first() {
        Some(b'0'..=b'9' | b'-') => Cow::Owned(format!("_{}", spell(name, LONGEST_NAME - 1))),
        _ => spelt,
    }
}
