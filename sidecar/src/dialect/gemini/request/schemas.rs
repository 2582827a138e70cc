//! Google's older schemas, a part of OpenAPI's, as JSON schemas: types are in capitals, `nullable` stands beside them,
//! and numbers of things are written as strings.

use crate::dialect::gemini::spelling::{List, camel_case, given, list as list_of, number, whole};
use crate::json::{Object, ObjectWriter, Raw, ValueWriter};
use memchr::memmem::Finder;
use std::borrow::Cow;
use std::sync::LazyLock;

/// A key that may hold an older schema. Built once: it is looked for in the tools of every request.
static PARAMETERS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"parameters\""));

/// Deeper schemas are passed on as they are: each level costs a walk.
const DEEPEST: u8 = 32;

/// What is converted, and what it becomes.
const OF_FUNCTION: (&str, &str) = ("parameters", "parametersJsonSchema");
const OF_ANSWER: (&str, &str) = ("responseSchema", "responseJsonSchema");

/// The body with every schema converted; `None` when it has none that must be.
pub(in crate::dialect) fn with_json_schemas(object: &Object<'_>) -> Option<Vec<u8>> {
    let generation = given(object, "generationConfig").and_then(Raw::object);
    let of_answer = generation.is_some_and(|generation| given(&generation, OF_ANSWER.0).is_some());
    let of_tools = given(object, "tools").is_some_and(|tools| PARAMETERS.find(tools.text().as_bytes()).is_some());
    if !of_answer && !of_tools {
        return None;
    }
    let mut out = Vec::with_capacity(object.text().len() + 512);
    let mut body = ObjectWriter::new(&mut out);
    for member in object.members() {
        match (&*camel_case(member.key()), member.value.object()) {
            ("generationConfig", Some(generation)) => {
                replace(&generation, OF_ANSWER, body.member("generationConfig"));
            }
            ("tools", _) if !member.value.is_null() => tools(List::of(member.value), body.member("tools")),
            _ => body.copy(member),
        }
    }
    body.end();
    Some(out)
}

fn tools(list: List<'_>, value: ValueWriter<'_>) {
    let mut out = value.array();
    for tool in list {
        let Some(object) = tool.object() else {
            out.raw(tool);
            continue;
        };
        let mut tool = out.object();
        for member in object.members() {
            match &*camel_case(member.key()) {
                "functionDeclarations" if !member.value.is_null() => {
                    let mut list = tool.array("functionDeclarations");
                    for function in List::of(member.value) {
                        match function.object() {
                            Some(object) => replace(&object, OF_FUNCTION, list.element()),
                            None => list.raw(function),
                        }
                    }
                }
                _ => tool.copy(member),
            }
        }
    }
}

/// Copies an object, its old schema becoming the new one unless it has that, too.
fn replace(object: &Object<'_>, (old, new): (&str, &'static str), value: ValueWriter<'_>) {
    let has_new = given(object, new).is_some();
    let mut out = value.object();
    for member in object.members() {
        if camel_case(member.key()) != old {
            out.copy(member);
        } else if !has_new && !member.value.is_null() {
            schema(member.value, out.member(new), 0);
        }
    }
}

fn schema(raw: Raw<'_>, value: ValueWriter<'_>, depth: u8) {
    let Some(object) = raw.object().filter(|_| depth < DEEPEST) else {
        return value.raw(raw);
    };
    let nullable = given(&object, "nullable").and_then(Raw::bool) == Some(true);
    let order: Vec<_> = list_of(&object, "propertyOrdering")
        .into_iter()
        .flatten()
        .filter_map(Raw::string)
        .collect();
    let mut out = value.object();
    for member in object.members() {
        let raw = member.value;
        match &*camel_case(member.key()) {
            "type" => kind(raw, nullable, out.member("type")),
            // No JSON schema has them: the one stands in the type, the other in the order of the properties.
            "nullable" | "propertyOrdering" => {}
            "properties" => map(raw, &order, out.member("properties"), depth),
            "items" => schema(raw, out.member("items"), depth + 1),
            "anyOf" => list(raw, out.member("anyOf"), depth),
            "example" => out.member("examples").array().raw(raw),
            key @ ("minItems" | "maxItems" | "minLength" | "maxLength" | "minProperties" | "maxProperties") => {
                count(raw, out.named(key));
            }
            "minimum" => out.raw("minimum", number(raw)),
            "maximum" => out.raw("maximum", number(raw)),
            // Google's word for a choice is no format that others know.
            "format" if raw.text() == "\"enum\"" => {}
            _ => out.copy(member),
        }
    }
}

fn kind(raw: Raw<'_>, nullable: bool, value: ValueWriter<'_>) {
    let Some(name) = raw.string().map(|name| name.to_ascii_lowercase()) else {
        return value.raw(raw);
    };
    if !nullable {
        return value.string(&name);
    }
    let mut kinds = value.array();
    kinds.string(&name);
    kinds.string("null");
}

/// Models answer in the order of a schema's properties, which Google's older ones say beside them.
fn map(raw: Raw<'_>, order: &[Cow<'_, str>], value: ValueWriter<'_>, depth: u8) {
    let Some(object) = raw.object() else {
        return value.raw(raw);
    };
    let mut members: Vec<_> = object.members().iter().collect();
    if !order.is_empty() {
        let place = |key: &str| order.iter().position(|name| name == key).unwrap_or(order.len());
        members.sort_by_cached_key(|member| place(&member.key()));
    }
    let mut out = value.object();
    for member in members {
        schema(member.value, out.named(&member.key()), depth + 1);
    }
}

fn list(raw: Raw<'_>, value: ValueWriter<'_>, depth: u8) {
    let Some(elements) = raw.elements() else {
        return value.raw(raw);
    };
    let mut out = value.array();
    elements.for_each(|element| schema(element, out.element(), depth + 1));
}

/// A number, which Google also takes as a string.
fn count(raw: Raw<'_>, value: ValueWriter<'_>) {
    value.raw(whole(raw));
}

#[cfg(test)]
mod tests {
    use super::with_json_schemas;

    #[test]
    fn openapi_s_schemas_become_json_schemas_and_all_else_stays() {
        let body = r#"{"contents":[ 1 ],"tools":[{"function_declarations":[{"name":"f","parameters":{"type":"OBJECT",
            "properties":{"type":{"type":"STRING","nullable":true,"format":"enum","enum":["A"]},
            "n":{"type":"ARRAY","items":{"type":"INTEGER"},"minItems":"1"}},"propertyOrdering":["n"]}}]},{"googleSearch":{}}],
            "generationConfig":{"topK":1,"responseSchema":{"anyOf":[{"type":"BOOLEAN","example":true}]}}}"#;
        let object = crate::json::parse(body.as_bytes()).unwrap();
        let expected = concat!(
            r#"{"contents":[ 1 ],"tools":[{"functionDeclarations":[{"name":"f","parametersJsonSchema":{"type":"object","#,
            r#""properties":{"n":{"type":"array","items":{"type":"integer"},"minItems":1},"#,
            r#""type":{"type":["string","null"],"enum":["A"]}}}}]},{"googleSearch":{}}],"#,
            r#""generationConfig":{"topK":1,"responseJsonSchema":{"anyOf":[{"type":"boolean","examples":[true]}]}}}"#,
        );
        assert_eq!(
            String::from_utf8(with_json_schemas(&object).unwrap()).unwrap(),
            expected
        );
        let none = crate::json::parse(br#"{"contents":[],"tools":[{"functionDeclarations":[{"name":"f"}]}]}"#).unwrap();
        assert_eq!(with_json_schemas(&none), None);
    }
}
