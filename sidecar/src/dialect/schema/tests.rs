use super::{ANTHROPIC, COHERE, Fitting, Rules, can_fit, is_strict, write_object_schema};
use crate::dialect::loss::Ledger;
use crate::json::{ValueWriter, parse_value};

#[test]
fn a_tool_s_arguments_are_always_an_object() {
    let cases = [
        (None, r#"{"type":"object","properties":{}}"#),
        (Some("null"), r#"{"type":"object","properties":{}}"#),
        (Some(r#"{ "type":"object" }"#), r#"{ "type":"object" }"#),
        (
            Some(r#"{"properties": {"a":{}}}"#),
            r#"{"type":"object","properties":{"a":{}}}"#,
        ),
        (Some(r#"{"type":null,"x":1}"#), r#"{"type":"object","x":1}"#),
    ];
    for (schema, expected) in cases {
        let mut out = Vec::new();
        write_object_schema(
            schema.map(|schema| parse_value(schema.as_bytes()).unwrap()),
            ValueWriter::new(&mut out),
        );
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}

#[test]
fn closing_a_schema_describes_what_cannot_be_enforced() {
    let cases = [
        (
            r#"{"type":"string","enum":["a"]}"#,
            r#"{"type":"string","enum":["a"]}"#,
            false,
        ),
        (
            r#"{"type":"integer","minimum":1}"#,
            r#"{"type":"integer","description":"{minimum: 1}"}"#,
            true,
        ),
        (
            r#"{"description":"An age.","maximum":9,"type":"integer"}"#,
            r#"{"type":"integer","description":"An age.\n\n{maximum: 9}"}"#,
            true,
        ),
        (
            r#"{"oneOf":[true,{"type":"null"}]}"#,
            r#"{"anyOf":[true,{"type":"null"}]}"#,
            true,
        ),
        (
            r#"{"type":"array","minItems":1,"items":{"type":"object","properties":{}}}"#,
            r#"{"type":"array","minItems":1,"items":{"type":"object","properties":{},"additionalProperties":false}}"#,
            false,
        ),
        // A property may be called like a keyword.
        (
            r#"{"type":"object","properties":{"minimum":{"type":"integer"}},"additionalProperties":false}"#,
            r#"{"type":"object","properties":{"minimum":{"type":"integer"}},"additionalProperties":false}"#,
            false,
        ),
        (
            r#"{"type":"string","format":"uuid"}"#,
            r#"{"type":"string","format":"uuid"}"#,
            false,
        ),
    ];
    for (schema, expected, noted) in cases {
        let (mut out, mut ledger) = (Vec::new(), Ledger::default());
        Fitting::of(&ANTHROPIC, "f", &mut ledger)
            .write(parse_value(schema.as_bytes()).unwrap(), ValueWriter::new(&mut out));
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        assert_eq!(!ledger.into_losses().is_empty(), noted, "{schema}");
    }
}

#[test]
fn a_schema_that_wants_free_properties_cannot_be_closed() {
    let cases = [
        (r#"{"type":"object"}"#, false),
        (r#"{"type":"object","properties":{}}"#, true),
        (
            r#"{"type":"object","properties":{},"additionalProperties":true}"#,
            false,
        ),
        (r#"{"type":"object","additionalProperties":false}"#, true),
        (
            r#"{"anyOf":[{"type":"string"},{"type":"object","additionalProperties":{"type":"string"}}]}"#,
            false,
        ),
        (r#"{"type":"string"}"#, true),
    ];
    for (schema, expected) in cases {
        assert_eq!(
            can_fit(parse_value(schema.as_bytes()).unwrap(), &ANTHROPIC),
            expected,
            "{schema}"
        );
    }
}

#[test]
fn a_schema_without_an_end_cannot_be_enforced() {
    let closed = |members: &str| format!(r#"{{"type":"object","additionalProperties":false,{members}}}"#);
    let cases = [
        (closed(r##""properties":{"a":{"$ref":"#"}}"##), false),
        (
            closed(
                r##""properties":{"a":{"$ref":"#/$defs/n"}},"$defs":{"n":{"type":"array","items":{"$ref":"#/$defs/n"}}}"##,
            ),
            false,
        ),
        (
            closed(
                r##""properties":{"a":{"$ref":"#/$defs/n"}},"$defs":{"n":{"anyOf":[{"$ref":"#/$defs/m"}]},"m":{"items":{"$ref":"#/$defs/n"}}}"##,
            ),
            false,
        ),
        (
            closed(
                r##""properties":{"a":{"$ref":"#/$defs/n"},"b":{"$ref":"#/$defs/n"}},"$defs":{"n":{"type":"string"}}"##,
            ),
            true,
        ),
        (closed(r##""properties":{"a":{"$ref":"#/$defs/none"}}"##), true),
        (r#"{"type":"string","enum":["a",{"b":1}]}"#.to_owned(), false),
        (r#"{"enum":["a",1,null]}"#.to_owned(), true),
        ("true".to_owned(), false),
    ];
    for (schema, expected) in cases {
        let schema = parse_value(schema.as_bytes()).unwrap();
        assert_eq!(can_fit(schema, &ANTHROPIC), expected, "{schema:?}");
    }
}

#[test]
fn openai_s_strict_mode_wants_all_closed_and_required() {
    let cases = [
        (
            r#"{"type":"object","properties":{"a":{}},"required":["a"],"additionalProperties":false}"#,
            true,
        ),
        (
            r#"{"type":"object","properties":{"a":{}},"required":[],"additionalProperties":false}"#,
            false,
        ),
        (r#"{"type":"object","properties":{"a":{}},"required":["a"]}"#, false),
        (r#"{"type":"array","items":{"type":"object"}}"#, false),
        (r#"{"type":"string"}"#, true),
    ];
    for (schema, expected) in cases {
        assert_eq!(is_strict(parse_value(schema.as_bytes()).unwrap()), expected, "{schema}");
    }
}

/// What a schema becomes, and of what it loses something.
fn fitted(rules: &'static Rules, schema: &str) -> (String, Vec<String>) {
    let (mut out, mut ledger) = (Vec::new(), Ledger::default());
    Fitting::of(rules, "f", &mut ledger).write(parse_value(schema.as_bytes()).unwrap(), ValueWriter::new(&mut out));
    let lost = ledger.into_losses().into_iter().map(|loss| loss.field.into_owned());
    (String::from_utf8(out).unwrap(), lost.collect())
}

#[test]
fn cohere_is_asked_for_what_it_can_enforce_and_told_the_rest() {
    let cases: [(&str, &str, &[&str]); 9] = [
        // What the schema libraries make of an optional number.
        (
            r#"{"anyOf":[{"type":"integer","minimum":1},{"type":"null"}],"default":null,"title":"C"}"#,
            r#"{"type":"integer","default":null,"title":"C","description":"{minimum: 1}"}"#,
            &["f.anyOf", "f.minimum"],
        ),
        (
            r##"{"allOf":[{"$ref":"#/$defs/a"}],"description":"An a."}"##,
            r##"{"$ref":"#/$defs/a","description":"An a."}"##,
            &[],
        ),
        (r#"{"type":["string","null"]}"#, r#"{"type":"string"}"#, &["f.type"]),
        (
            r#"{"type":"array","items":{"type":"string","format":"email"},"minItems":1}"#,
            r#"{"type":"array","items":{"type":"string","description":"{format: \"email\"}"},"description":"{minItems: 1}"}"#,
            &["f.minItems", "f.items.format"],
        ),
        (
            r#"{"type":"string","pattern":"^a$","description":"An a."}"#,
            r#"{"type":"string","description":"An a.\n\n{pattern: \"^a$\"}"}"#,
            &["f.pattern"],
        ),
        (
            r#"{"type":"string","pattern":"[ab]+"}"#,
            r#"{"type":"string","pattern":"[ab]+"}"#,
            &[],
        ),
        (
            r#"{"type":"object","properties":{"a":{}},"required":["a"],"additionalProperties":false}"#,
            r#"{"type":"object","properties":{"a":{}},"required":["a"],"additionalProperties":false}"#,
            &[],
        ),
        (
            r#"{"type":"object","properties":{"a":{},"b":{}},"additionalProperties":true}"#,
            r#"{"type":"object","properties":{"a":{},"b":{}},"required":["a"]}"#,
            &["f.additionalProperties", "f.required"],
        ),
        (
            r#"{"const":"x","enum":["x"],"$schema":"s"}"#,
            r#"{"const":"x","enum":["x"],"$schema":"s"}"#,
            &[],
        ),
    ];
    for (schema, expected, lost) in cases {
        let lost: Vec<_> = lost.iter().map(|&field| field.to_owned()).collect();
        assert_eq!(fitted(&COHERE, schema), (expected.to_owned(), lost), "{schema}");
    }
}

#[test]
fn cohere_has_no_alternatives_no_free_properties_and_nothing_but_objects() {
    let cases = [
        (r#"{"type":"object","properties":{"a":{"type":"string"}}}"#, true),
        (
            r#"{"type":"object","properties":{"a":{"anyOf":[{"type":"string"},{"type":"null"}]}}}"#,
            true,
        ),
        (
            r#"{"type":"object","properties":{"a":{"anyOf":[{"type":"string"},{"type":"integer"}]}}}"#,
            false,
        ),
        (
            r#"{"type":"object","properties":{"a":{"type":["string","integer"]}}}"#,
            false,
        ),
        (r#"{"type":"object","properties":{"a":{"type":"object"}}}"#, false),
        (r#"{"type":"object","properties":{}}"#, false),
        (r#"{"type":"array","items":{"type":"string"}}"#, false),
        (
            r##"{"$ref":"#/$defs/a","$defs":{"a":{"type":"object","properties":{"b":{}}}}}"##,
            false,
        ),
    ];
    for (schema, expected) in cases {
        assert_eq!(
            can_fit(parse_value(schema.as_bytes()).unwrap(), &COHERE),
            expected,
            "{schema}"
        );
    }
}
