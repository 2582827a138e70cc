use super::Watch;
use crate::dialect::{Class, ClientDialect, Effect, Usage};
use crate::sse;

/// Watches `stream` and says what each event did, and how it ended.
fn watch(dialect: ClientDialect, strips_usage: bool, stream: &str) -> (Vec<Effect>, Result<(), Class>) {
    let mut watch = Watch::new(dialect, strips_usage);
    let mut effects = Vec::new();
    for event in sse::events(stream.as_bytes()) {
        match watch.event(&event) {
            Ok(effect) => effects.push(effect),
            Err(fault) => return (effects, Err(fault.class)),
        }
    }
    (effects, watch.finish().map_err(|fault| fault.class))
}

/// What the client of a stream gets.
fn forwarded(strips_usage: bool, stream: &str) -> String {
    let mut watch = Watch::new(ClientDialect::Chat, strips_usage);
    let mut out = Vec::new();
    for event in sse::events(stream.as_bytes()) {
        let effect = watch.event(&event).unwrap();
        if effect.omit {
            continue;
        }
        match effect.cut {
            None => out.extend_from_slice(event.raw),
            Some(cut) => {
                out.extend_from_slice(&event.raw[..cut.start]);
                out.extend_from_slice(&event.raw[cut.end..]);
            }
        }
    }
    String::from_utf8(out).unwrap()
}

const CONTENT: Effect = Effect {
    content: true,
    usage: None,
    omit: false,
    cut: None,
    end: false,
};
const NOTHING: Effect = Effect {
    content: false,
    ..CONTENT
};
const END: Effect = Effect {
    content: false,
    end: true,
    ..CONTENT
};

#[test]
fn a_chat_stream_is_committed_by_its_first_content() {
    let chunk = |delta: &str| {
        format!(
            "data: {{\"id\":\"c\",\"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":null}}],\"usage\":null}}\n\n"
        )
    };
    let not_content = [
        r#"{"role":"assistant"}"#,
        r#"{"role":"assistant","content":""}"#,
        r#"{"content":null,"tool_calls":[]}"#,
        "{}",
    ];
    for delta in not_content {
        assert_eq!(watch(ClientDialect::Chat, true, &chunk(delta)).0, [NOTHING], "{delta}");
    }
    let content = [
        r#"{"content":"a"}"#,
        r#"{"role":"assistant","content":" "}"#,
        r#"{"reasoning_content":"a"}"#,
        r#"{"reasoning":"a","content":""}"#,
        r#"{"reasoning_details":[{"type":"reasoning.encrypted"}]}"#,
        r#"{"refusal":"a"}"#,
        r#"{"tool_calls":[{"index":0,"function":{"name":"f"}}]}"#,
        r#"{"content":[{"type":"thinking"}]}"#,
    ];
    for delta in content {
        assert_eq!(watch(ClientDialect::Chat, true, &chunk(delta)).0, [CONTENT], "{delta}");
    }
    let finish = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
    assert_eq!(watch(ClientDialect::Chat, true, finish), (vec![CONTENT], Ok(())));
}

#[test]
fn comments_and_empty_choices_are_no_content() {
    let stream = ": OPENROUTER PROCESSING\n\ndata: {\"choices\":[],\"prompt_filter_results\":[]}\n\n\
                  data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"\"}}]}\n\n\
                  : keep-alive\n\ndata: [DONE]\n\n";
    let (effects, end) = watch(ClientDialect::Chat, false, stream);
    assert_eq!(effects, [NOTHING, NOTHING, CONTENT, CONTENT, NOTHING, END]);
    assert_eq!(end, Ok(()));
}

#[test]
fn usage_that_the_client_did_not_ask_for_is_taken_out() {
    let usage = r#""usage":{"prompt_tokens":3,"completion_tokens":4}"#;
    let text = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n";
    let cases = [
        // A chunk of its own goes; whatever else has content stays, without the member.
        (format!("data: {{\"choices\":[],{usage}}}\n\n"), String::new()),
        (
            format!("data: {{\"choices\":[{{\"delta\":{{}}}}],{usage}}}\n\n"),
            "data: {\"choices\":[{\"delta\":{}}]}\n\n".to_owned(),
        ),
        (
            format!("data: {{ {usage} , \"choices\":[{{\"delta\":{{}}}}]}}\r\n\r\n"),
            "data: { \"choices\":[{\"delta\":{}}]}\r\n\r\n".to_owned(),
        ),
        (
            format!("event: x\ndata:{{\"choices\":[{{\"delta\":{{}}}}] , {usage},\"x\":1}}\n\n"),
            "event: x\ndata:{\"choices\":[{\"delta\":{}}] ,\"x\":1}\n\n".to_owned(),
        ),
    ];
    for (chunk, expected) in cases {
        let forwarded = forwarded(true, &format!("{text}{chunk}data: [DONE]\n\n"));
        let kept = forwarded
            .strip_prefix(text)
            .unwrap()
            .strip_suffix("data: [DONE]\n\n")
            .unwrap();
        assert_eq!(kept.replace(' ', ""), expected.replace(' ', ""), "{chunk}");
        crate::sse::events(kept.as_bytes()).for_each(|event| {
            assert!(crate::json::parse(&event.data).is_ok(), "{kept}");
        });
    }
    let stream = format!("{text}data: {{\"choices\":[],{usage}}}\n\ndata: [DONE]\n\n");
    assert_eq!(forwarded(false, &stream), stream);
    let seen = watch(ClientDialect::Chat, true, &stream).0;
    let counted = Usage {
        input: 3,
        output: 4,
        ..Usage::default()
    };
    assert_eq!(
        seen[1],
        Effect {
            omit: true,
            usage: Some(counted),
            ..CONTENT
        }
    );
}

#[test]
fn a_null_usage_stays_where_it_is() {
    let stream = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"usage\":null}\n\ndata: [DONE]\n\n";
    assert_eq!(forwarded(true, stream), stream);
}

#[test]
fn an_error_in_the_stream_is_the_fault_it_stands_for() {
    let cases = [
        (
            ClientDialect::Chat,
            "data: {\"error\":{\"message\":\"m\",\"code\":502},\"choices\":[]}\n\n",
            Class::ServerError,
        ),
        (
            ClientDialect::Chat,
            "data: {\"choices\":[{\"delta\":{\"content\":\"\"},\"finish_reason\":\"error\"}]}\n\n",
            Class::ServerError,
        ),
        (
            ClientDialect::Chat,
            "data: {\"object\":\"error\",\"message\":\"m\",\"code\":400}\n\n",
            Class::Client,
        ),
        (ClientDialect::Chat, "data: <html>\n\n", Class::Malformed),
        (
            ClientDialect::Messages,
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"m\"}}\n\n",
            Class::Limited,
        ),
        (
            ClientDialect::Messages,
            "event: message_start\ndata: {\n\n",
            Class::Malformed,
        ),
    ];
    for (dialect, stream, expected) in cases {
        assert_eq!(watch(dialect, false, stream).1, Err(expected), "{stream}");
    }
    let after_content =
        "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: {\"error\":{\"message\":\"m\"}}\n\n";
    assert_eq!(
        watch(ClientDialect::Chat, false, after_content),
        (vec![CONTENT], Err(Class::ServerError))
    );
}

#[test]
fn a_stream_that_ends_before_its_answer_is_a_fault() {
    let text = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n";
    assert_eq!(watch(ClientDialect::Chat, false, text).1, Err(Class::Malformed));
    assert_eq!(watch(ClientDialect::Chat, false, "").1, Err(Class::Malformed));
    let finished = format!("{text}data: {{\"choices\":[{{\"delta\":{{}},\"finish_reason\":\"length\"}}]}}\n\n");
    assert_eq!(watch(ClientDialect::Chat, false, &finished).1, Ok(()));
    let delta =
        "event: message_delta\ndata: {\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":1}}\n\n";
    assert_eq!(watch(ClientDialect::Messages, false, delta).1, Err(Class::Malformed));
    assert_eq!(
        watch(ClientDialect::Messages, false, "event: message_stop\ndata: {}\n\n").1,
        Ok(())
    );
}

#[test]
fn a_messages_stream_is_committed_by_content_and_its_usage_adds_up() {
    let stream = [
        (
            r#"event: message_start
data: {"type":"message_start","message":{"usage":{"input_tokens":10,"cache_read_input_tokens":5,"output_tokens":1}}}"#,
            (false, Some((15, 1))),
        ),
        ("event: ping\ndata: {\"type\":\"ping\"}", (false, None)),
        (
            r#"event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
            (false, None),
        ),
        (
            r#"event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"x"}}"#,
            (true, None),
        ),
        (
            r#"event: content_block_stop
data: {"type":"content_block_stop","index":0}"#,
            (true, None),
        ),
        (
            r#"event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":7}}"#,
            (true, Some((15, 7))),
        ),
    ];
    let text: String = stream.iter().map(|(event, _)| format!("{event}\n\n")).collect();
    let (effects, end) = watch(ClientDialect::Messages, false, &text);
    let seen: Vec<_> = effects
        .iter()
        .map(|effect| (effect.content, effect.usage.map(|usage| (usage.input, usage.output))))
        .collect();
    let expected: Vec<_> = stream.iter().map(|(_, expected)| *expected).collect();
    assert_eq!(seen, expected);
    assert_eq!(end, Err(Class::Malformed));
    let start = |block: &str| format!("event: content_block_start\ndata: {{\"content_block\":{block}}}\n\n");
    for (block, content) in [
        (r#"{"type":"text","text":""}"#, false),
        (r#"{"type":"text","text":"a"}"#, true),
        (r#"{"type":"tool_use","id":"t","name":"f","input":{}}"#, true),
        (r#"{"type":"redacted_thinking","data":"x"}"#, true),
    ] {
        assert_eq!(
            watch(ClientDialect::Messages, false, &start(block)).0[0].content,
            content,
            "{block}"
        );
    }
}

#[test]
fn events_without_names_are_judged_by_their_type() {
    let stream = "data: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"a\"}}\n\n\
                  data: {\"type\":\"message_stop\"}\n\n";
    assert_eq!(
        watch(ClientDialect::Messages, false, stream),
        (vec![CONTENT, END], Ok(()))
    );
}

#[test]
fn a_gemini_stream_ends_with_the_reason_of_each_of_its_candidates() {
    let chunk = |text: &str, reason: &str| {
        let reason = match reason {
            "" => String::new(),
            reason => format!(r#","finishReason":"{reason}""#),
        };
        format!(
            "data: {{\"candidates\":[{{\"content\":{{\"parts\":[{{\"text\":\"{text}\"}}]}}{reason}}}],\"usageMetadata\":{{\"promptTokenCount\":3}}}}\r\n\r\n"
        )
    };
    let (effects, end) = watch(
        ClientDialect::Gemini,
        false,
        &(chunk("", "") + &chunk("a", "") + &chunk("", "STOP")),
    );
    let content: Vec<_> = effects.iter().map(|effect| effect.content).collect();
    assert_eq!((content, end), (vec![false, true, true], Ok(())));
    assert_eq!(effects[0].usage.map(|usage| usage.input), Some(3));
    for (stream, expected) in [
        (chunk("a", ""), Err(Class::Malformed)),
        (
            "data: {\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}\n\n".to_owned(),
            Ok(()),
        ),
        (
            chunk("a", "") + "data: {\"error\":{\"code\":503,\"status\":\"UNAVAILABLE\",\"message\":\"m\"}}\n\n",
            Err(Class::Limited),
        ),
    ] {
        assert_eq!(watch(ClientDialect::Gemini, false, &stream).1, expected, "{stream}");
    }
}
