//! JSON whose objects keep the order of their keys.
//!
//! A provider's cache sees a request as it was written, and an answer is written in the order of the schema it was
//! asked to fit; `serde_json`'s map would sort both.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Number;
use std::fmt;

/// Any JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Json>),
    /// Of a key that is written twice both stand here; `get` finds the last, as the providers do.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// The value of `key`, if this is an object that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Json> {
        match self {
            Json::Object(fields) => fields
                .iter()
                .rev()
                .find(|(name, _)| name == key)
                .map(|(_, value)| value),
            _ => None,
        }
    }

    /// Like `get`; an explicit `null` counts as absent.
    pub(crate) fn given(&self, key: &str) -> Option<&Json> {
        self.get(key).filter(|value| !matches!(value, Json::Null))
    }

    /// The text under `key`.
    pub(crate) fn text_of(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Json::text)
    }

    /// The elements under `key`; none if it is no list.
    pub(crate) fn list_of(&self, key: &str) -> &[Json] {
        self.get(key).map_or(&[], Json::list)
    }

    /// Whether `key` is `true`.
    pub(crate) fn is_set(&self, key: &str) -> bool {
        self.get(key) == Some(&Json::Bool(true))
    }

    /// The number under `key`, if it is a whole one that is not negative.
    pub(crate) fn count_of(&self, key: &str) -> Option<u64> {
        match self.get(key) {
            Some(Json::Number(number)) => number.as_u64(),
            _ => None,
        }
    }

    /// The number under `key`.
    pub(crate) fn number_of(&self, key: &str) -> Option<f64> {
        match self.get(key) {
            Some(Json::Number(number)) => number.as_f64(),
            _ => None,
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The elements of a list; none of anything else.
    pub(crate) fn list(&self) -> &[Json] {
        match self {
            Json::List(elements) => elements,
            _ => &[],
        }
    }

    /// The fields of an object; none of anything else.
    pub(crate) fn fields(&self) -> &[(String, Json)] {
        match self {
            Json::Object(fields) => fields,
            _ => &[],
        }
    }

    /// This object without `key`; anything else as it is.
    pub(crate) fn without(&self, key: &str) -> Json {
        match self {
            Json::Object(fields) => Json::Object(fields.iter().filter(|(name, _)| name != key).cloned().collect()),
            other => other.clone(),
        }
    }

    /// The value written without any white space.
    pub(crate) fn compact(&self) -> String {
        compact(self)
    }
}

/// Anything of ours that is written as JSON, without white space.
pub(crate) fn compact(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("our own shapes have string keys and no failing serializer")
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Number::from_f64(value).map_or(Json::Null, Json::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = access.next_element()? {
            elements.push(element);
        }
        Ok(Json::List(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = access.next_entry()? {
            fields.push(field);
        }
        Ok(Json::Object(fields))
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Json::Null => serializer.serialize_unit(),
            Json::Bool(value) => serializer.serialize_bool(*value),
            Json::Number(number) => number.serialize(serializer),
            Json::Text(text) => serializer.serialize_str(text),
            Json::List(elements) => elements.serialize(serializer),
            Json::Object(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (key, value) in fields {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_their_order_and_numbers_their_value() {
        let written = r#"{"z":1,"a":[true,null,"x",-2,0.5],"m":{"y":18446744073709551615,"b":{}}}"#;
        let json: Json = serde_json::from_str(written).unwrap();
        assert_eq!(json.compact(), written);
    }

    #[test]
    fn of_a_key_written_twice_the_last_counts() {
        let json: Json = serde_json::from_str(r#"{"model":"a","model":"b"}"#).unwrap();
        assert_eq!(json.text_of("model"), Some("b"));
    }
}
