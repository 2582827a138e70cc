//! Everything in an Anthropic request beside its messages and tools, read and written.

use super::decode::word;
use super::fields::NAMES;
use super::thinking::{self, Plan};
use crate::dialect::item::{Cache, Format, Knob, Names, Request, Settings, Thinking, Thoughts, Tier, Turned};
use crate::dialect::lack::{self, Lack};
use crate::dialect::loss::{self, Ledger, given};
use crate::dialect::text::Text;
use crate::dialect::{Asked, BadRequest, Upstream, schema};
use crate::json::{Object, ObjectWriter, Raw};
use smallvec::SmallVec;

/// What `max_tokens` becomes when neither the client nor the model's capabilities say: every model of the last years
/// takes it, and a request without a cap is seldom meant to be cut short.
const DEFAULT_MAX_TOKENS: u64 = 8_192;

const NO_SUCH_FIELD: &str = "the messages dialect has no such field";

pub(super) fn read<'a>(
    asked: &Asked<'a>,
    knobs: Vec<Turned<'a>>,
    ledger: &mut Ledger,
) -> Result<Settings<'a>, BadRequest> {
    let object = &asked.object;
    let output = given(object, "output_config").and_then(Raw::object);
    let of_output = |key| output.as_ref().and_then(|output| given(output, key));
    Ok(Settings {
        names: Names {
            thinking: match given(object, "thinking") {
                Some(_) => NAMES.thinking,
                None => "output_config.effort",
            },
            format: match of_output("format") {
                Some(_) => NAMES.format,
                None => "output_format",
            },
            answer_schema: match of_output("format") {
                Some(_) => NAMES.answer_schema,
                None => "output_format.schema",
            },
            ..NAMES
        },
        stream: asked.stream,
        knobs,
        max_output: given(object, "max_tokens"),
        stop: read_stop(object)?,
        tool_choice: super::tools::choice(object)?,
        parallel_calls: super::tools::parallel(object),
        format: of_output("format")
            .or_else(|| given(object, "output_format"))
            .and_then(read_format),
        thinking: read_thinking(object, of_output("effort"), ledger),
        shows_thinking: shows_thinking(object),
        thoughts: thoughts(object),
        end_user: read_user(object, ledger),
        tier: read_tier(object),
        metadata: None,
        cache: given(object, "cache_control").map(Cache::Marker),
    })
}

fn read_stop<'a>(object: &Object<'a>) -> Result<SmallVec<[Text<'a>; 4]>, BadRequest> {
    let Some(stop) = given(object, "stop_sequences") else {
        return Ok(SmallVec::new());
    };
    let texts = stop.elements().and_then(|elements| elements.map(Text::of).collect());
    texts.ok_or_else(|| BadRequest::at("stop_sequences", "must be an array of strings"))
}

fn read_format(format: Raw<'_>) -> Option<Format<'_>> {
    let schema = given(&format.object()?, "schema");
    Some(Format::Schema {
        name: None,
        description: None,
        schema,
        strict: true,
    })
}

fn read_thinking<'a>(object: &Object<'a>, effort: Option<Raw<'a>>, ledger: &mut Ledger) -> Option<Thinking<'a>> {
    let thinking = given(object, "thinking").and_then(Raw::object);
    let kind = thinking
        .as_ref()
        .map(|thinking| word(thinking, "type"))
        .unwrap_or_default();
    let form = match &*kind {
        "" | "adaptive" | "disabled" | "enabled" => None,
        // Between calls of tools alone, or whatever comes next.
        other => Some(other),
    };
    if let Some(form) = form {
        let field = format!("thinking.type ({})", loss::shown(form));
        ledger.hint(field, "no other dialect has this way; the model thinks as it sees fit");
    }
    let budget = thinking.as_ref().and_then(|thinking| given(thinking, "budget_tokens"));
    if kind == "enabled" && budget.is_none() {
        ledger.hint("thinking.budget_tokens", "is missing; the model thinks as it sees fit");
    }
    match (&*kind, effort) {
        ("disabled", _) => Some(Thinking::Off),
        // Without thinking, effort is about the length of the answer; the nearest thing elsewhere is the same word.
        (_, Some(effort)) => Some(Thinking::Effort(Some(effort))),
        ("", None) => None,
        ("enabled", None) if budget.is_some() => budget.map(Thinking::Budget),
        (_, None) => Some(Thinking::Effort(None)),
    }
}

/// Thinking is shown unless the client says that it need not be; an effort alone asks for none.
fn shows_thinking(object: &Object<'_>) -> bool {
    let thinking = given(object, "thinking").and_then(Raw::object);
    thinking.is_some_and(|thinking| word(&thinking, "type") != "disabled" && word(&thinking, "display") != "omitted")
}

fn thoughts(object: &Object<'_>) -> Thoughts {
    let thinking = given(object, "thinking").and_then(Raw::object);
    match thinking.as_ref().map(|thinking| word(thinking, "display")).as_deref() {
        Some("omitted") => Thoughts::Unwanted,
        Some("") | None => Thoughts::Unsaid,
        Some(_) => Thoughts::Wanted,
    }
}

fn read_user<'a>(object: &Object<'a>, ledger: &mut Ledger) -> Option<Text<'a>> {
    let metadata = given(object, "metadata").and_then(Raw::object)?;
    for member in metadata.members() {
        // Tags and the session are for the sidecar itself.
        if !matches!(&*member.key(), "user_id" | "tags" | "session_id") {
            ledger.hint(
                format!("metadata.{}", loss::shown(&member.key())),
                "not known, so not translated",
            );
        }
    }
    given(&metadata, "user_id")
        .and_then(Text::of)
        .filter(|user| !user.is_empty())
}

fn read_tier(object: &Object<'_>) -> Option<Tier<'static>> {
    match &*word(object, "service_tier") {
        "auto" => Some(Tier::Auto),
        "standard_only" => Some(Tier::Standard),
        _ => None,
    }
}

/// Writes what stands before tools and conversation.
pub(super) fn write(request: &Request<'_>, upstream: &Upstream<'_>, body: &mut ObjectWriter<'_>, ledger: &mut Ledger) {
    let settings = &request.settings;
    let max_tokens = max_tokens(settings, upstream, ledger);
    match max_tokens {
        Ok(number) => body.u64("max_tokens", number),
        Err(raw) => body.raw("max_tokens", raw),
    }
    if settings.stream {
        body.bool("stream", true);
    }
    lack::report(request, &[Lack::Metadata], ledger);
    if let Some(user) = &settings.end_user {
        user.write(body.object("metadata").member("user_id"));
    }
    match settings.tier {
        Some(Tier::Auto) => body.string("service_tier", "auto"),
        Some(Tier::Standard) => body.string("service_tier", "standard_only"),
        Some(Tier::Named(_)) => ledger.hint(settings.names.tier, "the messages dialect has no such tier"),
        None => {}
    }
    write_stop(settings, body, ledger);
    let plan = thinking::plan(request, upstream, max_tokens.ok(), ledger);
    write_knobs(settings, plan, body, ledger);
    thinking::write(plan, body);
    write_output_config(settings, plan, body, ledger);
    if let Some(cache) = settings.cache {
        cache.write(body.member("cache_control"));
    }
}

/// The client's cap if it is a number that fits; what else it wrote is the upstream's to refuse.
fn max_tokens<'a>(settings: &Settings<'a>, upstream: &Upstream<'_>, ledger: &mut Ledger) -> Result<u64, Raw<'a>> {
    let most = upstream.capabilities.max_output_tokens;
    let Some(raw) = settings.max_output else {
        let default = most.unwrap_or(DEFAULT_MAX_TOKENS);
        let budget = match settings.thinking {
            Some(Thinking::Budget(budget)) => budget.u64().unwrap_or(0),
            _ => 0,
        };
        return Ok(most.unwrap_or(default.saturating_add(budget)));
    };
    let wanted = raw.u64().ok_or(raw)?;
    match most {
        Some(most) if wanted > most => {
            ledger.hint(settings.names.max_output, "the model's own limit is lower");
            Ok(most)
        }
        _ => Ok(wanted),
    }
}

fn write_stop(settings: &Settings<'_>, body: &mut ObjectWriter<'_>, ledger: &mut Ledger) {
    if settings.stop.is_empty() {
        return;
    }
    let usable = settings.stop.iter().filter(|stop| !stop.is_blank());
    if usable.clone().count() < settings.stop.len() {
        ledger.meaning(
            settings.names.stop,
            "the messages dialect has no stop sequence of white space alone",
        );
    }
    let mut list = body.array("stop_sequences");
    usable.for_each(|stop| stop.write(list.element()));
}

/// Sampling. Anthropic's temperature ends at 1, not both of it and `top_p` may be set, and while a model thinks
/// neither.
fn write_knobs(settings: &Settings<'_>, plan: Plan<'_>, body: &mut ObjectWriter<'_>, ledger: &mut Ledger) {
    let has_temperature = settings.knobs.iter().any(|turned| turned.knob == Knob::Temperature);
    for Turned { knob, name, value } in settings.knobs.iter().copied() {
        match knob {
            Knob::Temperature | Knob::TopP | Knob::TopK if plan.thinks() => {
                if value.f64() != Some(1.0) {
                    ledger.hint(name, "the messages dialect has no sampling while the model thinks");
                }
            }
            Knob::Temperature if value.f64().is_some_and(|value| value > 1.0) => {
                ledger.hint(name, "the messages dialect's temperature ends at 1");
                body.u64("temperature", 1);
            }
            Knob::Temperature => body.raw("temperature", value),
            Knob::TopP if has_temperature => ledger.hint(name, "the messages dialect takes temperature or top_p"),
            Knob::TopP => body.raw("top_p", value),
            Knob::TopK => body.raw("top_k", value),
            Knob::Seed
            | Knob::FrequencyPenalty
            | Knob::PresencePenalty
            | Knob::LogitBias
            | Knob::Logprobs
            | Knob::TopLogprobs
            | Knob::Choices
            | Knob::Verbosity
            | Knob::CacheKey
            | Knob::CacheRetention => ledger.lose(knob.grade(), name, NO_SUCH_FIELD),
        }
    }
}

fn write_output_config(settings: &Settings<'_>, plan: Plan<'_>, body: &mut ObjectWriter<'_>, ledger: &mut Ledger) {
    let schema = settings.format.and_then(|format| format.fitting(&schema::ANTHROPIC));
    if schema.is_none() && plan.effort().is_none() {
        return;
    }
    let mut config = body.object("output_config");
    if let Some(effort) = plan.effort() {
        effort.write(config.member("effort"));
    }
    if let Some(schema) = schema {
        let mut format = config.object("format");
        format.string("type", "json_schema");
        schema::Fitting::of(&schema::ANTHROPIC, settings.names.answer_schema, ledger)
            .write(schema, format.member("schema"));
    }
}
