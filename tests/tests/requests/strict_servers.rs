//! Servers that speak chat and refuse what most others take.

use crate::scene::Scene;
use anyhow::{Context, Result};
use pilotfish_provider::{Builder, OpenAi, Step};
use pilotfish_tests::Dialect;
use serde_json::{Value, json};

async fn of(provider: &str, builder: Builder) -> Result<Scene> {
    let fake = builder
        .name("east")
        .models(["house-model"])
        .keys(["sk-up-1"])
        .start()
        .await?;
    let spec = format!("provider: {provider}, model: house-model, endpoint: {{url: URL}}");
    Scene::start(fake, &spec, Some("sk-up-1")).await
}

fn last_sent(scene: &Scene) -> Result<Value> {
    Ok(scene.fake.received().last().context("it was asked")?.json()?)
}

/// Databricks, before some of its models: what the sidecar asks for of its own accord must fail nobody.
#[tokio::test]
async fn who_refuses_to_count_a_stream_is_asked_once_more_without() -> Result<()> {
    for dialect in [Dialect::Chat, Dialect::Messages] {
        let scene = of("Databricks", OpenAi::builder().refusing_stream_options()).await?;
        // The first finds out, the second knows.
        for asked in [2, 3] {
            let (text, _) = scene.streamed(dialect).await?;
            assert_eq!(text, "Echo from east: Hello dear friend");
            assert_eq!(scene.fake.received().len(), asked);
            assert_eq!(last_sent(&scene)?.get("stream_options"), None);
        }
        scene.end().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_client_that_asks_for_the_count_itself_hears_the_refusal() -> Result<()> {
    let scene = of("Databricks", OpenAi::builder().refusing_stream_options()).await?;
    let body = json!({"model": "chat", "stream": true, "stream_options": {"include_usage": true},
        "messages": [{"role": "user", "content": "Hello"}]});
    let answer = scene.client.post("/v1/chat/completions", body.to_string()).await?;
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("stream_options"), "{}", answer.text());
    assert_eq!(scene.fake.received().len(), 1);
    scene.end().await
}

/// Cerebras knows reasoning as `reasoning`, and refuses the older name.
#[tokio::test]
async fn reasoning_goes_back_by_the_name_that_the_server_knows() -> Result<()> {
    let scene = of("Cerebras", OpenAi::builder().reasoning()).await?;
    scene.fake.always(Step::normal());
    let parameters = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
    let tools = json!([{"type": "function", "function": {"name": "get_weather", "parameters": parameters}}]);
    let question = json!({"role": "user", "content": "What is the weather in Paris?"});
    let ask = |messages: Value| json!({"model": "chat", "messages": messages, "tools": tools});
    let answer = scene.ask("/v1/chat/completions", ask(json!([question]))).await?;
    let call = &answer["choices"][0]["message"]["tool_calls"][0];
    let result = json!({"role": "tool", "tool_call_id": call["id"], "content": "18 degrees"});
    // One client drops it, another returns it as it calls it.
    for returned in [None, Some("reasoning_content")] {
        let mut said = json!({"role": "assistant", "content": "", "tool_calls": [call]});
        if let Some(name) = returned {
            said[name] = json!("as the client has it");
        }
        scene
            .ask("/v1/chat/completions", ask(json!([question, said, result])))
            .await?;
        let sent = &last_sent(&scene)?["messages"][1];
        let reasoning = sent["reasoning"].as_str().context("it is back")?;
        assert_eq!(reasoning == "as the client has it", returned.is_some());
        assert_eq!(sent.get("reasoning_content"), None);
    }
    scene.end().await
}

/// DeepSeek and Moonshot refuse turns that called tools and do not say what was reasoned; another model's have nothing to
/// say.
#[tokio::test]
async fn a_tool_loop_that_another_model_began_goes_on() -> Result<()> {
    let scene = of("Moonshot", OpenAi::builder().demanding_reasoning()).await?;
    let call = json!({"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let chat = json!({"model": "chat", "messages": [{"role": "user", "content": "a"},
        {"role": "assistant", "content": null, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "r"}]});
    scene.ask("/v1/chat/completions", chat).await?;
    let called = json!({"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}});
    let result = json!({"type": "tool_result", "tool_use_id": "toolu_1", "content": "r"});
    let messages = json!({"model": "chat", "max_tokens": 100, "tools": [{"name": "f", "input_schema": {"type": "object"}}],
        "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": [called]},
            {"role": "user", "content": [result]}]});
    scene.ask("/v1/messages", messages).await?;
    scene.end().await
}
