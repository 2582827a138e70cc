//! A Responses stream into steps.

use super::calls::Calls;
use crate::dialect::item::{Reasoning, Remark, Step};
use crate::dialect::loss::given;
use crate::dialect::measured::Measured;
use crate::dialect::responses::finish::{self, Circumstances};
use crate::dialect::responses::response::{citation, generated, unsaid, word};
use crate::dialect::responses::{carried, usage, watch};
use crate::dialect::text::Text;
use crate::dialect::translator::Sink;
use crate::dialect::{Exchange, Fault, error, unsaid as loss};
use crate::json::{Elements, Object, Raw};
use crate::sse::Event;

#[derive(Debug)]
pub(in crate::dialect) struct Decoder {
    calls: Calls,
    /// What the open item has said so far.
    said: Said,
    started: bool,
    committed: bool,
    refused: bool,
    ended: bool,
}

/// What has come of an item in pieces, so that its whole need not be told again.
#[derive(Clone, Copy, Debug, Default)]
struct Said {
    /// Of the part that is open.
    content: bool,
    /// Its reasoning, by the name of the event that told it: the text itself, or a summary.
    thought: Option<Thought>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Thought {
    Itself,
    Summary,
}

impl Decoder {
    pub(in crate::dialect) fn new(exchange: &Exchange) -> Self {
        Self {
            calls: Calls::new(exchange),
            said: Said::default(),
            started: false,
            committed: false,
            refused: false,
            ended: false,
        }
    }

    /// Says whether the answer is committed by now.
    pub(in crate::dialect) fn event(&mut self, event: &Event<'_>, sink: &mut Sink<'_>) -> Result<bool, Fault> {
        let data = event.data.trim_ascii();
        if data.is_empty() || data.starts_with(b"[DONE]") || self.ended {
            return Ok(false);
        }
        match &*watch::name(event) {
            "response.output_text.delta" => self.text(&watch::parse(event)?, sink)?,
            "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" => {
                self.calls.delta(&watch::parse(event)?, sink)?
            }
            "response.reasoning_summary_text.delta" => self.think(Thought::Summary, &watch::parse(event)?, sink)?,
            "response.reasoning_text.delta" => self.think(Thought::Itself, &watch::parse(event)?, sink)?,
            "response.refusal.delta" => self.refuse(word(&watch::parse(event)?, "delta"), sink)?,
            "response.created" => self.start(&watch::response(event)?, sink)?,
            "response.output_item.added" => self.item_added(&watch::parse(event)?, sink)?,
            "response.content_part.added" => self.said.content = false,
            "response.reasoning_summary_part.added" => self.summary_part(&watch::parse(event)?, sink)?,
            "response.output_text.done" if !self.said.content => {
                self.say(word(&watch::parse(event)?, "text").map(Step::Text), sink)?;
            }
            "response.refusal.done" if !self.said.content => {
                self.refuse(word(&watch::parse(event)?, "refusal"), sink)?;
            }
            "response.output_text.annotation.added" => {
                let event = watch::parse(event)?;
                let cited = given(&event, "annotation").and_then(citation);
                cited.map_or(Ok(()), |cited| sink(Step::Remark(Remark::Citation(cited))))?;
            }
            "response.output_item.done" => self.item_done(&watch::parse(event)?, sink)?,
            "response.completed" | "response.incomplete" => {
                self.complete(&watch::response(event)?, sink)?;
                return Ok(true);
            }
            "response.failed" => return Err(finish::failure(&watch::response(event)?, "failed")),
            "error" => return Err(error::in_stream(data)),
            // What the provider's own tools do, and what a later revision adds.
            _ => {}
        }
        Ok(self.committed)
    }

    /// The stream has ended.
    pub(in crate::dialect) fn finish(&self) -> Result<(), Fault> {
        if self.ended {
            Ok(())
        } else {
            Err(Fault::malformed("the stream ended before response.completed"))
        }
    }

    fn start(&mut self, response: &Object<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        if std::mem::replace(&mut self.started, true) {
            return Ok(());
        }
        sink(Step::Start {
            id: word(response, "id"),
            model: word(response, "model"),
            created: response.get("created_at").and_then(Raw::u64),
        })
    }

    fn say(&mut self, step: Option<Step<'_>>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        let Some(step) = step else { return Ok(()) };
        (self.committed, self.said.content) = (true, true);
        sink(step)
    }

    fn text(&mut self, event: &Object<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        if let Some(list) =
            given(event, "logprobs").filter(|list| list.elements().is_some_and(|mut list| list.next().is_some()))
        {
            sink(Step::Remark(Remark::Logprobs(Measured::OpenAi(list))))?;
        }
        self.say(word(event, "delta").map(Step::Text), sink)
    }

    fn refuse(&mut self, text: Option<Text<'_>>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        self.refused |= text.is_some();
        self.say(text.map(Step::Refusal), sink)
    }

    /// A server that tells both its reasoning and a summary of it says the same twice: the one that comes first counts.
    fn think(&mut self, thought: Thought, event: &Object<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        if *self.said.thought.get_or_insert(thought) != thought {
            return Ok(());
        }
        self.say(word(event, "delta").map(Step::Thinking), sink)
    }

    /// The parts of a summary are paragraphs.
    fn summary_part(&mut self, event: &Object<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        let is_first = event.get("summary_index").and_then(Raw::u64).unwrap_or(0) == 0;
        if is_first || self.said.thought != Some(Thought::Summary) {
            return Ok(());
        }
        self.say(Some(Step::Thinking(Text::from("\n\n"))), sink)
    }

    fn item_added(&mut self, event: &Object<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        let Some(item) = call_in(event) else {
            self.said = Said::default();
            return Ok(());
        };
        self.committed = true;
        self.calls.begin(event, &item, sink)
    }

    fn item_done(&mut self, event: &Object<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        if let Some(call) = call_in(event) {
            self.committed = true;
            return self.calls.end(event, &call, sink);
        }
        let Some(item) = event.get("item").and_then(Raw::object) else {
            return Ok(());
        };
        match &*given(&item, "type").and_then(Raw::string).unwrap_or_default() {
            "reasoning" => self.thought_done(&item, sink),
            "message" => {
                let parts = given(&item, "content").and_then(Raw::elements);
                let parts = parts.into_iter().flat_map(Elements::objects).flatten();
                let mut lost = parts.filter_map(|part| unsaid(&part));
                lost.try_for_each(|loss| sink(Step::Lost(loss)))
            }
            kind => match generated(&item) {
                Some(image) => self.say(Some(Step::Image(image)), sink),
                None => sink(Step::Lost(loss::foreign(kind))),
            },
        }
    }

    fn thought_done(&mut self, item: &Object<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        let told = self.said.thought.is_some();
        for reasoning in carried::read(item) {
            match reasoning {
                Reasoning::Unsigned(_) if told => {}
                Reasoning::Unsigned(text) => self.say(Some(Step::Thinking(text)), sink)?,
                whole => self.say(Some(Step::Reasoning(whole)), sink)?,
            }
        }
        Ok(())
    }

    fn complete(&mut self, response: &Object<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        if let Some(fault) = error::within(response) {
            return Err(fault);
        }
        self.start(response, sink)?;
        self.calls.end_all(sink)?;
        let circumstances = Circumstances {
            calls: self.calls.any(),
            refuses: self.refused,
        };
        let finish = finish::read(response, circumstances)?;
        (self.committed, self.ended) = (true, true);
        sink(Step::Finish(finish))?;
        usage::of(response).map_or(Ok(()), |counted| sink(Step::Usage(counted)))?;
        sink(Step::End)
    }
}

/// The call that an event tells of, if its item is one.
fn call_in<'a>(event: &Object<'a>) -> Option<Object<'a>> {
    let item = event.get("item").and_then(Raw::object)?;
    let kind = given(&item, "type").and_then(Raw::string)?;
    matches!(&*kind, "function_call" | "custom_tool_call").then_some(item)
}
