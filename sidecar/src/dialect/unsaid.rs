//! What of an answer its client's dialect cannot say, and how the client hears of it.
//!
//! An answer is paid for, so nothing in it is refused: what has no place is left out and reported under
//! `answer.` and the upstream's word for it. A whole answer's report is a header, like a request's. The head of a stream
//! is gone when most of it comes; there the report is a comment between two events, which no client takes for one.
//! Google's SDKs take every line for JSON, so a Gemini client's streams have none.

use super::item::{Arguments, Finish, Part, Remark, Reply, Source, Step};
use super::loss::shown;
use super::text::Text;
use super::{ClientDialect, Dialect, Grade, Loss, Losses};
use std::borrow::Cow;

/// What stands before the fields in a stream's comment.
const COMMENT: &[u8] = b": x-pilotfish-loss: ";

/// Most kinds of things that one answer's report names: a hostile upstream could make up any number.
const MOST: usize = 32;

/// Left out of an answer, which means the same without it.
pub(super) fn hint(what: &str, why: &'static str) -> Loss {
    loss(Grade::Hint, what, why)
}

/// Left out of an answer, which was about it.
pub(super) fn meaning(what: &str, why: &'static str) -> Loss {
    loss(Grade::Meaning, what, why)
}

/// What a provider's own tools left in an answer.
pub(super) fn foreign(kind: &str) -> Loss {
    hint(kind, "no other dialect has this kind of content")
}

fn loss(grade: Grade, what: &str, why: &'static str) -> Loss {
    Loss {
        field: Cow::Owned(format!("answer.{}", shown(what))),
        grade,
        why: Cow::Borrowed(why),
    }
}

/// Why a client cannot get an image of an answer's, if it cannot.
pub(super) fn image(client: ClientDialect, source: &Source<'_>) -> Option<Loss> {
    match (client, source) {
        (ClientDialect::Chat | ClientDialect::Gemini, Source::Base64 { .. } | Source::Url(_))
        | (ClientDialect::Responses, Source::Base64 { .. }) => None,
        (ClientDialect::Responses, _) => Some(meaning("image", "the responses dialect answers with an image's bytes")),
        (ClientDialect::Messages, _) => Some(meaning("image", "the messages dialect does not answer with images")),
        (ClientDialect::Chat | ClientDialect::Gemini, Source::Plain(_) | Source::Upload) => {
            Some(meaning("image", "the image is only with its provider"))
        }
    }
}

/// That an answer has ended for now only, which none but Anthropic's clients know to ask on from.
pub(super) fn pause(client: ClientDialect, finish: &Finish<'_>) -> Option<Loss> {
    let is_said = client == ClientDialect::Messages || !matches!(finish, Finish::Paused);
    (!is_said).then(|| hint("stop_reason", "the provider's own tool has paused the answer"))
}

/// A call that was cut off in the midst of its arguments, where those are an object: nobody wrote one.
pub(super) fn cut_call() -> Loss {
    meaning("tool_call", "its arguments were cut off")
}

/// What a stream said behind its answer's end, if it was anything: no dialect can say more there.
pub(super) fn late(upstream: Dialect, step: &Step<'_>) -> Option<Loss> {
    let what = match step {
        Step::Text(text) | Step::Refusal(text) | Step::Thinking(text) if text.is_empty() => return None,
        Step::Text(_) | Step::Refusal(_) => "text",
        Step::Thinking(_) | Step::Signature(_) | Step::Reasoning(_) => "reasoning",
        Step::Call { .. } | Step::CustomCall { .. } => "tool_call",
        Step::Image(_) => "image",
        Step::Remark(remark) => return Some(lost_remark(upstream, remark)),
        // What is about something said before.
        Step::Arguments { .. } | Step::CallEnd { .. } => return None,
        // Said twice.
        Step::Start { .. } | Step::Finish(_) | Step::Usage(_) | Step::Lost(_) | Step::End => return None,
    };
    Some(meaning(what, "it came after the answer's end"))
}

/// Takes the end off an answer whose last call was cut off. Where a call's arguments are an object, the client would
/// take what came of them for all that the model said. Anthropic's clients know to ask again by the call itself.
pub(super) fn without_cut_call(client: ClientDialect, reply: &mut Reply<'_>) -> Option<Loss> {
    let Some(Part::Call(call)) = reply.parts.last_mut().filter(|_| reply.finish.is_cut()) else {
        return None;
    };
    match client {
        _ if call.arguments.are_whole() => return None,
        ClientDialect::Chat | ClientDialect::Responses => return None,
        ClientDialect::Messages => call.arguments = Arguments::Quoted(Text::from("")),
        ClientDialect::Gemini => drop(reply.parts.pop()),
    }
    Some(cut_call())
}

/// Why a client cannot get a remark on a text, if it cannot.
pub(super) fn remark(exchange: (ClientDialect, Dialect), remark: &Remark<'_>) -> Option<Loss> {
    let (client, upstream) = exchange;
    match (client, remark) {
        (ClientDialect::Chat | ClientDialect::Responses, _) | (ClientDialect::Gemini, Remark::Logprobs(_)) => None,
        (ClientDialect::Messages | ClientDialect::Gemini, remark) => Some(lost_remark(upstream, remark)),
    }
}

/// A remark where there is no place for any.
pub(super) fn lost_remark(upstream: Dialect, remark: &Remark<'_>) -> Loss {
    let cited = match upstream {
        Dialect::Messages => "citations",
        Dialect::Gemini => "groundingMetadata",
        _ => "annotations",
    };
    match remark {
        Remark::Logprobs(_) => hint("logprobs", "log probabilities are not translated"),
        Remark::Citation(_) => hint(cited, "citations are not translated"),
    }
}

/// An answer's report: each thing once, however often it comes.
#[derive(Debug, Default)]
pub(super) struct Report {
    losses: Losses,
    /// How many were handed out.
    taken: usize,
}

impl Report {
    /// Says whether it is new.
    pub(super) fn add(&mut self, loss: Loss) -> bool {
        let is_new = self.losses.len() < MOST && self.losses.iter().all(|known| known.field != loss.field);
        if is_new {
            self.losses.push(loss);
        }
        is_new
    }

    /// The same, and tells a stream's client at once.
    pub(super) fn tell(&mut self, client: ClientDialect, loss: Loss, out: &mut Vec<u8>) {
        let field = loss.field.clone();
        if !self.add(loss) {
            return;
        }
        match client {
            ClientDialect::Chat | ClientDialect::Messages | ClientDialect::Responses => {
                [COMMENT, field.as_bytes(), b"\n\n"]
                    .iter()
                    .for_each(|piece| out.extend_from_slice(piece));
            }
            ClientDialect::Gemini => {}
        }
    }

    /// What is new since the last time.
    pub(super) fn take(&mut self) -> Losses {
        let new = self.losses.get(self.taken..).unwrap_or_default().to_vec();
        self.taken = self.losses.len();
        new
    }
}
