//! The item form into a chat answer.

use crate::dialect::chat::request::{google, write_detail, write_url};
use crate::dialect::chat::{finish, usage};
use crate::dialect::item::{Arguments, Call, Citation, Finish, Part, Reasoning, Remark, Reply, Source};
use crate::dialect::text::Text;
use crate::dialect::{Exchange, Operation, measured};
use crate::json::{ArrayWriter, ObjectWriter, ValueWriter};
use smallvec::SmallVec;

pub(in crate::dialect) fn encode(exchange: &Exchange, reply: &Reply<'_>, out: &mut Vec<u8>) {
    let mut body = ObjectWriter::new(out);
    write_head(
        exchange,
        reply.id.as_ref(),
        reply.model.as_ref(),
        reply.created,
        "chat.completion",
        &mut body,
    );
    let mut choices = body.array("choices");
    let mut choice = choices.object();
    choice.u64("index", 0);
    write_message(exchange, reply, &mut choice.object("message"));
    write_logprobs(reply, &mut choice);
    let refuses = reply.parts.iter().any(|part| matches!(part, Part::Refusal(_)));
    choice.string("finish_reason", finish::word(&reply.finish, refuses));
    choice.end();
    choices.end();
    if let Some(counted) = &reply.usage {
        usage::write(counted, &mut body.object("usage"));
    }
}

/// What an answer and each of its chunks begin with.
pub(in crate::dialect) fn write_head(
    exchange: &Exchange,
    id: Option<&Text<'_>>,
    model: Option<&Text<'_>>,
    created: Option<u64>,
    object: &str,
    body: &mut ObjectWriter<'_>,
) {
    match id {
        Some(id) => id.write(body.member("id")),
        None => body.string(
            "id",
            &format!("{}-{}", id_prefix(exchange.operation), exchange.request_id),
        ),
    }
    body.string("object", object);
    match created {
        Some(created) => body.u64("created", created),
        None => body.member("created").i64(exchange.created),
    }
    match model {
        Some(model) => model.write(body.member("model")),
        None => body.string("model", &exchange.model),
    }
}

fn id_prefix(operation: Operation) -> &'static str {
    match operation {
        Operation::Completions => "cmpl",
        _ => "chatcmpl",
    }
}

fn write_message(exchange: &Exchange, reply: &Reply<'_>, message: &mut ObjectWriter<'_>) {
    message.string("role", "assistant");
    let calls = reply.parts.iter().filter_map(|part| match part {
        Part::Call(call) => Some(call),
        _ => None,
    });
    let said = |part: &Part<'_>| matches!(part, Part::Text(_));
    if reply.parts.iter().any(said) || calls.clone().next().is_none() {
        write_texts(&reply.parts, message.member("content"));
    } else {
        message.null("content");
    }
    write_refusal(reply, message);
    write_reasoning(&reply.parts, message);
    write_images(&reply.parts, message);
    write_annotations(reply, message);
    if calls.clone().next().is_some() {
        let mut list = message.array("tool_calls");
        calls.for_each(|call| write_call(exchange, call, &reply.parts, &mut list));
    }
}

/// Of all texts together, as the message has them.
fn write_logprobs(reply: &Reply<'_>, choice: &mut ObjectWriter<'_>) {
    let lists = reply.remarks.iter().filter_map(|(_, remark)| match remark {
        Remark::Logprobs(measured) => Some(measured.openai()),
        Remark::Citation(_) => None,
    });
    let lists: SmallVec<[_; 2]> = lists.collect();
    let mut tokens = lists.iter().flat_map(|list| measured::elements(list)).peekable();
    if tokens.peek().is_none() {
        return choice.null("logprobs");
    }
    let mut logprobs = choice.object("logprobs");
    let mut content = logprobs.array("content");
    tokens.for_each(|token| content.raw(token));
    content.end();
    logprobs.null("refusal");
}

fn write_annotations(reply: &Reply<'_>, message: &mut ObjectWriter<'_>) {
    let cited = reply.remarks.iter().filter_map(|(text, remark)| match remark {
        Remark::Citation(citation) => Some((*text, citation)),
        Remark::Logprobs(_) => None,
    });
    let mut cited = cited.peekable();
    if cited.peek().is_none() {
        return;
    }
    let mut list = message.array("annotations");
    let texts = reply.parts.iter().filter_map(|part| match part {
        Part::Text(text) => Some(text.characters()),
        _ => None,
    });
    let lengths: SmallVec<[u64; 8]> = texts.collect();
    cited.for_each(|(text, citation)| {
        let before = lengths.iter().take(text).sum();
        write_citation(citation, before, &mut list);
    });
}

/// A citation, whole or in a chunk.
pub(in crate::dialect::chat) fn write_citation(citation: &Citation<'_>, before: u64, list: &mut ArrayWriter<'_>) {
    let mut object = list.object();
    object.string("type", "url_citation");
    citation.write(before, &mut object.object("url_citation"));
}

fn write_texts(parts: &[Part<'_>], value: ValueWriter<'_>) {
    let mut string = value.text();
    for part in parts {
        if let Part::Text(text) = part {
            text.push_to(&mut string);
        }
    }
}

/// What the model refused with, or what was said about its being stopped.
fn write_refusal(reply: &Reply<'_>, message: &mut ObjectWriter<'_>) {
    let refusal = reply.parts.iter().find_map(|part| match part {
        Part::Refusal(text) => Some(text),
        _ => None,
    });
    match (refusal, &reply.finish) {
        (Some(text), _) | (None, Finish::Refused(Some(text))) => text.write(message.member("refusal")),
        (None, _) => message.null("refusal"),
    }
}

/// `reasoning_content` to show and `reasoning_details` to return; the latter only if something in it must come back.
fn write_reasoning(parts: &[Part<'_>], message: &mut ObjectWriter<'_>) {
    let reasoning = parts.iter().filter_map(|part| match part {
        Part::Reasoning(reasoning) => Some(reasoning),
        _ => None,
    });
    let texts = reasoning.clone().filter_map(|reasoning| match reasoning {
        Reasoning::Unsigned(text) | Reasoning::Signed { text, .. } => Some(text),
        Reasoning::Sealed(_) | Reasoning::Foreign(_) => None,
    });
    if texts.clone().any(|text| !text.is_empty()) {
        let mut string = message.member("reasoning_content").text();
        texts.for_each(|text| text.push_to(&mut string));
    }
    if reasoning
        .clone()
        .any(|reasoning| !matches!(reasoning, Reasoning::Unsigned(_)))
    {
        let mut list = message.array("reasoning_details");
        reasoning
            .enumerate()
            .for_each(|(index, part)| write_detail(part, index, &mut list.object()));
    }
}

/// Where OpenRouter and others have the images of an answer; OpenAI's own dialect has no place for them.
fn write_images(parts: &[Part<'_>], message: &mut ObjectWriter<'_>) {
    let images = parts.iter().filter_map(|part| match part {
        Part::Image(source) => Some(source),
        _ => None,
    });
    let mut images = images.enumerate().peekable();
    if images.peek().is_none() {
        return;
    }
    let mut list = message.array("images");
    images.for_each(|(index, source)| write_image(source, index, &mut list));
}

/// An image of an answer, whole or in a chunk.
pub(in crate::dialect::chat) fn write_image(source: &Source<'_>, index: usize, list: &mut ArrayWriter<'_>) {
    let mut image = list.object();
    image.string("type", "image_url");
    write_url(source, image.object("image_url").member("url"));
    image.u64("index", index as u64);
}

fn write_call(exchange: &Exchange, call: &Call<'_>, parts: &[Part<'_>], list: &mut ArrayWriter<'_>) {
    let mut object = list.object();
    call.id.write(object.member("id"));
    if let Arguments::Free(input) = &call.arguments {
        object.string("type", "custom");
        let mut custom = object.object("custom");
        custom.string("name", exchange.client_name(&call.name.plain()));
        return input.write(custom.member("input"));
    }
    object.string("type", "function");
    let mut function = object.object("function");
    function.string("name", exchange.client_name(&call.name.plain()));
    call.arguments.write_quoted(function.member("arguments"));
    function.end();
    let id = call.id.plain();
    let own = parts.iter().find_map(|part| match part {
        Part::Reasoning(Reasoning::Foreign(entry)) => google::of_call(entry, &id),
        _ => None,
    });
    if let Some(signature) = own {
        google::write(&signature, &mut object);
    }
}
