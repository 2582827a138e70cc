//! Parts into items.

use super::decode::{inner, text};
use super::results::{self, Open};
use crate::dialect::BadRequest;
use crate::dialect::gemini::signature::{Signature, carried};
use crate::dialect::gemini::spelling::{given, word};
use crate::dialect::item::{Arguments, Call, File, Item, Part, Place, Reasoning, Role, Source};
use crate::dialect::loss::Ledger;
use crate::dialect::text::Text;
use crate::json::{Object, Raw, Type};
use std::borrow::Cow;

/// Parts that only Google's own tools make.
const GOOGLES: &[&str] = &["executableCode", "codeExecutionResult", "toolCall", "toolResponse"];

/// Appends the part; its signature becomes an item of its own.
pub(super) fn read<'a>(
    part: &Object<'a>,
    role: Role,
    place: Place,
    items: &mut Vec<Item<'a>>,
    open: &mut Open<'a>,
    ledger: &mut Ledger,
) -> Result<(), BadRequest> {
    let bad = |problem: &str| BadRequest::at(place.to_string(), problem);
    let mut push = |part| {
        items.push(Item {
            role,
            place,
            part,
            cache: None,
            detail: None,
        });
    };
    let signed = text(part, "thoughtSignature").map(Signature::of);
    if let Some(call) = given(part, "functionCall") {
        let call = function_call(call, place).ok_or_else(|| bad("must have a functionCall with a name"))?;
        match signed {
            Some(Signature::Google(signed)) => {
                push(Part::Reasoning(carried(&signed, Some(&call.id.plain()))));
            }
            Some(Signature::Whole(reasoning)) => push(Part::Reasoning(reasoning)),
            Some(Signature::Thought(_)) | None => {}
        }
        open.called(&call);
        push(Part::Call(call));
        return Ok(());
    }
    if given(part, "thought").and_then(Raw::bool) == Some(true) {
        thought(text(part, "text"), signed, role, place, items);
        return Ok(());
    }
    if let Some(Signature::Google(signed)) = signed {
        push(Part::Reasoning(carried(&signed, None)));
    }
    if let Some(said) = given(part, "text") {
        push(Part::Text(
            Text::of(said).ok_or_else(|| bad("must have a text that is a string"))?,
        ));
    } else if let Some(blob) = inner(part, "inlineData") {
        push(inline(&blob).ok_or_else(|| bad("must have inlineData with a mimeType and data"))?);
    } else if let Some(file) = inner(part, "fileData") {
        push(file_data(&file).ok_or_else(|| bad("must have fileData with a fileUri"))?);
    } else if let Some(response) = inner(part, "functionResponse") {
        push(Part::Result(results::read(&response, place, open, ledger)?));
    } else if let Some(kind) = GOOGLES.iter().find(|kind| given(part, kind).is_some()) {
        push(Part::Raw(Cow::Borrowed(kind)));
    } else if part.members().iter().any(|member| !is_signature(&member.key())) || part.members().is_empty() {
        return Err(bad(
            "must have a text, inlineData, fileData, a functionCall or a functionResponse",
        ));
    }
    Ok(())
}

fn is_signature(key: &str) -> bool {
    matches!(key, "thoughtSignature" | "thought_signature" | "thought")
}

/// An id for a call that was given none: its position, so that it is the same in every turn.
fn function_call<'a>(call: Raw<'a>, place: Place) -> Option<Call<'a>> {
    let call = call.object()?;
    let (entry, index) = (place.entry.unwrap_or_default(), place.index.unwrap_or_default());
    let id = text(&call, "id").unwrap_or_else(|| Text::from(format!("call_{entry}_{index}")));
    let arguments = given(&call, "args").filter(|args| args.kind() == Type::Object);
    Some(Call {
        id,
        name: text(&call, "name")?,
        arguments: arguments.map_or(Arguments::Quoted(Text::from("{}")), Arguments::Object),
    })
}

/// A thought, or its end: a streamed one comes back in pieces, its signature behind the last.
fn thought<'a>(
    said: Option<Text<'a>>,
    signed: Option<Signature<'a>>,
    role: Role,
    place: Place,
    items: &mut Vec<Item<'a>>,
) {
    let part = match (said, signed) {
        (said, Some(Signature::Thought(signature))) => Reasoning::Signed {
            text: joined(said, place, items),
            signature,
        },
        (_, Some(Signature::Whole(reasoning))) => reasoning,
        (Some(said), _) => Reasoning::Unsigned(said),
        (None, _) => return,
    };
    items.push(Item {
        role,
        place,
        part: Part::Reasoning(part),
        cache: None,
        detail: None,
    });
}

/// The text of a thought whose pieces are the last items, which go.
fn joined<'a>(said: Option<Text<'a>>, place: Place, items: &mut Vec<Item<'a>>) -> Text<'a> {
    let is_piece = |item: &Item<'_>| {
        item.place.message == place.message && matches!(item.part, Part::Reasoning(Reasoning::Unsigned(_)))
    };
    let from = items.iter().rposition(|item| !is_piece(item)).map_or(0, |at| at + 1);
    if from == items.len() {
        return said.unwrap_or(Text::from(""));
    }
    let mut whole = String::new();
    for piece in items.drain(from..) {
        if let Part::Reasoning(Reasoning::Unsigned(text)) = piece.part {
            whole.push_str(&text.plain());
        }
    }
    if let Some(said) = said {
        whole.push_str(&said.plain());
    }
    Text::from(whole)
}

/// Bytes, by what they are.
pub(super) fn inline<'a>(blob: &Object<'a>) -> Option<Part<'a>> {
    let source = Source::Base64 {
        media_type: text(blob, "mimeType")?,
        data: standard(given(blob, "data").and_then(Text::of)?),
    };
    Some(by_kind(&word(blob, "mimeType"), source, text(blob, "displayName")))
}

/// Base64 as all others take it: Google's SDKs write the alphabet for URLs, and its APIs need no padding.
fn standard(data: Text<'_>) -> Text<'_> {
    let written = match &data {
        Text::Json(raw) => raw.text().trim_matches('"').as_bytes(),
        Text::Plain(text) => text.as_bytes(),
    };
    let is_plain = memchr::memchr3(b'-', b'_', b'\\', written).is_none();
    if is_plain && written.len() % 4 == 0 {
        return data;
    }
    let mut standard = data.plain().replace('-', "+").replace('_', "/");
    // One letter too many is nothing that padding could mend.
    match standard.len() % 4 {
        2 => standard.push_str("=="),
        3 => standard.push('='),
        _ => {}
    }
    Text::from(standard)
}

/// A file somewhere else; one in Google's own stores is an upload.
fn file_data<'a>(file: &Object<'a>) -> Option<Part<'a>> {
    let uri = text(file, "fileUri")?;
    let source = match &*uri.plain() {
        plain if plain.starts_with("gs://") || plain.contains("://generativelanguage.googleapis.com/") => {
            Source::Upload
        }
        _ => Source::Url(uri.clone()),
    };
    Some(by_kind(&word(file, "mimeType"), source, text(file, "displayName")))
}

fn by_kind<'a>(media_type: &str, source: Source<'a>, name: Option<Text<'a>>) -> Part<'a> {
    match media_type.split_once('/') {
        Some(("image", _)) => Part::Image(source),
        Some(("audio", _)) => Part::Audio(source),
        _ => Part::File(File { name, source }),
    }
}
