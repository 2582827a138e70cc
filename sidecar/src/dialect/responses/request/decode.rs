//! A Responses request into the item form.

use super::{fields, input, settings, tools};
use crate::dialect::item::Request;
use crate::dialect::loss::{self, Ledger};
use crate::dialect::{Asked, BadRequest};
use crate::json::{Object, Raw};
use std::borrow::Cow;

/// Decodes the request of a Responses client.
pub(in crate::dialect) fn decode<'a>(asked: &Asked<'a>, ledger: &mut Ledger) -> Result<Request<'a>, BadRequest> {
    let object = &asked.object;
    let knobs = loss::decide(object, fields::REQUEST, &"", ledger)?;
    let (tools, search) = tools::declared(object, ledger)?;
    let settings = settings::read(asked, knobs, ledger)?;
    let items = input::read(object, ledger)?;
    Ok(Request {
        settings,
        tools,
        search,
        items,
        allowed: tools::allowed(object),
    })
}

/// What `field` of `object` says, when it is a string.
pub(super) fn word<'a>(object: &Object<'a>, field: &str) -> Cow<'a, str> {
    object.get(field).and_then(Raw::string).unwrap_or_default()
}
