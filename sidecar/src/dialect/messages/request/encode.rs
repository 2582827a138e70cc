//! The item form into an Anthropic request.

use super::settings;
use super::tools::{self, Markers};
use super::turns::Turns;
use crate::dialect::item::{Format, Request};
use crate::dialect::loss::Ledger;
use crate::dialect::turns::beginning;
use crate::dialect::{Encoded, Upstream, schema};
use crate::json::ObjectWriter;

/// Encodes for an upstream that speaks messages. What a growing conversation appends to stands last.
pub(in crate::dialect) fn encode(
    request: &Request<'_>,
    upstream: &Upstream<'_>,
    size: usize,
    ledger: &mut Ledger,
) -> Encoded {
    let mut out = Vec::with_capacity(size);
    let names = request.settings.names;
    let mut body = ObjectWriter::new(&mut out);
    body.string("model", upstream.model);
    settings::write(request, upstream, &mut body, ledger);
    let mut markers = Markers::of(request, ledger);
    let renamed = tools::write(request, upstream, &mut markers, &mut body, ledger);
    let asks_for_json = match request.settings.format {
        Some(Format::Json | Format::Schema { schema: None, .. }) => {
            ledger.hint(
                names.format,
                "the messages dialect can only be asked for any JSON object",
            );
            true
        }
        Some(format @ Format::Schema { schema: Some(_), .. }) if format.fitting(&schema::ANTHROPIC).is_none() => {
            ledger.meaning(
                names.format,
                "the messages dialect cannot enforce properties of any name, nesting without end or a choice of objects",
            );
            true
        }
        Some(Format::Schema { schema: Some(_), .. }) | None => false,
    };
    let (system, conversation) = request.items.split_at(beginning(&request.items));
    let mut turns = Turns {
        conversation: request.settings.names.conversation,
        markers,
        ledger,
    };
    turns.write_system(system, asks_for_json, &mut body);
    turns.write(conversation, &mut body);
    body.end();
    Encoded { body: out, renamed }
}
