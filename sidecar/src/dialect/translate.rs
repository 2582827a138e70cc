//! Cross-dialect: decode into the item form, encode from it.

use super::{Answer, Asked, BadRequest, Effect, Exchange, Fault, Translated, Upstream};
use crate::sse::Event;

/// What the answer's head needs when the upstream's gives none.
#[derive(Clone, Copy, Debug)]
pub struct Stamp<'a> {
    /// See [`Exchange::request_id`].
    pub request_id: &'a str,
    /// Seconds since the Unix epoch.
    pub created: i64,
}

/// The client's request in the upstream's dialect.
pub fn translate_request(
    _asked: &Asked<'_>,
    _upstream: &Upstream<'_>,
    _stamp: Stamp<'_>,
) -> Result<Translated, BadRequest> {
    todo!()
}

/// The upstream's whole answer in the client's dialect.
pub fn translate_response(_exchange: &Exchange, _body: &[u8]) -> Result<Answer, Fault> {
    todo!()
}

/// One stream's translator: events of the upstream in, bytes in the client's dialect out.
pub struct Translator {}

impl Translator {
    /// A translator for the answer to one request.
    pub fn new(_exchange: &Exchange) -> Self {
        todo!()
    }

    /// Appends to `out` what the event becomes in the client's dialect, often nothing. `omit` and `cut` of the effect
    /// are never set.
    pub fn event(&mut self, _event: &Event<'_>, _out: &mut Vec<u8>) -> Result<Effect, Fault> {
        todo!()
    }

    /// The upstream closed the stream: appends the proper end if the answer was complete, or is a [`Fault`].
    pub fn finish(&mut self, _out: &mut Vec<u8>) -> Result<(), Fault> {
        todo!()
    }
}
