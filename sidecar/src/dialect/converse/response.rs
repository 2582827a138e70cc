//! A whole Converse answer into the item form.

use crate::dialect::converse::{finish, usage};
use crate::dialect::item::{Arguments, Call, Part, Reasoning, Reply, Source};
use crate::dialect::loss::given;
use crate::dialect::text::Text;
use crate::dialect::{Fault, Losses, error, unsaid};
use crate::json::{self, Object, Raw};

pub(in crate::dialect) fn decode(body: &[u8]) -> Result<Reply<'_>, Fault> {
    let answer = json::parse(body).map_err(|error| Fault::malformed(format!("the answer is not JSON: {error}")))?;
    if let Some(fault) = error::within(&answer) {
        return Err(fault);
    }
    let content = content(&answer).ok_or_else(|| Fault::malformed("the answer has no output.message.content"))?;
    let (mut parts, mut lost) = (Vec::with_capacity(4), Losses::new());
    let mut content = content.in_turn();
    while let Some((_, block)) = content.advance() {
        let block = block.ok_or_else(|| Fault::malformed("the answer has a block that is no object"))?;
        read_block(block, &mut parts, &mut lost)?;
    }
    let calls = parts.iter().any(|part| matches!(part, Part::Call(_)));
    Ok(Reply {
        id: None,
        model: None,
        created: None,
        finish: finish::read(&answer, calls)?,
        parts,
        remarks: Vec::new(),
        usage: usage::of(&answer),
        lost,
    })
}

fn content<'a>(answer: &Object<'a>) -> Option<json::Elements<'a>> {
    let message = answer.get("output")?.object()?.get("message")?.object()?;
    message.get("content")?.elements()
}

/// A block is what its one member says; one that only AWS's own tools make is lost.
fn read_block<'a>(block: &Object<'a>, parts: &mut Vec<Part<'a>>, lost: &mut Losses) -> Result<(), Fault> {
    let inner = |key| given(block, key).and_then(Raw::object);
    if let Some(text) = string(block, "text") {
        parts.push(Part::Text(text));
    } else if let Some(call) = inner("toolUse") {
        match read_call(&call)? {
            Some(call) => parts.push(Part::Call(call)),
            None => lost.push(unsaid::foreign(SERVER_TOOL)),
        }
    } else if let Some(reasoning) = inner("reasoningContent") {
        parts.extend(read_reasoning(&reasoning).map(Part::Reasoning));
    } else if let Some(cited) = inner("citationsContent") {
        let texts = given(&cited, "content").and_then(Raw::elements);
        let texts = texts.into_iter().flat_map(json::Elements::objects).flatten();
        parts.extend(texts.filter_map(|text| string(&text, "text")).map(Part::Text));
        lost.push(unsaid::hint("citationsContent", "citations are not translated"));
    } else if let Some(image) = inner("image").and_then(|image| read_image(&image)) {
        parts.push(Part::Image(image));
    } else if let Some(kind) = block.members().iter().find(|member| !is_blank(member.value)) {
        lost.push(unsaid::foreign(&kind.key()));
    }
    Ok(())
}

/// What a call of a tool of AWS's own is reported as.
pub(super) const SERVER_TOOL: &str = "toolUse.server";

fn is_blank(value: Raw<'_>) -> bool {
    matches!(value.text(), "\"\"" | "null" | "{}")
}

/// `{"format":"png","source":{"bytes":…}}`.
fn read_image<'a>(image: &Object<'a>) -> Option<Source<'a>> {
    let format = image.get("format")?.string()?;
    let source = image.get("source")?.object()?;
    Some(Source::Base64 {
        media_type: Text::from(format!("image/{format}")),
        data: string(&source, "bytes")?,
    })
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
