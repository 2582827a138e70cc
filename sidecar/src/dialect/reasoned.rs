//! Reasoning that a provider wants to see again, for clients that do not return it.
//!
//! A model that thinks while it calls tools signs or encrypts what it thought, and goes on from it when it comes back
//! with the results. Many clients return the calls alone. So what an answer with calls reasoned is given to the
//! pipeline ([`Reasoned`]), which may keep it; and a turn of a later request that has the call without its reasoning asks
//! for it ([`Recall`]).
//!
//! What is kept belongs to one place of one conversation. Its name is the call's id together with a hash of everything
//! that users and tools had said until then: ids alone are not unique, as some providers just count.

mod passed;

pub use passed::{Carrier, Listener, Passed};

use super::chat::request::{read_detail, write_detail};
use super::item::{Item, Part, Reasoning, Role, Step, ToolResult};
use super::text::Text;
use crate::json::{self, ArrayWriter};
use std::sync::Arc;
use xxhash_rust::xxh3::Xxh3;

/// Longest reasoning of one answer that is kept, bytes of its texts.
const LONGEST: usize = 128 * 1024;

/// What an answer that calls tools had reasoned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reasoned {
    /// The id of its first call.
    pub call: String,
    /// Entries of `reasoning_details`, as a JSON array.
    pub entries: String,
    /// Somebody vouches for it; otherwise it is text.
    signed: bool,
}

/// What of an answer's reasoning shall be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keeping {
    /// What users and tools had said.
    pub conversation: u128,
    /// Text that nobody signed, too.
    pub(super) text: bool,
}

impl Keeping {
    /// Whether the provider can make use of it again.
    pub fn wants(&self, reasoned: &Reasoned) -> bool {
        reasoned.signed || self.text
    }
}

/// Asks for the entries that belong to a call, by what users and tools had said before it, and its id.
pub type Recall<'r> = dyn Fn(u128, &str) -> Option<Arc<str>> + 'r;

impl Reasoned {
    /// Of a whole answer.
    pub(super) fn of(parts: &[Part<'_>]) -> Option<Self> {
        let call = parts.iter().find_map(|part| match part {
            Part::Call(call) => Some(call.id.plain()),
            _ => None,
        })?;
        let reasoning = parts.iter().filter_map(|part| match part {
            Part::Reasoning(reasoning) => Some(reasoning),
            _ => None,
        });
        Self::new(call.into_owned(), reasoning)
    }

    /// Entries that somebody vouches for.
    fn signed(call: String, entries: String) -> Option<Self> {
        let signed = true;
        (entries.len() <= 2 * LONGEST).then_some(Self { call, entries, signed })
    }

    /// Text beside something that is signed is there to be shown.
    fn new<'r>(call: String, reasoning: impl Iterator<Item = &'r Reasoning<'r>> + Clone) -> Option<Self> {
        let signed = reasoning.clone().any(is_signed);
        let mut kept = reasoning.filter(|reasoning| !signed || is_signed(reasoning)).peekable();
        kept.peek()?;
        let mut entries = Vec::new();
        let mut list = ArrayWriter::new(&mut entries);
        kept.enumerate()
            .for_each(|(index, reasoning)| write_detail(reasoning, index, &mut list.object()));
        list.end();
        let entries = String::from_utf8(entries)
            .ok()
            .filter(|entries| entries.len() <= 2 * LONGEST)?;
        Some(Self { call, entries, signed })
    }
}

fn is_signed(reasoning: &Reasoning<'_>) -> bool {
    !matches!(reasoning, Reasoning::Unsigned(_))
}

/// Takes down what a streamed answer reasons.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    call: Option<String>,
    /// Of a block that is not closed.
    thinking: String,
    closed: Vec<Reasoning<'static>>,
    /// Bytes of both.
    held: usize,
    done: Option<Reasoned>,
}

impl Recorder {
    pub(super) fn note(&mut self, step: &Step<'_>) {
        match step {
            Step::Thinking(text) => {
                let text = text.plain();
                if self.fits(text.len()) {
                    self.thinking.push_str(&text);
                }
            }
            Step::Signature(signature) => {
                let text = Text::from(std::mem::take(&mut self.thinking));
                let signature = Text::from(signature.plain().into_owned());
                self.close(Reasoning::Signed { text, signature });
            }
            Step::Reasoning(reasoning) => self.close(reasoning.owned()),
            Step::Call { id, .. } | Step::CustomCall { id, .. } if self.call.is_none() => {
                self.call = Some(id.plain().into_owned())
            }
            Step::Finish(_) => self.finish(),
            _ => {}
        }
    }

    /// The answer's reasoning, once, when the answer has been said.
    pub(super) fn take(&mut self) -> Option<Reasoned> {
        self.done.take()
    }

    fn fits(&mut self, bytes: usize) -> bool {
        self.held = self.held.saturating_add(bytes);
        if self.held > LONGEST {
            (self.thinking, self.closed) = (String::new(), Vec::new());
        }
        self.held <= LONGEST
    }

    fn close(&mut self, reasoning: Reasoning<'static>) {
        if self.fits(reasoning.len()) {
            self.closed.push(reasoning);
        }
    }

    fn finish(&mut self) {
        let Some(call) = self.call.take().filter(|_| self.held <= LONGEST) else {
            return;
        };
        if !self.thinking.is_empty() {
            let text = std::mem::take(&mut self.thinking);
            self.closed.push(Reasoning::Unsigned(Text::from(text)));
        }
        self.done = Reasoned::new(call, self.closed.iter());
    }
}

/// Gives turns back what they had reasoned, where their client has not; what users and tools have said until now.
pub(super) fn restore(items: &mut Vec<Item<'_>>, recall: Option<&Recall<'_>>) -> u128 {
    let mut said = Xxh3::new();
    let mut found = Vec::new();
    let mut at = 0;
    for turn in items.chunk_by(|one, other| one.role == other.role && one.place.message == other.place.message) {
        if turn.first().is_some_and(|item| item.role == Role::Assistant) {
            let entries = recall.and_then(|recall| lost(turn, &said, recall));
            found.extend(entries.map(|entries| (at..at + turn.len(), entries)));
        } else {
            turn.iter().for_each(|item| hear(item, &mut said));
        }
        at += turn.len();
    }
    for (range, entries) in found.into_iter().rev() {
        let Some(place) = items.get(range.start).map(|item| item.place) else {
            continue;
        };
        let turn: Vec<_> = items.drain(range.clone()).collect();
        let shown = |item: &Item<'_>| matches!(item.part, Part::Reasoning(_));
        let restored = read(&entries).into_iter().map(|reasoning| Item {
            role: Role::Assistant,
            place,
            part: Part::Reasoning(reasoning),
            cache: None,
            detail: None,
        });
        let whole: Vec<_> = restored.chain(turn.into_iter().filter(|item| !shown(item))).collect();
        drop(items.splice(range.start..range.start, whole));
    }
    said.digest128()
}

/// What a turn reasoned that has calls, and nothing that somebody vouches for.
fn lost(turn: &[Item<'_>], said: &Xxh3, recall: &Recall<'_>) -> Option<Arc<str>> {
    let has_signed = |item: &Item<'_>| matches!(&item.part, Part::Reasoning(reasoning) if is_signed(reasoning));
    if turn.iter().any(has_signed) {
        return None;
    }
    let mut calls = turn.iter().filter_map(|item| match &item.part {
        Part::Call(call) => Some(&call.id),
        _ => None,
    });
    let first = calls.next()?;
    recall(said.digest128(), &first.plain())
}

/// A system prompt is the application's, and what the model said its own; a client may write that anew.
fn hear(item: &Item<'_>, said: &mut Xxh3) {
    match &item.part {
        _ if item.role == Role::System => {}
        Part::Text(text) => hear_text(text, said),
        Part::Result(ToolResult { call, content, .. }) => {
            hear_text(call, said);
            content.iter().for_each(|item| hear(item, said));
        }
        _ => said.update(b"\0"),
    }
}

/// As the client wrote it: it writes the same again the next time.
fn hear_text(text: &Text<'_>, said: &mut Xxh3) {
    let bytes = match text {
        Text::Json(raw) => raw.text().as_bytes(),
        Text::Plain(text) => text.as_bytes(),
    };
    said.update(&(bytes.len() as u64).to_le_bytes());
    said.update(bytes);
}

fn read(entries: &str) -> Vec<Reasoning<'static>> {
    let parsed = json::parse_value(entries.as_bytes());
    let list = parsed.ok().and_then(json::Raw::elements).into_iter().flatten();
    list.filter_map(|entry| Some(read_detail(entry)?.owned())).collect()
}

#[cfg(test)]
mod tests;
