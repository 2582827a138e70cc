//! Gemini's contents: a signature beside the call that it belongs to.
//!
//! What is kept is an array: the signatures of an answer's calls in their order, null for one without.

use super::{Place, Splices};
use crate::dialect::Reasoned;
use crate::dialect::gemini::spelling::{List, given, list};
use crate::json::{self, ArrayWriter, Object, Raw};
use memchr::memmem;
use std::borrow::Cow;

/// The calls of an answer, as they come.
#[derive(Debug, Default)]
pub(super) struct Signed {
    call: Option<String>,
    /// JSON strings.
    signatures: Vec<Option<String>>,
}

impl Signed {
    /// Reads on.
    pub(super) fn chunk(&mut self, data: &[u8]) {
        if memmem::find(data, b"unction").is_none() {
            return;
        }
        let Ok(answer) = json::parse(data) else { return };
        let candidates = given(&answer, "candidates").and_then(Raw::elements);
        let first = candidates.and_then(|candidates| candidates.objects().next()?);
        let content = first.and_then(|candidate| given(&candidate, "content")?.object());
        for (part, call) in content.iter().flat_map(calls) {
            self.call.get_or_insert_with(|| name(&call).into_owned());
            self.signatures
                .push(signature(&part).map(|signature| signature.text().to_owned()));
        }
    }

    /// Nothing unless somebody signed.
    pub(super) fn finish(&mut self) -> Option<Reasoned> {
        let Self { call, signatures } = std::mem::take(self);
        signatures.iter().any(Option::is_some).then_some(())?;
        let mut entries = Vec::new();
        let mut list = ArrayWriter::new(&mut entries);
        for signature in &signatures {
            match signature
                .as_ref()
                .and_then(|text| json::parse_value(text.as_bytes()).ok())
            {
                Some(signature) => list.raw(signature),
                None => list.element().null(),
            }
        }
        list.end();
        Reasoned::signed(call?, String::from_utf8(entries).ok()?)
    }
}

pub(super) fn of_answer(answer: &[u8]) -> Option<Reasoned> {
    let mut signed = Signed::default();
    signed.chunk(answer);
    signed.finish()
}

pub(super) fn is_returned(content: &Object<'_>) -> bool {
    calls(content).any(|(part, _)| signature(&part).is_some())
}

pub(super) fn call<'a>(content: &Object<'a>) -> Option<Cow<'a, str>> {
    calls(content).next().map(|(_, call)| name(&call))
}

pub(super) fn put<'a>(kept: &str, place: &Place<'_, 'a>) -> Splices {
    let kept = json::parse_value(kept.as_bytes());
    let signatures = kept.ok().and_then(Raw::elements).into_iter().flatten();
    let signed = calls(place.turn).zip(signatures).filter(|(_, kept)| !kept.is_null());
    let splices = signed.map(|((part, _), signature)| {
        let fresh = format!("\"thoughtSignature\":{},", signature.text());
        (place.inside(&part), fresh.into_bytes())
    });
    splices.collect()
}

/// The parts that call, with the call.
fn calls<'a>(content: &Object<'a>) -> impl Iterator<Item = (Object<'a>, Object<'a>)> + use<'a> {
    let parts = list(content, "parts");
    let parts = parts.into_iter().flat_map(List::objects).flatten();
    parts.filter_map(|part| {
        let call = given(&part, "functionCall")?.object()?;
        Some((part, call))
    })
}

fn signature<'a>(part: &Object<'a>) -> Option<Raw<'a>> {
    given(part, "thoughtSignature").filter(|signature| signature.text().len() > 2)
}

/// Its id; Google leaves that out mostly, and then it is what it calls.
fn name<'a>(call: &Object<'a>) -> Cow<'a, str> {
    let name = given(call, "id").or_else(|| given(call, "name"));
    name.and_then(Raw::string).unwrap_or_default()
}
