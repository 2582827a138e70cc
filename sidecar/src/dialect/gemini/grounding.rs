//! What an answer of Google's is based on: web pages, and which words each is for.
//!
//! Its positions are bytes of a part, those of other dialects characters of a text. Of a stream nothing is kept by which
//! they could be counted, so there the pages are told without.

use super::spelling::given;
use crate::dialect::item::{Citation, Mark, Part};
use crate::dialect::text::Text;
use crate::json::{Object, Raw};
use std::ops::Range;

/// Most citations of an answer: each costs a look at its text.
const MOST: usize = 256;

/// The sources of a candidate, in the order in which they are referred to; `None` for what is no web page.
pub(super) fn pages<'a>(candidate: &Object<'a>) -> Vec<Option<Citation<'a>>> {
    let metadata = given(candidate, "groundingMetadata").and_then(Raw::object);
    let chunks = metadata.and_then(|metadata| given(&metadata, "groundingChunks")?.elements());
    let page = |chunk: Raw<'a>| {
        let web = given(&chunk.object()?, "web")?.object()?;
        Some(Citation {
            url: given(&web, "uri")?,
            title: given(&web, "title"),
            start: None,
            end: None,
        })
    };
    chunks.into_iter().flatten().take(MOST).map(page).collect()
}

/// Each with the words it is for, and the number of the text that has them; `texts` says of each of the candidate's parts
/// which text it became. Where nothing is said of words, the pages alone.
pub(super) fn citations<'a>(
    candidate: &Object<'a>,
    texts: &[Option<usize>],
    parts: &[Part<'_>],
) -> Vec<(usize, Citation<'a>)> {
    let pages = pages(candidate);
    let metadata = given(candidate, "groundingMetadata").and_then(Raw::object);
    let supports = metadata.and_then(|metadata| given(&metadata, "groundingSupports")?.elements());
    let mut cited = Vec::new();
    for support in supports.into_iter().flatten().filter_map(Raw::object) {
        let segment = given(&support, "segment").and_then(Raw::object);
        let place = segment.and_then(|segment| place(&segment, texts, parts));
        let (text, span) = place.map_or((0, None), |(text, span)| (text, Some(span)));
        let indices = given(&support, "groundingChunkIndices").and_then(Raw::elements);
        for index in indices.into_iter().flatten().filter_map(Raw::u64) {
            let page = usize::try_from(index).ok().and_then(|index| pages.get(index));
            let Some(Some(page)) = page.filter(|_| cited.len() < MOST) else {
                continue;
            };
            let citation = Citation {
                start: span.as_ref().map(|span| Mark::At(span.start)),
                end: span.as_ref().map(|span| Mark::At(span.end)),
                ..*page
            };
            cited.push((text, citation));
        }
    }
    match cited.is_empty() {
        true => pages.into_iter().flatten().map(|page| (0, page)).collect(),
        false => cited,
    }
}

/// The number of a segment's text, and its characters there.
fn place(segment: &Object<'_>, texts: &[Option<usize>], parts: &[Part<'_>]) -> Option<(usize, Range<u64>)> {
    let number = |key| given(segment, key).map_or(Some(0), |raw| usize::try_from(raw.u64()?).ok());
    let text = (*texts.get(number("partIndex")?)?)?;
    let mut said = parts.iter().filter_map(|part| match part {
        Part::Text(text) => Some(text),
        _ => None,
    });
    let whole = said.nth(text)?.plain();
    let (start, end) = (number("startIndex")?, number("endIndex")?);
    let words = whole.get(start..end)?;
    let meant = given(segment, "text").and_then(Text::of);
    if meant.is_some_and(|meant| *meant.plain() != *words) {
        return None;
    }
    let before = whole.get(..start)?.chars().count() as u64;
    Some((text, before..before + words.chars().count() as u64))
}
