//! Against serde_json, on texts that chance writes and damages.

use crate::json::*;
use proptest::prelude::*;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// What serde_json makes of an object: keys resolved, values as written, duplicates kept.
struct Pairs(Vec<(String, Box<RawValue>)>);

impl<'de> serde::Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Pairs;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

fn serde_accepts(text: &[u8]) -> bool {
    serde_json::from_slice::<&RawValue>(text).is_ok()
}

fn one_of(choices: &'static [&'static str]) -> impl Strategy<Value = String> {
    proptest::sample::select(choices).prop_map(str::to_owned)
}

fn space() -> impl Strategy<Value = String> {
    prop_oneof![4 => Just(String::new()), 1 => "[ \n\r\t]{1,3}"]
}

/// Quoted strings: letters, escapes, surrogates with and without their pair, long enough to cross the scanner's blocks.
fn string_text() -> impl Strategy<Value = String> {
    let escape = r#"\\[\\"/bfnrt]|\\u[0-9a-fA-F]{4}|\\u[dD][89abAB][0-9a-fA-F]{2}(\\u[dD][c-fC-F][0-9a-fA-F]{2})?"#;
    let piece = prop_oneof![
        4 => "[a-z ]{0,12}",
        1 => "[ -!#-\\[\\]-~]{0,70}",
        1 => "[éß€漢😀\u{7f}\u{2028}]{1,4}",
        2 => escape,
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

fn number_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?",
        any::<u64>().prop_map(|number| number.to_string()),
        any::<f64>()
            .prop_filter("JSON has no NaN", |number| number.is_finite())
            .prop_map(|number| format!("{number:e}")),
    ]
}

/// Valid texts, spelt in every way the grammar allows.
fn value_text() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![one_of(&["null", "true", "false"]), string_text(), number_text()];
    scalar.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![array_text(inner.clone()), object_text(inner)]
    })
}

fn array_text(inner: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let element = (space(), inner, space()).prop_map(|(before, value, after)| before + &value + &after);
    (prop::collection::vec(element, 0..6), space()).prop_map(|(elements, space)| match elements.is_empty() {
        true => format!("[{space}]"),
        false => format!("[{}]", elements.join(",")),
    })
}

fn object_text(inner: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let key = prop_oneof![one_of(&[r#""model""#, r#""mod\u0065l""#, r#""a""#]), string_text()];
    let member = (space(), key, space(), space(), inner, space())
        .prop_map(|(a, key, b, c, value, d)| format!("{a}{key}{b}:{c}{value}{d}"));
    (prop::collection::vec(member, 0..6), space()).prop_map(|(members, space)| match members.is_empty() {
        true => format!("{{{space}}}"),
        false => format!("{{{}}}", members.join(",")),
    })
}

/// One small damage: a byte put in, taken out or replaced, or the end cut off.
fn damaged(mut text: Vec<u8>, at: prop::sample::Index, byte: u8, how: u8) -> Vec<u8> {
    let at = at.index(text.len());
    match how {
        0 => text.insert(at, byte),
        1 => drop(text.remove(at)),
        2 => text[at] = byte,
        _ => text.truncate(at),
    }
    text
}

/// Bytes that matter to the grammar, and any others.
fn telling_byte() -> impl Strategy<Value = u8> {
    prop_oneof![
        3 => proptest::sample::select(b"\"\\{}[],:.-+eEu0123456789tfn \n\t\x00\x1f\x7f\x80\xc3\xed\xff".as_slice()),
        1 => any::<u8>(),
    ]
}

/// Walks a value to its ends and compares all of it with what serde_json read.
fn assert_same(raw: Raw<'_>, expected: &serde_json::Value) {
    use serde_json::Value;
    match expected {
        Value::Null => assert!(raw.is_null()),
        Value::Bool(value) => assert_eq!(raw.bool(), Some(*value)),
        Value::Number(number) => assert_near(raw.f64().expect("a number"), number.as_f64().expect("a number")),
        Value::String(text) => assert_eq!(raw.string().as_deref(), Some(text.as_str())),
        Value::Array(elements) => {
            let raws: Vec<_> = raw.elements().expect("an array").collect();
            assert_eq!(raws.len(), elements.len(), "{}", raw.text());
            raws.iter()
                .zip(elements)
                .for_each(|(raw, expected)| assert_same(*raw, expected));
        }
        Value::Object(members) => {
            let object = raw.object().expect("an object");
            members
                .iter()
                .for_each(|(key, expected)| assert_same(object.get(key).expect("the key"), expected));
        }
    }
}

/// serde_json may miss the nearest double by a little.
fn assert_near(number: f64, expected: f64) {
    assert!(
        (number - expected).abs() <= expected.abs() * 1e-15,
        "{number} is not {expected}"
    );
}

/// What every way of looking into a value finds in it.
pub(super) fn found(raw: Raw<'_>) -> Vec<String> {
    let mut all = vec![raw.text().to_owned()];
    if let Some(elements) = raw.elements() {
        all.extend(elements.clone().flat_map(found));
        let texts = elements
            .clone()
            .objects()
            .flatten()
            .map(|object| object.text().to_owned());
        all.extend(texts);
        let mut in_turn = elements.in_turn();
        while let Some((index, object)) = in_turn.advance() {
            all.push(index.to_string());
            all.extend(object.into_iter().flat_map(found_in));
        }
    }
    all.extend(raw.object().iter().flat_map(found_in));
    raw.visit(|_, key, value| all.push(format!("{key}: {}", value.text())));
    all
}

pub(super) fn found_in(object: &Object<'_>) -> Vec<String> {
    let members = object.members().iter();
    members
        .flat_map(|member| [vec![member.key().into_owned()], found(member.value)].concat())
        .collect()
}

proptest! {
    #[test]
    fn an_index_changes_nothing_of_what_is_found(text in object_text(value_text())) {
        let mut index = Index::default();
        let indexed = parse_indexed(text.as_bytes(), &mut index).unwrap();
        prop_assert_eq!(found_in(&indexed), found_in(&parse(text.as_bytes()).unwrap()));
    }

    #[test]
    fn valid_texts_are_accepted_and_mean_what_serde_json_reads(text in value_text()) {
        let padded = format!(" \n{text}\t ");
        let raw = parse_value(padded.as_bytes()).unwrap();
        prop_assert_eq!(raw.text(), text.as_str());
        // serde_json refuses lone surrogates and numbers beyond a double; then there is nothing to compare with.
        if let Ok(expected) = serde_json::from_str::<serde_json::Value>(&text) {
            assert_same(raw, &expected);
        }
    }

    #[test]
    fn damaged_texts_are_judged_as_serde_json_judges_them(
        text in value_text(), at: prop::sample::Index, byte in telling_byte(), how in 0..4_u8,
        again: prop::sample::Index, other in telling_byte(),
    ) {
        let once = damaged(text.into_bytes(), at, byte, how);
        prop_assert_eq!(parse_value(&once).is_ok(), serde_accepts(&once), "{:?}", String::from_utf8_lossy(&once));
        if !once.is_empty() {
            let twice = damaged(once, again, other, how);
            prop_assert_eq!(parse_value(&twice).is_ok(), serde_accepts(&twice), "{:?}", String::from_utf8_lossy(&twice));
        }
    }

    #[test]
    fn arbitrary_bytes_are_judged_as_serde_json_judges_them(bytes in prop::collection::vec(telling_byte(), 0..24)) {
        prop_assert_eq!(parse_value(&bytes).is_ok(), serde_accepts(&bytes));
    }

    #[test]
    fn members_come_in_order_as_written_with_duplicates(text in object_text(value_text())) {
        let object = parse(text.as_bytes()).unwrap();
        if let Ok(Pairs(pairs)) = serde_json::from_str(&text) {
            let expected: Vec<_> = pairs.iter().map(|(key, value)| (key.as_str(), value.get())).collect();
            let keys: Vec<_> = object.members().iter().map(Member::key).collect();
            let found: Vec<_> = keys.iter().zip(object.members()).map(|(key, m)| (&**key, m.value.text())).collect();
            prop_assert_eq!(&found, &expected);
            for (key, _) in &expected {
                prop_assert_eq!(object.count(key), expected.iter().filter(|(other, _)| other == key).count());
                let last = expected.iter().rfind(|(other, _)| other == key).map(|(_, value)| *value);
                prop_assert_eq!(object.get(key).map(Raw::text), last);
            }
        }
    }

    #[test]
    fn a_nested_object_shows_what_it_would_show_on_its_own(text in object_text(value_text())) {
        let outer = format!(r#"{{"a":[{text}, {text}]}}"#);
        let nested = parse(outer.as_bytes()).unwrap().get("a").unwrap();
        let alone = parse(text.as_bytes()).unwrap();
        for element in nested.elements().unwrap() {
            prop_assert_eq!(element.text(), text.as_str());
            let object = element.object().unwrap();
            let members = |object: &Object<'_>| {
                object.members().iter().map(|m| (m.key().into_owned(), m.value.text().to_owned())).collect::<Vec<_>>()
            };
            prop_assert_eq!(members(&object), members(&alone));
        }
    }

    #[test]
    fn spans_splice_exactly(text in object_text(value_text())) {
        let object = parse(text.as_bytes()).unwrap();
        for member in object.members() {
            prop_assert_eq!(&text.as_bytes()[object.span(member.value)], member.value.text().as_bytes());
        }
    }

    #[test]
    fn written_strings_read_back_and_hold_no_needless_escape(text in any::<String>()) {
        let mut out = Vec::new();
        write_string(&mut out, &text);
        prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text.as_str());
        prop_assert_eq!(parse_value(&out).unwrap().string().unwrap(), text.as_str());
        prop_assert_eq!(out, serde_json::to_vec(&text).unwrap());
    }

    #[test]
    fn the_fast_searches_for_special_bytes_agree_with_the_slow_one(
        pieces in prop::collection::vec(("[ -!#-\\[\\]-~é]{0,80}", telling_byte()), 0..6),
        passed in any::<u64>(),
    ) {
        let bytes: Vec<u8> = pieces.iter().flat_map(|(plain, byte)| [plain.as_bytes(), &[*byte]].concat()).collect();
        let special = |at: &usize| bytes[*at] < 0x20 || bytes[*at] == b'"' || bytes[*at] == b'\\';
        let slow: Vec<_> = (0..bytes.len()).filter(special).collect();
        prop_assert_eq!(find::Places::new(&bytes, find::special).collect::<Vec<_>>(), &slow[..]);
        if let Some(start) = bytes.first_chunk() {
            prop_assert_eq!(find::until_special(start), slow.first().map_or(16, |at| *at.min(&16)));
        }
        // Some of them pass over what follows.
        let mut specials = find::Places::new(&bytes, find::special);
        let (mut left, mut round) = (slow.into_iter().peekable(), 0);
        while let Some(at) = specials.next() {
            prop_assert_eq!(left.next(), Some(at));
            if passed >> (round % 64) & 1 == 1 {
                specials.pass_over_next();
                left.next_if_eq(&(at + 1));
            }
            round += 1;
        }
        prop_assert_eq!(left.next(), None);
    }

    #[test]
    fn whole_numbers_are_read_however_they_are_spelt(number: u64, zeros in 0..5_usize) {
        let zeros = "0".repeat(zeros);
        for text in [format!("{number}"), format!("{number}.0{zeros}"), format!("{number}{zeros}e-{}", zeros.len())] {
            prop_assert_eq!(parse_value(text.as_bytes()).unwrap().u64(), Some(number), "{}", text);
        }
    }
}
