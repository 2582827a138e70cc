//! Whole chat answers: looked at, decoded, encoded.

mod decode;
mod encode;

pub(in crate::dialect) use decode::decode;
pub(super) use decode::{chunk, citations, images, logprobs, sources, unsaid};
pub(in crate::dialect) use encode::encode;
pub(in crate::dialect) use encode::write_head;
pub(super) use encode::{write_citation, write_image};

use crate::dialect::chat::{finish, usage};
use crate::dialect::{Fault, Inspection, Operation, error};
use crate::json::{self, Object, Raw, Type};

/// Looks at an answer that will be passed through.
pub(in crate::dialect) fn inspect(operation: Operation, body: &[u8]) -> Result<Inspection, Fault> {
    let answer = parse(body)?;
    let list = match operation {
        Operation::Embeddings | Operation::EmbedOne => "data",
        Operation::Rerank => "results",
        Operation::Generate | Operation::Completions | Operation::CountTokens => "choices",
    };
    if answer.get(list).is_none_or(|list| list.kind() != Type::Array) {
        return Err(Fault::malformed(format!("the answer has no array {list}")));
    }
    if let Some(fault) = broken(&answer) {
        return Err(fault);
    }
    Ok(Inspection {
        usage: match operation {
            Operation::Rerank => usage::of_ranking(&answer),
            _ => usage::of(&answer),
        },
    })
}

/// An answer that is JSON and no error.
pub(in crate::dialect) fn parse(body: &[u8]) -> Result<Object<'_>, Fault> {
    let answer = json::parse(body).map_err(|error| Fault::malformed(format!("the answer is not JSON: {error}")))?;
    match error::within(&answer) {
        Some(fault) => Err(fault),
        None => Ok(answer),
    }
}

/// The first choice says that the upstream broke.
fn broken(answer: &Object<'_>) -> Option<Fault> {
    if !finish::may_fail(answer.text()) {
        return None;
    }
    let choice = answer.get("choices")?.elements()?.objects().next()??;
    let reason = choice.get("finish_reason").and_then(Raw::string)?;
    finish::failure(&reason).map(|class| Fault::new(class, format!("the upstream ended with {reason}")))
}
