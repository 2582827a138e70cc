//! The item form into an Anthropic answer.

use crate::dialect::Exchange;
use crate::dialect::item::{Part, Reasoning, Reply};
use crate::dialect::messages::request::FOREIGN_REASONING;
use crate::dialect::messages::{finish, usage};
use crate::dialect::text::Text;
use crate::json::{ArrayWriter, ObjectWriter};

pub(in crate::dialect) fn encode(exchange: &Exchange, reply: &Reply<'_>, out: &mut Vec<u8>) {
    let mut body = ObjectWriter::new(out);
    write_head(exchange, reply.id.as_ref(), reply.model.as_ref(), &mut body);
    let mut content = body.array("content");
    reply
        .parts
        .iter()
        .for_each(|part| write_part(exchange, part, &mut content));
    content.end();
    finish::write(&reply.finish, &mut body);
    // The SDKs' type demands it.
    usage::write(&reply.usage.unwrap_or_default(), &mut body.object("usage"));
}

/// What an answer and a stream's `message_start` begin with.
pub(in crate::dialect::messages) fn write_head(
    exchange: &Exchange,
    id: Option<&Text<'_>>,
    model: Option<&Text<'_>>,
    body: &mut ObjectWriter<'_>,
) {
    match id {
        Some(id) => id.write(body.member("id")),
        None => body.string("id", &format!("msg_{}", exchange.request_id)),
    }
    body.string("type", "message");
    body.string("role", "assistant");
    match model {
        Some(model) => model.write(body.member("model")),
        None => body.string("model", &exchange.model),
    }
}

fn write_part(exchange: &Exchange, part: &Part<'_>, content: &mut ArrayWriter<'_>) {
    match part {
        Part::Text(text) | Part::Refusal(text) => {
            let mut block = content.object();
            block.string("type", "text");
            text.write(block.member("text"));
        }
        Part::Reasoning(reasoning) if exchange.shows_reasoning => {
            write_reasoning(reasoning, &mut content.object());
        }
        Part::Call(call) => {
            let mut block = content.object();
            block.string("type", "tool_use");
            call.id.write(block.member("id"));
            block.string("name", exchange.client_name(&call.name.plain()));
            call.arguments.write_object(block.member("input"));
        }
        Part::Reasoning(_) => {}
        // Images were taken out, and no decoder of answers makes the others.
        Part::Image(_) | Part::Audio(_) | Part::File(_) | Part::Result(_) | Part::Raw(_) => {}
    }
}

/// A reasoning block. The types demand a signature; an empty one says that there is none.
pub(in crate::dialect::messages) fn write_reasoning(reasoning: &Reasoning<'_>, block: &mut ObjectWriter<'_>) {
    match reasoning {
        Reasoning::Unsigned(text) => {
            block.string("type", "thinking");
            text.write(block.member("thinking"));
            block.string("signature", "");
        }
        Reasoning::Signed { text, signature } => {
            block.string("type", "thinking");
            text.write(block.member("thinking"));
            signature.write(block.member("signature"));
        }
        Reasoning::Sealed(data) => {
            block.string("type", "redacted_thinking");
            data.write(block.member("data"));
        }
        Reasoning::Foreign(entry) => {
            block.string("type", "redacted_thinking");
            let mut data = block.member("data").text();
            data.push(FOREIGN_REASONING);
            data.push(entry);
        }
    }
}
