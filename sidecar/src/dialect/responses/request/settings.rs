//! Everything in a Responses request beside its input and tools.

use super::decode::word;
use super::fields;
use crate::dialect::chat::request::tell_other_user;
use crate::dialect::item::{Format, Knob, Names, Settings, Thinking, Thoughts, Tier, Turned};
use crate::dialect::loss::{self, Ledger, given, shown};
use crate::dialect::text::Text;
use crate::dialect::{Asked, BadRequest};
use crate::json::{self, Object, Raw};
use smallvec::SmallVec;

pub(super) fn read<'a>(
    asked: &Asked<'a>,
    mut knobs: Vec<Turned<'a>>,
    ledger: &mut Ledger,
) -> Result<Settings<'a>, BadRequest> {
    let object = &asked.object;
    tell_other_user(object, ledger);
    let said = |key| given(object, key).and_then(Text::of).filter(|text| !text.is_empty());
    let text = member(object, "text", fields::TEXT, ledger)?;
    let reasoning = member(object, "reasoning", fields::REASONING, ledger)?;
    let verbosity = text.as_ref().and_then(|text| given(text, "verbosity"));
    knobs.extend(
        verbosity
            .filter(|verbosity| verbosity.text() != "\"medium\"")
            .map(|value| Turned {
                knob: Knob::Verbosity,
                name: "text.verbosity",
                value,
            }),
    );
    included(object, &mut knobs, ledger);
    Ok(Settings {
        names: Names {
            end_user: match given(object, "safety_identifier") {
                Some(_) => fields::NAMES.end_user,
                None => "user",
            },
            ..fields::NAMES
        },
        stream: asked.stream,
        knobs,
        max_output: given(object, "max_output_tokens"),
        stop: SmallVec::new(),
        tool_choice: super::tools::choice(object, ledger)?,
        parallel_calls: given(object, "parallel_tool_calls").and_then(Raw::bool),
        format: text
            .and_then(|text| given(&text, "format"))
            .map(format)
            .transpose()?
            .flatten(),
        thinking: reasoning.as_ref().and_then(thinking),
        shows_thinking: reasoning.as_ref().is_some_and(shows_thinking),
        thoughts: match reasoning.as_ref().is_some_and(shows_thinking) {
            true => Thoughts::Wanted,
            false => Thoughts::Unsaid,
        },
        end_user: said("safety_identifier").or_else(|| said("user")),
        tier: tier(object),
        metadata: given(object, "metadata").filter(|metadata| metadata.text() != "{}"),
        cache: None,
    })
}

/// An object among the request's fields, its own fields decided.
fn member<'a>(
    object: &Object<'a>,
    key: &'static str,
    table: &'static [loss::Field],
    ledger: &mut Ledger,
) -> Result<Option<Object<'a>>, BadRequest> {
    let Some(value) = given(object, key) else {
        return Ok(None);
    };
    let inner = value.object().ok_or_else(|| BadRequest::at(key, "must be an object"))?;
    loss::decide(&inner, table, &format_args!("{key}."), ledger)?;
    Ok(Some(inner))
}

/// What shall be in the answer beside what always is.
fn included(object: &Object<'_>, knobs: &mut Vec<Turned<'_>>, ledger: &mut Ledger) {
    let list = given(object, "include").and_then(Raw::elements);
    for wanted in list.into_iter().flatten().filter_map(Raw::string) {
        let field = || format!("include ({})", shown(&wanted));
        match &*wanted {
            // It always is there, as far as there is any.
            "reasoning.encrypted_content" => {}
            "message.output_text.logprobs" => knobs.extend(json::parse_value(b"true").ok().map(|value| Turned {
                knob: Knob::Logprobs,
                name: "include (message.output_text.logprobs)",
                value,
            })),
            _ => ledger.hint(field(), "no other dialect includes it"),
        }
    }
}

fn format(format: Raw<'_>) -> Result<Option<Format<'_>>, BadRequest> {
    let bad = |problem| BadRequest::at("text.format", problem);
    let object = format.object().ok_or_else(|| bad("must be an object"))?;
    match &*word(&object, "type") {
        "text" => Ok(None),
        "json_object" => Ok(Some(Format::Json)),
        "json_schema" => Ok(Some(Format::Schema {
            name: given(&object, "name"),
            description: given(&object, "description"),
            schema: given(&object, "schema"),
            strict: given(&object, "strict").and_then(Raw::bool).unwrap_or(false),
        })),
        _ => Err(bad("must be of type text, json_object or json_schema")),
    }
}

fn thinking<'a>(reasoning: &Object<'a>) -> Option<Thinking<'a>> {
    match given(reasoning, "effort") {
        Some(effort) if effort.text() == "\"none\"" => Some(Thinking::Off),
        Some(effort) => Some(Thinking::Effort(Some(effort))),
        None => shows_thinking(reasoning).then_some(Thinking::Effort(None)),
    }
}

fn shows_thinking(reasoning: &Object<'_>) -> bool {
    ["summary", "generate_summary"]
        .iter()
        .any(|key| given(reasoning, key).is_some())
}

fn tier<'a>(object: &Object<'a>) -> Option<Tier<'a>> {
    match &*word(object, "service_tier") {
        "" => None,
        "auto" => Some(Tier::Auto),
        "default" => Some(Tier::Standard),
        _ => given(object, "service_tier").map(Tier::Named),
    }
}
