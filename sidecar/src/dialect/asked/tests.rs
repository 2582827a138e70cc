use crate::dialect::{Asked, ClientDialect, InPath, Medium, Needs, Operation};
use std::borrow::Cow;

fn chat(body: &str) -> Result<Asked<'_>, String> {
    Asked::read(
        ClientDialect::Chat,
        Operation::Generate,
        InPath::default(),
        body.as_bytes(),
    )
    .map_err(|error| error.to_string())
}

fn messages(body: &str) -> Asked<'_> {
    Asked::read(
        ClientDialect::Messages,
        Operation::Generate,
        InPath::default(),
        body.as_bytes(),
    )
    .unwrap()
}

#[test]
fn what_cannot_be_a_request_is_refused_with_a_sentence() {
    let cases = [
        ("", "the request body cannot be read: "),
        ("[]", "the request body cannot be read: "),
        (r#"{"model":"a""#, "the request body cannot be read: "),
        ("{}", "model is missing"),
        (r#"{"model":null}"#, "model must be a string"),
        (r#"{"model":7}"#, "model must be a string"),
        (r#"{"model":""}"#, "model must not be empty"),
        (r#"{"model":"a","model":"a"}"#, "model must occur only once"),
        (r#"{"model":"a","mod\u0065l":"b"}"#, "model must occur only once"),
        (r#"{"model":"a","stream":"true"}"#, "stream must be true or false"),
        (r#"{"model":"a","stream":1}"#, "stream must be true or false"),
    ];
    for (body, expected) in cases {
        let sentence = chat(body).err().unwrap_or_default();
        assert!(sentence.starts_with(expected), "{body}: {sentence}");
    }
    let named = |length| chat(&format!(r#"{{"model":"{}"}}"#, "m".repeat(length))).err();
    let too_long = "model must not be longer than 256 bytes".to_owned();
    assert_eq!((named(256), named(257)), (None, Some(too_long)));
}

#[test]
fn what_routing_needs_is_read() {
    let asked =
        chat(r#" {"stream" : true, "mod\u0065l": "g\u0070t", "stream_options":{"include_usage":true}}"#).unwrap();
    assert_eq!((&*asked.model, asked.stream, asked.wants_usage), ("gpt", true, true));
    assert_eq!(
        asked.object.text().get(asked.model_span.unwrap()),
        Some(r#""g\u0070t""#)
    );
    let cases = [
        (r#"{"model":"a"}"#, false, false),
        (r#"{"model":"a","stream":null}"#, false, false),
        (r#"{"model":"a","stream":true}"#, true, false),
        (r#"{"model":"a","stream":true,"stream_options":null}"#, true, false),
        (
            r#"{"model":"a","stream":true,"stream_options":{"include_usage":false}}"#,
            true,
            false,
        ),
        (
            r#"{"model":"a","stream":false,"stream_options":{"include_usage":true}}"#,
            false,
            false,
        ),
    ];
    for (body, stream, wants_usage) in cases {
        let asked = chat(body).unwrap();
        assert_eq!((asked.stream, asked.wants_usage), (stream, wants_usage), "{body}");
    }
    assert!(messages(r#"{"model":"a"}"#).wants_usage);
}

#[test]
fn the_output_cap_is_the_newer_field_s_where_there_are_two() {
    assert_eq!(
        chat(r#"{"model":"a","max_tokens":5,"max_completion_tokens":7}"#)
            .unwrap()
            .max_output_tokens(),
        Some(7)
    );
    assert_eq!(
        chat(r#"{"model":"a","max_tokens":5}"#).unwrap().max_output_tokens(),
        Some(5)
    );
    assert_eq!(chat(r#"{"model":"a"}"#).unwrap().max_output_tokens(), None);
    assert_eq!(
        messages(r#"{"model":"a","max_tokens":5,"max_completion_tokens":7}"#).max_output_tokens(),
        Some(5)
    );
}

#[test]
fn input_tokens_are_a_quarter_of_the_text_and_a_constant_for_each_image() {
    let cases = [
        (ClientDialect::Chat, r#"{"model":"a","messages":[]}"#, 0),
        (
            ClientDialect::Chat,
            r#"{"model":"a","messages":[{"role":"user","content":"12345"}]}"#,
            2,
        ),
        // Escapes count as what they stand for: é is two bytes.
        (
            ClientDialect::Chat,
            r#"{"model":"a","messages":[{"role":"user","content":"\u00e9\n\u00e9"}]}"#,
            2,
        ),
        (
            ClientDialect::Chat,
            r#"{"model":"a","messages":[{"role":"user","content":[{"type":"text","text":"1234"},
            {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAAAAAAAAAAAAAA"}}]}]}"#,
            1601,
        ),
        (
            ClientDialect::Chat,
            r#"{"model":"a","messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"call_1",
            "type":"function","function":{"name":"f123","arguments":"{\"a\":1}"}}]}]}"#,
            3,
        ),
        (
            ClientDialect::Chat,
            r#"{"model":"a","messages":[],"tools":[{"type":"function"}]}"#,
            6,
        ),
        (
            ClientDialect::Messages,
            r#"{"model":"a","system":"1234","messages":[{"role":"user","content":"1234"}]}"#,
            2,
        ),
        (
            ClientDialect::Messages,
            r#"{"model":"a","messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"x",
            "content":[{"type":"text","text":"12345678"},{"type":"image","source":{}}]}]}]}"#,
            1602,
        ),
        (
            ClientDialect::Messages,
            r#"{"model":"a","messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"1234","signature":"zzzzzzzzzz"},
            {"type":"tool_use","id":"x","name":"f123","input":{"a":1}}]}]}"#,
            4,
        ),
    ];
    for (dialect, body, expected) in cases {
        let asked = Asked::read(dialect, Operation::Generate, InPath::default(), body.as_bytes()).unwrap();
        assert_eq!(asked.input_tokens(), expected, "{body}");
        for enough in [0, 1, expected, expected + 1] {
            let counted = asked.input_tokens_up_to(enough);
            assert_eq!(counted >= enough, expected >= enough, "{enough} of {body}");
            assert!(counted == expected || counted >= enough, "{enough} of {body}");
        }
    }
    for (input, expected) in [
        (r#""12345""#, 2),
        (r#"["1234","1234"]"#, 2),
        ("[1,2,3]", 3),
        ("[[1],[2,3]]", 3),
    ] {
        let body = format!(r#"{{"model":"a","input":{input}}}"#);
        let asked = Asked::read(
            ClientDialect::Chat,
            Operation::Embeddings,
            InPath::default(),
            body.as_bytes(),
        )
        .unwrap();
        assert_eq!(asked.input_tokens(), expected, "{body}");
    }
}

#[test]
fn needs_are_tools_that_are_declared_and_images_that_are_there() {
    let needs = |tools, vision| Needs { tools, vision };
    let cases = [
        (
            ClientDialect::Chat,
            r#""tools":[],"messages":[{"content":"\"image_url\""}]"#,
            needs(false, false),
        ),
        (
            ClientDialect::Chat,
            r#""tools":[{}],"messages":[{"content":"image_url"}]"#,
            needs(true, false),
        ),
        (
            ClientDialect::Chat,
            r#""functions":[{}],"messages":[]"#,
            needs(true, false),
        ),
        (
            ClientDialect::Chat,
            r#""messages":[{"content":[{"type":"image_url","image_url":{"url":"x"}}]}]"#,
            needs(false, true),
        ),
        (
            ClientDialect::Messages,
            r#""messages":[{"content":[{"type":"image","source":{}}]}]"#,
            needs(false, true),
        ),
        (
            ClientDialect::Messages,
            r#""messages":[{"content":[{"type":"tool_result","content":[{"type":"image"}]}]}]"#,
            needs(false, true),
        ),
        (
            ClientDialect::Messages,
            r#""messages":[{"content":[{"type":"document","source":{"type":"content","content":[{"type":"image"}]}}]}]"#,
            needs(false, true),
        ),
        // A tool's argument may well be called image.
        (
            ClientDialect::Messages,
            r#""messages":[{"content":[{"type":"tool_use","input":{"type":"image","image":"image"}}]}]"#,
            needs(false, false),
        ),
    ];
    for (dialect, rest, expected) in cases {
        let body = format!(r#"{{"model":"a",{rest}}}"#);
        let asked = Asked::read(dialect, Operation::Generate, InPath::default(), body.as_bytes()).unwrap();
        assert_eq!(asked.needs(), expected, "{body}");
    }
}

#[test]
fn sounds_and_documents_are_found_where_they_are() {
    let pdf = r#""contents":[{"parts":[{"inlineData":{"mimeType":"application/pdf","data":""}}]}]"#;
    let wav =
        r#""contents":[{"parts":[{"inline_data":{"mime_type":"audio/wav","data":""}},{"text":"application/pdf"}]}]"#;
    let cases: [(_, &str, &[Medium]); 7] = [
        (
            ClientDialect::Chat,
            r#""messages":[{"content":[{"type":"input_audio","input_audio":{}}]}]"#,
            &[Medium::Sound],
        ),
        (
            ClientDialect::Chat,
            r#""messages":[{"content":[{"type":"file","file":{}},{"type":"text","text":"input_audio"}]}]"#,
            &[Medium::Document],
        ),
        (
            ClientDialect::Responses,
            r#""input":[{"type":"function_call_output","output":[{"type":"input_file"}]}]"#,
            &[Medium::Document],
        ),
        (
            ClientDialect::Messages,
            r#""messages":[{"content":[{"type":"tool_result","content":[{"type":"document","source":{}}]}]}]"#,
            &[Medium::Document],
        ),
        (
            ClientDialect::Messages,
            r#""messages":[{"content":"a document, a file"}]"#,
            &[],
        ),
        (ClientDialect::Gemini, pdf, &[Medium::Document]),
        (ClientDialect::Gemini, wav, &[Medium::Sound]),
    ];
    for (dialect, rest, expected) in cases {
        let body = format!(r#"{{"model":"a",{rest}}}"#);
        let in_path = InPath {
            model: (dialect == ClientDialect::Gemini).then(|| "a".into()),
            ..InPath::default()
        };
        let asked = Asked::read(dialect, Operation::Generate, in_path, body.as_bytes()).unwrap();
        let held: Vec<_> = [Medium::Image, Medium::Sound, Medium::Document]
            .into_iter()
            .filter(|medium| asked.holds(*medium))
            .collect();
        assert_eq!(held, expected, "{body}");
    }
}

#[test]
fn tags_are_a_list_or_a_string_with_commas() {
    let tags = |metadata: &str| {
        let body = format!(r#"{{"model":"a","metadata":{metadata}}}"#);
        chat(&body)
            .unwrap()
            .tags()
            .into_iter()
            .map(Cow::into_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(tags(r#"{"tags":["a"," b ",7]}"#), ["a", " b "]);
    assert_eq!(tags(r#"{"tags":"a, b,,c"}"#), ["a", "b", "c"]);
    assert_eq!(tags(r#"{"tags":"\u0061, b"}"#), ["a", "b"]);
    assert_eq!(tags(r#"{"tags":7}"#), [""; 0]);
    assert_eq!(tags("null"), [""; 0]);
}

#[test]
fn the_first_session_that_a_body_names_counts() {
    let cases = [
        (
            ClientDialect::Messages,
            r#""metadata":{"user_id":"user_1_account_2_session_abc"},"prompt_cache_key":"k""#,
            Some("abc"),
        ),
        (
            ClientDialect::Messages,
            r#""metadata":{"user_id":"{\"device_id\":\"d\",\"session_id\":\"abc\"}"}"#,
            Some("abc"),
        ),
        (
            ClientDialect::Messages,
            r#""metadata":{"user_id":"user_1","session_id":"s"}"#,
            Some("s"),
        ),
        (ClientDialect::Messages, r#""metadata":{"user_id":"user_1"}"#, None),
        (ClientDialect::Messages, r#""metadata":{"user_id":"x_session_"}"#, None),
        (ClientDialect::Messages, r#""metadata":{"user_id":"{broken"}"#, None),
        (
            ClientDialect::Chat,
            r#""metadata":{"user_id":"user_1_session_abc"}"#,
            None,
        ),
        (
            ClientDialect::Chat,
            r#""metadata":{"session_id":"s"},"prompt_cache_key":"k""#,
            Some("s"),
        ),
        (
            ClientDialect::Chat,
            r#""prompt_cache_key":"k","conversation":"c""#,
            Some("k"),
        ),
        (
            ClientDialect::Chat,
            r#""prompt_cache_key":"","conversation":"c""#,
            Some("c"),
        ),
        (ClientDialect::Chat, r#""conversation":{"id":"c"}"#, Some("c")),
        (ClientDialect::Chat, r#""conversation":7"#, None),
    ];
    for (dialect, rest, expected) in cases {
        let body = format!(r#"{{"model":"a",{rest}}}"#);
        let asked = Asked::read(dialect, Operation::Generate, InPath::default(), body.as_bytes()).unwrap();
        assert_eq!(asked.session_hint().as_deref(), expected, "{body}");
    }
}

#[test]
fn only_a_long_prompt_has_a_root_and_later_turns_keep_it() {
    let long = "x".repeat(4096);
    let first =
        format!(r#"{{"model":"a","messages":[{{"role":"system","content":"{long}"}},{{"role":"user","content":"hi"}}"#);
    let root = |rest: &str| {
        let body = format!("{first}{rest}");
        chat(&body).unwrap().conversation_root()
    };
    let start = root("]}");
    assert!(start.is_some());
    assert_eq!(
        root(r#",{"role":"assistant","content":"yes"},{"role":"user","content":"go on"}]}"#),
        start
    );
    assert_eq!(
        chat(r#"{"model":"a","messages":[{"role":"user","content":"hi"}]}"#)
            .unwrap()
            .conversation_root(),
        None
    );
    let other = first.replace("hi", "ho") + "]}";
    assert_ne!(chat(&other).unwrap().conversation_root(), start);
    let body = format!(r#"{{"model":"a","system":[{{"type":"text","text":"{long}"}}],"messages":[]}}"#);
    assert!(messages(&body).conversation_root().is_some());
}

#[test]
fn a_gemini_body_is_read_by_its_own_names() {
    let read = |body: &'static str| {
        let path = InPath {
            model: Some("g".into()),
            stream: Some(true),
            ..InPath::default()
        };
        Asked::read(ClientDialect::Gemini, Operation::Generate, path, body.as_bytes()).unwrap()
    };
    let asked = read(
        r#"{"system_instruction":{"parts":[{"text":"12345678"}]},"contents":[{"parts":[{"text":"1234"},
        {"inline_data":{"mime_type":"image/png","data":"iVBO"}},{"functionCall":{"name":"abcd","args":{"a":1}}}]}],
        "tools":[{"functionDeclarations":[]}],"generationConfig":{"maxOutputTokens":7,"candidate_count":2}}"#,
    );
    assert_eq!(
        (&*asked.model, asked.stream, asked.model_span.clone()),
        ("g", true, None)
    );
    assert_eq!((asked.max_output_tokens(), asked.choices()), (Some(7), 2));
    assert_eq!(
        asked.needs(),
        Needs {
            tools: true,
            vision: true
        }
    );
    // Texts, a name, arguments and tools as they are written; a picture.
    assert_eq!(asked.input_tokens(), (8 + 4 + 4 + 7 + 29_u64).div_ceil(4) + 1_600);
    let plain = read(r#"{"contents":[{"parts":[{"text":"image/png"}]}]}"#);
    assert_eq!(plain.needs(), Needs::default());
    assert_eq!(plain.conversation_root(), None);
    let long = "x".repeat(5_000);
    let root = |first: &str, second: &str| {
        let body = format!(
            r#"{{"contents":[{{"role":"user","parts":[{{"text":"{first}{long}"}}]}},{{"role":"model","parts":[{{"text":"{second}"}}]}}]}}"#
        );
        read(body.leak()).conversation_root()
    };
    assert!(root("a", "b").is_some());
    assert_eq!(root("a", "b"), root("a", "c"));
    assert_ne!(root("a", "b"), root("b", "b"));
}
