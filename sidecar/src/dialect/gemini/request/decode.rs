//! A Gemini request into the item form.

use super::results::Open;
use super::{fields, parts, settings, tools};
use crate::dialect::gemini::spelling::{List, camel_case, given, list, word};
use crate::dialect::item::{Item, Place, Request, Role};
use crate::dialect::loss::{self, Ledger};
use crate::dialect::{Asked, BadRequest};
use crate::json::{Object, Raw};

/// Decodes the request of a Gemini client; its schemas are JSON schemas by now.
pub(in crate::dialect) fn decode<'a>(asked: &Asked<'a>, ledger: &mut Ledger) -> Result<Request<'a>, BadRequest> {
    let object = &asked.object;
    let _no_knobs = loss::decide_as(camel_case, object, fields::REQUEST, &"", ledger)?;
    let (tools, search) = tools::declared(object, ledger)?;
    let settings = settings::read(asked.stream, object, ledger)?;
    let mut items = Vec::with_capacity(16);
    if let Some(system) = given(object, "systemInstruction") {
        let bad = || BadRequest::at("systemInstruction", "must be a content with parts");
        let content = system.object().ok_or_else(bad)?;
        let place = place(None, 0, "systemInstruction.parts");
        read_parts(&content, Role::System, place, &mut items, &mut Open::default(), ledger)?;
    }
    let contents = list(object, "contents").ok_or_else(|| BadRequest::at("contents", "is missing"))?;
    read_contents(contents, &mut items, ledger)?;
    Ok(Request {
        settings,
        tools,
        search,
        items,
        allowed: tools::allowed(object),
    })
}

fn read_contents<'a>(contents: List<'a>, items: &mut Vec<Item<'a>>, ledger: &mut Ledger) -> Result<(), BadRequest> {
    let mut open = Open::default();
    let mut before = None;
    let mut message = 0;
    for (index, content) in contents.objects().enumerate() {
        let bad = |field: &str, problem| BadRequest::at(format!("contents[{index}]{field}"), problem);
        let content = content.ok_or_else(|| bad("", "must be an object"))?;
        let role = match &*word(&content, "role").to_ascii_lowercase() {
            "model" => Role::Assistant,
            "" | "user" | "function" | "tool" => Role::User,
            "system" => Role::System,
            _ => return Err(bad(".role", "must be user or model")),
        };
        // A streamed answer comes back as the contents in which it came.
        if before.replace(role) != Some(role) {
            message = index;
            if role == Role::Assistant {
                open.clear();
            }
        }
        let place = place(Some(index), message, "parts");
        read_parts(&content, role, place, items, &mut open, ledger)?;
    }
    match before {
        Some(_) => Ok(()),
        None => Err(BadRequest::at("contents", "must not be empty")),
    }
}

fn place(entry: Option<usize>, message: usize, field: &'static str) -> Place {
    Place {
        list: "contents",
        entry,
        message: entry.map(|_| message),
        field,
        index: None,
        depth: 0,
    }
}

fn read_parts<'a>(
    content: &Object<'a>,
    role: Role,
    place: Place,
    items: &mut Vec<Item<'a>>,
    open: &mut Open<'a>,
    ledger: &mut Ledger,
) -> Result<(), BadRequest> {
    let Some(list) = list(content, "parts") else {
        return Ok(());
    };
    for (index, part) in list.objects().enumerate() {
        let place = Place {
            index: Some(index),
            ..place
        };
        let part = part.ok_or_else(|| BadRequest::at(place.to_string(), "must be an object"))?;
        loss::decide_as(camel_case, &part, fields::PART, &format_args!("{place}."), ledger)?;
        parts::read(&part, role, place, items, open, ledger)?;
    }
    Ok(())
}

/// What `key` of `object` says, when it is a string that says something.
pub(super) fn text<'a>(object: &Object<'a>, key: &str) -> Option<crate::dialect::text::Text<'a>> {
    given(object, key)
        .and_then(crate::dialect::text::Text::of)
        .filter(|text| !text.is_empty())
}

/// The object that `key` of `object` is.
pub(super) fn inner<'a>(object: &Object<'a>, key: &str) -> Option<Object<'a>> {
    given(object, key).and_then(Raw::object)
}
