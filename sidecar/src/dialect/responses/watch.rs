//! Watching a Responses stream that passes through. Its events are named, so most are judged by their name alone.

use super::{finish, stored, usage};
use crate::dialect::loss::given;
use crate::dialect::{Effect, Fault, error};
use crate::json::{self, Object, Raw};
use crate::sse::Event;
use std::borrow::Cow;

#[derive(Debug, Default)]
pub(in crate::dialect) struct Watch {
    committed: bool,
    ended: bool,
    events: u64,
    /// Once.
    kept: Option<stored::Kept>,
}

impl Watch {
    pub(in crate::dialect) fn event(&mut self, event: &Event<'_>) -> Result<Effect, Fault> {
        let data = event.data.trim_ascii();
        if data.is_empty() || data.starts_with(b"[DONE]") {
            return Ok(Effect::default());
        }
        self.events += 1;
        let name = name(event);
        match &*name {
            "response.completed" | "response.incomplete" => return self.completed(&response(event)?),
            "response.failed" => return Err(finish::failure(&response(event)?, "failed")),
            "error" => return Err(error::in_stream(data)),
            "response.output_item.added" if !self.committed => self.committed = is_call(event)?,
            name => self.committed |= name.ends_with(".delta"),
        }
        Ok(Effect {
            content: self.committed,
            ..Effect::default()
        })
    }

    /// The stream has ended.
    pub(in crate::dialect) fn finish(&self) -> Result<(), Fault> {
        if self.ended {
            Ok(())
        } else {
            Err(Fault::malformed("the stream ended before response.completed"))
        }
    }

    /// The number that the next event would have.
    pub(in crate::dialect) fn sequence(&self) -> u64 {
        self.events
    }

    /// What only its provider can read again of the response that has ended: once.
    pub(in crate::dialect) fn kept(&mut self) -> Option<stored::Kept> {
        self.kept.take()
    }

    fn completed(&mut self, response: &Object<'_>) -> Result<Effect, Fault> {
        if let Some(fault) = error::within(response) {
            return Err(fault);
        }
        (self.committed, self.ended) = (true, true);
        self.kept = Some(stored::kept(response));
        Ok(Effect {
            content: true,
            usage: usage::of(response),
            end: true,
            ..Effect::default()
        })
    }
}

/// A call says something by starting: its name. A message or reasoning starts empty.
fn is_call(event: &Event<'_>) -> Result<bool, Fault> {
    let item = parse(event)?.get("item").and_then(Raw::object);
    let kind = item.and_then(|item| given(&item, "type")?.string());
    Ok(kind.is_some_and(|kind| !matches!(&*kind, "message" | "reasoning")))
}

/// An event's name; some compatible servers give only the `type` within.
pub(super) fn name<'e>(event: &'e Event<'_>) -> Cow<'e, str> {
    match event.name {
        Some(name) => Cow::Borrowed(name),
        None => parse(event)
            .ok()
            .and_then(|event| event.get("type")?.string())
            .unwrap_or_default(),
    }
}

/// The response that an event tells of.
pub(super) fn response<'e>(event: &'e Event<'_>) -> Result<Object<'e>, Fault> {
    let response = parse(event)?.get("response").and_then(Raw::object);
    response.ok_or_else(|| Fault::malformed("a stream event has no response"))
}

pub(super) fn parse<'e>(event: &'e Event<'_>) -> Result<Object<'e>, Fault> {
    json::parse(&event.data).map_err(|error| Fault::malformed(format!("a stream event is not JSON: {error}")))
}
