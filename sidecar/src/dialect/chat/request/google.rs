//! Where Google's own chat endpoint puts the signature of a call's thought, and its clients return it:
//! `extra_content: {google: {thought_signature: …}}` on the tool call. It stands in `reasoning_details`, too; clients
//! keep the one or the other.

use crate::dialect::gemini::signature;
use crate::dialect::item::Reasoning;
use crate::dialect::loss::given;
use crate::dialect::text::Text;
use crate::json::{Object, ObjectWriter, Raw};

/// The signature in an entry of `reasoning_details`, if it is this call's.
pub(in crate::dialect::chat) fn of_call<'e>(entry: &'e str, call: &str) -> Option<Text<'e>> {
    let carried = signature::read(entry)?;
    (carried.call.as_deref() == Some(call)).then_some(carried.signature)
}

/// Writes it onto a tool call.
pub(in crate::dialect::chat) fn write(signature: &Text<'_>, call: &mut ObjectWriter<'_>) {
    let mut extra = call.object("extra_content");
    signature.write(extra.object("google").member("thought_signature"));
}

/// Reads it off a tool call.
pub(super) fn read(call: &Object<'_>, id: &str) -> Option<Reasoning<'static>> {
    let google = given(&given(call, "extra_content")?.object()?, "google").and_then(Raw::object)?;
    let signature = given(&google, "thought_signature").and_then(Text::of)?;
    Some(signature::carried(&signature, Some(id))).filter(|_| !signature.is_empty())
}
