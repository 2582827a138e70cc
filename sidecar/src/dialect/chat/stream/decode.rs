//! A chat stream into steps.

use super::calls::Calls;
use crate::dialect::chat::finish::{self, Circumstances};
use crate::dialect::chat::request::read_details;
use crate::dialect::chat::response;
use crate::dialect::chat::usage;
use crate::dialect::item::{Part, Reasoning, Remark, Step};
use crate::dialect::loss::given;
use crate::dialect::text::Text;
use crate::dialect::translator::Sink;
use crate::dialect::{Exchange, Fault, Losses, error, scan};
use crate::json::{self, Elements, Object, Raw};
use crate::sse::Event;

#[derive(Debug)]
pub(in crate::dialect) struct Decoder {
    calls: Calls,
    started: bool,
    committed: bool,
    refused: bool,
    finished: bool,
    ended: bool,
}

impl Decoder {
    pub(in crate::dialect) fn new(exchange: &Exchange) -> Self {
        let calls = Calls::new(&exchange.request_id);
        Self {
            calls,
            started: false,
            committed: false,
            refused: false,
            finished: false,
            ended: false,
        }
    }

    /// Says whether the answer is committed by now.
    pub(in crate::dialect) fn event(&mut self, event: &Event<'_>, sink: &mut Sink<'_>) -> Result<bool, Fault> {
        let data = event.data.trim_ascii();
        if data.is_empty() || self.ended {
            return Ok(false);
        }
        if data.starts_with(b"[DONE]") {
            self.end(sink)?;
            return Ok(false);
        }
        if event.name == Some("error") {
            return Err(error::in_stream(data));
        }
        let chunk = json::parse(data).map_err(|error| Fault::malformed(format!("a chunk is not JSON: {error}")))?;
        if let Some(fault) = error::within(&chunk) {
            return Err(fault);
        }
        self.chunk(&chunk, sink)?;
        if scan::USAGE.is_set(data) {
            usage::of(&chunk).map_or(Ok(()), |counted| sink(Step::Usage(counted)))?;
        }
        Ok(self.committed)
    }

    /// The stream has ended. Some servers leave out `[DONE]`; after a finish nothing is missing.
    pub(in crate::dialect) fn finish(&mut self, sink: &mut Sink<'_>) -> Result<(), Fault> {
        match (self.ended, self.finished) {
            (true, _) => Ok(()),
            (false, true) => self.end(sink),
            (false, false) => Err(Fault::malformed("the stream ended before the answer did")),
        }
    }

    fn end(&mut self, sink: &mut Sink<'_>) -> Result<(), Fault> {
        if !std::mem::replace(&mut self.finished, true) {
            self.calls.end(sink)?;
            sink(Step::Finish(finish::read("", self.circumstances(None))))?;
        }
        self.ended = true;
        sink(Step::End)
    }

    fn chunk(&mut self, chunk: &Object<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        let Some(choices) = chunk.get("choices").and_then(Raw::elements) else {
            return Ok(());
        };
        let is_first = |choice: &&Object<'_>| choice.get("index").and_then(Raw::u64).unwrap_or(0) == 0;
        let mut choices = choices.in_turn();
        while let Some((_, choice)) = choices.advance() {
            let Some(choice) = choice.filter(is_first) else {
                continue;
            };
            self.start(chunk, sink)?;
            if let Some(list) = response::logprobs(choice) {
                sink(Step::Remark(Remark::Logprobs(list)))?;
            }
            if let Some(delta) = choice.get("delta").and_then(Raw::object) {
                self.delta(&delta, sink)?;
            }
            self.finish_reason(choice, sink)?;
        }
        Ok(())
    }

    /// The first chunk with a choice has the head; one before it (Azure's filter results) may have empty strings.
    fn start(&mut self, chunk: &Object<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        if std::mem::replace(&mut self.started, true) {
            return Ok(());
        }
        response::sources(chunk).try_for_each(|loss| sink(Step::Lost(loss)))?;
        let created = chunk.get("created").and_then(Raw::u64);
        sink(Step::Start {
            id: word(chunk, "id"),
            model: word(chunk, "model"),
            created,
        })
    }

    fn delta(&mut self, delta: &Object<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        for member in delta.members().iter().filter(|member| !member.value.is_null()) {
            let text = Text::of(member.value).filter(|text| !text.is_empty());
            match (&*member.key(), text) {
                ("content", Some(text)) => self.say(Step::Text(text), sink)?,
                ("content", None) => self.chunks(member.value, sink)?,
                ("refusal", Some(text)) => {
                    self.refused = true;
                    self.say(Step::Refusal(text), sink)?;
                }
                ("reasoning_details", _) => self.details(member.value, sink)?,
                ("reasoning_content" | "reasoning", Some(text)) if !has_details(delta) => {
                    self.say(Step::Thinking(text), sink)?;
                }
                ("tool_calls", _) => self.tool_calls(member.value, sink)?,
                ("annotations", _) => {
                    let mut cited = response::citations(member.value);
                    cited.try_for_each(|citation| sink(Step::Remark(Remark::Citation(citation))))?;
                    response::unsaid(member).map_or(Ok(()), |loss| sink(Step::Lost(loss)))?;
                }
                ("images", _) => {
                    let mut lost = Losses::new();
                    let images = response::images(member.value, &mut lost);
                    self.parts(images, lost, sink)?;
                }
                _ => response::unsaid(member).map_or(Ok(()), |loss| sink(Step::Lost(loss)))?,
            }
        }
        Ok(())
    }

    fn say(&mut self, step: Step<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        self.committed = true;
        sink(step)
    }

    /// Content as a list, as Mistral writes it.
    fn chunks(&mut self, list: Raw<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        for entry in list.elements().into_iter().flatten() {
            let mut lost = Losses::new();
            let parts = response::chunk(entry, &mut lost);
            self.parts(parts, lost, sink)?;
        }
        Ok(())
    }

    /// What a list held.
    fn parts(&mut self, parts: Vec<Part<'_>>, lost: Losses, sink: &mut Sink<'_>) -> Result<(), Fault> {
        for part in parts {
            match part {
                Part::Text(text) => self.say(Step::Text(text), sink)?,
                Part::Reasoning(Reasoning::Unsigned(text)) => self.say(Step::Thinking(text), sink)?,
                Part::Image(source) => self.say(Step::Image(source), sink)?,
                _ => {}
            }
        }
        lost.into_iter().try_for_each(|loss| sink(Step::Lost(loss)))
    }

    /// Text comes in pieces, its signature with the last one or behind it.
    fn details(&mut self, list: Raw<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        for detail in read_details(list) {
            match detail {
                Reasoning::Unsigned(text) => self.say(Step::Thinking(text), sink)?,
                Reasoning::Signed { text, signature } => {
                    if !text.is_empty() {
                        self.say(Step::Thinking(text), sink)?;
                    }
                    self.say(Step::Signature(signature), sink)?;
                }
                whole @ (Reasoning::Sealed(_) | Reasoning::Foreign(_)) => self.say(Step::Reasoning(whole), sink)?,
            }
        }
        Ok(())
    }

    fn tool_calls(&mut self, list: Raw<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        for entry in list.elements().into_iter().flat_map(Elements::objects).flatten() {
            self.committed = true;
            self.calls.piece(&entry, sink)?;
        }
        Ok(())
    }

    fn finish_reason(&mut self, choice: &Object<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        let reason = choice.get("finish_reason").and_then(Raw::string).unwrap_or_default();
        if reason.is_empty() || self.finished {
            return Ok(());
        }
        if let Some(class) = finish::failure(&reason) {
            return Err(Fault::new(class, format!("the upstream ended with {reason}")));
        }
        (self.finished, self.committed) = (true, true);
        self.calls.end(sink)?;
        let sequence = given(choice, "stop_reason").and_then(Text::of);
        sink(Step::Finish(finish::read(&reason, self.circumstances(sequence))))
    }

    fn circumstances<'a>(&self, sequence: Option<Text<'a>>) -> Circumstances<'a> {
        Circumstances {
            calls: self.calls.any(),
            refuses: self.refused,
            sequence,
        }
    }
}

/// OpenRouter says the same in both.
fn has_details(delta: &Object<'_>) -> bool {
    let list = given(delta, "reasoning_details").and_then(Raw::elements);
    list.is_some_and(|mut list| list.next().is_some())
}

/// A string that says something.
fn word<'a>(object: &Object<'a>, key: &str) -> Option<Text<'a>> {
    given(object, key).and_then(Text::of).filter(|text| !text.is_empty())
}
