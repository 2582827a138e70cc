//! What OpenAI's two dialects share and others hardly have: tools that take free text, log probabilities, tiers, metadata
//! and citations, each way between them, whole and streamed; and images in the answers of everybody who draws.

use crate::scene::Scene;
use anyhow::Result;
use pilotfish_provider::{Gemini, OpenAi, Step};
use pilotfish_tests::Dialect;
use serde_json::{Value, json};

/// A model of OpenAI's that is asked in this dialect alone.
async fn asked_in(dialect: &str) -> Result<Scene> {
    let fake = OpenAi::builder().name("east").models(["gpt-4o"]).keys(["sk-up-1"]);
    let spec = format!("provider: OpenAI, model: gpt-4o, endpoint: {{dialects: [{{name: {dialect}, url: \"URL\"}}]}}");
    Scene::start(fake.start().await?, &spec, Some("sk-up-1")).await
}

async fn drawing() -> Result<Scene> {
    let model = "gemini-2.5-flash-image";
    let fake = Gemini::builder().name("east").models([model]).keys(["sk-up-1"]);
    let spec = format!("provider: Gemini, model: {model}, endpoint: {{url: \"URL\"}}");
    Scene::start(fake.start().await?, &spec, Some("sk-up-1")).await
}

impl Scene {
    /// The data of a stream's events.
    async fn events(&self, path: &str, mut body: Value) -> Result<Vec<Value>> {
        if !path.contains("stream") {
            body["stream"] = true.into();
        }
        let answer = self.client.post(path, body.to_string()).await?;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let text = answer.text();
        let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
        Ok(data.filter_map(|data| serde_json::from_str(data).ok()).collect())
    }

    fn sent(&self, at: usize) -> Result<Value> {
        Ok(self.fake.received()[at].json()?)
    }
}

fn grammar() -> (&'static str, &'static str) {
    ("lark", r#"start: "a"+"#)
}

/// The tool, and what calls it, as a chat client says both.
fn chat_tool() -> Value {
    let (syntax, definition) = grammar();
    let format = json!({"type": "grammar", "grammar": {"syntax": syntax, "definition": definition}});
    json!({"model": "chat", "messages": [{"role": "user", "content": "Please run code for Oslo"}],
        "tools": [{"type": "custom", "custom": {"name": "code", "description": "Runs.", "format": format}}],
        "tool_choice": {"type": "custom", "custom": {"name": "code"}}})
}

/// The same as a Responses client says it.
fn responses_tool() -> Value {
    let (syntax, definition) = grammar();
    let format = json!({"type": "grammar", "syntax": syntax, "definition": definition});
    json!({"model": "chat", "input": "Please run code for Oslo", "store": false,
        "tools": [{"type": "custom", "name": "code", "description": "Runs.", "format": format}],
        "tool_choice": {"type": "custom", "name": "code"}})
}

#[tokio::test]
async fn a_chat_client_s_tool_of_free_text_makes_its_loop_in_responses() -> Result<()> {
    let scene = asked_in("Responses").await?;
    let answer = scene.ask("/v1/chat/completions", chat_tool()).await?;
    let call = &answer["choices"][0]["message"]["tool_calls"][0];
    assert_eq!(
        (&call["type"], &call["custom"]),
        (&json!("custom"), &json!({"name": "code", "input": "Oslo"})),
        "{answer}"
    );
    assert_eq!(answer["choices"][0]["finish_reason"], "tool_calls");
    assert_eq!(scene.sent(0)?["tools"], responses_tool()["tools"]);
    assert_eq!(scene.sent(0)?["tool_choice"], responses_tool()["tool_choice"]);
    // The result goes back to the call it answers.
    let mut again = chat_tool();
    again["tool_choice"] = "auto".into();
    let messages = again["messages"].as_array_mut().expect("it is a list");
    messages.push(answer["choices"][0]["message"].clone());
    messages.push(json!({"role": "tool", "tool_call_id": call["id"], "content": "aaa"}));
    let answer = scene.ask("/v1/chat/completions", again).await?;
    let said = &answer["choices"][0]["message"]["content"];
    assert_eq!(said, "east read from its tools: \"aaa\"");
    let kinds = scene.sent(1)?["input"].as_array().cloned().unwrap_or_default();
    let kinds: Vec<_> = kinds.iter().map(|item| item["type"].clone()).collect();
    assert_eq!(kinds, ["message", "custom_tool_call", "custom_tool_call_output"]);
    scene.end().await
}

#[tokio::test]
async fn a_responses_client_s_tool_of_free_text_makes_its_loop_in_chat() -> Result<()> {
    let scene = asked_in("Chat").await?;
    let answer = scene.ask("/v1/responses", responses_tool()).await?;
    let call = &answer["output"][0];
    assert_eq!(
        (&call["type"], &call["name"], &call["input"]),
        (&json!("custom_tool_call"), &json!("code"), &json!("Oslo")),
        "{answer}"
    );
    assert_eq!(scene.sent(0)?["tools"], chat_tool()["tools"]);
    assert_eq!(scene.sent(0)?["tool_choice"], chat_tool()["tool_choice"]);
    let mut again = responses_tool();
    again["tool_choice"] = "auto".into();
    let result = json!({"type": "custom_tool_call_output", "call_id": call["call_id"], "output": "aaa"});
    again["input"] = json!([{"role": "user", "content": again["input"]}, call, result]);
    let answer = scene.ask("/v1/responses", again).await?;
    assert_eq!(
        answer["output"][0]["content"][0]["text"],
        "east read from its tools: \"aaa\""
    );
    assert_eq!(scene.sent(1)?["messages"][1]["tool_calls"][0]["type"], "custom");
    scene.end().await
}

#[tokio::test]
async fn a_tool_of_free_text_is_called_in_a_stream_either_way() -> Result<()> {
    let scene = asked_in("Responses").await?;
    let events = scene.events("/v1/chat/completions", chat_tool()).await?;
    let deltas = events
        .iter()
        .map(|event| &event["choices"][0]["delta"]["tool_calls"][0]);
    let input: String = deltas
        .clone()
        .filter_map(|delta| delta["custom"]["input"].as_str())
        .collect();
    assert_eq!(input, "Oslo");
    assert_eq!(deltas.filter(|delta| delta["type"] == "custom").count(), 1);
    scene.end().await?;
    let scene = asked_in("Chat").await?;
    let events = scene.events("/v1/responses", responses_tool()).await?;
    let of = |kind: &'static str| events.iter().filter(move |event| event["type"] == kind);
    let deltas = of("response.custom_tool_call_input.delta");
    let input: String = deltas.filter_map(|event| event["delta"].as_str()).collect();
    assert_eq!(input, "Oslo");
    let done: Vec<_> = of("response.custom_tool_call_input.done")
        .map(|event| &event["input"])
        .collect();
    assert_eq!(done, ["Oslo"]);
    let whole: Vec<_> = of("response.completed")
        .map(|event| &event["response"]["output"][0]["input"])
        .collect();
    assert_eq!(whole, ["Oslo"]);
    scene.end().await
}

/// The tokens of a list of log probabilities, joined.
fn tokens(list: &Value) -> String {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    assert!(list.iter().all(|token| token["logprob"] == -0.25), "{list:?}");
    list.iter().filter_map(|token| token["token"].as_str()).collect()
}

#[tokio::test]
async fn log_probabilities_cross_either_way() -> Result<()> {
    let echo = "Echo from east: Hello dear friend";
    let scene = asked_in("Responses").await?;
    let asked = json!({"model": "chat", "messages": [{"role": "user", "content": "Hello dear friend"}],
        "logprobs": true, "top_logprobs": 2});
    let answer = scene.ask("/v1/chat/completions", asked.clone()).await?;
    assert_eq!(tokens(&answer["choices"][0]["logprobs"]["content"]), echo);
    assert_eq!(scene.sent(0)?["include"], json!(["message.output_text.logprobs"]));
    assert_eq!(scene.sent(0)?["top_logprobs"], 2);
    let events = scene.events("/v1/chat/completions", asked).await?;
    let each = events
        .iter()
        .map(|event| tokens(&event["choices"][0]["logprobs"]["content"]));
    assert_eq!(each.collect::<String>(), echo);
    scene.end().await?;
    let scene = asked_in("Chat").await?;
    let asked = json!({"model": "chat", "input": "Hello dear friend", "top_logprobs": 2,
        "include": ["message.output_text.logprobs"]});
    let answer = scene.ask("/v1/responses", asked.clone()).await?;
    assert_eq!(tokens(&answer["output"][0]["content"][0]["logprobs"]), echo);
    assert_eq!(scene.sent(0)?["logprobs"], true);
    let events = scene.events("/v1/responses", asked).await?;
    let deltas = events
        .iter()
        .filter(|event| event["type"] == "response.output_text.delta");
    assert_eq!(deltas.map(|event| tokens(&event["logprobs"])).collect::<String>(), echo);
    scene.end().await
}

#[tokio::test]
async fn a_tier_crosses_both_ways_and_metadata_where_it_is_kept() -> Result<()> {
    let scene = asked_in("Responses").await?;
    let asked = json!({"model": "chat", "messages": [{"role": "user", "content": "Hello"}],
        "service_tier": "flex", "metadata": {"team": "a"}});
    let answer = scene.client.post("/v1/chat/completions", asked.to_string()).await?;
    assert_eq!((answer.status, answer.header("x-pilotfish-loss")), (200, None));
    assert_eq!(
        (&scene.sent(0)?["service_tier"], &scene.sent(0)?["metadata"]),
        (&json!("flex"), &json!({"team": "a"}))
    );
    scene.end().await?;
    let scene = asked_in("Chat").await?;
    let asked = json!({"model": "chat", "input": "Hello", "service_tier": "flex", "metadata": {"team": "a"}});
    let answer = scene.client.post("/v1/responses", asked.to_string()).await?;
    // Chat keeps metadata with what it stores, and this is not stored; the answer repeats it all the same.
    assert_eq!(
        (answer.status, answer.header("x-pilotfish-loss")),
        (200, Some("metadata"))
    );
    assert_eq!(answer.json()?["metadata"], json!({"team": "a"}));
    assert_eq!(scene.sent(0)?["service_tier"], "flex");
    assert!(scene.sent(0)?["metadata"].is_null());
    scene.end().await
}

fn page() -> Value {
    json!({"url": "https://example.com/q", "title": "Quinces", "start_index": 0, "end_index": 8})
}

/// Chat's last event is no JSON.
fn framed(event: &Value) -> String {
    match event.as_str() {
        Some(word) => format!("data: {word}\n\n"),
        None => format!("data: {event}\n\n"),
    }
}

fn sse(events: &[Value]) -> Step {
    let stream: String = events.iter().map(framed).collect();
    Step::raw(200, "text/event-stream", stream)
}

#[tokio::test]
async fn citations_of_web_pages_cross_from_responses_to_chat() -> Result<()> {
    let scene = asked_in("Responses").await?;
    let asked = json!({"model": "chat", "messages": [{"role": "user", "content": "Hello"}]});
    let mut cited = page();
    cited["type"] = "url_citation".into();
    let part = json!({"type": "output_text", "text": "Quinces.", "annotations": [cited]});
    let message =
        json!({"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part]});
    let mut whole = json!({"id": "resp_1", "object": "response", "created_at": 1, "model": "gpt-4o", "status": "completed",
        "output": [message], "usage": {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}});
    scene
        .fake
        .script([Step::raw(200, "application/json", whole.to_string())]);
    let answer = scene.ask("/v1/chat/completions", asked.clone()).await?;
    let expected = json!([{"type": "url_citation", "url_citation": page()}]);
    assert_eq!(answer["choices"][0]["message"]["annotations"], expected);
    let at = json!({"output_index": 0, "content_index": 0, "item_id": "msg_1"});
    let event = |kind: &str, more: Value| {
        let mut event = at.clone();
        event["type"] = kind.into();
        for (key, value) in more.as_object().into_iter().flatten() {
            event[key] = value.clone();
        }
        event
    };
    whole["output"] = json!([]);
    scene.fake.script([sse(&[
        event("response.created", json!({"response": whole})),
        event("response.output_text.delta", json!({"delta": "Quinces."})),
        event(
            "response.output_text.annotation.added",
            json!({"annotation_index": 0, "annotation": cited}),
        ),
        event("response.completed", json!({"response": whole})),
    ])]);
    let events = scene.events("/v1/chat/completions", asked).await?;
    let mut annotations = events.iter().map(|event| &event["choices"][0]["delta"]["annotations"]);
    assert_eq!(annotations.find(|list| list.is_array()), Some(&expected), "{events:?}");
    scene.end().await
}

#[tokio::test]
async fn citations_of_web_pages_cross_from_chat_to_responses() -> Result<()> {
    let scene = asked_in("Chat").await?;
    let asked = json!({"model": "chat", "input": "Hello"});
    let cited = json!([{"type": "url_citation", "url_citation": page()}]);
    let message = json!({"role": "assistant", "content": "Quinces.", "annotations": cited});
    let choice = json!({"index": 0, "message": message, "finish_reason": "stop"});
    let whole = json!({"id": "c", "object": "chat.completion", "created": 1, "model": "gpt-4o", "choices": [choice],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}});
    scene
        .fake
        .script([Step::raw(200, "application/json", whole.to_string())]);
    let answer = scene.ask("/v1/responses", asked.clone()).await?;
    let mut expected = page();
    expected["type"] = "url_citation".into();
    assert_eq!(answer["output"][0]["content"][0]["annotations"], json!([expected]));
    let chunk = |delta: Value, finish: Value| {
        json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
    };
    scene.fake.script([sse(&[
        chunk(json!({"role": "assistant", "content": "Quinces."}), Value::Null),
        chunk(json!({"annotations": cited}), Value::Null),
        chunk(json!({}), "stop".into()),
        json!("[DONE]"),
    ])]);
    let events = scene.events("/v1/responses", asked).await?;
    let added = events
        .iter()
        .find(|event| event["type"] == "response.output_text.annotation.added");
    assert_eq!(added.map(|event| &event["annotation"]), Some(&expected), "{events:?}");
    scene.end().await
}

const PNG: &str = "iVBORw0KGgo=";

/// A picture between two texts, as Google's image models answer.
fn drawn(chunks: bool) -> Vec<Value> {
    let parts = [
        json!({"text": "Here it is:"}),
        json!({"inlineData": {"mimeType": "image/png", "data": PNG}}),
        json!({"text": " a quince."}),
    ];
    let usage = json!({"promptTokenCount": 9, "candidatesTokenCount": 1290, "totalTokenCount": 1299});
    let answer = |parts: &[Value], finish: Option<&str>| {
        let mut candidate = json!({"index": 0, "content": {"role": "model", "parts": parts}});
        if let Some(reason) = finish {
            candidate["finishReason"] = reason.into();
        }
        json!({"candidates": [candidate], "modelVersion": "g", "responseId": "r1", "usageMetadata": usage})
    };
    match chunks {
        false => vec![answer(&parts, Some("STOP"))],
        true => {
            let last = parts.len() - 1;
            let each = parts.chunks(1).enumerate();
            each.map(|(at, part)| answer(part, (at == last).then_some("STOP")))
                .collect()
        }
    }
}

fn url() -> String {
    format!("data:image/png;base64,{PNG}")
}

#[tokio::test]
async fn an_image_of_an_answer_reaches_whom_it_can_be_said_to() -> Result<()> {
    let scene = drawing().await?;
    let chat = json!({"model": "chat", "messages": [{"role": "user", "content": "Draw a quince"}]});
    let responses = json!({"model": "chat", "input": "Draw a quince"});
    let whole = Step::raw(200, "application/json", drawn(false)[0].to_string());
    scene
        .fake
        .script([whole.clone(), sse(&drawn(true)), whole, sse(&drawn(true))]);
    let answer = scene.ask("/v1/chat/completions", chat.clone()).await?;
    let message = &answer["choices"][0]["message"];
    assert_eq!(
        (&message["content"], &message["images"][0]["image_url"]["url"]),
        (&json!("Here it is: a quince."), &json!(url()))
    );
    let events = scene.events("/v1/chat/completions", chat).await?;
    let mut images = events
        .iter()
        .map(|event| &event["choices"][0]["delta"]["images"][0]["image_url"]["url"]);
    assert_eq!(images.find(|found| found.is_string()), Some(&json!(url())));
    let answer = scene.ask("/v1/responses", responses.clone()).await?;
    let image = &answer["output"][1];
    assert_eq!(
        (&image["type"], &image["result"]),
        (&json!("image_generation_call"), &json!(PNG)),
        "{answer}"
    );
    let events = scene.events("/v1/responses", responses).await?;
    let done = events
        .iter()
        .filter(|event| event["type"] == "response.output_item.done");
    let results: Vec<_> = done
        .map(|event| &event["item"]["result"])
        .filter(|result| result.is_string())
        .collect();
    assert_eq!(results, [PNG], "{events:?}");
    scene.end().await
}

#[tokio::test]
async fn an_image_of_an_answer_is_a_loss_by_name_where_it_cannot_be_said() -> Result<()> {
    let scene = drawing().await?;
    let asked = json!({"model": "chat", "max_tokens": 99, "messages": [{"role": "user", "content": "Draw a quince"}]});
    scene.fake.script([
        Step::raw(200, "application/json", drawn(false)[0].to_string()),
        sse(&drawn(true)),
    ]);
    let answer = scene.client.post("/v1/messages", asked.to_string()).await?;
    assert_eq!(
        (answer.status, answer.header("x-pilotfish-loss")),
        (200, Some("answer.image"))
    );
    let mut streamed = asked;
    streamed["stream"] = true.into();
    let answer = scene.client.post("/v1/messages", streamed.to_string()).await?;
    assert!(
        answer.text().contains(": x-pilotfish-loss: answer.image\n"),
        "{}",
        answer.text()
    );
    scene.end().await
}

#[tokio::test]
async fn an_image_of_a_chat_answer_reaches_a_gemini_client() -> Result<()> {
    let scene = asked_in("Chat").await?;
    let asked = json!({"contents": [{"role": "user", "parts": [{"text": "Draw a quince"}]}]});
    let image = json!({"type": "image_url", "image_url": {"url": url()}});
    let message = json!({"role": "assistant", "content": "Here.", "images": [image]});
    let whole = json!({"id": "c", "object": "chat.completion", "created": 1, "model": "gpt-4o",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}});
    let chunk = json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o",
        "choices": [{"index": 0, "delta": message, "finish_reason": "stop"}]});
    scene.fake.script([
        Step::raw(200, "application/json", whole.to_string()),
        sse(&[chunk, json!("[DONE]")]),
    ]);
    let expected = json!({"inlineData": {"mimeType": "image/png", "data": PNG}});
    let answer = scene.ask("/v1beta/models/chat:generateContent", asked.clone()).await?;
    assert_eq!(answer["candidates"][0]["content"]["parts"][1], expected, "{answer}");
    let events = scene
        .events("/v1beta/models/chat:streamGenerateContent?alt=sse", asked)
        .await?;
    let parts = events
        .iter()
        .map(|event| &event["candidates"][0]["content"]["parts"][0]);
    assert_eq!(parts.filter(|part| **part == expected).count(), 1, "{events:?}");
    scene.end().await
}

/// How likely each token was, in the form of whoever asks: of Google's for clients of OpenAI's, and the other way round.
#[tokio::test]
async fn log_probabilities_come_from_google_and_go_to_its_clients() -> Result<()> {
    let fake = Gemini::builder()
        .name("east")
        .models(["gemini-2.5-flash"])
        .keys(["sk-up-1"]);
    let spec = "provider: Gemini, model: gemini-2.5-flash, endpoint: {url: URL}";
    let google = Scene::start(fake.start().await?, spec, Some("sk-up-1")).await?;
    let body = json!({"model": "chat", "messages": [{"role": "user", "content": "Hello"}], "logprobs": true,
        "top_logprobs": 2});
    let answer = google.ask("/v1/chat/completions", body.clone()).await?;
    let choice = &answer["choices"][0];
    let whole = joined(&choice["logprobs"]["content"], "token");
    assert_eq!(choice["message"]["content"], json!(whole), "{answer}");
    assert_eq!(choice["logprobs"]["content"][0]["top_logprobs"][0]["logprob"], -0.25);
    let mut streamed = body;
    streamed["stream"] = json!(true);
    let mut answering = google.client.stream(Dialect::Chat, &streamed).await?;
    let events = answering.events.rest().await?;
    let chunks = events.iter().filter_map(|event| event.json().ok());
    let tokens: String = chunks
        .map(|chunk| joined(&chunk["choices"][0]["logprobs"]["content"], "token"))
        .collect();
    assert_eq!(tokens, whole);
    google.end().await?;

    let openai = asked_in("Chat").await?;
    let body = json!({"contents": {"parts": {"text": "Hello"}}, "generationConfig": {"responseLogprobs": true}});
    let answer = openai.ask("/v1beta/models/chat:generateContent", body.clone()).await?;
    let candidate = &answer["candidates"][0];
    let whole = joined(&candidate["logprobsResult"]["chosenCandidates"], "token");
    assert_eq!(candidate["content"]["parts"][0]["text"], json!(whole), "{answer}");
    let path = "/v1beta/models/chat:streamGenerateContent?alt=sse";
    let answer = openai.client.post(path, body.to_string()).await?.text();
    let chunks = answer.lines().filter_map(|line| line.strip_prefix("data: "));
    let chunks = chunks.filter_map(|data| serde_json::from_str::<Value>(data).ok());
    let tokens: String = chunks
        .map(|chunk| joined(&chunk["candidates"][0]["logprobsResult"]["chosenCandidates"], "token"))
        .collect();
    assert_eq!(tokens, whole);
    openai.end().await
}

/// A member of each, one behind the other.
fn joined(list: &Value, key: &str) -> String {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(|one| one[key].as_str()).collect()
}

#[tokio::test]
async fn which_tools_may_be_called_and_how_closely_to_look_is_said_in_either_dialect() -> Result<()> {
    let picture = "https://img.example/a.png";
    let functions = ["f", "g"].map(|name| json!({"name": name, "parameters": {"type": "object", "properties": {}}}));
    let flat = |function: &Value| {
        let mut flat = function.clone();
        flat["type"] = "function".into();
        flat["strict"] = false.into();
        flat
    };
    let chat = json!({"model": "chat", "safety_identifier": "s1",
        "tools": functions.iter().map(|function| json!({"type": "function", "function": function})).collect::<Vec<_>>(),
        "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "required",
            "tools": [{"type": "function", "function": {"name": "g"}}]}},
        "messages": [{"role": "user", "content": [{"type": "text", "text": "What do you see?"},
            {"type": "image_url", "image_url": {"url": picture, "detail": "low"}}]}]});
    let responses = json!({"model": "chat", "safety_identifier": "s1", "store": false,
        "tools": functions.iter().map(flat).collect::<Vec<_>>(),
        "tool_choice": {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "g"}]},
        "input": [{"role": "user", "content": [{"type": "input_text", "text": "What do you see?"},
            {"type": "input_image", "image_url": picture, "detail": "low"}]}]});
    for (path, upstream, request, other, image) in [
        (
            "/v1/chat/completions",
            "Responses",
            &chat,
            &responses,
            "/input/0/content/1/detail",
        ),
        (
            "/v1/responses",
            "Chat",
            &responses,
            &chat,
            "/messages/0/content/1/image_url/detail",
        ),
    ] {
        let scene = asked_in(upstream).await?;
        let answer = scene.client.post(path, request.to_string()).await?;
        assert_eq!(
            (answer.status, answer.header("x-pilotfish-loss")),
            (200, None),
            "{}",
            answer.text()
        );
        let sent = scene.sent(0)?;
        for field in ["tool_choice", "safety_identifier"] {
            assert_eq!(sent[field], other[field], "{upstream}");
        }
        assert_eq!(sent["tools"].as_array().map(Vec::len), Some(2), "{upstream}");
        assert_eq!(sent.pointer(image), Some(&json!("low")), "{upstream}");
        scene.end().await?;
    }
    Ok(())
}
