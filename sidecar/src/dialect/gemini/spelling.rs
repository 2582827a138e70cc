//! How freely Google's APIs read JSON: every key in camel case and in snake case, one value where a list is meant, the
//! names of enumerations in any case, numbers as strings.

use crate::json::{self, Elements, Member, Object, Raw, Type};
use std::borrow::Cow;

/// The values of a list, or the only one.
#[derive(Clone, Debug)]
pub(in crate::dialect) struct List<'a> {
    one: Option<Raw<'a>>,
    many: Option<Elements<'a>>,
}

impl<'a> List<'a> {
    pub(in crate::dialect) fn of(value: Raw<'a>) -> Self {
        let many = value.elements();
        let one = many.is_none().then_some(value);
        Self { one, many }
    }

    /// The values looked into while they are walked; `None` for one that is no object.
    pub(in crate::dialect) fn objects(self) -> impl Iterator<Item = Option<Object<'a>>> {
        let many = self.many.into_iter().flat_map(Elements::objects);
        self.one.into_iter().map(Raw::object).chain(many)
    }
}

impl<'a> Iterator for List<'a> {
    type Item = Raw<'a>;

    fn next(&mut self) -> Option<Raw<'a>> {
        match &mut self.many {
            Some(many) => many.next(),
            None => self.one.take(),
        }
    }
}

/// The list that is called `camel`, in either spelling, unless it is null.
pub(in crate::dialect) fn list<'a>(object: &Object<'a>, camel: &str) -> Option<List<'a>> {
    given(object, camel).map(List::of)
}

/// What `camel` of `object` names, as enumerations are written; those of numbers by their place in `names`.
pub(super) fn name<'a>(object: &Object<'a>, camel: &str, names: &[&'static str]) -> Cow<'a, str> {
    let Some(value) = given(object, camel) else {
        return Cow::Borrowed("");
    };
    let by_number = || names.get(usize::try_from(value.u64()?).ok()?).copied();
    match value.string() {
        Some(word) if word.bytes().any(|byte| byte.is_ascii_lowercase()) => word.to_ascii_uppercase().into(),
        Some(word) => word,
        None => by_number().unwrap_or("?").into(),
    }
}

/// A number, which may be written as a string.
pub(in crate::dialect) fn number(value: Raw<'_>) -> Raw<'_> {
    let inner = value.text().strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    inner.and_then(as_number).unwrap_or(value)
}

/// A whole number, which may be written as a string, and with an empty fraction.
pub(in crate::dialect) fn whole(value: Raw<'_>) -> Raw<'_> {
    let value = number(value);
    match value.text().split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|byte| byte == b'0') => as_number(whole).unwrap_or(value),
        _ => value,
    }
}

fn as_number(text: &str) -> Option<Raw<'_>> {
    let parsed = json::parse_value(text.as_bytes()).ok()?;
    (parsed.kind() == Type::Number).then_some(parsed)
}

/// The value of the last member called `camel`, in either spelling, unless it is null.
// Where it is asked, the key is known, and so is how to compare it at once.
#[inline]
pub(in crate::dialect) fn given<'a>(object: &Object<'a>, camel: &str) -> Option<Raw<'a>> {
    let member = object.members().iter().rev().find(|member| is_called(member, camel))?;
    Some(member.value).filter(|value| !value.is_null())
}

/// What `camel` of `object` says, when it is a string.
pub(super) fn word<'a>(object: &Object<'a>, camel: &str) -> Cow<'a, str> {
    given(object, camel).and_then(Raw::string).unwrap_or_default()
}

/// Nearly every key is as it seems; one in the other spelling, which begins alike, or with an escape, is longer.
#[inline]
fn is_called(member: &Member<'_>, camel: &str) -> bool {
    let raw = member.raw_key();
    let first = raw.as_bytes().first();
    let may_be = || raw.len() > camel.len() && (first == camel.as_bytes().first() || first == Some(&b'\\'));
    raw == camel || may_be() && is_spelt_otherwise(member, camel)
}

#[inline(never)]
fn is_spelt_otherwise(member: &Member<'_>, camel: &str) -> bool {
    let raw = member.raw_key().as_bytes();
    raw.iter().any(|byte| matches!(byte, b'_' | b'\\')) && is(&member.key(), camel)
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
    use super::{given, is, list, name, number, whole};

    #[test]
    fn one_value_is_a_list_of_one() {
        for (body, expected) in [
            (r#"{"stop_sequences":["a","b"]}"#, Some(&["\"a\"", "\"b\""][..])),
            (r#"{"stopSequences":"a"}"#, Some(&["\"a\""])),
            (r#"{"stopSequences":{"a":1}}"#, Some(&["{\"a\":1}"])),
            (r#"{"stopSequences":[]}"#, Some(&[])),
            (r#"{"stopSequences":null}"#, None),
        ] {
            let object = crate::json::parse(body.as_bytes()).unwrap();
            let texts = list(&object, "stopSequences").map(|list| list.map(|value| value.text()).collect::<Vec<_>>());
            assert_eq!(texts.as_deref(), expected, "{body}");
            let objects = list(&object, "stopSequences")
                .into_iter()
                .flat_map(super::List::objects);
            assert_eq!(objects.flatten().count(), usize::from(body.contains("{\"a\"")));
        }
    }

    #[test]
    fn a_name_is_known_in_any_case_and_by_its_number() {
        for (value, expected) in [
            ("\"any\"", "ANY"),
            ("\"Any\"", "ANY"),
            ("\"ANY\"", "ANY"),
            ("1", "ANY"),
            ("7", "?"),
            ("null", ""),
            ("true", "?"),
        ] {
            let body = format!(r#"{{"mode":{value}}}"#);
            let object = crate::json::parse(body.as_bytes()).unwrap();
            assert_eq!(name(&object, "mode", &["NONE", "ANY"]), expected, "{value}");
        }
    }

    #[test]
    fn a_number_may_be_a_string() {
        for (value, expected) in [
            ("\"100\"", ["100", "100"]),
            ("100.0", ["100.0", "100"]),
            ("\"-1\"", ["-1", "-1"]),
            ("\"0.5\"", ["0.5", "0.5"]),
            ("1e2", ["1e2", "1e2"]),
            ("\"many\"", ["\"many\"", "\"many\""]),
            ("\"\"", ["\"\"", "\"\""]),
            ("[1.0]", ["[1.0]", "[1.0]"]),
        ] {
            let raw = crate::json::parse_value(value.as_bytes()).unwrap();
            assert_eq!([number(raw).text(), whole(raw).text()], expected);
        }
    }

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
