//! Everything in a Gemini request beside its contents and tools, read.

use super::decode::inner;
use super::{fields, tools};
use crate::dialect::gemini::spelling::{camel_case, given, list, number, whole, word};
use crate::dialect::item::{Format, Knob, Settings, Thinking, Thoughts, Tier, Turned};
use crate::dialect::loss::{self, Ledger};
use crate::dialect::text::Text;
use crate::dialect::{Asked, BadRequest};
use crate::json::{self, Object, Raw};
use smallvec::SmallVec;

/// Google's levels, and everybody's words for them, as JSON.
const LEVELS: &[(&str, &str)] = &[
    ("MINIMAL", "\"minimal\""),
    ("LOW", "\"low\""),
    ("MEDIUM", "\"medium\""),
    ("HIGH", "\"high\""),
    ("XHIGH", "\"xhigh\""),
];

pub(super) fn read<'a>(stream: bool, object: &Object<'a>, ledger: &mut Ledger) -> Result<Settings<'a>, BadRequest> {
    let generation = match given(object, "generationConfig") {
        None => None,
        Some(value) => Some(
            value
                .object()
                .ok_or_else(|| BadRequest::at("generationConfig", "must be an object"))?,
        ),
    };
    if let Some(generation) = &generation {
        modalities(generation, ledger);
    }
    Ok(Settings {
        names: fields::NAMES,
        stream,
        knobs: knobs(generation.as_ref(), ledger)?,
        max_output: generation
            .as_ref()
            .and_then(|generation| given(generation, "maxOutputTokens"))
            .map(whole),
        stop: generation.as_ref().map_or_else(|| Ok(SmallVec::new()), stop)?,
        tool_choice: tools::choice(object, ledger)?,
        parallel_calls: None,
        format: match &generation {
            Some(generation) => format(generation, ledger)?,
            None => None,
        },
        thinking: generation.as_ref().and_then(thinking),
        shows_thinking: generation
            .as_ref()
            .and_then(|generation| inner(generation, "thinkingConfig"))
            .is_some_and(|config| includes_thoughts(&config)),
        thoughts: generation.as_ref().map_or(Thoughts::Unsaid, thoughts),
        end_user: None,
        tier: given(object, "serviceTier").and_then(tier),
        metadata: None,
        cache: None,
    })
}

/// A setting of a body's, before the body is decoded.
pub(in crate::dialect) fn generation<'a>(object: &Object<'a>, key: &str) -> Option<Raw<'a>> {
    given(&inner(object, "generationConfig")?, key)
}

fn knobs<'a>(generation: Option<&Object<'a>>, ledger: &mut Ledger) -> Result<Vec<Turned<'a>>, BadRequest> {
    let Some(generation) = generation else {
        return Ok(Vec::new());
    };
    let mut knobs = loss::decide_as(camel_case, generation, fields::GENERATION, &"generationConfig.", ledger)?;
    for turned in &mut knobs {
        let full = fields::KNOBS.iter().find(|(knob, _)| *knob == turned.knob);
        turned.name = full.map_or(turned.name, |(_, name)| name);
        turned.value = match turned.knob {
            Knob::Seed | Knob::TopK => whole(turned.value),
            _ => number(turned.value),
        };
    }
    Ok(knobs)
}

/// `standard` is what there is without a word.
fn tier(name: Raw<'_>) -> Option<Tier<'_>> {
    match name.text() {
        "\"standard\"" | "\"unspecified\"" => None,
        _ => Some(Tier::Named(name)),
    }
}

fn modalities(generation: &Object<'_>, ledger: &mut Ledger) {
    let is_text = |value: Raw<'_>| value.string().is_some_and(|word| word.eq_ignore_ascii_case("text"));
    if !list(generation, "responseModalities")
        .into_iter()
        .flatten()
        .all(is_text)
    {
        ledger.meaning(
            "generationConfig.responseModalities",
            "no other dialect answers with pictures or sound",
        );
    }
}

fn stop<'a>(generation: &Object<'a>) -> Result<SmallVec<[Text<'a>; 4]>, BadRequest> {
    let texts = list(generation, "stopSequences").into_iter().flatten().map(Text::of);
    let texts: Option<_> = texts.collect();
    texts.ok_or_else(|| BadRequest::at(fields::NAMES.stop, "must be an array of strings"))
}

/// JSON is asked for by a type; Google refuses a schema without it, too.
fn format<'a>(generation: &Object<'a>, ledger: &mut Ledger) -> Result<Option<Format<'a>>, BadRequest> {
    let schema = given(generation, "responseJsonSchema");
    match &*word(generation, "responseMimeType") {
        "application/json" => {}
        "" | "text/plain" if schema.is_some() => {
            return Err(BadRequest::at(
                "generationConfig.responseMimeType",
                "must be application/json where there is a schema",
            ));
        }
        "" | "text/plain" => return Ok(None),
        _ => {
            ledger.meaning(
                "generationConfig.responseMimeType",
                "no other dialect answers with this type",
            );
            return Ok(None);
        }
    }
    Ok(Some(match schema {
        None => Format::Json,
        schema => Format::Schema {
            name: None,
            description: None,
            schema,
            strict: true,
        },
    }))
}

/// A budget of 0 is none, of -1 as the model sees fit. To be shown thoughts is to want some.
fn thinking<'a>(generation: &Object<'a>) -> Option<Thinking<'a>> {
    let config = inner(generation, "thinkingConfig")?;
    if let Some(budget) = given(&config, "thinkingBudget").map(whole) {
        return Some(match budget.text() {
            "0" => Thinking::Off,
            "-1" => Thinking::Effort(None),
            _ => Thinking::Budget(budget),
        });
    }
    let level = word(&config, "thinkingLevel").to_ascii_uppercase();
    if let Some((_, effort)) = LEVELS.iter().find(|(name, _)| *name == level) {
        return Some(Thinking::Effort(json::parse_value(effort.as_bytes()).ok()));
    }
    includes_thoughts(&config).then_some(Thinking::Effort(None))
}

fn thoughts(generation: &Object<'_>) -> Thoughts {
    match inner(generation, "thinkingConfig").is_some_and(|config| includes_thoughts(&config)) {
        true => Thoughts::Wanted,
        false => Thoughts::Unsaid,
    }
}

fn includes_thoughts(config: &Object<'_>) -> bool {
    given(config, "includeThoughts").and_then(Raw::bool) == Some(true)
}

/// The client can use thoughts: it asked for them, or declares tools and must be able to give signatures back. Others
/// read the first part's text, and get it.
pub(in crate::dialect) fn shows_thoughts(asked: &Asked<'_>) -> bool {
    let generation = inner(&asked.object, "generationConfig");
    let config = generation.and_then(|generation| inner(&generation, "thinkingConfig"));
    let wants = config.is_some_and(|config| includes_thoughts(&config));
    wants || asked.declares_tools()
}
