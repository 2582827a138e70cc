//! Google's APIs take every key in camel case and in snake case.

use crate::json::{Member, Object, Raw};
use std::borrow::Cow;

/// The value of the last member called `camel`, in either spelling, unless it is null.
pub(in crate::dialect) fn given<'a>(object: &Object<'a>, camel: &str) -> Option<Raw<'a>> {
    let member = object.members().iter().rev().find(|member| is_called(member, camel))?;
    Some(member.value).filter(|value| !value.is_null())
}

/// What `camel` of `object` says, when it is a string.
pub(super) fn word<'a>(object: &Object<'a>, camel: &str) -> Cow<'a, str> {
    given(object, camel).and_then(Raw::string).unwrap_or_default()
}

/// Nearly every key is as it seems; one in the other spelling, or with an escape, is longer.
fn is_called(member: &Member<'_>, camel: &str) -> bool {
    let raw = member.raw_key();
    raw == camel || raw.len() > camel.len() && may_be(raw.as_bytes(), camel.as_bytes()) && is(&member.key(), camel)
}

/// Whether a longer key may be the same in the other spelling, which begins alike, or with an escape.
fn may_be(raw: &[u8], camel: &[u8]) -> bool {
    let begins_alike = raw.first() == camel.first() || raw.first() == Some(&b'\\');
    begins_alike && raw.iter().any(|byte| matches!(byte, b'_' | b'\\'))
}

/// Whether `key` is `camel` in either spelling.
pub(super) fn is(key: &str, camel: &str) -> bool {
    key == camel || key.contains('_') && camel_case(Cow::Borrowed(key)) == camel
}

/// A key as the tables have it.
pub(in crate::dialect) fn camel_case(key: Cow<'_, str>) -> Cow<'_, str> {
    // One that begins with an underscore is no snake.
    if !key.as_bytes().contains(&b'_') || key.starts_with('_') {
        return key;
    }
    let mut camel = String::with_capacity(key.len());
    let mut rises = false;
    for c in key.chars() {
        match c {
            '_' => rises = true,
            c if std::mem::take(&mut rises) => camel.push(c.to_ascii_uppercase()),
            c => camel.push(c),
        }
    }
    Cow::Owned(camel)
}

#[cfg(test)]
mod tests {
    use super::{given, is};

    #[test]
    fn a_key_is_found_in_both_spellings_and_the_last_one_counts() {
        for (key, camel, expected) in [
            ("contents", "contents", true),
            ("systemInstruction", "systemInstruction", true),
            ("system_instruction", "systemInstruction", true),
            ("systeminstruction", "systemInstruction", false),
            ("top_k", "topK", true),
            ("_top_k", "topK", false),
        ] {
            assert_eq!(is(key, camel), expected, "{key}");
        }
        let object = crate::json::parse(br#"{"topK":1,"top_k":2,"topP":null}"#).unwrap();
        assert_eq!(given(&object, "topK").map(|value| value.text()), Some("2"));
        assert_eq!(given(&object, "topP"), None);
        let object = crate::json::parse(br#"{"t\u006fpK":3,"topKK":4}"#).unwrap();
        assert_eq!(given(&object, "topK").map(|value| value.text()), Some("3"));
    }
}
