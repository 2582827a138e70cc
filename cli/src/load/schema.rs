//! Documents against the generated schema, as an API server checks them: nulls dropped, defaults filled in, then types,
//! bounds and unknown fields. It knows what our definitions use of structural schemas, and no more.

use super::pattern;
use super::position::child;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use pilotfish_operator::validate::Fault;
use regex::Regex;
use serde_json::{Map, Number, Value};
use std::collections::BTreeMap;

/// Everything that is wrong with `value`. What it left out has its default afterwards.
pub(super) fn check(path: &str, schema: &JSONSchemaProps, value: &mut Value) -> Vec<Fault> {
    let mut check = Check { faults: Vec::new() };
    check.value(path, schema, value);
    check.faults
}

struct Check {
    faults: Vec<Fault>,
}

impl Check {
    fn fault(&mut self, path: &str, sentence: impl Into<String>) {
        self.faults.push(Fault {
            path: path.to_owned(),
            sentence: sentence.into(),
        });
    }

    fn value(&mut self, path: &str, schema: &JSONSchemaProps, value: &mut Value) {
        let wanted = schema.type_.as_deref().unwrap_or("object");
        match (wanted, value) {
            ("object", Value::Object(fields)) => self.object(path, schema, fields),
            ("array", Value::Array(items)) => self.array(path, schema, items),
            ("string", Value::String(text)) => self.string(path, schema, text),
            ("integer", Value::Number(number)) if !number.is_f64() => self.integer(path, schema, number),
            ("boolean", Value::Bool(_)) => {}
            (_, found) => self.fault(
                path,
                format!("must be {}, not {}", article(wanted), article(type_of(found))),
            ),
        }
    }

    fn object(&mut self, path: &str, schema: &JSONSchemaProps, fields: &mut Map<String, Value>) {
        // A field that is null is one that is not there, because none of ours is nullable.
        fields.retain(|_, value| !value.is_null());
        let count = i64::try_from(fields.len()).unwrap_or(i64::MAX);
        self.at_least(path, count, schema.min_properties, "entry", "entries");
        self.at_most(path, count, schema.max_properties, "entry", "entries");
        if let Some(JSONSchemaPropsOrBool::Schema(values)) = &schema.additional_properties {
            fields
                .iter_mut()
                .for_each(|(key, value)| self.value(&child(path, key), values, value));
            return;
        }
        let known = schema.properties.as_ref();
        self.known_fields(path, known, fields);
        for required in schema
            .required
            .iter()
            .flatten()
            .filter(|field| !fields.contains_key(*field))
        {
            self.fault(&child(path, required), "is required");
        }
    }

    fn known_fields(
        &mut self,
        path: &str,
        known: Option<&BTreeMap<String, JSONSchemaProps>>,
        fields: &mut Map<String, Value>,
    ) {
        let known_here = |field: &String| known.is_some_and(|known| known.contains_key(field));
        for field in fields.keys().filter(|field| !known_here(field)) {
            self.fault(&child(path, field), unknown_field(known));
        }
        for (name, schema) in known.into_iter().flatten() {
            if let (None, Some(default)) = (fields.get(name), &schema.default) {
                fields.insert(name.clone(), default.0.clone());
            }
            if let Some(value) = fields.get_mut(name) {
                self.value(&child(path, name), schema, value);
            }
        }
    }

    fn array(&mut self, path: &str, schema: &JSONSchemaProps, items: &mut [Value]) {
        let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
        self.at_least(path, count, schema.min_items, "item", "items");
        self.at_most(path, count, schema.max_items, "item", "items");
        if let Some(JSONSchemaPropsOrArray::Schema(item)) = &schema.items {
            for (index, value) in items.iter_mut().enumerate() {
                self.value(&format!("{path}[{index}]"), item, value);
            }
        }
        self.distinct(path, schema, items);
    }

    /// Items of a set are distinct, those of a map have distinct keys.
    fn distinct(&mut self, path: &str, schema: &JSONSchemaProps, items: &[Value]) {
        let keys = schema.x_kubernetes_list_map_keys.as_deref().unwrap_or_default();
        let identity = |item: &Value| match schema.x_kubernetes_list_type.as_deref() {
            Some("set") => Some(item.clone()),
            Some("map") => Some(
                keys.iter()
                    .map(|key| item.get(key).cloned().unwrap_or_default())
                    .collect(),
            ),
            _ => None,
        };
        let identities: Vec<Option<Value>> = items.iter().map(identity).collect();
        for (index, identity) in identities.iter().enumerate() {
            let (before, _) = identities.split_at(index);
            if identity.is_some() && before.contains(identity) {
                let what = if keys.is_empty() {
                    "this item".to_owned()
                } else {
                    format!("this {}", keys.join(" and "))
                };
                self.fault(&format!("{path}[{index}]"), format!("{what} is in the list already"));
            }
        }
    }

    /// The first thing that is wrong says enough: an empty text matches no pattern either.
    fn string(&mut self, path: &str, schema: &JSONSchemaProps, text: &str) {
        let before = self.faults.len();
        let count = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
        self.at_least(path, count, schema.min_length, "character", "characters");
        self.at_most(path, count, schema.max_length, "character", "characters");
        if self.faults.len() == before
            && let Some(sentence) = unfit(schema, text)
        {
            self.fault(path, sentence);
        }
    }

    fn integer(&mut self, path: &str, schema: &JSONSchemaProps, number: &Number) {
        let number = number.as_f64().unwrap_or(f64::INFINITY);
        if let Some(minimum) = schema.minimum.filter(|minimum| number < *minimum) {
            self.fault(path, format!("must be at least {minimum}"));
        }
        if let Some(maximum) = schema.maximum.filter(|maximum| number > *maximum) {
            self.fault(path, format!("must be at most {maximum}"));
        }
    }

    fn at_least(&mut self, path: &str, count: i64, minimum: Option<i64>, one: &str, many: &str) {
        if let Some(minimum) = minimum.filter(|minimum| count < *minimum) {
            self.fault(
                path,
                format!("must have at least {minimum} {}", if minimum == 1 { one } else { many }),
            );
        }
    }

    fn at_most(&mut self, path: &str, count: i64, maximum: Option<i64>, one: &str, many: &str) {
        if let Some(maximum) = maximum.filter(|maximum| count > *maximum) {
            self.fault(
                path,
                format!("must have at most {maximum} {}", if maximum == 1 { one } else { many }),
            );
        }
    }
}

/// As RFC 3339 has it; jiff by itself takes shorter forms too.
fn is_date_time(text: &str) -> bool {
    let spelling = r"^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$";
    Regex::new(spelling).is_ok_and(|regex| regex.is_match(text)) && text.parse::<jiff::Timestamp>().is_ok()
}

/// What a text of the right length lacks.
fn unfit(schema: &JSONSchemaProps, text: &str) -> Option<String> {
    let matches = |pattern: &String| Regex::new(pattern).is_ok_and(|regex| regex.is_match(text));
    let allowed = schema.enum_.as_deref().unwrap_or_default();
    if let Some(pattern) = schema.pattern.as_ref().filter(|pattern| !matches(pattern)) {
        Some(pattern::sentence(pattern))
    } else if !allowed.is_empty() && !allowed.iter().any(|allowed| allowed.0 == text) {
        let allowed: Vec<&str> = allowed.iter().filter_map(|allowed| allowed.0.as_str()).collect();
        Some(format!("must be {}", one_of(&allowed)))
    } else if schema.format.as_deref() == Some("date-time") && !is_date_time(text) {
        Some("must be a time such as 2027-06-30T00:00:00Z".to_owned())
    } else {
        None
    }
}

fn unknown_field(known: Option<&BTreeMap<String, JSONSchemaProps>>) -> String {
    let known: Vec<&str> = known.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    if known.is_empty() {
        "unknown field".to_owned()
    } else {
        format!("unknown field; known here: {}", known.join(", "))
    }
}

fn one_of(allowed: &[&str]) -> String {
    match allowed {
        [only] => (*only).to_owned(),
        _ => format!("one of {}", allowed.join(", ")),
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// A type in the words of a sentence.
fn article(type_: &str) -> String {
    match type_ {
        "array" => "a list".to_owned(),
        "null" => "null".to_owned(),
        "integer" | "object" => format!("an {type_}"),
        _ => format!("a {type_}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schema() -> JSONSchemaProps {
        let schema = json!({
            "type": "object",
            "required": ["name"],
            "properties": {
                "name": {"type": "string", "minLength": 1, "maxLength": 3, "pattern": "^[a-z]*$"},
                "mode": {"type": "string", "enum": ["On", "Off"], "default": "On"},
                "count": {"type": "integer", "minimum": 1.0, "maximum": 9.0},
                "tags": {
                    "type": "array", "maxItems": 3, "x-kubernetes-list-type": "set", "items": {"type": "string"},
                },
                "rules": {
                    "type": "array", "minItems": 1, "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["name"],
                    "items": {"type": "object", "properties": {"name": {"type": "string"}, "on": {"type": "boolean"}}},
                },
                "labels": {"type": "object", "maxProperties": 1, "additionalProperties": {"type": "string"}},
                "until": {"type": "string", "format": "date-time"},
            },
        });
        serde_json::from_value(schema).unwrap()
    }

    fn checked(mut value: Value, expected: &[&str]) -> Value {
        let faults = check("spec", &schema(), &mut value);
        let faults: Vec<String> = faults
            .into_iter()
            .map(|fault| format!("{}: {}", fault.path, fault.sentence))
            .collect();
        assert_eq!(faults, expected, "{value}");
        value
    }

    #[test]
    fn what_is_left_out_or_null_has_its_default() {
        assert_eq!(
            checked(json!({"name": "a", "mode": null}), &[]),
            json!({"name": "a", "mode": "On"})
        );
    }

    #[test]
    fn each_bound_has_its_sentence() {
        checked(json!({}), &["spec.name: is required"]);
        checked(json!([]), &["spec: must be an object, not a list"]);
        checked(json!({"name": 5}), &["spec.name: must be a string, not an integer"]);
        checked(
            json!({"name": "", "count": 1.5}),
            &[
                "spec.count: must be an integer, not a number",
                "spec.name: must have at least 1 character",
            ],
        );
        checked(json!({"name": "abcd"}), &["spec.name: must have at most 3 characters"]);
        checked(json!({"name": "AB"}), &["spec.name: must match ^[a-z]*$"]);
        checked(
            json!({"name": "a", "mode": "on"}),
            &["spec.mode: must be one of On, Off"],
        );
        checked(json!({"name": "a", "count": 0}), &["spec.count: must be at least 1"]);
        checked(
            json!({"name": "a", "count": 18_446_744_073_709_551_615_u64}),
            &["spec.count: must be at most 9"],
        );
        checked(json!({"name": "a", "until": "2027-06-30T00:00:00.5+02:00"}), &[]);
        for no_time in [
            "soon",
            "2027-06-30",
            "2027-06-30T00Z",
            "20270630T000000Z",
            "2027-13-30T00:00:00Z",
        ] {
            let sentence = "spec.until: must be a time such as 2027-06-30T00:00:00Z";
            checked(json!({"name": "a", "until": no_time}), &[sentence]);
        }
        checked(
            json!({"name": "a", "labels": {"a": "b", "c": true}}),
            &[
                "spec.labels: must have at most 1 entry",
                "spec.labels.c: must be a string, not a boolean",
            ],
        );
    }

    #[test]
    fn lists_are_bounded_and_hold_nothing_twice() {
        checked(
            json!({"name": "a", "tags": ["x", "y", "x", 5]}),
            &[
                "spec.tags: must have at most 3 items",
                "spec.tags[3]: must be a string, not an integer",
                "spec.tags[2]: this item is in the list already",
            ],
        );
        checked(
            json!({"name": "a", "rules": []}),
            &["spec.rules: must have at least 1 item"],
        );
        let twice = json!([{"name": "x", "on": true}, {"name": "x"}]);
        checked(
            json!({"name": "a", "rules": twice}),
            &["spec.rules[1]: this name is in the list already"],
        );
    }

    #[test]
    fn an_unknown_field_is_told_with_those_that_are_known() {
        let known = "known here: count, labels, mode, name, rules, tags, until";
        checked(
            json!({"name": "a", "nmae": "b"}),
            &[&format!("spec.nmae: unknown field; {known}")],
        );
    }
}
