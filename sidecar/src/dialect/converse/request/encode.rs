//! The body's members, in their order: what a growing conversation appends to stands last.

use super::maker;
use super::media::Names;
use super::settings::{self, Plan};
use super::tools;
use super::turns::{Points, Turns};
use crate::dialect::item::Request;
use crate::dialect::loss::Ledger;
use crate::dialect::turns::beginning;
use crate::dialect::{Encoded, Upstream, search};
use crate::json::ObjectWriter;

/// Encodes for an upstream that speaks Converse.
pub(in crate::dialect) fn encode(
    request: &Request<'_>,
    upstream: &Upstream<'_>,
    size: usize,
    ledger: &mut Ledger,
) -> Encoded {
    let mut out = Vec::with_capacity(size);
    let maker = maker::of(upstream.model);
    let mut body = ObjectWriter::new(&mut out);
    let plan = Plan::of(request, upstream, &maker, ledger);
    settings::write(request, &plan, &maker, &mut body, ledger);
    let mut points = Points::of(request, &maker, ledger);
    // Refused, or left out by its name.
    search::taken(request, upstream, ledger);
    let renamed = tools::write(request, &maker, &mut points, &mut body, ledger);
    let (system, conversation) = request.items.split_at(beginning(&request.items));
    let mut turns = Turns {
        conversation: request.settings.names.conversation,
        points,
        names: Names::default(),
        ledger,
    };
    turns.write_system(system, plan.asks_for_json, &mut body);
    turns.write(conversation, &mut body);
    body.end();
    Encoded { body: out, renamed }
}
