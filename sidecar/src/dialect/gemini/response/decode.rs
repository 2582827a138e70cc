//! A Gemini answer into the item form.

use crate::dialect::gemini::signature;
use crate::dialect::gemini::spelling::given;
use crate::dialect::gemini::{finish, usage};
use crate::dialect::item::{Arguments, Call, Finish, Part, Reasoning, Reply};
use crate::dialect::text::Text;
use crate::dialect::{ClientDialect, Exchange, Fault};
use crate::json::{Object, Raw, Type};
use smallvec::SmallVec;

/// Decodes the first candidate; a client of another dialect cannot ask for more.
pub(in crate::dialect) fn decode<'a>(exchange: &Exchange, body: &'a [u8]) -> Result<Reply<'a>, Fault> {
    let answer = super::parse(body)?;
    let candidate = finish::candidate(&answer);
    let mut parts = Vec::with_capacity(4);
    let mut calls = 0;
    for object in candidate.iter().flat_map(super::parts) {
        for said in part(&object, exchange, calls)? {
            match said {
                Said::Text(text) => parts.push(Part::Text(text)),
                Said::Reasoning(reasoning) => parts.push(Part::Reasoning(reasoning)),
                Said::Call(call) => {
                    calls += 1;
                    parts.push(Part::Call(call));
                }
            }
        }
    }
    let finished = match &candidate {
        Some(candidate) => finish::read(candidate, calls > 0)?,
        None => finish::blocked(&answer),
    };
    let missing = || Fault::malformed("the answer has no candidate that finished");
    let finish = match finished {
        Some(finish) => finish,
        // Compatible servers leave the reason out.
        None if !parts.is_empty() => {
            if calls > 0 {
                Finish::Calls
            } else {
                Finish::Stop
            }
        }
        None => return Err(missing()),
    };
    Ok(Reply {
        id: super::text(&answer, "responseId"),
        model: super::text(&answer, "modelVersion"),
        created: None,
        parts,
        finish,
        usage: usage::of(&answer),
    })
}

/// What a part says; its signature stands before a call and before a text.
#[derive(Debug)]
pub(in crate::dialect::gemini) enum Said<'a> {
    Text(Text<'a>),
    Reasoning(Reasoning<'a>),
    Call(Call<'a>),
}

/// Reads a part of an answer; `calls` came before it. What the provider's own tools did, and pictures, have no place
/// in another dialect's answer.
pub(in crate::dialect::gemini) fn part<'a>(
    part: &Object<'a>,
    exchange: &Exchange,
    calls: usize,
) -> Result<SmallVec<[Said<'a>; 2]>, Fault> {
    let mut said = SmallVec::new();
    let signed = super::text(part, "thoughtSignature");
    if let Some(call) = given(part, "functionCall") {
        let call = function_call(call, exchange, calls)?;
        let carried = signed.map(|signed| signature::carried(&signed, Some(&call.id.plain())));
        said.extend(carried.map(Said::Reasoning));
        said.push(Said::Call(call));
        return Ok(said);
    }
    let text = super::text(part, "text");
    if given(part, "thought").and_then(Raw::bool) == Some(true) {
        said.extend(text.map(Reasoning::Unsigned).map(Said::Reasoning));
        return Ok(said);
    }
    // Google does without it, and clients of other dialects take the last block for the text.
    let signed = signed.filter(|_| exchange.client == ClientDialect::Chat);
    let carried = signed.map(|signed| signature::carried(&signed, None));
    said.extend(carried.map(Said::Reasoning));
    said.extend(text.map(Said::Text));
    Ok(said)
}

fn function_call<'a>(call: Raw<'a>, exchange: &Exchange, calls: usize) -> Result<Call<'a>, Fault> {
    let bad = || Fault::malformed("the answer has a function call that names no function");
    let call = call.object().ok_or_else(bad)?;
    let id = super::text(&call, "id");
    let arguments = given(&call, "args").filter(|args| args.kind() == Type::Object);
    Ok(Call {
        // Older models give none; it must be unlike those of the conversation's other turns.
        id: id.unwrap_or_else(|| Text::from(format!("call_{}_{calls}", exchange.request_id))),
        name: super::text(&call, "name").ok_or_else(bad)?,
        arguments: arguments.map_or(Arguments::Quoted(Text::from("{}")), Arguments::Object),
    })
}
