//! A whole Converse answer into the item form.

use crate::dialect::converse::{finish, usage};
use crate::dialect::item::{Arguments, Call, Part, Reasoning, Reply};
use crate::dialect::loss::given;
use crate::dialect::text::Text;
use crate::dialect::{Fault, error};
use crate::json::{self, Object, Raw};

pub(in crate::dialect) fn decode(body: &[u8]) -> Result<Reply<'_>, Fault> {
    let answer = json::parse(body).map_err(|error| Fault::malformed(format!("the answer is not JSON: {error}")))?;
    if let Some(fault) = error::within(&answer) {
        return Err(fault);
    }
    let content = content(&answer).ok_or_else(|| Fault::malformed("the answer has no output.message.content"))?;
    let mut parts = Vec::with_capacity(4);
    for block in content.objects() {
        let block = block.ok_or_else(|| Fault::malformed("the answer has a block that is no object"))?;
        read_block(&block, &mut parts)?;
    }
    let calls = parts.iter().any(|part| matches!(part, Part::Call(_)));
    Ok(Reply {
        id: None,
        model: None,
        created: None,
        finish: finish::read(&answer, calls)?,
        parts,
        usage: usage::of(&answer),
    })
}

fn content<'a>(answer: &Object<'a>) -> Option<json::Elements<'a>> {
    let message = answer.get("output")?.object()?.get("message")?.object()?;
    message.get("content")?.elements()
}

/// A block is what its one member says; one that only AWS's own tools make is left out.
fn read_block<'a>(block: &Object<'a>, parts: &mut Vec<Part<'a>>) -> Result<(), Fault> {
    let inner = |key| given(block, key).and_then(Raw::object);
    if let Some(text) = string(block, "text") {
        parts.push(Part::Text(text));
    } else if let Some(call) = inner("toolUse") {
        parts.extend(read_call(&call)?.map(Part::Call));
    } else if let Some(reasoning) = inner("reasoningContent") {
        parts.extend(read_reasoning(&reasoning).map(Part::Reasoning));
    } else if let Some(cited) = inner("citationsContent") {
        let texts = given(&cited, "content").and_then(Raw::elements);
        let texts = texts.into_iter().flat_map(json::Elements::objects).flatten();
        parts.extend(texts.filter_map(|text| string(&text, "text")).map(Part::Text));
    }
    Ok(())
}

/// A call for the client to answer; those of AWS's own tools have a type.
fn read_call<'a>(call: &Object<'a>) -> Result<Option<Call<'a>>, Fault> {
    if given(call, "type").is_some() {
        return Ok(None);
    }
    let need = |key: &str| {
        string(call, key).ok_or_else(|| Fault::malformed(format!("the answer has a toolUse without {key}")))
    };
    Ok(Some(Call {
        id: need("toolUseId")?,
        name: need("name")?,
        arguments: given(call, "input").map_or(Arguments::Quoted(Text::from("{}")), Arguments::Object),
    }))
}

fn read_reasoning<'a>(reasoning: &Object<'a>) -> Option<Reasoning<'a>> {
    if let Some(data) = string(reasoning, "redactedContent") {
        return Some(Reasoning::Sealed(data));
    }
    let thought = given(reasoning, "reasoningText")?.object()?;
    let text = given(&thought, "text").and_then(Text::of)?;
    Some(match string(&thought, "signature") {
        Some(signature) => Reasoning::Signed { text, signature },
        None => Reasoning::Unsigned(text),
    })
}

/// A string that says something.
fn string<'a>(object: &Object<'a>, key: &str) -> Option<Text<'a>> {
    given(object, key).and_then(Text::of).filter(|text| !text.is_empty())
}
