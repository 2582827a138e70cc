//! The conversation in chat's form: a message a turn, each tool result a message of its own right behind the calls.

use super::encode::write_name;
use super::provider::{Echo, Manners};
use super::reasoning::write_detail;
use crate::dialect::item::{Arguments, File, Item, Part, Reasoning, Role, Source, ToolResult};
use crate::dialect::loss::Ledger;
use crate::dialect::media;
use crate::dialect::text::Text;
use crate::json::{ArrayWriter, ObjectWriter, ValueWriter};

/// What a tool result says that consists of images alone; they follow in a message of the user's.
const SEE_BELOW: &str = "(see the attachment below)";

/// Writes items.
pub(super) struct Turns<'t> {
    pub(super) manners: Manners,
    pub(super) ledger: &'t mut Ledger,
}

impl Turns<'_> {
    pub(super) fn write(&mut self, items: &[Item<'_>], body: &mut ObjectWriter<'_>) {
        let mut messages = body.array("messages");
        let is_same =
            |one: &Item<'_>, other: &Item<'_>| one.role == other.role && one.place.message == other.place.message;
        for turn in items.chunk_by(is_same) {
            match turn.first().map(|item| item.role) {
                Some(Role::System) => self.write_said("system", turn, &mut messages),
                Some(Role::User) => self.write_user(turn, &mut messages),
                Some(Role::Assistant) => self.write_assistant(turn, &mut messages),
                None => {}
            }
        }
    }

    fn write_user(&mut self, turn: &[Item<'_>], messages: &mut ArrayWriter<'_>) {
        let results = turn.iter().filter_map(|item| match &item.part {
            Part::Result(result) => Some((item, result)),
            _ => None,
        });
        for (item, result) in results.clone() {
            self.write_result(item, result, messages);
        }
        self.write_attachments(results.map(|(_, result)| result), messages);
        if turn.iter().any(|item| !matches!(item.part, Part::Result(_))) {
            self.write_said("user", turn, messages);
        }
    }

    fn write_result(&mut self, item: &Item<'_>, result: &ToolResult<'_>, messages: &mut ArrayWriter<'_>) {
        if result.is_error {
            self.ledger
                .hint(item.place.is_error(), "the chat dialect does not mark failed calls");
        }
        let mut message = messages.object();
        message.string("role", "tool");
        message.string("tool_call_id", &self.manners.id(&result.call.plain()));
        let texts = result.content.iter().filter_map(text_of);
        if texts.clone().next().is_none() && !result.content.is_empty() {
            return message.string("content", SEE_BELOW);
        }
        write_texts(texts, message.member("content"));
    }

    /// A tool's message holds text only; what else a tool returned follows all results, as the user's.
    fn write_attachments<'i, 'a: 'i>(
        &mut self,
        results: impl Iterator<Item = &'i ToolResult<'a>> + Clone,
        messages: &mut ArrayWriter<'_>,
    ) {
        let has_attachment = |result: &&ToolResult<'_>| result.content.iter().any(|item| text_of(item).is_none());
        let mut results = results.filter(has_attachment).peekable();
        if results.peek().is_none() {
            return;
        }
        let mut message = messages.object();
        message.string("role", "user");
        let mut parts = message.array("content");
        for result in results {
            let id = result.call.plain();
            let returned = format!("Tool call {} returned:", self.manners.id(&id));
            write_text(&Text::from(returned), &mut parts);
            result
                .content
                .iter()
                .filter(|item| text_of(item).is_none())
                .for_each(|item| self.write_part(item, &mut parts));
        }
    }

    /// A message of parts, or of a string when it is one text.
    fn write_said(&mut self, role: &str, turn: &[Item<'_>], messages: &mut ArrayWriter<'_>) {
        let mut message = messages.object();
        message.string("role", role);
        let mut said = turn.iter().filter(|item| !matches!(item.part, Part::Result(_)));
        if let (
            Some(Item {
                part: Part::Text(text), ..
            }),
            None,
        ) = (said.clone().next(), said.clone().nth(1))
        {
            return text.write(message.member("content"));
        }
        let mut parts = message.array("content");
        said.by_ref().for_each(|item| self.write_part(item, &mut parts));
    }

    fn write_part(&mut self, item: &Item<'_>, parts: &mut ArrayWriter<'_>) {
        let why = match &item.part {
            Part::Text(text) | Part::Refusal(text) => return write_text(text, parts),
            Part::Image(source) => match media::not_seen(source).filter(|_| self.manners.is_openai) {
                Some(why) => why,
                None if write_image(item, source, parts) => return,
                None => "the upload is only with its provider",
            },
            Part::File(file) => match write_file(file, parts) {
                Ok(()) => return,
                Err(why) => why,
            },
            Part::Audio(source) => match write_audio(source, parts) {
                true => return,
                false => "the chat dialect takes WAV and MP3 by value only",
            },
            Part::Raw(_) => "the chat dialect has no such part",
            Part::Call(_) | Part::Result(_) | Part::Reasoning(_) => "the chat dialect has no such part here",
        };
        self.ledger.meaning(item.field(), why);
    }

    /// What was said is one string, as the client of a chat model would have got it.
    fn write_assistant(&mut self, turn: &[Item<'_>], messages: &mut ArrayWriter<'_>) {
        let mut message = messages.object();
        message.string("role", "assistant");
        let texts = turn.iter().filter_map(text_of);
        let calls = turn.iter().filter(|item| matches!(item.part, Part::Call(_)));
        if texts.clone().next().is_none() && calls.clone().next().is_some() {
            message.null("content");
        } else {
            write_joined(texts, message.member("content"));
        }
        self.write_reasoning(turn, &mut message);
        if calls.clone().next().is_some() {
            let mut list = message.array("tool_calls");
            calls.for_each(|item| self.write_call(item, &mut list));
        }
        self.write_drawn(turn, &mut message);
        let draws = self.manners.draws;
        for item in turn.iter().filter(|item| !is_assistant_s(&item.part, draws)) {
            self.ledger.meaning(item.field(), "the chat dialect has no such part");
        }
    }

    /// The images of an answer go back to who answers with some.
    fn write_drawn(&self, turn: &[Item<'_>], message: &mut ObjectWriter<'_>) {
        let images = turn.iter().filter_map(|item| match &item.part {
            Part::Image(source) if is_assistant_s(&item.part, self.manners.draws) => Some(source),
            _ => None,
        });
        let mut images = images.enumerate().peekable();
        if images.peek().is_none() {
            return;
        }
        let mut list = message.array("images");
        for (index, source) in images {
            let mut image = list.object();
            image.string("type", "image_url");
            write_url(source, image.object("image_url").member("url"));
            image.u64("index", index as u64);
        }
    }

    fn write_call(&self, item: &Item<'_>, list: &mut ArrayWriter<'_>) {
        let Part::Call(call) = &item.part else { return };
        let mut object = list.object();
        object.string("id", &self.manners.id(&call.id.plain()));
        if let (Arguments::Free(input), true) = (&call.arguments, self.manners.is_openai) {
            object.string("type", "custom");
            let mut custom = object.object("custom");
            write_name(&call.name, &mut custom);
            return input.write(custom.member("input"));
        }
        object.string("type", "function");
        let mut function = object.object("function");
        write_name(&call.name, &mut function);
        let arguments = function.member("arguments");
        match self.manners.is_openai {
            true => call.arguments.write_quoted(arguments),
            false => call.arguments.write_quoted_object(arguments),
        }
    }

    /// Whoever wants reasoning again gets it in its carrier. What of the client's has no place in it is told.
    fn write_reasoning(&mut self, turn: &[Item<'_>], message: &mut ObjectWriter<'_>) {
        for item in turn {
            let why = match (&item.part, self.manners.echo) {
                (Part::Reasoning(_), Echo::Nothing) => "the upstream takes no reasoning back",
                (Part::Reasoning(Reasoning::Sealed(_) | Reasoning::Foreign(_)), Echo::Content(_)) => {
                    "the upstream takes reasoning back as text alone"
                }
                _ => continue,
            };
            if is_clients(item, turn) {
                self.ledger.hint(item.place.to_string(), why);
            }
        }
        let reasoning = turn.iter().filter_map(|item| match &item.part {
            Part::Reasoning(reasoning) => Some(reasoning),
            _ => None,
        });
        let called = turn.iter().any(|item| matches!(item.part, Part::Call(_)));
        match (self.manners.echo, self.manners.stand_in) {
            (Echo::Content(name), Some(stand_in)) if called && !says_any(reasoning.clone()) => {
                message.string(name, stand_in);
            }
            _ if reasoning.clone().next().is_none() => {}
            (Echo::Nothing, _) => {}
            (Echo::Content(name) | Echo::Only(name), _) => {
                let texts = reasoning.filter_map(|reasoning| match reasoning {
                    Reasoning::Unsigned(text) | Reasoning::Signed { text, .. } => Some(text),
                    Reasoning::Sealed(_) | Reasoning::Foreign(_) => None,
                });
                if texts.clone().next().is_some() {
                    write_joined(texts, message.member(name));
                }
            }
            (Echo::Details, _) => {
                let mut list = message.array("reasoning_details");
                reasoning
                    .enumerate()
                    .for_each(|(index, part)| write_detail(part, index, &mut list.object()));
            }
        }
    }
}

/// Whether a text can be read out of it.
fn says_any<'i, 'a: 'i>(mut reasoning: impl Iterator<Item = &'i Reasoning<'a>>) -> bool {
    reasoning.any(|part| matches!(part, Reasoning::Unsigned(_) | Reasoning::Signed { .. }))
}

/// What was remembered stands where the turn begins, at the place of what the client said there.
fn is_clients(item: &Item<'_>, turn: &[Item<'_>]) -> bool {
    let is_said = |other: &Item<'_>| !matches!(other.part, Part::Reasoning(_)) && other.place == item.place;
    !turn.iter().any(is_said)
}

/// Whether an assistant's message has it; `draws`: images too.
fn is_assistant_s(part: &Part<'_>, draws: bool) -> bool {
    match part {
        Part::Text(_) | Part::Refusal(_) | Part::Reasoning(_) | Part::Call(_) => true,
        Part::Image(Source::Base64 { .. } | Source::Url(_)) => draws,
        Part::Image(_) | Part::Audio(_) | Part::File(_) | Part::Result(_) | Part::Raw(_) => false,
    }
}

fn text_of<'i, 'a>(item: &'i Item<'a>) -> Option<&'i Text<'a>> {
    match &item.part {
        Part::Text(text) | Part::Refusal(text) => Some(text),
        // A text file is text.
        Part::File(File {
            source: Source::Plain(text),
            ..
        }) => Some(text),
        _ => None,
    }
}

fn write_text(text: &Text<'_>, parts: &mut ArrayWriter<'_>) {
    let mut part = parts.object();
    part.string("type", "text");
    text.write(part.member("text"));
}

/// One text as a string, several as parts.
fn write_texts<'i, 'a: 'i>(mut texts: impl Iterator<Item = &'i Text<'a>> + Clone, value: ValueWriter<'_>) {
    match (texts.next(), texts.clone().next()) {
        (None, _) => value.string(""),
        (Some(text), None) => text.write(value),
        (Some(text), Some(_)) => {
            let mut parts = value.array();
            write_text(text, &mut parts);
            texts.for_each(|text| write_text(text, &mut parts));
        }
    }
}

pub(in crate::dialect) fn write_joined<'i, 'a: 'i>(texts: impl Iterator<Item = &'i Text<'a>>, value: ValueWriter<'_>) {
    let mut string = value.text();
    texts.for_each(|text| text.push_to(&mut string));
}

/// Says whether it could.
fn write_image(item: &Item<'_>, source: &Source<'_>, parts: &mut ArrayWriter<'_>) -> bool {
    if matches!(source, Source::Upload | Source::Plain(_)) {
        return false;
    }
    let mut part = parts.object();
    part.string("type", "image_url");
    let mut image = part.object("image_url");
    write_url(source, image.member("url"));
    if let Some(detail) = item.detail {
        image.raw("detail", detail);
    }
    true
}

/// Says whether it could.
fn write_audio(source: &Source<'_>, parts: &mut ArrayWriter<'_>) -> bool {
    let Source::Base64 { media_type, data } = source else {
        return false;
    };
    let format = match &*media_type.plain() {
        "audio/wav" | "audio/x-wav" | "audio/wave" => "wav",
        "audio/mp3" | "audio/mpeg" => "mp3",
        _ => return false,
    };
    let mut part = parts.object();
    part.string("type", "input_audio");
    let mut audio = part.object("input_audio");
    data.write(audio.member("data"));
    audio.string("format", format);
    true
}

fn write_file(file: &File<'_>, parts: &mut ArrayWriter<'_>) -> Result<(), &'static str> {
    match &file.source {
        Source::Plain(text) => {
            write_text(text, parts);
            Ok(())
        }
        Source::Base64 { media_type, data } => {
            let name = media::file_name(file, media_type)?;
            let mut part = parts.object();
            part.string("type", "file");
            let mut object = part.object("file");
            name.write(object.member("filename"));
            write_data_url(media_type, data, object.member("file_data"));
            Ok(())
        }
        Source::Url(_) | Source::Upload => Err("the chat dialect takes files by value only"),
    }
}

/// A URL, or the bytes as one.
pub(in crate::dialect) fn write_url(source: &Source<'_>, value: ValueWriter<'_>) {
    match source {
        Source::Base64 { media_type, data } => write_data_url(media_type, data, value),
        Source::Url(url) | Source::Plain(url) => url.write(value),
        // Nobody calls it with one.
        Source::Upload => value.null(),
    }
}

fn write_data_url(media_type: &Text<'_>, data: &Text<'_>, value: ValueWriter<'_>) {
    let mut url = value.text();
    url.push("data:");
    media_type.push_to(&mut url);
    url.push(";base64,");
    data.push_to(&mut url);
}
