//! A chat request into the item form.

use super::{content, fields, google, reasoning, settings, tools};
use crate::dialect::item::{Arguments, Cache, Call, Item, Part, Place, Request, Role, ToolResult};
use crate::dialect::loss::{self, Ledger, given};
use crate::dialect::pairing::MOST_CALLS;
use crate::dialect::text::Text;
use crate::dialect::{Asked, BadRequest, search};
use crate::json::{Elements, Object, Raw};
use std::borrow::Cow;

/// Decodes the request of a chat client.
pub(in crate::dialect) fn decode<'a>(asked: &Asked<'a>, ledger: &mut Ledger) -> Result<Request<'a>, BadRequest> {
    let object = &asked.object;
    let knobs = loss::decide(object, fields::REQUEST, &"", ledger)?;
    let (tools, settings) = (tools::declared(object, ledger)?, settings::read(asked, knobs, ledger)?);
    let search = search::of_chat(object, ledger)?;
    let messages = given(object, "messages").ok_or_else(|| BadRequest::at("messages", "is missing"))?;
    let messages = messages
        .elements()
        .ok_or_else(|| BadRequest::at("messages", "must be an array"))?;
    if messages.is_empty() {
        return Err(BadRequest::at("messages", "must not be empty"));
    }
    let mut items = Vec::with_capacity(16);
    let mut messages = messages.in_turn();
    while let Some((index, message)) = messages.advance() {
        let object = message.ok_or_else(|| BadRequest::at(format!("messages[{index}]"), "must be an object"))?;
        decode_message(&Message { index, object }, &mut items, ledger)?;
    }
    Ok(Request {
        settings,
        tools,
        search,
        items,
        allowed: tools::allowed(object),
    })
}

/// One message and its position.
pub(super) struct Message<'m, 'a> {
    pub(super) index: usize,
    pub(super) object: &'m Object<'a>,
}

impl Message<'_, '_> {
    pub(super) fn place(&self, field: &'static str, index: Option<usize>) -> Place {
        Place {
            list: "messages",
            entry: Some(self.index),
            message: Some(self.index),
            field,
            index,
            depth: 0,
        }
    }

    pub(super) fn path(&self, field: &str) -> String {
        format!("messages[{}].{field}", self.index)
    }
}

fn decode_message<'a>(
    message: &Message<'_, 'a>,
    items: &mut Vec<Item<'a>>,
    ledger: &mut Ledger,
) -> Result<(), BadRequest> {
    loss::decide(
        message.object,
        fields::MESSAGE,
        &format_args!("messages[{}].", message.index),
        ledger,
    )?;
    let before = items.len();
    let role = message.object.get("role").and_then(Raw::string).unwrap_or_default();
    match &*role {
        "system" | "developer" => content::read(message, Role::System, items, ledger)?,
        "user" => content::read(message, Role::User, items, ledger)?,
        "assistant" => decode_assistant(message, items, ledger)?,
        "tool" => items.push(tool_result(message, items, ledger)?),
        "function" => {
            return Err(BadRequest::at(
                message.path("role"),
                "function is the deprecated form of tool",
            ));
        }
        _ => {
            return Err(BadRequest::at(
                message.path("role"),
                "must be system, developer, user, assistant or tool",
            ));
        }
    }
    let own = items.get_mut(before..).and_then(<[_]>::last_mut);
    if let (Some(last), Some(cache)) = (own, cache(message.object)) {
        last.cache = last.cache.or(Some(cache));
    }
    Ok(())
}

/// Reasoning first, then what was said, then what was called: the order in which it was made.
fn decode_assistant<'a>(
    message: &Message<'_, 'a>,
    items: &mut Vec<Item<'a>>,
    ledger: &mut Ledger,
) -> Result<(), BadRequest> {
    let mut push = |place, part| {
        items.push(Item {
            role: Role::Assistant,
            place,
            part,
            cache: None,
            detail: None,
        })
    };
    for (place, part) in reasoning::of_message(message, ledger) {
        push(place, Part::Reasoning(part));
    }
    if given(message.object, "content").is_some() {
        content::read(message, Role::Assistant, items, ledger)?;
    }
    content::images(message, items)?;
    if let Some(refusal) = given(message.object, "refusal").and_then(Text::of) {
        let place = message.place("refusal", None);
        items.push(Item {
            role: Role::Assistant,
            place,
            part: Part::Refusal(refusal),
            cache: None,
            detail: None,
        });
    }
    for (index, call) in given(message.object, "tool_calls")
        .and_then(Raw::elements)
        .into_iter()
        .flat_map(Elements::objects)
        .enumerate()
    {
        let signed = call.clone();
        let call = tool_call(message, index, call)?;
        let place = message.place("tool_calls", Some(index));
        // In `reasoning_details` it was found already.
        let signed = signed.filter(|_| given(message.object, "reasoning_details").is_none());
        let signature = signed.and_then(|signed| google::read(&signed, &call.id.plain()));
        items.extend(signature.map(|signature| Item {
            role: Role::Assistant,
            place,
            part: Part::Reasoning(signature),
            cache: None,
            detail: None,
        }));
        let part = Part::Call(call);
        items.push(Item {
            role: Role::Assistant,
            place,
            part,
            cache: None,
            detail: None,
        });
    }
    Ok(())
}

fn tool_call<'a>(message: &Message<'_, 'a>, index: usize, call: Option<Object<'a>>) -> Result<Call<'a>, BadRequest> {
    let bad = |problem| BadRequest::at(message.path(&format!("tool_calls[{index}]")), problem);
    let call = call.ok_or_else(|| bad("must be an object"))?;
    let free = call.get("custom").and_then(Raw::object);
    let function = call.get("function").and_then(Raw::object);
    let text = |object: &Object<'a>, key| given(object, key).and_then(Text::of);
    let (name, arguments) = match (&function, &free) {
        (Some(function), _) => (text(function, "name"), arguments(function)),
        (None, Some(free)) => (text(free, "name"), text(free, "input").map(Arguments::Free)),
        (None, None) => return Err(bad("must have a function")),
    };
    let name = name
        .filter(|name| !name.is_empty())
        .ok_or_else(|| bad("must name its function"))?;
    // Some servers give calls no id; the results then follow in the calls' order.
    let id = text(&call, "id").filter(|id| !id.is_empty());
    let id = id.unwrap_or_else(|| Text::from(format!("call_{}_{index}", message.index)));
    Ok(Call {
        id,
        name,
        arguments: arguments.unwrap_or(Arguments::Quoted(Text::from(""))),
    })
}

/// A string; some servers and clients write the object itself.
fn arguments<'a>(function: &Object<'a>) -> Option<Arguments<'a>> {
    let value = given(function, "arguments")?;
    Text::of(value)
        .map(Arguments::Quoted)
        .or_else(|| Some(Arguments::Object(value)).filter(|_| value.object().is_some()))
}

fn tool_result<'a>(
    message: &Message<'_, 'a>,
    before: &[Item<'a>],
    ledger: &mut Ledger,
) -> Result<Item<'a>, BadRequest> {
    let given_id = given(message.object, "tool_call_id")
        .and_then(Text::of)
        .filter(|id| !id.is_empty());
    let call = given_id.or_else(|| next_unanswered(before));
    let call = call.ok_or_else(|| BadRequest::at(message.path("tool_call_id"), "is missing"))?;
    let mut content = Vec::with_capacity(1);
    content::read(message, Role::User, &mut content, ledger)?;
    let cache = content.iter().rev().find_map(|item| item.cache);
    let part = Part::Result(ToolResult {
        call,
        is_error: false,
        content,
    });
    Ok(Item {
        role: Role::User,
        place: message.place("content", None),
        part,
        cache,
        detail: None,
    })
}

/// The id of the last turn's first call that no result follows.
fn next_unanswered<'a>(before: &[Item<'a>]) -> Option<Text<'a>> {
    // No turn that passes the check of its pairs is longer.
    let before = before.get(before.len().saturating_sub(2 * MOST_CALLS)..)?;
    let results = before.iter().rev().take_while(|item| item.role != Role::Assistant);
    let answered = results.filter(|item| matches!(item.part, Part::Result(_))).count();
    let turn = before.iter().rposition(|item| item.role == Role::Assistant)?;
    let start = before
        .get(..turn)?
        .iter()
        .rposition(|item| item.role != Role::Assistant)
        .map_or(0, |before| before + 1);
    let calls = before.get(start..=turn)?.iter().filter_map(|item| match &item.part {
        Part::Call(call) => Some(call.id.clone()),
        _ => None,
    });
    calls.into_iter().nth(answered)
}

/// Anthropic's marker, as clients of Claude through OpenAI's dialect write it, or OpenAI's own breakpoint.
pub(super) fn cache<'a>(object: &Object<'a>) -> Option<Cache<'a>> {
    let marker = given(object, "cache_control").map(Cache::Marker);
    marker.or_else(|| given(object, "prompt_cache_breakpoint").map(|_| Cache::Default))
}

/// What `field` of `object` says, when it is a string.
pub(super) fn word<'a>(object: &Object<'a>, field: &str) -> Cow<'a, str> {
    object.get(field).and_then(Raw::string).unwrap_or_default()
}
