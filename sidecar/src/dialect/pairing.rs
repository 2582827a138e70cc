//! Every tool call has its result in the turn that follows, and every result its call: all dialects demand it, each in
//! its own words, so a conversation that breaks it is refused before anybody is asked.

use super::BadRequest;
use super::item::{Item, Part, Role};
use super::loss::shown;
use super::text::Text;
use smallvec::SmallVec;
use std::borrow::Cow;

/// Most calls in one turn; more would be searched for too long, and nobody makes them.
pub(super) const MOST_CALLS: usize = 1024;

/// The open calls of the last turn.
type Open<'i> = SmallVec<[(Cow<'i, str>, &'i Item<'i>); 4]>;

/// Checks a conversation. Late system prompts belong to no turn.
pub(super) fn check(items: &[Item<'_>]) -> Result<(), BadRequest> {
    let mut open = Open::new();
    let mut answering = false;
    for item in items.iter().filter(|item| item.role != Role::System) {
        if item.role == Role::Assistant && answering {
            settle(&open)?;
            open.clear();
        }
        answering = item.role == Role::User;
        match &item.part {
            Part::Call(_) if open.len() == MOST_CALLS => {
                return Err(BadRequest::at(
                    item.place.to_string(),
                    "is one tool call too many for one turn",
                ));
            }
            Part::Call(call) => open.push((call.id.plain(), item)),
            Part::Result(result) => close(&mut open, &result.call, item)?,
            _ => {}
        }
    }
    settle(&open)
}

fn close(open: &mut Open<'_>, call: &Text<'_>, item: &Item<'_>) -> Result<(), BadRequest> {
    let call = call.plain();
    let Some(at) = open.iter().position(|(id, _)| *id == call) else {
        let call = shown(&call);
        let problem = format!("answers the tool call {call:?}, which the turn before it does not make");
        return Err(BadRequest::at(item.place.to_string(), &problem));
    };
    open.remove(at);
    Ok(())
}

fn settle(open: &Open<'_>) -> Result<(), BadRequest> {
    match open.first() {
        None => Ok(()),
        Some((id, item)) => {
            let problem = format!("is the tool call {:?}, which no result follows", shown(id));
            Err(BadRequest::at(item.place.to_string(), &problem))
        }
    }
}
