//! Responses that their provider keeps: who goes on from one goes to the account that has it.

use anyhow::{Context, Result};
use pilotfish_provider::{Fake, OpenAi, Step};
use pilotfish_tests::documents::virtual_key;
use pilotfish_tests::{Client, Deployment, Dialect, Launch, Pilotfish, Policy};
use serde_json::{Value, json};

/// Two accounts of one provider, and one of another that keeps nothing.
struct Scene {
    east: Fake,
    west: Fake,
    claude: Fake,
    pilotfish: Pilotfish,
    client: Client,
}

impl Scene {
    async fn start() -> Result<Self> {
        let account = |name| OpenAi::builder().name(name).keys([format!("sk-up-{name}")]).start();
        let (east, west) = (account("east").await?, account("west").await?);
        let claude = Dialect::Messages.provider("claude").start().await?;
        let responses = |name, fake| {
            Deployment::of(Dialect::Chat, name, fake)
                .speaking("Responses")
                .to_string()
        };
        let documents = [
            responses("east", &east),
            responses("west", &west),
            Deployment::of(Dialect::Messages, "claude", &claude).to_string(),
            Policy::named("two").in_order(["east", "west"]).to_string(),
            Policy::named("mixed").in_order(["claude", "east"]).to_string(),
        ];
        let pilotfish = Launch::run(&documents).start().await?;
        let client = Client::new(&pilotfish)?;
        Ok(Self {
            east,
            west,
            claude,
            pilotfish,
            client,
        })
    }

    /// The status, the body, and how often east and west have been asked for it.
    async fn ask(&self, body: Value) -> Result<(u16, Value, [usize; 2])> {
        let asked = || [self.east.received().len(), self.west.received().len()];
        let before = asked();
        let answer = self.client.post("/v1/responses", body.to_string()).await?;
        let after = asked();
        let counts = [after[0] - before[0], after[1] - before[1]];
        Ok((answer.status, answer.json()?, counts))
    }
}

fn kept(id: &str) -> Step {
    let text = json!({"type": "output_text", "text": "Hi", "annotations": []});
    let message = json!({"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [text]});
    let answer = json!({"id": id, "object": "response", "created_at": 1, "status": "completed", "model": "gpt-4o",
        "store": true, "output": [message], "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}});
    Step::raw(200, "application/json", answer.to_string())
}

fn unknown() -> Step {
    let error = json!({"message": "Previous response with id 'x' not found.", "type": "invalid_request_error",
        "param": "previous_response_id", "code": "previous_response_not_found"});
    Step::raw(400, "application/json", json!({"error": error}).to_string())
}

fn going_on(model: &str, id: &str) -> Value {
    json!({"model": model, "input": "Hello", "previous_response_id": id})
}

#[tokio::test]
async fn a_response_is_gone_on_from_where_it_is_kept() -> Result<()> {
    let scene = Scene::start().await?;
    scene.east.script([Step::status(503)]);
    scene.west.script([kept("resp_w1"), kept("resp_w2")]);
    let (status, first, counts) = scene.ask(json!({"model": "two", "input": "Hello"})).await?;
    assert_eq!((status, &first["id"], counts), (200, &json!("resp_w1"), [1, 1]));
    // East comes first, and is not asked.
    let (status, second, counts) = scene.ask(going_on("two", "resp_w1")).await?;
    assert_eq!((status, &second["id"], counts), (200, &json!("resp_w2"), [0, 1]));
    // Nobody stands in for the account that has it.
    scene.west.always(Step::status(500));
    let (status, error, counts) = scene.ask(going_on("two", "resp_w2")).await?;
    assert!(status >= 500 && counts[0] == 0, "{status} {error} {counts:?}");
    scene.west.recover();
    scene
        .pilotfish
        .at_rest(&[&scene.east, &scene.west, &scene.claude])
        .await
}

#[tokio::test]
async fn an_id_that_is_not_known_is_offered_to_one_after_the_other() -> Result<()> {
    let scene = Scene::start().await?;
    scene.east.script([unknown(), unknown()]);
    scene.west.script([kept("resp_2"), unknown()]);
    let (status, answer, counts) = scene.ask(going_on("two", "resp_1")).await?;
    assert_eq!((status, counts), (200, [1, 1]), "{answer}");
    let (status, error, counts) = scene.ask(going_on("two", "resp_0")).await?;
    assert_eq!((status, counts), (400, [1, 1]));
    assert_eq!(error["error"]["param"], "previous_response_id");
    scene
        .pilotfish
        .at_rest(&[&scene.east, &scene.west, &scene.claude])
        .await
}

#[tokio::test]
async fn a_translated_answer_is_gone_on_from_by_nobody() -> Result<()> {
    let scene = Scene::start().await?;
    let (status, first, _) = scene.ask(json!({"model": "mixed", "input": "Hello"})).await?;
    assert_eq!((status, &first["store"]), (200, &json!(false)));
    let id = first["id"].as_str().context("it has an id")?;
    let (status, error, counts) = scene.ask(going_on("mixed", id)).await?;
    assert_eq!((status, counts), (400, [0, 0]), "{error}");
    assert_eq!(error["error"]["param"], "previous_response_id");
    scene
        .pilotfish
        .at_rest(&[&scene.east, &scene.west, &scene.claude])
        .await
}

/// vLLM's and xAI's word for it; and each account that was asked is counted.
#[tokio::test]
async fn a_404_about_the_response_asks_the_next_account() -> Result<()> {
    let scene = Scene::start().await?;
    let missing =
        json!({"error": {"message": "Response with id 'resp_1' not found.", "type": "invalid_request_error"}});
    scene
        .east
        .script([Step::raw(404, "application/json", missing.to_string())]);
    scene.west.script([kept("resp_2")]);
    let body = going_on("two", "resp_1").to_string();
    let answer = scene.client.post("/v1/responses", body).await?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("x-pilotfish-attempts"), Some("2"));
    assert_eq!(answer.header("x-pilotfish-deployment"), Some("default/west"));
    scene
        .pilotfish
        .at_rest(&[&scene.east, &scene.west, &scene.claude])
        .await
}

/// One account behind two tenants, each of which has its own conversations.
#[tokio::test]
async fn nobody_goes_on_from_another_tenant_s_response() -> Result<()> {
    let east = OpenAi::builder()
        .name("east")
        .keys(["sk-up-east".to_owned()])
        .start()
        .await?;
    let keys = [format!("sk-pf-{}", "a".repeat(40)), format!("sk-pf-{}", "b".repeat(40))];
    let documents = [
        Deployment::of(Dialect::Chat, "east", &east)
            .speaking("Responses")
            .to_string(),
        Policy::named("one").in_order(["east"]).to_string(),
        virtual_key("a", &keys[0], ""),
        virtual_key("b", &keys[1], ""),
    ];
    let pilotfish = Launch::run(&documents).start().await?;
    let [a, b] = [0, 1]
        .map(|n: usize| Client::new(&pilotfish).map(|c| c.header("authorization", &format!("Bearer {}", keys[n]))));
    let (a, b, pod) = (a?, b?, Client::new(&pilotfish)?);
    east.script([kept("resp_a1"), kept("resp_a2")]);
    let first = a
        .post("/v1/responses", json!({"model": "one", "input": "Hello"}).to_string())
        .await?;
    assert_eq!(first.status, 200, "{}", first.text());
    for other in [&b, &pod] {
        let answer = other
            .post("/v1/responses", going_on("one", "resp_a1").to_string())
            .await?;
        let error = answer.json()?;
        assert_eq!((answer.status, east.received().len()), (400, 1), "{error}");
        assert_eq!(error["error"]["code"], "previous_response_not_found");
        assert_eq!(error["error"]["param"], "previous_response_id");
    }
    let second = a.post("/v1/responses", going_on("one", "resp_a1").to_string()).await?;
    assert_eq!(second.status, 200, "{}", second.text());
    pilotfish.at_rest(&[&east]).await
}
