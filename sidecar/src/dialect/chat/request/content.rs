//! A message's content: a string, or parts.

use super::decode::{Message, cache, word};
use super::fields;
use crate::dialect::BadRequest;
use crate::dialect::item::{File, Item, Part, Role, Source};
use crate::dialect::loss::{self, Ledger, given};
use crate::dialect::text::Text;
use crate::json::{Object, Raw};
use std::borrow::Cow;

/// Appends the message's content to `items`.
pub(super) fn read<'a>(
    message: &Message<'_, 'a>,
    role: Role,
    items: &mut Vec<Item<'a>>,
    ledger: &mut Ledger,
) -> Result<(), BadRequest> {
    let content = given(message.object, "content");
    let bad = || BadRequest::at(message.path("content"), "must be a string or an array of parts");
    let content = content.ok_or_else(bad)?;
    if let Some(text) = Text::of(content) {
        items.push(Item {
            role,
            place: message.place("content", None),
            part: Part::Text(text),
            cache: None,
            detail: None,
        });
        return Ok(());
    }
    let mut parts = content.elements().ok_or_else(bad)?.in_turn();
    while let Some((index, part)) = parts.advance() {
        let place = message.place("content", Some(index));
        let bad = |problem: &str| BadRequest::at(place.to_string(), problem);
        let object = part.ok_or_else(|| bad("must be an object"))?;
        let part = read_part(object).map_err(bad)?;
        if !matches!(part, Part::Raw(_)) {
            loss::decide(object, fields::PART, &format_args!("{place}."), ledger)?;
        }
        items.push(Item {
            role,
            place,
            part,
            cache: cache(object),
            detail: detail(object),
        });
    }
    Ok(())
}

fn read_part<'a>(part: &Object<'a>) -> Result<Part<'a>, &'static str> {
    let text = |key| part.get(key).and_then(Text::of);
    match word(part, "type") {
        Cow::Borrowed("text") => Ok(Part::Text(text("text").ok_or("must have a text")?)),
        Cow::Borrowed("refusal") => Ok(Part::Refusal(text("refusal").ok_or("must have a refusal")?)),
        Cow::Borrowed("image_url") => read_image(part),
        Cow::Borrowed("file") => read_file(part),
        Cow::Borrowed("input_audio") => read_audio(part),
        other => Ok(Part::Raw(other)),
    }
}

/// `{"url":…,"detail":…}`, or the URL alone as many clients write it.
fn read_image<'a>(part: &Object<'a>) -> Result<Part<'a>, &'static str> {
    let image = part.get("image_url").ok_or("must have an image_url")?;
    let object = image.object();
    let url = object.as_ref().map_or(Some(image), |object| object.get("url"));
    let url = url.and_then(Raw::string).ok_or("must have an image_url with a url")?;
    match read_source(url)? {
        // Documents come this way too.
        Source::Base64 { media_type, data } if media_type.plain() == "application/pdf" => Ok(Part::File(File {
            name: None,
            source: Source::Base64 { media_type, data },
        })),
        source => Ok(Part::Image(source)),
    }
}

/// How closely to look, if the client says another thing than what is done unasked.
fn detail<'a>(part: &Object<'a>) -> Option<Raw<'a>> {
    let image = given(part, "image_url")?.object()?;
    given(&image, "detail").filter(|detail| detail.text() != "\"auto\"")
}

/// The images that an earlier answer had.
pub(super) fn images<'a>(message: &Message<'_, 'a>, items: &mut Vec<Item<'a>>) -> Result<(), BadRequest> {
    let list = given(message.object, "images").and_then(Raw::elements);
    for (index, image) in list.into_iter().flatten().enumerate() {
        let place = message.place("images", Some(index));
        let url = image.object().and_then(|image| given(&image, "image_url"));
        let url = url.and_then(|url| url.object().map_or(Some(url), |inner| inner.get("url")));
        let source = url.and_then(Raw::string).map(read_source);
        let source = source.unwrap_or(Err("must have an image_url with a url"));
        items.push(Item {
            role: Role::Assistant,
            place,
            part: Part::Image(source.map_err(|problem| BadRequest::at(place.to_string(), problem))?),
            cache: None,
            detail: None,
        });
    }
    Ok(())
}

/// `{"data":…,"format":"wav"}`.
pub(in crate::dialect) fn read_audio<'a>(part: &Object<'a>) -> Result<Part<'a>, &'static str> {
    let audio = part.get("input_audio").and_then(Raw::object);
    let audio = audio.ok_or("must have an input_audio")?;
    let data = given(&audio, "data").and_then(Text::of);
    Ok(Part::Audio(Source::Base64 {
        media_type: Text::from(format!("audio/{}", word(&audio, "format"))),
        data: data.ok_or("must have an input_audio with data")?,
    }))
}

fn read_file<'a>(part: &Object<'a>) -> Result<Part<'a>, &'static str> {
    let file = part.get("file").and_then(Raw::object).ok_or("must have a file")?;
    let name = given(&file, "filename").and_then(Text::of);
    let Some(data) = given(&file, "file_data") else {
        return Ok(Part::File(File {
            name,
            source: Source::Upload,
        }));
    };
    let data = data.string().ok_or("must have file_data that is a string")?;
    let source = if data.starts_with("data:") {
        read_source(data)?
    } else {
        Source::Base64 {
            media_type: Text::from("application/pdf"),
            data: Text::Plain(data),
        }
    };
    Ok(Part::File(File { name, source }))
}

/// A URL, or the contents of a `data:` URL.
pub(in crate::dialect) fn read_source(url: Cow<'_, str>) -> Result<Source<'_>, &'static str> {
    if !url.starts_with("data:") {
        return Ok(Source::Url(Text::Plain(url)));
    }
    const WRONG: &str = "must be an https: URL or a data: URL in base64";
    let (media_type, data) = match &url {
        Cow::Borrowed(url) => split(url).map(|(kind, data)| (Cow::Borrowed(kind), Cow::Borrowed(data))),
        Cow::Owned(url) => split(url).map(|(kind, data)| (Cow::Owned(kind.to_owned()), Cow::Owned(data.to_owned()))),
    }
    .ok_or(WRONG)?;
    Ok(Source::Base64 {
        media_type: Text::Plain(media_type),
        data: Text::Plain(data),
    })
}

/// `data:image/png;charset=x;base64,AAAA` → `image/png`, `AAAA`.
fn split(url: &str) -> Option<(&str, &str)> {
    let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
    let kind = head.strip_suffix(";base64")?;
    Some((kind.split(';').next().unwrap_or(kind), data))
}
