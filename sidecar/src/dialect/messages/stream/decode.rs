//! An Anthropic stream into steps.

use crate::dialect::item::{Finish, Reasoning, Step};
use crate::dialect::loss::given;
use crate::dialect::messages::cited::Streamed;
use crate::dialect::messages::usage::Tally;
use crate::dialect::messages::{finish, watch};
use crate::dialect::text::Text;
use crate::dialect::translator::Sink;
use crate::dialect::{ClientDialect, Exchange, Fault, error, unsaid};
use crate::json::{self, Object, Raw};
use crate::sse::Event;

#[derive(Debug, Default)]
pub(in crate::dialect) struct Decoder {
    tally: Tally,
    /// The open tool call, and whether it has arguments yet. Blocks follow one another, so there is one at most.
    call: Option<(usize, bool)>,
    calls: usize,
    started: bool,
    committed: bool,
    finished: bool,
    ended: bool,
    cited: Streamed,
    /// The client's text begins anew behind what is none.
    splits: bool,
}

impl Decoder {
    pub(in crate::dialect) fn new(exchange: &Exchange) -> Self {
        Self {
            splits: exchange.client == ClientDialect::Responses,
            ..Self::default()
        }
    }

    /// Says whether the answer is committed by now.
    pub(in crate::dialect) fn event(&mut self, event: &Event<'_>, sink: &mut Sink<'_>) -> Result<bool, Fault> {
        if event.data.is_empty() || self.ended {
            return Ok(false);
        }
        match &*watch::name(event) {
            "message_start" => self.start(&parse(event)?, sink)?,
            "content_block_start" => self.block_start(&parse(event)?, sink)?,
            "content_block_delta" => self.block_delta(&parse(event)?, sink)?,
            "content_block_stop" => self.block_stop(sink)?,
            "message_delta" => self.message_delta(&parse(event)?, sink)?,
            "message_stop" => {
                self.stop(sink)?;
                return Ok(false);
            }
            "error" => return Err(error::in_stream(&event.data)),
            // `ping`, and what a later revision adds.
            _ => return Ok(false),
        }
        Ok(self.committed)
    }

    /// The stream has ended.
    pub(in crate::dialect) fn finish(&self) -> Result<(), Fault> {
        if self.ended {
            Ok(())
        } else {
            Err(Fault::malformed("the stream ended before message_stop"))
        }
    }

    fn start(&mut self, event: &Object<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        let message = event.get("message").and_then(Raw::object);
        let message = message.ok_or_else(|| Fault::malformed("message_start has no message"))?;
        if !std::mem::replace(&mut self.started, true) {
            sink(Step::Start {
                id: text(&message, "id"),
                model: text(&message, "model"),
                created: None,
            })?;
        }
        self.count(message.get("usage"), sink)
    }

    fn block_start(&mut self, event: &Object<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        self.block_stop(sink)?;
        let block = event.get("content_block").and_then(Raw::object);
        let block = block.ok_or_else(|| Fault::malformed("content_block_start has no content_block"))?;
        match &*block.get("type").and_then(Raw::string).unwrap_or_default() {
            "text" => {
                self.cited.begin();
                self.said(text(&block, "text"), sink)
            }
            "thinking" => self.say(text(&block, "thinking").map(Step::Thinking), sink),
            "redacted_thinking" => self.say(
                text(&block, "data").map(|data| Step::Reasoning(Reasoning::Sealed(data))),
                sink,
            ),
            "tool_use" => self.call_start(&block, sink),
            // What Anthropic's own tools do has no place in another dialect.
            kind => sink(Step::Lost(unsaid::foreign(kind))),
        }
    }

    fn call_start(&mut self, block: &Object<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        let (Some(id), Some(name)) = (text(block, "id"), text(block, "name")) else {
            return Err(Fault::malformed("a tool_use block has no id or no name"));
        };
        let call = self.calls;
        self.calls += 1;
        self.call = Some((call, false));
        self.say(Some(Step::Call { call, id, name }), sink)?;
        // Some servers give the whole input at once.
        let input =
            given(block, "input").filter(|input| input.object().is_some_and(|input| !input.members().is_empty()));
        match input {
            None => Ok(()),
            Some(input) => self.arguments(Text::Plain(input.text().into()), sink),
        }
    }

    fn block_delta(&mut self, event: &Object<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        let delta = event.get("delta").and_then(Raw::object);
        let delta = delta.ok_or_else(|| Fault::malformed("content_block_delta has no delta"))?;
        match &*delta.get("type").and_then(Raw::string).unwrap_or_default() {
            "text_delta" => self.said(text(&delta, "text"), sink),
            "thinking_delta" => self.say(text(&delta, "thinking").map(Step::Thinking), sink),
            "signature_delta" => self.say(text(&delta, "signature").map(Step::Signature), sink),
            "input_json_delta" => match text(&delta, "partial_json") {
                Some(json) => self.arguments(json, sink),
                None => Ok(()),
            },
            "citations_delta" => self.cited.cite(&delta).map_or(Ok(()), |loss| sink(Step::Lost(loss))),
            kind => sink(Step::Lost(unsaid::foreign(kind))),
        }
    }

    /// Arguments of the open call; those of a block that was left out are left out too.
    fn arguments(&mut self, json: Text<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        let Some((call, has_arguments)) = &mut self.call else {
            return Ok(());
        };
        *has_arguments = true;
        sink(Step::Arguments { call: *call, json })
    }

    fn said(&mut self, text: Option<Text<'_>>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        if let Some(text) = &text {
            self.cited.say(text);
        }
        self.say(text.map(Step::Text), sink)
    }

    fn block_stop(&mut self, sink: &mut Sink<'_>) -> Result<(), Fault> {
        self.cited.end(sink)?;
        let Some((call, has_arguments)) = self.call.take() else {
            return Ok(());
        };
        if !has_arguments {
            sink(Step::Arguments {
                call,
                json: Text::from("{}"),
            })?;
        }
        sink(Step::CallEnd { call })
    }

    fn message_delta(&mut self, event: &Object<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        self.block_stop(sink)?;
        let delta = event.get("delta").and_then(Raw::object);
        let finish = delta.as_ref().and_then(finish::read).filter(|_| !self.finished);
        if finish.is_some() {
            self.finished = true;
            self.say(finish.map(Step::Finish), sink)?;
        }
        self.count(event.get("usage"), sink)
    }

    fn stop(&mut self, sink: &mut Sink<'_>) -> Result<(), Fault> {
        self.block_stop(sink)?;
        if !std::mem::replace(&mut self.finished, true) {
            sink(Step::Finish(if self.calls > 0 { Finish::Calls } else { Finish::Stop }))?;
        }
        self.ended = true;
        sink(Step::End)
    }

    fn count(&mut self, usage: Option<Raw<'_>>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        if let Some(usage) = usage {
            self.tally.add(usage);
        }
        self.tally.usage().map_or(Ok(()), |counted| sink(Step::Usage(counted)))
    }

    fn say(&mut self, step: Option<Step<'_>>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        let Some(step) = step else { return Ok(()) };
        self.committed = true;
        if self.splits && !matches!(step, Step::Text(_)) {
            self.cited.restart();
        }
        sink(step)
    }
}

fn parse<'e>(event: &'e Event<'_>) -> Result<Object<'e>, Fault> {
    json::parse(&event.data).map_err(|error| Fault::malformed(format!("a stream event is not JSON: {error}")))
}

/// A string that says something.
fn text<'a>(object: &Object<'a>, key: &str) -> Option<Text<'a>> {
    given(object, key).and_then(Text::of).filter(|text| !text.is_empty())
}
