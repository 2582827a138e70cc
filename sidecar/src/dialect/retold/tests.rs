use super::retell_response;
use crate::dialect::translator::tests::{exchange, hostile::check_client};
use crate::dialect::{Class, ClientDialect, Dialect};

/// The same answer in each dialect: a thought, `Hello`, and a call.
const ANSWERS: &[(Dialect, &str)] = &[
    (
        Dialect::Chat,
        r#"{"id":"a1","model":"m","created":7,"choices":[{"index":0,"finish_reason":"tool_calls","message":
        {"role":"assistant","content":"Hello","reasoning_content":"hm","annotations":[{"type":"url_citation",
        "url_citation":{"url":"https://a","title":"A","start_index":0,"end_index":5}}],"tool_calls":[{"id":"t1",
        "type":"function","function":{"name":"sent_1","arguments":"{\"a\":1}"}}]},"logprobs":{"content":[
        {"token":"Hello","logprob":-1,"bytes":null,"top_logprobs":[]}]}}],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#,
    ),
    (
        Dialect::Messages,
        r#"{"id":"a1","type":"message","role":"assistant","model":"m","content":[
        {"type":"thinking","thinking":"hm","signature":"sig"},{"type":"redacted_thinking","data":"d"},
        {"type":"text","text":"Hello"},{"type":"tool_use","id":"t1","name":"sent_1","input":{"a":
        1}}],"stop_reason":"tool_use","usage":{"input_tokens":3,"output_tokens":2}}"#,
    ),
    (
        Dialect::Responses,
        r#"{"id":"a1","object":"response","created_at":7,"status":"completed","model":"m","output":[
        {"type":"reasoning","id":"r","summary":[{"type":"summary_text","text":"hm"}],"encrypted_content":"e"},
        {"type":"message","id":"m","status":"completed","role":"assistant","content":[{"type":"output_text","text":"Hello","annotations":[]}]},
        {"type":"function_call","id":"f","call_id":"t1","name":"sent_1","arguments":"{\"a\":1}","status":"completed"}],
        "usage":{"input_tokens":3,"output_tokens":2,"total_tokens":5}}"#,
    ),
    (
        Dialect::Converse,
        r#"{"output":{"message":{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"hm","signature":"sig"}}},
        {"text":"Hello"},{"toolUse":{"toolUseId":"t1","name":"sent_1","input":{"a":1}}}]}},"stopReason":"tool_use",
        "usage":{"inputTokens":3,"outputTokens":2,"totalTokens":5}}"#,
    ),
    (
        Dialect::Ollama,
        r#"{"model":"m","created_at":"2026-11-01T00:00:00Z","done":true,"done_reason":"stop","message":{"role":"assistant",
        "content":"Hello","thinking":"hm","tool_calls":[{"function":{"name":"sent_1","arguments":{"a":1}}}]},
        "prompt_eval_count":3,"eval_count":2}"#,
    ),
    (
        Dialect::Cohere,
        r#"{"id":"a1","finish_reason":"TOOL_CALL","message":{"role":"assistant","content":[{"type":"thinking","thinking":"hm"},
        {"type":"text","text":"Hello"}],"tool_calls":[{"id":"t1","type":"function","function":{"name":"sent_1",
        "arguments":"{\"a\":1}"}}]},"usage":{"tokens":{"input_tokens":3,"output_tokens":2}}}"#,
    ),
    (
        Dialect::Gemini,
        r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"hm","thought":true},{"text":"Hello"},
        {"functionCall":{"id":"t1","name":"sent_1","args":{"a":1}}}]},"finishReason":"STOP","index":0}],
        "usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2,"totalTokenCount":5},"modelVersion":"m","responseId":"a1"}"#,
    ),
];

/// Each client's word for the end that says that tools are called.
const CLIENTS: &[(ClientDialect, &str)] = &[
    (ClientDialect::Chat, "\"finish_reason\":\"tool_calls\""),
    (ClientDialect::Messages, "\"stop_reason\":\"tool_use\""),
    (ClientDialect::Responses, "event: response.completed"),
    (ClientDialect::Gemini, "\"finishReason\":\"STOP\""),
];

#[test]
fn a_whole_answer_is_a_stream_to_whoever_asked_for_one() {
    for (upstream, answer) in ANSWERS {
        for (client, end) in CLIENTS {
            let exchange = exchange(*client, *upstream);
            let told = retell_response(&exchange, answer.as_bytes()).unwrap();
            let stream = String::from_utf8(told.body).unwrap();
            check_client(&exchange, &stream);
            for said in ["Hello", "hm", "client.name", "\"a", end] {
                assert!(
                    stream.contains(said),
                    "{upstream:?} to {client:?} has no {said}: {stream}"
                );
            }
            let usage = told.usage.unwrap();
            assert_eq!((usage.input, usage.output), (3, 2), "{upstream:?} to {client:?}");
        }
    }
}

#[test]
fn an_error_under_a_status_of_success_is_still_one() {
    let exchange = exchange(ClientDialect::Messages, Dialect::Chat);
    let fault = retell_response(
        &exchange,
        br#"{"error":{"message":"slow down","code":"rate_limit_exceeded"}}"#,
    );
    assert_eq!(fault.err().map(|fault| fault.class), Some(Class::Limited));
}
