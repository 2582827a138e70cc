//! The conversation in Anthropic's form: turns alternate, the user begins, tool results come first.
//!
//! Content is always written as blocks, never as a string, so that a turn which another message joins later still
//! begins with the same bytes.

use super::media;
use super::tools::{self, Markers};
use crate::dialect::item::{Item, Part, Reasoning, Role, Source, ToolResult};
use crate::dialect::loss::Ledger;
use crate::dialect::media::not_seen;
use crate::dialect::names::spell;
use crate::dialect::text::Text;
use crate::dialect::turns::{Form, Kept, LATE_SYSTEM, PLACEHOLDER, keep, results_first, turns};
use crate::json::{ArrayWriter, ObjectWriter, StringWriter};
use std::borrow::Cow;

/// Longest tool call id.
const LONGEST_ID: usize = 64;

/// Asked for where the client wants any JSON object, which Anthropic cannot enforce.
const JSON_INSTRUCTION: &str = "Answer with one JSON object and nothing else.";

/// Writes items; the upstream may not be able to see.
pub(super) struct Turns<'t> {
    /// The client's word for what was said.
    pub(super) conversation: &'static str,
    pub(super) markers: Markers,
    pub(super) ledger: &'t mut Ledger,
}

impl Turns<'_> {
    /// Writes the system prompt: what stands before the conversation.
    pub(super) fn write_system(&mut self, items: &[Item<'_>], asks_for_json: bool, body: &mut ObjectWriter<'_>) {
        let texts = items
            .iter()
            .filter(|item| matches!(&item.part, Part::Text(text) if !text.is_blank()));
        let mut texts = texts.peekable();
        if texts.peek().is_some() || asks_for_json {
            let mut blocks = body.array("system");
            texts.for_each(|item| self.write_block(item, &mut blocks));
            if asks_for_json {
                write_text(JSON_INSTRUCTION, &mut blocks);
            }
        }
        for item in items.iter().filter(|item| !matches!(item.part, Part::Text(_))) {
            self.ledger
                .meaning(item.place.to_string(), "the messages dialect's system prompt is text");
        }
    }

    /// Writes the conversation.
    pub(super) fn write(&mut self, items: &[Item<'_>], body: &mut ObjectWriter<'_>) {
        let kept = keep(items, |item| self.carries(item));
        let mut messages = body.array("messages");
        if kept.first().is_none_or(|first| first.assistant) {
            self.ledger.hint(
                self.conversation,
                "the messages dialect begins with the user, so a full stop stands there",
            );
            let mut message = messages.object();
            message.string("role", "user");
            write_text(PLACEHOLDER, &mut message.array("content"));
        }
        for turn in turns(&kept) {
            let mut message = messages.object();
            let assistant = turn.iter().any(|kept| kept.assistant);
            message.string("role", if assistant { "assistant" } else { "user" });
            let mut content = message.array("content");
            results_first(turn).for_each(|kept| self.write_kept(kept, &mut content));
        }
    }

    /// Whether the part can be said; reports it when not.
    fn carries(&mut self, item: &Item<'_>) -> bool {
        let why = match &item.part {
            Part::Reasoning(Reasoning::Unsigned(_) | Reasoning::Foreign(_)) => {
                let why = "the messages dialect takes back signed reasoning only";
                self.ledger.hint(item.place.to_string(), why);
                return false;
            }
            Part::Image(_) if item.role == Role::Assistant => "the messages dialect takes the user's images only",
            Part::Image(source @ (Source::Base64 { .. } | Source::Url(_))) => match not_seen(source) {
                None => return true,
                Some(why) => why,
            },
            Part::File(file) => match media::refusal(file) {
                None => return true,
                Some(why) => why,
            },
            Part::Image(Source::Upload | Source::Plain(_)) => "the upload is only with its provider",
            Part::Audio(_) => "the messages dialect takes no sound",
            Part::Raw(_) => "the messages dialect has no such part",
            Part::Text(_) | Part::Refusal(_) | Part::Call(_) | Part::Result(_) | Part::Reasoning(_) => return true,
        };
        self.ledger.meaning(item.field(), why);
        false
    }

    fn write_kept(&mut self, kept: Kept<'_, '_>, content: &mut ArrayWriter<'_>) {
        match (&kept.item.part, kept.item.role) {
            _ if kept.form == Form::Placeholder => write_text(PLACEHOLDER, content),
            (Part::Text(text), Role::Assistant) if kept.form == Form::Trimmed => {
                write_text(text.plain().trim_end(), content);
            }
            (Part::Text(_), Role::System) if kept.form == Form::Spoken => {
                self.ledger.hint(
                    kept.item.place.to_string(),
                    "the messages dialect wants a user's turn, so the last system prompt is one",
                );
                self.write_block(kept.item, content);
            }
            (Part::Text(text), Role::System) => {
                self.ledger.hint(
                    kept.item.place.to_string(),
                    "a late system prompt is sent as the user's text",
                );
                let mut block = content.object();
                block.string("type", "text");
                write_enclosed(text, block.member("text").text());
                self.markers.write(kept.item.cache, &mut block);
            }
            _ => self.write_block(kept.item, content),
        }
    }

    fn write_block(&mut self, item: &Item<'_>, content: &mut ArrayWriter<'_>) {
        let mut block = content.object();
        self.write_part(&item.part, &mut block);
        // Thinking cannot carry a breakpoint.
        if !matches!(item.part, Part::Reasoning(_)) {
            self.markers.write(item.cache, &mut block);
        }
    }

    fn write_part(&mut self, part: &Part<'_>, block: &mut ObjectWriter<'_>) {
        match part {
            Part::Text(text) | Part::Refusal(text) => {
                block.string("type", "text");
                text.write(block.member("text"));
            }
            Part::Image(source) => {
                block.string("type", "image");
                media::write_source(source, block);
            }
            Part::File(file) => media::write_document(file, block),
            Part::Call(call) => {
                block.string("type", "tool_use");
                block.string("id", &spelt_id(&call.id.plain()));
                tools::write_name(&call.name, block);
                call.arguments.write_object(block.member("input"));
            }
            Part::Result(result) => self.write_result(result, block),
            Part::Reasoning(reasoning) => write_reasoning(reasoning, block),
            // Never kept.
            Part::Audio(_) | Part::Raw(_) => {}
        }
    }

    fn write_result(&mut self, result: &ToolResult<'_>, block: &mut ObjectWriter<'_>) {
        block.string("type", "tool_result");
        block.string("tool_use_id", &spelt_id(&result.call.plain()));
        match &*result.content {
            [] => {}
            [
                Item {
                    part: Part::Text(text),
                    place,
                    ..
                },
            ] if place.index.is_none() => text.write(block.member("content")),
            items => {
                let mut content = block.array("content");
                for item in items
                    .iter()
                    .filter(|item| !matches!(&item.part, Part::Text(text) if text.is_blank()))
                {
                    if self.carries(item) {
                        self.write_part(&item.part, &mut content.object());
                    }
                }
            }
        }
        if result.is_error {
            block.bool("is_error", true);
        }
    }
}

fn write_text(text: &str, content: &mut ArrayWriter<'_>) {
    let mut block = content.object();
    block.string("type", "text");
    block.string("text", text);
}

fn write_enclosed(text: &Text<'_>, mut string: StringWriter<'_>) {
    string.push(LATE_SYSTEM.0);
    text.push_to(&mut string);
    string.push(LATE_SYSTEM.1);
}

/// Writes the members of a block of thinking.
pub(in crate::dialect) fn write_reasoning(reasoning: &Reasoning<'_>, block: &mut ObjectWriter<'_>) {
    match reasoning {
        Reasoning::Signed { text, signature } => {
            block.string("type", "thinking");
            text.write(block.member("thinking"));
            signature.write(block.member("signature"));
        }
        Reasoning::Sealed(data) => {
            block.string("type", "redacted_thinking");
            data.write(block.member("data"));
        }
        // Never kept.
        Reasoning::Unsigned(_) | Reasoning::Foreign(_) => {}
    }
}

/// A call's id, or always the same one for it that Anthropic takes.
pub(in crate::dialect) fn spelt_id(id: &str) -> Cow<'_, str> {
    spell(id, LONGEST_ID)
}
