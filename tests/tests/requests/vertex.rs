//! Claude at Vertex AI: for its own clients byte for byte, for others translated.

use crate::scene::Scene;
use anyhow::Result;
use pilotfish_provider::Anthropic;
use pilotfish_tests::{Dialect, in_both};
use serde_json::{Value, json};

const PLACE: &str = "/v1/projects/p/locations/us-east5";

async fn vertex() -> Result<Scene> {
    let fake = Anthropic::builder().name("east").keys(["token-1"]).start().await?;
    let spec = format!("provider: VertexAI, model: claude-sonnet-4-5, endpoint: {{url: \"URL{PLACE}\"}}");
    Scene::start(fake, &spec, Some("token-1")).await
}

#[tokio::test]
async fn claude_is_asked_by_raw_predictions() -> Result<()> {
    in_both(async |dialect| {
        let scene = vertex().await?;
        let answer = scene.client.ask(dialect, &dialect.request("chat", "Hello")).await?;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(dialect.text(&answer.json()?), Some("Echo from east: Hello"));
        let mut answer = scene
            .client
            .stream(dialect, &dialect.stream_request("chat", "Hello"))
            .await?;
        assert_eq!(answer.status, 200);
        let events = answer.events.rest().await?;
        let deltas = events.iter().filter_map(|event| event.json().ok());
        let text: String = deltas
            .filter_map(|data| dialect.delta(&data).map(str::to_owned))
            .collect();
        assert_eq!(text, "Echo from east: Hello");
        let model = format!("{PLACE}/publishers/anthropic/models/claude-sonnet-4-5");
        let targets: Vec<_> = scene
            .fake
            .received()
            .iter()
            .map(|request| request.target.clone())
            .collect();
        assert_eq!(
            targets,
            [format!("{model}:rawPredict"), format!("{model}:streamRawPredict")]
        );
        let sent: Value = scene.fake.received()[0].json()?;
        assert_eq!(sent["anthropic_version"], "vertex-2023-10-16");
        assert!(sent.get("model").is_none());
        scene.end().await
    })
    .await
}

#[tokio::test]
async fn its_tokens_are_counted_and_its_refusals_told() -> Result<()> {
    let scene = vertex().await?;
    let body = json!({"model": "chat", "messages": [{"role": "user", "content": "Hello"}]});
    let counted = scene.client.post("/v1/messages/count_tokens", body.to_string()).await?;
    assert_eq!(counted.status, 200, "{}", counted.text());
    assert!(counted.json()?["input_tokens"].as_u64() > Some(0));
    // Without `max_tokens`.
    let refused = scene.client.post("/v1/messages", body.to_string()).await?;
    assert_eq!(refused.status, 400);
    assert_eq!(refused.error(Dialect::Messages)?.kind, "invalid_request_error");
    scene.end().await
}
