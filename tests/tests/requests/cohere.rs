//! Clients of both dialects before Cohere's own API: plans before calls, thinking in the open, floats for counts.

use crate::scene::Scene;
use anyhow::{Context, Result};
use pilotfish_provider::{Cohere, HangUp, Point, Step};
use pilotfish_tests::{Dialect, in_both};
use serde_json::{Value, json};

/// Asked in its own dialect.
async fn cohere(model: &str) -> Result<Scene> {
    at(model, r#"dialects: [{name: Cohere, url: "URL"}]"#).await
}

async fn at(model: &str, endpoint: &str) -> Result<Scene> {
    let fake = Cohere::builder().name("east").keys(["sk-up-1"]).start().await?;
    let spec = format!("provider: Cohere, model: {model}, endpoint: {{{endpoint}}}");
    Scene::start(fake, &spec, Some("sk-up-1")).await
}

#[tokio::test]
async fn a_conversation_is_answered_whole_and_streamed() -> Result<()> {
    in_both(async |dialect| {
        let scene = cohere("command-a-03-2025").await?;
        let answer = scene.client.ask(dialect, &dialect.request("chat", "Hello")).await?;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(dialect.text(&answer.json()?), Some("Echo from east: Hello"));
        scene.fake.script([Step::normal().split(7)]);
        let expected = (
            "Echo from east: Hello dear friend".to_owned(),
            dialect.terminator().to_owned(),
        );
        assert_eq!(scene.streamed(dialect).await?, expected);
        let received = scene.fake.received();
        assert!(received.iter().all(|request| request.target == "/v2/chat"));
        scene.end().await
    })
    .await
}

#[tokio::test]
async fn it_is_asked_in_its_own_dialect_unless_another_is_named() -> Result<()> {
    let scene = at("command-a-03-2025", r#"url: "URL""#).await?;
    for dialect in [Dialect::Chat, Dialect::Messages] {
        let answer = scene.client.ask(dialect, &dialect.request("chat", "Hello")).await?;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let received = scene.fake.received();
    assert!(received.iter().all(|request| request.target == "/v2/chat"));
    scene.end().await
}

/// What the schema libraries make of an optional number, of a bound and of a list with one element at least.
#[tokio::test]
async fn a_schema_is_asked_for_as_far_as_it_is_enforced() -> Result<()> {
    let scene = cohere("command-a-03-2025").await?;
    let schema = json!({"type": "object", "additionalProperties": false, "required": ["a", "b"], "properties": {
        "a": {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}], "default": null},
        "b": {"type": "array", "items": {"type": "string", "pattern": "^x"}, "minItems": 1}}});
    let format = json!({"type": "json_schema", "json_schema": {"name": "n", "schema": schema}});
    let body = json!({"model": "chat", "messages": [{"role": "user", "content": "Hello"}], "response_format": format});
    let answer = scene.client.ask(Dialect::Chat, &body).await?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let below = |path: &str| format!("response_format.json_schema.schema.properties.{path}");
    let lost = ["a.anyOf", "a.minimum", "b.minItems", "b.items.pattern"].map(below);
    assert_eq!(answer.header("x-pilotfish-loss"), Some(&*lost.join(", ")));
    let strict = json!({"name": "f", "strict": true, "parameters": schema});
    let body = json!({"model": "chat", "messages": [{"role": "user", "content": "Hello"}],
        "tools": [{"type": "function", "function": strict}]});
    let answer = scene.client.ask(Dialect::Chat, &body).await?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("x-pilotfish-loss"), Some("tools[0].function.strict"));
    scene.end().await
}

#[tokio::test]
async fn a_tool_loop_comes_back_with_its_thinking() -> Result<()> {
    let scene = cohere("command-a-reasoning-08-2025").await?;
    let tool = json!({"type": "function", "function": {"name": "get-weather", "strict": true, "parameters":
        {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}});
    let question = json!({"role": "user", "content": "In parallel: the weather in Paris and Oslo?"});
    let ask = async |messages: Vec<Value>| -> Result<Value> {
        let body = json!({"model": "chat", "messages": messages, "tools": [tool], "reasoning_effort": "low"});
        let answer = scene.client.ask(Dialect::Chat, &body).await?;
        assert_eq!(answer.status, 200, "{}", answer.text());
        Ok(answer.json()?["choices"][0]["message"].clone())
    };
    let called = ask(vec![question.clone()]).await?;
    let calls = called["tool_calls"].as_array().context("it calls")?.clone();
    assert_eq!(calls.len(), 2);
    assert!(
        calls.iter().all(|call| call["function"]["name"] == "get-weather"),
        "{called}"
    );
    let thought = called["reasoning_content"].as_str().context("it thinks")?.to_owned();
    let mut messages = vec![question, called];
    messages.extend(
        calls
            .iter()
            .map(|call| json!({"role": "tool", "tool_call_id": call["id"], "content": "rain"})),
    );
    let told = ask(messages).await?;
    let said = told["content"].as_str();
    assert!(said.is_some_and(|text| text.contains("rain")), "{told}");
    let received = scene.fake.received();
    let last: Value = serde_json::from_slice(&received.last().context("it was asked")?.body)?;
    assert_eq!(last["messages"][1]["content"][0]["thinking"], *thought);
    scene.end().await
}

#[tokio::test]
async fn what_breaks_after_content_ends_with_an_error_event() -> Result<()> {
    in_both(async |dialect| {
        let scene = cohere("command-a-03-2025").await?;
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

#[tokio::test]
async fn what_cohere_refuses_is_told_in_the_client_s_words() -> Result<()> {
    in_both(async |dialect| {
        let scene = cohere("command-none").await?;
        let answer = scene.client.ask(dialect, &dialect.request("chat", "Hello")).await?;
        assert_eq!(answer.status, 502, "{}", answer.text());
        assert!(answer.text().contains("command-none"), "{}", answer.text());
        Ok(())
    })
    .await
}
