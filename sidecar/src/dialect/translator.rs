//! Cross-dialect streams: a decoder's state machine feeds an encoder's, step by step.

use super::item::Step;
use super::reasoned::{Reasoned, Recorder};
use super::unsaid::{self, Report};
use super::{
    ClientDialect, Dialect, Effect, Exchange, Fault, Loss, Losses, Operation, chat, cohere, completions, converse,
    gemini, messages, ollama, responses,
};
use crate::sse::Event;

/// One stream's translator: events of the upstream in, bytes in the client's dialect out. What it remembers does not
/// grow with the stream, except that a tool call which starts while another one's arguments still come is held back
/// where the client's dialect wants one after the other, and that a Responses stream ends by repeating what it said.
#[derive(Debug)]
pub struct Translator {
    decoder: Decoder,
    teller: Teller,
}

/// What becomes of the steps.
#[derive(Debug)]
struct Teller {
    encoder: Encoder,
    order: Order,
    /// Only where somebody wants to know what was reasoned.
    recorder: Option<Recorder>,
    client: ClientDialect,
    upstream: Dialect,
    report: Report,
}

#[derive(Debug)]
enum Decoder {
    Chat(chat::stream::Decoder),
    Messages(messages::stream::Decoder),
    Responses(responses::stream::Decoder),
    Converse(converse::stream::Decoder),
    Ollama(ollama::stream::Decoder),
    Cohere(cohere::stream::Decoder),
    Gemini(gemini::stream::Decoder),
}

#[derive(Debug)]
enum Encoder {
    Chat(chat::stream::Encoder),
    Completions(completions::stream::Encoder),
    Messages(messages::stream::Encoder),
    Gemini(gemini::stream::Encoder),
    // By far the largest: it remembers the answer.
    Responses(Box<responses::stream::Encoder>),
}

/// Where a decoder puts what it found.
pub(super) type Sink<'s> = dyn FnMut(Step<'_>) -> Result<(), Fault> + 's;

impl Translator {
    /// A translator for the answer to one request.
    pub fn new(exchange: &Exchange) -> Self {
        Self {
            decoder: match exchange.upstream {
                Dialect::Chat => Decoder::Chat(chat::stream::Decoder::new(exchange)),
                Dialect::Messages => Decoder::Messages(messages::stream::Decoder::new(exchange)),
                Dialect::Responses => Decoder::Responses(responses::stream::Decoder::new(exchange)),
                Dialect::Converse => Decoder::Converse(converse::stream::Decoder::default()),
                Dialect::Ollama => Decoder::Ollama(ollama::stream::Decoder::new(exchange)),
                Dialect::Cohere => Decoder::Cohere(cohere::stream::Decoder::default()),
                Dialect::Gemini => Decoder::Gemini(gemini::stream::Decoder::new(exchange)),
            },
            teller: Teller {
                encoder: Encoder::new(exchange),
                order: Order::default(),
                recorder: None,
                client: exchange.client,
                upstream: exchange.upstream,
                report: Report::default(),
            },
        }
    }

    /// Takes down what is reasoned, up to a limit.
    pub fn recording(mut self) -> Self {
        self.teller.recorder = Some(Recorder::default());
        self
    }

    /// What was reasoned before tools were called: once, when the answer has been said, if it was to be recorded.
    pub fn reasoned(&mut self) -> Option<Reasoned> {
        self.teller.recorder.as_mut()?.take()
    }

    /// What the client could not be told, since the last time. Where its dialect has comments, it was told so.
    pub fn losses(&mut self) -> Losses {
        self.teller.report.take()
    }

    /// Appends to `out` what the event becomes in the client's dialect, often nothing. `omit` and `cut` of the effect
    /// are never set. After a [`Fault`] what was appended for this event still stands, whole events all of it.
    pub fn event(&mut self, event: &Event<'_>, out: &mut Vec<u8>) -> Result<Effect, Fault> {
        let mut effect = Effect::default();
        let Self { decoder, teller } = self;
        let sink = &mut |step: Step<'_>| teller.tell(step, &mut effect, out);
        let content = match decoder {
            Decoder::Chat(decoder) => decoder.event(event, sink),
            Decoder::Messages(decoder) => decoder.event(event, sink),
            Decoder::Responses(decoder) => decoder.event(event, sink),
            Decoder::Converse(decoder) => decoder.event(event, sink),
            Decoder::Ollama(decoder) => decoder.event(event, sink),
            Decoder::Cohere(decoder) => decoder.event(event, sink),
            Decoder::Gemini(decoder) => decoder.event(event, sink),
        }?;
        Ok(Effect { content, ..effect })
    }

    /// The upstream closed the stream: appends the proper end if the answer was complete, or is a [`Fault`].
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Fault> {
        let Self { decoder, teller } = self;
        let sink = &mut |step: Step<'_>| teller.tell(step, &mut Effect::default(), out);
        match decoder {
            Decoder::Chat(decoder) => decoder.finish(sink),
            Decoder::Messages(decoder) => decoder.finish(),
            Decoder::Converse(decoder) => decoder.finish(sink),
            Decoder::Ollama(decoder) => decoder.finish(),
            Decoder::Cohere(decoder) => decoder.finish(),
            Decoder::Gemini(decoder) => decoder.finish(sink),
            Decoder::Responses(decoder) => decoder.finish(),
        }
    }

    /// Appends what these steps become, as if a decoder had found them.
    pub(super) fn steps(
        &mut self,
        out: &mut Vec<u8>,
        tell: impl FnOnce(&mut Sink<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        tell(&mut |step: Step<'_>| self.teller.tell(step, &mut Effect::default(), out))
    }

    /// The number that the next event would have, in a dialect that numbers them.
    pub fn sequence(&self) -> u64 {
        match &self.teller.encoder {
            Encoder::Responses(encoder) => encoder.sequence(),
            Encoder::Chat(_) | Encoder::Completions(_) | Encoder::Messages(_) | Encoder::Gemini(_) => 0,
        }
    }
}

impl Teller {
    /// A step in the client's dialect, at its right time, and what the pipeline wants to know of it.
    fn tell(&mut self, step: Step<'_>, effect: &mut Effect, out: &mut Vec<u8>) -> Result<(), Fault> {
        let step = match sayable((self.client, self.upstream), step) {
            Ok(step) => step,
            Err(loss) => {
                self.report.tell(self.client, loss, out);
                return Ok(());
            }
        };
        match self.order.take(&step) {
            Turn::InOrder => {}
            Turn::BeforeStart => self.encoder.step(
                Step::Start {
                    id: None,
                    model: None,
                    created: None,
                },
                out,
            )?,
            Turn::Superfluous => {
                if let Some(loss) = unsaid::late(self.upstream, &step) {
                    self.report.tell(self.client, loss, out);
                }
                return Ok(());
            }
        }
        note(&step, effect);
        if let Some(recorder) = &mut self.recorder {
            recorder.note(&step);
        }
        if let Step::Finish(finish) = &step
            && let Some(loss) = unsaid::pause(self.client, finish)
        {
            self.report.tell(self.client, loss, out);
        }
        self.encoder.step(step, out)?;
        if let Some(loss) = self.encoder.unsaid() {
            self.report.tell(self.client, loss, out);
        }
        Ok(())
    }
}

/// Keeps an answer in order whatever the upstream does: one start, first; nothing to say after the finish.
#[derive(Debug, Default)]
struct Order {
    started: bool,
    finished: bool,
}

/// Whether a step comes at the right time.
enum Turn {
    InOrder,
    BeforeStart,
    Superfluous,
}

impl Order {
    fn take(&mut self, step: &Step<'_>) -> Turn {
        let starts = matches!(step, Step::Start { .. });
        let says = !starts && !matches!(step, Step::Usage(_) | Step::End);
        let finished = self.finished;
        self.finished |= matches!(step, Step::Finish(_));
        match (std::mem::replace(&mut self.started, true), starts) {
            (true, true) => Turn::Superfluous,
            (true, false) if finished && says => Turn::Superfluous,
            (false, false) => Turn::BeforeStart,
            (true, false) | (false, true) => Turn::InOrder,
        }
    }
}

/// A step, unless the client cannot be told it.
fn sayable((client, upstream): (ClientDialect, Dialect), step: Step<'_>) -> Result<Step<'_>, Loss> {
    match step {
        Step::Lost(loss) => Err(loss),
        Step::Image(source) => match unsaid::image(client, &source) {
            Some(loss) => Err(loss),
            None => Ok(Step::Image(source)),
        },
        Step::Remark(remark) => match unsaid::remark((client, upstream), &remark) {
            Some(loss) => Err(loss),
            None => Ok(Step::Remark(remark)),
        },
        // Neither can have declared such a tool.
        Step::CustomCall { .. } if matches!(client, ClientDialect::Messages | ClientDialect::Gemini) => {
            Err(unsaid::meaning("custom", "the call is of a tool that takes free text"))
        }
        step => Ok(step),
    }
}

/// Takes down what the pipeline wants to know.
fn note(step: &Step<'_>, effect: &mut Effect) {
    match step {
        Step::Usage(usage) => effect.usage = Some(*usage),
        Step::End => effect.end = true,
        _ => {}
    }
}

impl Encoder {
    fn new(exchange: &Exchange) -> Self {
        match exchange.client {
            ClientDialect::Chat if exchange.operation == Operation::Completions => {
                Self::Completions(completions::stream::Encoder::new(exchange))
            }
            ClientDialect::Chat => Self::Chat(chat::stream::Encoder::new(exchange)),
            ClientDialect::Messages => Self::Messages(messages::stream::Encoder::new(exchange)),
            ClientDialect::Gemini => Self::Gemini(gemini::stream::Encoder::new(exchange)),
            ClientDialect::Responses => Self::Responses(Box::new(responses::stream::Encoder::new(exchange))),
        }
    }

    /// What the last step said that came where it could not be told.
    fn unsaid(&mut self) -> Option<Loss> {
        match self {
            Self::Messages(encoder) => encoder.unsaid(),
            Self::Completions(encoder) => encoder.unsaid(),
            Self::Gemini(encoder) => encoder.unsaid(),
            Self::Chat(_) | Self::Responses(_) => None,
        }
    }

    fn step(&mut self, step: Step<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
        match self {
            Self::Chat(encoder) => {
                encoder.step(step, out);
                Ok(())
            }
            Self::Completions(encoder) => {
                encoder.step(step, out);
                Ok(())
            }
            Self::Messages(encoder) => encoder.step(step, out),
            Self::Gemini(encoder) => encoder.step(step, out),
            Self::Responses(encoder) => encoder.step(step, out),
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
