//! Deployments at Azure, by the paths that name them and by the newer one that does not.

use anyhow::Result;
use pilotfish_provider::{Azure, FILTER, Fake};
use pilotfish_tests::{Client, Dialect, Launch, Pilotfish, Policy, in_both};
use serde_json::json;

struct Scene {
    pilotfish: Pilotfish,
    client: Client,
    fake: Fake,
}

impl Scene {
    /// `endpoint` follows the fake's address; `more` is of the spec.
    async fn start(endpoint: &str, more: &str) -> Result<Self> {
        let fake = Azure::builder().name("east").keys(["azure-key-1"]).start().await?;
        let deployment = format!(
            "kind: ModelDeployment\napiVersion: pilotfish.dev/v1alpha1\nmetadata: {{name: east}}\nspec:\n  \
             provider: AzureOpenAI\n  model: gpt-4o\n  endpoint: {{url: \"{}{endpoint}\"}}\n{more}  \
             credentials: {{secretKeyRef: {{name: upstream, key: key}}}}\n",
            fake.url()
        );
        let secret = "kind: Secret\napiVersion: v1\nmetadata: {name: upstream}\nstringData: {key: azure-key-1}\n";
        let documents = [
            secret.to_owned(),
            deployment,
            Policy::named("chat").targets(["east"]).to_string(),
        ];
        let pilotfish = Launch::run(&documents).start().await?;
        let client = Client::new(&pilotfish)?;
        Ok(Self {
            pilotfish,
            client,
            fake,
        })
    }

    async fn legacy() -> Result<Self> {
        Self::start("", "  azure: {apiVersion: 2024-10-21}\n").await
    }

    async fn end(self) -> Result<()> {
        assert!(self.fake.violations().is_empty(), "{:?}", self.fake.violations());
        self.pilotfish.at_rest(&[&self.fake]).await
    }
}

#[tokio::test]
async fn both_of_its_apis_are_called_where_they_are() -> Result<()> {
    in_both(async |dialect| {
        for (scene, target) in [
            (
                Scene::legacy().await?,
                "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21",
            ),
            (Scene::start("/openai/v1", "").await?, "/openai/v1/chat/completions"),
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

#[tokio::test]
async fn what_its_filter_refuses_is_the_client_s_own_fault() -> Result<()> {
    in_both(async |dialect| {
        let scene = Scene::legacy().await?;
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
        (Scene::legacy().await?, "/openai/deployments/gpt-4o/chat/completions"),
        (Scene::start("/openai/v1", "").await?, "/openai/v1/responses"),
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
    let scene = Scene::start("/openai/deployments/gpt-4o", "").await?;
    let answer = scene
        .client
        .ask(Dialect::Chat, &Dialect::Chat.request("chat", "Hello"))
        .await?;
    assert_eq!(answer.status, 502, "{}", answer.text());
    assert!(answer.text().contains("Resource not found"), "{}", answer.text());
    scene.end().await
}
