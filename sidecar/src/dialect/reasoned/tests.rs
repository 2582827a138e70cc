use super::Recorder;
use crate::dialect::item::{Finish, Reasoning, Step};
use crate::dialect::text::Text;
use crate::dialect::{
    Asked, ClientDialect, Dialect, Found, InPath, Operation, Reasoned, Stamp, Upstream, translate_request_with,
    translate_response,
};
use pilotfish_wire::Capabilities;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

const STAMP: Stamp<'_> = Stamp {
    request_id: "req1",
    created: 1_800_000_000,
};

/// A memory, a client that returns nothing but what every client knows, and its upstream.
struct Scene {
    client: ClientDialect,
    upstream: Dialect,
    provider: &'static str,
    kept: RefCell<HashMap<(u128, String), Arc<str>>>,
}

impl Scene {
    fn new(client: ClientDialect, upstream: Dialect, provider: &'static str) -> Self {
        let kept = RefCell::default();
        Self {
            client,
            upstream,
            provider,
            kept,
        }
    }

    /// What is sent for a request, when `answer` comes back and is kept.
    fn sends(&self, request: &Value, answer: Option<&Value>) -> Value {
        let body = serde_json::to_vec(request).unwrap();
        let in_path = InPath {
            model: (self.client == ClientDialect::Gemini).then(|| "m".into()),
            ..InPath::default()
        };
        let asked = Asked::read(self.client, Operation::Generate, in_path, &body).unwrap();
        let upstream = Upstream {
            dialect: self.upstream,
            provider: self.provider,
            model: "m",
            capabilities: &Capabilities::default(),
        };
        let recall = |conversation, call: &str| self.kept.borrow().get(&(conversation, call.to_owned())).cloned();
        let found = Found {
            recall: Some(&recall),
            pictures: None,
        };
        let translated = translate_request_with(&asked, &upstream, STAMP, found).unwrap();
        if let Some(answer) = answer {
            let bytes = serde_json::to_vec(answer).unwrap();
            let answer = translate_response(&translated.exchange, &bytes).unwrap();
            let (keeping, reasoned) = (translated.keeping.unwrap(), answer.reasoned);
            if let Some(Reasoned { call, entries, .. }) = reasoned.filter(|reasoned| keeping.wants(reasoned)) {
                let key = (keeping.conversation, call);
                self.kept.borrow_mut().insert(key, entries.into());
            }
        }
        serde_json::from_slice(&translated.body).unwrap()
    }
}

fn chat(messages: Value) -> Value {
    let function = json!({"name": "f", "parameters": {"type": "object"}});
    json!({"model": "c", "messages": messages, "tools": [{"type": "function", "function": function}]})
}

fn asked(text: &str) -> Value {
    json!({"role": "user", "content": text})
}

fn called(id: &str) -> [Value; 2] {
    let call = json!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}});
    [
        json!({"role": "assistant", "content": null, "tool_calls": [call]}),
        json!({"role": "tool", "tool_call_id": id, "content": "done"}),
    ]
}

fn claude(id: &str, signature: &str) -> Value {
    json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "tool_use",
        "content": [
            {"type": "thinking", "thinking": "so", "signature": signature},
            {"type": "redacted_thinking", "data": "sealed"},
            {"type": "tool_use", "id": id, "name": "f", "input": {}},
        ],
        "usage": {"input_tokens": 1, "output_tokens": 1},
    })
}

/// The content of the assistant's first turn.
fn first_turn(sent: &Value) -> &Value {
    &sent["messages"][1]["content"]
}

#[test]
fn thinking_that_a_chat_client_dropped_is_back_before_its_call() {
    let scene = Scene::new(ClientDialect::Chat, Dialect::Messages, "anthropic");
    scene.sends(&chat(json!([asked("q")])), Some(&claude("toolu_1", "sig1")));
    let [call, result] = called("toolu_1");
    let sent = scene.sends(
        &chat(json!([asked("q"), call, result])),
        Some(&claude("toolu_2", "sig2")),
    );
    assert_eq!(
        first_turn(&sent),
        &json!([
            {"type": "thinking", "thinking": "so", "signature": "sig1"},
            {"type": "redacted_thinking", "data": "sealed"},
            {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}},
        ])
    );
    // What was there begins with the same bytes when there is more.
    let [more, done] = called("toolu_2");
    let longer = scene.sends(&chat(json!([asked("q"), call, result, more, done])), None);
    assert_eq!(longer["messages"][1], sent["messages"][1]);
    assert_eq!(longer["messages"][3]["content"][0]["signature"], "sig2");
}

#[test]
fn an_id_that_was_counted_belongs_to_what_was_said_before_it() {
    let scene = Scene::new(ClientDialect::Chat, Dialect::Messages, "anthropic");
    scene.sends(&chat(json!([asked("mine")])), Some(&claude("f:0", "sig1")));
    let [call, result] = called("f:0");
    let theirs = scene.sends(&chat(json!([asked("yours"), call, result])), None);
    assert_eq!(first_turn(&theirs)[0]["type"], "tool_use");
    let mine = scene.sends(&chat(json!([asked("mine"), call, result])), None);
    assert_eq!(first_turn(&mine)[0]["signature"], "sig1");
}

#[test]
fn what_a_client_returns_itself_stays_as_it_is() {
    let scene = Scene::new(ClientDialect::Chat, Dialect::Messages, "anthropic");
    scene.sends(&chat(json!([asked("q")])), Some(&claude("toolu_1", "sig1")));
    let [mut call, result] = called("toolu_1");
    call["reasoning_details"] =
        json!([{"type": "reasoning.text", "text": "own", "signature": "own", "format": "anthropic-claude-v1"}]);
    let sent = scene.sends(&chat(json!([asked("q"), call, result])), None);
    assert_eq!(first_turn(&sent)[0]["signature"], "own");
    // A text for showing is no reasoning that anybody vouches for.
    let [mut call, result] = called("toolu_1");
    call["reasoning_content"] = json!("so");
    let sent = scene.sends(&chat(json!([asked("q"), call, result])), None);
    assert_eq!(first_turn(&sent)[0]["signature"], "sig1");
    assert_eq!(first_turn(&sent).as_array().unwrap().len(), 3);
}

#[test]
fn a_text_is_kept_where_the_provider_wants_it_again() {
    let message = json!({
        "role": "assistant", "content": null, "reasoning_content": "so",
        "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
    });
    let choice = json!({"index": 0, "message": message, "finish_reason": "tool_calls"});
    let answer = json!({"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]});
    let use_ = json!({"type": "tool_use", "id": "call_1", "name": "f", "input": {}});
    let result = json!({"type": "tool_result", "tool_use_id": "call_1", "content": "done"});
    let request = |more: &[Value]| {
        let messages = [&[asked("q")], more].concat();
        json!({"model": "c", "max_tokens": 9, "messages": messages, "tools": [{"name": "f", "input_schema": {"type": "object"}}]})
    };
    for (provider, expected) in [("deepseek", json!("so")), ("openai", Value::Null)] {
        let scene = Scene::new(ClientDialect::Messages, Dialect::Chat, provider);
        scene.sends(&request(&[]), Some(&answer));
        let turns = [
            json!({"role": "assistant", "content": [use_]}),
            json!({"role": "user", "content": [result]}),
        ];
        let sent = scene.sends(&request(&turns), None);
        assert_eq!(sent["messages"][1]["reasoning_content"], expected, "{provider}");
    }
}

#[test]
fn signatures_of_google_and_items_of_openai_come_back_too() {
    let part = json!({"functionCall": {"name": "f", "args": {}, "id": "call_1"}, "thoughtSignature": "c2ln"});
    let candidate = json!({"content": {"role": "model", "parts": [part]}, "finishReason": "STOP"});
    let answer = json!({"candidates": [candidate], "responseId": "1", "modelVersion": "m"});
    let scene = Scene::new(ClientDialect::Chat, Dialect::Gemini, "gcp.gemini");
    scene.sends(&chat(json!([asked("q")])), Some(&answer));
    let [call, result] = called("call_1");
    let sent = scene.sends(&chat(json!([asked("q"), call, result])), None);
    assert_eq!(sent["contents"][1]["parts"][0]["thoughtSignature"], "c2ln");

    let output = json!([
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "sealed"},
        {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": "{}"},
    ]);
    let answer = json!({"id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "m", "output": output});
    let scene = Scene::new(ClientDialect::Chat, Dialect::Responses, "openai");
    scene.sends(&chat(json!([asked("q")])), Some(&answer));
    let sent = scene.sends(&chat(json!([asked("q"), call, result])), None);
    assert_eq!(sent["input"][1]["encrypted_content"], "sealed");
    assert_eq!(sent["input"][2]["type"], "function_call");
}

fn record(steps: Vec<Step<'_>>) -> Option<Reasoned> {
    let mut recorder = Recorder::default();
    steps.iter().for_each(|step| recorder.note(step));
    let reasoned = recorder.take();
    assert_eq!(recorder.take(), None, "told once");
    reasoned
}

fn call() -> Step<'static> {
    Step::Call {
        call: 0,
        id: Text::from("toolu_1"),
        name: Text::from("f"),
    }
}

#[test]
fn a_stream_is_kept_as_the_whole_answer_is() {
    let thinking = |text: &'static str| Step::Thinking(Text::from(text));
    let streamed = record(vec![
        thinking("s"),
        thinking("o"),
        Step::Signature(Text::from("sig1")),
        Step::Reasoning(Reasoning::Sealed(Text::from("sealed"))),
        call(),
        Step::Finish(Finish::Calls),
    ]);
    let exchange = crate::dialect::translator::tests::exchange(ClientDialect::Chat, Dialect::Messages);
    let whole = serde_json::to_vec(&claude("toolu_1", "sig1")).unwrap();
    assert_eq!(streamed, translate_response(&exchange, &whole).unwrap().reasoned);
}

#[test]
fn what_ends_without_a_call_or_too_long_is_not_kept() {
    let thinking = |text: String| Step::Thinking(Text::from(text));
    let long = |bytes| vec![thinking("a".repeat(bytes)), call(), Step::Finish(Finish::Calls)];
    assert!(record(long(super::LONGEST)).is_some());
    assert_eq!(record(long(super::LONGEST + 1)), None);
    assert_eq!(
        record(vec![thinking("so".to_owned()), Step::Finish(Finish::Stop)]),
        None
    );
    assert_eq!(record(vec![thinking("so".to_owned()), call()]), None, "cut off");
    assert_eq!(record(vec![call(), Step::Finish(Finish::Calls)]), None);
}
