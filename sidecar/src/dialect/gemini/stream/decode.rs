//! A Gemini stream into steps. Parts come whole or, where they are text, in pieces; a call is never in pieces.

use crate::dialect::gemini::response::{self, Said};
use crate::dialect::gemini::{finish, grounding, usage};
use crate::dialect::item::{Call, Finish, Reasoning, Remark, Step};
use crate::dialect::loss::given;
use crate::dialect::measured::Measured;
use crate::dialect::text::Text;
use crate::dialect::translator::Sink;
use crate::dialect::{Exchange, Fault};
use crate::json::Object;
use crate::sse::Event;

#[derive(Debug)]
pub(in crate::dialect) struct Decoder {
    exchange: Exchange,
    calls: usize,
    started: bool,
    committed: bool,
    /// How many pages were cited.
    cited: usize,
    /// Why the answer ended, as was said last. Some servers say so in every chunk, or in the first.
    finish: Option<Finish<'static>>,
}

impl Decoder {
    pub(in crate::dialect) fn new(exchange: &Exchange) -> Self {
        Self {
            exchange: exchange.clone(),
            calls: 0,
            started: false,
            committed: false,
            cited: 0,
            finish: None,
        }
    }

    /// Says whether the answer is committed by now.
    pub(in crate::dialect) fn event(&mut self, event: &Event<'_>, sink: &mut Sink<'_>) -> Result<bool, Fault> {
        let data = event.data.trim_ascii();
        if data.is_empty() {
            return Ok(false);
        }
        let chunk = response::parse(data)?;
        self.start(&chunk, sink)?;
        if let Some(candidate) = finish::candidate(&chunk) {
            self.candidate(&candidate, sink)?;
        } else if let Some(blocked) = finish::blocked(&chunk) {
            self.ends(blocked);
        }
        usage::of(&chunk).map_or(Ok(()), |counted| sink(Step::Usage(counted)))?;
        Ok(self.committed)
    }

    /// The stream has ended, which nothing but the reason why the answer finished has announced.
    pub(in crate::dialect) fn finish(&mut self, sink: &mut Sink<'_>) -> Result<(), Fault> {
        let Some(finish) = self.finish.take() else {
            return Err(Fault::malformed("the stream ended before the answer did"));
        };
        sink(Step::Finish(match finish {
            // The calls may have come behind it.
            Finish::Stop if self.calls > 0 => Finish::Calls,
            finish => finish,
        }))?;
        sink(Step::End)
    }

    fn ends(&mut self, finish: Finish<'_>) {
        (self.finish, self.committed) = (Some(finish.into_owned()), true);
    }

    fn start(&mut self, chunk: &Object<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        if std::mem::replace(&mut self.started, true) {
            return Ok(());
        }
        let word = |key| given(chunk, key).and_then(Text::of).filter(|text| !text.is_empty());
        sink(Step::Start {
            id: word("responseId"),
            model: word("modelVersion"),
            created: None,
        })
    }

    fn candidate(&mut self, candidate: &Object<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        // It is told with the text that it is about.
        let mut measured = Measured::of_candidate(candidate);
        for object in response::parts(candidate) {
            for said in response::part(&object, &self.exchange, self.calls)? {
                self.committed = true;
                match said {
                    Said::Text(text) => {
                        let remark = measured.take().map(Remark::Logprobs).map(Step::Remark);
                        remark.map_or(Ok(()), &mut *sink)?;
                        sink(Step::Text(text))?;
                    }
                    Said::Reasoning(Reasoning::Unsigned(text)) => sink(Step::Thinking(text))?,
                    Said::Reasoning(reasoning) => sink(Step::Reasoning(reasoning))?,
                    Said::Call(call) => self.call(call, sink)?,
                    Said::Image(image) => sink(Step::Image(image))?,
                    Said::Lost(loss) => sink(Step::Lost(loss))?,
                }
            }
        }
        let pages = grounding::pages(candidate);
        let new = pages.get(self.cited..).unwrap_or_default();
        new.iter()
            .flatten()
            .try_for_each(|page| sink(Step::Remark(Remark::Citation(*page))))?;
        self.cited = self.cited.max(pages.len());
        response::beside(candidate).try_for_each(|loss| sink(Step::Lost(loss)))?;
        if let Some(finish) = finish::read(candidate, self.calls > 0)? {
            self.ends(finish);
        }
        Ok(())
    }

    fn call(&mut self, call: Call<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        let number = self.calls;
        self.calls += 1;
        let mut json = Vec::new();
        call.arguments.write_quoted(crate::json::ValueWriter::new(&mut json));
        let arguments = crate::json::parse_value(&json).ok().and_then(Text::of);
        sink(Step::Call {
            call: number,
            id: call.id,
            name: call.name,
        })?;
        sink(Step::Arguments {
            call: number,
            json: arguments.unwrap_or(Text::from("{}")),
        })?;
        sink(Step::CallEnd { call: number })
    }
}
