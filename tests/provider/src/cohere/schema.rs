//! Of JSON Schema, what can be enforced: the documentation's "Schema constraints" and "Unsupported schema features".

use crate::json::Json;

const UNSUPPORTED: &[&str] = &[
    "anyOf",
    "allOf",
    "oneOf",
    "not",
    "maximum",
    "minimum",
    "minItems",
    "maxItems",
    "maxLength",
    "minLength",
    "uniqueItems",
];
const FORMATS: &[&str] = &["date-time", "uuid", "date", "time"];
const ANCHORS: &[&str] = &["^", "$", "?=", "?!"];

/// What is wrong with a whole schema.
pub(super) fn check(schema: &Json) -> Result<(), String> {
    match schema.text_of("type") {
        Some("object") => part(schema),
        other => Err(format!("the top level must be an object, not {other:?}")),
    }
}

fn part(schema: &Json) -> Result<(), String> {
    if let Some(key) = UNSUPPORTED.iter().find(|key| schema.get(key).is_some()) {
        return Err(format!("{key} is not supported"));
    }
    if let Some(format) = schema.text_of("format").filter(|format| !FORMATS.contains(format)) {
        return Err(format!("format {format} is not supported"));
    }
    if let Some(pattern) = schema
        .text_of("pattern")
        .filter(|pattern| ANCHORS.iter().any(|anchor| pattern.contains(anchor)))
    {
        return Err(format!("pattern {pattern} is not supported"));
    }
    if matches!(schema.get("type"), Some(Json::List(_))) {
        return Err("a type is a string".to_owned());
    }
    if schema.text_of("type") == Some("object") && schema.list_of("required").is_empty() {
        return Err("an object must have a field that is required".to_owned());
    }
    let named = ["properties", "$defs"].iter().filter_map(|key| schema.get(key));
    let inner = named.flat_map(|map| map.fields().iter().map(|(_, schema)| schema));
    inner.chain(schema.get("items")).try_for_each(part)
}
