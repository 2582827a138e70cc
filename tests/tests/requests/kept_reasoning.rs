//! Clients of chat that return tool calls and nothing else, before a model that goes on from what it has signed.

use anyhow::{Context, Result};
use pilotfish_provider::{Fake, Step};
use pilotfish_tests::documents::virtual_key;
use pilotfish_tests::{Client, Deployment, Dialect, Launch, Pilotfish, Policy};
use serde_json::{Value, json};

/// Of another tenant than the pod.
const KEY: &str = "sk-pf-somebody-else-00000000";

/// `default/east` before `default/west`, both Anthropic's.
struct Scene {
    east: Fake,
    west: Fake,
    pilotfish: Pilotfish,
    client: Client,
}

impl Scene {
    async fn start() -> Result<Self> {
        let east = Dialect::Messages.provider("east").start().await?;
        let west = Dialect::Messages.provider("west").start().await?;
        let deployment = |name, fake: &Fake| {
            let features = "capabilities: {features: [Tools, ReasoningBudget]}";
            Deployment::of(Dialect::Messages, name, fake).with(features).to_string()
        };
        let documents = [
            deployment("east", &east),
            deployment("west", &west),
            Policy::named("chat").in_order(["east", "west"]).to_string(),
            virtual_key("somebody-else", KEY, ""),
        ];
        let pilotfish = Launch::run(&documents).start().await?;
        let client = Client::new(&pilotfish)?;
        Ok(Self {
            east,
            west,
            pilotfish,
            client,
        })
    }

    /// How much is kept: answers, bytes.
    async fn kept(&self) -> Result<(f64, f64)> {
        let metrics = self.pilotfish.metrics().await?;
        let sum = |name| metrics.sum(name, &[]);
        Ok((sum("pilotfish_kept_reasoning"), sum("pilotfish_kept_reasoning_bytes")))
    }
}

fn request(messages: &[Value]) -> Value {
    let parameters = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
    json!({
        "model": "chat",
        "max_completion_tokens": 8000,
        "reasoning_effort": "low",
        "messages": messages,
        "tools": [{"type": "function", "function": {"name": "get_weather", "parameters": parameters}}],
    })
}

/// Asks, and gives back the call alone with its result; what the model was sent for that.
async fn loops(client: &Client, stream: bool, served_by: &Fake) -> Result<Value> {
    let question = json!({"role": "user", "content": "What is the weather in Paris?"});
    let call = if stream {
        streamed_call(client, &question).await?
    } else {
        let answer = client
            .ask(Dialect::Chat, &request(std::slice::from_ref(&question)))
            .await?;
        let call = &answer.json()?["choices"][0]["message"]["tool_calls"][0];
        json!({"id": call["id"], "type": "function", "function": call["function"]})
    };
    let returned = [
        question,
        json!({"role": "assistant", "content": null, "tool_calls": [call]}),
        json!({"role": "tool", "tool_call_id": call["id"], "content": "18 degrees"}),
    ];
    let answer = client.ask(Dialect::Chat, &request(&returned)).await?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let received = served_by.received();
    Ok(received.last().context("the loop goes on there")?.json()?)
}

async fn streamed_call(client: &Client, question: &Value) -> Result<Value> {
    let mut body = request(std::slice::from_ref(question));
    body["stream"] = json!(true);
    let mut answering = client.stream(Dialect::Chat, &body).await?;
    let (mut id, mut name, mut arguments) = (String::new(), String::new(), String::new());
    while let Some(event) = answering.events.next().await? {
        let Ok(chunk) = serde_json::from_str::<Value>(&event.data) else {
            continue;
        };
        let call = &chunk["choices"][0]["delta"]["tool_calls"][0];
        id += call["id"].as_str().unwrap_or_default();
        name += call["function"]["name"].as_str().unwrap_or_default();
        arguments += call["function"]["arguments"].as_str().unwrap_or_default();
    }
    let function = json!({"name": name, "arguments": arguments});
    Ok(json!({"id": id, "type": "function", "function": function}))
}

/// The kinds of the blocks of the turn that called, and whether the model was told to think.
fn turn(sent: &Value) -> (Vec<&str>, bool) {
    let blocks = sent["messages"][1]["content"].as_array().into_iter().flatten();
    let kinds = blocks.filter_map(|block| block["type"].as_str()).collect();
    (kinds, sent["thinking"]["type"] == "enabled")
}

#[tokio::test]
async fn what_was_signed_comes_back_with_its_call() -> Result<()> {
    for stream in [false, true] {
        let scene = Scene::start().await?;
        scene.east.always(Step::normal().split(37));
        let sent = loops(&scene.client, stream, &scene.east).await?;
        assert_eq!(turn(&sent), (vec!["thinking", "tool_use"], true), "{stream}");
        let (entries, bytes) = scene.kept().await?;
        assert!(entries == 1.0 && bytes > 50.0, "{entries} {bytes}");
        scene.pilotfish.back_to_idle(&[&scene.east, &scene.west]).await?;
    }
    Ok(())
}

#[tokio::test]
async fn another_tenant_is_given_nothing() -> Result<()> {
    let scene = Scene::start().await?;
    let question = json!({"role": "user", "content": "What is the weather in Paris?"});
    let answer = scene
        .client
        .ask(Dialect::Chat, &request(std::slice::from_ref(&question)))
        .await?;
    let call = &answer.json()?["choices"][0]["message"]["tool_calls"][0];
    let returned = [
        question,
        json!({"role": "assistant", "content": null, "tool_calls": [{"id": call["id"], "type": "function", "function": call["function"]}]}),
        json!({"role": "tool", "tool_call_id": call["id"], "content": "18 degrees"}),
    ];
    let stranger = scene.client.header("authorization", &format!("Bearer {KEY}"));
    for (client, kinds) in [(&stranger, 1), (&scene.client, 2)] {
        let answer = client.ask(Dialect::Chat, &request(&returned)).await?;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let sent = scene.east.received().last().context("it was asked")?.json()?;
        assert_eq!(turn(&sent).0.len(), kinds, "{sent}");
    }
    scene.pilotfish.back_to_idle(&[&scene.east, &scene.west]).await
}

#[tokio::test]
async fn what_one_deployment_signed_no_other_one_sees() -> Result<()> {
    let scene = Scene::start().await?;
    scene.east.script([Step::normal(), Step::status(503)]);
    let sent = loops(&scene.client, false, &scene.west).await?;
    // It goes on without: with a budget it would insist on the thinking that began the loop.
    assert_eq!(turn(&sent), (vec!["tool_use"], false));
    assert!(
        !scene
            .west
            .received()
            .iter()
            .any(|request| request.mentions("signature"))
    );
    scene.pilotfish.back_to_idle(&[&scene.east, &scene.west]).await
}
