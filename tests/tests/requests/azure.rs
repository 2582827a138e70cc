//! Deployments at Azure, by the paths that name them and by the newer one that does not.

use crate::scene::Scene;
use anyhow::Result;
use pilotfish_provider::{Azure, FILTER};
use pilotfish_tests::{Dialect, in_both};
use serde_json::json;

/// `path` follows the fake's address; `more` is of the spec.
async fn azure(path: &str, more: &str) -> Result<Scene> {
    let fake = Azure::builder().name("east").keys(["azure-key-1"]).start().await?;
    let spec = format!("provider: AzureOpenAI, model: gpt-4o, endpoint: {{url: \"URL{path}\"}}{more}");
    Scene::start(fake, &spec, Some("azure-key-1")).await
}

async fn legacy() -> Result<Scene> {
    azure("", ", azure: {apiVersion: 2024-10-21}").await
}

#[tokio::test]
async fn both_of_its_apis_are_called_where_they_are() -> Result<()> {
    in_both(async |dialect| {
        for (scene, target) in [
            (
                legacy().await?,
                "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21",
            ),
            (azure("/openai/v1", "").await?, "/openai/v1/chat/completions"),
        ] {
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
            let received = scene.fake.received();
            assert!(
                received.iter().all(|request| request.target == target),
                "{}",
                received[0].target
            );
            assert!(
                received
                    .iter()
                    .all(|request| request.header("api-key") == Some("azure-key-1"))
            );
            scene.end().await?;
        }
        Ok(())
    })
    .await
}

/// Its clients must name a cap, and models that reason know it by its newer name alone.
#[tokio::test]
async fn a_messages_client_is_answered_by_a_model_that_reasons() -> Result<()> {
    let reasoning = |path, more| async move {
        let fake = Azure::builder().name("east").keys(["azure-key-1"]).start().await?;
        let spec = format!("provider: AzureOpenAI, model: gpt-5, endpoint: {{url: \"URL{path}\"}}{more}");
        Scene::start(fake, &spec, Some("azure-key-1")).await
    };
    for scene in [
        reasoning("", ", azure: {apiVersion: 2024-10-21}").await?,
        reasoning("/openai/v1", "").await?,
    ] {
        let id = "toolu_".to_owned() + &"x".repeat(50);
        let call = json!({"type": "tool_use", "id": id, "name": "f", "input": {}});
        let thought = json!({"type": "thinking", "thinking": "hm", "signature": "s"});
        let body = json!({"model": "chat", "max_tokens": 100, "tools": [{"name": "f", "input_schema": {"type": "object"}}],
            "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": [thought, call]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": "r"}]}]});
        scene.ask("/v1/messages", body).await?;
        scene.end().await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_its_filter_refuses_is_the_client_s_own_fault() -> Result<()> {
    in_both(async |dialect| {
        let scene = legacy().await?;
        let answer = scene.client.ask(dialect, &dialect.request("chat", FILTER)).await?;
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert!(answer.text().contains("content management policy"), "{}", answer.text());
        scene.end().await
    })
    .await
}

#[tokio::test]
async fn a_responses_client_is_answered_natively_by_the_newer_api_alone() -> Result<()> {
    let body = json!({"model": "chat", "input": "Hello"}).to_string();
    for (scene, path) in [
        (legacy().await?, "/openai/deployments/gpt-4o/chat/completions"),
        (azure("/openai/v1", "").await?, "/openai/v1/responses"),
    ] {
        let answer = scene.client.post("/v1/responses", body.clone()).await?;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(scene.fake.received()[0].path(), path);
        scene.end().await?;
    }
    Ok(())
}

#[tokio::test]
async fn without_a_version_its_older_paths_are_not_found() -> Result<()> {
    let scene = azure("/openai/deployments/gpt-4o", "").await?;
    let answer = scene
        .client
        .ask(Dialect::Chat, &Dialect::Chat.request("chat", "Hello"))
        .await?;
    assert_eq!(answer.status, 502, "{}", answer.text());
    assert!(answer.text().contains("Resource not found"), "{}", answer.text());
    scene.end().await
}
