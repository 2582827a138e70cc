//! A Responses answer into the item form.

use crate::dialect::item::{Arguments, Call, Part, Reply};
use crate::dialect::loss::given;
use crate::dialect::responses::finish::{self, Circumstances};
use crate::dialect::responses::{carried, usage};
use crate::dialect::text::Text;
use crate::dialect::{Exchange, Fault};
use crate::json::{Object, Raw};

pub(in crate::dialect) fn decode<'a>(exchange: &Exchange, body: &'a [u8]) -> Result<Reply<'a>, Fault> {
    let answer = super::parse(body)?;
    let output = answer.get("output").and_then(Raw::elements);
    let output = output.ok_or_else(|| Fault::malformed("the answer has no array output"))?;
    let mut parts = Vec::with_capacity(4);
    for item in output.objects() {
        let item = item.ok_or_else(|| Fault::malformed("the answer has an item that is no object"))?;
        read(exchange, &item, &mut parts)?;
    }
    Ok(Reply {
        id: word(&answer, "id"),
        model: word(&answer, "model"),
        created: answer.get("created_at").and_then(Raw::u64),
        finish: finish::read(&answer, Circumstances::of(&parts))?,
        parts,
        usage: usage::of(&answer),
    })
}

/// An item; one that only the provider's own tools make is left out.
fn read<'a>(exchange: &Exchange, item: &Object<'a>, parts: &mut Vec<Part<'a>>) -> Result<(), Fault> {
    match &*item.get("type").and_then(Raw::string).unwrap_or_default() {
        "message" => parts.extend(
            given(item, "content")
                .and_then(Raw::elements)
                .into_iter()
                .flatten()
                .filter_map(said),
        ),
        "reasoning" => parts.extend(carried::read(item).into_iter().map(Part::Reasoning)),
        "function_call" => {
            let call = Call {
                id: word(item, "call_id").unwrap_or_else(|| call_id(exchange, parts.len())),
                name: word(item, "name").ok_or_else(nameless)?,
                arguments: Arguments::Quoted(given(item, "arguments").and_then(Text::of).unwrap_or(Text::from(""))),
            };
            parts.push(Part::Call(call));
        }
        _ => {}
    }
    Ok(())
}

fn said(part: Raw<'_>) -> Option<Part<'_>> {
    let part = part.object()?;
    match &*part.get("type").and_then(Raw::string).unwrap_or_default() {
        "refusal" => word(&part, "refusal").map(Part::Refusal),
        _ => word(&part, "text").map(Part::Text),
    }
}

pub(in crate::dialect::responses) fn nameless() -> Fault {
    Fault::malformed("the answer has a tool call that names no function")
}

/// An id for a call that the upstream gave none; unlike those of the conversation's other turns.
pub(in crate::dialect::responses) fn call_id(exchange: &Exchange, index: usize) -> Text<'static> {
    Text::from(format!("call_{}_{index}", exchange.request_id))
}

/// A string that says something.
pub(in crate::dialect::responses) fn word<'a>(object: &Object<'a>, key: &str) -> Option<Text<'a>> {
    given(object, key).and_then(Text::of).filter(|text| !text.is_empty())
}
