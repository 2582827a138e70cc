//! A Converse stream into steps.

use crate::dialect::converse::response::SERVER_TOOL;
use crate::dialect::converse::{finish, usage};
use crate::dialect::item::{Reasoning, Step};
use crate::dialect::loss::given;
use crate::dialect::pairing::MOST_CALLS;
use crate::dialect::text::Text;
use crate::dialect::translator::Sink;
use crate::dialect::{Fault, unsaid};
use crate::json::{self, Object, Raw};
use crate::sse::Event;
use smallvec::SmallVec;

/// The state of one stream.
#[derive(Debug, Default)]
pub(in crate::dialect) struct Decoder {
    open: SmallVec<[OpenCall; 1]>,
    calls: usize,
    committed: bool,
    finished: bool,
    ended: bool,
}

/// A tool call whose block has not ended.
#[derive(Debug)]
struct OpenCall {
    /// Its block's.
    index: u64,
    call: usize,
    has_arguments: bool,
}

impl Decoder {
    /// Says whether the answer is committed by now.
    pub(in crate::dialect) fn event(&mut self, event: &Event<'_>, sink: &mut Sink<'_>) -> Result<bool, Fault> {
        if self.ended {
            return Ok(false);
        }
        match event.name {
            Some("messageStart") => sink(Step::Start {
                id: None,
                model: None,
                created: None,
            })?,
            Some("contentBlockStart") => self.block_start(&parse(event)?, sink)?,
            Some("contentBlockDelta") => self.block_delta(&parse(event)?, sink)?,
            Some("contentBlockStop") => self.block_stop(&parse(event)?, sink)?,
            Some("messageStop") => self.message_stop(&parse(event)?, sink)?,
            Some("metadata") => {
                self.metadata(&parse(event)?, sink)?;
                return Ok(false);
            }
            // What a later revision adds.
            Some(_) | None => return Ok(false),
        }
        Ok(self.committed)
    }

    /// The stream has ended. Usage comes behind the answer's end, and may be missing.
    pub(in crate::dialect) fn finish(&mut self, sink: &mut Sink<'_>) -> Result<(), Fault> {
        match (self.ended, self.finished) {
            (true, _) => Ok(()),
            (false, true) => self.end(sink),
            (false, false) => Err(Fault::malformed("the stream ended before messageStop")),
        }
    }

    fn block_start(&mut self, event: &Object<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        let start = event.get("start").and_then(Raw::object);
        let Some(start) = start else { return Ok(()) };
        let Some(call) = given(&start, "toolUse").and_then(Raw::object) else {
            return lose(&start, sink);
        };
        // A call of a tool of AWS's own is none for the client.
        if given(&call, "type").is_some() {
            return sink(Step::Lost(unsaid::foreign(SERVER_TOOL)));
        }
        let (Some(id), Some(name)) = (string(&call, "toolUseId"), string(&call, "name")) else {
            return Err(Fault::malformed("a toolUse has no toolUseId or no name"));
        };
        if self.open.len() == MOST_CALLS {
            return Err(Fault::malformed("the answer has too many open tool calls"));
        }
        let call = self.calls;
        self.calls += 1;
        self.open.push(OpenCall {
            index: index(event),
            call,
            has_arguments: false,
        });
        self.say(Step::Call { call, id, name }, sink)
    }

    fn block_delta(&mut self, event: &Object<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        let delta = event.get("delta").and_then(Raw::object);
        let delta = delta.ok_or_else(|| Fault::malformed("contentBlockDelta has no delta"))?;
        if let Some(text) = string(&delta, "text") {
            return self.say(Step::Text(text), sink);
        }
        let inner = |key| given(&delta, key).and_then(Raw::object);
        if let Some(json) = inner("toolUse").and_then(|call| string(&call, "input")) {
            return self.arguments(index(event), json, sink);
        }
        let Some(reasoning) = inner("reasoningContent") else {
            return match inner("toolUse") {
                // Arguments of a call that was lost, or none.
                Some(_) => Ok(()),
                None => lose(&delta, sink),
            };
        };
        let step = string(&reasoning, "text")
            .map(Step::Thinking)
            .or_else(|| string(&reasoning, "signature").map(Step::Signature))
            .or_else(|| {
                Some(Step::Reasoning(Reasoning::Sealed(string(
                    &reasoning,
                    "redactedContent",
                )?)))
            });
        step.map_or(Ok(()), |step| self.say(step, sink))
    }

    /// Arguments of an open call; those of a block that was left out are left out too.
    fn arguments(&mut self, index: u64, json: Text<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        let Some(open) = self.open.iter_mut().find(|open| open.index == index) else {
            return Ok(());
        };
        open.has_arguments = true;
        sink(Step::Arguments { call: open.call, json })
    }

    fn block_stop(&mut self, event: &Object<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        let index = index(event);
        match self.open.iter().position(|open| open.index == index) {
            Some(at) => complete(&self.open.remove(at), sink),
            None => Ok(()),
        }
    }

    fn message_stop(&mut self, event: &Object<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        self.open.drain(..).try_for_each(|open| complete(&open, sink))?;
        if std::mem::replace(&mut self.finished, true) {
            return Ok(());
        }
        self.say(Step::Finish(finish::read(event, self.calls > 0)?), sink)
    }

    fn metadata(&mut self, event: &Object<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        usage::of(event).map_or(Ok(()), |counted| sink(Step::Usage(counted)))?;
        if self.finished { self.end(sink) } else { Ok(()) }
    }

    fn end(&mut self, sink: &mut Sink<'_>) -> Result<(), Fault> {
        self.ended = true;
        sink(Step::End)
    }

    fn say(&mut self, step: Step<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        self.committed = true;
        sink(step)
    }
}

/// What a block's beginning, or a delta, says that no other dialect does: citations, images in pieces, what AWS's own
/// tools return, what a later revision adds.
fn lose(object: &Object<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
    let says = |value: Raw<'_>| !matches!(value.text(), "\"\"" | "null" | "{}");
    match object.members().iter().find(|member| says(member.value)) {
        Some(member) if matches!(&*member.key(), "audio" | "image" | "video") => sink(Step::Lost(unsaid::meaning(
            &member.key(),
            "what Converse streams in pieces is not put together",
        ))),
        Some(member) => sink(Step::Lost(unsaid::foreign(&member.key()))),
        None => Ok(()),
    }
}

/// Clients want an object, also of a call without any arguments.
fn complete(open: &OpenCall, sink: &mut Sink<'_>) -> Result<(), Fault> {
    let call = open.call;
    if !open.has_arguments {
        sink(Step::Arguments {
            call,
            json: Text::from("{}"),
        })?;
    }
    sink(Step::CallEnd { call })
}

fn index(event: &Object<'_>) -> u64 {
    event.get("contentBlockIndex").and_then(Raw::u64).unwrap_or(0)
}

fn parse<'e>(event: &'e Event<'_>) -> Result<Object<'e>, Fault> {
    json::parse(&event.data).map_err(|error| Fault::malformed(format!("a stream event is not JSON: {error}")))
}

/// A string that says something.
fn string<'a>(object: &Object<'a>, key: &str) -> Option<Text<'a>> {
    given(object, key).and_then(Text::of).filter(|text| !text.is_empty())
}
