//! The content of a message or of a tool's output: a string, or parts.

use super::decode::word;
use super::fields;
use crate::dialect::BadRequest;
use crate::dialect::chat::request::{read_audio, read_source};
use crate::dialect::item::{Cache, File, Item, Part, Place, Role, Source};
use crate::dialect::loss::{self, Ledger, given};
use crate::dialect::text::Text;
use crate::json::{Object, Raw};

/// Appends what `content` holds to `items`.
pub(super) fn read<'a>(
    content: Raw<'a>,
    role: Role,
    place: Place,
    items: &mut Vec<Item<'a>>,
    ledger: &mut Ledger,
) -> Result<(), BadRequest> {
    let mut push = |place, part, cache, detail| {
        items.push(Item {
            role,
            place,
            part,
            cache,
            detail,
        })
    };
    if let Some(text) = Text::of(content) {
        push(place, Part::Text(text), None, None);
        return Ok(());
    }
    let list = content.elements();
    let list = list.ok_or_else(|| BadRequest::at(place.to_string(), "must be a string or an array of parts"))?;
    let mut list = list.in_turn();
    while let Some((index, part)) = list.advance() {
        let place = Place {
            index: Some(index),
            ..place
        };
        let bad = |problem: &str| BadRequest::at(place.to_string(), problem);
        let object = part.ok_or_else(|| bad("must be an object"))?;
        let part = read_part(object).map_err(bad)?;
        if !matches!(part, Part::Raw(_)) {
            loss::decide(object, fields::PART, &format_args!("{place}."), ledger)?;
        }
        let cache = given(object, "prompt_cache_breakpoint").map(|_| Cache::Default);
        let detail = given(object, "detail").filter(|detail| detail.text() != "\"auto\"");
        push(place, part, cache, detail);
    }
    Ok(())
}

fn read_part<'a>(part: &Object<'a>) -> Result<Part<'a>, &'static str> {
    let text = |key| given(part, key).and_then(Text::of);
    let kind = word(part, "type");
    match &*kind {
        "input_text" | "output_text" | "text" => Ok(Part::Text(text("text").ok_or("must have a text")?)),
        "refusal" => Ok(Part::Refusal(text("refusal").ok_or("must have a refusal")?)),
        "input_image" => match given(part, "image_url").and_then(Raw::string) {
            Some(url) => read_source(url).map(Part::Image),
            None if given(part, "file_id").is_some() => Ok(Part::Image(Source::Upload)),
            None => Err("must have an image_url"),
        },
        "input_file" => read_file(part),
        "input_audio" => read_audio(part),
        _ => Ok(Part::Raw(kind)),
    }
}

fn read_file<'a>(part: &Object<'a>) -> Result<Part<'a>, &'static str> {
    let word = |key| given(part, key).and_then(Raw::string);
    let source = match (word("file_data"), word("file_url")) {
        (Some(data), _) if data.starts_with("data:") => read_source(data)?,
        (Some(data), _) => Source::Base64 {
            media_type: Text::from("application/pdf"),
            data: Text::Plain(data),
        },
        (None, Some(url)) => Source::Url(Text::Plain(url)),
        (None, None) if given(part, "file_id").is_some() => Source::Upload,
        (None, None) => return Err("must have file_data"),
    };
    Ok(Part::File(File {
        name: given(part, "filename").and_then(Text::of),
        source,
    }))
}
