//! Conversations that Anthropic holds between requests: they go where they are held, or the client is told to do without.

use anyhow::Result;
use pilotfish_provider::{Fake, Step};
use pilotfish_tests::{Answer, Client, Deployment, Dialect, Launch, Pilotfish, Policy};
use serde_json::{Value, json};

/// A Claude, and a model of the other dialect that stands in for it.
struct Scene {
    claude: Fake,
    gpt: Fake,
    pilotfish: Pilotfish,
    client: Client,
}

impl Scene {
    async fn start() -> Result<Self> {
        let claude = Dialect::Messages.provider("claude").start().await?;
        let gpt = Dialect::Chat.provider("gpt").start().await?;
        let documents = [
            Deployment::of(Dialect::Messages, "claude", &claude).to_string(),
            Deployment::of(Dialect::Chat, "gpt", &gpt).to_string(),
            Policy::named("chat").in_order(["claude", "gpt"]).to_string(),
        ];
        let pilotfish = Launch::run(&documents).start().await?;
        let client = Client::new(&pilotfish)?.header("anthropic-beta", "message-threads-2026-08-12");
        Ok(Self {
            claude,
            gpt,
            pilotfish,
            client,
        })
    }

    async fn ask(&self, thread: Value) -> Result<Answer> {
        let mut request = Dialect::Messages.request("chat", "Hello");
        request["thread"] = thread;
        self.client.ask(Dialect::Messages, &request).await
    }

    async fn end(self) -> Result<()> {
        self.pilotfish.back_to_idle(&[&self.claude, &self.gpt]).await
    }
}

fn continued(id: &Value) -> Value {
    json!({"type": "continue", "previous_message_id": id})
}

#[tokio::test]
async fn a_thread_is_continued_where_it_is_held() -> Result<()> {
    let scene = Scene::start().await?;
    let created = scene.ask(json!({"type": "create"})).await?.json()?;
    let answer = scene.ask(continued(&created["id"])).await?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("x-pilotfish-deployment"), Some("default/claude"));
    let tokens = |body: &Value| body["usage"]["input_tokens"].as_u64();
    assert!(
        tokens(&answer.json()?) > tokens(&created),
        "it holds what was said before"
    );
    scene.end().await
}

#[tokio::test]
async fn a_lost_thread_is_its_clients_business() -> Result<()> {
    let scene = Scene::start().await?;
    for _ in 0..4 {
        let answer = scene.ask(continued(&json!("msg_lost"))).await?;
        let said = answer.error(Dialect::Messages)?;
        assert_eq!((answer.status, said.code.as_deref()), (404, Some("thread_not_found")));
    }
    assert_eq!(scene.ask(json!({"type": "create"})).await?.status, 200, "it is healthy");
    scene.end().await
}

#[tokio::test]
async fn a_thread_that_nobody_can_hold_is_sent_again_without() -> Result<()> {
    let scene = Scene::start().await?;
    scene.claude.always(Step::status(529));
    for failed in 1..=2 {
        let answer = scene.ask(json!({"type": "create"})).await?;
        let said = answer.error(Dialect::Messages)?;
        assert_eq!(
            (answer.status, said.code.as_deref()),
            (400, Some("thread_unsupported_request"))
        );
        assert!(said.message.contains("holds no threads"), "{}", said.message);
        // The second time Claude's limit is known, and not waited for either.
        assert_eq!(
            (scene.claude.received().len(), scene.gpt.received().len()),
            (1, failed - 1)
        );
        let whole = scene.ask(Value::Null).await?;
        assert_eq!(whole.header("x-pilotfish-deployment"), Some("default/gpt"));
    }
    scene.end().await
}
