//! A Responses answer into the item form.

use crate::dialect::item::{Arguments, Call, Citation, Part, Remark, Reply, Source};
use crate::dialect::loss::given;
use crate::dialect::measured::Measured;
use crate::dialect::responses::finish::{self, Circumstances};
use crate::dialect::responses::{carried, usage};
use crate::dialect::text::Text;
use crate::dialect::{Exchange, Fault, Loss, Losses, unsaid};
use crate::json::{Object, Raw};

pub(in crate::dialect) fn decode<'a>(exchange: &Exchange, body: &'a [u8]) -> Result<Reply<'a>, Fault> {
    let answer = super::parse(body)?;
    let output = answer.get("output").and_then(Raw::elements);
    let output = output.ok_or_else(|| Fault::malformed("the answer has no array output"))?;
    let (mut parts, mut remarks, mut lost) = (Vec::with_capacity(4), Vec::new(), Losses::new());
    let mut output = output.in_turn();
    while let Some((_, item)) = output.advance() {
        let item = item.ok_or_else(|| Fault::malformed("the answer has an item that is no object"))?;
        read(exchange, item, &mut parts, &mut remarks, &mut lost)?;
    }
    Ok(Reply {
        id: word(&answer, "id"),
        model: word(&answer, "model"),
        created: answer.get("created_at").and_then(Raw::u64),
        finish: finish::read(&answer, Circumstances::of(&parts))?,
        parts,
        remarks,
        usage: usage::of(&answer),
        lost,
    })
}

/// An item; one that only the provider's own tools make is lost.
fn read<'a>(
    exchange: &Exchange,
    item: &Object<'a>,
    parts: &mut Vec<Part<'a>>,
    remarks: &mut Vec<(usize, Remark<'a>)>,
    lost: &mut Losses,
) -> Result<(), Fault> {
    match &*item.get("type").and_then(Raw::string).unwrap_or_default() {
        "message" => {
            let content = given(item, "content").and_then(Raw::elements).into_iter().flatten();
            for part in content.filter_map(Raw::object) {
                lost.extend(self::unsaid(&part));
                let at = parts.iter().filter(|part| matches!(part, Part::Text(_))).count();
                remarks.extend(self::remarks(&part).map(|remark| (at, remark)));
                parts.extend(said(&part));
            }
        }
        "reasoning" => parts.extend(carried::read(item).into_iter().map(Part::Reasoning)),
        kind @ ("function_call" | "custom_tool_call") => {
            let text = |key| given(item, key).and_then(Text::of).unwrap_or(Text::from(""));
            let call = Call {
                id: word(item, "call_id").unwrap_or_else(|| call_id(exchange, parts.len())),
                name: word(item, "name").ok_or_else(nameless)?,
                arguments: match kind {
                    "function_call" => Arguments::Quoted(text("arguments")),
                    _ => Arguments::Free(text("input")),
                },
            };
            parts.push(Part::Call(call));
        }
        kind => match generated(item) {
            Some(image) => parts.push(Part::Image(image)),
            None => lost.push(unsaid::foreign(kind)),
        },
    }
    Ok(())
}

fn said<'a>(part: &Object<'a>) -> Option<Part<'a>> {
    match &*part.get("type").and_then(Raw::string).unwrap_or_default() {
        "refusal" => word(part, "refusal").map(Part::Refusal),
        _ => word(part, "text").map(Part::Text),
    }
}

/// What a part of a message has beside its text, or is in place of one.
pub(in crate::dialect::responses) fn unsaid(part: &Object<'_>) -> Option<Loss> {
    match &*part.get("type").and_then(Raw::string).unwrap_or_default() {
        "output_text" => {
            let mut annotations = given(part, "annotations")?.elements()?;
            let others = annotations.any(|entry| citation(entry).is_none());
            others.then(|| unsaid::hint("annotations", "only citations of web pages are translated"))
        }
        "refusal" | "text" | "" => None,
        kind => Some(unsaid::foreign(kind)),
    }
}

/// How likely a text's tokens were, and what it is based on.
fn remarks<'a>(part: &Object<'a>) -> impl Iterator<Item = Remark<'a>> + use<'a> {
    let logprobs = given(part, "logprobs").filter(|list| list.elements().is_some_and(|mut list| list.next().is_some()));
    let cited = given(part, "annotations").and_then(Raw::elements).into_iter().flatten();
    let cited = cited.filter_map(citation).map(Remark::Citation);
    let measured = logprobs.map(Measured::OpenAi).map(Remark::Logprobs);
    measured.into_iter().chain(cited)
}

/// The citation that an annotation is, if it is one of a web page.
pub(in crate::dialect::responses) fn citation(annotation: Raw<'_>) -> Option<Citation<'_>> {
    let object = annotation.object()?;
    let is_page = given(&object, "type")?.string()? == "url_citation";
    Citation::read(&object).filter(|_| is_page)
}

/// The image that an item is, when it is complete.
pub(in crate::dialect::responses) fn generated<'a>(item: &Object<'a>) -> Option<Source<'a>> {
    let is_image = item.get("type").and_then(Raw::string)? == "image_generation_call";
    let data = word(item, "result").filter(|_| is_image)?;
    let format = given(item, "output_format").and_then(Raw::string);
    let media_type = format.map_or_else(
        || Text::from(media_type(&data)),
        |format| Text::from(format!("image/{format}")),
    );
    Some(Source::Base64 { media_type, data })
}

/// By the first bytes of what is base64; the API makes PNG unless it is told otherwise.
fn media_type(data: &Text<'_>) -> &'static str {
    let starts = |start: &str| match data {
        Text::Json(raw) => raw.text().get(1..).is_some_and(|text| text.starts_with(start)),
        Text::Plain(text) => text.starts_with(start),
    };
    if starts("/9j/") {
        "image/jpeg"
    } else if starts("UklGR") {
        "image/webp"
    } else {
        "image/png"
    }
}

pub(in crate::dialect::responses) fn nameless() -> Fault {
    Fault::malformed("the answer has a tool call that names no function")
}

/// An id for a call that the upstream gave none; unlike those of the conversation's other turns.
pub(in crate::dialect::responses) fn call_id(exchange: &Exchange, index: usize) -> Text<'static> {
    Text::from(format!("call_{}_{index}", exchange.request_id))
}

/// A string that says something.
pub(in crate::dialect::responses) fn word<'a>(object: &Object<'a>, key: &str) -> Option<Text<'a>> {
    given(object, key).and_then(Text::of).filter(|text| !text.is_empty())
}
