//! A Gemini answer into the item form.

use crate::dialect::gemini::signature;
use crate::dialect::gemini::spelling::{camel_case, given};
use crate::dialect::gemini::{finish, grounding, usage};
use crate::dialect::item::{Arguments, Call, Finish, Part, Reasoning, Remark, Reply, Source};
use crate::dialect::measured::Measured;
use crate::dialect::text::Text;
use crate::dialect::{ClientDialect, Exchange, Fault, Loss, unsaid};
use crate::json::{Object, Raw, Type};
use smallvec::SmallVec;

/// Decodes the first candidate; a client of another dialect cannot ask for more.
pub(in crate::dialect) fn decode<'a>(exchange: &Exchange, body: &'a [u8]) -> Result<Reply<'a>, Fault> {
    let answer = super::parse(body)?;
    let candidate = finish::candidate(&answer);
    let mut parts = Vec::with_capacity(4);
    let mut calls = 0;
    let mut lost: Vec<_> = candidate.iter().flat_map(beside).collect();
    // Which text each of the candidate's parts becomes.
    let (mut texts, mut said_so_far) = (Vec::with_capacity(4), 0);
    for object in candidate.iter().flat_map(super::parts) {
        texts.push(None);
        for said in part(&object, exchange, calls)? {
            match said {
                Said::Text(text) => {
                    if let Some(last) = texts.last_mut() {
                        *last = Some(said_so_far);
                    }
                    said_so_far += 1;
                    parts.push(Part::Text(text));
                }
                Said::Reasoning(reasoning) => parts.push(Part::Reasoning(reasoning)),
                Said::Call(call) => {
                    calls += 1;
                    parts.push(Part::Call(call));
                }
                Said::Image(image) => parts.push(Part::Image(image)),
                Said::Lost(loss) => lost.push(loss),
            }
        }
    }
    let cited = candidate
        .iter()
        .flat_map(|candidate| grounding::citations(candidate, &texts, &parts));
    let cited = cited.map(|(text, citation)| (text, Remark::Citation(citation)));
    // Of all texts together.
    let measured = candidate.as_ref().and_then(Measured::of_candidate);
    let measured = measured.map(|measured| (0, Remark::Logprobs(measured)));
    let remarks = measured.into_iter().chain(cited).collect();
    let finished = match &candidate {
        Some(candidate) => finish::read(candidate, calls > 0)?,
        None => finish::blocked(&answer),
    };
    let missing = || Fault::malformed("the answer has no candidate that finished");
    let finish = match finished {
        Some(finish) => finish,
        // Compatible servers leave the reason out.
        None if !parts.is_empty() => {
            if calls > 0 {
                Finish::Calls
            } else {
                Finish::Stop
            }
        }
        None => return Err(missing()),
    };
    Ok(Reply {
        id: super::text(&answer, "responseId"),
        model: super::text(&answer, "modelVersion"),
        created: None,
        parts,
        remarks,
        finish,
        usage: usage::of(&answer),
        lost,
    })
}

/// What a part says; its signature stands before a call and before a text.
#[derive(Debug)]
pub(in crate::dialect::gemini) enum Said<'a> {
    Text(Text<'a>),
    Reasoning(Reasoning<'a>),
    Call(Call<'a>),
    Image(Source<'a>),
    Lost(Loss),
}

/// What a candidate has beside its parts: what it is based on.
pub(in crate::dialect::gemini) fn beside<'a>(candidate: &Object<'a>) -> impl Iterator<Item = Loss> + use<'a> {
    let has = |key: &&str| given(candidate, key).is_some_and(|value| !matches!(value.text(), "{}" | "[]"));
    let found: SmallVec<[&str; 4]> = GROUNDS.iter().copied().filter(has).collect();
    found.into_iter().map(|key| match key {
        "groundingMetadata" => unsaid::hint(key, "of what was searched, only the pages are translated"),
        key => unsaid::hint(key, "citations are not translated"),
    })
}

const GROUNDS: &[&str] = &["citationMetadata", "groundingMetadata", "urlContextMetadata"];

/// Reads a part of an answer; `calls` came before it.
pub(in crate::dialect::gemini) fn part<'a>(
    part: &Object<'a>,
    exchange: &Exchange,
    calls: usize,
) -> Result<SmallVec<[Said<'a>; 2]>, Fault> {
    let mut said = SmallVec::new();
    let signed = super::text(part, "thoughtSignature");
    if let Some(call) = given(part, "functionCall") {
        let call = function_call(call, exchange, calls)?;
        let carried = signed.map(|signed| signature::carried(&signed, Some(&call.id.plain())));
        said.extend(carried.map(Said::Reasoning));
        said.push(Said::Call(call));
        return Ok(said);
    }
    let text = super::text(part, "text");
    if given(part, "thought").and_then(Raw::bool) == Some(true) {
        said.extend(text.map(Reasoning::Unsigned).map(Said::Reasoning));
        if given(part, "inlineData").is_some() {
            let why = "the image is a draft, which only Google's dialect tells apart";
            said.push(Said::Lost(unsaid::hint("thought.inlineData", why)));
        }
        return Ok(said);
    }
    // Google does without it, and clients of other dialects take the last block for the text.
    let signed = signed.filter(|_| exchange.client == ClientDialect::Chat);
    let carried = signed.map(|signed| signature::carried(&signed, None));
    said.extend(carried.map(Said::Reasoning));
    said.extend(text.map(Said::Text));
    for member in part.members().iter().filter(|member| !member.value.is_null()) {
        said.extend(other(&camel_case(member.key()), member.value));
    }
    Ok(said)
}

/// What is no text: an image, or what no other dialect has.
fn other<'a>(key: &str, value: Raw<'a>) -> Option<Said<'a>> {
    match key {
        "text" | "thought" | "thoughtSignature" => None,
        "inlineData" => Some(match value.object().and_then(|blob| image(&blob)) {
            Some(image) => Said::Image(image),
            None => Said::Lost(unsaid::meaning(key, "other dialects answer with text and images")),
        }),
        "fileData" => Some(Said::Lost(unsaid::meaning(key, "the file is only with Google"))),
        // They describe what another member holds.
        "partMetadata" | "videoMetadata" | "mediaResolution" => None,
        tool_s => Some(Said::Lost(unsaid::foreign(tool_s))),
    }
}

fn image<'a>(blob: &Object<'a>) -> Option<Source<'a>> {
    let media_type = super::text(blob, "mimeType")?;
    let is_image = media_type.plain().starts_with("image/");
    let data = super::text(blob, "data").filter(|_| is_image)?;
    Some(Source::Base64 { media_type, data })
}

fn function_call<'a>(call: Raw<'a>, exchange: &Exchange, calls: usize) -> Result<Call<'a>, Fault> {
    let bad = || Fault::malformed("the answer has a function call that names no function");
    let call = call.object().ok_or_else(bad)?;
    let id = super::text(&call, "id");
    let arguments = given(&call, "args").filter(|args| args.kind() == Type::Object);
    Ok(Call {
        // Older models give none; it must be unlike those of the conversation's other turns.
        id: id.unwrap_or_else(|| Text::from(format!("call_{}_{calls}", exchange.request_id))),
        name: super::text(&call, "name").ok_or_else(bad)?,
        arguments: arguments.map_or(Arguments::Quoted(Text::from("{}")), Arguments::Object),
    })
}
