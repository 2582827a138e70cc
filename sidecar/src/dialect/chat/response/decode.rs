//! A chat answer into the item form.

use crate::dialect::chat::finish::{self, Circumstances};
use crate::dialect::chat::request::{read_details, read_source};
use crate::dialect::chat::usage;
use crate::dialect::item::{Arguments, Call, Citation, Part, Reasoning, Remark, Reply, Source};
use crate::dialect::loss::given;
use crate::dialect::measured::Measured;
use crate::dialect::text::Text;
use crate::dialect::{Exchange, Fault, Loss, Losses, unsaid};
use crate::json::{Elements, Member, Object, Raw};

/// Decodes the first choice; a client of another dialect cannot ask for more.
pub(in crate::dialect) fn decode<'a>(exchange: &Exchange, body: &'a [u8]) -> Result<Reply<'a>, Fault> {
    let answer = super::parse(body)?;
    let choice = first_choice(&answer).ok_or_else(|| Fault::malformed("the answer has no choice"))?;
    let message = choice.get("message").and_then(Raw::object);
    let message = message.ok_or_else(|| Fault::malformed("the answer's choice has no message"))?;
    let mut lost = sources(&answer).collect();
    let parts = parts(exchange, &message, &mut lost)?;
    let reason = choice.get("finish_reason").and_then(Raw::string).unwrap_or_default();
    if let Some(class) = finish::failure(&reason) {
        return Err(Fault::new(class, format!("the upstream ended with {reason}")));
    }
    let first = |remark| (0, remark);
    let mut remarks: Vec<_> = logprobs(&choice).map(Remark::Logprobs).map(first).into_iter().collect();
    let cited = given(&message, "annotations").into_iter().flat_map(citations);
    remarks.extend(cited.map(Remark::Citation).map(first));
    let circumstances = Circumstances {
        calls: parts.iter().any(|part| matches!(part, Part::Call(_))),
        refuses: parts.iter().any(|part| matches!(part, Part::Refusal(_))),
        sequence: given(&choice, "stop_reason").and_then(Text::of),
    };
    Ok(Reply {
        id: word(&answer, "id"),
        model: word(&answer, "model"),
        created: answer.get("created").and_then(Raw::u64),
        parts,
        remarks,
        finish: finish::read(&reason, circumstances),
        usage: usage::of(&answer),
        lost,
    })
}

fn parts<'a>(exchange: &Exchange, message: &Object<'a>, lost: &mut Losses) -> Result<Vec<Part<'a>>, Fault> {
    let mut parts = Vec::with_capacity(4);
    lost.extend(message.members().iter().filter_map(self::unsaid));
    parts.extend(
        given(message, "reasoning_details")
            .into_iter()
            .flat_map(read_details)
            .map(Part::Reasoning),
    );
    if parts.is_empty() {
        let text = word(message, "reasoning_content").or_else(|| word(message, "reasoning"));
        parts.extend(text.map(Reasoning::Unsigned).map(Part::Reasoning));
    }
    match given(message, "content") {
        None => {}
        Some(content) => match Text::of(content) {
            Some(text) => parts.extend(Some(text).filter(|text| !text.is_empty()).map(Part::Text)),
            None => parts.extend(
                content
                    .elements()
                    .into_iter()
                    .flatten()
                    .flat_map(|entry| chunk(entry, lost)),
            ),
        },
    }
    parts.extend(given(message, "images").into_iter().flat_map(|list| images(list, lost)));
    parts.extend(word(message, "refusal").map(Part::Refusal));
    for (index, call) in given(message, "tool_calls")
        .and_then(Raw::elements)
        .into_iter()
        .flat_map(Elements::objects)
        .enumerate()
    {
        parts.push(Part::Call(tool_call(exchange, index, call)?));
    }
    Ok(parts)
}

/// A member of a message, or of a delta, that no other dialect has.
pub(in crate::dialect::chat) fn unsaid(member: &Member<'_>) -> Option<Loss> {
    if matches!(member.value.text(), "null" | "[]" | "{}") {
        return None;
    }
    match &*member.key() {
        "audio" => Some(unsaid::meaning("audio", "no other dialect answers with sound")),
        "annotations" if citations(member.value).next().is_none() => Some(unsaid::hint("annotations", NOT_CITED)),
        "function_call" => Some(unsaid::meaning(
            "function_call",
            "it is the deprecated form of tool_calls",
        )),
        _ => None,
    }
}

/// How likely a choice's tokens were; an array of at least one.
pub(in crate::dialect::chat) fn logprobs<'a>(choice: &Object<'a>) -> Option<Measured<'a>> {
    let content = given(&given(choice, "logprobs")?.object()?, "content")?;
    content.elements()?.next().map(|_| Measured::OpenAi(content))
}

/// The web pages among a text's annotations.
pub(in crate::dialect::chat) fn citations(list: Raw<'_>) -> impl Iterator<Item = Citation<'_>> {
    let entries = list.elements().into_iter().flat_map(Elements::objects).flatten();
    entries.filter_map(|entry| Citation::read(&given(&entry, "url_citation")?.object()?))
}

/// The one that is numbered so, as of a stream; without numbers the one that stands there.
fn first_choice<'a>(answer: &Object<'a>) -> Option<Object<'a>> {
    let choices = || {
        given(answer, "choices")
            .and_then(Raw::elements)
            .into_iter()
            .flat_map(Elements::objects)
    };
    let is_first = |choice: &Object<'_>| choice.get("index").and_then(Raw::u64) == Some(0);
    let first = choices().next()??;
    match is_first(&first) {
        true => Some(first),
        false => Some(choices().flatten().find(is_first).unwrap_or(first)),
    }
}

/// What a searching provider found, beside the choices.
pub(in crate::dialect::chat) fn sources<'a>(answer: &Object<'a>) -> impl Iterator<Item = Loss> + use<'a> {
    let found = |key: &&str| given(answer, key).is_some_and(|list| list.text() != "[]");
    let found: smallvec::SmallVec<[&str; 2]> = ["citations", "search_results"].into_iter().filter(found).collect();
    found.into_iter().map(|key| unsaid::hint(key, NOT_CITED))
}

const NOT_CITED: &str = "citations are not translated";

/// Images as OpenRouter writes them: `[{"type":"image_url","image_url":{"url":…}}]`.
pub(in crate::dialect::chat) fn images<'a>(list: Raw<'a>, lost: &mut Losses) -> Vec<Part<'a>> {
    let images = list.elements().into_iter().flatten();
    images.filter_map(|image| read_image(image, lost)).collect()
}

fn read_image<'a>(image: Raw<'a>, lost: &mut Losses) -> Option<Part<'a>> {
    let url = image.object().and_then(|image| given(&image, "image_url"));
    let url = url.and_then(|url| url.object().map_or(Some(url), |inner| given(&inner, "url")));
    match url.and_then(Raw::string).map(read_source) {
        Some(Ok(source @ (Source::Base64 { .. } | Source::Url(_)))) => Some(Part::Image(source)),
        _ => {
            lost.push(unsaid::meaning("images", "it is no image with a URL"));
            None
        }
    }
}

/// Mistral's content is a list while it thinks: `{"type":"thinking","thinking":[{"type":"text",…}]}`.
pub(in crate::dialect::chat) fn chunk<'a>(chunk: Raw<'a>, lost: &mut Losses) -> Vec<Part<'a>> {
    let Some(object) = chunk.object() else {
        return Vec::new();
    };
    match &*object.get("type").and_then(Raw::string).unwrap_or_default() {
        "image_url" => return read_image(chunk, lost).into_iter().collect(),
        "" | "text" | "thinking" => {}
        other => lost.push(unsaid::foreign(other)),
    }
    let thoughts = given(&object, "thinking").and_then(Raw::elements).into_iter().flatten();
    let thoughts = thoughts.filter_map(|thought| word(&thought.object()?, "text"));
    let thoughts = thoughts.map(|text| Part::Reasoning(Reasoning::Unsigned(text)));
    thoughts.chain(word(&object, "text").map(Part::Text)).collect()
}

fn tool_call<'a>(exchange: &Exchange, index: usize, call: Option<Object<'a>>) -> Result<Call<'a>, Fault> {
    let bad = || Fault::malformed("the answer has a tool call that names no function");
    let call = call.ok_or_else(bad)?;
    if let Some(custom) = given(&call, "custom").and_then(Raw::object) {
        return Ok(Call {
            id: word(&call, "id").unwrap_or_else(|| call_id(exchange, index)),
            name: word(&custom, "name").ok_or_else(bad)?,
            arguments: Arguments::Free(given(&custom, "input").and_then(Text::of).unwrap_or(Text::from(""))),
        });
    }
    let function = call.get("function").and_then(Raw::object).ok_or_else(bad)?;
    let arguments = given(&function, "arguments");
    let quoted = arguments.and_then(Text::of).map(Arguments::Quoted);
    Ok(Call {
        id: word(&call, "id").unwrap_or_else(|| call_id(exchange, index)),
        name: word(&function, "name").ok_or_else(bad)?,
        arguments: quoted
            .or_else(|| arguments.map(Arguments::Object))
            .unwrap_or_else(|| Arguments::Quoted(Text::from(""))),
    })
}

/// An id for a call that the upstream gave none; unlike those of the conversation's other turns.
pub(in crate::dialect::chat) fn call_id(exchange: &Exchange, index: usize) -> Text<'static> {
    Text::from(format!("call_{}_{index}", exchange.request_id))
}

/// A string that says something.
fn word<'a>(object: &Object<'a>, key: &str) -> Option<Text<'a>> {
    given(object, key).and_then(Text::of).filter(|text| !text.is_empty())
}
