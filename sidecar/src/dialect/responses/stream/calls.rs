//! Tool calls of a Responses stream: items whose arguments come in pieces, told apart by their place in the output.

use crate::dialect::item::Step;
use crate::dialect::pairing::MOST_CALLS;
use crate::dialect::responses::response::{call_id, nameless, word};
use crate::dialect::text::Text;
use crate::dialect::translator::Sink;
use crate::dialect::{Exchange, Fault};
use crate::json::{Object, Raw};

/// The calls so far.
#[derive(Debug)]
pub(super) struct Calls {
    exchange: Exchange,
    slots: Vec<Slot>,
}

#[derive(Debug)]
struct Slot {
    place: Option<u64>,
    /// Some of its arguments have come.
    told: bool,
    ended: bool,
}

impl Calls {
    pub(super) fn new(exchange: &Exchange) -> Self {
        Self {
            exchange: exchange.clone(),
            slots: Vec::new(),
        }
    }

    pub(super) fn any(&self) -> bool {
        !self.slots.is_empty()
    }

    pub(super) fn begin(&mut self, event: &Object<'_>, item: &Object<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        let call = self.slots.len();
        if call == MOST_CALLS {
            return Err(Fault::malformed("the answer has too many tool calls"));
        }
        self.slots.push(Slot {
            place: place(event),
            told: false,
            ended: false,
        });
        let id = word(item, "call_id").unwrap_or_else(|| call_id(&self.exchange, call));
        let name = word(item, "name").ok_or_else(nameless)?;
        sink(match is_custom(item) {
            true => Step::CustomCall { call, id, name },
            false => Step::Call { call, id, name },
        })
    }

    pub(super) fn delta(&mut self, event: &Object<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        match (self.find(event), word(event, "delta")) {
            (Some(call), Some(json)) => self.arguments(call, json, sink),
            _ => Ok(()),
        }
    }

    /// The item is complete; what did not come in pieces is in it.
    pub(super) fn end(&mut self, event: &Object<'_>, item: &Object<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        let call = match self.find(event) {
            Some(call) => call,
            None => {
                self.begin(event, item, sink)?;
                self.slots.len() - 1
            }
        };
        let told = self.slots.get(call).is_some_and(|slot| slot.told);
        let key = if is_custom(item) { "input" } else { "arguments" };
        if let Some(json) = word(item, key).filter(|_| !told) {
            self.arguments(call, json, sink)?;
        }
        self.close(call, sink)
    }

    /// The answer is complete, so all calls are.
    pub(super) fn end_all(&mut self, sink: &mut Sink<'_>) -> Result<(), Fault> {
        (0..self.slots.len()).try_for_each(|call| self.close(call, sink))
    }

    fn arguments(&mut self, call: usize, json: Text<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        if let Some(slot) = self.slots.get_mut(call) {
            slot.told = true;
        }
        sink(Step::Arguments { call, json })
    }

    fn close(&mut self, call: usize, sink: &mut Sink<'_>) -> Result<(), Fault> {
        let ends = |slot: &mut Slot| !std::mem::replace(&mut slot.ended, true);
        match self.slots.get_mut(call).is_some_and(ends) {
            true => sink(Step::CallEnd { call }),
            false => Ok(()),
        }
    }

    /// The open call at the event's place; the last open one where the server does not say.
    fn find(&self, event: &Object<'_>) -> Option<usize> {
        let place = place(event);
        let is_it = |slot: &Slot| !slot.ended && (place.is_none() || slot.place.is_none() || slot.place == place);
        self.slots.iter().rposition(is_it)
    }
}

/// It calls a tool that takes free text.
fn is_custom(item: &Object<'_>) -> bool {
    item.get("type")
        .and_then(Raw::string)
        .is_some_and(|kind| kind == "custom_tool_call")
}

fn place(event: &Object<'_>) -> Option<u64> {
    event.get("output_index").and_then(Raw::u64)
}
