//! The item form into a Gemini answer.

use crate::dialect::gemini::signature;
use crate::dialect::gemini::{finish, usage};
use crate::dialect::item::{Arguments, Finish, Part, Reasoning, Remark, Reply, Source};
use crate::dialect::text::Text;
use crate::dialect::{Exchange, Usage};
use crate::json::{ArrayWriter, ObjectWriter};

pub(in crate::dialect) fn encode(exchange: &Exchange, reply: &Reply<'_>, out: &mut Vec<u8>) {
    let mut body = ObjectWriter::new(out);
    let mut candidates = body.array("candidates");
    let mut candidate = candidates.object();
    let mut content = candidate.object("content");
    let mut parts = content.array("parts");
    write_parts(exchange, &reply.parts, &mut parts);
    if parts.is_empty() {
        parts.object().string("text", "");
    }
    parts.end();
    content.string("role", "model");
    content.end();
    write_finish(&reply.finish, &mut candidate);
    candidate.u64("index", 0);
    let measured = reply.remarks.iter().find_map(|(_, remark)| match remark {
        Remark::Logprobs(measured) => Some(measured),
        Remark::Citation(_) => None,
    });
    if let Some(measured) = measured {
        measured.write_google(&mut candidate);
    }
    candidate.end();
    candidates.end();
    write_tail(
        exchange,
        reply.usage.as_ref(),
        reply.model.as_ref(),
        reply.id.as_ref(),
        &mut body,
    );
}

/// Why the answer ended, and what was said about it.
pub(in crate::dialect::gemini) fn write_finish(finish: &Finish<'_>, candidate: &mut ObjectWriter<'_>) {
    candidate.string("finishReason", finish::reason(finish));
    if let Finish::Refused(Some(said)) = finish {
        said.write(candidate.member("finishMessage"));
    }
}

/// What follows the candidates.
pub(in crate::dialect::gemini) fn write_tail(
    exchange: &Exchange,
    counted: Option<&Usage>,
    model: Option<&Text<'_>>,
    id: Option<&Text<'_>>,
    body: &mut ObjectWriter<'_>,
) {
    if let Some(counted) = counted {
        usage::write(counted, &mut body.object("usageMetadata"));
    }
    match model {
        Some(model) => model.write(body.member("modelVersion")),
        None => body.string("modelVersion", &exchange.model),
    }
    match id {
        Some(id) => id.write(body.member("responseId")),
        None => body.string("responseId", &exchange.request_id),
    }
}

fn write_parts(exchange: &Exchange, said: &[Part<'_>], parts: &mut ArrayWriter<'_>) {
    // A signature of Google's waits for its call.
    let mut waiting: Option<&str> = None;
    for part in said {
        match part {
            Part::Text(text) | Part::Refusal(text) => text.write(parts.object().member("text")),
            Part::Reasoning(Reasoning::Foreign(entry)) if signature::read(entry).is_some() => waiting = Some(entry),
            Part::Reasoning(reasoning) if exchange.shows_reasoning => write_thought(reasoning, parts),
            Part::Reasoning(_) => {}
            Part::Call(call) => {
                let carried = waiting.take().and_then(signature::read);
                write_call(
                    &call.id,
                    exchange.client_name(&call.name.plain()),
                    &call.arguments,
                    carried.map(|carried| carried.signature).as_ref(),
                    parts,
                );
            }
            Part::Image(source) => write_image(source, parts),
            // No decoder of answers makes these.
            Part::Audio(_) | Part::File(_) | Part::Result(_) | Part::Raw(_) => {}
        }
    }
}

/// A thought, with what must come back in its signature.
pub(in crate::dialect::gemini) fn write_thought(reasoning: &Reasoning<'_>, parts: &mut ArrayWriter<'_>) {
    let mut part = parts.object();
    match reasoning {
        Reasoning::Unsigned(text) | Reasoning::Signed { text, .. } => text.write(part.member("text")),
        Reasoning::Sealed(_) | Reasoning::Foreign(_) => part.string("text", ""),
    }
    part.bool("thought", true);
    if let Some(marked) = signature::marked(reasoning) {
        part.string("thoughtSignature", &marked);
    }
}

/// An image by its bytes, or where it is.
pub(in crate::dialect::gemini) fn write_image(source: &Source<'_>, parts: &mut ArrayWriter<'_>) {
    let mut part = parts.object();
    match source {
        Source::Base64 { media_type, data } => {
            let mut blob = part.object("inlineData");
            media_type.write(blob.member("mimeType"));
            data.write(blob.member("data"));
        }
        Source::Url(url) => url.write(part.object("fileData").member("fileUri")),
        // No other kind gets here.
        Source::Plain(_) | Source::Upload => {}
    }
}

/// A call, with the signature that Google gave it.
pub(in crate::dialect::gemini) fn write_call(
    id: &Text<'_>,
    name: &str,
    arguments: &Arguments<'_>,
    signature: Option<&Text<'_>>,
    parts: &mut ArrayWriter<'_>,
) {
    let mut part = parts.object();
    let mut call = part.object("functionCall");
    id.write(call.member("id"));
    call.string("name", name);
    arguments.write_object(call.member("args"));
    call.end();
    if let Some(signature) = signature {
        signature.write(part.member("thoughtSignature"));
    }
}
