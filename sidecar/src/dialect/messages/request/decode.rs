//! An Anthropic request into the item form.

use super::{blocks, fields, settings, tools};
use crate::dialect::item::{Item, Part, Place, Request, Role};
use crate::dialect::loss::{self, Ledger, given};
use crate::dialect::text::Text;
use crate::dialect::{Asked, BadRequest};
use crate::json::{Object, Raw};
use std::borrow::Cow;

/// Tool results and documents have contents of their own; nothing is nested deeper than that, and each level costs a
/// walk.
const DEEPEST: u8 = 4;

/// Decodes the request of a messages client.
pub(in crate::dialect) fn decode<'a>(asked: &Asked<'a>, ledger: &mut Ledger) -> Result<Request<'a>, BadRequest> {
    let object = &asked.object;
    let knobs = loss::decide(object, fields::REQUEST, &"", ledger)?;
    let (tools, search) = tools::declared(object, ledger)?;
    let mut settings = settings::read(asked, knobs, ledger)?;
    if search.is_some() && tools::is_search(&settings, &tools) {
        settings.tool_choice = None;
        ledger.meaning("tool_choice", "no other dialect can be made to search");
    }
    let mut items = Vec::with_capacity(16);
    if let Some(system) = given(object, "system") {
        let place = Place {
            list: "messages",
            entry: None,
            message: None,
            field: "system",
            index: None,
            depth: 0,
        };
        content(system, Role::System, place, &mut items, ledger)?;
    }
    let messages = given(object, "messages").ok_or_else(|| BadRequest::at("messages", "is missing"))?;
    let messages = messages
        .elements()
        .ok_or_else(|| BadRequest::at("messages", "must be an array"))?;
    if messages.is_empty() {
        return Err(BadRequest::at("messages", "must not be empty"));
    }
    let mut messages = messages.in_turn();
    while let Some((index, message)) = messages.advance() {
        decode_message(index, message, &mut items, ledger)?;
    }
    Ok(Request {
        settings,
        tools,
        search,
        items,
        allowed: None,
    })
}

fn decode_message<'a>(
    index: usize,
    message: Option<&Object<'a>>,
    items: &mut Vec<Item<'a>>,
    ledger: &mut Ledger,
) -> Result<(), BadRequest> {
    let bad = |field: &str, problem| BadRequest::at(format!("messages[{index}]{field}"), problem);
    let message = message.ok_or_else(|| bad("", "must be an object"))?;
    loss::decide(message, fields::MESSAGE, &format_args!("messages[{index}]."), ledger)?;
    let role = match &*word(message, "role") {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        _ => return Err(bad(".role", "must be user, assistant or system")),
    };
    let value = given(message, "content").ok_or_else(|| bad(".content", "is missing"))?;
    content(
        value,
        role,
        Place {
            list: "messages",
            entry: Some(index),
            message: Some(index),
            field: "content",
            index: None,
            depth: 0,
        },
        items,
        ledger,
    )
}

/// A string, or blocks.
pub(super) fn content<'a>(
    content: Raw<'a>,
    role: Role,
    place: Place,
    items: &mut Vec<Item<'a>>,
    ledger: &mut Ledger,
) -> Result<(), BadRequest> {
    if let Some(text) = Text::of(content) {
        items.push(Item {
            role,
            place,
            part: Part::Text(text),
            cache: None,
            detail: None,
        });
        return Ok(());
    }
    if place.depth > DEEPEST {
        return Err(BadRequest::at(place.to_string(), "is nested too deeply"));
    }
    let list = content.elements();
    let list = list.ok_or_else(|| BadRequest::at(place.to_string(), "must be a string or an array of blocks"))?;
    let mut list = list.in_turn();
    while let Some((index, block)) = list.advance() {
        blocks::read(
            block,
            role,
            Place {
                index: Some(index),
                depth: place.depth + 1,
                ..place
            },
            items,
            ledger,
        )?;
    }
    Ok(())
}

/// What `field` of `object` says, when it is a string.
pub(super) fn word<'a>(object: &Object<'a>, field: &str) -> Cow<'a, str> {
    object.get(field).and_then(Raw::string).unwrap_or_default()
}
