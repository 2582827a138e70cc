//! Turns that alternate, the user's first: what becomes of a conversation where a dialect demands that.

use super::item::{Item, Part, Role};

/// Stands where a user's text is demanded and the client has none.
pub(super) const PLACEHOLDER: &str = ".";

/// A system prompt in the middle of a conversation becomes the user's text between these: hoisted to the top it would
/// change the prefix of everything before it.
pub(super) const LATE_SYSTEM: (&str, &str) = ("<system>\n", "\n</system>");

/// An item that is said, and how.
#[derive(Clone, Copy)]
pub(super) struct Kept<'i, 'a> {
    pub(super) item: &'i Item<'a>,
    pub(super) form: Form,
    pub(super) assistant: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Whole,
    /// It has nothing to say but must stand there.
    Placeholder,
    /// The answer begins with it, and must not begin behind white space.
    Trimmed,
    /// A system prompt that has nobody's turn behind it, and takes that place itself.
    Spoken,
}

/// What of a conversation is said: texts that say something, and what else `carries`, which reports what it refuses.
pub(super) fn keep<'i, 'a>(items: &'i [Item<'a>], mut carries: impl FnMut(&Item<'_>) -> bool) -> Vec<Kept<'i, 'a>> {
    let form = |(at, item): (usize, &'i Item<'a>)| {
        let form = match &item.part {
            Part::Text(text) | Part::Refusal(text) if text.is_blank() => {
                is_alone(items, at, item).then_some(Form::Placeholder)?
            }
            _ if carries(item) => Form::Whole,
            _ => return None,
        };
        let assistant = item.role == Role::Assistant;
        Some(Kept { item, form, assistant })
    };
    let mut kept: Vec<_> = items.iter().enumerate().filter_map(form).collect();
    if items.iter().all(|item| item.role == Role::System) {
        kept.iter_mut().for_each(|kept| kept.form = Form::Spoken);
    }
    if let Some(last) = kept.last_mut().filter(|last| last.assistant) {
        last.form = Form::Trimmed;
    }
    kept
}

/// A user's message that is nothing else.
fn is_alone(items: &[Item<'_>], at: usize, item: &Item<'_>) -> bool {
    let same = |other: Option<&Item<'_>>| other.is_some_and(|other| other.place.message == item.place.message);
    item.role == Role::User && !same(at.checked_sub(1).and_then(|at| items.get(at))) && !same(items.get(at + 1))
}

/// The turns, one after the other.
pub(super) fn turns<'k, 'i, 'a>(kept: &'k [Kept<'i, 'a>]) -> impl Iterator<Item = &'k [Kept<'i, 'a>]> {
    kept.chunk_by(|one, other| one.assistant == other.assistant)
}

/// The items of a turn, what tools returned before everything else.
pub(super) fn results_first<'k, 'i, 'a>(
    turn: &'k [Kept<'i, 'a>],
) -> impl Iterator<Item = Kept<'i, 'a>> + use<'k, 'i, 'a> {
    let is_result = |kept: &&Kept<'_, '_>| matches!(kept.item.part, Part::Result(_));
    turn.iter()
        .filter(is_result)
        .chain(turn.iter().filter(move |kept| !is_result(kept)))
        .copied()
}

/// Where the conversation begins: behind the system prompt, or, where there is nothing else, with its last message: a
/// user's turn is demanded, and that says more than one that is made up.
pub(super) fn beginning(items: &[Item<'_>]) -> usize {
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
