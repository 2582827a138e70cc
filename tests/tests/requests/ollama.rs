//! Clients of both dialects before Ollama's own API: lines of JSON, and calls without ids.

use crate::scene::Scene;
use anyhow::{Context, Result};
use pilotfish_provider::{HangUp, Ollama, Point, Step};
use pilotfish_tests::{Dialect, in_both};
use serde_json::{Value, json};

async fn ollama() -> Result<Scene> {
    let fake = Ollama::builder().name("east").start().await?;
    let spec = r#"provider: Ollama, model: qwen3, endpoint: {dialects: [{name: Ollama, url: "URL"}]}"#;
    Scene::start(fake, spec, None).await
}

#[tokio::test]
async fn a_conversation_is_answered_whole_and_streamed() -> Result<()> {
    in_both(async |dialect| {
        let scene = ollama().await?;
        let answer = scene.client.ask(dialect, &dialect.request("chat", "Hello")).await?;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(dialect.text(&answer.json()?), Some("Echo from east: Hello"));
        scene.fake.script([Step::normal().split(7)]);
        let expected = (
            "Echo from east: Hello dear friend".to_owned(),
            dialect.terminator().to_owned(),
        );
        assert_eq!(scene.streamed(dialect).await?, expected);
        assert!(
            scene
                .fake
                .received()
                .iter()
                .all(|request| request.target == "/api/chat")
        );
        scene.end().await
    })
    .await
}

#[tokio::test]
async fn a_call_without_an_id_finds_its_result() -> Result<()> {
    let scene = ollama().await?;
    let tool = json!({"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object",
        "properties": {"city": {"type": "string"}}, "required": ["city"]}}});
    let question = json!({"role": "user", "content": "In parallel: the weather in Paris and Oslo?"});
    let ask = async |messages: Vec<Value>| -> Result<Value> {
        let body = json!({"model": "chat", "messages": messages, "tools": [tool]});
        let answer = scene.client.ask(Dialect::Chat, &body).await?;
        assert_eq!(answer.status, 200, "{}", answer.text());
        Ok(answer.json()?["choices"][0]["message"].clone())
    };
    let called = ask(vec![question.clone()]).await?;
    let calls = called["tool_calls"].as_array().context("it calls")?.clone();
    assert_eq!(calls.len(), 2);
    assert_ne!(calls[0]["id"], calls[1]["id"]);
    let mut messages = vec![question, called];
    messages.extend(
        calls
            .iter()
            .map(|call| json!({"role": "tool", "tool_call_id": call["id"], "content": "rain"})),
    );
    let told = ask(messages).await?;
    assert!(
        told["content"].as_str().is_some_and(|text| text.contains("rain")),
        "{told}"
    );
    scene.end().await
}

#[tokio::test]
async fn what_breaks_after_content_ends_with_an_error_event() -> Result<()> {
    in_both(async |dialect| {
        let scene = ollama().await?;
        for step in [
            Step::normal().error_event(2, 500),
            Step::normal().hang_up(Point::Content(2), HangUp::Close),
            Step::normal().without_terminator(),
        ] {
            scene.fake.script([step]);
            let (_, last) = scene.streamed(dialect).await?;
            let expected = if dialect == Dialect::Messages {
                "error"
            } else {
                "\"error\""
            };
            assert!(last.contains(expected), "{last}");
        }
        Ok(())
    })
    .await
}
