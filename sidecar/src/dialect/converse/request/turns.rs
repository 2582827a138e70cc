//! The conversation in Converse's form: turns alternate, the user begins, tool results come first, and a cache point is
//! a block of its own behind what shall be cached.

use super::maker::Maker;
use super::{media, tools};
use crate::dialect::item::{Cache, Item, Part, Reasoning, Request, Role, ToolResult};
use crate::dialect::loss::Ledger;
use crate::dialect::names::spell;
use crate::dialect::text::Text;
use crate::dialect::turns::{Form, Kept, LATE_SYSTEM, PLACEHOLDER, keep, results_first, turns};
use crate::json::{ArrayWriter, ObjectWriter, StringWriter};

/// Longest tool call id.
const LONGEST_ID: usize = 64;

/// Cache points that a request may have.
const MOST_POINTS: usize = 4;

/// Asked for where the client wants any JSON object, which Converse cannot enforce.
const JSON_INSTRUCTION: &str = "Answer with one JSON object and nothing else.";

/// The cache points that fit: when there are more than four, the last ones, which cover most.
#[derive(Debug)]
pub(super) struct Points {
    in_tools: bool,
    in_prompt: bool,
    skip: usize,
}

impl Points {
    pub(super) fn of(request: &Request<'_>, maker: &Maker, ledger: &mut Ledger) -> Self {
        let of_tools = request.tools.iter().filter(|tool| tool.cache.is_some()).count();
        let of_items = request.items.iter().filter(|item| item.cache.is_some()).count();
        let (in_tools, in_prompt) = (maker.caches_tools, maker.caches);
        let count = of_tools * usize::from(in_tools) + of_items * usize::from(in_prompt);
        if count < of_tools + of_items {
            ledger.hint(request.settings.names.cache, "the model has no such cache points");
        }
        if request.settings.cache.is_some() {
            ledger.hint(
                request.settings.names.cache,
                "the converse dialect does not cache by itself",
            );
        }
        let skip = count.saturating_sub(MOST_POINTS);
        if skip > 0 {
            ledger.hint(
                request.settings.names.cache,
                "the converse dialect takes four cache points",
            );
        }
        Self {
            in_tools,
            in_prompt,
            skip,
        }
    }

    pub(super) fn write_after_tool(&mut self, cache: Option<Cache<'_>>, list: &mut ArrayWriter<'_>) {
        self.write(cache.filter(|_| self.in_tools), list);
    }

    fn write_after_block(&mut self, cache: Option<Cache<'_>>, list: &mut ArrayWriter<'_>) {
        self.write(cache.filter(|_| self.in_prompt), list);
    }

    fn write(&mut self, cache: Option<Cache<'_>>, list: &mut ArrayWriter<'_>) {
        let Some(cache) = cache else { return };
        if let Some(rest) = self.skip.checked_sub(1) {
            self.skip = rest;
            return;
        }
        let mut object = list.object();
        let mut point = object.object("cachePoint");
        point.string("type", "default");
        if let Cache::Marker(marker) = cache {
            let ttl = marker.object().and_then(|marker| marker.get("ttl")?.string());
            if let Some(ttl) = ttl {
                point.string("ttl", &ttl);
            }
        }
    }
}

/// Writes items; the upstream may not be able to see.
pub(super) struct Turns<'t> {
    /// The client's word for what was said.
    pub(super) conversation: &'static str,
    pub(super) points: Points,
    pub(super) names: media::Names,
    pub(super) ledger: &'t mut Ledger,
}

impl Turns<'_> {
    /// Writes the system prompt: what stands before the conversation.
    pub(super) fn write_system(&mut self, items: &[Item<'_>], asks_for_json: bool, body: &mut ObjectWriter<'_>) {
        let said = |item: &&Item<'_>| matches!(&item.part, Part::Text(text) if !text.is_blank());
        let mut texts = items.iter().filter(said).peekable();
        if texts.peek().is_some() || asks_for_json {
            let mut blocks = body.array("system");
            for item in texts {
                self.write_part(&item.part, &mut blocks.object());
                self.points.write_after_block(item.cache, &mut blocks);
            }
            if asks_for_json {
                blocks.object().string("text", JSON_INSTRUCTION);
            }
        }
        for item in items.iter().filter(|item| !matches!(item.part, Part::Text(_))) {
            self.ledger
                .meaning(item.place.to_string(), "the converse dialect's system prompt is text");
        }
    }

    /// Writes the conversation.
    pub(super) fn write(&mut self, items: &[Item<'_>], body: &mut ObjectWriter<'_>) {
        let kept = keep(items, |item| self.carries(item));
        let mut messages = body.array("messages");
        if kept.first().is_none_or(|first| first.assistant) {
            self.ledger.hint(
                self.conversation,
                "the converse dialect begins with the user, so a full stop stands there",
            );
            let mut message = messages.object();
            message.string("role", "user");
            write_text(PLACEHOLDER, &mut message.array("content"));
        }
        for turn in turns(&kept) {
            let assistant = turn.iter().any(|kept| kept.assistant);
            let mut message = messages.object();
            message.string("role", if assistant { "assistant" } else { "user" });
            let mut content = message.array("content");
            results_first(turn).for_each(|kept| self.write_kept(kept, &mut content));
            if turn.iter().any(|kept| matches!(kept.item.part, Part::File(_))) && !turn.iter().any(says) {
                // A document must not be alone.
                write_text(PLACEHOLDER, &mut content);
            }
        }
    }

    /// Whether the part can be said; reports it when not.
    fn carries(&mut self, item: &Item<'_>) -> bool {
        let why = match &item.part {
            Part::Reasoning(Reasoning::Unsigned(_) | Reasoning::Foreign(_)) => {
                let why = "the converse dialect takes back signed reasoning only";
                self.ledger.hint(item.place.to_string(), why);
                return false;
            }
            Part::Image(_) if item.role == Role::Assistant => Some("the converse dialect takes the user's images only"),
            Part::Image(source) => media::image(source).err(),
            Part::File(file) => media::file(file).err(),
            Part::Audio(_) => Some("the converse dialect's sound is not that of another"),
            Part::Raw(_) => Some("the converse dialect has no such part"),
            Part::Text(_) | Part::Refusal(_) | Part::Call(_) | Part::Result(_) | Part::Reasoning(_) => None,
        };
        why.map(|why| self.ledger.meaning(item.field(), why)).is_none()
    }

    fn write_kept(&mut self, kept: Kept<'_, '_>, content: &mut ArrayWriter<'_>) {
        let Kept { item, form, .. } = kept;
        match (&item.part, item.role) {
            _ if form == Form::Placeholder => write_text(PLACEHOLDER, content),
            (Part::Text(text), Role::Assistant) if form == Form::Trimmed => {
                write_text(text.plain().trim_end(), content);
            }
            (Part::Text(_), Role::System) if form == Form::Spoken => {
                self.ledger.hint(
                    item.place.to_string(),
                    "the converse dialect wants a user's turn, so the last system prompt is one",
                );
                self.write_part(&item.part, &mut content.object());
            }
            (Part::Text(text), Role::System) => {
                self.ledger.hint(
                    item.place.to_string(),
                    "a late system prompt is sent as the user's text",
                );
                write_enclosed(text, content.object().member("text").text());
            }
            _ => self.write_part(&item.part, &mut content.object()),
        }
        // Behind reasoning no cache point may stand.
        if !matches!(item.part, Part::Reasoning(_)) {
            self.points.write_after_block(item.cache, content);
        }
    }

    fn write_part(&mut self, part: &Part<'_>, block: &mut ObjectWriter<'_>) {
        match part {
            Part::Text(text) | Part::Refusal(text) => text.write(block.member("text")),
            Part::Image(source) => {
                if let Ok(medium) = media::image(source) {
                    media::write(&medium, None, source, &mut self.names, block);
                }
            }
            Part::File(file) => {
                if let Ok(medium) = media::file(file) {
                    media::write(&medium, file.name.as_ref(), &file.source, &mut self.names, block);
                }
            }
            Part::Call(call) => {
                let mut object = block.object("toolUse");
                write_id(&call.id, &mut object);
                tools::write_name(&call.name, &mut object);
                call.arguments.write_object(object.member("input"));
            }
            Part::Result(result) => self.write_result(result, &mut block.object("toolResult")),
            Part::Reasoning(reasoning) => write_reasoning(reasoning, &mut block.object("reasoningContent")),
            // Never kept.
            Part::Audio(_) | Part::Raw(_) => {}
        }
    }

    /// What a tool returned. Blank text is refused, and a result must have something in it.
    fn write_result(&mut self, result: &ToolResult<'_>, object: &mut ObjectWriter<'_>) {
        write_id(&result.call, object);
        let mut content = object.array("content");
        for item in &result.content {
            let blank = matches!(&item.part, Part::Text(text) if text.is_blank());
            if !blank && self.carries(item) {
                self.write_part(&item.part, &mut content.object());
            }
        }
        if content.is_empty() {
            write_text(PLACEHOLDER, &mut content);
        }
        content.end();
        if result.is_error {
            object.string("status", "error");
        }
    }
}

/// It has a text.
fn says(kept: &Kept<'_, '_>) -> bool {
    matches!(kept.item.part, Part::Text(_))
}

fn write_id(id: &Text<'_>, object: &mut ObjectWriter<'_>) {
    object.string("toolUseId", &spell(&id.plain(), LONGEST_ID));
}

fn write_text(text: &str, content: &mut ArrayWriter<'_>) {
    content.object().string("text", text);
}

fn write_enclosed(text: &Text<'_>, mut string: StringWriter<'_>) {
    string.push(LATE_SYSTEM.0);
    text.push_to(&mut string);
    string.push(LATE_SYSTEM.1);
}

fn write_reasoning(reasoning: &Reasoning<'_>, object: &mut ObjectWriter<'_>) {
    match reasoning {
        Reasoning::Signed { text, signature } => {
            let mut inner = object.object("reasoningText");
            text.write(inner.member("text"));
            signature.write(inner.member("signature"));
        }
        Reasoning::Sealed(data) => data.write(object.member("redactedContent")),
        // Never kept.
        Reasoning::Unsigned(_) | Reasoning::Foreign(_) => {}
    }
}
