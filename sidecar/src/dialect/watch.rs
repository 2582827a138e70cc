//! Watching a stream that passes through, event by event.

use super::{ClientDialect, Effect, Fault, Kept, chat, gemini, messages, responses};
use crate::sse::Event;

/// The watcher of one stream. It never changes an event; [`Effect`] says what the pipeline must take out.
#[derive(Debug)]
pub struct Watch(Watcher);

#[derive(Debug)]
enum Watcher {
    Chat(chat::watch::Watch),
    Messages(messages::watch::Watch),
    Gemini(gemini::watch::Watch),
    Responses(responses::watch::Watch),
}

impl Watch {
    /// `strips_usage`: the sidecar asked for usage where the client did not (see [`super::pass_through`]).
    pub fn new(dialect: ClientDialect, strips_usage: bool) -> Self {
        Self(match dialect {
            ClientDialect::Chat => Watcher::Chat(chat::watch::Watch::new(strips_usage)),
            ClientDialect::Messages => Watcher::Messages(messages::watch::Watch::default()),
            ClientDialect::Gemini => Watcher::Gemini(gemini::watch::Watch::of_choices(1)),
            ClientDialect::Responses => Watcher::Responses(responses::watch::Watch::default()),
        })
    }

    /// The client asked for this many answers at once; all of them must come to their end.
    pub fn of_choices(self, choices: u64) -> Self {
        Self(match self.0 {
            Watcher::Chat(watch) => Watcher::Chat(watch.of_choices(choices)),
            Watcher::Gemini(_) => Watcher::Gemini(gemini::watch::Watch::of_choices(choices)),
            watcher @ (Watcher::Messages(_) | Watcher::Responses(_)) => watcher,
        })
    }

    /// Judges the next event. A [`Fault`] is the upstream's error event, or an event that is none of its dialect.
    pub fn event(&mut self, event: &Event<'_>) -> Result<Effect, Fault> {
        match &mut self.0 {
            Watcher::Chat(watch) => watch.event(event),
            Watcher::Messages(watch) => watch.event(event),
            Watcher::Gemini(watch) => watch.event(event),
            Watcher::Responses(watch) => watch.event(event),
        }
    }

    /// The upstream closed the stream: a [`Fault`] unless the answer was complete.
    pub fn finish(&self) -> Result<(), Fault> {
        match &self.0 {
            Watcher::Chat(watch) => watch.finish(),
            Watcher::Messages(watch) => watch.finish(),
            Watcher::Gemini(watch) => watch.finish(),
            Watcher::Responses(watch) => watch.finish(),
        }
    }

    /// What only its provider can read again of the response that has ended: once.
    pub fn kept(&mut self) -> Option<Kept> {
        match &mut self.0 {
            Watcher::Responses(watch) => watch.kept(),
            Watcher::Chat(_) | Watcher::Messages(_) | Watcher::Gemini(_) => None,
        }
    }

    /// The number that the next event would have, in a dialect that numbers them.
    pub fn sequence(&self) -> u64 {
        match &self.0 {
            Watcher::Responses(watch) => watch.sequence(),
            Watcher::Chat(_) | Watcher::Messages(_) | Watcher::Gemini(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests;
