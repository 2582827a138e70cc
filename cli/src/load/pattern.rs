//! The patterns of the schema in words. An API server shows the pattern itself; here a person is told what it means.

use pilotfish_crds::scalar::{Duration, Usd};

const WORDS: [(&str, &str); 10] = [
    (Duration::PATTERN, "must be a duration such as 90s, 1h30m or 500ms"),
    (
        Usd::PATTERN,
        "must be US dollars such as 3.00, below a million and with at most 9 decimal places",
    ),
    (
        "^[A-Za-z][A-Za-z0-9]*$",
        "must be letters and digits, starting with a letter",
    ),
    ("^[!-~]+$", "must be printable ASCII without spaces"),
    ("^[!-+.-~-]+$", "must be printable ASCII without spaces and commas"),
    (
        "^[!-~]([ -~]*[!-~])?$",
        "must be printable ASCII, and neither start nor end with a space",
    ),
    ("^[-._a-zA-Z0-9]+$", "must be letters, digits, -, _ and ."),
    (
        "^[A-Za-z0-9]([-.A-Za-z0-9]*[A-Za-z0-9])?$",
        "must be letters, digits, - and ., and start and end with a letter or digit",
    ),
    (
        "^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$",
        "must be lower-case letters, digits, - and ., and start and end with a letter or digit",
    ),
    (
        "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
        "must be lower-case letters, digits and -, and start and end with a letter or digit",
    ),
];

/// What a text that does not match `pattern` is told.
pub(super) fn sentence(pattern: &str) -> String {
    match WORDS.iter().find(|(known, _)| *known == pattern) {
        Some((_, words)) => (*words).to_owned(),
        None => format!("must match {pattern}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn patterns<'a>(schema: &'a Value, found: &mut Vec<&'a str>) {
        found.extend(schema.get("pattern").and_then(Value::as_str));
        let inner: Vec<&Value> = match schema {
            Value::Object(fields) => fields.values().collect(),
            Value::Array(items) => items.iter().collect(),
            _ => Vec::new(),
        };
        inner.into_iter().for_each(|inner| patterns(inner, found));
    }

    #[test]
    fn every_pattern_of_our_schemas_has_its_words() {
        let definitions = serde_json::to_value(pilotfish_crds::definitions()).unwrap();
        let mut found = Vec::new();
        patterns(&definitions, &mut found);
        assert!(found.len() > WORDS.len(), "{found:?}");
        for pattern in found {
            assert!(!sentence(pattern).contains(pattern), "{pattern}");
        }
    }
}
