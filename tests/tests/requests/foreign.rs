//! A conversation that began with one provider goes on with another whose dialect is the client's own.

use crate::scene::Scene;
use anyhow::Result;
use pilotfish_provider::{Anthropic, Gemini};
use serde_json::{Value, json};

/// What a messages client was told when another maker's model reasoned and called a tool, and what it says next.
fn told_by_another(thinking: Value) -> Value {
    json!({"model": "chat", "max_tokens": 4000, "thinking": thinking,
        "tools": [{"name": "f", "input_schema": {"type": "object"}}],
        "messages": [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "sum", "signature": ""},
                {"type": "redacted_thinking", "data": "pf1:{\"type\":\"reasoning.encrypted\",\"data\":\"x\"}"},
                {"type": "tool_use", "id": "functions.f:0", "name": "f", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "functions.f:0", "content": "r"}]}]})
}

#[tokio::test]
async fn claude_goes_on_where_another_model_reasoned() -> Result<()> {
    let reasoning = "messages[1].content[0], messages[1].content[1]";
    for (model, thinking, lost) in [
        ("claude-opus-5-5", json!({"type": "adaptive"}), reasoning.to_owned()),
        (
            "claude-sonnet-4-5",
            json!({"type": "enabled", "budget_tokens": 1024}),
            format!("{reasoning}, thinking"),
        ),
    ] {
        let fake = Anthropic::builder().name("east").keys(["sk-up-1"]).start().await?;
        let spec = format!("provider: Anthropic, model: {model}, endpoint: {{url: URL}}");
        let scene = Scene::start(fake, &spec, Some("sk-up-1")).await?;
        let body = told_by_another(thinking).to_string();
        let answer = scene.client.post("/v1/messages", body).await?;
        assert_eq!(answer.status, 200, "{model}: {}", answer.text());
        assert_eq!(answer.header("x-pilotfish-loss"), Some(&*lost), "{model}");
        scene.end().await?;
    }
    Ok(())
}

#[tokio::test]
async fn gemini_goes_on_where_another_model_called_a_tool() -> Result<()> {
    let fake = Gemini::builder().name("east").keys(["sk-up-1"]).start().await?;
    let spec = "provider: Gemini, model: gemini-3.8-flash, endpoint: {url: URL}";
    let scene = Scene::start(fake, spec, Some("sk-up-1")).await?;
    let call = json!({"functionCall": {"id": "toolu_9", "name": "f", "args": {}}});
    let result = json!({"functionResponse": {"id": "toolu_9", "name": "f", "response": {"result": "r"}}});
    let body = json!({"tools": [{"functionDeclarations": [{"name": "f"}]}], "contents": [
        {"role": "user", "parts": [{"text": "a"}]}, {"role": "model", "parts": [call]},
        {"role": "user", "parts": [result]}]});
    scene.ask("/v1beta/models/chat:generateContent", body).await?;
    scene.end().await
}
