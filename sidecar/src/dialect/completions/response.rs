//! The item form into a completion.

use super::{OBJECT, finish_reason};
use crate::dialect::Exchange;
use crate::dialect::chat::{response::write_head, usage};
use crate::dialect::item::{Finish, Part, Reply};
use crate::json::ObjectWriter;

/// What was said, refusals included; the older form has no place for reasoning.
pub(in crate::dialect) fn encode(exchange: &Exchange, reply: &Reply<'_>, out: &mut Vec<u8>) {
    let mut body = ObjectWriter::new(out);
    let Reply {
        id,
        model,
        created,
        parts,
        // Taken out before.
        remarks: _,
        finish,
        usage: counted,
        lost: _,
    } = reply;
    write_head(exchange, id.as_ref(), model.as_ref(), *created, OBJECT, &mut body);
    let mut choices = body.array("choices");
    let mut choice = choices.object();
    let mut text = choice.member("text").text();
    for part in parts {
        if let Part::Text(said) | Part::Refusal(said) = part {
            said.push_to(&mut text);
        }
    }
    if let Finish::Refused(Some(explanation)) = finish {
        explanation.push_to(&mut text);
    }
    drop(text);
    choice.u64("index", 0);
    choice.null("logprobs");
    choice.string("finish_reason", finish_reason(finish));
    choice.end();
    choices.end();
    if let Some(counted) = counted {
        usage::write(counted, &mut body.object("usage"));
    }
}
