//! A whole Ollama answer into the item form.

use crate::dialect::item::{Arguments, Call, Part, Reasoning, Reply};
use crate::dialect::loss::given;
use crate::dialect::ollama::{finish, usage};
use crate::dialect::text::Text;
use crate::dialect::{Exchange, Fault, Losses, error};
use crate::json::{self, Object, Raw};

pub(in crate::dialect) fn decode<'a>(exchange: &Exchange, body: &'a [u8]) -> Result<Reply<'a>, Fault> {
    let answer = parse(body)?;
    let message = answer.get("message").and_then(Raw::object);
    let message = message.ok_or_else(|| Fault::malformed("the answer has no message"))?;
    let mut parts = Vec::with_capacity(2);
    parts.extend(string(&message, "thinking").map(|text| Part::Reasoning(Reasoning::Unsigned(text))));
    parts.extend(string(&message, "content").map(Part::Text));
    for (number, call) in calls(&message).enumerate() {
        parts.push(Part::Call(read_call(exchange, number, &call?)?));
    }
    let called = parts.iter().any(|part| matches!(part, Part::Call(_)));
    Ok(Reply {
        id: None,
        model: string(&answer, "model"),
        created: None,
        finish: finish::read(&answer, called)?,
        parts,
        remarks: Vec::new(),
        usage: usage::of(&answer),
        lost: Losses::new(),
    })
}

/// An answer, or a line of one, that is JSON and no error.
pub(super) fn parse(body: &[u8]) -> Result<Object<'_>, Fault> {
    let answer = json::parse(body).map_err(|error| Fault::malformed(format!("the answer is not JSON: {error}")))?;
    match error::within(&answer) {
        Some(fault) => Err(fault),
        None => Ok(answer),
    }
}

/// The functions that a message calls.
pub(super) fn calls<'a>(message: &Object<'a>) -> impl Iterator<Item = Result<Object<'a>, Fault>> {
    let list = given(message, "tool_calls").and_then(Raw::elements);
    list.into_iter()
        .flat_map(json::Elements::objects)
        .map(|call| call.ok_or_else(|| Fault::malformed("a tool call is no object")))
}

/// A call; older servers give it no id, so it gets one of the answer's.
pub(super) fn read_call<'a>(exchange: &Exchange, number: usize, call: &Object<'a>) -> Result<Call<'a>, Fault> {
    let function = given(call, "function").and_then(Raw::object);
    let named = function.and_then(|function| Some((string(&function, "name")?, function)));
    let (name, function) = named.ok_or_else(|| Fault::malformed("a tool call has no function with a name"))?;
    let id = string(call, "id").unwrap_or_else(|| Text::from(format!("call_{}_{number}", exchange.request_id)));
    let arguments = match given(&function, "arguments") {
        Some(written) => Text::of(written).map_or(Arguments::Object(written), Arguments::Quoted),
        None => Arguments::Quoted(Text::from("{}")),
    };
    Ok(Call { id, name, arguments })
}

/// A string that says something.
pub(super) fn string<'a>(object: &Object<'a>, key: &str) -> Option<Text<'a>> {
    given(object, key).and_then(Text::of).filter(|text| !text.is_empty())
}
