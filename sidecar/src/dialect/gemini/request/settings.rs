//! Everything in a Gemini request beside its contents and tools, read.

use super::decode::inner;
use super::{fields, tools};
use crate::dialect::gemini::spelling::{camel_case, given, word};
use crate::dialect::item::{Format, Settings, Thinking, Tier, Turned};
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
    let of = |key| generation.as_ref().and_then(|generation| given(generation, key));
    Ok(Settings {
        names: fields::NAMES,
        stream,
        knobs: knobs(generation.as_ref(), ledger)?,
        max_output: of("maxOutputTokens"),
        stop: stop(of("stopSequences"))?,
        tool_choice: tools::choice(object, ledger)?,
        parallel_calls: None,
        format: generation.as_ref().and_then(|generation| format(generation, ledger)),
        thinking: generation.as_ref().and_then(thinking),
        shows_thinking: generation
            .as_ref()
            .and_then(|generation| inner(generation, "thinkingConfig"))
            .is_some_and(|config| includes_thoughts(&config)),
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

fn knobs<'a>(generation: Option<&Object<'a>>, ledger: &mut Ledger) -> Result<SmallVec<[Turned<'a>; 6]>, BadRequest> {
    let Some(generation) = generation else {
        return Ok(SmallVec::new());
    };
    let mut knobs = loss::decide_as(camel_case, generation, fields::GENERATION, &"generationConfig.", ledger)?;
    for turned in &mut knobs {
        let full = fields::KNOBS.iter().find(|(knob, _)| *knob == turned.knob);
        turned.name = full.map_or(turned.name, |(_, name)| name);
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

fn stop(list: Option<Raw<'_>>) -> Result<SmallVec<[Text<'_>; 4]>, BadRequest> {
    let Some(list) = list else {
        return Ok(SmallVec::new());
    };
    let texts = list.elements().and_then(|elements| elements.map(Text::of).collect());
    texts.ok_or_else(|| BadRequest::at(fields::NAMES.stop, "must be an array of strings"))
}

/// JSON is asked for by a type; a schema without it says nothing.
fn format<'a>(generation: &Object<'a>, ledger: &mut Ledger) -> Option<Format<'a>> {
    match &*word(generation, "responseMimeType") {
        "application/json" => {}
        "" | "text/plain" => return None,
        _ => {
            ledger.meaning(
                "generationConfig.responseMimeType",
                "no other dialect answers with this type",
            );
            return None;
        }
    }
    let schema = given(generation, "responseJsonSchema");
    Some(match schema {
        None => Format::Json,
        schema => Format::Schema {
            name: None,
            description: None,
            schema,
            strict: true,
        },
    })
}

/// A budget of 0 is none, of -1 as the model sees fit. To be shown thoughts is to want some.
fn thinking<'a>(generation: &Object<'a>) -> Option<Thinking<'a>> {
    let config = inner(generation, "thinkingConfig")?;
    if let Some(budget) = given(&config, "thinkingBudget") {
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
