//! `finish_reason`, read.

use crate::dialect::item::Finish;
use crate::dialect::{Class, Fault};
use crate::json::{Object, Raw};

/// Reads why an answer ended. A fault where it did not come to its end, with the sentence that explains it, if there is
/// one.
pub(in crate::dialect) fn read(holder: &Object<'_>, calls: bool) -> Result<Finish<'static>, Fault> {
    let reason = holder.get("finish_reason").and_then(Raw::string).unwrap_or_default();
    match &*reason {
        "ERROR" => Err(broken(holder, 500, "the answer ended in an error")),
        "TIMEOUT" => Err(broken(holder, 504, "the answer took too long")),
        "STOP_SEQUENCE" => Ok(Finish::Sequence(None)),
        "MAX_TOKENS" => Ok(Finish::Length),
        "ERROR_LIMIT" => Ok(Finish::Window),
        "ERROR_TOXIC" => Ok(Finish::Refused(None)),
        "TOOL_CALL" => Ok(Finish::Calls),
        _ if calls => Ok(Finish::Calls),
        _ => Ok(Finish::Stop),
    }
}

fn broken(holder: &Object<'_>, status: u16, otherwise: &str) -> Fault {
    let told = holder
        .get("error")
        .and_then(Raw::string)
        .filter(|told| !told.is_empty());
    Fault {
        status: Some(status),
        ..Fault::new(Class::ServerError, told.as_deref().unwrap_or(otherwise))
    }
}
