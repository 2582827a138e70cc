use super::{Carrier, Listener};
use crate::dialect::{Asked, ClientDialect, InPath, Operation, Reasoned, Upstream, pass_through};
use crate::sse;
use bytes::Bytes;
use pilotfish_wire::Capabilities;
use serde_json::{Value, json};
use std::sync::Arc;

/// A memory of one answer, and an upstream that speaks its client's dialect.
struct Scene {
    client: ClientDialect,
    provider: &'static str,
}

/// A request that goes through these turns.
type Request = fn(&[Value]) -> Value;

const SCENES: [(Scene, Request); 4] = [
    (Scene::of(ClientDialect::Chat, "deepseek"), chat),
    (Scene::of(ClientDialect::Chat, "openrouter"), chat),
    (Scene::of(ClientDialect::Messages, "anthropic"), messages),
    (Scene::of(ClientDialect::Gemini, "gcp.gemini"), contents),
];

impl Scene {
    const fn of(client: ClientDialect, provider: &'static str) -> Self {
        Self { client, provider }
    }

    fn carrier(&self, asked: &Asked<'_>) -> Option<Carrier> {
        let upstream = Upstream {
            dialect: self.client.native(),
            provider: self.provider,
            model: "m",
            capabilities: &Capabilities::default(),
        };
        Carrier::of(asked, &upstream)
    }

    fn read<'a>(&self, body: &'a [u8]) -> Asked<'a> {
        let in_path = InPath {
            model: (self.client == ClientDialect::Gemini).then(|| "m".into()),
            ..InPath::default()
        };
        Asked::read(self.client, Operation::Generate, in_path, body).unwrap()
    }

    /// What is kept of an answer, under which conversation; and of the same as a stream.
    fn keeps(&self, request: &Value, answer: &str, stream: &str) -> Option<(u128, Reasoned)> {
        let body = request.to_string();
        let asked = self.read(body.as_bytes());
        let carrier = self.carrier(&asked)?;
        let keeping = carrier.walk(&asked, None).keeping?;
        let reasoned = carrier.reasoned(&asked, answer.as_bytes());
        assert_eq!(reasoned, listened(Listener::new(carrier, &asked), stream), "{stream}");
        Some((
            keeping.conversation,
            reasoned.filter(|reasoned| keeping.wants(reasoned))?,
        ))
    }

    /// What is sent for a request by who remembers this.
    fn sends(&self, request: &Value, kept: Option<&(u128, Reasoned)>) -> Value {
        let body = Bytes::from(request.to_string());
        let asked = self.read(&body);
        let carrier = self.carrier(&asked).unwrap();
        assert!(carrier.may_miss(&asked));
        let recall = |conversation, call: &str| {
            let found = kept.filter(|(said, reasoned)| *said == conversation && reasoned.call == call);
            found.map(|(_, reasoned)| Arc::from(&*reasoned.entries))
        };
        let passed = carrier.walk(&asked, Some(&recall));
        let sent = pass_through(&asked, "m", false).with(passed.splices).into_pieces(&body);
        serde_json::from_slice(&sent.concat()).unwrap()
    }
}

fn listened(mut listener: Listener, stream: &str) -> Option<Reasoned> {
    sse::events(&Bytes::copy_from_slice(stream.as_bytes())).for_each(|event| listener.event(&event));
    listener.finish()
}

fn chat(turns: &[Value]) -> Value {
    json!({"model": "m", "messages": turns, "tools": [{"type": "function", "function": {"name": "f"}}]})
}

fn messages(turns: &[Value]) -> Value {
    json!({"model": "m", "max_tokens": 9, "messages": turns, "tools": [{"name": "f"}],
        "thinking": {"type": "enabled", "budget_tokens": 1024}})
}

fn contents(turns: &[Value]) -> Value {
    json!({"contents": turns, "tools": [{"functionDeclarations": [{"name": "f"}]}]})
}

/// For each scene: a question, an answer with what it reasoned, the same as a stream, what a client makes of that which
/// drops what it does not know, its result, and what the model must see.
fn loops() -> [[Value; 6]; 4] {
    let call = json!({"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let question = json!({"role": "user", "content": "Why?"});
    let dropped = json!({"role": "assistant", "content": "", "tool_calls": [call]});
    let result = json!({"role": "tool", "tool_call_id": "c1", "content": "18"});
    let chat_answer = |key: &str, value: Value| {
        let mut message = dropped.clone();
        message[key] = value;
        json!({"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]})
    };
    let chat_stream = |pieces: &[Value]| {
        let mut deltas = pieces.to_vec();
        deltas.push(json!({"tool_calls": [{"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}));
        let mut chunks: Vec<_> = deltas
            .iter()
            .map(|delta| json!({"choices": [{"index": 0, "delta": delta, "finish_reason": null}]}))
            .collect();
        chunks.push(json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}));
        json!(chunks)
    };
    let with = |key: &str, value: Value| {
        let mut message = dropped.clone();
        message[key] = value;
        message
    };
    let sealed = json!([{"type": "reasoning.encrypted", "data": "ORENC", "format": "openai-responses-v1", "index": 0}]);
    let thinking = json!({"type": "thinking", "thinking": "Hm.", "signature": "SIG"});
    let used = json!({"type": "tool_use", "id": "c1", "name": "f", "input": {}});
    let signed = json!({"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "R0VN"});
    let unsigned = json!({"functionCall": {"name": "f", "args": {}}});
    let other = json!({"functionCall": {"name": "g", "args": {}}});
    let candidate =
        |parts: Value| json!({"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}]});
    [
        [
            question.clone(),
            chat_answer("reasoning_content", json!("Hm, so.")),
            chat_stream(&[
                json!({"role": "assistant", "reasoning_content": "Hm,"}),
                json!({"reasoning_content": " so.", "content": null}),
            ]),
            dropped.clone(),
            result.clone(),
            with("reasoning_content", json!("Hm, so.")),
        ],
        [
            question.clone(),
            chat_answer("reasoning_details", sealed.clone()),
            chat_stream(&[json!({"role": "assistant", "reasoning_details": sealed})]),
            dropped.clone(),
            result,
            with("reasoning_details", sealed),
        ],
        [
            question,
            json!({"type": "message", "role": "assistant", "content": [thinking, used], "stop_reason": "tool_use"}),
            json!([
                {"type": "message_start", "message": {}},
                {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
                {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm."}},
                {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "SIG"}},
                {"type": "content_block_stop", "index": 0},
                {"type": "content_block_start", "index": 1, "content_block": used},
                {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": "{}"}},
                {"type": "content_block_stop", "index": 1},
                {"type": "message_delta", "delta": {"stop_reason": "tool_use"}},
                {"type": "message_stop"},
            ]),
            json!({"role": "assistant", "content": [used]}),
            json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "18"}]}),
            json!({"role": "assistant", "content": [thinking, used]}),
        ],
        [
            json!({"role": "user", "parts": [{"text": "Why?"}]}),
            candidate(json!([{"text": "Well."}, signed, other])),
            json!([candidate(json!([{"text": "Well."}])), candidate(json!([signed, other]))]),
            json!({"role": "model", "parts": [unsigned, other]}),
            json!({"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"result": 18}}}]}),
            json!({"role": "model", "parts": [signed, other]}),
        ],
    ]
}

/// As server-sent events, with the names that Anthropic's have.
fn events(chunks: &Value) -> String {
    let event = |chunk: &Value| {
        let name = chunk["type"].as_str().map(|name| format!("event: {name}\n"));
        format!("{}data: {chunk}\n\n", name.unwrap_or_default())
    };
    chunks.as_array().into_iter().flatten().map(event).collect()
}

/// The list of what was said.
fn said(request: &Value) -> &Value {
    request.get("messages").unwrap_or(&request["contents"])
}

#[test]
fn what_a_client_has_dropped_is_put_back() {
    for ((scene, request), [question, answer, stream, dropped, result, whole]) in SCENES.iter().zip(loops()) {
        let asks = request(std::slice::from_ref(&question));
        let kept = scene.keeps(&asks, &answer.to_string(), &events(&stream)).unwrap();
        let goes_on = request(&[question.clone(), dropped, result.clone()]);
        assert_eq!(
            said(&scene.sends(&goes_on, Some(&kept)))[1],
            whole,
            "{}",
            scene.provider
        );
        assert_eq!(said(&scene.sends(&goes_on, None)), said(&goes_on), "{}", scene.provider);
        // Byte by byte the same where the client returns it, and then its next answer is not kept.
        let returned = request(&[question, whole, result]);
        assert_eq!(
            said(&scene.sends(&returned, Some(&kept))),
            said(&returned),
            "{}",
            scene.provider
        );
        assert!(scene.keeps(&returned, &answer.to_string(), &events(&stream)).is_none());
    }
}

#[test]
fn another_conversation_is_given_nothing() {
    for ((scene, request), [question, answer, stream, dropped, result, _]) in SCENES.iter().zip(loops()) {
        let asks = request(std::slice::from_ref(&question));
        let kept = scene.keeps(&asks, &answer.to_string(), &events(&stream)).unwrap();
        let other: Value = serde_json::from_str(&question.to_string().replace("Why?", "How?")).unwrap();
        let goes_on = request(&[other, dropped, result]);
        assert_eq!(
            said(&scene.sends(&goes_on, Some(&kept))),
            said(&goes_on),
            "{}",
            scene.provider
        );
    }
}

#[test]
fn what_a_client_writes_anew_is_the_same_conversation() {
    let (scene, request) = &SCENES[2];
    let [question, answer, stream, dropped, result, whole] = loops()[2].clone();
    let asks = request(std::slice::from_ref(&question));
    let kept = scene.keeps(&asks, &answer.to_string(), &events(&stream)).unwrap();
    let marked = json!({"role": "user", "content": [
        {"type": "text", "text": "Why?", "cache_control": {"type": "ephemeral"}}]});
    let sent = scene.sends(&request(&[marked, dropped, result]), Some(&kept));
    assert_eq!(said(&sent)[1], whole);
}

#[test]
fn empty_reasoning_is_replaced() {
    let (scene, request) = &SCENES[0];
    let [question, answer, stream, dropped, result, whole] = loops()[0].clone();
    let asks = request(std::slice::from_ref(&question));
    let kept = scene.keeps(&asks, &answer.to_string(), &events(&stream)).unwrap();
    for empty in [json!(""), Value::Null] {
        let mut message = dropped.clone();
        message["reasoning_content"] = empty;
        let sent = scene.sends(&request(&[question.clone(), message, result.clone()]), Some(&kept));
        assert_eq!(said(&sent)[1], whole);
    }
}

#[test]
fn nobody_is_asked_where_no_upstream_wants_it() {
    let turns = [json!({"role": "user", "content": "Why?"})];
    let without = |mut request: Value, key: &str| {
        request.as_object_mut().unwrap().remove(key);
        request
    };
    for (client, provider, request) in [
        (ClientDialect::Chat, "openai", chat(&turns)),
        (ClientDialect::Chat, "groq", chat(&turns)),
        (ClientDialect::Chat, "deepseek", without(chat(&turns), "tools")),
        (
            ClientDialect::Messages,
            "anthropic",
            without(messages(&turns), "thinking"),
        ),
        (ClientDialect::Messages, "anthropic", without(messages(&turns), "tools")),
        (ClientDialect::Gemini, "gcp.gemini", without(contents(&turns), "tools")),
    ] {
        let (scene, body) = (Scene::of(client, provider), request.to_string());
        assert_eq!(scene.carrier(&scene.read(body.as_bytes())), None, "{provider}");
    }
}

#[test]
fn an_answer_that_only_reasons_or_only_calls_leaves_nothing() {
    let (scene, request) = &SCENES[0];
    let asks = request(&[json!({"role": "user", "content": "Why?"})]);
    for delta in [
        json!({"reasoning_content": "Hm."}),
        json!({"tool_calls": [{"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}),
    ] {
        let answer = json!({"choices": [{"index": 0, "message": delta, "finish_reason": "stop"}]});
        let stream = json!([{"choices": [{"index": 0, "delta": delta, "finish_reason": "stop"}]}]);
        assert_eq!(scene.keeps(&asks, &answer.to_string(), &events(&stream)), None);
    }
}
