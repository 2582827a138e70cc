//! Text with a meaning: durations and amounts of money, kept as written.

use crate::rules;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// Decimal places of a nano-dollar.
const NANO_PLACES: usize = 9;

/// A span of time as Gateway API writes it (GEP-2257): `1h30m`, `500ms`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Duration(String);

/// US dollars as a decimal string: `3.00`, `0.0375`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Usd(String);

impl Duration {
    /// The pattern of the schema.
    pub const PATTERN: &str = "^([0-9]{1,5}(h|m|s|ms)){1,4}$";

    /// Keeps `text`, whatever it says.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// How long it is, or `None` for text that is no duration.
    pub fn milliseconds(&self) -> Option<u64> {
        let mut total = 0;
        let mut rest = self.0.as_str();
        while !rest.is_empty() {
            let (number, after) = split_at_end_of(rest, |c| c.is_ascii_digit());
            let (unit, after) = split_at_end_of(after, |c| c.is_ascii_alphabetic());
            total += number.parse::<u32>().ok().map(u64::from)? * milliseconds_in(unit)?;
            rest = after;
        }
        (!self.0.is_empty()).then_some(total)
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The longest prefix of which every character is `wanted`, and what follows it.
fn split_at_end_of(text: &str, wanted: fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !wanted(c)).unwrap_or(text.len()))
}

fn milliseconds_in(unit: &str) -> Option<u64> {
    match unit {
        "h" => Some(3_600_000),
        "m" => Some(60_000),
        "s" => Some(1_000),
        "ms" => Some(1),
        _ => None,
    }
}

impl Usd {
    /// The pattern of the schema: a million dollars at most, nine places at most.
    pub const PATTERN: &str = "^[0-9]{1,6}([.][0-9]{1,9})?$";

    /// Keeps `text`, whatever it says.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Exactly how many nano-dollars it is, or `None` for text that is no such amount.
    pub fn nanos(&self) -> Option<u64> {
        let (whole, fraction) = self.0.split_once('.').unwrap_or((&self.0, ""));
        if whole.is_empty() || fraction.len() > NANO_PLACES {
            return None;
        }
        format!("{whole}{fraction:0<NANO_PLACES$}").parse().ok()
    }
}

impl JsonSchema for Duration {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let (rule, message) = rules::DURATION_ABOVE_ZERO;
        json_schema!({
            "type": "string",
            "maxLength": 32,
            "pattern": Self::PATTERN,
            "x-kubernetes-validations": [{"rule": rule, "message": message}],
        })
    }
}

impl JsonSchema for Usd {
    fn schema_name() -> Cow<'static, str> {
        "Usd".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "maxLength": 16, "pattern": Self::PATTERN})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_the_sum_of_its_parts() {
        let cases = [
            ("2s", Some(2_000)),
            ("1h30m", Some(5_400_000)),
            ("1m1ms", Some(60_001)),
            ("99999h", Some(359_996_400_000)),
            ("0s", Some(0)),
            ("", None),
            ("5", None),
            ("s", None),
            ("1d", None),
            ("-1s", None),
        ];
        for (text, expected) in cases {
            assert_eq!(Duration::new(text).milliseconds(), expected, "{text}");
        }
    }

    #[test]
    fn an_amount_is_exact_to_the_nano_dollar() {
        let cases = [
            ("3", Some(3_000_000_000)),
            ("0.0375", Some(37_500_000)),
            ("0.000000001", Some(1)),
            ("999999.999999999", Some(999_999_999_999_999)),
            ("0.0000000001", None),
            (".5", None),
            ("1.-5", None),
            ("1e3", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(Usd::new(text).nanos(), expected, "{text}");
        }
    }
}
