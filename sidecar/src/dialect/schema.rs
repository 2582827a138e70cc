//! JSON schemas, as far as a dialect demands a certain kind of them.

use super::loss::{Ledger, shown};
use crate::json::{Object, ObjectWriter, Raw, Type, ValueWriter};
use std::fmt::Write as _;

/// A schema of an object: what a tool's arguments must have.
pub(super) fn write_object_schema(schema: Option<Raw<'_>>, value: ValueWriter<'_>) {
    if let Some(schema) = schema.filter(|schema| is_plainly_object(schema.text())) {
        return value.raw(schema);
    }
    let object = schema.and_then(|schema| schema.object());
    let (Some(schema), Some(object)) = (schema, object) else {
        let mut empty = value.object();
        empty.string("type", "object");
        return empty.object("properties").end();
    };
    if object.get("type").is_some_and(|kind| !kind.is_null()) {
        return value.raw(schema);
    }
    let mut typed = value.object();
    typed.string("type", "object");
    object
        .members()
        .iter()
        .filter(|member| &*member.key() != "type")
        .for_each(|member| typed.copy(member));
}

/// Nearly all of them, and large: by the first member or the last one, as serializers write them.
fn is_plainly_object(schema: &str) -> bool {
    schema.starts_with("{\"type\":\"object\"") || schema.ends_with(",\"type\":\"object\"}")
}

/// Constraints that Anthropic's constrained decoding refuses: they move into the description, where the model reads
/// them. (Which ones is what its SDK does to schemas.)
const UNENFORCED: &[&str] = &[
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "uniqueItems",
    "contains",
    "minProperties",
    "maxProperties",
    "patternProperties",
    "propertyNames",
    "dependentRequired",
    "dependentSchemas",
    "not",
    "if",
    "then",
    "else",
    "unevaluatedProperties",
];

/// Larger schemas are passed on as they are: looking into every level costs a walk each.
const LARGEST: usize = 256 * 1024;

/// Formats of strings that it enforces.
const FORMATS: &[&str] = &[
    "date-time",
    "time",
    "date",
    "duration",
    "email",
    "hostname",
    "uri",
    "ipv4",
    "ipv6",
    "uuid",
];

/// Rewrites a schema for Anthropic's constrained decoding, which wants every object closed.
#[derive(Debug)]
pub(super) struct Closing<'l> {
    /// The path of what is being written, from the client's name of the schema on.
    path: String,
    ledger: &'l mut Ledger,
}

impl<'l> Closing<'l> {
    /// `field` is the client's name of the schema.
    pub(super) fn of(field: impl Into<String>, ledger: &'l mut Ledger) -> Self {
        Self {
            path: field.into(),
            ledger,
        }
    }

    pub(super) fn write(mut self, schema: Raw<'_>, value: ValueWriter<'_>) {
        self.schema(schema, value);
    }

    fn schema(&mut self, schema: Raw<'_>, value: ValueWriter<'_>) {
        let Some(object) = schema.object() else {
            return value.raw(schema);
        };
        let notes = self.notes(&object);
        let mut out = value.object();
        for member in object.members() {
            match &*member.key() {
                "properties" | "$defs" | "definitions" => self.map(&member.key(), member.value, &mut out),
                // Of alternatives, "exactly one" is no more than "any" can promise.
                "anyOf" => self.list("anyOf", member.value, &mut out),
                "oneOf" => {
                    self.note("oneOf", "any of the alternatives will do");
                    self.list("anyOf", member.value, &mut out);
                }
                "allOf" => self.list("allOf", member.value, &mut out),
                "items" => self.within("items", |this| this.schema(member.value, out.member("items"))),
                "additionalProperties" if is_object(&object) => {}
                "description" if !notes.is_empty() => {}
                key if is_unenforced(key, member.value) => {}
                _ => out.copy(member),
            }
        }
        if !notes.is_empty() {
            let described = object.get("description").and_then(Raw::string).unwrap_or_default();
            let gap = if described.is_empty() { "" } else { "\n\n" };
            out.string("description", &format!("{described}{gap}{{{notes}}}"));
        }
        if is_object(&object) {
            out.bool("additionalProperties", false);
        }
    }

    /// `minimum: 1, maximum: 10`.
    fn notes(&mut self, object: &Object<'_>) -> String {
        let mut notes = String::new();
        for member in object
            .members()
            .iter()
            .filter(|member| is_unenforced(&member.key(), member.value))
        {
            let gap = if notes.is_empty() { "" } else { ", " };
            write!(notes, "{gap}{}: {}", member.key(), member.value.text()).expect("a String takes all characters");
            self.note(&member.key(), "cannot be enforced, so it is described instead");
        }
        notes
    }

    fn note(&mut self, key: &str, why: &'static str) {
        self.ledger.hint(format!("{}.{}", self.path, shown(key)), why);
    }

    /// Goes one step down.
    fn within(&mut self, step: &str, write: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        self.path.push('.');
        self.path.push_str(&shown(step));
        write(self);
        self.path.truncate(length);
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

/// Whether closing every object of a schema leaves it what it means: one that wants properties of any name, or names
/// none, would become the empty object.
pub(super) fn is_closable(schema: Raw<'_>) -> bool {
    match schema.kind() {
        _ if schema.text().len() > LARGEST => false,
        Type::Array => schema.elements().into_iter().flatten().all(is_closable),
        Type::Object => schema.object().is_some_and(|object| {
            let additional = object.get("additionalProperties");
            let open = match additional.map(Raw::bool) {
                Some(Some(false)) => false,
                Some(_) => true,
                None => object.get("properties").is_none(),
            };
            !(is_object(&object) && open) && object.members().iter().all(|member| is_closable(member.value))
        }),
        Type::Null | Type::Bool | Type::Number | Type::String => true,
    }
}

fn is_unenforced(key: &str, value: Raw<'_>) -> bool {
    match key {
        "format" => value.string().is_none_or(|format| !FORMATS.contains(&&*format)),
        "minItems" => !matches!(value.text(), "0" | "1"),
        key => UNENFORCED.contains(&key),
    }
}

fn is_object(schema: &Object<'_>) -> bool {
    schema.get("properties").is_some() || schema.get("type").is_some_and(|kind| kind.text() == "\"object\"")
}

/// OpenAI's strict mode takes it: every object is closed and requires all its properties.
pub(super) fn is_strict(schema: Raw<'_>) -> bool {
    match schema.kind() {
        _ if schema.text().len() > LARGEST => false,
        Type::Array => schema.elements().into_iter().flatten().all(is_strict),
        Type::Object => schema.object().is_some_and(|object| {
            let closed = !is_object(&object) || is_closed(&object);
            // Below `properties` stand names, not keywords, but a name that looks like one only costs strictness.
            closed && object.members().iter().all(|member| is_strict(member.value))
        }),
        Type::Null | Type::Bool | Type::Number | Type::String => true,
    }
}

fn is_closed(object: &Object<'_>) -> bool {
    let properties = object.get("properties").and_then(Raw::object);
    let required: Vec<_> = object
        .get("required")
        .and_then(Raw::elements)
        .into_iter()
        .flatten()
        .collect();
    let required: std::collections::BTreeSet<_> = required.into_iter().filter_map(Raw::string).collect();
    object.get("additionalProperties").and_then(Raw::bool) == Some(false)
        && properties.is_none_or(|properties| {
            properties
                .members()
                .iter()
                .all(|member| required.contains(&member.key()))
        })
}

#[cfg(test)]
mod tests;
