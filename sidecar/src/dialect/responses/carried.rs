//! How reasoning of every maker travels as Responses' reasoning items, and OpenAI's as everybody else's.
//!
//! A reasoning item has a summary to show and `encrypted_content` to return. OpenAI's own becomes, in other dialects,
//! an entry of `reasoning_details`: `{"type":"reasoning.encrypted","id":"rs_…","data":…,
//! "format":"openai-responses-v1"}`. Somebody else's gets into `encrypted_content` as such an entry too, behind a mark
//! by which it is known when it comes back, and taken out before OpenAI would refuse to decrypt it.

use crate::dialect::chat::request::{read_detail, write_detail};
use crate::dialect::foreign::removed;
use crate::dialect::item::Reasoning;
use crate::dialect::loss::given;
use crate::dialect::text::Text;
use crate::json::{self, ArrayWriter, Object, ObjectWriter, Raw};
use memchr::memmem;
use smallvec::SmallVec;
use std::borrow::Cow;
use std::ops::Range;

/// Stands before an entry that is not OpenAI's.
const MARK: &str = "pf1:";

/// The `format` of OpenAI's reasoning in `reasoning_details`.
const FORMAT: &str = "openai-responses-v1";

/// What a reasoning item says: what can be shown, then what must be returned.
pub(super) fn read<'a>(item: &Object<'a>) -> SmallVec<[Reasoning<'a>; 2]> {
    let encrypted = given(item, "encrypted_content").and_then(Raw::string);
    if let Some(entry) = encrypted.as_deref().and_then(|text| text.strip_prefix(MARK)) {
        return own(entry).into_iter().collect();
    }
    let shown = shown(item).filter(|text| !text.is_empty()).map(Reasoning::Unsigned);
    let returned = encrypted.filter(|data| !data.is_empty()).map(|_| entry_of(item));
    shown.into_iter().chain(returned).collect()
}

/// The reasoning itself where a server tells it, or else its summary.
fn shown<'a>(item: &Object<'a>) -> Option<Text<'a>> {
    ["content", "summary"].into_iter().find_map(|list| {
        let parts = given(item, list)?.elements()?;
        let mut texts = parts.filter_map(|part| given(&part.object()?, "text").and_then(Text::of));
        let first = texts.next()?;
        let mut joined = match texts.next() {
            None => return Some(first),
            Some(second) => format!("{}\n\n{}", first.plain(), second.plain()),
        };
        texts.for_each(|text| joined.extend(["\n\n", &text.plain()]));
        Some(Text::from(joined))
    })
}

/// OpenAI's reasoning as an entry of `reasoning_details`.
pub(super) fn entry_of<'a>(item: &Object<'_>) -> Reasoning<'a> {
    let mut out = Vec::new();
    let mut entry = ObjectWriter::new(&mut out);
    entry.string("type", "reasoning.encrypted");
    if let Some(id) = given(item, "id") {
        entry.raw("id", id);
    }
    if let Some(data) = given(item, "encrypted_content") {
        entry.raw("data", data);
    }
    entry.string("format", FORMAT);
    entry.end();
    Reasoning::Foreign(Cow::Owned(String::from_utf8(out).unwrap_or_default()))
}

fn own<'a>(entry: &str) -> Option<Reasoning<'a>> {
    let raw = json::parse_value(entry.as_bytes()).ok()?;
    Some(read_detail(raw)?.owned())
}

/// What goes into `encrypted_content`; nothing where nobody needs to see the reasoning again.
pub(super) fn write(reasoning: &Reasoning<'_>, item: &mut ObjectWriter<'_>) {
    if matches!(reasoning, Reasoning::Unsigned(_)) {
        return;
    }
    let mut entry = Vec::new();
    write_detail(reasoning, 0, &mut ObjectWriter::new(&mut entry));
    let mut content = item.member("encrypted_content").text();
    content.push(MARK);
    content.push(&String::from_utf8_lossy(&entry));
}

/// The entry of OpenAI's own reasoning.
pub(super) fn own_entry<'r>(reasoning: &'r Reasoning<'_>) -> Option<Object<'r>> {
    let Reasoning::Foreign(entry) = reasoning else {
        return None;
    };
    let entry = json::parse(entry.as_bytes()).ok()?;
    let format = given(&entry, "format")?.string()?;
    (format == FORMAT && given(&entry, "data").is_some()).then_some(entry)
}

/// Writes OpenAI's own reasoning as the item that it was, if that is what it is.
pub(super) fn write_own(reasoning: &Reasoning<'_>, input: &mut ArrayWriter<'_>) -> bool {
    let Some(entry) = own_entry(reasoning) else {
        return false;
    };
    let mut item = input.object();
    item.string("type", "reasoning");
    if let Some(id) = given(&entry, "id") {
        item.raw("id", id);
    }
    item.array("summary").end();
    if let Some(data) = given(&entry, "data") {
        item.raw("encrypted_content", data);
    }
    true
}

/// Where a request for OpenAI itself holds reasoning that is not OpenAI's: the items and the commas that join them to
/// the others.
pub(in crate::dialect) fn foreign(request: &Object<'_>) -> SmallVec<[Range<usize>; 2]> {
    if memmem::find(request.text().as_bytes(), MARK.as_bytes()).is_none() {
        return SmallVec::new();
    }
    let items = request.get("input").and_then(Raw::elements).into_iter().flatten();
    removed(items.map(|item| (request.span(item), is_marked(item))))
}

fn is_marked(item: Raw<'_>) -> bool {
    let encrypted = item
        .object()
        .and_then(|item| given(&item, "encrypted_content")?.string());
    encrypted.is_some_and(|encrypted| encrypted.starts_with(MARK))
}
