//! The body's members, in their order: what a growing conversation appends to stands last.

use super::turns::Turns;
use crate::dialect::item::{Format, Knob, Request, Settings, Thinking, Tool, ToolChoice, Turned};
use crate::dialect::lack::{self, Lack};
use crate::dialect::loss::Ledger;
use crate::dialect::{Encoded, Upstream, schema, search};
use crate::json::ObjectWriter;

/// Encodes for an upstream that speaks Ollama's chat.
pub(in crate::dialect) fn encode(
    request: &Request<'_>,
    upstream: &Upstream<'_>,
    size: usize,
    ledger: &mut Ledger,
) -> Encoded {
    let mut out = Vec::with_capacity(size);
    let settings = &request.settings;
    let mut body = ObjectWriter::new(&mut out);
    body.string("model", upstream.model);
    // It streams unless told not to.
    body.bool("stream", settings.stream);
    write_thinking(settings, upstream, &mut body, ledger);
    write_format(settings, &mut body);
    write_options(settings, upstream, &mut body, ledger);
    // Refused, or left out by its name.
    search::taken(request, upstream, ledger);
    write_tools(request, &mut body, ledger);
    lack::report(
        request,
        &[Lack::Cache, Lack::EndUser, Lack::Tier, Lack::Metadata],
        ledger,
    );
    let mut turns = Turns { ledger };
    turns.write(&request.items, &mut body);
    body.end();
    Encoded {
        body: out,
        renamed: Vec::new(),
    }
}

/// A model that cannot think refuses to be asked to.
fn write_thinking(settings: &Settings<'_>, upstream: &Upstream<'_>, body: &mut ObjectWriter<'_>, ledger: &mut Ledger) {
    let Some(thinking) = settings.thinking else { return };
    match thinking {
        Thinking::Off => body.bool("think", false),
        Thinking::Effort(_) | Thinking::Budget(_) if upstream.reasons() == Some(false) => {
            ledger.hint(settings.names.thinking, "the model lacks reasoning");
        }
        Thinking::Effort(Some(effort)) => match effort.text() {
            "\"low\"" => body.string("think", "low"),
            "\"minimal\"" => {
                ledger.hint(settings.names.thinking, "the upstream's lowest level is asked for");
                body.string("think", "low");
            }
            "\"medium\"" => body.string("think", "medium"),
            "\"high\"" => body.string("think", "high"),
            _ => {
                ledger.hint(settings.names.thinking, "the upstream's highest level is asked for");
                body.string("think", "high");
            }
        },
        Thinking::Effort(None) => body.bool("think", true),
        Thinking::Budget(_) => {
            ledger.hint(settings.names.thinking, "the ollama dialect has no budget for it");
            body.bool("think", true);
        }
    }
}

fn write_format(settings: &Settings<'_>, body: &mut ObjectWriter<'_>) {
    match settings.format {
        None => {}
        Some(Format::Json | Format::Schema { schema: None, .. }) => body.string("format", "json"),
        Some(Format::Schema {
            schema: Some(schema), ..
        }) => body.raw("format", schema),
    }
}

fn write_options(settings: &Settings<'_>, upstream: &Upstream<'_>, body: &mut ObjectWriter<'_>, ledger: &mut Ledger) {
    let mut options = body.object("options");
    if let Some(cap) = settings.max_output {
        match (cap.u64(), upstream.capabilities.max_output_tokens) {
            (Some(wanted), Some(most)) if wanted > most => {
                ledger.hint(settings.names.max_output, "the model's own limit is lower");
                options.u64("num_predict", most);
            }
            _ => options.raw("num_predict", cap),
        }
    }
    for Turned { knob, name, value } in settings.knobs.iter().copied() {
        match option(knob) {
            Some(option) => options.raw(option, value),
            None => ledger.lose(knob.grade(), name, "the ollama dialect has no such field"),
        }
    }
    if !settings.stop.is_empty() {
        let mut list = options.array("stop");
        settings.stop.iter().for_each(|stop| stop.write(list.element()));
    }
}

/// Ollama's name for it; `repeat_penalty` multiplies and is no other word for either penalty.
fn option(knob: Knob) -> Option<&'static str> {
    match knob {
        Knob::Temperature => Some("temperature"),
        Knob::TopP => Some("top_p"),
        Knob::TopK => Some("top_k"),
        Knob::Seed => Some("seed"),
        Knob::FrequencyPenalty => Some("frequency_penalty"),
        Knob::PresencePenalty => Some("presence_penalty"),
        Knob::LogitBias
        | Knob::Logprobs
        | Knob::TopLogprobs
        | Knob::Choices
        | Knob::Verbosity
        | Knob::CacheKey
        | Knob::CacheRetention => None,
    }
}

/// Tools, unless none of them may be called: no choice can be said.
fn write_tools(request: &Request<'_>, body: &mut ObjectWriter<'_>, ledger: &mut Ledger) {
    let settings = &request.settings;
    if request.tools.is_empty() {
        return;
    }
    match &settings.tool_choice {
        Some(ToolChoice::None) => return,
        Some(ToolChoice::Required | ToolChoice::Named(_)) => {
            ledger.meaning(settings.names.tool_choice, "the ollama dialect cannot force a call");
        }
        Some(ToolChoice::Auto) | None => {}
    }
    lack::report(request, &[Lack::OneCall], ledger);
    let mut list = body.array("tools");
    for tool in &request.tools {
        let mut object = list.object();
        object.string("type", "function");
        write_tool(tool, &mut object.object("function"));
        if tool.strict {
            ledger.hint(
                settings.names.strict_of(tool),
                "the ollama dialect cannot enforce a tool's schema",
            );
        }
    }
}

fn write_tool(tool: &Tool<'_>, function: &mut ObjectWriter<'_>) {
    tool.name.write(function.member("name"));
    if let Some(description) = &tool.description {
        description.write(function.member("description"));
    }
    schema::write_object_schema(tool.schema, function.member("parameters"));
}
