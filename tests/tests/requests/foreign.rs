//! A conversation that began with one provider goes on with another whose dialect is the client's own.

use crate::scene::Scene;
use anyhow::{Context, Result};
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

/// One call has its own signature back, which the sidecar remembers, and another one, of another maker, says that it has
/// none: the fake demands one of each.
#[tokio::test]
async fn gemini_s_own_signature_comes_back_beside_a_call_of_another_s() -> Result<()> {
    let fake = Gemini::builder().name("east").keys(["sk-up-1"]).start().await?;
    let spec = "provider: Gemini, model: gemini-3.8-flash, endpoint: {url: URL}";
    let scene = Scene::start(fake, spec, Some("sk-up-1")).await?;
    let path = "/v1beta/models/chat:generateContent";
    let body = |contents: &[Value]| {
        let city = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
        let declared = json!({"name": "get_weather", "parameters": city});
        json!({"contents": contents, "tools": [{"functionDeclarations": [declared]}]})
    };
    let result = |call: &Value| {
        let mut response = json!({"name": call["name"], "response": {"result": "18 degrees"}});
        if call["id"].is_string() {
            response["id"] = call["id"].clone();
        }
        json!({"role": "user", "parts": [{"functionResponse": response}]})
    };
    let mut contents = vec![json!({"role": "user", "parts": [{"text": "What is the weather in Paris?"}]})];
    let answer = scene.ask(path, body(&contents)).await?;
    let parts = answer["candidates"][0]["content"]["parts"]
        .as_array()
        .context("parts")?;
    let own = parts.iter().find(|part| part["functionCall"].is_object());
    let own = own.context("it calls")?;
    let call = &own["functionCall"];
    // Then another model went on, and called in its turn.
    let theirs = json!({"name": "get_weather", "args": {"city": "Rome"}});
    contents.extend([
        json!({"role": "model", "parts": [{"functionCall": call}]}),
        result(call),
        json!({"role": "model", "parts": [{"functionCall": theirs}]}),
        result(&theirs),
    ]);
    scene.ask(path, body(&contents)).await?;
    let received = scene.fake.received();
    let sent = received.last().context("it was asked")?.json()?;
    let signature = |turn: usize| &sent["contents"][turn]["parts"][0]["thoughtSignature"];
    assert_eq!(
        (signature(1), own["thoughtSignature"].is_string()),
        (&own["thoughtSignature"], true)
    );
    assert_eq!(signature(3), "skip_thought_signature_validator");
    scene.end().await
}
