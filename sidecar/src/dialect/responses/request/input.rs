//! `instructions` and `input`: a string, or a list in which messages, calls, results and reasoning stand side by side.

use super::decode::word;
use super::{fields, parts};
use crate::dialect::BadRequest;
use crate::dialect::item::{Arguments, Call, Item, Part, Place, Role, ToolResult};
use crate::dialect::loss::{self, Ledger, given, shown};
use crate::dialect::responses::carried;
use crate::dialect::responses::response::generated;
use crate::dialect::text::Text;
use crate::dialect::traces;
use crate::json::{Object, Raw};

/// Reads the whole conversation.
pub(super) fn read<'a>(object: &Object<'a>, ledger: &mut Ledger) -> Result<Vec<Item<'a>>, BadRequest> {
    let mut conversation = Conversation {
        items: Vec::with_capacity(16),
        turns: Turns::default(),
        ledger,
    };
    if let Some(instructions) = given(object, "instructions") {
        let text = Text::of(instructions).ok_or_else(|| BadRequest::at("instructions", "must be a string"))?;
        conversation.push(Role::System, outside("instructions", None), Part::Text(text));
    }
    let input = given(object, "input").ok_or_else(|| BadRequest::at("input", "is missing"))?;
    if let Some(text) = Text::of(input) {
        conversation.push(Role::User, outside("input", Some(0)), Part::Text(text));
        return Ok(conversation.items);
    }
    let list = input.elements();
    let list = list.ok_or_else(|| BadRequest::at("input", "must be a string or an array of items"))?;
    if list.is_empty() {
        return Err(BadRequest::at("input", "must not be empty"));
    }
    let mut list = list.in_turn();
    while let Some((index, item)) = list.advance() {
        let item = item.ok_or_else(|| BadRequest::at(format!("input[{index}]"), "must be an object"))?;
        conversation.read(index, item)?;
    }
    Ok(conversation.items)
}

fn outside(field: &'static str, message: Option<usize>) -> Place {
    Place {
        list: "input",
        entry: None,
        message,
        field,
        index: None,
        depth: 0,
    }
}

/// What has been read.
struct Conversation<'a, 'l> {
    items: Vec<Item<'a>>,
    turns: Turns,
    ledger: &'l mut Ledger,
}

impl<'a> Conversation<'a, '_> {
    fn push(&mut self, role: Role, place: Place, part: Part<'a>) {
        self.items.push(Item {
            role,
            place,
            part,
            cache: None,
            detail: None,
        });
    }

    fn read(&mut self, index: usize, item: &Object<'a>) -> Result<(), BadRequest> {
        let place = |message| Place {
            list: "input",
            entry: Some(index),
            message: Some(message),
            field: "",
            index: None,
            depth: 0,
        };
        let kind = word(item, "type");
        match &*kind {
            "message" => self.message(item, place)?,
            "" if item.get("role").is_some() => self.message(item, place)?,
            "function_call" | "custom_tool_call" => {
                let place = place(self.turns.call());
                let part = Part::Call(call(item, &place)?);
                self.push(Role::Assistant, place, part);
            }
            "function_call_output" | "custom_tool_call_output" => self.result(item, place)?,
            "reasoning" => self.reasoning(item, place),
            "image_generation_call" => self.image(index, item, place),
            _ => {
                self.unknown(index, item, &kind);
                return Ok(());
            }
        }
        let path = format_args!("input[{index}].");
        loss::decide(item, fields::ITEM, &path, self.ledger).map(drop)
    }

    fn message(&mut self, item: &Object<'a>, place: impl Fn(usize) -> Place) -> Result<(), BadRequest> {
        let role = match &*word(item, "role") {
            "user" => Role::User,
            "assistant" => Role::Assistant,
            "system" | "developer" => Role::System,
            _ => {
                let field = Place {
                    field: "role",
                    ..place(0)
                };
                return Err(BadRequest::at(
                    field.to_string(),
                    "must be user, assistant, system or developer",
                ));
            }
        };
        let message = match role {
            Role::Assistant => self.turns.speech(),
            Role::User | Role::System => self.turns.other(),
        };
        let place = Place {
            field: "content",
            ..place(message)
        };
        let content = given(item, "content").ok_or_else(|| BadRequest::at(place.to_string(), "is missing"))?;
        parts::read(content, role, place, &mut self.items, self.ledger)
    }

    /// A result belongs right behind the calls, where every other dialect wants it, whatever was said in between.
    fn result(&mut self, item: &Object<'a>, place: impl Fn(usize) -> Place) -> Result<(), BadRequest> {
        let place = place(self.turns.result());
        let bad = |problem| BadRequest::at(place.to_string(), problem);
        let id = given(item, "call_id").and_then(Text::of).filter(|id| !id.is_empty());
        let output = given(item, "output").ok_or_else(|| bad("must have an output"))?;
        let mut content = Vec::with_capacity(1);
        let inside = Place {
            field: "output",
            ..place
        };
        parts::read(output, Role::User, inside, &mut content, self.ledger)?;
        let part = Part::Result(ToolResult {
            call: id.ok_or_else(|| bad("must have a call_id"))?,
            is_error: false,
            content,
        });
        let called = |item: &Item<'_>| item.role == Role::Assistant || matches!(item.part, Part::Result(_));
        let behind = self
            .items
            .iter()
            .rposition(called)
            .map_or(self.items.len(), |at| at + 1);
        self.items.insert(
            behind,
            Item {
                role: Role::User,
                place,
                part,
                cache: None,
                detail: None,
            },
        );
        Ok(())
    }

    fn reasoning(&mut self, item: &Object<'a>, place: impl Fn(usize) -> Place) {
        let place = place(self.turns.thought());
        let found = carried::read(item);
        if found.is_empty() {
            self.ledger.hint(place.to_string(), "no reasoning that can be carried");
        }
        for reasoning in found {
            self.push(Role::Assistant, place, Part::Reasoning(reasoning));
        }
    }

    /// An image of an earlier answer, if it is here and not only with its provider.
    fn image(&mut self, index: usize, item: &Object<'a>, place: impl Fn(usize) -> Place) {
        match generated(item) {
            Some(image) => {
                let place = place(self.turns.speech());
                self.push(Role::Assistant, place, Part::Image(image));
            }
            None => self.ledger.meaning(
                format!("input[{index}] (image_generation_call)"),
                "the image is only with its provider",
            ),
        }
    }

    /// What only its provider can make sense of.
    fn unknown(&mut self, index: usize, item: &Object<'a>, kind: &str) {
        let is_reference = kind == "item_reference" || kind.is_empty() && item.get("id").is_some();
        if traces::is_trace(kind) {
            return self.ledger.hint(format!("input[{index}] ({kind})"), traces::WHY);
        }
        let (kind, why) = match is_reference {
            true => (
                "item_reference",
                "the item is only with its provider; it can be sent itself, as with store: false",
            ),
            false => (kind, "no other dialect has this kind of item"),
        };
        self.ledger.meaning(format!("input[{index}] ({})", shown(kind)), why);
    }
}

fn call<'a>(item: &Object<'a>, place: &Place) -> Result<Call<'a>, BadRequest> {
    let bad = |problem| BadRequest::at(place.to_string(), problem);
    let text = |key| given(item, key).and_then(Text::of);
    let said = |key| text(key).filter(|text: &Text<'_>| !text.is_empty());
    let arguments = match text("input").filter(|_| word(item, "type") == "custom_tool_call") {
        Some(input) => Some(Arguments::Free(input)),
        None => text("arguments").map(Arguments::Quoted).or_else(|| {
            let object = given(item, "arguments").filter(|arguments: &Raw<'_>| arguments.object().is_some());
            object.map(Arguments::Object)
        }),
    };
    Ok(Call {
        id: said("call_id").ok_or_else(|| bad("must have a call_id"))?,
        name: said("name").ok_or_else(|| bad("must have a name"))?,
        arguments: arguments.ok_or_else(|| bad("must have arguments"))?,
    })
}

/// Which items are one message of a dialect that has messages: a response is reasoning, speech and calls of one turn,
/// and results answer a turn together.
#[derive(Debug, Default)]
struct Turns {
    /// The number of the last one, from 1.
    last: usize,
    now: Now,
}

/// What the last item was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Now {
    #[default]
    Other,
    Thought,
    Spoken,
    Called,
    Answered,
}

impl Turns {
    fn go_on(&mut self, goes_on: &[Now], now: Now) -> usize {
        self.last += usize::from(!goes_on.contains(&self.now));
        self.now = now;
        self.last
    }

    /// After something was said, the next thought begins a message, unless calls wait for their results.
    fn thought(&mut self) -> usize {
        let now = match self.now {
            Now::Called => Now::Called,
            _ => Now::Thought,
        };
        self.go_on(&[Now::Thought, Now::Called], now)
    }

    fn speech(&mut self) -> usize {
        let now = match self.now {
            Now::Called => Now::Called,
            _ => Now::Spoken,
        };
        self.go_on(&[Now::Thought, Now::Called], now)
    }

    fn call(&mut self) -> usize {
        self.go_on(&[Now::Thought, Now::Spoken, Now::Called], Now::Called)
    }

    fn result(&mut self) -> usize {
        self.go_on(&[Now::Answered], Now::Answered)
    }

    fn other(&mut self) -> usize {
        self.go_on(&[], Now::Other)
    }
}
