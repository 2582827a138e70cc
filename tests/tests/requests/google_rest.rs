//! Google's own samples for its REST API, which its parser reads freely, before a provider of another dialect.

use crate::scene::Scene;
use anyhow::Result;
use pilotfish_provider::OpenAi;
use serde_json::{Value, json};

const PATH: &str = "/v1beta/models/chat:generateContent";

async fn chat() -> Result<Scene> {
    let fake = OpenAi::builder().name("east").models(["gpt-4o"]).keys(["sk-up-1"]);
    let spec = "provider: OpenAI, model: gpt-4o, endpoint: {dialects: [{name: Chat, url: \"URL\"}]}";
    Scene::start(fake.start().await?, spec, Some("sk-up-1")).await
}

fn lamp(mode: Value) -> Value {
    json!({
        "system_instruction": {"parts": {"text": "You are a lamp."}},
        "tools": {"function_declarations": {"name": "set_light", "description": "Sets the light.", "parameters": {
            "type": "object", "properties": {"brightness": {"type": "integer", "minimum": "0"}},
            "property_ordering": ["brightness"]}}},
        "tool_config": {"function_calling_config": {"mode": mode}},
        "generation_config": {"max_output_tokens": "100", "temperature": "0.5", "stop_sequences": "END",
            "response_modalities": ["Text"]},
        "safety_settings": {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"},
        "contents": {"role": "USER", "parts": {"text": "Turn on the lights."}},
    })
}

#[tokio::test]
async fn one_value_is_a_list_and_a_name_is_known_in_any_case() -> Result<()> {
    let scene = chat().await?;
    for mode in [json!("none"), json!("any"), json!("Auto"), json!(1)] {
        let answer = scene.ask(PATH, lamp(mode.clone())).await?;
        assert!(
            answer["candidates"][0]["content"]["parts"].is_array(),
            "{mode}: {answer}"
        );
    }
    scene.end().await
}

/// What the fake checks: a whole number is one, bytes are padded, a call has its result.
#[tokio::test]
async fn a_loop_of_single_parts_goes_on() -> Result<()> {
    let scene = chat().await?;
    let body = json!({"contents": [
        {"parts": {"text": "Turn on the lights."}},
        {"role": "MODEL", "parts": {"function_call": {"name": "set_light", "args": {"brightness": 1}}}},
        {"role": "function", "parts": {"function_response": {"name": "set_light", "response": {"result": "on"}}}},
        {"role": "user", "parts": [{"text": "And this?"}, {"inline_data": {"mime_type": "image/png", "data": "iVBORw0KGg"}}]}],
        "tools": [{"functionDeclarations": {"name": "set_light"}}], "generationConfig": {"maxOutputTokens": 100.0}});
    scene.ask(PATH, body).await?;
    let received = scene.fake.received();
    let sent = received.last().map(pilotfish_provider::Received::json).transpose()?;
    let sent: Value = sent.unwrap_or_default();
    let picture = &sent["messages"][3]["content"][1]["image_url"]["url"];
    assert_eq!(picture, "data:image/png;base64,iVBORw0KGg==", "{sent}");
    scene.end().await
}

/// As Google refuses it.
#[tokio::test]
async fn a_schema_without_its_type_is_refused_by_name() -> Result<()> {
    let scene = chat().await?;
    let body = json!({"contents": {"parts": {"text": "a"}},
        "generationConfig": {"responseSchema": {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}}}});
    let answer = scene.client.post(PATH, body.to_string()).await?;
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert!(
        answer.text().contains("generationConfig.responseMimeType"),
        "{}",
        answer.text()
    );
    scene.end().await
}
