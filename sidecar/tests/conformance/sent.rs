//! Where each upstream dialect has the things that clients ask for.

mod chat;
mod cohere;
mod converse;
mod gemini;
mod messages;
mod ollama;
mod responses;

use crate::ask::Ask;
use crate::seek::Sought;
use pilotfish_sidecar::dialect::Dialect;

/// A system prompt in the middle of a conversation, where only the user can speak there.
const LATE: &str = "<system>\nquince\n</system>";

/// Where the thing stands in an upstream's body: any of these; none where the dialect has no place for it.
pub(crate) fn sought(upstream: Dialect, ask: Ask) -> Sought {
    match upstream {
        Dialect::Chat => chat::sought(ask),
        Dialect::Messages => messages::sought(ask),
        Dialect::Responses => responses::sought(ask),
        Dialect::Gemini => gemini::sought(ask),
        Dialect::Converse => converse::sought(ask),
        Dialect::Cohere => cohere::sought(ask),
        Dialect::Ollama => ollama::sought(ask),
    }
}
