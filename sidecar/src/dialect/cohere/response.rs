//! A whole Cohere answer into the item form.

use crate::dialect::cohere::{finish, usage};
use crate::dialect::item::{Arguments, Call, Part, Reasoning, Reply};
use crate::dialect::loss::given;
use crate::dialect::text::Text;
use crate::dialect::{Fault, Losses, error, unsaid};
use crate::json::{self, Object, Raw};

pub(in crate::dialect) fn decode(body: &[u8]) -> Result<Reply<'_>, Fault> {
    let answer = parse(body)?;
    let message = given(&answer, "message").and_then(Raw::object);
    let message = message.ok_or_else(|| Fault::malformed("the answer has no message"))?;
    let (mut parts, mut lost) = (Vec::with_capacity(2), Losses::new());
    for block in objects(&message, "content") {
        let block = block.ok_or_else(|| Fault::malformed("a content block is no object"))?;
        parts.extend(string(&block, "thinking").map(|text| Part::Reasoning(Reasoning::Unsigned(text))));
        parts.extend(string(&block, "text").map(Part::Text));
        let kind = block.get("type").and_then(Raw::string).unwrap_or_default();
        if !matches!(&*kind, "" | "text" | "thinking") {
            lost.push(unsaid::foreign(&kind));
        }
    }
    if objects(&message, "citations").next().is_some() {
        lost.push(unsaid::hint("citations", NOT_CITED));
    }
    parts.extend(string(&message, "tool_plan").map(Part::Text));
    for call in objects(&message, "tool_calls") {
        let call = call.and_then(|call| read_call(&call));
        let mut call = call.ok_or_else(|| Fault::malformed("a tool call has no id or no name"))?;
        if matches!(&call.arguments, Arguments::Quoted(text) if text.is_empty()) {
            call.arguments = Arguments::Quoted(Text::from("{}"));
        }
        parts.push(Part::Call(call));
    }
    let called = parts.iter().any(|part| matches!(part, Part::Call(_)));
    Ok(Reply {
        id: string(&answer, "id"),
        model: None,
        created: None,
        finish: finish::read(&answer, called)?,
        parts,
        remarks: Vec::new(),
        usage: usage::of(&answer),
        lost,
    })
}

pub(super) const NOT_CITED: &str = "citations are not translated";

/// An answer, or an event of one, that is JSON and no error.
pub(super) fn parse(body: &[u8]) -> Result<Object<'_>, Fault> {
    let answer = json::parse(body).map_err(|error| Fault::malformed(format!("the answer is not JSON: {error}")))?;
    match error::within(&answer) {
        Some(fault) => Err(fault),
        None => Ok(answer),
    }
}

fn objects<'a>(holder: &Object<'a>, key: &str) -> impl Iterator<Item = Option<Object<'a>>> {
    let list = given(holder, key).and_then(Raw::elements);
    list.into_iter().flat_map(json::Elements::objects)
}

/// A call, or the beginning of one.
pub(super) fn read_call<'a>(call: &Object<'a>) -> Option<Call<'a>> {
    let function = given(call, "function").and_then(Raw::object)?;
    let name = string(&function, "name")?;
    Some(Call {
        id: string(call, "id")?,
        name,
        arguments: Arguments::Quoted(string(&function, "arguments").unwrap_or(Text::from(""))),
    })
}

/// A string that says something.
pub(super) fn string<'a>(object: &Object<'a>, key: &str) -> Option<Text<'a>> {
    given(object, key).and_then(Text::of).filter(|text| !text.is_empty())
}
