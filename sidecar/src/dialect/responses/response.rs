//! Whole Responses answers: looked at, decoded, encoded.

mod decode;
mod encode;

pub(in crate::dialect) use decode::decode;
pub(super) use decode::{call_id, citation, generated, nameless, unsaid, word};
pub(in crate::dialect) use encode::encode;
pub(super) use encode::{NO_ARGUMENTS, item_id, write_citation, write_head, write_image, write_repeated};

use super::{finish, usage};
use crate::dialect::loss::given;
use crate::dialect::{Fault, Inspection, error};
use crate::json::{self, Object, Raw, Type};

/// Looks at an answer that will be passed through. One that goes on in the background has no end yet.
pub(in crate::dialect) fn inspect(body: &[u8]) -> Result<Inspection, Fault> {
    let answer = parse(body)?;
    if answer.get("output").is_none_or(|output| output.kind() != Type::Array) {
        return Err(Fault::malformed("the answer has no array output"));
    }
    let status = given(&answer, "status").and_then(Raw::string);
    match status.as_deref() {
        Some(status @ ("failed" | "cancelled")) => Err(finish::failure(&answer, status)),
        _ => Ok(Inspection {
            usage: usage::of(&answer),
        }),
    }
}

/// An answer that is JSON and no error.
fn parse(body: &[u8]) -> Result<Object<'_>, Fault> {
    let answer = json::parse(body).map_err(|error| Fault::malformed(format!("the answer is not JSON: {error}")))?;
    match error::within(&answer) {
        Some(fault) => Err(fault),
        None => Ok(answer),
    }
}
