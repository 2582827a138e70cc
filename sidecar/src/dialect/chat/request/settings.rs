//! Everything in a chat request beside its messages and tools.

use super::decode::word;
use super::fields::NAMES;
use crate::dialect::item::{Cache, Format, Names, Settings, Thinking, Thoughts, Tier, Turned};
use crate::dialect::loss::{Ledger, given};
use crate::dialect::text::Text;
use crate::dialect::{Asked, BadRequest};
use crate::json::{Object, Raw};
use smallvec::{SmallVec, smallvec};

pub(super) fn read<'a>(
    asked: &Asked<'a>,
    knobs: Vec<Turned<'a>>,
    ledger: &mut Ledger,
) -> Result<Settings<'a>, BadRequest> {
    let object = &asked.object;
    tell_other_user(object, ledger);
    let text = |key| given(object, key).and_then(Text::of).filter(|text| !text.is_empty());
    Ok(Settings {
        names: names(object),
        stream: asked.stream,
        knobs,
        max_output: given(object, "max_completion_tokens").or_else(|| given(object, "max_tokens")),
        stop: stop(object)?,
        tool_choice: super::tools::choice(object)?,
        parallel_calls: given(object, "parallel_tool_calls").and_then(Raw::bool),
        format: format(object)?,
        thinking: thinking(object),
        shows_thinking: shows_thinking(object),
        thoughts: thoughts(object),
        end_user: text("safety_identifier").or_else(|| text("user")),
        tier: tier(object),
        metadata: given(object, "metadata").filter(|metadata| metadata.text() != "{}"),
        cache: given(object, "cache_control").map(Cache::Marker),
    })
}

/// Of two names for whoever uses the application one is told.
pub(in crate::dialect) fn tell_other_user(object: &Object<'_>, ledger: &mut Ledger) {
    let (user, safety) = (given(object, "user"), given(object, "safety_identifier"));
    if let (Some(user), Some(safety)) = (user, safety)
        && user.text() != safety.text()
    {
        ledger.hint("user", "safety_identifier says who it is");
    }
}

/// What the client used of several words.
fn names(object: &Object<'_>) -> Names {
    let first = |words: &[&'static str], otherwise| {
        let mut used = words.iter().filter(|word| given(object, word).is_some());
        used.next().copied().unwrap_or(otherwise)
    };
    Names {
        max_output: first(&["max_completion_tokens", "max_tokens"], NAMES.max_output),
        thinking: first(&["thinking", "reasoning"], NAMES.thinking),
        end_user: first(&["safety_identifier"], NAMES.end_user),
        ..NAMES
    }
}

pub(in crate::dialect) fn stop<'a>(object: &Object<'a>) -> Result<SmallVec<[Text<'a>; 4]>, BadRequest> {
    let Some(stop) = given(object, "stop") else {
        return Ok(SmallVec::new());
    };
    if let Some(text) = Text::of(stop) {
        return Ok(smallvec![text]);
    }
    let texts = stop.elements().and_then(|elements| elements.map(Text::of).collect());
    texts.ok_or_else(|| BadRequest::at("stop", "must be a string or an array of strings"))
}

fn format<'a>(object: &Object<'a>) -> Result<Option<Format<'a>>, BadRequest> {
    let Some(format) = given(object, "response_format") else {
        return Ok(None);
    };
    let bad = |problem| BadRequest::at("response_format", problem);
    let format = format.object().ok_or_else(|| bad("must be an object"))?;
    match &*word(&format, "type") {
        "text" => Ok(None),
        "json_object" => Ok(Some(Format::Json)),
        "json_schema" => {
            let inner = format
                .get("json_schema")
                .and_then(Raw::object)
                .ok_or_else(|| bad("must have a json_schema"))?;
            Ok(Some(Format::Schema {
                name: given(&inner, "name"),
                description: given(&inner, "description"),
                schema: given(&inner, "schema"),
                strict: given(&inner, "strict").and_then(Raw::bool).unwrap_or(false),
            }))
        }
        _ => Err(bad("must be of type text, json_object or json_schema")),
    }
}

/// Anthropic's `thinking` and OpenRouter's `reasoning` are extensions in wide use and say more than
/// `reasoning_effort`.
fn thinking<'a>(object: &Object<'a>) -> Option<Thinking<'a>> {
    let thinking = given(object, "thinking").and_then(Raw::object);
    let reasoning = given(object, "reasoning").and_then(Raw::object);
    let budget = thinking.as_ref().and_then(|thinking| given(thinking, "budget_tokens"));
    let budget = budget.or_else(|| given(reasoning.as_ref()?, "max_tokens"));
    let off = thinking
        .as_ref()
        .is_some_and(|thinking| word(thinking, "type") == "disabled")
        || reasoning
            .as_ref()
            .and_then(|reasoning| reasoning.get("enabled")?.bool())
            == Some(false);
    if off {
        return Some(Thinking::Off);
    }
    if let Some(budget) = budget {
        return Some(Thinking::Budget(budget));
    }
    let effort = reasoning.as_ref().and_then(|reasoning| given(reasoning, "effort"));
    let effort = effort.or_else(|| given(object, "reasoning_effort"));
    match effort {
        Some(effort) if effort.text() == "\"none\"" => Some(Thinking::Off),
        Some(effort) => Some(Thinking::Effort(Some(effort))),
        None => (thinking.is_some() || reasoning.is_some()).then_some(Thinking::Effort(None)),
    }
}

/// `reasoning_effort` alone shows nothing at OpenAI, its extensions show it elsewhere.
fn shows_thinking(object: &Object<'_>) -> bool {
    let extension = |key| given(object, key).and_then(Raw::object);
    let excluded = |reasoning: &Object<'_>| reasoning.get("exclude").and_then(Raw::bool) == Some(true);
    let reasoning = extension("reasoning").is_some_and(|reasoning| !excluded(&reasoning));
    reasoning || extension("thinking").is_some_and(|thinking| word(&thinking, "type") != "disabled")
}

/// OpenRouter's way of saying so.
fn thoughts(object: &Object<'_>) -> Thoughts {
    let reasoning = given(object, "reasoning").and_then(Raw::object);
    match reasoning.and_then(|reasoning| reasoning.get("exclude")?.bool()) {
        Some(true) => Thoughts::Unwanted,
        Some(false) => Thoughts::Wanted,
        None => Thoughts::Unsaid,
    }
}

fn tier<'a>(object: &Object<'a>) -> Option<Tier<'a>> {
    match &*word(object, "service_tier") {
        "" => None,
        "auto" => Some(Tier::Auto),
        "default" => Some(Tier::Standard),
        _ => given(object, "service_tier").map(Tier::Named),
    }
}
