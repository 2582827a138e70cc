//! Clients of both dialects before a model in Bedrock: signed and keyed calls, binary streams, and what breaks.

use anyhow::{Context, Result};
use pilotfish_provider::{Fake, HangUp, Point, Step};
use pilotfish_tests::bedrock::{self, Calls};
use pilotfish_tests::{Client, Dialect, Launch, Pilotfish, Policy, in_both};

struct Scene {
    pilotfish: Pilotfish,
    client: Client,
    east: Fake,
    west: Fake,
}

impl Scene {
    /// East signs, and west, which stands in for it, has an API key.
    async fn start() -> Result<Self> {
        let east = bedrock::provider("east").start().await?;
        let west = bedrock::provider("west").start().await?;
        let documents = [
            bedrock::deployment("east", &east, Calls::Signed),
            bedrock::deployment("west", &west, Calls::Keyed),
            Policy::named("chat").in_order(["east", "west"]).to_string(),
        ];
        let pilotfish = Launch::run(&documents).start().await?;
        let client = Client::new(&pilotfish)?;
        Ok(Self {
            pilotfish,
            client,
            east,
            west,
        })
    }

    async fn end(self) -> Result<()> {
        for fake in [&self.east, &self.west] {
            assert!(fake.violations().is_empty(), "{:?}", fake.violations());
            assert!(
                fake.received()
                    .iter()
                    .all(|request| !request.mentions(bedrock::SECRET_KEY))
            );
        }
        self.pilotfish.at_rest(&[&self.east, &self.west]).await
    }
}

/// The text of a stream, and its last event.
async fn streamed(scene: &Scene, dialect: Dialect, said: &str) -> Result<(String, String)> {
    let mut request = dialect.stream_request("chat", said);
    if dialect == Dialect::Chat {
        request["stream_options"] = serde_json::json!({"include_usage": true});
    }
    let mut answer = scene.client.stream(dialect, &request).await?;
    assert_eq!(answer.status, 200);
    let events = answer.events.rest().await?;
    let deltas = events.iter().filter_map(|event| event.json().ok());
    let text = deltas
        .filter_map(|data| dialect.delta(&data).map(str::to_owned))
        .collect();
    let last = events.last().context("there are events")?;
    Ok((text, last.name.clone().unwrap_or_else(|| last.data.clone())))
}

#[tokio::test]
async fn signed_and_keyed_calls_are_answered_whole_and_streamed() -> Result<()> {
    in_both(async |dialect| {
        let scene = Scene::start().await?;
        let model = "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0";
        // Its own dialect needs no translation.
        let [whole, streamed_at] = match dialect {
            Dialect::Messages => ["invoke", "invoke-with-response-stream"],
            _ => ["converse", "converse-stream"],
        };
        for name in ["east", "west"] {
            let answer = scene.client.ask(dialect, &dialect.request("chat", "Hello")).await?;
            assert_eq!(answer.status, 200, "{}", answer.text());
            let echo = format!("Echo from {name}: Hello");
            assert_eq!(dialect.text(&answer.json()?), Some(echo.as_str()));
            // Small pieces: no cut falls between two messages only.
            let fake = if name == "east" { &scene.east } else { &scene.west };
            fake.script([Step::normal().split(7)]);
            let (text, last) = streamed(&scene, dialect, "Hello").await?;
            assert_eq!((text, last), (echo, dialect.terminator().to_owned()));
            let paths: Vec<_> = fake.received().iter().map(|request| request.target.clone()).collect();
            assert_eq!(paths, [format!("{model}/{whole}"), format!("{model}/{streamed_at}")]);
            scene.east.always(Step::status(503));
        }
        let usage = [("deployment", "default/west")];
        assert!(scene.pilotfish.metrics().await?.sum("pilotfish_tokens_total", &usage) > 0.0);
        scene.end().await
    })
    .await
}

#[tokio::test]
async fn claude_says_at_which_stop_sequence_it_ended() -> Result<()> {
    let scene = Scene::start().await?;
    let mut request = Dialect::Messages.request("chat", "one two three");
    request["stop_sequences"] = serde_json::json!(["four", "two"]);
    let answer = scene.client.ask(Dialect::Messages, &request).await?.json()?;
    assert_eq!(
        (&answer["stop_reason"], &answer["stop_sequence"]),
        (&"stop_sequence".into(), &"two".into())
    );
    request["stream"] = true.into();
    let mut answer = scene.client.stream(Dialect::Messages, &request).await?;
    let events = answer.events.rest().await?;
    let ends = events.iter().filter_map(|event| event.json().ok());
    let ends: Vec<_> = ends.filter(|data| data["type"] == "message_delta").collect();
    assert_eq!(ends[0]["delta"]["stop_sequence"], "two", "{ends:?}");
    scene.end().await
}

#[tokio::test]
async fn what_breaks_before_content_is_the_next_one_s_business() -> Result<()> {
    let scene = Scene::start().await?;
    for step in [
        Step::status(429),
        Step::normal().error_event(0, 429),
        Step::unknown_model(),
    ] {
        scene.east.script([step]);
        let (text, _) = streamed(&scene, Dialect::Chat, "Hello").await?;
        assert!(text.starts_with("Echo from"), "{text}");
    }
    assert!(!scene.west.received().is_empty());
    scene.end().await
}

#[tokio::test]
async fn what_breaks_after_content_ends_with_an_error_event() -> Result<()> {
    in_both(async |dialect| {
        let scene = Scene::start().await?;
        for step in [
            Step::normal().error_event(2, 424),
            Step::normal().hang_up(Point::Content(2), HangUp::Close),
            Step::normal().without_terminator(),
            Step::normal().insert(2, &b"\x00\x00\x00\x01 no message begins so"[..]),
        ] {
            scene.east.always(step.clone());
            scene.west.always(step);
            let (_, last) = streamed(&scene, dialect, "Hello dear friend").await?;
            assert_ne!(last, dialect.terminator());
            let expected = if dialect == Dialect::Messages {
                "error"
            } else {
                "\"error\""
            };
            assert!(last.contains(expected), "{last}");
            assert!(!last.contains("invalid_request_error"), "{last}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_client_s_own_fault_is_told_in_its_dialect() -> Result<()> {
    in_both(async |dialect| {
        let scene = Scene::start().await?;
        scene.east.script([Step::status(400)]);
        let answer = scene.client.ask(dialect, &dialect.request("chat", "Hello")).await?;
        assert_eq!(answer.status, 400, "{}", answer.text());
        let said = answer.error(dialect)?;
        assert_eq!(
            (said.kind.as_str(), said.message.as_str()),
            ("invalid_request_error", "The request is not valid.")
        );
        assert!(scene.west.received().is_empty());
        scene.end().await
    })
    .await
}

#[tokio::test]
async fn a_claude_is_sent_what_its_client_wrote() -> Result<()> {
    for (messages, target) in [
        ("Invoke", "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke"),
        ("Native", "/anthropic/v1/messages"),
    ] {
        let fake = bedrock::provider("east").start().await?;
        let deployment = bedrock::deployment("east", &fake, Calls::Signed)
            .replace("region: us-east-1", &format!("region: us-east-1, messages: {messages}"));
        let documents = [deployment, Policy::named("chat").targets(["east"]).to_string()];
        let pilotfish = Launch::run(&documents).start().await?;
        let client = Client::new(&pilotfish)?;
        let body = serde_json::json!({"model": "chat", "max_tokens": 64, "top_k": 5,
            "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
            "messages": [{"role": "user", "content": "Hello"}]});
        let answer = client.ask(Dialect::Messages, &body).await?;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()?["content"][0]["text"], "Echo from east: Hello");
        let received = &fake.received()[0];
        assert_eq!(received.target, target);
        let mut sent: serde_json::Value = received.json()?;
        let fields = sent.as_object_mut().context("an object")?;
        let version = fields.remove("anthropic_version");
        assert_eq!(version.is_some(), messages == "Invoke");
        assert_eq!(fields.remove("model").is_some(), messages == "Native");
        let mut expected = body.clone();
        expected.as_object_mut().context("an object")?.remove("model");
        assert_eq!(sent, expected);
        let streamed = Dialect::Messages.stream_request("chat", "Hello");
        let mut stream = client.stream(Dialect::Messages, &streamed).await?;
        assert_eq!(stream.status, 200);
        let events = stream.events.rest().await?;
        assert_eq!(
            events.last().and_then(|last| last.name.as_deref()),
            Some("message_stop")
        );
        pilotfish.at_rest(&[&fake]).await?;
    }
    Ok(())
}

/// Bedrock counts a Converse request, and only its own members.
#[tokio::test]
async fn the_tokens_of_a_claude_are_counted() -> Result<()> {
    let scene = Scene::start().await?;
    let anthropic = serde_json::json!({"model": "chat", "system": "Be brief.",
        "messages": [{"role": "user", "content": "Hello"}],
        "tools": [{"name": "f", "input_schema": {"type": "object", "properties": {}}}]});
    let google = serde_json::json!({"contents": [{"role": "user", "parts": [{"text": "Hello"}]}],
        "generationConfig": {"temperature": 0.5}});
    for (path, body, key) in [
        ("/v1/messages/count_tokens", anthropic, "input_tokens"),
        ("/v1beta/models/chat:countTokens", google, "totalTokens"),
    ] {
        let answer = scene.client.post(path, body.to_string()).await?;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let counted = answer.json()?;
        assert!(counted[key].as_u64().is_some_and(|count| count > 0), "{counted}");
    }
    let received = scene.east.received();
    let counts = |target: &str| target.starts_with("/model/") && target.ends_with("/count-tokens");
    assert!(received.iter().all(|request| counts(&request.target)) && received.len() == 2);
    scene.end().await
}
