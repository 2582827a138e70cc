//! A Cohere stream into steps.

use crate::dialect::cohere::response::{NOT_CITED, parse, read_call, string};
use crate::dialect::cohere::{finish, usage};
use crate::dialect::item::{Arguments, Call, Step};
use crate::dialect::loss::given;
use crate::dialect::pairing::MOST_CALLS;
use crate::dialect::text::Text;
use crate::dialect::translator::Sink;
use crate::dialect::{Fault, unsaid};
use crate::json::{Object, Raw};
use crate::sse::Event;

/// The state of one stream.
#[derive(Debug, Default)]
pub(in crate::dialect) struct Decoder {
    /// In the order in which they began.
    calls: Vec<Progress>,
    started: bool,
    committed: bool,
    ended: bool,
}

/// How far a tool call has come.
#[derive(Debug)]
struct Progress {
    /// The stream's number for it.
    index: Option<u64>,
    has_arguments: bool,
    ended: bool,
}

impl Decoder {
    /// Says whether the answer is committed by now.
    pub(in crate::dialect) fn event(&mut self, event: &Event<'_>, sink: &mut Sink<'_>) -> Result<bool, Fault> {
        if event.data.is_empty() || self.ended {
            return Ok(false);
        }
        let object = parse(&event.data)?;
        let delta = given(&object, "delta").and_then(Raw::object);
        let message = delta.as_ref().and_then(|delta| given(delta, "message")?.object());
        let index = object.get("index").and_then(Raw::u64);
        match &*object.get("type").and_then(Raw::string).unwrap_or_default() {
            "message-start" => self.start(&object, sink)?,
            "content-start" | "content-delta" => self.content(message.as_ref(), sink)?,
            "tool-plan-delta" => {
                let plan = message.and_then(|message| string(&message, "tool_plan"));
                self.say(plan.map(Step::Text), sink)?;
            }
            "tool-call-start" => self.call_start(index, message.as_ref(), sink)?,
            "tool-call-delta" => self.call_delta(index, message.as_ref(), sink)?,
            "tool-call-end" => self.call_end(self.call_at(index), sink)?,
            "message-end" => self.end(delta.as_ref(), sink)?,
            "citation-start" => {
                sink(Step::Lost(unsaid::hint("citations", NOT_CITED)))?;
                return Ok(false);
            }
            // The ends of a citation and of a content block, and what a later revision adds.
            _ => return Ok(false),
        }
        Ok(self.committed)
    }

    /// The stream has ended.
    pub(in crate::dialect) fn finish(&self) -> Result<(), Fault> {
        match self.ended {
            true => Ok(()),
            false => Err(Fault::malformed("the stream ended before message-end")),
        }
    }

    fn start(&mut self, event: &Object<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        if std::mem::replace(&mut self.started, true) {
            return Ok(());
        }
        sink(Step::Start {
            id: string(event, "id"),
            model: None,
            created: None,
        })
    }

    fn content(&mut self, message: Option<&Object<'_>>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        let content = message.and_then(|message| given(message, "content")?.object());
        let content = content.ok_or_else(|| Fault::malformed("a piece of content has no content"))?;
        self.say(string(&content, "thinking").map(Step::Thinking), sink)?;
        self.say(string(&content, "text").map(Step::Text), sink)
    }

    fn call_start(
        &mut self,
        index: Option<u64>,
        message: Option<&Object<'_>>,
        sink: &mut Sink<'_>,
    ) -> Result<(), Fault> {
        if self.calls.len() == MOST_CALLS {
            return Err(Fault::malformed("the answer has too many tool calls"));
        }
        let begun = called(message).and_then(|call| read_call(&call));
        let Call { id, name, arguments } = begun.ok_or_else(|| Fault::malformed("a tool call has no id or no name"))?;
        let call = self.calls.len();
        self.calls.push(Progress {
            index,
            has_arguments: false,
            ended: false,
        });
        self.say(Some(Step::Call { call, id, name }), sink)?;
        match arguments {
            Arguments::Quoted(json) => self.arguments(call, json, sink),
            Arguments::Object(_) | Arguments::Free(_) => Ok(()),
        }
    }

    fn call_delta(
        &mut self,
        index: Option<u64>,
        message: Option<&Object<'_>>,
        sink: &mut Sink<'_>,
    ) -> Result<(), Fault> {
        let function = called(message).and_then(|call| given(&call, "function")?.object());
        let json = function.and_then(|function| string(&function, "arguments"));
        match (self.call_at(index), json) {
            (_, None) => Ok(()),
            (Some(call), Some(json)) => self.arguments(call, json, sink),
            (None, Some(_)) => Err(Fault::malformed("arguments belong to no tool call")),
        }
    }

    fn arguments(&mut self, call: usize, json: Text<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        match self.calls.get_mut(call) {
            Some(progress) if !progress.ended && !json.is_empty() => {
                progress.has_arguments = true;
                sink(Step::Arguments { call, json })
            }
            _ => Ok(()),
        }
    }

    /// Which call an event is about: the last one of its number, or the last one at all.
    fn call_at(&self, index: Option<u64>) -> Option<usize> {
        let same = |call: &Progress| index.is_none() || call.index == index;
        self.calls.iter().rposition(same)
    }

    fn call_end(&mut self, call: Option<usize>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        let Some((call, progress)) = call.and_then(|call| Some((call, self.calls.get_mut(call)?))) else {
            return Ok(());
        };
        if std::mem::replace(&mut progress.ended, true) {
            return Ok(());
        }
        if !progress.has_arguments {
            sink(Step::Arguments {
                call,
                json: Text::from("{}"),
            })?;
        }
        sink(Step::CallEnd { call })
    }

    /// The last event: why, how much, and the end.
    fn end(&mut self, delta: Option<&Object<'_>>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        let delta = delta.ok_or_else(|| Fault::malformed("message-end has no delta"))?;
        let finish = finish::read(delta, !self.calls.is_empty())?;
        for call in 0..self.calls.len() {
            self.call_end(Some(call), sink)?;
        }
        self.say(Some(Step::Finish(finish)), sink)?;
        usage::of(delta).map_or(Ok(()), |counted| sink(Step::Usage(counted)))?;
        self.ended = true;
        sink(Step::End)
    }

    fn say(&mut self, step: Option<Step<'_>>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        let Some(step) = step else { return Ok(()) };
        self.committed = true;
        sink(step)
    }
}

/// The one call of an event: its list is none.
fn called<'a>(message: Option<&Object<'a>>) -> Option<Object<'a>> {
    let calls = given(message?, "tool_calls")?;
    calls.object().or_else(|| calls.elements()?.next()?.object())
}
