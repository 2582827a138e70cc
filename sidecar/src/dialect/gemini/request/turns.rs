//! The conversation in Gemini's form: turns alternate, the user begins, results come first and in their calls' order.

use super::{media, tools};
use crate::dialect::gemini::signature::{self, ABSENT};
use crate::dialect::item::{File, Item, Part, Reasoning, Role, Source, ToolResult};
use crate::dialect::loss::Ledger;
use crate::dialect::text::Text;
use crate::dialect::turns::{LATE_SYSTEM, PLACEHOLDER};
use crate::json::{self, ArrayWriter, ObjectWriter, StringWriter, Type, ValueWriter};
use std::borrow::Cow;

/// Writes items.
pub(super) struct Turns<'t> {
    /// The client's word for what was said.
    pub(super) conversation: &'static str,
    /// The provider takes files by any URL.
    pub(super) fetches: bool,
    /// The provider knows ids of calls.
    pub(super) names_calls: bool,
    /// The model refuses calls that have no signature.
    pub(super) demands_signatures: bool,
    pub(super) ledger: &'t mut Ledger,
}

impl Turns<'_> {
    /// Writes the system prompt: what stands before the conversation.
    pub(super) fn write_system(&mut self, items: &[Item<'_>], body: &mut ObjectWriter<'_>) {
        let texts = items.iter().filter_map(|item| match &item.part {
            Part::Text(text) if !text.is_blank() => Some(text),
            _ => None,
        });
        let mut texts = texts.peekable();
        if texts.peek().is_some() {
            let mut system = body.object("systemInstruction");
            let mut parts = system.array("parts");
            texts.for_each(|text| text.write(parts.object().member("text")));
        }
        for item in items.iter().filter(|item| !matches!(item.part, Part::Text(_))) {
            self.ledger
                .meaning(item.place.to_string(), "the gemini dialect's system prompt is text");
        }
    }

    /// Writes the conversation.
    pub(super) fn write(&mut self, items: &[Item<'_>], body: &mut ObjectWriter<'_>) {
        let mut contents = body.array("contents");
        if items.first().is_none_or(|first| first.role == Role::Assistant) {
            self.ledger.hint(
                self.conversation,
                "the gemini dialect begins with the user, so a full stop stands there",
            );
            placeholder("user", &mut contents);
        }
        let mut before: &[Item<'_>] = &[];
        let is_assistant = |item: &Item<'_>| item.role == Role::Assistant;
        for turn in items.chunk_by(|one, other| is_assistant(one) == is_assistant(other)) {
            if turn.first().is_some_and(is_assistant) {
                self.write_model(turn, &mut contents);
            } else {
                self.write_user(turn, before, &mut contents);
            }
            before = turn;
        }
    }

    fn write_user(&mut self, turn: &[Item<'_>], before: &[Item<'_>], contents: &mut ArrayWriter<'_>) {
        let mut content = contents.object();
        content.string("role", "user");
        let mut parts = content.array("parts");
        let results = in_order(turn, before);
        for (item, result, name) in &results {
            self.write_result(item, result, name, &mut parts);
        }
        for (_, result, name) in &results {
            self.write_attachments(result, name, &mut parts);
        }
        for item in turn.iter().filter(|item| !matches!(item.part, Part::Result(_))) {
            self.write_said(item, &mut parts);
        }
        if parts.is_empty() {
            parts.object().string("text", PLACEHOLDER);
        }
    }

    fn write_said(&mut self, item: &Item<'_>, parts: &mut ArrayWriter<'_>) {
        match &item.part {
            Part::Text(text) | Part::Refusal(text) if text.is_blank() => {}
            Part::Text(text) if item.role == Role::System => {
                self.ledger.hint(
                    item.place.to_string(),
                    "a late system prompt is sent as the user's text",
                );
                write_enclosed(text, parts.object().member("text").text());
            }
            Part::Text(text) | Part::Refusal(text) => text.write(parts.object().member("text")),
            _ => self.write_media(item, None, parts),
        }
    }

    fn write_media(&mut self, item: &Item<'_>, signature: Option<&str>, parts: &mut ArrayWriter<'_>) {
        let refusal = match &item.part {
            Part::Image(source) | Part::Audio(source) | Part::File(File { source, .. }) => {
                media::refusal(source, self.fetches)
            }
            _ => Some("the gemini dialect has no such part"),
        };
        if let Some(why) = refusal {
            return self.ledger.meaning(item.field(), why);
        }
        let mut part = parts.object();
        match &item.part {
            Part::Image(source) | Part::Audio(source) => media::write(source, None, &mut part),
            Part::File(file) => media::write_file(file, &mut part),
            // Refused.
            _ => {}
        }
        if let Some(signature) = signature {
            part.string("thoughtSignature", signature);
        }
    }

    /// `response` is an object: what the tool returned if that is one, or else wrapped as Google's SDKs do it.
    fn write_result(&self, item: &Item<'_>, result: &ToolResult<'_>, name: &str, parts: &mut ArrayWriter<'_>) {
        let mut part = parts.object();
        let mut response = part.object("functionResponse");
        if self.names_calls {
            result.call.write(response.member("id"));
        }
        response.string("name", &tools::spelt(name));
        let _place = item.place;
        write_response(result, response.member("response"));
    }

    /// What is no text follows all results.
    fn write_attachments(&mut self, result: &ToolResult<'_>, name: &str, parts: &mut ArrayWriter<'_>) {
        let mut media = result.content.iter().filter(|item| text_of(item).is_none()).peekable();
        if media.peek().is_none() {
            return;
        }
        let heading = format!("{name} returned:");
        parts.object().string("text", &heading);
        media.for_each(|item| self.write_media(item, None, parts));
    }

    fn write_model(&mut self, turn: &[Item<'_>], contents: &mut ArrayWriter<'_>) {
        let signatures = self.signatures(turn);
        let last_said = turn
            .iter()
            .rposition(|item| matches!(item.part, Part::Text(_) | Part::Image(_)));
        // One that belongs to no call.
        let own = |at| {
            let found = signatures.iter().find(|(call, _)| call.is_none());
            found
                .filter(|_| last_said == Some(at))
                .map(|(_, signature)| &**signature)
        };
        let first_call = turn.iter().position(|item| matches!(item.part, Part::Call(_)));
        let mut content = contents.object();
        content.string("role", "model");
        let mut parts = content.array("parts");
        for (at, item) in turn.iter().enumerate() {
            match &item.part {
                Part::Text(text) | Part::Refusal(text) if text.is_blank() => {}
                Part::Text(text) | Part::Refusal(text) => {
                    let mut part = parts.object();
                    text.write(part.member("text"));
                    if let Some(signature) = own(at) {
                        part.string("thoughtSignature", signature);
                    }
                }
                Part::Call(call) => {
                    let mut part = parts.object();
                    let mut object = part.object("functionCall");
                    if self.names_calls {
                        call.id.write(object.member("id"));
                    }
                    object.string("name", &tools::spelt(&call.name.plain()));
                    call.arguments.write_object(object.member("args"));
                    object.end();
                    let id = call.id.plain();
                    let own = signatures.iter().find(|(call, _)| call.as_deref() == Some(&*id));
                    match own {
                        Some((_, signature)) => part.string("thoughtSignature", signature),
                        None if self.demands_signatures && first_call == Some(at) => {
                            self.ledger.hint(
                                item.place.to_string(),
                                "its thought signature is not known, so its check is skipped",
                            );
                            part.string("thoughtSignature", ABSENT);
                        }
                        None => {}
                    }
                }
                // Google's own are in the signatures.
                Part::Reasoning(_) => {}
                _ => self.write_media(item, own(at), &mut parts),
            }
        }
        if parts.is_empty() {
            parts.object().string("text", PLACEHOLDER);
        }
    }

    /// Google's signatures of a turn, by call; others are Google's to refuse, and stay here.
    fn signatures(&mut self, turn: &[Item<'_>]) -> Vec<(Option<String>, String)> {
        let mut found = Vec::new();
        for item in turn {
            let Part::Reasoning(reasoning) = &item.part else {
                continue;
            };
            let carried = match reasoning {
                Reasoning::Foreign(entry) => signature::read(entry),
                // A thought without a signature is for showing only.
                Reasoning::Unsigned(_) => continue,
                Reasoning::Signed { .. } | Reasoning::Sealed(_) => None,
            };
            match carried {
                Some(carried) => found.push((
                    carried.call.map(Cow::into_owned),
                    carried.signature.plain().into_owned(),
                )),
                None => self.ledger.hint(
                    item.place.to_string(),
                    "the gemini dialect takes back Google's reasoning only",
                ),
            }
        }
        found
    }
}

fn placeholder(role: &str, contents: &mut ArrayWriter<'_>) {
    let mut content = contents.object();
    content.string("role", role);
    content.array("parts").object().string("text", PLACEHOLDER);
}

type Answered<'i, 'a> = (&'i Item<'a>, &'i ToolResult<'a>, Cow<'i, str>);

/// A turn's results in the order of the calls before it, each with the name of what was called.
fn in_order<'i, 'a>(turn: &'i [Item<'a>], before: &'i [Item<'a>]) -> Vec<Answered<'i, 'a>> {
    let mut results: Vec<_> = turn
        .iter()
        .filter_map(|item| match &item.part {
            Part::Result(result) => Some((item, result)),
            _ => None,
        })
        .collect();
    let calls = before.iter().filter_map(|item| match &item.part {
        Part::Call(call) => Some(call),
        _ => None,
    });
    let mut ordered = Vec::with_capacity(results.len());
    for call in calls {
        let id = call.id.plain();
        // Nearly always the first.
        if let Some(at) = results.iter().position(|(_, result)| result.call.plain() == id) {
            let (item, result) = results.remove(at);
            ordered.push((item, result, call.name.plain()));
        }
    }
    ordered
}

fn write_response(result: &ToolResult<'_>, value: ValueWriter<'_>) {
    let mut texts = result.content.iter().filter_map(text_of);
    let key = if result.is_error { "error" } else { "result" };
    let (first, more) = (texts.next(), texts.clone().next().is_some());
    let Some(first) = first else {
        return value.object().string(key, "");
    };
    if !more && !result.is_error {
        let plain = first.plain();
        match json::parse_value(plain.as_bytes()) {
            Ok(raw) if raw.kind() == Type::Object => return value.raw(raw),
            Ok(_) | Err(_) => {}
        }
    }
    let mut object = value.object();
    let mut string = object.member(key).text();
    first.push_to(&mut string);
    for text in texts {
        string.push("\n");
        text.push_to(&mut string);
    }
}

fn text_of<'i, 'a>(item: &'i Item<'a>) -> Option<&'i Text<'a>> {
    match &item.part {
        Part::Text(text) | Part::Refusal(text) => Some(text),
        Part::File(File {
            source: Source::Plain(text),
            ..
        }) => Some(text),
        _ => None,
    }
}

fn write_enclosed(text: &Text<'_>, mut string: StringWriter<'_>) {
    string.push(LATE_SYSTEM.0);
    text.push_to(&mut string);
    string.push(LATE_SYSTEM.1);
}
