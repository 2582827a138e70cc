//! Whole Gemini answers: looked at, decoded, encoded.

mod decode;
mod encode;

pub(in crate::dialect) use decode::decode;
pub(super) use decode::{Said, beside, part};
pub(in crate::dialect) use encode::encode;
pub(super) use encode::{write_call, write_finish, write_image, write_tail, write_thought};

use super::spelling::given;
use super::{finish, usage};
use crate::dialect::{Fault, Inspection, Operation, error};
use crate::json::{self, Object, Raw, Type};

/// Looks at an answer that will be passed through.
pub(in crate::dialect) fn inspect(operation: Operation, body: &[u8]) -> Result<Inspection, Fault> {
    let answer = parse(body)?;
    let wanted = match operation {
        Operation::EmbedOne => Some("embedding"),
        Operation::Embeddings => Some("embeddings"),
        Operation::CountTokens => Some("totalTokens"),
        Operation::Generate | Operation::Completions | Operation::Rerank => None,
    };
    if let Some(wanted) = wanted {
        return match given(&answer, wanted) {
            Some(_) => Ok(Inspection {
                usage: usage::of(&answer).filter(|_| operation != Operation::CountTokens),
            }),
            None => Err(Fault::malformed(format!("the answer has no {wanted}"))),
        };
    }
    let has_candidates = given(&answer, "candidates").is_some_and(|list| list.kind() == Type::Array);
    if !has_candidates && finish::blocked(&answer).is_none() {
        return Err(Fault::malformed(
            "the answer has neither candidates nor a reason why it has none",
        ));
    }
    Ok(Inspection {
        usage: usage::of(&answer),
    })
}

/// An answer, or a chunk of one, that is JSON and no error. Vertex AI wraps errors in an array.
pub(in crate::dialect) fn parse(body: &[u8]) -> Result<Object<'_>, Fault> {
    let malformed = |error| Fault::malformed(format!("the answer is not JSON: {error}"));
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(no_object(json::parse_value(body).map_err(malformed)?));
    }
    let object = json::parse(body).map_err(malformed)?;
    match error::within(&object) {
        Some(fault) => Err(fault),
        None => Ok(object),
    }
}

fn no_object(answer: Raw<'_>) -> Fault {
    let first = answer.elements().and_then(|mut elements| elements.next()?.object());
    match first {
        Some(first) => error::within(&first).unwrap_or_else(|| Fault::malformed("the answer is an array")),
        None => Fault::malformed("the answer is no object"),
    }
}

/// A string that says something.
fn text<'a>(object: &Object<'a>, key: &str) -> Option<crate::dialect::text::Text<'a>> {
    given(object, key)
        .and_then(crate::dialect::text::Text::of)
        .filter(|text| !text.is_empty())
}

/// The parts of a candidate.
pub(super) fn parts<'a>(candidate: &Object<'a>) -> impl Iterator<Item = Object<'a>> {
    let content = given(candidate, "content").and_then(Raw::object);
    let parts = content.and_then(|content| given(&content, "parts")?.elements());
    parts.into_iter().flat_map(json::Elements::objects).flatten()
}
