//! `done_reason`, read.

use crate::dialect::item::Finish;
use crate::dialect::{Class, Fault};
use crate::json::{Object, Raw};

/// Reads why an answer ended; calls have no word of their own. A fault where nothing was answered at all.
pub(in crate::dialect) fn read(answer: &Object<'_>, calls: bool) -> Result<Finish<'static>, Fault> {
    let reason = answer.get("done_reason").and_then(Raw::string).unwrap_or_default();
    match &*reason {
        "load" | "unload" => Err(Fault {
            status: Some(503),
            ..Fault::new(Class::Limited, format!("the model was not ready to answer: {reason}"))
        }),
        "length" => Ok(Finish::Length),
        _ if calls => Ok(Finish::Calls),
        _ => Ok(Finish::Stop),
    }
}
