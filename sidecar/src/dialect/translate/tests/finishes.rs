//! Every reason for which an answer ends, both ways, whole and streamed.

use super::translate_response;
use crate::dialect::translator::tests::{exchange, on_the_wire, translate};
use crate::dialect::{ClientDialect, Dialect};
use serde_json::Value;

/// A chat reason, whether the answer calls a tool, and what Anthropic's clients read. `!` marks a fault.
const FROM_CHAT: &[(&str, bool, &str)] = &[
    ("\"stop\"", false, "end_turn"),
    ("\"stop\"", true, "tool_use"),
    ("\"length\"", false, "max_tokens"),
    ("\"length\"", true, "max_tokens"),
    ("\"tool_calls\"", true, "tool_use"),
    ("\"function_call\"", true, "tool_use"),
    ("\"content_filter\"", false, "refusal"),
    ("\"model_length\"", false, "model_context_window_exceeded"),
    ("\"eos\"", false, "end_turn"),
    ("\"\"", true, "tool_use"),
    ("null", true, "tool_use"),
    ("null", false, "end_turn"),
    ("\"something_new\"", false, "end_turn"),
    ("\"error\"", false, "!ServerError"),
    ("\"insufficient_system_resource\"", false, "!Limited"),
    ("\"load\"", false, "!Limited"),
];

/// Anthropic's reason, and what chat clients read.
const FROM_MESSAGES: &[(&str, &str)] = &[
    ("\"end_turn\"", "stop"),
    ("\"stop_sequence\"", "stop"),
    ("\"max_tokens\"", "length"),
    ("\"model_context_window_exceeded\"", "length"),
    ("\"tool_use\"", "tool_calls"),
    ("\"pause_turn\"", "stop"),
    ("\"refusal\"", "content_filter"),
    ("\"something_new\"", "stop"),
    ("null", "stop"),
];

/// Bedrock's reason, whether the answer calls a tool, and what chat clients read.
const FROM_CONVERSE: &[(&str, bool, &str)] = &[
    ("\"end_turn\"", false, "stop"),
    ("\"stop_sequence\"", false, "stop"),
    ("\"max_tokens\"", true, "length"),
    ("\"model_context_window_exceeded\"", false, "length"),
    ("\"tool_use\"", true, "tool_calls"),
    ("\"guardrail_intervened\"", false, "content_filter"),
    ("\"content_filtered\"", false, "content_filter"),
    ("\"malformed_model_output\"", false, "!ServerError"),
    ("\"malformed_tool_use\"", true, "!ServerError"),
    ("\"something_new\"", false, "stop"),
    ("null", true, "tool_calls"),
];

fn whole(client: ClientDialect, upstream: Dialect, answer: &str, pointer: &str) -> String {
    match translate_response(&exchange(client, upstream), answer.as_bytes()) {
        Ok(answer) => serde_json::from_slice::<Value>(&answer.body)
            .unwrap()
            .pointer(pointer)
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned(),
        Err(fault) => format!("!{:?}", fault.class),
    }
}

/// The value of the last member `key` that is a string.
fn streamed(client: ClientDialect, upstream: Dialect, stream: &str, key: &str) -> String {
    let stream = on_the_wire(upstream, stream);
    let outcome = translate(&exchange(client, upstream), &stream, &[stream.len()]);
    if let Some((_, fault)) = outcome.effects.split_once("fault ") {
        return format!("!{}", fault.split(':').next().unwrap());
    }
    let (_, value) = outcome.client.rsplit_once(&format!("\"{key}\":\"")).unwrap();
    value.split('"').next().unwrap().to_owned()
}

#[test]
fn every_chat_reason_has_its_word() {
    let (client, upstream) = (ClientDialect::Messages, Dialect::Chat);
    for (reason, calls, expected) in FROM_CHAT {
        let call = r#""tool_calls":[{"index":0,"id":"x","function":{"name":"f","arguments":"{}"}}]"#;
        let said = if *calls { call } else { r#""content":"a""# };
        let answer = format!(r#"{{"choices":[{{"index":0,"message":{{{said}}},"finish_reason":{reason}}}]}}"#);
        assert_eq!(whole(client, upstream, &answer, "/stop_reason"), *expected, "{reason}");
        let chunk = |delta: &str, reason: &str| {
            format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{{delta}}},\"finish_reason\":{reason}}}]}}\n\n")
        };
        let stream = format!("{}{}data: [DONE]\n\n", chunk(said, "null"), chunk("", reason));
        assert_eq!(
            streamed(client, upstream, &stream, "stop_reason"),
            *expected,
            "{reason}"
        );
    }
}

#[test]
fn every_messages_reason_has_its_word() {
    let (client, upstream) = (ClientDialect::Chat, Dialect::Messages);
    for (reason, expected) in FROM_MESSAGES {
        let answer = format!(r#"{{"content":[{{"type":"text","text":"a"}}],"stop_reason":{reason}}}"#);
        assert_eq!(
            whole(client, upstream, &answer, "/choices/0/finish_reason"),
            *expected,
            "{reason}"
        );
        let stream = format!(
            "event: message_start\ndata: {{\"message\":{{\"id\":\"m\"}}}}\n\n\
             event: message_delta\ndata: {{\"delta\":{{\"stop_reason\":{reason}}}}}\n\nevent: message_stop\ndata: {{}}\n\n"
        );
        assert_eq!(
            streamed(client, upstream, &stream, "finish_reason"),
            *expected,
            "{reason}"
        );
    }
}

#[test]
fn every_converse_reason_has_its_word() {
    let (client, upstream) = (ClientDialect::Chat, Dialect::Converse);
    for (reason, calls, expected) in FROM_CONVERSE {
        let call = r#"{"toolUse":{"toolUseId":"x","name":"f","input":{}}}"#;
        let said = if *calls { call } else { r#"{"text":"a"}"# };
        let answer = format!(r#"{{"output":{{"message":{{"content":[{said}]}}}},"stopReason":{reason}}}"#);
        assert_eq!(
            whole(client, upstream, &answer, "/choices/0/finish_reason"),
            *expected,
            "{reason}"
        );
        let start = if *calls { call } else { "{}" };
        let stream = format!(
            "event: contentBlockStart\ndata: {{\"contentBlockIndex\":0,\"start\":{start}}}\n\n\
             event: messageStop\ndata: {{\"stopReason\":{reason}}}\n\n"
        );
        assert_eq!(
            streamed(client, upstream, &stream, "finish_reason"),
            *expected,
            "{reason}"
        );
    }
}

#[test]
fn every_ollama_reason_has_its_word() {
    let (client, upstream) = (ClientDialect::Chat, Dialect::Ollama);
    let call = r#","tool_calls":[{"function":{"name":"f","arguments":{}}}]"#;
    for (reason, calls, expected) in [
        ("\"stop\"", "", "stop"),
        ("\"stop\"", call, "tool_calls"),
        ("\"length\"", "", "length"),
        ("\"load\"", "", "!Limited"),
        ("\"something_new\"", "", "stop"),
        ("null", call, "tool_calls"),
    ] {
        let answer = format!(r#"{{"message":{{"content":"a"{calls}}},"done":true,"done_reason":{reason}}}"#);
        assert_eq!(
            whole(client, upstream, &answer, "/choices/0/finish_reason"),
            expected,
            "{reason}"
        );
        let stream = format!("data: {answer}\n\n");
        assert_eq!(
            streamed(client, upstream, &stream, "finish_reason"),
            expected,
            "{reason}"
        );
    }
}

#[test]
fn every_cohere_reason_has_its_word() {
    let (client, upstream) = (ClientDialect::Chat, Dialect::Cohere);
    let call = r#"{"id":"x","type":"function","function":{"name":"f","arguments":"{}"}}"#;
    for (reason, calls, expected) in [
        ("\"COMPLETE\"", false, "stop"),
        ("\"STOP_SEQUENCE\"", false, "stop"),
        ("\"MAX_TOKENS\"", false, "length"),
        ("\"ERROR_LIMIT\"", false, "length"),
        ("\"ERROR_TOXIC\"", false, "content_filter"),
        ("\"TOOL_CALL\"", true, "tool_calls"),
        ("\"COMPLETE\"", true, "tool_calls"),
        ("\"ERROR\"", false, "!ServerError"),
        ("\"TIMEOUT\"", false, "!ServerError"),
        ("\"SOMETHING_NEW\"", false, "stop"),
        ("null", true, "tool_calls"),
    ] {
        let said = match calls {
            true => format!(r#""tool_calls":[{call}]"#),
            false => r#""content":[{"type":"text","text":"a"}]"#.to_owned(),
        };
        let answer = format!(r#"{{"message":{{{said}}},"finish_reason":{reason}}}"#);
        assert_eq!(
            whole(client, upstream, &answer, "/choices/0/finish_reason"),
            expected,
            "{reason}"
        );
        let start = match calls {
            true => format!(r#"{{"type":"tool-call-start","index":0,"delta":{{"message":{{"tool_calls":{call}}}}}}}"#),
            false => r#"{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"a"}}}}"#.to_owned(),
        };
        let end = format!(r#"{{"type":"message-end","delta":{{"finish_reason":{reason}}}}}"#);
        let stream = format!("data: {start}\n\ndata: {end}\n\n");
        assert_eq!(
            streamed(client, upstream, &stream, "finish_reason"),
            expected,
            "{reason}"
        );
    }
}
