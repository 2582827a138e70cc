//! Anthropic's messages: thinking stands in front of what follows from it.

use super::Place;
use crate::dialect::item::Reasoning;
use crate::dialect::loss::given;
use crate::dialect::messages::request::write_reasoning;
use crate::dialect::reasoned::read;
use crate::json::{Elements, Object, ObjectWriter, Raw};
use std::borrow::Cow;
use std::ops::Range;

fn blocks<'a>(message: &Object<'a>) -> impl Iterator<Item = (Cow<'a, str>, Object<'a>)> + use<'a> {
    let list = given(message, "content").and_then(Raw::elements);
    let objects = list.into_iter().flat_map(Elements::objects).flatten();
    objects.filter_map(|block| Some((block.get("type")?.string()?, block)))
}

pub(super) fn is_returned(message: &Object<'_>) -> bool {
    blocks(message).any(|(kind, _)| matches!(&*kind, "thinking" | "redacted_thinking"))
}

pub(super) fn call<'a>(message: &Object<'a>) -> Option<Cow<'a, str>> {
    let mut calls = blocks(message).filter(|(kind, _)| kind == "tool_use");
    calls.next()?.1.get("id")?.string()
}

/// Before the first block.
pub(super) fn put(kept: &str, place: &Place<'_, '_>) -> Option<(Range<usize>, Vec<u8>)> {
    let mut fresh = Vec::new();
    let signed = |reasoning: &&Reasoning<'_>| matches!(reasoning, Reasoning::Signed { .. } | Reasoning::Sealed(_));
    for reasoning in read(kept).iter().filter(signed) {
        let mut block = ObjectWriter::new(&mut fresh);
        write_reasoning(reasoning, &mut block);
        block.end();
        fresh.push(b',');
    }
    let bracket = place.body.span(place.turn.get("content")?).start + 1;
    (!fresh.is_empty()).then_some((bracket..bracket, fresh))
}
