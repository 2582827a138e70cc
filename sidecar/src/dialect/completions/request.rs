//! A completions request into the item form.

use crate::dialect::Grade::Meaning;
use crate::dialect::item::{Item, Knob, Names, Part, Place, Request, Role, Settings, Thoughts};
use crate::dialect::loss::Fate::{Knob as Turn, Lost, Ours, Read};
use crate::dialect::loss::{self, Field, Ledger, field, field_unless, given};
use crate::dialect::text::Text;
use crate::dialect::{Asked, BadRequest, chat};
use crate::json::Object;

/// What the fields are called that other dialects have too.
const NAMES: Names = Names {
    conversation: "prompt",
    max_output: "max_tokens",
    ..chat::request::NAMES
};

/// Sorted by name.
const REQUEST: &[Field] = &[
    field_unless(
        "best_of",
        &["1"],
        Lost(Meaning, "a conversation has one answer, not the best of several"),
    ),
    field_unless(
        "echo",
        &["false"],
        Lost(Meaning, "the answer to a conversation does not repeat it"),
    ),
    field_unless("frequency_penalty", &["0", "0.0"], Turn(Knob::FrequencyPenalty)),
    field_unless("logit_bias", &["{}"], Turn(Knob::LogitBias)),
    field(
        "logprobs",
        Lost(Meaning, "conversations have no log probabilities in this form"),
    ),
    field("max_tokens", Read),
    field("model", Ours),
    field_unless("n", &["1"], Lost(Meaning, "a conversation is answered once")),
    field_unless("presence_penalty", &["0", "0.0"], Turn(Knob::PresencePenalty)),
    field("prompt", Read),
    field("seed", Turn(Knob::Seed)),
    field("stop", Read),
    field("stream", Ours),
    field("stream_options", Ours),
    field_unless(
        "suffix",
        &["\"\""],
        Lost(Meaning, "nothing can stand behind the answer to a conversation"),
    ),
    field("temperature", Turn(Knob::Temperature)),
    field("top_k", Turn(Knob::TopK)),
    field_unless("top_p", &["1", "1.0"], Turn(Knob::TopP)),
    field("user", Read),
];

/// The table, for the test that keeps it sorted.
#[cfg(test)]
pub(in crate::dialect) const TABLES: &[&[Field]] = &[REQUEST];

/// Decodes the request of a client of completions.
pub(in crate::dialect) fn decode<'a>(asked: &Asked<'a>, ledger: &mut Ledger) -> Result<Request<'a>, BadRequest> {
    let object = &asked.object;
    let knobs = loss::decide(object, REQUEST, &"", ledger)?;
    let settings = Settings {
        names: NAMES,
        stream: asked.stream,
        knobs,
        max_output: given(object, "max_tokens"),
        stop: chat::request::stop(object)?,
        tool_choice: None,
        parallel_calls: None,
        format: None,
        thinking: None,
        shows_thinking: false,
        thoughts: Thoughts::Unsaid,
        end_user: given(object, "user").and_then(Text::of).filter(|user| !user.is_empty()),
        tier: None,
        metadata: None,
        cache: None,
    };
    Ok(Request {
        settings,
        tools: Vec::new(),
        search: None,
        items: vec![prompt(object)?],
        allowed: None,
    })
}

/// One text, alone or in a list of one. Several would be several answers, and the numbers of tokens mean something to
/// one model only.
fn prompt<'a>(object: &Object<'a>) -> Result<Item<'a>, BadRequest> {
    let bad = |problem: &str| BadRequest::at("prompt", problem);
    let given = given(object, "prompt").ok_or_else(|| bad("is missing"))?;
    let text = match given.elements() {
        None => Text::of(given),
        Some(mut several) => match (several.next(), several.next()) {
            (Some(one), None) => Text::of(one),
            _ => return Err(bad("must be one text where it is answered as a conversation is")),
        },
    };
    let text = text.ok_or_else(|| bad("must be a text and no tokens where it is answered as a conversation is"))?;
    if text.is_blank() {
        return Err(bad("must not be empty"));
    }
    Ok(Item {
        role: Role::User,
        place: Place {
            list: "prompt",
            entry: None,
            message: Some(0),
            field: "prompt",
            index: None,
            depth: 0,
        },
        part: Part::Text(text),
        cache: None,
        detail: None,
    })
}
