//! Watching an Anthropic stream that passes through. Its events are named, so most are judged by their name alone.

use crate::dialect::messages::usage::Tally;
use crate::dialect::{Effect, Fault, error};
use crate::json::{self, Object, Raw};
use crate::sse::Event;
use std::borrow::Cow;

#[derive(Debug, Default)]
pub(in crate::dialect) struct Watch {
    tally: Tally,
    committed: bool,
    ended: bool,
}

impl Watch {
    pub(in crate::dialect) fn event(&mut self, event: &Event<'_>) -> Result<Effect, Fault> {
        if event.data.is_empty() {
            return Ok(Effect::default());
        }
        match &*name(event) {
            "content_block_delta" => {
                self.committed = true;
                Ok(Effect {
                    content: true,
                    ..Effect::default()
                })
            }
            "content_block_start" if !self.committed => self.block_start(&parse(event)?),
            "message_start" => Ok(self.count(message_usage(&parse(event)?))),
            "message_delta" => self.message_delta(&parse(event)?),
            "message_stop" => {
                self.ended = true;
                Ok(Effect {
                    end: true,
                    ..Effect::default()
                })
            }
            "error" => Err(error::in_stream(&event.data)),
            // `ping`, `content_block_stop`, what a later revision adds.
            _ => Ok(Effect {
                content: self.committed,
                ..Effect::default()
            }),
        }
    }

    /// The stream has ended.
    pub(in crate::dialect) fn finish(&self) -> Result<(), Fault> {
        if self.ended {
            Ok(())
        } else {
            Err(Fault::malformed("the stream ended before message_stop"))
        }
    }

    /// A text or thinking block starts empty; every other block says something by starting.
    fn block_start(&mut self, event: &Object<'_>) -> Result<Effect, Fault> {
        let block = event.get("content_block").and_then(Raw::object);
        let block = block.ok_or_else(|| Fault::malformed("content_block_start has no content_block"))?;
        let kind = block.get("type").and_then(Raw::string).unwrap_or_default();
        self.committed = match &*kind {
            "text" | "thinking" => block.get(&kind).is_some_and(|text| text.text() != "\"\""),
            _ => true,
        };
        Ok(Effect {
            content: self.committed,
            ..Effect::default()
        })
    }

    fn message_delta(&mut self, event: &Object<'_>) -> Result<Effect, Fault> {
        let delta = event.get("delta").and_then(Raw::object);
        let stopped = delta.is_some_and(|delta| delta.get("stop_reason").is_some_and(|reason| !reason.is_null()));
        self.committed |= stopped;
        Ok(self.count(event.get("usage")))
    }

    fn count(&mut self, usage: Option<Raw<'_>>) -> Effect {
        if let Some(usage) = usage {
            self.tally.add(usage);
        }
        Effect {
            content: self.committed,
            usage: self.tally.usage(),
            ..Effect::default()
        }
    }
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

fn message_usage<'a>(event: &Object<'a>) -> Option<Raw<'a>> {
    event.get("message")?.object()?.get("usage")
}

fn parse<'e>(event: &'e Event<'_>) -> Result<Object<'e>, Fault> {
    json::parse(&event.data).map_err(|error| Fault::malformed(format!("a stream event is not JSON: {error}")))
}
