//! Clients that return tool calls and nothing else, before upstreams that speak their own dialect and want more.

use crate::scene::Scene;
use anyhow::{Context, Result};
use pilotfish_provider::{Anthropic, Builder, Gemini, OpenAi, Step};
use pilotfish_tests::Dialect;
use serde_json::{Value, json};

const QUESTION: &str = "What is the weather in Paris?";

async fn of(provider: &str, builder: Builder, model: &str, url: &str) -> Result<Scene> {
    let fake = builder.name("east").models([model]).keys(["sk-up-1"]).start().await?;
    let spec = format!("provider: {provider}, model: {model}, endpoint: {{url: \"{url}\"}}");
    Scene::start(fake, &spec, Some("sk-up-1")).await
}

fn parameters() -> Value {
    json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]})
}

fn chat(messages: Value) -> Value {
    let function = json!({"name": "get_weather", "parameters": parameters()});
    json!({"model": "chat", "messages": messages, "tools": [{"type": "function", "function": function}]})
}

/// The call of an answer, whole or streamed.
async fn called(scene: &Scene, mut body: Value, stream: bool) -> Result<Value> {
    if !stream {
        let answer = scene.ask("/v1/chat/completions", body).await?;
        let call = &answer["choices"][0]["message"]["tool_calls"][0];
        return Ok(json!({"id": call["id"], "type": "function", "function": call["function"]}));
    }
    body["stream"] = json!(true);
    let mut answering = scene.client.stream(Dialect::Chat, &body).await?;
    let (mut id, mut name, mut arguments) = (String::new(), String::new(), String::new());
    for event in answering.events.rest().await? {
        let Ok(chunk) = event.json() else { continue };
        let call = &chunk["choices"][0]["delta"]["tool_calls"][0];
        id += call["id"].as_str().unwrap_or_default();
        name += call["function"]["name"].as_str().unwrap_or_default();
        arguments += call["function"]["arguments"].as_str().unwrap_or_default();
    }
    let function = json!({"name": name, "arguments": arguments});
    Ok(json!({"id": id, "type": "function", "function": function}))
}

fn last_sent(scene: &Scene) -> Result<Value> {
    Ok(scene.fake.received().last().context("it was asked")?.json()?)
}

#[tokio::test]
async fn deepseek_has_its_reasoning_back_from_a_client_of_chat() -> Result<()> {
    for stream in [false, true] {
        let scene = of("DeepSeek", OpenAi::builder().reasoning_content(), "house-model", "URL").await?;
        scene.fake.always(Step::normal().split(37));
        let question = json!({"role": "user", "content": QUESTION});
        let call = called(&scene, chat(json!([question])), stream).await?;
        let result = json!({"role": "tool", "tool_call_id": call["id"], "content": "18 degrees"});
        let dropped = json!({"role": "assistant", "content": "", "tool_calls": [call]});
        scene
            .ask("/v1/chat/completions", chat(json!([question, dropped, result])))
            .await?;
        let sent = &last_sent(&scene)?["messages"];
        let reasoning = sent[1]["reasoning_content"].as_str().context("it is back")?;
        assert!(!reasoning.is_empty());
        assert_eq!((&sent[0], &sent[2]), (&question, &result));
        // In another conversation the same call is nobody's, and says that nothing is known.
        let other = json!({"role": "user", "content": "What is the weather in Rome?"});
        scene
            .ask("/v1/chat/completions", chat(json!([other, dropped, result])))
            .await?;
        let mut unknown = dropped;
        unknown["reasoning_content"] = json!("");
        assert_eq!(last_sent(&scene)?["messages"][1], unknown);
        scene.end().await?;
    }
    Ok(())
}

#[tokio::test]
async fn openrouter_has_its_details_back() -> Result<()> {
    let scene = of("OpenRouter", OpenAi::builder(), "house-model", "URL").await?;
    let details =
        json!([{"type": "reasoning.encrypted", "data": "ORENC", "format": "google-gemini-v1", "id": "c1", "index": 0}]);
    let call = json!({"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": "{\"city\":\"Paris\"}"}});
    let message = json!({"role": "assistant", "content": null, "reasoning_details": details, "tool_calls": [call]});
    let answer = json!({"id": "c", "object": "chat.completion", "created": 1, "model": "house-model",
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]});
    let ends = json!({"id": "c", "object": "chat.completion", "created": 1, "model": "house-model",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "18"}, "finish_reason": "stop"}]});
    let step = |answer: &Value| Step::raw(200, "application/json", answer.to_string());
    scene.fake.script([step(&answer), step(&ends)]);
    let question = json!({"role": "user", "content": QUESTION});
    called(&scene, chat(json!([question])), false).await?;
    let dropped = json!({"role": "assistant", "content": "", "tool_calls": [call]});
    let result = json!({"role": "tool", "tool_call_id": "c1", "content": "18 degrees"});
    scene
        .ask("/v1/chat/completions", chat(json!([question, dropped, result])))
        .await?;
    assert_eq!(last_sent(&scene)?["messages"][1]["reasoning_details"], details);
    scene.end().await
}

/// The fake refuses a turn that called without the thinking that came before it.
#[tokio::test]
async fn anthropic_has_its_thinking_back_from_a_client_of_messages() -> Result<()> {
    let scene = of("Anthropic", Anthropic::builder(), "claude-sonnet-4-5", "URL").await?;
    let body = |messages: Value| {
        json!({"model": "chat", "max_tokens": 3000, "thinking": {"type": "enabled", "budget_tokens": 1024},
            "messages": messages,
            "tools": [{"name": "get_weather", "input_schema": parameters()}]})
    };
    let question = json!({"role": "user", "content": QUESTION});
    let answer = scene.ask("/v1/messages", body(json!([question]))).await?;
    let content = answer["content"].as_array().context("content")?;
    let used: Vec<_> = content.iter().filter(|block| block["type"] == "tool_use").collect();
    let results: Vec<_> = used
        .iter()
        .map(|used| json!({"type": "tool_result", "tool_use_id": used["id"], "content": "18 degrees"}))
        .collect();
    let turns = json!([question, {"role": "assistant", "content": used}, {"role": "user", "content": results}]);
    scene.ask("/v1/messages", body(turns)).await?;
    let sent = &last_sent(&scene)?["messages"][1]["content"];
    assert_eq!((&sent[0], content[0]["type"].as_str()), (&content[0], Some("thinking")));
    scene.end().await
}

/// The fake refuses a call of Gemini 3 without its signature.
#[tokio::test]
async fn gemini_has_its_signature_back_from_its_own_client() -> Result<()> {
    let scene = of("Gemini", Gemini::builder(), "gemini-3.8-flash", "URL").await?;
    let path = "/v1beta/models/chat:generateContent";
    let body = |contents: Value| {
        let function = json!({"name": "get_weather", "parameters": parameters()});
        json!({"contents": contents, "tools": [{"functionDeclarations": [function]}]})
    };
    let question = json!({"role": "user", "parts": [{"text": QUESTION}]});
    let answer = scene.ask(path, body(json!([question]))).await?;
    let parts = answer["candidates"][0]["content"]["parts"]
        .as_array()
        .context("parts")?;
    let signed = parts
        .iter()
        .find(|part| part["functionCall"].is_object())
        .context("it calls")?;
    let call = &signed["functionCall"];
    let mut response = json!({"name": call["name"], "response": {"result": "18 degrees"}});
    if call["id"].is_string() {
        response["id"] = call["id"].clone();
    }
    let turns = json!([question, {"role": "model", "parts": [{"functionCall": call}]},
        {"role": "user", "parts": [{"functionResponse": response}]}]);
    scene.ask(path, body(turns)).await?;
    assert_eq!(&last_sent(&scene)?["contents"][1]["parts"][0], signed);
    assert!(signed["thoughtSignature"].is_string());
    scene.end().await
}
