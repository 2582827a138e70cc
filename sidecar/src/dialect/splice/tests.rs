use super::{Segment, pass_through};
use crate::dialect::{Asked, ClientDialect, InPath, Operation};
use bytes::Bytes;

fn sent(dialect: ClientDialect, body: &str, model: &str, include_usage: bool) -> String {
    let body = Bytes::copy_from_slice(body.as_bytes());
    let asked = Asked::read(dialect, Operation::Generate, InPath::default(), &body).unwrap();
    let passed = pass_through(&asked, model, include_usage);
    let length = passed.length();
    assert!(
        !passed
            .segments
            .iter()
            .any(|segment| matches!(segment, Segment::Body(range) if range.is_empty()))
    );
    let sent = passed.into_pieces(&body).concat();
    assert_eq!(sent.len(), length);
    String::from_utf8(sent).unwrap()
}

#[test]
fn a_model_that_only_the_path_names_is_written_in_front() {
    let sent = |body: &str, model: &str| {
        let body = Bytes::copy_from_slice(body.as_bytes());
        let path = InPath {
            model: Some("a".into()),
            ..InPath::default()
        };
        let asked = Asked::read(ClientDialect::Chat, Operation::Generate, path, &body).unwrap();
        assert_eq!(asked.model, "a");
        String::from_utf8(pass_through(&asked, model, true).into_pieces(&body).concat()).unwrap()
    };
    for (body, model, expected) in [
        (r#" {"x":1}"#, "a", r#" {"model":"a","x":1}"#),
        ("{ }", "b", r#"{"model":"b" }"#),
        (r#"{"model":"x"}"#, "a", r#"{"model":"a"}"#),
        (r#"{"model":"a"}"#, "a", r#"{"model":"a"}"#),
        (
            r#"{"stream":true}"#,
            "b",
            r#"{"model":"b","stream_options":{"include_usage":true},"stream":true}"#,
        ),
    ] {
        assert_eq!(sent(body, model), expected, "{body}");
    }
}

#[test]
fn of_a_gemini_body_only_the_signatures_of_others_change() {
    let sent = |body: &str| {
        let body = Bytes::copy_from_slice(body.as_bytes());
        let path = InPath {
            model: Some("a".into()),
            ..InPath::default()
        };
        let asked = Asked::read(ClientDialect::Gemini, Operation::Generate, path, &body).unwrap();
        String::from_utf8(pass_through(&asked, "b", true).into_pieces(&body).concat()).unwrap()
    };
    let own = r#" {"contents":[{"parts":[{"text":"a", "thoughtSignature":"CiQB"}]}]}"#;
    assert_eq!(sent(own), own);
    assert_eq!(
        sent(&own.replace("CiQB", "cGlsb3RmaXNoOnM6YQ==")),
        own.replace("CiQB", "skip_thought_signature_validator")
    );
    assert_eq!(sent(r#"{"model":"models/a"}"#), r#"{"model":"b"}"#);
}

#[test]
fn only_the_model_changes() {
    let cases = [
        (r#"{"model":"a","x":1}"#, r#"{"model":"m\"1","x":1}"#),
        // Spacing, number spellings, escapes, duplicates, unknown fields, white space around.
        (
            " {\t\"x\" : 1.50e+0 , \"mod\\u0065l\":\"\\u0061\" ,\"x\":[ ],\r\n\"\\/\":\"\\ud800\"}\n",
            " {\t\"x\" : 1.50e+0 , \"mod\\u0065l\":\"m\\\"1\" ,\"x\":[ ],\r\n\"\\/\":\"\\ud800\"}\n",
        ),
        // A model within something else is somebody else's.
        (
            r#"{"x":{"model":"a"},"model":"a"}"#,
            r#"{"x":{"model":"a"},"model":"m\"1"}"#,
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(sent(ClientDialect::Chat, body, "m\"1", true), expected);
    }
}

#[test]
fn the_same_model_leaves_the_body_as_it_is() {
    for body in [
        r#"{"model":"a"}"#,
        r#"{"model":"\u0061"}"#,
        r#"{"model":"a","stream":false}"#,
    ] {
        assert_eq!(sent(ClientDialect::Chat, body, "a", true), body);
        assert_eq!(sent(ClientDialect::Messages, body, "a", true), body);
    }
    let body = r#"{"model":"a","stream":true}"#;
    assert_eq!(sent(ClientDialect::Messages, body, "a", true), body);
    assert_eq!(sent(ClientDialect::Chat, body, "a", false), body);
}

#[test]
fn a_stream_that_does_not_ask_for_usage_is_made_to() {
    let cases = [
        (r#""stream":true"#, r#""stream":true"#, true),
        (
            r#""stream":true,"stream_options":null"#,
            r#""stream":true,"stream_options":{"include_usage":true}"#,
            false,
        ),
        (
            r#""stream":true,"stream_options": { }"#,
            r#""stream":true,"stream_options": {"include_usage":true }"#,
            false,
        ),
        (
            r#""stream_options":{ "x":1},"stream":true"#,
            r#""stream_options":{"include_usage":true, "x":1},"stream":true"#,
            false,
        ),
        (
            r#""stream":true,"stream_options":{"include_usage" : false,"x":1}"#,
            r#""stream":true,"stream_options":{"include_usage" : true,"x":1}"#,
            false,
        ),
        (
            r#""stream":true,"stream_options":{"include_usage":null}"#,
            r#""stream":true,"stream_options":{"include_usage":true}"#,
            false,
        ),
        // Already asked for, or not for us to understand.
        (
            r#""stream":true,"stream_options":{"include_usage":true}"#,
            r#""stream":true,"stream_options":{"include_usage":true}"#,
            false,
        ),
        (
            r#""stream":true,"stream_options":7"#,
            r#""stream":true,"stream_options":7"#,
            false,
        ),
    ];
    let added = r#","stream_options":{"include_usage":true}"#;
    for (rest, expected, behind_model) in cases {
        let added = if behind_model { added } else { "" };
        let (before, after) = (
            format!(r#"{{{rest},"model":"a"}}"#),
            format!(r#"{{{expected},"model":"b"{added}}}"#),
        );
        assert_eq!(sent(ClientDialect::Chat, &before, "b", true), after);
        let (before, after) = (
            format!(r#"{{"model":"a",{rest}}}"#),
            format!(r#"{{"model":"b"{added},{expected}}}"#),
        );
        assert_eq!(sent(ClientDialect::Chat, &before, "b", true), after);
        let after = format!(r#"{{"model":"a"{added},{expected}}}"#);
        assert_eq!(sent(ClientDialect::Chat, &before, "a", true), after);
    }
}
