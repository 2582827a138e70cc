//! Providers that want a token instead of a key: it is fetched, kept, renewed, and seen by nobody.

use anyhow::Result;
use pilotfish_provider::{Anthropic, Fake, OpenAi, Step, TokenEndpoint};
use pilotfish_tests::{Client, Dialect, Launch, Pilotfish, Policy};
use serde_json::json;

/// Of a service account that exists nowhere else.
const KEY: &str = include_str!("tokens/service_account.pem");
/// What checks its signatures.
const PUBLIC_KEY: &str = include_str!("tokens/service_account.pub");

struct Scene {
    pilotfish: Pilotfish,
    client: Client,
    fake: Fake,
    tokens: Fake,
}

impl Scene {
    /// `credentials` and `secret` are YAML; `lives` is how long a token does, seconds.
    async fn vertex(credentials: &str, lives: &str, secret: impl Fn(&str) -> String) -> Result<Self> {
        let fake = Anthropic::builder()
            .name("east")
            .keys(["token-1", "token-2"])
            .start()
            .await?;
        let tokens = TokenEndpoint::builder()
            .keys([PUBLIC_KEY.trim()])
            .models([lives])
            .start()
            .await?;
        let deployment = format!(
            "kind: ModelDeployment\napiVersion: pilotfish.dev/v1alpha1\nmetadata: {{name: east}}\nspec:\n  \
             provider: VertexAI\n  model: claude-sonnet-4-5\n  endpoint: {{url: \"{}/v1/projects/p/locations/l\"}}\n  \
             credentials: {{{credentials}}}\n",
            fake.url()
        );
        let documents = [
            secret(&tokens.url()),
            deployment,
            Policy::named("chat").targets(["east"]).to_string(),
        ];
        let host = tokens.url().trim_start_matches("http://").to_owned();
        let pilotfish = Launch::run(&documents)
            .environment("GCE_METADATA_HOST", &host)
            .start()
            .await?;
        let client = Client::new(&pilotfish)?;
        Ok(Self {
            pilotfish,
            client,
            fake,
            tokens,
        })
    }

    async fn service_account(lives: &str) -> Result<Self> {
        Self::vertex("secretRef: {name: upstream}", lives, |url| {
            secret(&format!("{url}/token"))
        })
        .await
    }

    async fn ask(&self) -> Result<u16> {
        let request = Dialect::Messages.request("chat", "Hello");
        Ok(self.client.ask(Dialect::Messages, &request).await?.status)
    }

    fn presented(&self) -> Vec<String> {
        let received = self.fake.received();
        let headers = received.iter().filter_map(|request| request.header("authorization"));
        headers.map(str::to_owned).collect()
    }

    async fn end(self) -> Result<()> {
        assert!(self.fake.violations().is_empty(), "{:?}", self.fake.violations());
        let line = KEY.lines().nth(5).unwrap_or_default();
        assert!(self.fake.received().iter().all(|request| !request.mentions(line)));
        assert!(self.tokens.received().iter().all(|request| !request.mentions(line)));
        self.pilotfish.at_rest(&[&self.fake, &self.tokens]).await
    }
}

/// A Secret with the file that Google gives out.
fn secret(token_uri: &str) -> String {
    let file = json!({"type": "service_account", "project_id": "p", "private_key_id": "k1", "private_key": KEY,
        "client_email": "app@p.iam.gserviceaccount.com", "client_id": "1", "token_uri": token_uri});
    json!({"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "upstream"},
        "stringData": {"key.json": file.to_string()}})
    .to_string()
        + "\n"
}

#[tokio::test]
async fn a_service_account_s_token_is_fetched_once_and_kept() -> Result<()> {
    let scene = Scene::service_account("3600").await?;
    for _ in 0..3 {
        assert_eq!(scene.ask().await?, 200);
    }
    assert_eq!(scene.presented(), ["Bearer token-1"; 3]);
    assert_eq!(scene.tokens.received().len(), 1);
    scene.end().await
}

#[tokio::test]
async fn a_token_that_has_ended_is_renewed() -> Result<()> {
    let scene = Scene::service_account("0").await?;
    assert_eq!((scene.ask().await?, scene.ask().await?), (200, 200));
    assert_eq!(scene.presented(), ["Bearer token-1", "Bearer token-2"]);
    scene.end().await
}

#[tokio::test]
async fn calls_that_need_the_first_token_wait_for_one_fetch() -> Result<()> {
    let scene = Scene::service_account("3600").await?;
    let asked = futures::future::join_all((0..8).map(|_| scene.ask())).await;
    assert!(asked.into_iter().all(|status| status.is_ok_and(|status| status == 200)));
    assert_eq!(scene.tokens.received().len(), 1);
    scene.end().await
}

#[tokio::test]
async fn a_pod_of_google_s_cloud_is_asked_who_it_is() -> Result<()> {
    let none = |_: &str| "kind: Secret\napiVersion: v1\nmetadata: {name: other}\nstringData: {a: b}\n".to_owned();
    let scene = Scene::vertex("workloadIdentity: {}", "3600", none).await?;
    assert_eq!(scene.ask().await?, 200);
    assert_eq!(scene.presented(), ["Bearer token-1"]);
    scene.end().await
}

#[tokio::test]
async fn a_token_endpoint_that_refuses_is_told_without_the_key() -> Result<()> {
    let scene = Scene::service_account("3600").await?;
    scene.tokens.script([Step::status(401)]);
    let request = Dialect::Messages.request("chat", "Hello");
    let answer = scene.client.ask(Dialect::Messages, &request).await?;
    assert_eq!(answer.status, 502, "{}", answer.text());
    assert!(answer.text().contains("token endpoint"), "{}", answer.text());
    assert!(!answer.text().contains("PRIVATE KEY"), "{}", answer.text());
    assert!(scene.fake.received().is_empty());
    scene.end().await
}

#[tokio::test]
async fn watsonx_s_api_key_is_exchanged() -> Result<()> {
    let fake = OpenAi::builder()
        .name("east")
        .models(["ibm/granite-4"])
        .keys(["token-1"])
        .start()
        .await?;
    let tokens = TokenEndpoint::builder().keys(["ibm key/1"]).start().await?;
    let deployment = format!(
        "kind: ModelDeployment\napiVersion: pilotfish.dev/v1alpha1\nmetadata: {{name: east}}\nspec:\n  \
         provider: Watsonx\n  model: ibm/granite-4\n  endpoint: {{url: {:?}}}\n  \
         watsonx: {{tokenUrl: \"{}/identity/token\"}}\n  credentials: {{secretKeyRef: {{name: upstream, key: key}}}}\n",
        fake.url(),
        tokens.url()
    );
    let secret = "kind: Secret\napiVersion: v1\nmetadata: {name: upstream}\nstringData: {key: ibm key/1}\n";
    let documents = [
        secret.to_owned(),
        deployment,
        Policy::named("chat").targets(["east"]).to_string(),
    ];
    let pilotfish = Launch::run(&documents).start().await?;
    let client = Client::new(&pilotfish)?;
    for _ in 0..2 {
        let answer = client
            .ask(Dialect::Chat, &Dialect::Chat.request("chat", "Hello"))
            .await?;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert_eq!(tokens.received().len(), 1);
    assert!(fake.received().iter().all(|request| !request.mentions("ibm key/1")));
    pilotfish.at_rest(&[&fake, &tokens]).await
}
