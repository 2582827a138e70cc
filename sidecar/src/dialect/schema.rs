//! JSON schemas, as far as a dialect demands a certain kind of them.

mod fitting;
mod recursion;
mod rules;

pub(super) use fitting::{Fitting, can_fit, fits};
pub(super) use rules::{ANTHROPIC, COHERE, Rules};

use crate::json::{Object, Raw, Type, ValueWriter};

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

/// Larger schemas are passed on as they are: looking into every level costs a walk each.
const LARGEST: usize = 256 * 1024;

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
