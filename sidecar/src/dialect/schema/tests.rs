use super::{Closing, is_closable, is_strict, write_object_schema};
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
        Closing::of("f", &mut ledger).write(parse_value(schema.as_bytes()).unwrap(), ValueWriter::new(&mut out));
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
            is_closable(parse_value(schema.as_bytes()).unwrap()),
            expected,
            "{schema}"
        );
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
