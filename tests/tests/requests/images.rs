//! Images by URL before a provider that wants bytes: fetched from hosts of the policy's list, and refused by name otherwise.
//!
//! What is fetched comes from the internet alone, so nothing here is: `tests/tests/e2e/images.rs` makes an internet, which
//! needs root, and `sidecar/src/pictures/tests.rs` has what a host may answer.

use anyhow::Result;
use pilotfish_provider::{Fake, Ollama};
use pilotfish_tests::{Answer, Client, Dialect, Launch, Pilotfish, Policy};
use serde_json::{Value, json};

struct Scene {
    pilotfish: Pilotfish,
    client: Client,
    fake: Fake,
}

impl Scene {
    async fn start(translation: &str) -> Result<Self> {
        let fake = Ollama::builder().name("east").start().await?;
        let deployment = format!(
            "kind: ModelDeployment\napiVersion: pilotfish.dev/v1alpha1\nmetadata: {{name: east}}\nspec:\n  \
             provider: Ollama\n  model: qwen3\n  capabilities: {{refuses: []}}\n  endpoint: {{dialects: [{{name: Ollama, url: {:?}}}]}}\n",
            fake.url()
        );
        let policy = Policy::named("chat").targets(["east"]).with(translation);
        let pilotfish = Launch::run(&[deployment, policy.to_string()]).start().await?;
        let client = Client::new(&pilotfish)?;
        Ok(Self {
            pilotfish,
            client,
            fake,
        })
    }

    async fn look(&self, url: &str) -> Result<Answer> {
        self.client.ask(Dialect::Chat, &request(url)).await
    }
}

fn request(url: &str) -> Value {
    let image = json!({"type": "image_url", "image_url": {"url": url}});
    let text = json!({"type": "text", "text": "What do you see?"});
    json!({"model": "chat", "messages": [{"role": "user", "content": [text, image]}]})
}

#[tokio::test]
async fn an_image_that_cannot_be_had_is_refused_by_name() -> Result<()> {
    let scene = Scene::start("translation: {fetchImages: {hosts: [img.invalid]}}").await?;
    for (url, why) in [
        (
            "https://img.invalid/a.png",
            "the image cannot be fetched: its host cannot be reached",
        ),
        ("https://other.invalid/a.png", "takes images as bytes, not by URL"),
        (
            "https://img.invalid@other.invalid/a.png",
            "takes images as bytes, not by URL",
        ),
        (
            "http://169.254.169.254/latest/meta-data",
            "takes images as bytes, not by URL",
        ),
    ] {
        let answer = scene.look(url).await?;
        let said = answer.error(Dialect::Chat)?.message;
        assert_eq!(answer.status, 400, "{said}");
        assert!(
            said.contains("messages[0].content[1]") && said.contains(why),
            "{url}: {said}"
        );
    }
    assert_eq!(scene.fake.received().len(), 0, "an image that is missing was sent");
    scene.pilotfish.back_to_idle(&[&scene.fake]).await
}

#[tokio::test]
async fn an_image_that_cannot_be_had_is_left_out_where_the_policy_says_so() -> Result<()> {
    let scene = Scene::start("translation: {onLoss: Warn, fetchImages: {hosts: [img.invalid]}}").await?;
    let answer = scene.look("https://img.invalid/a.png").await?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("x-pilotfish-loss"), Some("messages[0].content[1]"));
    scene.pilotfish.back_to_idle(&[&scene.fake]).await
}
