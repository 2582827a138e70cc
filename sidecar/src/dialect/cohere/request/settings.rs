//! Everything in a Cohere request beside its tools and messages.

use crate::dialect::item::{Format, Knob, Request, Settings, Thinking, Turned};
use crate::dialect::lack::{self, Lack};
use crate::dialect::loss::Ledger;
use crate::dialect::messages::request::thinking;
use crate::dialect::{Upstream, schema};
use crate::json::{ObjectWriter, Raw};

/// Stop sequences that a request may have.
const MOST_STOPS: usize = 5;

/// A knob's name there, and between which values it turns.
struct Dial {
    name: &'static str,
    least: f64,
    most: f64,
}

pub(super) fn write(request: &Request<'_>, upstream: &Upstream<'_>, body: &mut ObjectWriter<'_>, ledger: &mut Ledger) {
    let settings = &request.settings;
    body.bool("stream", settings.stream);
    write_cap(settings, upstream, body, ledger);
    write_stop(settings, body, ledger);
    for turned in settings.knobs.iter().copied() {
        write_knob(turned, body, ledger);
    }
    write_thinking(settings, upstream, body, ledger);
    write_format(request, body, ledger);
    lack::report(
        request,
        &[Lack::Cache, Lack::EndUser, Lack::Tier, Lack::Metadata, Lack::OneCall],
        ledger,
    );
}

fn write_cap(settings: &Settings<'_>, upstream: &Upstream<'_>, body: &mut ObjectWriter<'_>, ledger: &mut Ledger) {
    let Some(cap) = settings.max_output else { return };
    match (cap.u64(), upstream.capabilities.max_output_tokens) {
        (Some(wanted), Some(most)) if wanted > most => {
            ledger.hint(settings.names.max_output, "the model's own limit is lower");
            body.u64("max_tokens", most);
        }
        _ => body.raw("max_tokens", cap),
    }
}

fn write_stop(settings: &Settings<'_>, body: &mut ObjectWriter<'_>, ledger: &mut Ledger) {
    if settings.stop.is_empty() {
        return;
    }
    if settings.stop.len() > MOST_STOPS {
        ledger.meaning(settings.names.stop, "the cohere dialect takes five stop sequences");
    }
    let mut list = body.array("stop_sequences");
    let kept = settings.stop.iter().take(MOST_STOPS);
    kept.for_each(|stop| stop.write(list.element()));
}

/// A number, or the nearest that is taken.
fn write_knob(turned: Turned<'_>, body: &mut ObjectWriter<'_>, ledger: &mut Ledger) {
    let Turned { knob, name, value } = turned;
    let Some(dial) = dial(knob) else {
        return ledger.lose(knob.grade(), name, "the cohere dialect has no such field");
    };
    let number = value.f64().unwrap_or(dial.least);
    if (dial.least..=dial.most).contains(&number) {
        return body.raw(dial.name, value);
    }
    ledger.hint(name, "the cohere dialect's limit stands instead");
    body.member(dial.name).f64(number.clamp(dial.least, dial.most));
}

/// What Cohere's reference says of each.
fn dial(knob: Knob) -> Option<Dial> {
    let dial = |name, least, most| Some(Dial { name, least, most });
    match knob {
        Knob::Temperature => dial("temperature", 0.0, f64::MAX),
        Knob::TopP => dial("p", 0.01, 0.99),
        Knob::TopK => dial("k", 0.0, 500.0),
        Knob::Seed => dial("seed", f64::MIN, f64::MAX),
        Knob::FrequencyPenalty => dial("frequency_penalty", 0.0, 1.0),
        Knob::PresencePenalty => dial("presence_penalty", 0.0, 1.0),
        Knob::LogitBias
        | Knob::Logprobs
        | Knob::TopLogprobs
        | Knob::Choices
        | Knob::Verbosity
        | Knob::CacheKey
        | Knob::CacheRetention => None,
    }
}

/// A model that can think does, unless told not to; one that cannot refuses to be told anything.
fn write_thinking(settings: &Settings<'_>, upstream: &Upstream<'_>, body: &mut ObjectWriter<'_>, ledger: &mut Ledger) {
    let Some(wish) = settings.thinking else { return };
    let cannot = upstream.reasons() == Some(false);
    match wish {
        Thinking::Off if cannot => {}
        Thinking::Effort(_) | Thinking::Budget(_) if cannot => {
            ledger.hint(settings.names.thinking, "the model lacks reasoning");
        }
        Thinking::Off => body.object("thinking").string("type", "disabled"),
        Thinking::Effort(None) => body.object("thinking").string("type", "enabled"),
        Thinking::Effort(Some(effort)) => {
            let most = settings.max_output.and_then(Raw::u64).unwrap_or(u64::MAX);
            let mut thinking = body.object("thinking");
            thinking.string("type", "enabled");
            thinking.u64("token_budget", thinking::budget(Some(effort)).min(most / 2).max(1));
        }
        Thinking::Budget(tokens) => {
            let mut thinking = body.object("thinking");
            thinking.string("type", "enabled");
            thinking.raw("token_budget", tokens);
        }
    }
}

/// Cohere takes tools or a format.
fn write_format(request: &Request<'_>, body: &mut ObjectWriter<'_>, ledger: &mut Ledger) {
    let settings = &request.settings;
    let Some(format) = settings.format else { return };
    if !request.tools.is_empty() {
        return ledger.meaning(
            settings.names.format,
            "the cohere dialect takes tools or a format, not both",
        );
    }
    let mut written = body.object("response_format");
    written.string("type", "json_object");
    match format {
        Format::Json | Format::Schema { schema: None, .. } => {}
        Format::Schema {
            schema: Some(schema), ..
        } if schema::can_fit(schema, &schema::COHERE) => {
            let field = settings.names.answer_schema;
            schema::Fitting::of(&schema::COHERE, field, ledger).write(schema, written.member("json_schema"));
        }
        Format::Schema { .. } => ledger.meaning(
            settings.names.format,
            "the cohere dialect cannot enforce alternatives, nor objects with properties of any name",
        ),
    }
}
