//! Watching a stream that passes through, event by event.

use super::{ClientDialect, Effect, Fault, chat, gemini, messages};
use crate::sse::Event;

/// The watcher of one stream. It never changes an event; [`Effect`] says what the pipeline must take out.
#[derive(Debug)]
pub struct Watch(Watcher);

#[derive(Debug)]
enum Watcher {
    Chat(chat::watch::Watch),
    Messages(messages::watch::Watch),
    Gemini(gemini::watch::Watch),
}

impl Watch {
    /// `strips_usage`: the sidecar asked for usage where the client did not (see [`super::pass_through`]).
    pub fn new(dialect: ClientDialect, strips_usage: bool) -> Self {
        Self(match dialect {
            ClientDialect::Chat => Watcher::Chat(chat::watch::Watch::new(strips_usage)),
            ClientDialect::Messages => Watcher::Messages(messages::watch::Watch::default()),
            ClientDialect::Gemini => Watcher::Gemini(gemini::watch::Watch::of_choices(1)),
        })
    }

    /// The client asked for this many answers at once; all of them must come to their end.
    pub fn of_choices(self, choices: u64) -> Self {
        Self(match self.0 {
            Watcher::Chat(watch) => Watcher::Chat(watch.of_choices(choices)),
            Watcher::Gemini(_) => Watcher::Gemini(gemini::watch::Watch::of_choices(choices)),
            watcher @ Watcher::Messages(_) => watcher,
        })
    }

    /// Judges the next event. A [`Fault`] is the upstream's error event, or an event that is none of its dialect.
    pub fn event(&mut self, event: &Event<'_>) -> Result<Effect, Fault> {
        match &mut self.0 {
            Watcher::Chat(watch) => watch.event(event),
            Watcher::Messages(watch) => watch.event(event),
            Watcher::Gemini(watch) => watch.event(event),
        }
    }

    /// The upstream closed the stream: a [`Fault`] unless the answer was complete.
    pub fn finish(&self) -> Result<(), Fault> {
        match &self.0 {
            Watcher::Chat(watch) => watch.finish(),
            Watcher::Messages(watch) => watch.finish(),
            Watcher::Gemini(watch) => watch.finish(),
        }
    }
}

#[cfg(test)]
mod tests;
