//! Chat's messages: members beside `content` and `tool_calls`.

use super::{Carrier, Place};
use crate::dialect::chat::request::{write_detail, write_joined};
use crate::dialect::item::Reasoning;
use crate::dialect::loss::given;
use crate::dialect::reasoned::read;
use crate::json::{Elements, Object, Raw, ValueWriter};
use std::borrow::Cow;
use std::ops::Range;

fn key(carrier: Carrier) -> &'static str {
    match carrier {
        Carrier::Details => "reasoning_details",
        Carrier::Content(name) => name,
        Carrier::Blocks | Carrier::Signatures => "reasoning_content",
    }
}

pub(super) fn is_returned(carrier: Carrier, message: &Object<'_>) -> bool {
    let says = |key| given(message, key).is_some_and(|value| !is_empty(value));
    match carrier {
        Carrier::Details => says("reasoning_details"),
        // Whichever name the client knows.
        _ => says("reasoning_content") || says("reasoning"),
    }
}

pub(super) fn call<'a>(message: &Object<'a>) -> Option<Cow<'a, str>> {
    let mut calls = given(message, "tool_calls")?.elements()?.objects();
    calls.next()??.get("id")?.string()
}

/// In front of all members, or in place of what is empty.
pub(super) fn put(carrier: Carrier, kept: &str, place: &Place<'_, '_>) -> Option<(Range<usize>, Vec<u8>)> {
    let (key, mut value) = (key(carrier), Vec::new());
    write(carrier, &read(kept), ValueWriter::new(&mut value))?;
    if let Some(empty) = place.turn.get(key) {
        return Some((place.body.span(empty), value));
    }
    let mut fresh = format!("\"{key}\":").into_bytes();
    fresh.append(&mut value);
    fresh.push(b',');
    Some((place.inside(place.turn), fresh))
}

/// `None` if there is nothing that it can carry.
fn write(carrier: Carrier, kept: &[Reasoning<'_>], value: ValueWriter<'_>) -> Option<()> {
    if carrier == Carrier::Details {
        let mut list = value.array();
        let entries = kept.iter().enumerate();
        entries.for_each(|(index, part)| write_detail(part, index, &mut list.object()));
        list.end();
        return (!kept.is_empty()).then_some(());
    }
    let texts = kept.iter().filter_map(|part| match part {
        Reasoning::Unsigned(text) | Reasoning::Signed { text, .. } => Some(text),
        Reasoning::Sealed(_) | Reasoning::Foreign(_) => None,
    });
    texts.clone().next()?;
    write_joined(texts, value);
    Some(())
}

fn is_empty(value: Raw<'_>) -> bool {
    value.text() == "\"\"" || value.elements().is_some_and(|elements| is_none(elements))
}

fn is_none(mut elements: Elements<'_>) -> bool {
    elements.next().is_none()
}
