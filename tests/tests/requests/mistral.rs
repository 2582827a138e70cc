//! Mistral: OpenAI's dialect, and ids of tool calls that are of one length.

use crate::scene::Scene;
use anyhow::{Context, Result};
use pilotfish_provider::Mistral;
use pilotfish_tests::Dialect;
use serde_json::json;

async fn mistral() -> Result<Scene> {
    let fake = Mistral::builder().name("east").keys(["sk-up-1"]).start().await?;
    let spec = "provider: Mistral, model: mistral-large-latest, endpoint: {url: URL}";
    Scene::start(fake, spec, Some("sk-up-1")).await
}

/// It refuses to be asked for usage, and tells it.
#[tokio::test]
async fn a_stream_is_not_asked_for_usage_and_has_it() -> Result<()> {
    let scene = mistral().await?;
    for dialect in [Dialect::Chat, Dialect::Messages] {
        let (text, _) = scene.streamed(dialect).await?;
        assert_eq!(text, "Echo from east: Hello dear friend");
    }
    scene.end().await
}

/// A chat client's bytes pass through, but for ids that came from elsewhere.
#[tokio::test]
async fn a_chat_client_s_loop_goes_on_too() -> Result<()> {
    let scene = mistral().await?;
    let call = json!({"id": "call_Z", "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let body = json!({"model": "chat", "messages": [{"role": "user", "content": "a"},
        {"role": "assistant", "content": null, "reasoning_content": "hm", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_Z", "content": "r"}]});
    let answer = scene.client.post("/v1/chat/completions", body.to_string()).await?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("x-pilotfish-loss"), Some("messages[1].reasoning_content"));
    scene.end().await
}

/// LangChain always writes the newer cap; OpenAI's SDK returns an answer's message as it came.
#[tokio::test]
async fn a_request_written_for_openai_is_understood() -> Result<()> {
    let scene = mistral().await?;
    let said = json!({"role": "assistant", "content": "b", "refusal": null, "annotations": []});
    let body = json!({"model": "chat", "max_completion_tokens": 50, "seed": 1, "user": "u", "store": false,
        "messages": [{"role": "user", "content": "a"}, said, {"role": "user", "content": "c"}]});
    let answer = scene.client.post("/v1/chat/completions", body.to_string()).await?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("x-pilotfish-loss"), Some("store, user"));
    let sent = scene.fake.received().last().context("it was asked")?.json()?;
    assert_eq!((&sent["max_tokens"], &sent["random_seed"]), (&json!(50), &json!(1)));
    scene.end().await
}

/// Ids of other providers are shorter, longer, or have an underscore; some clients have none at all.
#[tokio::test]
async fn a_tool_loop_that_began_elsewhere_goes_on() -> Result<()> {
    let scene = mistral().await?;
    for id in [
        "toolu_01A09q90qw90lq917835lq9",
        "toolu_1",
        "abc",
        "call_1_1",
        "a1B2c3D4e",
    ] {
        let call = json!({"type": "tool_use", "id": id, "name": "f", "input": {}});
        let result = json!({"type": "tool_result", "tool_use_id": id, "content": "r"});
        let body = json!({"model": "chat", "max_tokens": 100, "tools": [{"name": "f", "input_schema": {"type": "object"}}],
            "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": [call]},
                {"role": "user", "content": [result]}]});
        scene.ask("/v1/messages", body).await?;
    }
    let function = json!({"name": "f", "parameters": {"type": "object", "properties": {}}});
    let body = json!({"tools": [{"functionDeclarations": [function]}], "contents": [
        {"role": "user", "parts": [{"text": "a"}]},
        {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"result": "r"}}}]}]});
    scene.ask("/v1beta/models/chat:generateContent", body).await?;
    assert_eq!(scene.fake.received().len(), 6);
    scene.end().await
}
