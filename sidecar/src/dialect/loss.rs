//! The loss report, and the tables that decide what becomes of each field.

use super::item::{Knob, Turned};
use super::{BadRequest, Grade, Loss, Losses};
use crate::json::{Object, Raw};
use std::borrow::Cow;
use std::fmt;

/// Most losses that are reported: the report is a header, and a request can name unknown fields by the thousand.
const MOST_LOSSES: usize = 32;

/// Longest name of an unknown field that is reported, characters.
const LONGEST_NAME: usize = 64;

/// Where losses are written down.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    losses: Losses,
    /// How many more there were.
    beyond: usize,
}

impl Ledger {
    pub(super) fn lose(&mut self, grade: Grade, field: impl Into<Cow<'static, str>>, why: &'static str) {
        // However many hints there are, one loss of meaning must be seen.
        let must = grade == Grade::Meaning && self.losses.iter().all(|loss| loss.grade == Grade::Hint);
        if self.losses.len() < MOST_LOSSES || must {
            self.losses.push(Loss {
                field: field.into(),
                grade,
                why: Cow::Borrowed(why),
            });
        } else {
            self.beyond += 1;
        }
    }

    pub(super) fn hint(&mut self, field: impl Into<Cow<'static, str>>, why: &'static str) {
        self.lose(Grade::Hint, field, why);
    }

    pub(super) fn meaning(&mut self, field: impl Into<Cow<'static, str>>, why: &'static str) {
        self.lose(Grade::Meaning, field, why);
    }

    /// The last one says how many more there were, if there were more.
    pub(super) fn into_losses(mut self) -> Losses {
        if self.beyond > 0 {
            self.losses.push(Loss {
                field: Cow::Owned(format!("+{}", self.beyond)),
                grade: Grade::Hint,
                why: Cow::Borrowed("more than the report names"),
            });
        }
        self.losses
    }
}

/// What becomes of a field when its request is translated.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    /// Decoded into the item form.
    Read,
    /// Copied where the upstream's dialect has it.
    Knob(Knob),
    /// Between client and sidecar, or of the transport: nothing is lost without it.
    Ours,
    /// No other dialect has it.
    Lost(Grade, &'static str),
    /// Translation would answer another question.
    Refused(&'static str),
}

/// A row of a dialect's table: a field, what becomes of it, and the values at which it says nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) fate: Fate,
    pub(super) idle: &'static [&'static str],
}

/// A row whose field always says something.
pub(super) const fn field(name: &'static str, fate: Fate) -> Field {
    Field { name, fate, idle: &[] }
}

/// A row whose field says nothing at these values, spelt as JSON.
pub(super) const fn field_unless(name: &'static str, idle: &'static [&'static str], fate: Fate) -> Field {
    Field { name, fate, idle }
}

/// What an unknown field's loss says.
const UNKNOWN: &str = "not known, so not translated";
const TWICE: &str = "occurs more than once; the last one counts";

/// Decides every member of `object` by `table` (sorted by name); `path` is what stands before the names. Gives back the
/// knobs that are turned, by their names in the table.
pub(super) fn decide<'a>(
    object: &Object<'a>,
    table: &'static [Field],
    path: &dyn fmt::Display,
    ledger: &mut Ledger,
) -> Result<Vec<Turned<'a>>, BadRequest> {
    decide_as(|key| key, object, table, path, ledger)
}

/// The same for a dialect in which a key may be spelt otherwise than in the table: `spelt` says how it would be there.
pub(super) fn decide_as<'a>(
    spelt: impl Fn(Cow<'a, str>) -> Cow<'a, str>,
    object: &Object<'a>,
    table: &'static [Field],
    path: &dyn fmt::Display,
    ledger: &mut Ledger,
) -> Result<Vec<Turned<'a>>, BadRequest> {
    let mut turned = Vec::new();
    let mut seen = 0_u64;
    for member in object.members() {
        if member.value.is_null() {
            continue;
        }
        let key = object.key_of(member);
        // Few names are as long as the key, so this looks at fewer of them than halving does.
        let row_of = |key: &str| table.iter().position(|field| field.name == key);
        let row = row_of(&key).or_else(|| row_of(&spelt(key.clone())));
        let Some(row) = row else {
            ledger.hint(format!("{path}{}", shown(&spelt(key))), UNKNOWN);
            continue;
        };
        let Field { name, fate, idle } = table[row];
        if seen & (1 << row) != 0 {
            ledger.hint(format!("{path}{name}"), TWICE);
        }
        seen |= 1 << row;
        if idle.contains(&member.value.text()) {
            continue;
        }
        match fate {
            Fate::Read | Fate::Ours => {}
            Fate::Knob(knob) => turn(
                &mut turned,
                Turned {
                    knob,
                    name,
                    value: member.value,
                },
            ),
            Fate::Lost(grade, why) => ledger.lose(grade, format!("{path}{name}"), why),
            Fate::Refused(why) => return Err(BadRequest::at(format!("{path}{name}"), why)),
        }
    }
    Ok(turned)
}

/// A name that the client made up, fit for a header: what a program is called, not what it might smuggle.
pub(super) fn shown(name: &str) -> String {
    let fit = |c: char| if c.is_ascii_graphic() { c } else { '?' };
    name.chars().take(LONGEST_NAME).map(fit).collect()
}

fn turn<'a>(knobs: &mut Vec<Turned<'a>>, new: Turned<'a>) {
    knobs.retain(|old| old.knob != new.knob);
    knobs.push(new);
}

/// A member that is there and is not null.
pub(super) fn given<'a>(object: &Object<'a>, key: &str) -> Option<Raw<'a>> {
    object.get(key).filter(|value| !value.is_null())
}

#[cfg(test)]
mod tests;
