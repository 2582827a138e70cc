//! The conversation in Ollama's form: a message is one string, its images beside it, and what a tool returned is a
//! message of its own that names the tool.

use crate::dialect::item::{File, Item, Part, Reasoning, Role, Source, ToolResult};
use crate::dialect::loss::Ledger;
use crate::dialect::text::Text;
use crate::json::{ArrayWriter, ObjectWriter};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Between two texts of one message.
const GAP: &str = "\n";

/// Writes items.
pub(super) struct Turns<'t> {
    pub(super) ledger: &'t mut Ledger,
}

/// The names of the tools that were called, by the calls' ids.
type Called<'i> = BTreeMap<Cow<'i, str>, Cow<'i, str>>;

impl Turns<'_> {
    pub(super) fn write(&mut self, items: &[Item<'_>], body: &mut ObjectWriter<'_>) {
        let called: Called<'_> = items
            .iter()
            .filter_map(|item| match &item.part {
                Part::Call(call) => Some((call.id.plain(), call.name.plain())),
                _ => None,
            })
            .collect();
        let mut messages = body.array("messages");
        let joined = |one: &Item<'_>, other: &Item<'_>| {
            let result = |item: &Item<'_>| matches!(item.part, Part::Result(_));
            one.role == other.role && one.place.message == other.place.message && !result(one) && !result(other)
        };
        for said in items.chunk_by(joined) {
            match said {
                [
                    Item {
                        part: Part::Result(result),
                        place,
                        ..
                    },
                ] => {
                    if result.is_error {
                        let why = "the ollama dialect does not say that a tool failed";
                        self.ledger.hint(place.is_error(), why);
                    }
                    self.write_result(result, &called, &mut messages.object());
                }
                said => self.write_message(said, &mut messages),
            }
        }
    }

    fn write_message(&mut self, said: &[Item<'_>], messages: &mut ArrayWriter<'_>) {
        let kept: Vec<_> = said.iter().filter(|item| self.carries(item)).collect();
        let Some(first) = kept.first() else { return };
        let mut message = messages.object();
        message.string(
            "role",
            match first.role {
                Role::System => "system",
                Role::User => "user",
                Role::Assistant => "assistant",
            },
        );
        write_said(kept.iter().copied(), &mut message);
        write_thinking(&kept, &mut message);
        let calls = kept.iter().filter_map(|item| match &item.part {
            Part::Call(call) => Some(call),
            _ => None,
        });
        if calls.clone().next().is_some() {
            let mut list = message.array("tool_calls");
            for call in calls {
                let mut object = list.object();
                call.id.write(object.member("id"));
                let mut function = object.object("function");
                call.name.write(function.member("name"));
                call.arguments.write_object(function.member("arguments"));
            }
        }
    }

    fn write_result(&mut self, result: &ToolResult<'_>, called: &Called<'_>, message: &mut ObjectWriter<'_>) {
        message.string("role", "tool");
        let kept: Vec<_> = result.content.iter().filter(|item| self.carries(item)).collect();
        write_said(kept.iter().copied(), message);
        if let Some(name) = called.get(&result.call.plain()) {
            message.string("tool_name", name);
        }
        result.call.write(message.member("tool_call_id"));
    }

    /// Whether the part can be said; reports it when not.
    fn carries(&mut self, item: &Item<'_>) -> bool {
        let why = match &item.part {
            Part::Reasoning(Reasoning::Sealed(_) | Reasoning::Foreign(_)) => {
                let why = "the ollama dialect takes back reasoning in the open only";
                self.ledger.hint(item.place.to_string(), why);
                return false;
            }
            Part::Reasoning(Reasoning::Signed { .. }) => {
                self.ledger
                    .hint(item.place.to_string(), "the ollama dialect has no signatures");
                return true;
            }
            Part::Image(source) => image(source).err(),
            Part::File(file) => text_of(file)
                .is_none()
                .then_some("the ollama dialect takes text and images only"),
            Part::Audio(_) => Some("the ollama dialect takes no sound"),
            Part::Raw(_) => Some("the ollama dialect has no such part"),
            Part::Text(_) | Part::Refusal(_) | Part::Call(_) | Part::Result(_) | Part::Reasoning(_) => None,
        };
        why.map(|why| self.ledger.meaning(item.field(), why)).is_none()
    }
}

/// The image's bytes in base64, or why they cannot be sent.
fn image<'s, 'a>(source: &'s Source<'a>) -> Result<&'s Text<'a>, &'static str> {
    match source {
        Source::Base64 { data, .. } => Ok(data),
        Source::Url(_) => Err("the ollama dialect takes images as bytes, not by URL"),
        Source::Upload | Source::Plain(_) => Err("the upload is only with its provider"),
    }
}

/// A file that is text.
fn text_of<'f, 'a>(file: &'f File<'a>) -> Option<&'f Text<'a>> {
    match &file.source {
        Source::Plain(text) => Some(text),
        Source::Base64 { .. } | Source::Url(_) | Source::Upload => None,
    }
}

/// Writes the texts as one, and the images.
fn write_said<'i, 'a: 'i>(kept: impl Iterator<Item = &'i Item<'a>> + Clone, message: &mut ObjectWriter<'_>) {
    let texts = kept.clone().filter_map(|item| match &item.part {
        Part::Text(text) | Part::Refusal(text) => Some(text),
        Part::File(file) => text_of(file),
        _ => None,
    });
    write_joined(texts, message, "content");
    let mut images = kept.filter_map(|item| match &item.part {
        Part::Image(source) => image(source).ok(),
        _ => None,
    });
    if let Some(first) = images.next() {
        let mut list = message.array("images");
        first.write(list.element());
        images.for_each(|image| image.write(list.element()));
    }
}

fn write_thinking(kept: &[&Item<'_>], message: &mut ObjectWriter<'_>) {
    let texts = kept.iter().filter_map(|item| match &item.part {
        Part::Reasoning(Reasoning::Unsigned(text) | Reasoning::Signed { text, .. }) => Some(text),
        _ => None,
    });
    if texts.clone().next().is_some() {
        write_joined(texts, message, "thinking");
    }
}

fn write_joined<'i, 'a: 'i>(
    texts: impl Iterator<Item = &'i Text<'a>>,
    message: &mut ObjectWriter<'_>,
    key: &'static str,
) {
    let mut string = message.member(key).text();
    for (number, text) in texts.enumerate() {
        if number > 0 {
            string.push(GAP);
        }
        text.push_to(&mut string);
    }
}
