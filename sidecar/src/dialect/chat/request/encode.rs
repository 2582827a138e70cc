//! The item form into a chat request.

use super::provider::{self, Manners};
use super::turns::Turns;
use crate::dialect::item::{
    Custom, Format, Knob, Names, Request, Settings, Thinking, Thoughts, Tier, Tool, ToolChoice, Turned,
};
use crate::dialect::lack::{self, Lack};
use crate::dialect::loss::Ledger;
use crate::dialect::names::{renamed, spell};
use crate::dialect::text::Text;
use crate::dialect::{Encoded, Upstream, fit, schema, search};
use crate::json::{ObjectWriter, Raw};

/// Longest tool name.
const LONGEST_NAME: usize = 64;

/// Longest name of an end user; a longer one is sent as its hash, which still tells users apart.
const LONGEST_USER: usize = 64;

/// The name that OpenAI wants a schema to have.
const SCHEMA_NAME: &str = "answer";

const NO_SUCH_FIELD: &str = "the upstream's chat dialect has none";

/// Budgets up to these many tokens are low and medium effort.
const LOW_BUDGET: u64 = 4_096;
const MEDIUM_BUDGET: u64 = 16_384;

/// Encodes for an upstream that speaks chat. What a growing conversation appends to stands last.
pub(in crate::dialect) fn encode(
    request: &Request<'_>,
    upstream: &Upstream<'_>,
    size: usize,
    ledger: &mut Ledger,
) -> Encoded {
    let manners = provider::manners(upstream.provider);
    let mut out = Vec::with_capacity(size);
    let mut body = ObjectWriter::new(&mut out);
    body.string("model", upstream.model);
    write_settings(&request.settings, upstream, &manners, &mut body, ledger);
    // It takes them only with completions that it stores, which is not what a response's are for.
    lack::report(request, &[Lack::Metadata], ledger);
    let renamed = write_tools(request, &mut body, ledger);
    if let Some(search) = search::taken(request, upstream, ledger) {
        search::write_chat(search, &mut body, ledger);
    }
    if request.marks_cache() {
        ledger.hint(
            request.settings.names.cache,
            "the chat dialect has no cache breakpoints",
        );
    }
    Turns { manners, ledger }.write(&request.items, &mut body);
    body.end();
    Encoded { body: out, renamed }
}

fn write_settings(
    settings: &Settings<'_>,
    upstream: &Upstream<'_>,
    manners: &Manners,
    body: &mut ObjectWriter<'_>,
    ledger: &mut Ledger,
) {
    if settings.stream {
        body.bool("stream", true);
        if manners.has_openai_fields {
            body.object("stream_options").bool("include_usage", true);
        }
    }
    if let Some(cap) = settings.max_output {
        write_cap(cap, &settings.names, upstream, manners, body, ledger);
    }
    for Turned { knob, name, value } in settings.knobs.iter().copied() {
        match knob {
            Knob::TopK if !manners.has_top_k => ledger.lose(knob.grade(), name, NO_SUCH_FIELD),
            Knob::Verbosity | Knob::CacheKey | Knob::CacheRetention if !manners.is_openai => {
                ledger.lose(knob.grade(), name, NO_SUCH_FIELD);
            }
            knob => body.raw(knob_name(knob, manners), value),
        }
    }
    write_stop(settings, manners, body, ledger);
    write_thinking(settings, upstream, manners, body, ledger);
    write_format(settings, body, ledger);
    write_account(settings, manners, body, ledger);
}

/// Who asks, and how urgently.
fn write_account(settings: &Settings<'_>, manners: &Manners, body: &mut ObjectWriter<'_>, ledger: &mut Ledger) {
    if !manners.has_openai_fields {
        if settings.end_user.is_some() {
            ledger.hint(settings.names.end_user, NO_SUCH_FIELD);
        }
    } else if let Some(user) = &settings.end_user {
        write_user(user, settings, manners.is_openai, body, ledger);
    }
    match settings.tier {
        Some(_) if !manners.has_tiers => ledger.hint(settings.names.tier, NO_SUCH_FIELD),
        Some(Tier::Auto) => body.string("service_tier", "auto"),
        Some(Tier::Standard) => body.string("service_tier", "default"),
        Some(Tier::Named(name)) if manners.is_openai => body.raw("service_tier", name),
        Some(Tier::Named(_)) => ledger.hint(settings.names.tier, "only OpenAI has this tier"),
        None => {}
    }
}

fn knob_name(knob: Knob, manners: &Manners) -> &'static str {
    match knob {
        Knob::Temperature => "temperature",
        Knob::TopP => "top_p",
        Knob::TopK => "top_k",
        Knob::Seed => manners.seed,
        Knob::FrequencyPenalty => "frequency_penalty",
        Knob::PresencePenalty => "presence_penalty",
        Knob::LogitBias => "logit_bias",
        Knob::Logprobs => "logprobs",
        Knob::TopLogprobs => "top_logprobs",
        Knob::Choices => "n",
        Knob::Verbosity => "verbosity",
        Knob::CacheKey => "prompt_cache_key",
        Knob::CacheRetention => "prompt_cache_retention",
    }
}

fn write_cap(
    cap: Raw<'_>,
    names: &Names,
    upstream: &Upstream<'_>,
    manners: &Manners,
    body: &mut ObjectWriter<'_>,
    ledger: &mut Ledger,
) {
    match (cap.u64(), upstream.capabilities.max_output_tokens) {
        // Anthropic's clients must name a cap and name a high one.
        (Some(cap), Some(most)) if cap > most => {
            ledger.hint(names.max_output, "the model's own limit is lower");
            body.u64(manners.cap_name(upstream), most);
        }
        _ => body.raw(manners.cap_name(upstream), cap),
    }
}

fn write_stop(settings: &Settings<'_>, manners: &Manners, body: &mut ObjectWriter<'_>, ledger: &mut Ledger) {
    if settings.stop.is_empty() {
        return;
    }
    if settings.stop.len() > manners.most_stops {
        ledger.meaning(settings.names.stop, "the upstream takes fewer");
    }
    let mut list = body.array("stop");
    settings
        .stop
        .iter()
        .take(manners.most_stops)
        .for_each(|stop| stop.write(list.element()));
}

/// Chat knows an effort only. Models that do not reason refuse one, and not all that do can be told to have none.
fn write_thinking(
    settings: &Settings<'_>,
    upstream: &Upstream<'_>,
    manners: &Manners,
    body: &mut ObjectWriter<'_>,
    ledger: &mut Ledger,
) {
    let is_hidden = manners.is_openai && settings.thoughts == Thoughts::Wanted;
    match settings.thinking {
        None => {}
        Some(Thinking::Off) => match upstream.kept_from_thinking() {
            Ok(none) => none.into_iter().for_each(|none| body.string("reasoning_effort", none)),
            Err(why) => {
                ledger.hint(settings.names.thinking, why);
                let least = fit::least_effort(upstream).into_iter();
                least.for_each(|effort| body.string("reasoning_effort", effort));
            }
        },
        Some(_) if upstream.reasons() == Some(false) => {
            ledger.hint(settings.names.thinking, "the model lacks reasoning");
        }
        Some(Thinking::Effort(effort)) => {
            if is_hidden {
                ledger.hint(
                    settings.names.thinking,
                    "OpenAI's chat shows nothing of what is thought",
                );
            }
            effort
                .into_iter()
                .for_each(|effort| body.raw("reasoning_effort", effort));
        }
        Some(Thinking::Budget(budget)) => {
            ledger.hint(settings.names.thinking, NEAREST_EFFORT);
            body.string("reasoning_effort", effort_of(budget.u64().unwrap_or(0)));
        }
    }
}

/// Why a budget is not said as it is.
pub(in crate::dialect) const NEAREST_EFFORT: &str = "the upstream takes no budget; the nearest effort is asked for";

/// OpenAI's word for a budget in tokens.
pub(in crate::dialect) fn effort_of(budget: u64) -> &'static str {
    if budget <= LOW_BUDGET {
        "low"
    } else if budget <= MEDIUM_BUDGET {
        "medium"
    } else {
        "high"
    }
}

fn write_format(settings: &Settings<'_>, body: &mut ObjectWriter<'_>, ledger: &mut Ledger) {
    let (name, description, schema, strict) = match settings.format {
        None => return,
        Some(Format::Json | Format::Schema { schema: None, .. }) => {
            return body.object("response_format").string("type", "json_object");
        }
        Some(Format::Schema {
            name,
            description,
            schema: Some(schema),
            strict,
        }) => (name, description, schema, strict),
    };
    let mut format = body.object("response_format");
    format.string("type", "json_schema");
    let mut inner = format.object("json_schema");
    match name {
        Some(name) => inner.raw("name", name),
        None => inner.string("name", SCHEMA_NAME),
    }
    if let Some(description) = description {
        inner.raw("description", description);
    }
    inner.raw("schema", schema);
    if strict && schema::is_strict(schema) {
        inner.bool("strict", true);
    } else if strict {
        ledger.hint(
            settings.names.format,
            "the schema is not of the kind that the chat dialect can enforce",
        );
    }
}

/// `user`, which OpenAI wants short in either of its dialects, or what stands in its stead there.
pub(in crate::dialect) fn write_user(
    user: &Text<'_>,
    settings: &Settings<'_>,
    is_openai: bool,
    body: &mut ObjectWriter<'_>,
    ledger: &mut Ledger,
) {
    let key = match settings.names.end_user {
        "safety_identifier" if is_openai => "safety_identifier",
        _ => "user",
    };
    let plain = user.plain();
    if plain.chars().count() <= LONGEST_USER {
        return user.write(body.member(key));
    }
    ledger.hint(
        settings.names.end_user,
        "longer than OpenAI's dialects take, so its hash is sent",
    );
    body.string(key, &blake3::hash(plain.as_bytes()).to_hex());
}

/// Tools, the choice among them, and whether they may be called together: all three only where there are tools, since
/// OpenAI refuses them alone.
fn write_tools(request: &Request<'_>, body: &mut ObjectWriter<'_>, ledger: &mut Ledger) -> Vec<(String, String)> {
    if request.tools.is_empty() {
        return Vec::new();
    }
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
            let kind = kind_of(request, name);
            let mut choice = body.object("tool_choice");
            choice.string("type", kind);
            write_name(name, &mut choice.object(kind));
        }
    }
    let mut list = body.array("tools");
    for tool in &request.tools {
        let mut object = list.object();
        if let Some(custom) = tool.custom {
            object.string("type", "custom");
            write_custom(tool, custom, &mut object.object("custom"));
            continue;
        }
        object.string("type", "function");
        write_function(tool, &request.settings.names, &mut object.object("function"), ledger);
    }
    renamed(&request.tools, LONGEST_NAME)
}

/// The tools that may be called, of those that are declared.
fn write_allowed(request: &Request<'_>, choice: &ToolChoice<'_>, body: &mut ObjectWriter<'_>) {
    let mut object = body.object("tool_choice");
    object.string("type", "allowed_tools");
    let mut inner = object.object("allowed_tools");
    inner.string("mode", mode_of(choice));
    let mut list = inner.array("tools");
    for tool in allowed(request) {
        let kind = kind_of(request, &tool.name);
        let mut entry = list.object();
        entry.string("type", kind);
        write_name(&tool.name, &mut entry.object(kind));
    }
}

/// The tools that may be called.
pub(in crate::dialect) fn allowed<'r, 'a>(request: &'r Request<'a>) -> impl Iterator<Item = &'r Tool<'a>> {
    let is_allowed = |tool: &&Tool<'_>| request.allowed.as_ref().is_none_or(|allowed| allowed.allows(tool));
    request.tools.iter().filter(is_allowed)
}

/// OpenAI's word for whether one of several tools must be called.
pub(in crate::dialect) fn mode_of(choice: &ToolChoice<'_>) -> &'static str {
    match choice {
        ToolChoice::Required | ToolChoice::Named(_) => "required",
        ToolChoice::Auto | ToolChoice::None => "auto",
    }
}

/// OpenAI's word for the kind of a tool.
pub(in crate::dialect) fn kind_of(request: &Request<'_>, name: &Text<'_>) -> &'static str {
    let mut named = request.tools.iter().filter(|tool| tool.name.plain() == name.plain());
    match named.next().and_then(|tool| tool.custom) {
        Some(_) => "custom",
        None => "function",
    }
}

fn write_custom(tool: &Tool<'_>, custom: Custom<'_>, object: &mut ObjectWriter<'_>) {
    write_name(&tool.name, object);
    if let Some(description) = &tool.description {
        description.write(object.member("description"));
    }
    if let Custom::Grammar { syntax, definition } = custom {
        let mut format = object.object("format");
        format.string("type", "grammar");
        let mut grammar = format.object("grammar");
        grammar.raw("syntax", syntax);
        grammar.raw("definition", definition);
    }
}

fn write_function(tool: &Tool<'_>, names: &Names, function: &mut ObjectWriter<'_>, ledger: &mut Ledger) {
    write_name(&tool.name, function);
    if let Some(description) = &tool.description {
        description.write(function.member("description"));
    }
    schema::write_object_schema(tool.schema, function.member("parameters"));
    if tool.strict && tool.schema.is_some_and(schema::is_strict) {
        function.bool("strict", true);
    } else if tool.strict {
        let field = names.strict_of(tool);
        ledger.hint(field, "the schema is not of the kind that the chat dialect can enforce");
    }
}

/// A function's name, declared, chosen or called.
pub(super) fn write_name(name: &Text<'_>, function: &mut ObjectWriter<'_>) {
    function.string("name", &spell(&name.plain(), LONGEST_NAME));
}
