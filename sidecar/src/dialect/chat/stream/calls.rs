//! Tool calls of a chat stream: pieces of several calls, told apart by an index, an id, or nothing.

use crate::dialect::Fault;
use crate::dialect::item::Step;
use crate::dialect::loss::given;
use crate::dialect::pairing::MOST_CALLS;
use crate::dialect::text::Text;
use crate::dialect::translator::Sink;
use crate::json::{Object, Raw};

/// The calls so far.
#[derive(Debug, Default)]
pub(super) struct Calls {
    /// Start of the ids of calls that came without one.
    prefix: String,
    slots: Vec<Slot>,
}

#[derive(Debug)]
struct Slot {
    /// The upstream's number for it; not always its own.
    index: u64,
    id: String,
    name: String,
    begun: bool,
    /// It takes free text.
    custom: bool,
}

impl Calls {
    pub(super) fn new(request_id: &str) -> Self {
        Self {
            prefix: format!("call_{request_id}_"),
            slots: Vec::new(),
        }
    }

    pub(super) fn any(&self) -> bool {
        !self.slots.is_empty()
    }

    /// One entry of `delta.tool_calls`. A call begins with its first argument: until then more of its name may come.
    pub(super) fn piece(&mut self, entry: &Object<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
        let at = self.slot(entry)?;
        let custom = given(entry, "custom").and_then(Raw::object);
        let (function, key) = match (custom, entry.get("function").and_then(Raw::object)) {
            (Some(custom), _) => (custom, "input"),
            (None, Some(function)) => (function, "arguments"),
            (None, None) => return Ok(()),
        };
        if let Some(slot) = self.slots.get_mut(at) {
            slot.custom |= key == "input";
        }
        if let (Some(name), Some(slot)) = (given(&function, "name").and_then(Raw::string), self.slots.get_mut(at)) {
            slot.add_name(&name);
        }
        let arguments = given(&function, key).map(|arguments| {
            // Some servers write the object itself.
            Text::of(arguments).unwrap_or_else(|| Text::Plain(arguments.text().into()))
        });
        match arguments.filter(|arguments| !arguments.is_empty()) {
            None => Ok(()),
            Some(json) => {
                self.begin(at, sink)?;
                sink(Step::Arguments { call: at, json })
            }
        }
    }

    /// All calls are complete.
    pub(super) fn end(&mut self, sink: &mut Sink<'_>) -> Result<(), Fault> {
        for call in 0..self.slots.len() {
            self.begin(call, sink)?;
        }
        (0..self.slots.len()).try_for_each(|call| sink(Step::CallEnd { call }))
    }

    /// The call that an entry belongs to: by its index, unless an id says that it is another one (some servers number
    /// all calls 0); without an index the last one, or the one with this id.
    fn slot(&mut self, entry: &Object<'_>) -> Result<usize, Fault> {
        let id = given(entry, "id").and_then(Raw::string).filter(|id| !id.is_empty());
        let index = given(entry, "index").and_then(Raw::u64);
        let is_it = |slot: &Slot| {
            let may_get = slot.id.is_empty() && !slot.begun;
            index.is_none_or(|index| index == slot.index) && id.as_deref().is_none_or(|id| may_get || slot.id == id)
        };
        let found = self.slots.iter().rposition(is_it);
        let at = match found {
            Some(at) => at,
            None if self.slots.len() == MOST_CALLS => {
                return Err(Fault::malformed("the answer has too many tool calls"));
            }
            None => {
                let index = index.unwrap_or(self.slots.len() as u64);
                self.slots.push(Slot {
                    index,
                    id: String::new(),
                    name: String::new(),
                    begun: false,
                    custom: false,
                });
                self.slots.len() - 1
            }
        };
        if let (Some(id), Some(slot)) = (id, self.slots.get_mut(at)) {
            slot.id = id.into_owned();
        }
        Ok(at)
    }

    /// Begins a call, and first those before it, so that they keep their order.
    fn begin(&mut self, upto: usize, sink: &mut Sink<'_>) -> Result<(), Fault> {
        for (call, slot) in self
            .slots
            .iter_mut()
            .enumerate()
            .take(upto + 1)
            .filter(|(_, slot)| !slot.begun)
        {
            if slot.name.is_empty() {
                return Err(Fault::malformed("the answer has a tool call that names no function"));
            }
            slot.begun = true;
            let id = if slot.id.is_empty() {
                format!("{}{call}", self.prefix)
            } else {
                slot.id.clone()
            };
            let (id, name) = (Text::from(id), Text::Plain(slot.name.as_str().into()));
            sink(match slot.custom {
                true => Step::CustomCall { call, id, name },
                false => Step::Call { call, id, name },
            })?;
        }
        Ok(())
    }
}

impl Slot {
    /// Names come whole, in pieces, or again with every piece.
    fn add_name(&mut self, piece: &str) {
        if !self.begun && self.name != piece {
            self.name.push_str(piece);
        }
    }
}
