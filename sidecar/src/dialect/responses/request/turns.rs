//! The conversation in Responses' form: a list in which messages, calls, results and reasoning stand side by side.

use super::encode::write_name;
use crate::dialect::item::{Arguments, File, Item, Part, Reasoning, Role, Source, ToolResult};
use crate::dialect::loss::Ledger;
use crate::dialect::media;
use crate::dialect::names::spell;
use crate::dialect::responses::carried;
use crate::json::{ArrayWriter, ObjectWriter};
use smallvec::SmallVec;

/// Longest tool call id.
const LONGEST_ID: usize = 64;

/// Writes items.
pub(super) struct Turns<'t> {
    /// The upstream is OpenAI's own, which knows tools that take free text.
    pub(super) is_openai: bool,
    /// The calls of such tools so far.
    pub(super) customs: Vec<String>,
    pub(super) ledger: &'t mut Ledger,
}

impl Turns<'_> {
    pub(super) fn write(&mut self, items: &[Item<'_>], body: &mut ObjectWriter<'_>) {
        let mut input = body.array("input");
        let one_message = |one: &Item<'_>, other: &Item<'_>| {
            is_said(one) && is_said(other) && one.role == other.role && one.place.message == other.place.message
        };
        let mut runs = items.chunk_by(one_message).peekable();
        while let Some(run) = runs.next() {
            let [item] = run else {
                self.write_message(run, &mut input);
                continue;
            };
            match &item.part {
                Part::Call(call) => {
                    let mut object = input.object();
                    if let (Arguments::Free(text), true) = (&call.arguments, self.is_openai) {
                        object.string("type", "custom_tool_call");
                        object.string("call_id", &spell(&call.id.plain(), LONGEST_ID));
                        write_name(&call.name, &mut object);
                        text.write(object.member("input"));
                        self.customs.push(call.id.plain().into_owned());
                        continue;
                    }
                    object.string("type", "function_call");
                    object.string("call_id", &spell(&call.id.plain(), LONGEST_ID));
                    write_name(&call.name, &mut object);
                    call.arguments.write_quoted(object.member("arguments"));
                }
                Part::Result(result) => self.write_result(item, result, &mut input),
                Part::Reasoning(reasoning) => {
                    let is_written = carried::write_own(reasoning, &mut input);
                    // A text before OpenAI's reasoning is its summary, which nobody needs to see again.
                    let is_summary = matches!(reasoning, Reasoning::Unsigned(_)) && runs.peek().is_some_and(is_own);
                    if !is_written && !is_summary {
                        let why = "the responses dialect takes back OpenAI's reasoning only";
                        self.ledger.hint(item.place.to_string(), why);
                    }
                }
                _ => self.write_message(run, &mut input),
            }
        }
    }

    fn write_message(&mut self, said: &[Item<'_>], input: &mut ArrayWriter<'_>) {
        let Some(role) = said.first().map(|item| item.role) else {
            return;
        };
        let said: SmallVec<[&Item<'_>; 4]> = said.iter().filter(|item| self.carries(item)).collect();
        if said.is_empty() {
            return;
        }
        let (role, text_kind) = match role {
            Role::System => ("system", "input_text"),
            Role::User => ("user", "input_text"),
            Role::Assistant => return self.write_answer(&said, input),
        };
        let mut message = input.object();
        message.string("type", "message");
        message.string("role", role);
        let mut content = message.array("content");
        for item in said {
            write_part(item, text_kind, &mut content.object());
        }
    }

    /// What the assistant said. A list of its parts is a message as the provider made it, with an id that nobody has
    /// who did not get it: strict servers take nothing but a string.
    fn write_answer(&self, said: &[&Item<'_>], input: &mut ArrayWriter<'_>) {
        for item in said {
            let mut message = input.object();
            message.string("type", "message");
            message.string("role", "assistant");
            match &item.part {
                Part::Text(text) => text.write(message.member("content")),
                // OpenAI itself is not so strict, and has no other way to tell a refusal.
                Part::Refusal(text) if self.is_openai => {
                    let mut content = message.array("content");
                    let mut part = content.object();
                    part.string("type", "refusal");
                    text.write(part.member("refusal"));
                }
                Part::Refusal(text) => text.write(message.member("content")),
                // Never let through.
                _ => message.string("content", ""),
            }
        }
    }

    /// Whether the part can be said; reports it when not.
    fn carries(&mut self, item: &Item<'_>) -> bool {
        let why = match &item.part {
            Part::Text(_) | Part::Refusal(_) => return true,
            Part::Image(_) | Part::File(_) if item.role == Role::Assistant => {
                "the responses dialect has no such part here"
            }
            Part::Image(source @ (Source::Base64 { .. } | Source::Url(_))) => {
                match media::not_seen(source).filter(|_| self.is_openai) {
                    Some(why) => why,
                    None => return true,
                }
            }
            Part::File(File {
                source: Source::Url(_) | Source::Plain(_),
                ..
            }) => return true,
            Part::File(
                file @ File {
                    source: Source::Base64 { media_type, .. },
                    ..
                },
            ) => match media::file_name(file, media_type) {
                Ok(_) => return true,
                Err(why) => why,
            },
            Part::Image(_) | Part::File(_) => "the upload is only with its provider",
            Part::Audio(_) | Part::Raw(_) => "the responses dialect has no such part",
            Part::Call(_) | Part::Result(_) | Part::Reasoning(_) => "the responses dialect has no such part here",
        };
        self.ledger.meaning(item.field(), why);
        false
    }

    fn write_result(&mut self, item: &Item<'_>, result: &ToolResult<'_>, input: &mut ArrayWriter<'_>) {
        if result.is_error {
            self.ledger.hint(
                item.place.is_error(),
                "the responses dialect does not mark failed calls",
            );
        }
        let mut object = input.object();
        let is_custom = self.customs.iter().any(|id| *id == *result.call.plain());
        object.string(
            "type",
            if is_custom {
                "custom_tool_call_output"
            } else {
                "function_call_output"
            },
        );
        object.string("call_id", &spell(&result.call.plain(), LONGEST_ID));
        match &*result.content {
            [] => object.string("output", ""),
            [
                Item {
                    part: Part::Text(text), ..
                },
            ] => text.write(object.member("output")),
            parts => {
                let mut output = object.array("output");
                for part in parts {
                    if self.carries(part) {
                        write_part(part, "input_text", &mut output.object());
                    }
                }
            }
        }
    }
}

fn is_own(run: &&[Item<'_>]) -> bool {
    matches!(run, [Item { part: Part::Reasoning(reasoning), .. }] if carried::own_entry(reasoning).is_some())
}

fn is_said(item: &Item<'_>) -> bool {
    !matches!(item.part, Part::Call(_) | Part::Result(_) | Part::Reasoning(_))
}

/// A part that [`Turns::carries`] lets through.
fn write_part(item: &Item<'_>, text_kind: &str, object: &mut ObjectWriter<'_>) {
    match &item.part {
        Part::Text(text) | Part::Refusal(text) => {
            object.string("type", text_kind);
            text.write(object.member("text"));
        }
        Part::Image(source) => {
            object.string("type", "input_image");
            match item.detail {
                Some(detail) => object.raw("detail", detail),
                None => object.string("detail", "auto"),
            }
            write_source(source, object, "image_url", "image_url");
        }
        Part::File(File {
            source: Source::Plain(text),
            ..
        }) => {
            object.string("type", "input_text");
            text.write(object.member("text"));
        }
        Part::File(file @ File { name, source }) => {
            object.string("type", "input_file");
            match (name, source) {
                (Some(name), _) => name.write(object.member("filename")),
                (None, Source::Base64 { media_type, .. }) => {
                    if let Ok(name) = media::file_name(file, media_type) {
                        name.write(object.member("filename"));
                    }
                }
                (None, _) => {}
            }
            write_source(source, object, "file_data", "file_url");
        }
        // Never let through.
        Part::Audio(_) | Part::Raw(_) | Part::Call(_) | Part::Result(_) | Part::Reasoning(_) => {}
    }
}

fn write_source(source: &Source<'_>, object: &mut ObjectWriter<'_>, data_key: &'static str, url_key: &'static str) {
    match source {
        Source::Base64 { media_type, data } => {
            let mut url = object.member(data_key).text();
            url.push("data:");
            media_type.push_to(&mut url);
            url.push(";base64,");
            data.push_to(&mut url);
        }
        Source::Url(url) => url.write(object.member(url_key)),
        // Never let through.
        Source::Plain(_) | Source::Upload => {}
    }
}
