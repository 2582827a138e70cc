//! What is known of a model by its name or by its deployment, kept in requests of every dialect: what it does not take goes
//! to another one, is left out, or is refused by the field's name.

use crate::scene::Scene;
use anyhow::Result;
use pilotfish_provider::OpenAi;
use pilotfish_tests::{Client, Deployment, Dialect, Launch, Policy};
use serde_json::{Value, json};

const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// A model of OpenAI's, asked in chat, of which the deployment says nothing but the name.
async fn named(model: &str) -> Result<Scene> {
    let fake = OpenAi::builder().name("east").models([model]).keys(["sk-up-1"]);
    let spec = format!("provider: OpenAI, model: {model}, endpoint: {{dialects: [{{name: Chat, url: \"URL\"}}]}}");
    Scene::start(fake.start().await?, &spec, Some("sk-up-1")).await
}

/// A picture and a question.
fn shown(model: &str) -> Value {
    let picture = json!({"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{PNG}")}});
    json!({"model": model, "messages": [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, picture]}]})
}

/// A sound.
fn played(model: &str) -> Value {
    let sound = json!({"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}});
    json!({"model": model, "messages": [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, sound]}]})
}

#[tokio::test]
async fn sampling_goes_only_to_a_model_that_does_not_reason_meanwhile() -> Result<()> {
    let scene = named("gpt-5.1").await?;
    let mut request = json!({"model": "chat", "max_tokens": 4000, "temperature": 0.5,
        "messages": [{"role": "user", "content": "Hello"}]});
    scene.ask("/v1/messages", request.clone()).await?;
    request["thinking"] = json!({"type": "enabled", "budget_tokens": 2000});
    let answer = scene.client.post("/v1/messages", request.to_string()).await?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("x-pilotfish-loss"), Some("temperature, thinking"));
    let sent: Vec<Value> = scene
        .fake
        .received()
        .iter()
        .map(|sent| sent.json())
        .collect::<Result<_, _>>()?;
    assert_eq!(
        (&sent[0]["temperature"], &sent[0]["reasoning_effort"]),
        (&json!(0.5), &Value::Null)
    );
    assert_eq!(
        (&sent[1]["temperature"], &sent[1]["reasoning_effort"]),
        (&Value::Null, &json!("low"))
    );
    scene.end().await
}

#[tokio::test]
async fn what_a_model_is_known_not_to_take_is_refused_by_the_fields_name() -> Result<()> {
    let scene = named("gpt-3.5-turbo").await?;
    let block = |block: Value| {
        let content = json!([{"type": "text", "text": "What is it?"}, block]);
        json!({"model": "chat", "max_tokens": 100, "messages": [{"role": "user", "content": content}]})
    };
    let pdf = json!({"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="});
    let png = json!({"type": "base64", "media_type": "image/png", "data": PNG});
    let schema = json!({"type": "object", "properties": {}, "additionalProperties": false});
    let mut shaped = block(json!({"type": "text", "text": "Say."}));
    shaped["output_config"] = json!({"format": {"type": "json_schema", "schema": schema}});
    for (request, name) in [
        (block(json!({"type": "image", "source": png})), "messages[0].content[1]"),
        (
            block(json!({"type": "document", "source": pdf})),
            "messages[0].content[1]",
        ),
        (shaped, "output_config.format"),
    ] {
        let refused = scene.client.post("/v1/messages", request.to_string()).await?;
        let text = refused.text();
        assert!(
            refused.status == 400 && text.contains(&format!("cannot carry \\\"{name}\\\"")),
            "{text}"
        );
    }
    assert!(scene.fake.received().is_empty());
    scene.end().await
}

#[tokio::test]
async fn what_a_model_does_not_take_goes_to_one_that_does() -> Result<()> {
    let (deaf, hears) = (
        Dialect::Chat.provider("deaf").start().await?,
        Dialect::Chat.provider("hears").start().await?,
    );
    let claude = Dialect::Messages.provider("claude").start().await?;
    let documents = [
        Deployment::of(Dialect::Chat, "deaf", &deaf)
            .with("capabilities: {refuses: [Audio, Vision]}")
            .to_string(),
        Deployment::of(Dialect::Chat, "hears", &hears)
            .with("capabilities: {refuses: []}")
            .to_string(),
        Deployment::of(Dialect::Messages, "claude", &claude)
            .with("capabilities: {refuses: [Vision]}")
            .to_string(),
        Policy::named("chat").in_order(["deaf", "hears"]).to_string(),
        Policy::named("silence").targets(["deaf"]).to_string(),
        Policy::named("blind").targets(["claude"]).to_string(),
        Policy::named("blinded")
            .targets(["deaf", "claude"])
            .with("translation: {onLoss: Warn}")
            .to_string(),
    ];
    let pilotfish = Launch::run(&documents).start().await?;
    let client = Client::new(&pilotfish)?;
    let post = async |body: Value| client.post("/v1/chat/completions", body.to_string()).await;
    for request in [played("chat"), shown("chat")] {
        let answer = post(request).await?;
        assert_eq!(
            answer.header("x-pilotfish-deployment"),
            Some("default/hears"),
            "{}",
            answer.text()
        );
    }
    let refused = post(played("silence")).await?;
    assert_eq!(refused.status, 400);
    assert!(
        refused.text().contains("default/deaf: its model lacks Audio"),
        "{}",
        refused.text()
    );
    // Where nobody takes it, who is sent a translation names the field, or does without.
    let refused = post(shown("blind")).await?;
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("messages[0].content[1]"), "{}", refused.text());
    let answer = post(shown("blinded")).await?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("x-pilotfish-deployment"), Some("default/claude"));
    assert_eq!(answer.header("x-pilotfish-loss"), Some("messages[0].content[1]"));
    pilotfish.at_rest(&[&deaf, &hears, &claude]).await
}
