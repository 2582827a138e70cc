//! Content blocks into items.

use super::decode::{content, word};
use super::{FOREIGN_REASONING, fields};
use crate::dialect::BadRequest;
use crate::dialect::item::{Arguments, Cache, Call, File, Item, Part, Place, Reasoning, Role, Source, ToolResult};
use crate::dialect::loss::{self, Ledger, given};
use crate::dialect::text::Text;
use crate::json::{Object, Raw};
use std::borrow::Cow;

/// Appends the block; a document of blocks and a search result become several items.
pub(super) fn read<'a>(
    block: Option<&Object<'a>>,
    role: Role,
    place: Place,
    items: &mut Vec<Item<'a>>,
    ledger: &mut Ledger,
) -> Result<(), BadRequest> {
    let bad = |problem: &str| BadRequest::at(place.to_string(), problem);
    let object = block.ok_or_else(|| bad("must be an object"))?;
    let kind = word(object, "type");
    let cache = given(object, "cache_control").map(Cache::Marker);
    let before = items.len();
    let mut push = |part| {
        items.push(Item {
            role,
            place,
            part,
            cache: None,
            detail: None,
        })
    };
    match &*kind {
        "search_result" => {
            push(Part::Text(search_heading(object)));
            content(
                given(object, "content").ok_or_else(|| bad("must have content"))?,
                role,
                place,
                items,
                ledger,
            )?;
        }
        "document" => read_document(object, role, place, items, ledger)?,
        _ => push(read_part(object, &kind, place, ledger)?.unwrap_or(Part::Raw(kind))),
    }
    if !matches!(items.last(), Some(Item { part: Part::Raw(_), .. })) {
        loss::decide(object, fields::BLOCK, &format_args!("{place}."), ledger)?;
    }
    if let Some(last) = items.get_mut(before..).and_then(<[_]>::last_mut) {
        last.cache = cache.or(last.cache);
    }
    Ok(())
}

fn read_part<'a>(
    block: &Object<'a>,
    kind: &str,
    place: Place,
    ledger: &mut Ledger,
) -> Result<Option<Part<'a>>, BadRequest> {
    let bad = |problem: &str| BadRequest::at(place.to_string(), problem);
    let text = |key: &str| given(block, key).and_then(Text::of);
    let need = |key: &str| text(key).ok_or_else(|| bad(&format!("must have a string {key}")));
    Ok(Some(match kind {
        "text" => Part::Text(need("text")?),
        "image" => Part::Image(read_source(block).ok_or_else(|| bad("must have a source"))?),
        "thinking" => Part::Reasoning(match text("signature").filter(|signature| !signature.is_empty()) {
            Some(signature) => Reasoning::Signed {
                text: need("thinking")?,
                signature,
            },
            None => Reasoning::Unsigned(need("thinking")?),
        }),
        "redacted_thinking" => Part::Reasoning(read_sealed(need("data")?)),
        "tool_use" => Part::Call(Call {
            id: need("id")?,
            name: need("name")?,
            arguments: Arguments::Object(given(block, "input").ok_or_else(|| bad("must have an input"))?),
        }),
        "tool_result" => {
            let mut inner = Vec::with_capacity(1);
            if let Some(value) = given(block, "content") {
                content(value, Role::User, place, &mut inner, ledger)?;
            }
            let is_error = given(block, "is_error").and_then(Raw::bool).unwrap_or(false);
            Part::Result(ToolResult {
                call: need("tool_use_id")?,
                is_error,
                content: inner,
            })
        }
        _ => return Ok(None),
    }))
}

fn read_sealed(data: Text<'_>) -> Reasoning<'_> {
    match data.plain().strip_prefix(FOREIGN_REASONING) {
        Some(entry) => Reasoning::Foreign(Cow::Owned(entry.to_owned())),
        None => Reasoning::Sealed(data),
    }
}

fn read_source<'a>(block: &Object<'a>) -> Option<Source<'a>> {
    let source = block.get("source")?.object()?;
    let text = |key| given(&source, key).and_then(Text::of);
    match &*word(&source, "type") {
        "base64" => Some(Source::Base64 {
            media_type: text("media_type")?,
            data: text("data")?,
        }),
        "url" => Some(Source::Url(text("url")?)),
        "text" => Some(Source::Plain(text("data")?)),
        "file" => Some(Source::Upload),
        _ => None,
    }
}

/// A document of blocks is what its blocks are, under its heading.
fn read_document<'a>(
    block: &Object<'a>,
    role: Role,
    place: Place,
    items: &mut Vec<Item<'a>>,
    ledger: &mut Ledger,
) -> Result<(), BadRequest> {
    let bad = || BadRequest::at(place.to_string(), "must have a source");
    let title = given(block, "title").and_then(Text::of);
    let mut push = |part| {
        items.push(Item {
            role,
            place,
            part,
            cache: None,
            detail: None,
        })
    };
    if let Some(context) = given(block, "context")
        .and_then(Text::of)
        .filter(|context| !context.is_blank())
    {
        push(Part::Text(context));
    }
    let source = block.get("source").and_then(Raw::object).ok_or_else(bad)?;
    if word(&source, "type") != "content" {
        push(Part::File(File {
            name: title,
            source: read_source(block).ok_or_else(bad)?,
        }));
        return Ok(());
    }
    title.into_iter().for_each(|title| push(Part::Text(title)));
    content(given(&source, "content").ok_or_else(bad)?, role, place, items, ledger)
}

fn search_heading<'a>(block: &Object<'a>) -> Text<'a> {
    Text::from(format!("{} ({})", word(block, "title"), word(block, "source")))
}
