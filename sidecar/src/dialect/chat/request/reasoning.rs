//! How reasoning travels in chat messages, so that a client that echoes the message returns it byte for byte.
//!
//! `reasoning_content` is the text alone, for showing. `reasoning_details`, in OpenRouter's shape, carries what must
//! come back: `{"type":"reasoning.text","text":…,"signature":…,"format":"anthropic-claude-v1","index":0}` for signed
//! thinking, `{"type":"reasoning.encrypted","data":…,"format":"anthropic-claude-v1","index":0}` for encrypted. Entries
//! of another `format` are somebody else's and come and go as they are. LiteLLM's `thinking_blocks` are read too.

use super::decode::{Message, word};
use crate::dialect::item::{Place, Reasoning};
use crate::dialect::loss::{Ledger, given};
use crate::dialect::text::Text;
use crate::json::{Object, ObjectWriter, Raw};
use smallvec::SmallVec;
use std::borrow::Cow;

/// The `format` of Anthropic's reasoning.
pub(in crate::dialect) const FORMAT: &str = "anthropic-claude-v1";

/// The reasoning of an assistant's message; the carrier that says most wins.
pub(super) fn of_message<'a>(message: &Message<'_, 'a>, ledger: &mut Ledger) -> Found<'a> {
    for (field, read) in [
        ("reasoning_details", read_detail as fn(_) -> _),
        ("thinking_blocks", block),
    ] {
        let list = given(message.object, field).and_then(Raw::elements);
        let mut found = Found::new();
        let mut block = None;
        for (index, entry) in list.into_iter().flatten().enumerate() {
            let place = message.place(field, Some(index));
            let goes_on =
                std::mem::replace(&mut block, number(entry)).is_some_and(|before| number(entry) == Some(before));
            match read(entry) {
                Some(part) if goes_on => join(&mut found, place, part),
                Some(part) => found.push((place, part)),
                None => ledger.hint(place.to_string(), "no reasoning that can be carried"),
            }
        }
        if !found.is_empty() {
            return found;
        }
    }
    let plain = |field| Some((message.place(field, None), Text::of(given(message.object, field)?)?));
    let text = plain("reasoning_content").or_else(|| plain("reasoning"));
    let text = text.filter(|(_, text)| !text.is_empty());
    text.into_iter()
        .map(|(place, text)| (place, Reasoning::Unsigned(text)))
        .collect()
}

type Found<'a> = SmallVec<[(Place, Reasoning<'a>); 1]>;

/// The number of the block that an entry belongs to.
fn number(entry: Raw<'_>) -> Option<u64> {
    entry.object()?.get("index")?.u64()
}

/// Adds an entry of the same block as the one before. A client that keeps a stream's entries as they came returns a
/// text in pieces, its signature with the last or behind it.
fn join<'a>(found: &mut Found<'a>, place: Place, part: Reasoning<'a>) {
    let Some((_, Reasoning::Unsigned(begun))) = found.last() else {
        return found.push((place, part));
    };
    let joined = |more: &Text<'_>| Text::from(format!("{}{}", begun.plain(), more.plain()));
    let whole = match part {
        Reasoning::Unsigned(text) => Reasoning::Unsigned(joined(&text)),
        Reasoning::Signed { text, signature } => Reasoning::Signed {
            text: joined(&text),
            signature,
        },
        Reasoning::Sealed(_) | Reasoning::Foreign(_) => return found.push((place, part)),
    };
    found.pop();
    found.push((place, whole));
}

/// The entries of an answer's `reasoning_details`.
pub(in crate::dialect) fn read_details<'a>(details: Raw<'a>) -> impl Iterator<Item = Reasoning<'a>> {
    details.elements().into_iter().flatten().filter_map(read_detail)
}

/// An entry of `reasoning_details`.
pub(in crate::dialect) fn read_detail(entry: Raw<'_>) -> Option<Reasoning<'_>> {
    let object = entry.object()?;
    let text = |key| given(&object, key).and_then(Text::of).filter(|text| !text.is_empty());
    let ours = word(&object, "format") == FORMAT;
    match (&*word(&object, "type"), text("signature"), text("data")) {
        ("reasoning.text", Some(signature), _) if ours || given(&object, "format").is_none() => {
            Some(Reasoning::Signed {
                text: text("text").unwrap_or(Text::from("")),
                signature,
            })
        }
        ("reasoning.encrypted", _, Some(data)) if ours => Some(Reasoning::Sealed(data)),
        ("reasoning.text", None, _) => text("text").map(Reasoning::Unsigned),
        ("reasoning.summary", ..) => text("summary").map(Reasoning::Unsigned),
        ("reasoning.text" | "reasoning.encrypted", ..) => Some(Reasoning::Foreign(Cow::Borrowed(entry.text()))),
        _ => None,
    }
}

/// `{"type":"thinking","thinking":…,"signature":…}`, `{"type":"redacted_thinking","data":…}`.
fn block(entry: Raw<'_>) -> Option<Reasoning<'_>> {
    let object = entry.object()?;
    let text = |key| given(&object, key).and_then(Text::of);
    match &*word(&object, "type") {
        "thinking" => {
            let (text, signature) = (text("thinking")?, text("signature").filter(|text| !text.is_empty()));
            Some(match signature {
                Some(signature) => Reasoning::Signed { text, signature },
                None => Reasoning::Unsigned(text),
            })
        }
        "redacted_thinking" => text("data").map(Reasoning::Sealed),
        _ => None,
    }
}

/// Writes the members of an entry of `reasoning_details`; an unsigned text is none.
pub(in crate::dialect) fn write_detail(reasoning: &Reasoning<'_>, index: usize, entry: &mut ObjectWriter<'_>) {
    match reasoning {
        Reasoning::Signed { text, signature } => {
            entry.string("type", "reasoning.text");
            text.write(entry.member("text"));
            signature.write(entry.member("signature"));
        }
        Reasoning::Sealed(data) => {
            entry.string("type", "reasoning.encrypted");
            data.write(entry.member("data"));
        }
        Reasoning::Unsigned(text) => {
            entry.string("type", "reasoning.text");
            text.write(entry.member("text"));
            entry.u64("index", index as u64);
            return;
        }
        Reasoning::Foreign(written) => return copy(written, index, entry),
    }
    entry.string("format", FORMAT);
    entry.u64("index", index as u64);
}

/// Clients that join a stream's entries demand that each has an index.
fn copy(written: &str, index: usize, entry: &mut ObjectWriter<'_>) {
    let object: Option<Object<'_>> = crate::json::parse(written.as_bytes()).ok();
    for member in object.iter().flat_map(|object| object.members()) {
        entry.copy(member);
    }
    if object.is_none_or(|object| object.get("index").is_none()) {
        entry.u64("index", index as u64);
    }
}
