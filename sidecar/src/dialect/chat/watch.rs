//! Watching a chat stream that passes through.

use crate::dialect::chat::{finish, usage};
use crate::dialect::{Cut, Effect, Fault, error, scan};
use crate::json::{self, Elements, Object, Raw, Type};
use crate::sse::Event;
use std::borrow::Cow;

/// Parses chunks until the first content; from then on only those that may hold usage, an error or a finish.
#[derive(Debug)]
pub(in crate::dialect) struct Watch {
    /// Usage was asked for on the client's behalf and must not reach it.
    strips_usage: bool,
    committed: bool,
    /// Choices that have not finished; a choice that nobody announced is not waited for.
    open: u64,
    ended: bool,
}

impl Watch {
    pub(in crate::dialect) fn new(strips_usage: bool) -> Self {
        Self {
            strips_usage,
            committed: false,
            open: 1,
            ended: false,
        }
    }

    /// The client asked for this many choices.
    pub(in crate::dialect) fn of_choices(mut self, choices: u64) -> Self {
        self.open = choices.max(1);
        self
    }

    pub(in crate::dialect) fn event(&mut self, event: &Event<'_>) -> Result<Effect, Fault> {
        let data = event.data.trim_ascii();
        if data.is_empty() {
            return Ok(Effect::default());
        }
        if data.starts_with(b"[DONE]") {
            self.ended = true;
            return Ok(Effect {
                end: true,
                ..Effect::default()
            });
        }
        if event.name == Some("error") {
            return Err(error::in_stream(data));
        }
        let may_finish = self.open > 0 && scan::FINISH_REASON.is_set(data);
        if self.committed && !may_finish && !scan::USAGE.is_set(data) && !scan::ERROR.is_set(data) {
            return Ok(Effect {
                content: true,
                ..Effect::default()
            });
        }
        self.chunk(event, data)
    }

    /// The stream has ended. Some servers leave out `[DONE]`; after a finish nothing is missing.
    pub(in crate::dialect) fn finish(&self) -> Result<(), Fault> {
        if self.ended || self.open == 0 {
            return Ok(());
        }
        Err(Fault::malformed("the stream ended before the answer did"))
    }

    fn chunk(&mut self, event: &Event<'_>, data: &[u8]) -> Result<Effect, Fault> {
        let chunk = json::parse(data).map_err(|error| Fault::malformed(format!("a chunk is not JSON: {error}")))?;
        if let Some(fault) = error::within(&chunk) {
            return Err(fault);
        }
        let mut has_choices = false;
        for choice in chunk
            .get("choices")
            .and_then(Raw::elements)
            .into_iter()
            .flat_map(Elements::objects)
            .flatten()
        {
            has_choices = true;
            let finished = finished(&choice)?;
            self.open = self.open.saturating_sub(u64::from(finished));
            self.committed |= finished || has_content(&choice);
        }
        let usage = usage::of(&chunk);
        let strips = self.strips_usage && chunk.get("usage").is_some_and(|usage| !usage.is_null());
        Ok(Effect {
            content: self.committed,
            usage,
            omit: strips && !has_choices,
            cut: (strips && has_choices).then(|| usage_member(event, &chunk)).flatten(),
            end: false,
        })
    }
}

fn finished(choice: &Object<'_>) -> Result<bool, Fault> {
    let reason = choice.get("finish_reason").and_then(Raw::string).unwrap_or_default();
    match finish::failure(&reason) {
        Some(class) => Err(Fault::new(class, format!("the upstream ended with {reason}"))),
        None => Ok(!reason.is_empty()),
    }
}

/// Anything in the delta beside the role that is not empty, or a text in the older form.
fn has_content(choice: &Object<'_>) -> bool {
    if choice.get("text").is_some_and(|text| !is_empty(text)) {
        return true;
    }
    let delta = choice.get("delta").and_then(Raw::object);
    delta.is_some_and(|delta| {
        delta
            .members()
            .iter()
            .any(|member| &*member.key() != "role" && !is_empty(member.value))
    })
}

fn is_empty(value: Raw<'_>) -> bool {
    match value.kind() {
        Type::Null => true,
        Type::String => value.text() == "\"\"",
        Type::Array => value.elements().is_none_or(|mut elements| elements.next().is_none()),
        Type::Object => value.object().is_none_or(|object| object.members().is_empty()),
        Type::Bool | Type::Number => false,
    }
}

/// Where `usage` stands in the event, with the comma that joins it to its neighbour. An event whose data is spread over
/// several lines keeps it: harmless, and no provider writes one.
fn usage_member(event: &Event<'_>, chunk: &Object<'_>) -> Option<Cut> {
    let Cow::Borrowed(_) = event.data else { return None };
    let value = chunk.span(chunk.get("usage")?);
    let text = chunk.text();
    let before = text
        .as_bytes()
        .get(..value.start)?
        .trim_ascii_end()
        .strip_suffix(b":")?
        .trim_ascii_end();
    let before = before.strip_suffix(b"\"usage\"")?.trim_ascii_end();
    let behind = text.as_bytes().get(value.end..)?;
    let (start, end) = match before.strip_suffix(b",") {
        Some(before) => (before.len(), value.end),
        None => {
            let rest = behind.trim_ascii_start();
            let comma = usize::from(rest.starts_with(b","));
            (before.len(), value.end + (behind.len() - rest.len()) + comma)
        }
    };
    let offset = text.as_ptr().addr().checked_sub(event.raw.as_ptr().addr())?;
    Some(Cut {
        start: offset + start,
        end: offset + end,
    })
}
