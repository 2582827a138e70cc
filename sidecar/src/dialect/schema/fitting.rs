//! A schema rewritten for a decoder that takes a part of JSON Schema: what it cannot enforce is moved, and reported.

use super::recursion::recurs;
use super::rules::Rules;
use super::{LARGEST, is_object};
use crate::dialect::loss::{Ledger, shown};
use crate::json::{Member, Object, ObjectWriter, Raw, Type, ValueWriter};
use smallvec::SmallVec;
use std::fmt::Write as _;

const DESCRIBED: &str = "cannot be enforced, so it is described instead";

/// Anchors, and what looks ahead.
const ANCHORS: &[&str] = &["^", "$", "(?=", "(?!"];

/// The members of one schema, those of its only alternative included.
type Members<'a> = SmallVec<[Member<'a>; 8]>;

/// Rewrites a schema, and says what changed that it means.
#[derive(Debug)]
pub(in crate::dialect) struct Fitting<'l> {
    rules: &'static Rules,
    /// The path of what is being written, from the client's name of the schema on.
    path: String,
    ledger: &'l mut Ledger,
}

impl<'l> Fitting<'l> {
    /// `field` is the client's name of the schema.
    pub(in crate::dialect) fn of(rules: &'static Rules, field: impl Into<String>, ledger: &'l mut Ledger) -> Self {
        Self {
            rules,
            path: field.into(),
            ledger,
        }
    }

    pub(in crate::dialect) fn write(mut self, schema: Raw<'_>, value: ValueWriter<'_>) {
        self.schema(schema, value);
    }

    fn schema(&mut self, schema: Raw<'_>, value: ValueWriter<'_>) {
        let Some(object) = schema.object() else {
            return value.raw(schema);
        };
        let members = self.flat(&object);
        let notes = self.notes(&members);
        let has_object = members.iter().any(|member| is_object_s(member));
        let mut out = value.object();
        for member in &members {
            match &*member.key() {
                "properties" | "$defs" | "definitions" => self.map(&member.key(), member.value, &mut out),
                "anyOf" => self.list("anyOf", member.value, &mut out),
                // Of alternatives, "exactly one" is no more than "any" can promise.
                "oneOf" => {
                    self.note("oneOf", "any of the alternatives will do");
                    self.list("anyOf", member.value, &mut out);
                }
                "allOf" => self.list("allOf", member.value, &mut out),
                "items" => self.within("items", |this| this.schema(member.value, out.member("items"))),
                "type" if !self.rules.has_unions => self.one_type(member, &mut out),
                "additionalProperties" if self.rules.closes && has_object => {}
                "additionalProperties" if !self.rules.closes => self.open(member, &mut out),
                "description" if !notes.is_empty() => {}
                key if self.is_unenforced(key, member.value) => {}
                _ => out.copy(member),
            }
        }
        if !notes.is_empty() {
            let described = last(&members, "description").and_then(Raw::string).unwrap_or_default();
            let gap = if described.is_empty() { "" } else { "\n\n" };
            out.string("description", &format!("{described}{gap}{{{notes}}}"));
        }
        if has_object {
            self.complete(&members, &mut out);
        }
    }

    /// The members of a schema. Where there are no alternatives, those of the only one stand in its place.
    fn flat<'a>(&mut self, object: &Object<'a>) -> Members<'a> {
        let mut flat = Members::new();
        for member in object.members() {
            let only = match self.rules.has_unions {
                true => None,
                false => only_alternative(member),
            };
            let Some(only) = only else {
                flat.push(*member);
                continue;
            };
            if only.was_nullable {
                self.note(&member.key(), "there are no alternatives, so it cannot be null");
            }
            let inner = only.schema.object();
            let inner = inner.map(|inner| self.within(&member.key(), |this| this.flat(&inner)));
            let others = inner.into_iter().flatten();
            // What is said of the whole goes before what is said of the alternative.
            flat.extend(others.filter(|inner| object.get(&inner.key()).is_none()));
        }
        flat
    }

    /// One type of several of which the others say that there may be nothing.
    fn one_type(&mut self, member: &Member<'_>, out: &mut ObjectWriter<'_>) {
        let Some(mut types) = member.value.elements() else {
            return out.copy(member);
        };
        match types.find(|name| name.text() != "\"null\"") {
            Some(name) => {
                self.note("type", "there are no alternatives, so it cannot be null");
                out.raw("type", name);
            }
            None => out.copy(member),
        }
    }

    /// Other properties than those that are named: none, or none that can be asked for.
    fn open(&mut self, additional: &Member<'_>, out: &mut ObjectWriter<'_>) {
        match additional.value.bool() {
            Some(false) => out.copy(additional),
            Some(true) | None => self.note("additionalProperties", "there are no properties of any name"),
        }
    }

    /// What every object says.
    fn complete(&mut self, members: &Members<'_>, out: &mut ObjectWriter<'_>) {
        if self.rules.closes {
            out.bool("additionalProperties", false);
        }
        let requires = last(members, "required")
            .and_then(Raw::elements)
            .is_some_and(|mut names| names.next().is_some());
        if !self.rules.requires || requires {
            return;
        }
        let first = last(members, "properties").and_then(Raw::object);
        if let Some(first) = first.as_ref().and_then(|properties| properties.members().first()) {
            self.note("required", "one property must be required, so the first one is");
            out.array("required").string(&first.key());
        }
    }

    /// `minimum: 1, maximum: 10`.
    fn notes(&mut self, members: &Members<'_>) -> String {
        let mut notes = String::new();
        for member in members {
            let key = member.key();
            if !self.is_unenforced(&key, member.value) {
                continue;
            }
            let gap = if notes.is_empty() { "" } else { ", " };
            write!(notes, "{gap}{key}: {}", member.value.text()).expect("a String takes all characters");
            self.note(&key, DESCRIBED);
        }
        notes
    }

    fn is_unenforced(&self, key: &str, value: Raw<'_>) -> bool {
        match key {
            "format" => value
                .string()
                .is_none_or(|format| !self.rules.formats.contains(&&*format)),
            "minItems" if self.rules.has_least_of_one => !matches!(value.text(), "0" | "1"),
            "pattern" if !self.rules.has_anchors => {
                let pattern = value.string().unwrap_or_default();
                ANCHORS.iter().any(|anchor| pattern.contains(anchor))
            }
            key => self.rules.unenforced.contains(&key),
        }
    }

    fn note(&mut self, key: &str, why: &'static str) {
        self.ledger.hint(format!("{}.{}", self.path, shown(key)), why);
    }

    /// Goes one step down.
    fn within<T>(&mut self, step: &str, write: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        self.path.push('.');
        self.path.push_str(&shown(step));
        let written = write(self);
        self.path.truncate(length);
        written
    }

    fn map(&mut self, key: &str, schemas: Raw<'_>, out: &mut ObjectWriter<'_>) {
        let Some(schemas) = schemas.object() else {
            return out.named(key).raw(schemas);
        };
        let mut map = out.named(key).object();
        for member in schemas.members() {
            let name = member.key();
            let value = map.named(&name);
            self.within(key, |this| this.within(&name, |this| this.schema(member.value, value)));
        }
    }

    fn list(&mut self, key: &'static str, schemas: Raw<'_>, out: &mut ObjectWriter<'_>) {
        let mut list = out.array(key);
        for (index, schema) in schemas.elements().into_iter().flatten().enumerate() {
            let element = list.element();
            self.within(&format!("{key}[{index}]"), |this| this.schema(schema, element));
        }
    }
}

/// The only thing among alternatives that is something.
struct Only<'a> {
    schema: Raw<'a>,
    was_nullable: bool,
}

fn only_alternative<'a>(member: &Member<'a>) -> Option<Only<'a>> {
    if !matches!(&*member.key(), "anyOf" | "oneOf" | "allOf") {
        return None;
    }
    let is_null = |schema: &Raw<'_>| {
        let kind = schema.object().and_then(|schema| schema.get("type"));
        kind.is_some_and(|kind| kind.text() == "\"null\"")
    };
    let (nulls, others): (Vec<_>, Vec<_>) = member.value.elements()?.partition(is_null);
    match others[..] {
        [schema] if schema.kind() == Type::Object => Some(Only {
            schema,
            was_nullable: !nulls.is_empty(),
        }),
        _ => None,
    }
}

fn is_object_s(member: &Member<'_>) -> bool {
    match &*member.key() {
        "properties" => true,
        "type" => member.value.text() == "\"object\"",
        _ => false,
    }
}

fn last<'a>(members: &Members<'a>, key: &str) -> Option<Raw<'a>> {
    members
        .iter()
        .rev()
        .find(|member| member.key() == key)
        .map(|member| member.value)
}

/// Whether a schema can be rewritten by these rules to what it means.
pub(in crate::dialect) fn can_fit(schema: Raw<'_>, rules: &Rules) -> bool {
    let Some(object) = schema.object() else { return false };
    let is_whole = is_object(&object) || !rules.requires;
    is_whole && fits_below(schema, rules) && !(rules.is_finite && recurs(schema))
}

/// One that wants properties of any name, or names none, would become the empty object, and alternatives have no
/// substitute.
fn fits_below(schema: Raw<'_>, rules: &Rules) -> bool {
    match schema.kind() {
        _ if schema.text().len() > LARGEST => false,
        Type::Array => schema
            .elements()
            .into_iter()
            .flatten()
            .all(|schema| fits_below(schema, rules)),
        Type::Object => schema.object().is_some_and(|object| {
            let chooses = !rules.has_unions && object.members().iter().any(chooses);
            let open = is_object(&object) && is_open(&object, rules);
            let nests = rules.is_finite && object.get("enum").is_some_and(holds_more_than_scalars);
            // Below `properties` stand names, not keywords, but a name that looks like one only costs the schema.
            !chooses && !open && !nests && object.members().iter().all(|member| fits_below(member.value, rules))
        }),
        Type::Null | Type::Bool | Type::Number | Type::String => true,
    }
}

/// Objects or lists to choose from.
fn holds_more_than_scalars(choices: Raw<'_>) -> bool {
    let mut choices = choices.elements().into_iter().flatten();
    choices.any(|choice| matches!(choice.kind(), Type::Array | Type::Object))
}

fn is_open(object: &Object<'_>, rules: &Rules) -> bool {
    let properties = object.get("properties");
    if rules.requires {
        let named = properties.and_then(Raw::object);
        return named.is_none_or(|properties| properties.members().is_empty());
    }
    match object.get("additionalProperties").map(Raw::bool) {
        Some(Some(false)) => false,
        Some(_) => true,
        None => properties.is_none(),
    }
}

/// Whether a member says that there are alternatives, of which more than one is something.
fn chooses(member: &Member<'_>) -> bool {
    match &*member.key() {
        "anyOf" | "oneOf" | "allOf" => member.value.elements().is_some() && only_alternative(member).is_none(),
        "type" => {
            let named = member.value.elements().into_iter().flatten();
            named.filter(|name| name.text() != "\"null\"").count() > 1
        }
        _ => false,
    }
}

/// Whether a schema is of this kind as it is.
pub(in crate::dialect) fn fits(schema: Raw<'_>, rules: &'static Rules) -> bool {
    let (mut out, mut ledger) = (Vec::new(), Ledger::default());
    Fitting::of(rules, "", &mut ledger).write(schema, ValueWriter::new(&mut out));
    can_fit(schema, rules) && ledger.into_losses().is_empty()
}
