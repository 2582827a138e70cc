//! The item form into a Gemini request.

use super::turns::Turns;
use super::{media, thinking, tools};
use crate::dialect::item::{Format, Knob, Names, Request, Settings, Source, Tier, Turned};
use crate::dialect::lack::{self, Lack};
use crate::dialect::loss::Ledger;
use crate::dialect::turns::beginning;
use crate::dialect::{Encoded, Upstream};
use crate::json::{ObjectWriter, Raw};

/// Most stop sequences.
const MOST_STOPS: usize = 5;

/// The row of Vertex AI, which has fetched files by URL for longer and knows no ids of calls.
const VERTEX: &str = "gcp.vertex_ai";

/// Encodes for an upstream that speaks Gemini's dialect. What a growing conversation appends to stands last.
pub(in crate::dialect) fn encode(
    request: &Request<'_>,
    upstream: &Upstream<'_>,
    size: usize,
    ledger: &mut Ledger,
) -> Encoded {
    let mut out = Vec::with_capacity(size);
    let mut body = ObjectWriter::new(&mut out);
    write_generation(&request.settings, upstream, &mut body, ledger);
    write_tier(request, upstream, &mut body, ledger);
    report(request, ledger);
    let renamed = tools::write(request, upstream, &mut body, ledger);
    let (system, conversation) = request.items.split_at(beginning(&request.items));
    let mut turns = Turns {
        conversation: request.settings.names.conversation,
        fetches: upstream.provider == VERTEX,
        names_calls: upstream.provider != VERTEX,
        demands_signatures: thinking::demands_signatures(upstream),
        ledger,
    };
    turns.write_system(system, &mut body);
    turns.write(conversation, &mut body);
    body.end();
    Encoded { body: out, renamed }
}

/// Whether an image is one that the provider would not fetch.
pub(in crate::dialect) fn wants_bytes(source: &Source<'_>, upstream: &Upstream<'_>) -> bool {
    media::refusal(source, upstream.provider == VERTEX).is_some()
}

/// Google's own names are OpenAI's.
fn write_tier(request: &Request<'_>, upstream: &Upstream<'_>, body: &mut ObjectWriter<'_>, ledger: &mut Ledger) {
    match request.settings.tier {
        Some(Tier::Named(name))
            if upstream.provider != VERTEX && matches!(name.text(), "\"flex\"" | "\"priority\"") =>
        {
            body.raw("serviceTier", name);
        }
        Some(Tier::Named(_)) => ledger.hint(request.settings.names.tier, "the gemini dialect has no such tier"),
        Some(Tier::Auto | Tier::Standard) | None => {}
    }
}

/// Google's models call as many functions at once as they like.
fn report(request: &Request<'_>, ledger: &mut Ledger) {
    lack::report(request, &[Lack::Cache, Lack::EndUser, Lack::Metadata], ledger);
    if request.settings.parallel_calls == Some(false) {
        ledger.hint(
            request.settings.names.parallel_calls,
            "the gemini dialect cannot forbid parallel calls",
        );
    }
}

fn write_generation(
    settings: &Settings<'_>,
    upstream: &Upstream<'_>,
    body: &mut ObjectWriter<'_>,
    ledger: &mut Ledger,
) {
    let mut config = body.object("generationConfig");
    if let Some(cap) = settings.max_output {
        write_cap(cap, &settings.names, upstream, &mut config, ledger);
    }
    for Turned { knob, name, value } in settings.knobs.iter().copied() {
        match knob_name(knob) {
            Ok(known) => config.raw(known, value),
            Err(why) => ledger.lose(knob.grade(), name, why),
        }
    }
    write_stop(settings, &mut config, ledger);
    thinking::write(settings, upstream, &mut config, ledger);
    write_format(settings.format, &mut config);
}

fn knob_name(knob: Knob) -> Result<&'static str, &'static str> {
    match knob {
        Knob::Temperature => Ok("temperature"),
        Knob::TopP => Ok("topP"),
        Knob::TopK => Ok("topK"),
        Knob::Seed => Ok("seed"),
        Knob::FrequencyPenalty => Ok("frequencyPenalty"),
        Knob::PresencePenalty => Ok("presencePenalty"),
        Knob::Choices => Err("only one answer can be translated"),
        Knob::Logprobs => Ok("responseLogprobs"),
        Knob::TopLogprobs => Ok("logprobs"),
        Knob::LogitBias | Knob::Verbosity | Knob::CacheKey | Knob::CacheRetention => {
            Err("the gemini dialect has no such field")
        }
    }
}

fn write_cap(cap: Raw<'_>, names: &Names, upstream: &Upstream<'_>, config: &mut ObjectWriter<'_>, ledger: &mut Ledger) {
    match (cap.u64(), upstream.capabilities.max_output_tokens) {
        (Some(cap), Some(most)) if cap > most => {
            ledger.hint(names.max_output, "the model's own limit is lower");
            config.u64("maxOutputTokens", most);
        }
        _ => config.raw("maxOutputTokens", cap),
    }
}

fn write_stop(settings: &Settings<'_>, config: &mut ObjectWriter<'_>, ledger: &mut Ledger) {
    if settings.stop.is_empty() {
        return;
    }
    if settings.stop.len() > MOST_STOPS {
        ledger.meaning(settings.names.stop, "the upstream takes fewer");
    }
    let mut list = config.array("stopSequences");
    let kept = settings.stop.iter().take(MOST_STOPS);
    kept.for_each(|stop| stop.write(list.element()));
}

fn write_format(format: Option<Format<'_>>, config: &mut ObjectWriter<'_>) {
    let Some(format) = format else { return };
    config.string("responseMimeType", "application/json");
    if let Format::Schema {
        schema: Some(schema), ..
    } = format
    {
        config.raw("responseJsonSchema", schema);
    }
}
