use super::*;
use std::fmt;

mod properties;

#[test]
fn refusals_name_the_problem_and_the_place() {
    let refusals: &[(&[u8], &str)] = &[
        (b"", "expected a JSON object, found nothing at byte 0"),
        (b" \r\n", "expected a JSON object, found nothing at byte 3"),
        (
            b"\xef\xbb\xbf{}",
            "expected a JSON object, found a byte order mark at byte 0",
        ),
        (b"[]", "expected a JSON object, found an array at byte 0"),
        (b"\"x\"", "expected a JSON object, found a string at byte 0"),
        (b"-1", "expected a JSON object, found a number at byte 0"),
        (b"null", "expected a JSON object at byte 0"),
        (b"model=x", "expected a JSON object at byte 0"),
        (b"{", "expected a key in quotes at byte 1"),
        (b"{a:1}", "expected a key in quotes at byte 1"),
        (b"{\"a\" 1}", "expected `:` at byte 5"),
        (b"{\"a\":}", "expected a value at byte 5"),
        (b"{\"a\":", "unexpected end of the text at byte 5"),
        (b"{\"a\":1", "expected `,` or `}` at byte 6"),
        (b"{\"a\":1,}", "expected a key in quotes at byte 7"),
        (b"{\"a\":[1 2]}", "expected `,` or `]` at byte 8"),
        (b"{\"a\":[1,]}", "expected a value at byte 8"),
        (b"{\"a\":[1}}", "expected `,` or `]` at byte 7"),
        (b"{\"a\":{\"b\":1]}", "expected `,` or `}` at byte 11"),
        (b"{\"a\":tru}", "expected a value at byte 5"),
        (b"{\"a\":01}", "number with a leading zero at byte 6"),
        (b"{\"a\":1.}", "expected a digit at byte 7"),
        (b"{\"a\":-}", "expected a digit at byte 6"),
        (b"{\"a\":1e+}", "expected a digit at byte 8"),
        (b"{\"a\":\"b}", "string without an end at byte 8"),
        (b"{\"a\":\"\n\"}", "control character in a string at byte 6"),
        (b"{\"a\":\"\\x\"}", "unknown escape in a string at byte 6"),
        (
            b"{\"a\":\"\\u12g4\"}",
            "`\\u` without four hexadecimal digits at byte 6",
        ),
        (b"{\"a\":\"\xff\"}", "invalid UTF-8 at byte 6"),
        (b"{\"a\":\"\xed\xa0\x80\"}", "invalid UTF-8 at byte 6"),
        (b"{} {}", "unexpected text after the JSON value at byte 3"),
    ];
    for (text, sentence) in refusals {
        assert_eq!(
            parse(text).unwrap_err().to_string(),
            *sentence,
            "{}",
            String::from_utf8_lossy(text)
        );
    }
}

#[test]
fn a_text_without_a_value_is_refused_in_words() {
    let refusals: &[(&[u8], &str)] = &[
        (b"", "expected a JSON value, found nothing at byte 0"),
        (
            b"\xef\xbb\xbf1",
            "expected a JSON value, found a byte order mark at byte 0",
        ),
        (b"x", "expected a value at byte 0"),
        (b"1 1", "unexpected text after the JSON value at byte 2"),
    ];
    for (text, sentence) in refusals {
        assert_eq!(
            parse_value(text).unwrap_err().to_string(),
            *sentence,
            "{}",
            String::from_utf8_lossy(text)
        );
    }
}

/// `count` levels, the outermost an object, then arrays and objects in turn.
fn nested(count: usize) -> String {
    let (open, close) = (["{\"a\":", "["], ["}", "]"]);
    let opened: String = (0..count).map(|level| open[level % 2]).collect();
    let closed: String = (0..count).rev().map(|level| close[level % 2]).collect();
    format!("{opened}1{closed}")
}

#[test]
fn nesting_is_accepted_to_its_limit_and_refused_beyond_it() {
    let deepest = nested(MAX_DEPTH);
    let object = parse(deepest.as_bytes()).unwrap();
    assert_eq!(parse_value(deepest.as_bytes()).unwrap().text(), deepest);
    assert_eq!(
        object.get("a").unwrap().text(),
        deepest.get(5..deepest.len() - 1).unwrap()
    );
    for levels in [MAX_DEPTH + 1, 20_000, 1_000_000] {
        let offset = nested(MAX_DEPTH).find('1').unwrap();
        let refusal = Err(Error {
            problem: "nesting deeper than 128",
            offset,
        });
        assert_eq!(parse(nested(levels).as_bytes()).map(|_| ()), refusal, "{levels}");
        assert_eq!(parse_value(nested(levels).as_bytes()).map(|_| ()), refusal, "{levels}");
    }
    assert!(parse_value("[".repeat(20_000).as_bytes()).is_err());
}

#[test]
fn an_empty_array_or_object_counts_as_a_level() {
    for innermost in ["[]", "{}", "[1]", "{\"a\":1}"] {
        let text = |levels: usize| format!("{}{innermost}{}", "[".repeat(levels - 1), "]".repeat(levels - 1));
        assert!(parse_value(text(MAX_DEPTH).as_bytes()).is_ok(), "{innermost}");
        assert!(parse_value(text(MAX_DEPTH + 1).as_bytes()).is_err(), "{innermost}");
    }
}

#[test]
fn an_object_of_too_many_members_is_refused_but_may_be_carried() {
    let many = format!("{{{}\"a\":0}}", "\"a\":0,".repeat(MAX_MEMBERS));
    assert_eq!(
        parse(many.as_bytes()).unwrap_err().problem,
        "more than 65536 members in the object"
    );
    let raw = parse_value(many.as_bytes()).unwrap();
    assert!(raw.object().is_none());
    assert_eq!(raw.text(), many);
}

#[test]
fn a_key_is_the_same_key_however_it_is_spelt() {
    let object = parse(br#"{"model":"a","mod\u0065l":"b","mode\\l":1,"\ud83d\ude00":2,"mod\u0065":3}"#).unwrap();
    assert_eq!(object.count("model"), 2);
    assert_eq!(object.get("model").and_then(Raw::string).as_deref(), Some("b"));
    assert_eq!(object.get("mode\\l").and_then(Raw::u64), Some(1));
    assert_eq!(object.get("mode\\\\l").map(Raw::text), None);
    assert_eq!(object.get("😀").and_then(Raw::u64), Some(2));
    assert_eq!(object.get("mode").and_then(Raw::u64), Some(3));
    assert_eq!(object.count("mod\\u0065l"), 0);
    assert_eq!(object.members()[1].key(), "model");
}

#[test]
fn strings_are_borrowed_unless_an_escape_must_be_resolved() {
    let check = |text: &str, expected: &str, borrowed: bool| {
        let string = parse_value(text.as_bytes()).unwrap().string().unwrap();
        assert_eq!(string, expected);
        assert_eq!(matches!(string, Cow::Borrowed(_)), borrowed, "{text}");
    };
    check(r#""""#, "", true);
    check(r#""plain é 😀""#, "plain é 😀", true);
    check(r#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t", false);
    check(r#""\u00e9\u0000\uFFFF""#, "é\0\u{ffff}", false);
    check(r#""\ud83d\ude00""#, "😀", false);
    check(r#""\ud83d""#, "\u{fffd}", false);
    check(r#""\ude00x""#, "\u{fffd}x", false);
    check(r#""\ud83d\ud83d\ude00""#, "\u{fffd}😀", false);
    check(r#""\ud83d\u0041""#, "\u{fffd}A", false);
    check(r#""\ud83d\n""#, "\u{fffd}\n", false);
    check(r#""\u0041\u0042""#, "AB", false);
}

#[test]
fn whole_numbers_that_fit_are_whole_numbers() {
    let check = |text: &str, expected: Option<u64>| {
        assert_eq!(parse_value(text.as_bytes()).unwrap().u64(), expected, "{text}");
    };
    check("0", Some(0));
    check("0.0e-5", Some(0));
    check(&format!("1{}e-50", "0".repeat(50)), Some(1));
    check("3.0", Some(3));
    check("3e0", Some(3));
    check("3E+2", Some(300));
    check("1.5e1", Some(15));
    check("30e-1", Some(3));
    check("18446744073709551615", Some(u64::MAX));
    check("18446744073709551616", None);
    check("9007199254740993.0", Some(9_007_199_254_740_993));
    check("0.99999999999999999999", None);
    check("1.5", None);
    check("-3", None);
    check("-3.0", None);
    check("35e-1", None);
    check("1e20", None);
    check("1e99999999999999999999", None);
    check("1e-99999999999999999999", None);
    check("\"3\"", None);
    check("true", None);
}

#[test]
fn numbers_beyond_a_double_have_no_value_but_are_kept() {
    let raw = parse_value(b"1e999").unwrap();
    assert_eq!(raw.f64(), None);
    assert_eq!(raw.text(), "1e999");
    assert_eq!(parse_value(b"1e-999").unwrap().f64(), Some(0.0));
    assert_eq!(parse_value(b"-0.25").unwrap().f64(), Some(-0.25));
    assert_eq!(parse_value(b"\"1\"").unwrap().f64(), None);
    let digits = "9".repeat(400);
    assert_eq!(parse_value(digits.as_bytes()).unwrap().text(), digits);
}

#[test]
fn a_value_is_what_it_is_and_nothing_else() {
    let kinds = [
        ("null", Type::Null),
        ("false", Type::Bool),
        ("-1", Type::Number),
        ("\"{\"", Type::String),
        ("[{}]", Type::Array),
        ("{\"a\":[]}", Type::Object),
    ];
    for (text, kind) in kinds {
        let raw = parse_value(text.as_bytes()).unwrap();
        assert_eq!(raw.kind(), kind);
        assert_eq!(raw.is_null(), kind == Type::Null);
        assert_eq!(raw.bool().is_some(), kind == Type::Bool);
        assert_eq!(raw.f64().is_some(), kind == Type::Number);
        assert_eq!(raw.string().is_some(), kind == Type::String);
        assert_eq!(raw.elements().is_some(), kind == Type::Array);
        assert_eq!(raw.object().is_some(), kind == Type::Object);
    }
}

#[test]
fn elements_end_once_and_for_all() {
    let mut elements = parse_value(b" [ 1 ,[2,\"]\"], {\"a\":\"\\\\\"} ] ")
        .unwrap()
        .elements()
        .unwrap();
    let texts: Vec<_> = elements.by_ref().map(Raw::text).collect();
    assert_eq!(texts, ["1", "[2,\"]\"]", "{\"a\":\"\\\\\"}"]);
    assert_eq!(elements.next(), None);
    assert_eq!(parse_value(b"[ ]").unwrap().elements().unwrap().next(), None);
}

#[test]
fn the_span_of_an_inner_value_is_where_it_stands_in_the_whole_text() {
    let text = r#" {"a": {"b": [1, "x"]}} "#;
    let object = parse(text.as_bytes()).unwrap();
    let array = object.get("a").and_then(Raw::object).unwrap().get("b").unwrap();
    let last = array.elements().unwrap().last().unwrap();
    assert_eq!(text.get(object.span(array)), Some("[1, \"x\"]"));
    assert_eq!(text.get(object.span(last)), Some("\"x\""));
}

#[test]
fn writers_separate_nest_and_close() {
    let source = parse(br#"{"temp\u0065rature": 1.50, "tools":[ ]}"#).unwrap();
    let mut out = b"data: ".to_vec();
    let mut object = ObjectWriter::new(&mut out);
    object.named("a\n").string("\u{7f}\u{1}é\"");
    object.copy(&source.members()[0]);
    object.raw("tools", source.get("tools").unwrap());
    object.u64("most", u64::MAX);
    object.bool("yes", true);
    object.null("nothing");
    object.member("least").i64(i64::MIN);
    object.member("half").f64(0.5);
    object.member("none").f64(f64::NAN);
    object.object("empty").end();
    let mut array = object.array("list");
    assert!(array.is_empty());
    array.string("x");
    array.raw(source.members()[0].value);
    array.object().u64("n", 1);
    array.element().array().end();
    assert!(!array.is_empty());
    array.end();
    let mut text = object.member("joined").text();
    text.push("one\n");
    text.copy(parse_value(br#""t\u0077o\n""#).unwrap());
    text.copy(source.members()[0].value);
    fmt::Write::write_fmt(&mut text, format_args!("{}\"", 2)).unwrap();
    text.end();
    object.end();
    let expected = concat!(
        "data: {\"a\\n\":\"\u{7f}\\u0001é\\\"\",\"temp\\u0065rature\":1.50,\"tools\":[ ],\"most\":18446744073709551615,",
        "\"yes\":true,\"nothing\":null,\"least\":-9223372036854775808,\"half\":0.5,\"none\":null,\"empty\":{},",
        "\"list\":[\"x\",1.50,{\"n\":1},[]],\"joined\":\"one\\nt\\u0077o\\n2\\\"\"}",
    );
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn objects_are_looked_into_while_an_array_is_walked() {
    let array = parse_value(br#"[ {"a":[{"b":"]}"}]} ,7, {} ,"{", [{}], {"c" : null }]"#).unwrap();
    let found: Vec<_> = array.elements().unwrap().objects().collect();
    let texts: Vec<_> = found.iter().map(|object| object.as_ref().map(Object::text)).collect();
    let expected = [
        Some(r#"{"a":[{"b":"]}"}]}"#),
        None,
        Some("{}"),
        None,
        None,
        Some(r#"{"c" : null }"#),
    ];
    assert_eq!(texts, expected);
    let first = found.first().unwrap().as_ref().unwrap();
    assert_eq!(first.span(first.get("a").unwrap()), 5..17);
    assert_eq!(parse_value(b"[]").unwrap().elements().unwrap().objects().count(), 0);
}

#[test]
fn an_object_and_those_in_it_are_visited_in_one_walk() {
    let text = r#"{"a": 1, "b" : {"c":"x}", "d":{"e":5}, "f":[{"g":6}] } , "": {"h": 7}, "\u0069": {"\u006a" :8},"k":{}, "l":[{}]}"#;
    let mut seen = Vec::new();
    let whole = parse_value(text.as_bytes()).unwrap();
    whole
        .visit(|outer, key, value| seen.push(format!("{outer:?} {key} {}", value.text())))
        .unwrap();
    let expected = [
        "None a 1",
        "Some(\"b\") c \"x}\"",
        "Some(\"b\") d {\"e\":5}",
        "Some(\"b\") f [{\"g\":6}]",
        "Some(\"\") h 7",
        "Some(\"i\") j 8",
        "None l [{}]",
    ];
    assert_eq!(seen, expected);
    for other in ["[]", "null", "\"{}\"", "1"] {
        let visited = parse_value(other.as_bytes())
            .unwrap()
            .visit(|_, _, _| panic!("there is nothing"));
        assert_eq!(visited, None);
    }
}

#[test]
fn an_index_without_room_leaves_the_rest_to_walks() {
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    let text = format!(
        r#"{{"a":[{deep}],"b":{{"c":[{}1]}},"d":[{{"e":"{}"}}]}}"#,
        format!("{deep},").repeat(40),
        "x".repeat(99)
    );
    let mut index = Index::default();
    let indexed = parse_indexed(text.as_bytes(), &mut index).unwrap();
    let found = properties::found_in(&indexed);
    assert_eq!(found, properties::found_in(&parse(text.as_bytes()).unwrap()));
    assert_eq!(
        indexed
            .get("b")
            .unwrap()
            .object()
            .unwrap()
            .get("c")
            .unwrap()
            .elements()
            .unwrap()
            .count(),
        41
    );
}
