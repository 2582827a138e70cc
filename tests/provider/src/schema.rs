//! A value that fits a simple JSON schema: types, enums, required and other properties, items, unions, local `$ref`s.

use crate::json::Json;
use serde_json::Number;

/// How deep a schema is followed; one that refers to itself ends here.
const DEPTH: usize = 12;

/// A value for `schema`, whose texts are `word`.
pub(crate) fn instance(schema: &Json, word: &str) -> Json {
    Maker { root: schema, word }.make(schema, DEPTH)
}

struct Maker<'a> {
    root: &'a Json,
    word: &'a str,
}

impl Maker<'_> {
    fn make(&self, schema: &Json, depth: usize) -> Json {
        if depth == 0 {
            return Json::Null;
        }
        if let Some(target) = schema.text_of("$ref").and_then(|reference| self.resolve(reference)) {
            return self.make(target, depth - 1);
        }
        if let Some(value) = schema.get("const").or_else(|| schema.list_of("enum").first()) {
            return value.clone();
        }
        let union = ["anyOf", "oneOf", "allOf"]
            .iter()
            .find_map(|key| schema.list_of(key).first());
        if let Some(first) = union {
            return self.make(first, depth - 1);
        }
        match type_of(schema) {
            "object" => self.object(schema, depth),
            "array" => self.array(schema, depth),
            "integer" | "number" => number(schema),
            "boolean" => Json::Bool(true),
            "null" => Json::Null,
            _ => Json::Text(self.string(schema)),
        }
    }

    fn object(&self, schema: &Json, depth: usize) -> Json {
        let properties = schema.get("properties").map_or(&[][..], Json::fields);
        Json::Object(
            properties
                .iter()
                .map(|(name, schema)| (name.clone(), self.make(schema, depth - 1)))
                .collect(),
        )
    }

    fn array(&self, schema: &Json, depth: usize) -> Json {
        let count = schema.count_of("minItems").unwrap_or(1).max(1);
        let item = schema
            .get("items")
            .map_or(Json::Text(self.word.to_owned()), |items| self.make(items, depth - 1));
        Json::List((0..count.min(64)).map(|_| item.clone()).collect())
    }

    fn string(&self, schema: &Json) -> String {
        match schema.text_of("format") {
            Some("date-time") => "2026-01-02T03:04:05Z".to_owned(),
            Some("date") => "2026-01-02".to_owned(),
            Some("time") => "03:04:05Z".to_owned(),
            Some("email") => "someone@example.com".to_owned(),
            Some("uuid") => "00000000-0000-4000-8000-000000000000".to_owned(),
            _ => self.word.to_owned(),
        }
    }

    fn resolve(&self, reference: &str) -> Option<&Json> {
        let path = reference.strip_prefix('#')?;
        path.split('/')
            .skip(1)
            .try_fold(self.root, |schema, key| schema.get(key))
    }
}

fn type_of(schema: &Json) -> &str {
    match schema.get("type") {
        Some(Json::Text(name)) => name,
        Some(Json::List(names)) => names
            .iter()
            .filter_map(Json::text)
            .find(|name| *name != "null")
            .unwrap_or("null"),
        _ if schema.get("properties").is_some() => "object",
        _ if schema.get("items").is_some() => "array",
        _ => "string",
    }
}

fn number(schema: &Json) -> Json {
    match schema.get("minimum") {
        Some(Json::Number(minimum)) => Json::Number(minimum.clone()),
        _ => Json::Number(Number::from(7)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_fits_its_schema_and_keeps_its_order() {
        let table = [
            (r#"{"type":"string"}"#, r#""Paris""#),
            (r#"{"enum":["b","a"]}"#, r#""b""#),
            (r#"{"type":["null","integer"],"minimum":3}"#, "3"),
            (
                r#"{"type":"array","items":{"type":"boolean"},"minItems":2}"#,
                "[true,true]",
            ),
            (
                r##"{"type":"object","properties":{"z":{"type":"string"},"a":{"$ref":"#/$defs/d"}},"$defs":{"d":{"type":"number"}}}"##,
                r#"{"z":"Paris","a":7}"#,
            ),
            (r#"{"anyOf":[{"type":"object","properties":{}},{"type":"null"}]}"#, "{}"),
            (r##"{"$ref":"#"}"##, "null"),
        ];
        for (schema, expected) in table {
            let schema: Json = serde_json::from_str(schema).unwrap();
            assert_eq!(instance(&schema, "Paris").compact(), expected, "{}", schema.compact());
        }
    }
}
