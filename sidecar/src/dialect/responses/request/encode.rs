//! The item form into a Responses request.

use super::turns::Turns;
use crate::dialect::chat::request::{NEAREST_EFFORT, allowed, effort_of, kind_of, mode_of, write_user};
use crate::dialect::item::{
    Custom, Format, Item, Knob, Names, Part, Reasoning, Request, Settings, Thinking, Tier, Tool, ToolChoice, Turned,
};
use crate::dialect::loss::Ledger;
use crate::dialect::names::{renamed, spell};
use crate::dialect::text::Text;
use crate::dialect::{Encoded, Upstream, fit, schema, search};
use crate::json::{ObjectWriter, Raw, Type};

/// Longest tool name.
const LONGEST_NAME: usize = 64;

/// The least `max_output_tokens` that OpenAI takes.
const LEAST_OUTPUT: u64 = 16;

/// The name that OpenAI wants a schema to have.
const SCHEMA_NAME: &str = "answer";

/// What of an answer is included only when it is asked for.
const LOGPROBS: &str = "message.output_text.logprobs";

const NO_SUCH_FIELD: &str = "the responses dialect has no such field";

/// Encodes for an upstream that speaks Responses. What a growing conversation appends to stands last.
pub(in crate::dialect) fn encode(
    request: &Request<'_>,
    upstream: &Upstream<'_>,
    size: usize,
    ledger: &mut Ledger,
) -> Encoded {
    let mut out = Vec::with_capacity(size);
    let mut body = ObjectWriter::new(&mut out);
    body.string("model", upstream.model);
    write_settings(request, upstream, &mut body, ledger);
    let renamed = write_tools(request, upstream, &mut body, ledger);
    if request.marks_cache() {
        ledger.hint(
            request.settings.names.cache,
            "the responses dialect's breakpoints are OpenAI's own",
        );
    }
    Turns {
        is_openai: upstream.is_openai(),
        customs: Vec::new(),
        ledger,
    }
    .write(&request.items, &mut body);
    body.end();
    Encoded { body: out, renamed }
}

fn write_settings(request: &Request<'_>, upstream: &Upstream<'_>, body: &mut ObjectWriter<'_>, ledger: &mut Ledger) {
    let settings = &request.settings;
    if settings.stream {
        body.bool("stream", true);
    }
    // No client of another dialect knows that anything could be kept.
    body.bool("store", false);
    if let Some(cap) = settings.max_output {
        write_cap(cap, &settings.names, upstream, body, ledger);
    }
    write_knobs(settings, upstream, body, ledger);
    if !settings.stop.is_empty() {
        ledger.meaning(settings.names.stop, "the responses dialect has no stop sequences");
    }
    write_thinking(request, upstream, body, ledger);
    write_text(settings, upstream, body, ledger);
    if let Some(user) = &settings.end_user {
        write_user(user, settings, upstream.is_openai(), body, ledger);
    }
    match settings.tier {
        Some(Tier::Auto) => body.string("service_tier", "auto"),
        Some(Tier::Standard) => body.string("service_tier", "default"),
        Some(Tier::Named(name)) if upstream.is_openai() => body.raw("service_tier", name),
        Some(Tier::Named(_)) => ledger.hint(settings.names.tier, "only OpenAI has this tier"),
        None => {}
    }
    match settings.metadata {
        Some(metadata) if upstream.is_openai() && is_text(metadata) => body.raw("metadata", metadata),
        Some(_) => ledger.hint("metadata", "only OpenAI keeps metadata, and texts only"),
        None => {}
    }
}

/// Whether all values are strings: the sidecar's own tags are a list.
fn is_text(metadata: Raw<'_>) -> bool {
    let object = metadata.object();
    object.is_some_and(|object| {
        object
            .members()
            .iter()
            .all(|member| member.value.kind() == Type::String)
    })
}

fn write_cap(cap: Raw<'_>, names: &Names, upstream: &Upstream<'_>, body: &mut ObjectWriter<'_>, ledger: &mut Ledger) {
    let most = upstream.capabilities.max_output_tokens;
    match cap.u64() {
        Some(cap) if most.is_some_and(|most| cap > most) => {
            ledger.hint(names.max_output, "the model's own limit is lower");
            body.u64("max_output_tokens", most.unwrap_or(cap));
        }
        Some(cap) if cap < LEAST_OUTPUT => {
            ledger.hint(names.max_output, "the responses dialect's least is 16");
            body.u64("max_output_tokens", LEAST_OUTPUT);
        }
        _ => body.raw("max_output_tokens", cap),
    }
}

fn write_knobs(settings: &Settings<'_>, upstream: &Upstream<'_>, body: &mut ObjectWriter<'_>, ledger: &mut Ledger) {
    for Turned { knob, name, value } in settings.knobs.iter().copied() {
        match knob {
            Knob::Temperature => body.raw("temperature", value),
            Knob::TopP => body.raw("top_p", value),
            Knob::CacheKey if upstream.is_openai() => body.raw("prompt_cache_key", value),
            Knob::CacheRetention if upstream.is_openai() => body.raw("prompt_cache_retention", value),
            // Within `text`.
            Knob::Verbosity if upstream.is_openai() => {}
            // Within `include`.
            Knob::Logprobs => {}
            Knob::TopLogprobs => body.raw("top_logprobs", value),
            Knob::TopK
            | Knob::Seed
            | Knob::FrequencyPenalty
            | Knob::PresencePenalty
            | Knob::LogitBias
            | Knob::Choices
            | Knob::Verbosity
            | Knob::CacheKey
            | Knob::CacheRetention => ledger.lose(knob.grade(), name, NO_SUCH_FIELD),
        }
    }
}

/// How much to reason, and that the reasoning shall come along in a form that can be returned, since nothing is stored.
/// Models that do not reason refuse both.
fn write_thinking(request: &Request<'_>, upstream: &Upstream<'_>, body: &mut ObjectWriter<'_>, ledger: &mut Ledger) {
    let settings = &request.settings;
    let reasons = upstream.reasons();
    let wish = match settings.thinking {
        Some(Thinking::Effort(_) | Thinking::Budget(_)) if reasons == Some(false) => {
            ledger.hint(settings.names.thinking, "the model lacks reasoning");
            None
        }
        wish => wish,
    };
    let thinks = matches!(wish, Some(Thinking::Effort(_) | Thinking::Budget(_)));
    let returned = |item: &Item<'_>| matches!(item.part, Part::Reasoning(Reasoning::Foreign(_)));
    let reasons = reasons.unwrap_or_else(|| thinks || request.items.iter().any(returned));
    let measures = settings.knobs.iter().any(|turned| turned.knob == Knob::Logprobs);
    if reasons || measures {
        let mut include = body.array("include");
        if reasons {
            include.string("reasoning.encrypted_content");
        }
        if measures {
            include.string(LOGPROBS);
        }
    }
    let effort = match wish {
        None => None,
        Some(Thinking::Effort(effort)) => effort.map(Text::Json),
        Some(Thinking::Budget(budget)) => {
            ledger.hint(settings.names.thinking, NEAREST_EFFORT);
            Some(Text::from(effort_of(budget.u64().unwrap_or(0))))
        }
        Some(Thinking::Off) => no_effort(settings, upstream, ledger),
    };
    let shows = thinks && settings.shows_thinking;
    if effort.is_none() && !shows {
        return;
    }
    let mut reasoning = body.object("reasoning");
    if let Some(effort) = effort {
        effort.write(reasoning.member("effort"));
    }
    if shows {
        reasoning.string("summary", "auto");
    }
}

/// What keeps the model from thinking, if anything must and can.
fn no_effort(settings: &Settings<'_>, upstream: &Upstream<'_>, ledger: &mut Ledger) -> Option<Text<'static>> {
    match upstream.kept_from_thinking() {
        Ok(none) => none.map(Text::from),
        Err(why) => {
            ledger.hint(settings.names.thinking, why);
            fit::least_effort(upstream).map(Text::from)
        }
    }
}

/// What the text must look like.
fn write_text(settings: &Settings<'_>, upstream: &Upstream<'_>, body: &mut ObjectWriter<'_>, ledger: &mut Ledger) {
    let verbosity = settings.knobs.iter().find(|turned| turned.knob == Knob::Verbosity);
    let verbosity = verbosity.filter(|_| upstream.is_openai());
    if settings.format.is_none() && verbosity.is_none() {
        return;
    }
    let mut text = body.object("text");
    if let Some(format) = settings.format {
        write_format(format, &settings.names, &mut text.object("format"), ledger);
    }
    if let Some(Turned { value, .. }) = verbosity {
        text.raw("verbosity", *value);
    }
}

fn write_format(format: Format<'_>, names: &Names, object: &mut ObjectWriter<'_>, ledger: &mut Ledger) {
    let Format::Schema {
        name,
        description,
        schema: Some(schema),
        strict,
    } = format
    else {
        return object.string("type", "json_object");
    };
    object.string("type", "json_schema");
    match name {
        Some(name) => object.raw("name", name),
        None => object.string("name", SCHEMA_NAME),
    }
    if let Some(description) = description {
        object.raw("description", description);
    }
    object.raw("schema", schema);
    let enforced = strict && schema::is_strict(schema);
    object.bool("strict", enforced);
    if strict && !enforced {
        ledger.hint(
            names.format,
            "the schema is not of the kind that the responses dialect can enforce",
        );
    }
}

/// Tools, the choice among them, and whether they may be called together.
fn write_tools(
    request: &Request<'_>,
    upstream: &Upstream<'_>,
    body: &mut ObjectWriter<'_>,
    ledger: &mut Ledger,
) -> Vec<(String, String)> {
    let search = search::taken(request, upstream, ledger);
    if !request.tools.is_empty() {
        write_choice(request, body);
    } else if search.is_none() {
        return Vec::new();
    }
    let mut list = body.array("tools");
    for tool in &request.tools {
        write_tool(tool, &request.settings.names, &mut list.object(), ledger);
    }
    if let Some(search) = search {
        search::write_responses(search, &mut list.object(), ledger);
    }
    renamed(&request.tools, LONGEST_NAME)
}

fn write_choice(request: &Request<'_>, body: &mut ObjectWriter<'_>) {
    if let Some(parallel) = request.settings.parallel_calls {
        body.bool("parallel_tool_calls", parallel);
    }
    match &request.settings.tool_choice {
        Some(choice) if request.allowed.is_some() => write_allowed(request, choice, body),
        None => {}
        Some(ToolChoice::Auto) => body.string("tool_choice", "auto"),
        Some(ToolChoice::None) => body.string("tool_choice", "none"),
        Some(ToolChoice::Required) => body.string("tool_choice", "required"),
        Some(ToolChoice::Named(name)) => {
            let mut choice = body.object("tool_choice");
            choice.string("type", kind_of(request, name));
            write_name(name, &mut choice);
        }
    }
}

/// The tools that may be called, of those that are declared.
fn write_allowed(request: &Request<'_>, choice: &ToolChoice<'_>, body: &mut ObjectWriter<'_>) {
    let mut object = body.object("tool_choice");
    object.string("type", "allowed_tools");
    object.string("mode", mode_of(choice));
    let mut list = object.array("tools");
    for tool in allowed(request) {
        let mut entry = list.object();
        entry.string("type", kind_of(request, &tool.name));
        write_name(&tool.name, &mut entry);
    }
}

/// `strict` is always said: left out, it is true here and false everywhere else.
fn write_tool(tool: &Tool<'_>, names: &Names, object: &mut ObjectWriter<'_>, ledger: &mut Ledger) {
    object.string("type", if tool.custom.is_some() { "custom" } else { "function" });
    write_name(&tool.name, object);
    if let Some(description) = &tool.description {
        description.write(object.member("description"));
    }
    if let Some(custom) = tool.custom {
        return write_grammar(custom, object);
    }
    schema::write_object_schema(tool.schema, object.member("parameters"));
    let enforced = tool.strict && tool.schema.is_some_and(schema::is_strict);
    object.bool("strict", enforced);
    if tool.strict && !enforced {
        let field = names.strict_of(tool);
        ledger.hint(
            field,
            "the schema is not of the kind that the responses dialect can enforce",
        );
    }
}

fn write_grammar(custom: Custom<'_>, object: &mut ObjectWriter<'_>) {
    if let Custom::Grammar { syntax, definition } = custom {
        let mut format = object.object("format");
        format.string("type", "grammar");
        format.raw("syntax", syntax);
        format.raw("definition", definition);
    }
}

/// A function's name, declared, chosen or called.
pub(super) fn write_name(name: &Text<'_>, function: &mut ObjectWriter<'_>) {
    function.string("name", &spell(&name.plain(), LONGEST_NAME));
}
