//! The item form into an Anthropic request.

use super::settings;
use super::tools::{self, Markers};
use super::turns::Turns;
use crate::dialect::item::{Format, Item, Part, Request, Role};
use crate::dialect::loss::Ledger;
use crate::dialect::{Encoded, Upstream};
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
    let renamed = tools::write(request, &mut markers, &mut body, ledger);
    let asks_for_json = match request.settings.format {
        Some(Format::Json | Format::Schema { schema: None, .. }) => {
            ledger.hint(
                names.format,
                "the messages dialect can only be asked for any JSON object",
            );
            true
        }
        Some(format @ Format::Schema { schema: Some(_), .. }) if format.closable().is_none() => {
            ledger.meaning(
                names.format,
                "the messages dialect cannot enforce objects with properties of any name",
            );
            true
        }
        Some(Format::Schema { schema: Some(_), .. }) | None => false,
    };
    let (system, conversation) = request.items.split_at(beginning(&request.items));
    let mut turns = Turns {
        markers,
        sees: upstream.sees(),
        ledger,
    };
    turns.write_system(system, asks_for_json, &mut body);
    turns.write(conversation, &mut body);
    body.end();
    Encoded { body: out, renamed }
}

/// Where the conversation begins: behind the system prompt, or, where there is nothing else, with its last message.
/// Anthropic wants a user's turn, and that says more than one that is made up.
fn beginning(items: &[Item<'_>]) -> usize {
    let speaks = |item: &Item<'_>| item.role != Role::System;
    let last_message = || {
        let has_text = |item: &&Item<'_>| matches!(&item.part, Part::Text(text) if !text.is_blank());
        let last = items.iter().rev().find(has_text)?.place.message;
        items.iter().position(|item| item.place.message == last)
    };
    items
        .iter()
        .position(speaks)
        .or_else(last_message)
        .unwrap_or(items.len())
}
