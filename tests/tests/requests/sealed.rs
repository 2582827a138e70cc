//! Encrypted reasoning, which only the account reads that made it, in conversations that move.

use anyhow::{Context, Result};
use pilotfish_provider::{Fake, OpenAi, Step};
use pilotfish_tests::{Client, Deployment, Dialect, Launch, Pilotfish, Policy};
use serde_json::{Value, json};

const QUESTION: &str = "What is the weather in Paris?";

/// Two accounts of one provider.
struct Scene {
    east: Fake,
    west: Fake,
    pilotfish: Pilotfish,
    client: Client,
}

impl Scene {
    async fn start() -> Result<Self> {
        let account = |name| OpenAi::builder().name(name).keys([format!("sk-up-{name}")]).start();
        let (east, west) = (account("east").await?, account("west").await?);
        let responses = |name, fake| {
            let deployment = Deployment::of(Dialect::Chat, name, fake).model("gpt-5");
            deployment.speaking("Responses").to_string()
        };
        let documents = [
            responses("east", &east),
            responses("west", &west),
            Policy::named("chat").in_order(["east", "west"]).to_string(),
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

    /// What the model says to a conversation, whole or streamed; what was lost; how often each was asked.
    async fn turn(&self, input: &[Value], stream: bool) -> Result<(Vec<Value>, Option<String>, [usize; 2])> {
        let function = json!({"type": "function", "name": "get_weather", "strict": false, "parameters":
            {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}});
        let body = json!({"model": "chat", "input": input, "stream": stream, "store": false, "tools": [function],
            "include": ["reasoning.encrypted_content"]});
        let before = self.counts();
        let answer = self.client.post("/v1/responses", body.to_string()).await?;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let response: Value = match stream {
            false => answer.json()?,
            true => {
                let text = answer.text();
                let last = text.lines().rev().find_map(|line| line.strip_prefix("data: "));
                serde_json::from_str::<Value>(last.context("it ends")?)?["response"].take()
            }
        };
        let items = response["output"].as_array().context("it says something")?.clone();
        let after = self.counts();
        let counts = [after[0] - before[0], after[1] - before[1]];
        Ok((items, answer.header("x-pilotfish-loss").map(str::to_owned), counts))
    }

    fn counts(&self) -> [usize; 2] {
        [self.east.received().len(), self.west.received().len()]
    }
}

fn asked() -> Value {
    json!({"role": "user", "content": QUESTION})
}

/// The results of a turn's calls.
fn results(items: &[Value]) -> Vec<Value> {
    let calls = items.iter().filter(|item| item["type"] == "function_call");
    let result = |call: &Value| json!({"type": "function_call_output", "call_id": call["call_id"], "output": "18"});
    calls.map(result).collect()
}

fn lost(loss: &(Vec<Value>, Option<String>, [usize; 2])) -> (Option<&str>, [usize; 2]) {
    (loss.1.as_deref(), loss.2)
}

#[tokio::test]
async fn a_conversation_goes_on_at_another_account_and_back() -> Result<()> {
    for stream in [false, true] {
        let scene = Scene::start().await?;
        let mut input = vec![asked()];
        let first = scene.turn(&input, stream).await?;
        assert_eq!(lost(&first), (None, [1, 0]));
        assert!(first.0[0]["encrypted_content"].is_string(), "{:?}", first.0);
        input.extend(first.0.iter().cloned().chain(results(&first.0)));

        // East fails: west cannot read what east's model thought, says so, and is asked again.
        scene.east.script([Step::status(500)]);
        let second = scene.turn(&input, stream).await?;
        assert_eq!(lost(&second), (Some("input[1]"), [1, 2]));
        let sent = scene.west.received().last().context("asked")?.json()?;
        assert_eq!(sent["input"][1]["type"], "function_call");
        assert_eq!(
            sent["input"][1]["id"],
            Value::Null,
            "by it the reasoning would be looked for"
        );
        input.extend(second.0.iter().cloned());
        input.push(asked());

        // Now it is known, and what west itself thought stays.
        scene.east.script([Step::status(500)]);
        let third = scene.turn(&input, stream).await?;
        assert_eq!(lost(&third), (Some("input[1]"), [1, 1]));
        let sealed = |sent: &Value| {
            let items = sent["input"].as_array().into_iter().flatten();
            items.filter(|item| item["type"] == "reasoning").count()
        };
        assert_eq!(sealed(&scene.west.received().last().context("asked")?.json()?), 1);
        input.extend(third.0.iter().cloned().chain(results(&third.0)));

        // At home again, where its own is read and west's is not.
        let fourth = scene.turn(&input, stream).await?;
        assert_eq!(fourth.2, [2, 0], "{:?}", fourth.1);
        assert_eq!(sealed(&scene.east.received().last().context("asked")?.json()?), 1);
        scene.pilotfish.at_rest(&[&scene.east, &scene.west]).await?;
    }
    Ok(())
}

/// A client of chat returns it as an entry of `reasoning_details`.
#[tokio::test]
async fn a_translated_conversation_goes_on_too() -> Result<()> {
    let scene = Scene::start().await?;
    let entry = json!({"type": "reasoning.encrypted", "id": "rs_1", "data": "gAAAunreadable",
        "format": "openai-responses-v1"});
    let call = json!({"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let body = json!({"model": "chat", "messages": [asked(),
        {"role": "assistant", "content": null, "tool_calls": [call], "reasoning_details": [entry]},
        {"role": "tool", "tool_call_id": "call_1", "content": "18"}]});
    for calls in [2, 3] {
        let answer = scene.client.post("/v1/chat/completions", body.to_string()).await?;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("x-pilotfish-loss"), Some("reasoning.encrypted_content"));
        assert_eq!(scene.counts(), [calls, 0]);
    }
    scene.pilotfish.at_rest(&[&scene.east, &scene.west]).await
}
