//! The body's members, in their order: what a growing conversation appends to stands last.

use super::turns::Turns;
use super::{settings, tools};
use crate::dialect::item::Request;
use crate::dialect::loss::Ledger;
use crate::dialect::{Encoded, Upstream, search};
use crate::json::ObjectWriter;

/// Encodes for an upstream that speaks Cohere's chat.
pub(in crate::dialect) fn encode(
    request: &Request<'_>,
    upstream: &Upstream<'_>,
    size: usize,
    ledger: &mut Ledger,
) -> Encoded {
    let mut out = Vec::with_capacity(size);
    let mut body = ObjectWriter::new(&mut out);
    body.string("model", upstream.model);
    settings::write(request, upstream, &mut body, ledger);
    // Refused, or left out by its name.
    search::taken(request, upstream, ledger);
    let renamed = tools::write(request, &mut body, ledger);
    let mut turns = Turns {
        thinks: upstream.reasons() != Some(false),
        ledger,
    };
    turns.write(&request.items, &mut body);
    body.end();
    Encoded { body: out, renamed }
}
