//! Tools and the choice among them, read and written.

use super::decode::word;
use super::fields;
use crate::dialect::item::{Cache, Names, Part, Request, Settings, Tool, ToolChoice, ToolPlace};
use crate::dialect::loss::{self, Ledger, given};
use crate::dialect::names::spell;
use crate::dialect::schema;
use crate::dialect::search::{self, Search};
use crate::dialect::text::Text;
use crate::dialect::{BadRequest, Upstream};
use crate::json::{ArrayWriter, Object, ObjectWriter, Raw};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Longest tool name.
const LONGEST_NAME: usize = 128;

/// Cache breakpoints that a request may have.
const MOST_MARKERS: usize = 4;

/// What a client declares: its own tools, and that the provider searches the web.
type Declared<'a> = (Vec<Tool<'a>>, Option<Search<'a>>);

/// The tools of the client's own. Anthropic's are a loss, also those that the client runs: only Claude knows them.
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
        if let Some(found) = search::of_messages((index, tool), &kind, ledger)? {
            search = Some(found);
            continue;
        }
        if !matches!(&*kind, "" | "custom") {
            ledger.meaning(
                format!("tools[{index}] ({})", loss::shown(&kind)),
                "no other dialect has this kind of tool",
            );
            continue;
        }
        loss::decide(tool, fields::TOOL, &format_args!("tools[{index}]."), ledger)?;
        tools.push(read(index, tool).ok_or_else(|| bad("must have a name"))?);
    }
    Ok((tools, search))
}

fn read<'a>(index: usize, tool: &Object<'a>) -> Option<Tool<'a>> {
    Some(Tool {
        place: ToolPlace {
            tool: index,
            function: None,
        },
        name: given(tool, "name").and_then(Text::of).filter(|name| !name.is_empty())?,
        description: given(tool, "description").and_then(Text::of),
        schema: given(tool, "input_schema"),
        strict: given(tool, "strict").and_then(Raw::bool).unwrap_or(false),

        custom: None,
        cache: given(tool, "cache_control").map(Cache::Marker),
    })
}

pub(super) fn choice<'a>(object: &Object<'a>) -> Result<Option<ToolChoice<'a>>, BadRequest> {
    let Some(choice) = given(object, "tool_choice") else {
        return Ok(None);
    };
    let bad = || BadRequest::at("tool_choice", "must be of type auto, any, none, or tool with a name");
    let choice = choice.object().ok_or_else(bad)?;
    Ok(Some(match &*word(&choice, "type") {
        "auto" => ToolChoice::Auto,
        "any" => ToolChoice::Required,
        "none" => ToolChoice::None,
        "tool" => ToolChoice::Named(given(&choice, "name").and_then(Text::of).ok_or_else(bad)?),
        _ => return Err(bad()),
    }))
}

/// Whether the tool to be called is not the client's own.
pub(super) fn is_search(settings: &Settings<'_>, tools: &[Tool<'_>]) -> bool {
    let Some(ToolChoice::Named(name)) = &settings.tool_choice else {
        return false;
    };
    tools.iter().all(|tool| tool.name.plain() != name.plain())
}

/// `disable_parallel_tool_use`, turned round.
pub(super) fn parallel(object: &Object<'_>) -> Option<bool> {
    let choice = given(object, "tool_choice")?.object()?;
    choice
        .get("disable_parallel_tool_use")?
        .bool()
        .map(|disabled| !disabled)
}

/// The breakpoints that fit: when there are more than four, the last ones, which cover most.
#[derive(Debug)]
pub(super) struct Markers {
    skip: usize,
}

impl Markers {
    pub(super) fn of(request: &Request<'_>, ledger: &mut Ledger) -> Self {
        let of_tools = request.tools.iter().filter(|tool| tool.cache.is_some()).count();
        let of_items = request.items.iter().filter(|item| item.cache.is_some()).count();
        let of_request = usize::from(request.settings.cache.is_some());
        let skip = (of_tools + of_items + of_request).saturating_sub(MOST_MARKERS);
        if skip > 0 {
            ledger.hint(
                request.settings.names.cache,
                "the messages dialect takes four breakpoints",
            );
        }
        Self { skip }
    }

    pub(super) fn write(&mut self, cache: Option<Cache<'_>>, object: &mut ObjectWriter<'_>) {
        let Some(cache) = cache else { return };
        match self.skip.checked_sub(1) {
            Some(rest) => self.skip = rest,
            None => cache.write(object.member("cache_control")),
        }
    }
}

/// Writes tools and choice. A history with tool calls needs tools: where the client no longer declares them, those
/// that were called are declared by name and may not be called again.
pub(super) fn write(
    request: &Request<'_>,
    upstream: &Upstream<'_>,
    markers: &mut Markers,
    body: &mut ObjectWriter<'_>,
    ledger: &mut Ledger,
) -> Vec<(String, String)> {
    let mut renamed = Vec::new();
    let search = search::taken(request, upstream, ledger);
    if request.tools.is_empty() && search.is_none() {
        write_called(request, body);
        return renamed;
    }
    if !request.tools.is_empty() {
        write_choice(request, body);
    }
    let mut list = body.array("tools");
    for tool in &request.tools {
        let name = tool.name.plain();
        let spelt = spell(&name, LONGEST_NAME);
        if let Cow::Owned(spelt) = &spelt {
            renamed.push((spelt.clone(), name.clone().into_owned()));
        }
        write_tool(tool, &spelt, &request.settings.names, markers, &mut list, ledger);
    }
    if let Some(search) = search {
        search::write_messages(search, &mut list.object(), ledger);
    }
    renamed
}

fn write_tool(
    tool: &Tool<'_>,
    name: &str,
    names: &Names,
    markers: &mut Markers,
    list: &mut ArrayWriter<'_>,
    ledger: &mut Ledger,
) {
    let mut object = list.object();
    object.string("name", name);
    if let Some(description) = &tool.description {
        description.write(object.member("description"));
    }
    match tool.schema {
        Some(schema) if tool.strict && schema::can_fit(schema, &schema::ANTHROPIC) => {
            let field = names.schema_of(tool);
            schema::Fitting::of(&schema::ANTHROPIC, field, ledger).write(schema, object.member("input_schema"));
            object.bool("strict", true);
        }
        schema => {
            schema::write_object_schema(schema, object.member("input_schema"));
            if tool.strict {
                let field = names.schema_of(tool);
                ledger.hint(
                    field,
                    "the messages dialect cannot enforce objects with properties of any name",
                );
            }
        }
    }
    markers.write(tool.cache, &mut object);
}

fn write_choice(request: &Request<'_>, body: &mut ObjectWriter<'_>) {
    let one_at_a_time = request.settings.parallel_calls == Some(false);
    let choice = match &request.settings.tool_choice {
        None if !one_at_a_time => return,
        None => &ToolChoice::Auto,
        Some(choice) => choice,
    };
    let mut object = body.object("tool_choice");
    match choice {
        ToolChoice::Auto => object.string("type", "auto"),
        ToolChoice::None => return object.string("type", "none"),
        ToolChoice::Required => object.string("type", "any"),
        ToolChoice::Named(name) => {
            object.string("type", "tool");
            object.string("name", &spell(&name.plain(), LONGEST_NAME));
        }
    }
    if one_at_a_time {
        object.bool("disable_parallel_tool_use", true);
    }
}

fn write_called(request: &Request<'_>, body: &mut ObjectWriter<'_>) {
    let mut seen = BTreeSet::new();
    let names = request.items.iter().filter_map(|item| match &item.part {
        Part::Call(call) => Some(call.name.plain()),
        _ => None,
    });
    let mut names = names.filter(|name| seen.insert(name.clone())).peekable();
    if names.peek().is_none() {
        return;
    }
    body.object("tool_choice").string("type", "none");
    let mut list = body.array("tools");
    for name in names {
        let mut object = list.object();
        object.string("name", &spell(&name, LONGEST_NAME));
        schema::write_object_schema(None, object.member("input_schema"));
    }
}

/// A call's name in the conversation.
pub(super) fn write_name(name: &Text<'_>, object: &mut ObjectWriter<'_>) {
    object.string("name", &spell(&name.plain(), LONGEST_NAME));
}
