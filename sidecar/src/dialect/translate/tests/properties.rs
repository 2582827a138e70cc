//! What must hold for every conversation, not only for the goldens.

use super::{Stamp, goldens, in_path, translate_request, translate_response};
use crate::dialect::{Asked, ClientDialect, Dialect, Exchange, InPath, Operation, Translated, Upstream};
use pilotfish_wire::Capabilities;
use proptest::prelude::*;
use serde_json::{Value, json};

fn translate(client: ClientDialect, upstream: Dialect, provider: &str, request: &Value) -> Translated {
    let body = serde_json::to_vec(request).unwrap();
    let asked = Asked::read(client, Operation::Generate, in_path(client, client.native()), &body).unwrap();
    let upstream = Upstream {
        dialect: upstream,
        provider,
        model: "up",
        capabilities: &Capabilities::default(),
    };
    let stamp = Stamp {
        request_id: "req1",
        created: 1,
    };
    translate_request(&asked, &upstream, stamp).unwrap_or_else(|refusal| panic!("{refusal}: {request}"))
}

/// One turn of a chat conversation, and what it says.
#[derive(Clone, Debug)]
enum Turn {
    User(String),
    Late(String),
    Assistant(String),
    /// Calls with their arguments and results, and whether thinking stands before them.
    Loop(Vec<(String, String)>, bool),
}

fn turn() -> impl Strategy<Value = Turn> {
    let word = "[a-zé\\n\" ]{1,12}x";
    prop_oneof![
        word.prop_map(Turn::User),
        word.prop_map(Turn::Late),
        word.prop_map(Turn::Assistant),
        (prop::collection::vec((word, word), 1..4), any::<bool>())
            .prop_map(|(calls, thinks)| Turn::Loop(calls, thinks)),
    ]
}

/// The turn's messages; `at` makes its ids its own.
fn messages(turn: &Turn, at: usize) -> Vec<Value> {
    match turn {
        Turn::User(text) => vec![json!({"role": "user", "content": text})],
        Turn::Late(text) => vec![json!({"role": "system", "content": text})],
        Turn::Assistant(text) => vec![json!({"role": "assistant", "content": text})],
        Turn::Loop(calls, thinks) => {
            let id = |index: usize| format!("call_{at}_{index}");
            let calls_made: Vec<_> = calls
                .iter()
                .enumerate()
                .map(|(index, (argument, _))| {
                    let arguments = json!({"value": argument, "n": 1.5}).to_string();
                    json!({"id": id(index), "type": "function", "function": {"name": "f", "arguments": arguments}})
                })
                .collect();
            let mut message = json!({"role": "assistant", "content": null, "tool_calls": calls_made});
            if *thinks {
                let entry = json!({"type": "reasoning.text", "text": format!("thought {at}"),
                    "signature": format!("sig/{at}=="), "format": "anthropic-claude-v1", "index": 0});
                message["reasoning_details"] = json!([entry]);
            }
            let results = calls
                .iter()
                .enumerate()
                .map(|(index, (_, result))| json!({"role": "tool", "tool_call_id": id(index), "content": result}));
            std::iter::once(message).chain(results).collect()
        }
    }
}

fn conversation(turns: &[Turn]) -> Value {
    let mut list = vec![
        json!({"role": "system", "content": "Be brief."}),
        json!({"role": "user", "content": "Begin."}),
    ];
    list.extend(turns.iter().enumerate().flat_map(|(at, turn)| messages(turn, at)));
    json!({"model": "m", "messages": list, "tools": [{"type": "function", "function": {"name": "f"}}]})
}

/// All of a body before the brackets that close its last turn.
fn before_the_end(body: &[u8]) -> &[u8] {
    let closing = body.iter().rev().take_while(|byte| matches!(byte, b']' | b'}')).count();
    &body[..body.len() - closing]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_longer_conversation_begins_with_the_bytes_of_the_shorter(turns in prop::collection::vec(turn(), 1..8)) {
        let upstreams = [
            (Dialect::Messages, "anthropic"),
            (Dialect::Converse, "aws.bedrock"),
            (Dialect::Ollama, "ollama"),
            (Dialect::Cohere, "cohere"),
            (Dialect::Gemini, "gcp.gemini"),
            (Dialect::Responses, "openai"),
        ];
        for (upstream, provider) in upstreams {
            for shorter in 0..turns.len() {
                let sent = |turns: &[Turn]| translate(ClientDialect::Chat, upstream, provider, &conversation(turns)).body;
                let (short, long) = (sent(&turns[..shorter]), sent(&turns));
                prop_assert!(long.starts_with(before_the_end(&short)), "{}\n{}", String::from_utf8_lossy(&short), String::from_utf8_lossy(&long));
                prop_assert_eq!(&long, &sent(&turns));
            }
        }
    }

    #[test]
    fn there_and_back_a_tool_loop_is_what_it_was(turns in prop::collection::vec(turn(), 1..6)) {
        let request = conversation(&turns);
        let there = translate(ClientDialect::Chat, Dialect::Messages, "anthropic", &request).body;
        let there: Value = serde_json::from_slice(&there).unwrap();
        let back = translate(ClientDialect::Messages, Dialect::Chat, "openrouter", &there).body;
        let back: Value = serde_json::from_slice(&back).unwrap();
        prop_assert_eq!(loops(&back), loops(&request));
        let again = translate(ClientDialect::Messages, Dialect::Chat, "openrouter", &there).body;
        prop_assert_eq!(serde_json::from_slice::<Value>(&again).unwrap(), back);
    }

    #[test]
    fn a_damaged_request_or_answer_is_survived(
        which in any::<prop::sample::Index>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let files = goldens();
        let golden: Value = serde_json::from_slice(&std::fs::read(which.get(&files)).unwrap()).unwrap();
        let mut parts = ["request", "answer"].map(|key| golden[key].to_string().into_bytes());
        for (at, byte) in &damage {
            for part in &mut parts {
                let at = at.index(part.len());
                part[at] = *byte;
            }
        }
        let pairs = [
            (ClientDialect::Chat, Dialect::Messages),
            (ClientDialect::Messages, Dialect::Chat),
            (ClientDialect::Chat, Dialect::Converse),
            (ClientDialect::Messages, Dialect::Converse),
            (ClientDialect::Chat, Dialect::Ollama),
            (ClientDialect::Messages, Dialect::Ollama),
            (ClientDialect::Chat, Dialect::Cohere),
            (ClientDialect::Messages, Dialect::Cohere),
            (ClientDialect::Gemini, Dialect::Chat),
            (ClientDialect::Gemini, Dialect::Messages),
            (ClientDialect::Chat, Dialect::Gemini),
            (ClientDialect::Messages, Dialect::Gemini),
        ];
        let operations = [
            Operation::Generate,
            Operation::Embeddings,
            Operation::EmbedOne,
            Operation::CountTokens,
        ];
        let each = |(client, upstream)| operations.map(|operation| (client, upstream, operation));
        for (client, upstream, operation) in pairs.into_iter().flat_map(each) {
            let capabilities = Capabilities::default();
            let upstream = Upstream { dialect: upstream, provider: "openai", model: "up", capabilities: &capabilities };
            let stamp = Stamp { request_id: "req1", created: 1 };
            let asked = Asked::read(client, operation, in_path(client, client.native()), &parts[0]);
            let translated = asked.and_then(|asked| translate_request(&asked, &upstream, stamp));
            if let Ok(translated) = &translated {
                prop_assert!(serde_json::from_slice::<Value>(&translated.body).is_ok());
            }
            let bare = || Exchange { operation, ..bare(client, upstream.dialect) };
            let exchange = translated.map_or_else(|_| bare(), |translated| translated.exchange);
            if let Ok(answer) = translate_response(&exchange, &parts[1]) {
                prop_assert!(serde_json::from_slice::<Value>(&answer.body).is_ok());
            }
        }
    }
}

fn bare(client: ClientDialect, upstream: Dialect) -> Exchange {
    crate::dialect::translator::tests::exchange(client, upstream)
}

/// Calls, results and signatures of a chat conversation, in order.
fn loops(request: &Value) -> Vec<Value> {
    let messages = request["messages"].as_array().unwrap();
    let of_interest = ["tool_calls", "tool_call_id", "reasoning_details"];
    let keep = |message: &Value| {
        let found: Vec<_> = of_interest
            .iter()
            .filter(|key| !message[**key].is_null())
            .map(|key| message[*key].clone())
            .collect();
        let is_tool = message["role"] == "tool";
        (!found.is_empty()).then(|| {
            json!([
                found,
                if is_tool {
                    message["content"].clone()
                } else {
                    Value::Null
                }
            ])
        })
    };
    messages.iter().filter_map(keep).collect()
}

#[test]
fn a_chat_client_that_echoes_its_answer_returns_the_thinking_byte_for_byte() {
    let answer = r#"{"id":"m","model":"c","content":[
        {"type":"thinking","thinking":"Let \u006de\n","signature":"EqQB\/+=="},
        {"type":"redacted_thinking","data":"Em\u0077="},
        {"type":"tool_use","id":"toolu_1","name":"f","input":{"a": 1.50, "b":"\u00e9"}}],"stop_reason":"tool_use"}"#;
    let exchange = bare(ClientDialect::Chat, Dialect::Messages);
    let answered = translate_response(&exchange, answer.as_bytes()).unwrap().body;
    let answered = String::from_utf8(answered).unwrap();
    let message = answered
        .split_once(r#""message":"#)
        .unwrap()
        .1
        .split_once(r#","logprobs""#)
        .unwrap()
        .0;
    let request = format!(
        r#"{{"model":"m","messages":[{{"role":"user","content":"a"}},{message},
        {{"role":"tool","tool_call_id":"toolu_1","content":"r"}}],"tools":[{{"type":"function","function":{{"name":"f"}}}}]}}"#
    );
    let asked = Asked::read(
        ClientDialect::Chat,
        Operation::Generate,
        InPath::default(),
        request.as_bytes(),
    )
    .unwrap();
    let capabilities = Capabilities::default();
    let upstream = Upstream {
        dialect: Dialect::Messages,
        provider: "anthropic",
        model: "up",
        capabilities: &capabilities,
    };
    let sent = translate_request(
        &asked,
        &upstream,
        Stamp {
            request_id: "r",
            created: 1,
        },
    )
    .unwrap();
    let sent = String::from_utf8(sent.body).unwrap();
    let expected = r#"{"role":"assistant","content":[{"type":"thinking","thinking":"Let \u006de\n","signature":"EqQB\/+=="},{"type":"redacted_thinking","data":"Em\u0077="},{"type":"tool_use","id":"toolu_1","name":"f","input":{"a": 1.50, "b":"\u00e9"}}]}"#;
    assert!(sent.contains(expected), "{sent}");
}
