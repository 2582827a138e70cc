//! Whole Anthropic answers: looked at, decoded, encoded.

mod decode;
mod encode;

pub(in crate::dialect) use decode::decode;
pub(in crate::dialect) use encode::encode;
pub(super) use encode::{write_head, write_reasoning};

use crate::dialect::messages::usage;
use crate::dialect::{Fault, Inspection, Operation, error};
use crate::json::{self, Object, Type};

/// Looks at an answer that will be passed through.
pub(in crate::dialect) fn inspect(operation: Operation, body: &[u8]) -> Result<Inspection, Fault> {
    let answer = parse(body)?;
    if operation == Operation::CountTokens {
        let counted = answer.get("input_tokens").map(|_| Inspection::default());
        return counted.ok_or_else(|| Fault::malformed("the answer has no input_tokens"));
    }
    if answer
        .get("content")
        .is_none_or(|content| content.kind() != Type::Array)
    {
        return Err(Fault::malformed("the answer has no array content"));
    }
    Ok(Inspection {
        usage: usage::of(&answer),
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
