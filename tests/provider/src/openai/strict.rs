//! The rules of strict schemas.

use crate::json::Json;

/// What keeps a schema from being strict.
pub(super) fn loose(schema: &Json, context: &str) -> Option<String> {
    if let Some(properties) = schema.get("properties") {
        if schema.get("additionalProperties") != Some(&Json::Bool(false)) {
            return Some(format!(
                "In context={context}, 'additionalProperties' is required to be supplied and to be false."
            ));
        }
        let required = |name: &str| schema.list_of("required").iter().any(|key| key.text() == Some(name));
        if let Some((name, _)) = properties.fields().iter().find(|(name, _)| !required(name)) {
            return Some(format!(
                "In context={context}, 'required' is required to be supplied and to be an array including every key in \
                 properties. Missing '{name}'."
            ));
        }
        let inner = |(name, schema): &(String, Json)| loose(schema, &format!("('properties', '{name}')"));
        return properties.fields().iter().find_map(inner);
    }
    schema
        .get("items")
        .and_then(|items| loose(items, &format!("{context}('items')")))
}
