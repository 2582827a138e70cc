//! The item form into a Responses answer.

use crate::dialect::item::{Arguments, Call, Citation, Finish, Part, Reasoning, Remark, Reply, Source};
use crate::dialect::responses::finish::{self, Circumstances};
use crate::dialect::responses::{carried, usage};
use crate::dialect::text::Text;
use crate::dialect::{Exchange, measured};
use crate::json::{ArrayWriter, ObjectWriter};
use std::fmt::Write as _;

/// What a call has that came without arguments: applications parse it.
pub(in crate::dialect::responses) const NO_ARGUMENTS: &str = "{}";

pub(in crate::dialect) fn encode(exchange: &Exchange, reply: &Reply<'_>, out: &mut Vec<u8>) {
    let mut body = ObjectWriter::new(out);
    let (id, model) = (reply.id.as_ref(), reply.model.as_ref());
    write_head(exchange, id, model, reply.created, &mut body);
    let reason = finish::reason(&reply.finish, Circumstances::of(&reply.parts).refuses);
    finish::write(reason, &mut body);
    write_output(exchange, reply, reason, &mut body.array("output"));
    // Not every SDK's type takes an answer without it.
    usage::write(&reply.usage.unwrap_or_default(), &mut body.object("usage"));
    write_repeated(exchange, &mut body);
}

/// What a response begins with, wherever it stands.
pub(in crate::dialect::responses) fn write_head(
    exchange: &Exchange,
    id: Option<&Text<'_>>,
    model: Option<&Text<'_>>,
    created: Option<u64>,
    body: &mut ObjectWriter<'_>,
) {
    match id {
        Some(id) => id.write(body.member("id")),
        None => body.string("id", &format!("resp_{}", exchange.request_id)),
    }
    body.string("object", "response");
    match created {
        Some(created) => body.u64("created_at", created),
        None => body.member("created_at").i64(exchange.created),
    }
    match model {
        Some(model) => model.write(body.member("model")),
        None => body.string("model", &exchange.model),
    }
}

/// What a response says of its request.
pub(in crate::dialect::responses) fn write_repeated(exchange: &Exchange, body: &mut ObjectWriter<'_>) {
    body.members_of(&exchange.repeated);
}

/// The id of an item, which its events name.
pub(in crate::dialect::responses) fn item_id(kind: &str, exchange: &Exchange, index: usize) -> String {
    let mut id = String::with_capacity(kind.len() + exchange.request_id.len() + 8);
    id.extend([kind, "_", &exchange.request_id, "_"]);
    write!(id, "{index}").expect("a String takes all characters");
    id
}

/// Consecutive texts and refusals are one message.
fn write_output(exchange: &Exchange, reply: &Reply<'_>, reason: Option<&str>, output: &mut ArrayWriter<'_>) {
    let explanation = match &reply.finish {
        Finish::Refused(Some(text)) => Some(text),
        _ => None,
    };
    let mut index = 0;
    let both_said = |one: &Part<'_>, other: &Part<'_>| is_said(one) && is_said(other);
    let runs = reply.parts.chunk_by(both_said);
    let last = runs.clone().count().saturating_sub(1);
    let mut explained = false;
    let mut texts = 0;
    for (at, run) in runs.enumerate() {
        let status = finish::status(reason.filter(|_| at == last));
        let id = |kind| item_id(kind, exchange, index);
        match run {
            [Part::Reasoning(reasoning)] => write_reasoning(&id("rs"), reasoning, &mut output.object()),
            [Part::Image(source)] => write_image(&id("ig"), "completed", Some(source), &mut output.object()),
            [Part::Call(call)] => {
                let id = match call.arguments {
                    Arguments::Free(_) => id("ctc"),
                    Arguments::Object(_) | Arguments::Quoted(_) => id("fc"),
                };
                write_call(exchange, &id, call, status, &mut output.object());
            }
            said if said.iter().any(is_said) => {
                explained = at == last;
                let explanation = explanation.filter(|_| explained);
                let remarks = Remarks {
                    all: &reply.remarks,
                    text: texts,
                };
                write_message(&id("msg"), said, remarks, explanation, status, &mut output.object());
                texts += said.iter().filter(|part| matches!(part, Part::Text(_))).count();
            }
            // No decoder of answers makes these.
            _ => continue,
        }
        index += 1;
    }
    if let Some(explanation) = explanation.filter(|_| !explained) {
        let id = item_id("msg", exchange, index);
        write_message(
            &id,
            &[],
            Remarks { all: &[], text: 0 },
            Some(explanation),
            finish::status(reason),
            &mut output.object(),
        );
    }
}

fn is_said(part: &Part<'_>) -> bool {
    matches!(part, Part::Text(_) | Part::Refusal(_))
}

/// What is said about texts, and the number of the first text of a message.
#[derive(Clone, Copy)]
struct Remarks<'r, 'a> {
    all: &'r [(usize, Remark<'a>)],
    text: usize,
}

impl Remarks<'_, '_> {
    fn write(&self, part: &mut ObjectWriter<'_>) {
        let own = || {
            self.all
                .iter()
                .filter(|(text, _)| *text == self.text)
                .map(|(_, remark)| remark)
        };
        let mut annotations = part.array("annotations");
        for remark in own() {
            if let Remark::Citation(citation) = remark {
                write_citation(citation, &mut annotations.object());
            }
        }
        annotations.end();
        let measured = own().find_map(|remark| match remark {
            Remark::Logprobs(measured) => Some(measured.openai()),
            Remark::Citation(_) => None,
        });
        match measured {
            Some(list) => {
                let mut logprobs = part.array("logprobs");
                measured::elements(&list).for_each(|token| logprobs.raw(token));
            }
            None => part.array("logprobs").end(),
        }
    }
}

/// A citation, whole or in an event.
pub(in crate::dialect::responses) fn write_citation(citation: &Citation<'_>, object: &mut ObjectWriter<'_>) {
    object.string("type", "url_citation");
    citation.write(0, object);
}

fn write_message(
    id: &str,
    said: &[Part<'_>],
    mut remarks: Remarks<'_, '_>,
    explanation: Option<&Text<'_>>,
    status: &str,
    item: &mut ObjectWriter<'_>,
) {
    item.string("type", "message");
    item.string("id", id);
    item.string("status", status);
    item.string("role", "assistant");
    let mut content = item.array("content");
    for part in said {
        match part {
            Part::Text(text) => {
                let mut part = content.object();
                part.string("type", "output_text");
                text.write(part.member("text"));
                remarks.write(&mut part);
                remarks.text += 1;
            }
            Part::Refusal(text) => write_refusal(text, &mut content),
            _ => {}
        }
    }
    if let Some(text) = explanation {
        write_refusal(text, &mut content);
    }
}

fn write_refusal(text: &Text<'_>, content: &mut ArrayWriter<'_>) {
    let mut part = content.object();
    part.string("type", "refusal");
    text.write(part.member("refusal"));
}

fn write_reasoning(id: &str, reasoning: &Reasoning<'_>, item: &mut ObjectWriter<'_>) {
    item.string("type", "reasoning");
    item.string("id", id);
    let mut summary = item.array("summary");
    match reasoning {
        Reasoning::Unsigned(text) | Reasoning::Signed { text, .. } if !text.is_empty() => {
            let mut part = summary.object();
            part.string("type", "summary_text");
            text.write(part.member("text"));
        }
        _ => {}
    }
    summary.end();
    carried::write(reasoning, item);
}

/// An image, as if a tool of the provider's had made it: the one place that the dialect has for it. Complete, it has its
/// bytes.
pub(in crate::dialect::responses) fn write_image(
    id: &str,
    status: &str,
    source: Option<&Source<'_>>,
    item: &mut ObjectWriter<'_>,
) {
    item.string("type", "image_generation_call");
    item.string("id", id);
    item.string("status", status);
    match source {
        Some(Source::Base64 { media_type, data }) => {
            data.write(item.member("result"));
            if let Some(format) = media_type.plain().strip_prefix("image/") {
                item.string("output_format", format);
            }
        }
        // No other kind gets here.
        Some(Source::Url(_) | Source::Plain(_) | Source::Upload) | None => item.null("result"),
    }
}

fn write_call(exchange: &Exchange, id: &str, call: &Call<'_>, status: &str, item: &mut ObjectWriter<'_>) {
    if let Arguments::Free(input) = &call.arguments {
        item.string("type", "custom_tool_call");
        item.string("id", id);
        item.string("status", status);
        call.id.write(item.member("call_id"));
        item.string("name", exchange.client_name(&call.name.plain()));
        return input.write(item.member("input"));
    }
    item.string("type", "function_call");
    item.string("id", id);
    item.string("status", status);
    call.id.write(item.member("call_id"));
    item.string("name", exchange.client_name(&call.name.plain()));
    match &call.arguments {
        Arguments::Quoted(text) if text.is_blank() => item.string("arguments", NO_ARGUMENTS),
        arguments => arguments.write_quoted(item.member("arguments")),
    }
}
