//! An Ollama stream into steps. Every line is an answer with a piece of its message; calls come whole.

use crate::dialect::item::{Arguments, Call, Step};
use crate::dialect::ollama::response::{calls, parse, read_call, string};
use crate::dialect::ollama::{finish, usage};
use crate::dialect::pairing::MOST_CALLS;
use crate::dialect::text::Text;
use crate::dialect::translator::Sink;
use crate::dialect::{Exchange, Fault};
use crate::json::{Object, Raw};
use crate::sse::Event;

/// The state of one stream.
#[derive(Debug)]
pub(in crate::dialect) struct Decoder {
    exchange: Exchange,
    calls: usize,
    started: bool,
    committed: bool,
    ended: bool,
}

impl Decoder {
    pub(in crate::dialect) fn new(exchange: &Exchange) -> Self {
        Self {
            exchange: exchange.clone(),
            calls: 0,
            started: false,
            committed: false,
            ended: false,
        }
    }

    /// Says whether the answer is committed by now.
    pub(in crate::dialect) fn event(&mut self, event: &Event<'_>, sink: &mut Sink<'_>) -> Result<bool, Fault> {
        if self.ended {
            return Ok(false);
        }
        let line = parse(&event.data)?;
        if !std::mem::replace(&mut self.started, true) {
            sink(Step::Start {
                id: None,
                model: string(&line, "model"),
                created: None,
            })?;
        }
        if let Some(message) = line.get("message").and_then(Raw::object) {
            self.message(&message, sink)?;
        }
        match line.get("done").and_then(Raw::bool) {
            Some(true) => self.done(&line, sink),
            Some(false) | None => Ok(self.committed),
        }
    }

    /// The stream has ended.
    pub(in crate::dialect) fn finish(&self) -> Result<(), Fault> {
        match self.ended {
            true => Ok(()),
            false => Err(Fault::malformed("the stream ended before it was done")),
        }
    }

    fn message(&mut self, message: &Object<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        for step in [
            string(message, "thinking").map(Step::Thinking),
            string(message, "content").map(Step::Text),
        ] {
            step.map_or(Ok(()), |step| self.say(step, sink))?;
        }
        calls(message).try_for_each(|call| self.call(&call?, sink))
    }

    fn call(&mut self, call: &Object<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        if self.calls == MOST_CALLS {
            return Err(Fault::malformed("the answer has too many tool calls"));
        }
        let Call { id, name, arguments } = read_call(&self.exchange, self.calls, call)?;
        let call = self.calls;
        self.calls += 1;
        self.say(Step::Call { call, id, name }, sink)?;
        let json = match arguments {
            Arguments::Object(written) => Text::Plain(written.text().into()),
            Arguments::Quoted(text) | Arguments::Free(text) => text,
        };
        sink(Step::Arguments { call, json })?;
        sink(Step::CallEnd { call })
    }

    /// The last line: why, how much, and the end.
    fn done(&mut self, line: &Object<'_>, sink: &mut Sink<'_>) -> Result<bool, Fault> {
        let finish = finish::read(line, self.calls > 0)?;
        self.say(Step::Finish(finish), sink)?;
        usage::of(line).map_or(Ok(()), |counted| sink(Step::Usage(counted)))?;
        self.ended = true;
        sink(Step::End)?;
        Ok(true)
    }

    fn say(&mut self, step: Step<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        self.committed = true;
        sink(step)
    }
}
