//! The conversation in Cohere's form: what the assistant says before it calls tools is its plan, and what a tool
//! returned is a message of its own.

use super::tools::write_name;
use crate::dialect::item::{Call, File, Item, Part, Reasoning, Role, Source, ToolResult};
use crate::dialect::loss::Ledger;
use crate::dialect::text::Text;
use crate::dialect::turns::PLACEHOLDER;
use crate::json::{ArrayWriter, ObjectWriter};

/// Writes items; the upstream may not be able to think.
pub(super) struct Turns<'t> {
    pub(super) thinks: bool,
    pub(super) ledger: &'t mut Ledger,
}

impl Turns<'_> {
    pub(super) fn write(&mut self, items: &[Item<'_>], body: &mut ObjectWriter<'_>) {
        let mut messages = body.array("messages");
        let joined = |one: &Item<'_>, other: &Item<'_>| {
            let result = |item: &Item<'_>| matches!(item.part, Part::Result(_));
            one.role == other.role && one.place.message == other.place.message && !result(one) && !result(other)
        };
        for said in items.chunk_by(joined) {
            let kept: Vec<_> = said.iter().filter(|item| self.carries(item)).collect();
            match *kept {
                [] => {}
                [
                    Item {
                        part: Part::Result(result),
                        place,
                        ..
                    },
                ] => {
                    if result.is_error {
                        let why = "the cohere dialect does not say that a tool failed";
                        self.ledger.hint(place.is_error(), why);
                    }
                    self.write_result(result, &mut messages.object());
                }
                [first, ..] => match first.role {
                    Role::System => write_system(&kept, &mut messages),
                    Role::User => write_user(&kept, &mut messages),
                    Role::Assistant => write_assistant(&kept, &mut messages),
                },
            }
        }
    }

    /// Whether the part can be said; reports it when not.
    fn carries(&mut self, item: &Item<'_>) -> bool {
        let hint = match &item.part {
            Part::Reasoning(Reasoning::Sealed(_) | Reasoning::Foreign(_)) => {
                Some("the cohere dialect takes back reasoning in the open only")
            }
            Part::Reasoning(_) if !self.thinks => Some("the model lacks reasoning"),
            Part::Reasoning(Reasoning::Signed { .. }) => {
                let why = "the cohere dialect has no signatures";
                self.ledger.hint(item.place.to_string(), why);
                return true;
            }
            _ => None,
        };
        if let Some(why) = hint {
            self.ledger.hint(item.place.to_string(), why);
            return false;
        }
        let why = refusal(item);
        why.map(|why| self.ledger.meaning(item.field(), why)).is_none()
    }

    fn write_result(&mut self, result: &ToolResult<'_>, message: &mut ObjectWriter<'_>) {
        message.string("role", "tool");
        result.call.write(message.member("tool_call_id"));
        let said = |item: &&Item<'_>| {
            let text = text_of(item).is_some();
            if !text {
                self.ledger
                    .meaning(item.field(), "what a tool returns is text in the cohere dialect");
            }
            text
        };
        let kept: Vec<_> = result.content.iter().filter(said).collect();
        write_content(&kept, message);
    }
}

/// Why the part cannot be said, if it cannot.
fn refusal(item: &Item<'_>) -> Option<&'static str> {
    match &item.part {
        Part::Image(_) if item.role != Role::User => Some("the cohere dialect takes the user's images only"),
        Part::Image(Source::Upload | Source::Plain(_)) => Some("the upload is only with its provider"),
        Part::File(_) if text_of(item).is_none() => Some("the cohere dialect takes text and images only"),
        Part::Audio(_) => Some("the cohere dialect takes no sound"),
        Part::Raw(_) => Some("the cohere dialect has no such part"),
        Part::Text(_)
        | Part::Refusal(_)
        | Part::Image(_)
        | Part::File(_)
        | Part::Call(_)
        | Part::Result(_)
        | Part::Reasoning(_) => None,
    }
}

/// A text, or a file that is text.
fn text_of<'i, 'a>(item: &'i Item<'a>) -> Option<&'i Text<'a>> {
    match &item.part {
        Part::Text(text)
        | Part::Refusal(text)
        | Part::File(File {
            source: Source::Plain(text),
            ..
        }) => Some(text),
        _ => None,
    }
}

fn write_system(kept: &[&Item<'_>], messages: &mut ArrayWriter<'_>) {
    let mut message = messages.object();
    message.string("role", "system");
    write_content(kept, &mut message);
}

/// A message must say something.
fn write_user(kept: &[&Item<'_>], messages: &mut ArrayWriter<'_>) {
    let mut message = messages.object();
    message.string("role", "user");
    if kept.iter().all(|item| text_of(item).is_some_and(Text::is_blank)) {
        return message.string("content", PLACEHOLDER);
    }
    write_content(kept, &mut message);
}

/// Texts and images: one text as a string, anything else as parts.
fn write_content(kept: &[&Item<'_>], message: &mut ObjectWriter<'_>) {
    match kept.iter().map(|item| text_of(item)).collect::<Vec<_>>()[..] {
        [] => return message.string("content", ""),
        [Some(text)] => return text.write(message.member("content")),
        _ => {}
    }
    let mut parts = message.array("content");
    for item in kept {
        match (&item.part, text_of(item)) {
            (_, Some(text)) => write_part("text", text, &mut parts),
            (Part::Image(source), None) => write_image(source, &mut parts),
            (_, None) => {}
        }
    }
}

fn write_part(kind: &'static str, text: &Text<'_>, parts: &mut ArrayWriter<'_>) {
    let mut part = parts.object();
    part.string("type", kind);
    text.write(part.member(kind));
}

fn write_image(source: &Source<'_>, parts: &mut ArrayWriter<'_>) {
    let mut part = parts.object();
    part.string("type", "image_url");
    let mut image = part.object("image_url");
    match source {
        Source::Base64 { media_type, data } => {
            let mut url = image.member("url").text();
            url.push("data:");
            media_type.push_to(&mut url);
            url.push(";base64,");
            data.push_to(&mut url);
        }
        Source::Url(url) => url.write(image.member("url")),
        // Never kept.
        Source::Upload | Source::Plain(_) => {}
    }
}

/// With calls the text is the plan behind them.
fn write_assistant(kept: &[&Item<'_>], messages: &mut ArrayWriter<'_>) {
    let texts = || {
        kept.iter()
            .filter_map(|item| text_of(item))
            .filter(|text| !text.is_blank())
    };
    let thoughts = || kept.iter().filter_map(|item| thought_of(item));
    let calls = || {
        kept.iter().filter_map(|item| match &item.part {
            Part::Call(call) => Some(call),
            _ => None,
        })
    };
    let has_calls = calls().next().is_some();
    if texts().chain(thoughts()).next().is_none() && !has_calls {
        return;
    }
    let mut message = messages.object();
    message.string("role", "assistant");
    if thoughts().next().is_some() || (!has_calls && texts().nth(1).is_some()) {
        let mut parts = message.array("content");
        thoughts().for_each(|thought| write_part("thinking", thought, &mut parts));
        let rest = texts().filter(|_| !has_calls);
        rest.for_each(|text| write_part("text", text, &mut parts));
    } else if let Some(text) = texts().next().filter(|_| !has_calls) {
        text.write(message.member("content"));
    }
    if has_calls {
        write_plan(texts(), &mut message);
        let mut list = message.array("tool_calls");
        calls().for_each(|call| write_call(call, &mut list.object()));
    }
}

fn thought_of<'i, 'a>(item: &'i Item<'a>) -> Option<&'i Text<'a>> {
    match &item.part {
        Part::Reasoning(Reasoning::Unsigned(text) | Reasoning::Signed { text, .. }) => {
            Some(text).filter(|text| !text.is_blank())
        }
        _ => None,
    }
}

fn write_plan<'i, 'a: 'i>(mut texts: impl Iterator<Item = &'i Text<'a>>, message: &mut ObjectWriter<'_>) {
    let Some(first) = texts.next() else { return };
    let mut plan = message.member("tool_plan").text();
    first.push_to(&mut plan);
    texts.for_each(|text| text.push_to(&mut plan));
}

fn write_call(call: &Call<'_>, object: &mut ObjectWriter<'_>) {
    call.id.write(object.member("id"));
    object.string("type", "function");
    let mut function = object.object("function");
    write_name(&call.name, &mut function);
    call.arguments.write_quoted_object(function.member("arguments"));
}
