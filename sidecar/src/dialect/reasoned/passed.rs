//! The same for requests and answers that pass through: what a client has dropped is put back by a splice, in the
//! carrier that the upstream's own dialect has for it.
//!
//! A client that returns an upstream's reasoning in one turn is taken to return all of it: nothing of its is kept.

mod blocks;
mod listener;
mod messages;
mod signatures;

pub use listener::Listener;

use super::{Keeping, Reasoned, Recall};
use crate::dialect::chat::request::{Echo, echo};
use crate::dialect::gemini::spelling::{self, List};
use crate::dialect::loss::given;
use crate::dialect::{Asked, ClientDialect, Exchange, Operation, Upstream, chat, messages as anthropic};
use crate::json::{Elements, Object, Raw, Type};
use memchr::memmem;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;
use xxhash_rust::xxh3::Xxh3;

/// Where an upstream that speaks the client's dialect wants to see reasoning again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// Chat: `reasoning_content`, or what else the upstream calls it; a text.
    Content(&'static str),
    /// Chat: `reasoning_details`, as OpenRouter has them.
    Details,
    /// Messages: blocks in front of all others.
    Blocks,
    /// Gemini: `thoughtSignature` beside each call.
    Signatures,
}

/// What is to be written where in the client's body, in the order of the places.
type Splices = Vec<(Range<usize>, Vec<u8>)>;

/// A request's conversation, walked.
#[derive(Debug)]
pub struct Passed {
    /// What the client has dropped.
    pub splices: Vec<(Range<usize>, Vec<u8>)>,
    /// What of its answer is worth keeping; nothing for a client that returns it.
    pub keeping: Option<Keeping>,
}

impl Carrier {
    /// `None` where nobody asks for reasoning again: at most upstreams, and wherever there are no tools.
    pub fn of(asked: &Asked<'_>, upstream: &Upstream<'_>) -> Option<Self> {
        if asked.operation != Operation::Generate || asked.choices() > 1 {
            return None;
        }
        given(&asked.object, "tools")?;
        match asked.dialect {
            ClientDialect::Chat => match echo(upstream.provider) {
                Echo::Nothing => None,
                Echo::Content(name) | Echo::Only(name) => Some(Self::Content(name)),
                Echo::Details => Some(Self::Details),
            },
            ClientDialect::Messages => {
                let thinking = given(&asked.object, "thinking")?.object()?;
                let kind = thinking.get("type").and_then(Raw::string)?;
                (kind != "disabled").then_some(Self::Blocks)
            }
            ClientDialect::Gemini => Some(Self::Signatures),
            ClientDialect::Responses => None,
        }
    }

    /// A look at the bytes: nothing can be missing where nothing was called.
    pub fn may_miss(self, asked: &Asked<'_>) -> bool {
        let key: &[u8] = match self {
            Self::Content(_) | Self::Details => b"\"tool_calls\"",
            Self::Blocks => b"\"tool_use\"",
            Self::Signatures => b"unction",
        };
        self.conversation(asked)
            .is_some_and(|list| memmem::find(list.text().as_bytes(), key).is_some())
    }

    /// Walks the conversation. Each turn that called, and lacks what was reasoned before, asks for it.
    pub fn walk(self, asked: &Asked<'_>, recall: Option<&Recall<'_>>) -> Passed {
        let mut said = Xxh3::new();
        // What was kept of translations has another form.
        said.update(b"passed");
        let (mut splices, mut returns) = (Splices::new(), false);
        let list = self.conversation(asked).map(List::of);
        for turn in list.into_iter().flat_map(List::objects).flatten() {
            match &*turn
                .get("role")
                .and_then(Raw::string)
                .unwrap_or_default()
                .to_ascii_lowercase()
            {
                "system" | "developer" => {}
                "assistant" | "model" if self.is_returned(&turn) => returns = true,
                "assistant" | "model" => {
                    let kept = recall.and_then(|recall| recall(said.digest128(), &self.call(&turn)?));
                    splices.extend(kept.into_iter().flat_map(|kept| self.put(&kept, &turn, asked)));
                }
                _ => hear(&turn, &mut said),
            }
        }
        let keeping = Keeping {
            conversation: said.digest128(),
            text: matches!(self, Self::Content(_) | Self::Details),
        };
        Passed {
            splices,
            keeping: (!returns).then_some(keeping),
        }
    }

    /// What a whole answer reasoned before it called tools.
    pub fn reasoned(self, asked: &Asked<'_>, answer: &[u8]) -> Option<Reasoned> {
        let has = |key: &[u8]| memmem::find(answer, key).is_some();
        let exchange = || exchange(asked);
        match self {
            Self::Content(_) | Self::Details if has(b"\"tool_calls\"") && has(b"\"reasoning") => {
                Reasoned::of(&chat::response::decode(&exchange(), answer).ok()?.parts)
            }
            Self::Blocks if has(b"\"tool_use\"") && has(b"thinking\"") => {
                Reasoned::of(&anthropic::response::decode(answer).ok()?.parts)
            }
            Self::Signatures => signatures::of_answer(answer),
            Self::Content(_) | Self::Details | Self::Blocks => None,
        }
    }

    fn conversation<'a>(self, asked: &Asked<'a>) -> Option<Raw<'a>> {
        match self {
            Self::Content(_) | Self::Details | Self::Blocks => given(&asked.object, "messages"),
            Self::Signatures => spelling::given(&asked.object, "contents"),
        }
    }

    /// The client gave back what this turn reasoned, or some of it.
    fn is_returned(self, turn: &Object<'_>) -> bool {
        match self {
            Self::Content(_) | Self::Details => messages::is_returned(self, turn),
            Self::Blocks => blocks::is_returned(turn),
            Self::Signatures => signatures::is_returned(turn),
        }
    }

    /// The id of the turn's first call.
    fn call<'a>(self, turn: &Object<'a>) -> Option<Cow<'a, str>> {
        match self {
            Self::Content(_) | Self::Details => messages::call(turn),
            Self::Blocks => blocks::call(turn),
            Self::Signatures => signatures::call(turn),
        }
    }

    fn put<'a>(self, kept: &Arc<str>, turn: &Object<'a>, asked: &Asked<'a>) -> Splices {
        let place = Place {
            body: &asked.object,
            turn,
        };
        match self {
            Self::Content(_) | Self::Details => messages::put(self, kept, &place).into_iter().collect(),
            Self::Blocks => blocks::put(kept, &place).into_iter().collect(),
            Self::Signatures => signatures::put(kept, &place),
        }
    }
}

/// Where a turn stands.
struct Place<'p, 'a> {
    body: &'p Object<'a>,
    turn: &'p Object<'a>,
}

impl<'a> Place<'_, 'a> {
    /// Behind the brace that opens an object of the body.
    fn inside(&self, object: &Object<'a>) -> Range<usize> {
        let brace = self.body.span_of(object).start + 1;
        brace..brace
    }
}

/// What passes through needs no names but these.
fn exchange(asked: &Asked<'_>) -> Exchange {
    Exchange {
        client: asked.dialect,
        upstream: asked.dialect.native(),
        model: String::new(),
        request_id: String::new(),
        created: 0,
        include_usage: false,
        shows_reasoning: true,
        renamed: Vec::new(),
        operation: asked.operation,
        texts: None,
        base64: false,
        repeated: Arc::default(),
    }
}

/// What users and tools say: texts and results. Whether a text stands alone or in a list of parts makes no difference,
/// nor do marks beside it, which clients move.
fn hear(turn: &Object<'_>, said: &mut Xxh3) {
    let keys = ["tool_call_id", "content", "parts"].into_iter();
    keys.filter_map(|key| turn.get(key))
        .for_each(|value| hear_value(value, said));
}

fn hear_value(value: Raw<'_>, said: &mut Xxh3) {
    match value.kind() {
        Type::Array => {
            let parts = value.elements().into_iter().flat_map(Elements::objects).flatten();
            parts.for_each(|part| hear_part(&part, said));
        }
        Type::Null => {}
        _ => hear_text(value, said),
    }
}

fn hear_part(part: &Object<'_>, said: &mut Xxh3) {
    let known = [
        "text",
        "tool_use_id",
        "content",
        "functionResponse",
        "function_response",
    ];
    let mut heard = false;
    for value in known.into_iter().filter_map(|key| given(part, key)) {
        hear_value(value, said);
        heard = true;
    }
    if !heard {
        said.update(b"\0");
    }
}

fn hear_text(value: Raw<'_>, said: &mut Xxh3) {
    let text = value.text().as_bytes();
    said.update(&(text.len() as u64).to_le_bytes());
    said.update(text);
}

#[cfg(test)]
mod tests;
