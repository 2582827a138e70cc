//! Listening to a stream that passes through: only events that may tell of reasoning or of calls are decoded.

use super::signatures::Signed;
use super::{Carrier, exchange};
use crate::dialect::item::Step;
use crate::dialect::reasoned::{Reasoned, Recorder};
use crate::dialect::{Asked, Fault, chat, messages, scan};
use crate::sse::Event;
use memchr::memmem;

/// What a stream reasons before it calls tools. Whether it is a proper stream is not its business.
#[derive(Debug)]
pub struct Listener {
    hearing: Hearing,
    heard: bool,
    reasoned: Option<Reasoned>,
}

#[derive(Debug)]
enum Hearing {
    Chat(Box<chat::stream::Decoder>, Recorder),
    Messages(messages::stream::Decoder, Recorder),
    Gemini(Signed),
}

impl Listener {
    /// Of the answer to one request.
    pub fn new(carrier: Carrier, asked: &Asked<'_>) -> Self {
        let recorder = Recorder::default();
        let hearing = match carrier {
            Carrier::Content(_) | Carrier::Details => {
                Hearing::Chat(Box::new(chat::stream::Decoder::new(&exchange(asked))), recorder)
            }
            Carrier::Blocks => Hearing::Messages(messages::stream::Decoder::default(), recorder),
            Carrier::Signatures => Hearing::Gemini(Signed::default()),
        };
        Self {
            hearing,
            heard: false,
            reasoned: None,
        }
    }

    /// The next event. A fault in it is for others to find.
    pub fn event(&mut self, event: &Event<'_>) {
        let (heard, recorder) = match &mut self.hearing {
            Hearing::Chat(decoder, recorder) if chat_tells(&event.data) => {
                (decoder.event(event, &mut |step| note(&step, recorder)), recorder)
            }
            Hearing::Messages(decoder, recorder) if messages_tells(event) => {
                (decoder.event(event, &mut |step| note(&step, recorder)), recorder)
            }
            Hearing::Gemini(signed) => {
                self.heard = true;
                return signed.chunk(&event.data);
            }
            Hearing::Chat(..) | Hearing::Messages(..) => return,
        };
        self.heard = true;
        if let (Ok(_), Some(reasoned)) = (heard, recorder.take()) {
            self.reasoned = Some(reasoned);
        }
    }

    /// Nothing of interest has come: a model that reasons begins with that.
    pub fn heard_nothing(&self) -> bool {
        !self.heard
    }

    /// What was reasoned: once, when the answer has been said.
    pub fn take(&mut self) -> Option<Reasoned> {
        self.reasoned.take()
    }

    /// The same at the stream's end.
    pub fn finish(&mut self) -> Option<Reasoned> {
        match &mut self.hearing {
            Hearing::Gemini(signed) => signed.finish(),
            Hearing::Chat(..) | Hearing::Messages(..) => self.take(),
        }
    }
}

fn note(step: &Step<'_>, recorder: &mut Recorder) -> Result<(), Fault> {
    recorder.note(step);
    Ok(())
}

fn chat_tells(data: &[u8]) -> bool {
    [
        &scan::REASONING_CONTENT,
        &scan::REASONING,
        &scan::REASONING_DETAILS,
        &scan::TOOL_CALLS,
        &scan::FINISH_REASON,
    ]
    .iter()
    .any(|key| key.is_set(data))
}

/// Most events are pieces of a text, or of arguments.
fn messages_tells(event: &Event<'_>) -> bool {
    event.name != Some("content_block_delta")
        || memmem::find(&event.data, b"thinking_delta").is_some()
        || memmem::find(&event.data, b"signature_delta").is_some()
}
