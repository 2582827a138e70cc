//! A chat answer into the item form.

use crate::dialect::chat::finish::{self, Circumstances};
use crate::dialect::chat::request::read_details;
use crate::dialect::chat::usage;
use crate::dialect::item::{Arguments, Call, Part, Reasoning, Reply};
use crate::dialect::loss::given;
use crate::dialect::text::Text;
use crate::dialect::{Exchange, Fault};
use crate::json::{Elements, Object, Raw};

/// Decodes the first choice; a client of another dialect cannot ask for more.
pub(in crate::dialect) fn decode<'a>(exchange: &Exchange, body: &'a [u8]) -> Result<Reply<'a>, Fault> {
    let answer = super::parse(body)?;
    let choice = answer
        .get("choices")
        .and_then(Raw::elements)
        .and_then(|choices| choices.objects().next()?);
    let choice = choice.ok_or_else(|| Fault::malformed("the answer has no choice"))?;
    let message = choice.get("message").and_then(Raw::object);
    let message = message.ok_or_else(|| Fault::malformed("the answer's choice has no message"))?;
    let parts = parts(exchange, &message)?;
    let reason = choice.get("finish_reason").and_then(Raw::string).unwrap_or_default();
    if let Some(class) = finish::failure(&reason) {
        return Err(Fault::new(class, format!("the upstream ended with {reason}")));
    }
    let circumstances = Circumstances {
        calls: parts.iter().any(|part| matches!(part, Part::Call(_))),
        refuses: parts.iter().any(|part| matches!(part, Part::Refusal(_))),
        sequence: given(&choice, "stop_reason").and_then(Text::of),
    };
    Ok(Reply {
        id: word(&answer, "id"),
        model: word(&answer, "model"),
        created: answer.get("created").and_then(Raw::u64),
        parts,
        finish: finish::read(&reason, circumstances),
        usage: usage::of(&answer),
    })
}

fn parts<'a>(exchange: &Exchange, message: &Object<'a>) -> Result<Vec<Part<'a>>, Fault> {
    let mut parts = Vec::with_capacity(4);
    parts.extend(
        given(message, "reasoning_details")
            .into_iter()
            .flat_map(read_details)
            .map(Part::Reasoning),
    );
    if parts.is_empty() {
        let text = word(message, "reasoning_content").or_else(|| word(message, "reasoning"));
        parts.extend(text.map(Reasoning::Unsigned).map(Part::Reasoning));
    }
    match given(message, "content") {
        None => {}
        Some(content) => match Text::of(content) {
            Some(text) => parts.extend(Some(text).filter(|text| !text.is_empty()).map(Part::Text)),
            None => parts.extend(content.elements().into_iter().flatten().flat_map(chunk)),
        },
    }
    parts.extend(word(message, "refusal").map(Part::Refusal));
    for (index, call) in given(message, "tool_calls")
        .and_then(Raw::elements)
        .into_iter()
        .flat_map(Elements::objects)
        .enumerate()
    {
        parts.push(Part::Call(tool_call(exchange, index, call)?));
    }
    Ok(parts)
}

/// Mistral's content is a list while it thinks: `{"type":"thinking","thinking":[{"type":"text",…}]}`.
pub(in crate::dialect::chat) fn chunk(chunk: Raw<'_>) -> Vec<Part<'_>> {
    let Some(object) = chunk.object() else {
        return Vec::new();
    };
    let thoughts = given(&object, "thinking").and_then(Raw::elements).into_iter().flatten();
    let thoughts = thoughts.filter_map(|thought| word(&thought.object()?, "text"));
    let thoughts = thoughts.map(|text| Part::Reasoning(Reasoning::Unsigned(text)));
    thoughts.chain(word(&object, "text").map(Part::Text)).collect()
}

fn tool_call<'a>(exchange: &Exchange, index: usize, call: Option<Object<'a>>) -> Result<Call<'a>, Fault> {
    let bad = || Fault::malformed("the answer has a tool call that names no function");
    let call = call.ok_or_else(bad)?;
    let function = call.get("function").and_then(Raw::object).ok_or_else(bad)?;
    let arguments = given(&function, "arguments");
    let quoted = arguments.and_then(Text::of).map(Arguments::Quoted);
    Ok(Call {
        id: word(&call, "id").unwrap_or_else(|| call_id(exchange, index)),
        name: word(&function, "name").ok_or_else(bad)?,
        arguments: quoted
            .or_else(|| arguments.map(Arguments::Object))
            .unwrap_or_else(|| Arguments::Quoted(Text::from(""))),
    })
}

/// An id for a call that the upstream gave none; unlike those of the conversation's other turns.
pub(in crate::dialect::chat) fn call_id(exchange: &Exchange, index: usize) -> Text<'static> {
    Text::from(format!("call_{}_{index}", exchange.request_id))
}

/// A string that says something.
fn word<'a>(object: &Object<'a>, key: &str) -> Option<Text<'a>> {
    given(object, key).and_then(Text::of).filter(|text| !text.is_empty())
}
