//! What a deployment of the other dialect cannot carry: refused or left out, and never in silence.

use anyhow::Result;
use pilotfish_provider::{Fake, Gate, Pause, Point, Step};
use pilotfish_tests::{Client, Deployment, Dialect, Launch, Pilotfish, Policy};
use serde_json::{Value, json};

struct Scene {
    pilotfish: Pilotfish,
    client: Client,
    openai: Fake,
    anthropic: Fake,
}

impl Scene {
    /// The model `chat` is Anthropic's first and OpenAI's second, `claude` Anthropic's alone.
    async fn start(on_loss: &str) -> Result<Self> {
        let openai = Dialect::Chat.provider("openai").start().await?;
        let anthropic = Dialect::Messages.provider("anthropic").start().await?;
        let translation = format!("translation: {{onLoss: {on_loss}}}");
        let documents = [
            Deployment::of(Dialect::Chat, "openai", &openai).to_string(),
            Deployment::of(Dialect::Messages, "anthropic", &anthropic).to_string(),
            Policy::named("chat")
                .in_order(["anthropic", "openai"])
                .with(&translation)
                .to_string(),
            Policy::named("claude")
                .targets(["anthropic"])
                .with(&translation)
                .to_string(),
        ];
        let pilotfish = Launch::run(&documents).start().await?;
        let client = Client::new(&pilotfish)?.header("x-pilotfish-explain", "1");
        Ok(Self {
            pilotfish,
            client,
            openai,
            anthropic,
        })
    }

    async fn end(self) -> Result<()> {
        self.pilotfish.at_rest(&[&self.openai, &self.anthropic]).await
    }
}

/// Two answers at once, which Anthropic's API has not.
fn two_answers(model: &str) -> Value {
    let mut request = Dialect::Chat.request(model, "Hello");
    request["n"] = 2.into();
    request
}

/// A seed, which is only a hint.
fn seeded(model: &str) -> Value {
    let mut request = Dialect::Chat.request(model, "Hello");
    request["seed"] = 7.into();
    request
}

#[tokio::test]
async fn a_loss_of_meaning_moves_a_request_to_whom_can_carry_it() -> Result<()> {
    let scene = Scene::start("Refuse").await?;
    let answer = scene.client.ask(Dialect::Chat, &two_answers("chat")).await?;
    assert_eq!(
        answer.header("x-pilotfish-deployment"),
        Some("default/openai"),
        "{}",
        answer.text()
    );
    assert_eq!(
        answer.header("x-pilotfish-attempts"),
        Some("1"),
        "who was not called is no attempt"
    );
    assert_eq!(answer.header("x-pilotfish-loss"), None);
    assert_eq!(
        (scene.anthropic.received().len(), scene.openai.received().len()),
        (0, 1)
    );
    let metrics = scene.pilotfish.metrics().await?;
    assert_eq!(
        metrics.sum("pilotfish_attempts_total", &[("deployment", "default/anthropic")]),
        0.0
    );
    assert_eq!(metrics.sum("pilotfish_failovers_total", &[]), 0.0);
    scene.end().await
}

#[tokio::test]
async fn a_loss_of_meaning_that_nobody_can_carry_is_refused_by_its_name() -> Result<()> {
    let scene = Scene::start("Refuse").await?;
    let answer = scene.client.ask(Dialect::Chat, &two_answers("claude")).await?;
    let said = answer.error(Dialect::Chat)?;
    assert_eq!(
        (answer.status, said.code.as_deref()),
        (400, Some("unsupported_by_deployment"))
    );
    assert_eq!(
        (&*said.kind, said.param.as_deref()),
        ("invalid_request_error", Some("n"))
    );
    assert!(
        said.message.contains("default/anthropic cannot carry \"n\""),
        "{said:?}"
    );
    assert_eq!(scene.anthropic.received().len(), 0);
    scene.end().await
}

#[tokio::test]
async fn a_loss_of_meaning_is_left_out_and_told_where_the_policy_says_so() -> Result<()> {
    let scene = Scene::start("Warn").await?;
    for model in ["chat", "claude"] {
        let answer = scene.client.ask(Dialect::Chat, &two_answers(model)).await?;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("x-pilotfish-deployment"), Some("default/anthropic"));
        assert_eq!(answer.header("x-pilotfish-loss"), Some("n"));
    }
    let metrics = scene.pilotfish.metrics().await?;
    let meaning = [("deployment", "default/anthropic"), ("grade", "meaning")];
    assert_eq!(metrics.sum("pilotfish_translation_losses_total", &meaning), 2.0);
    scene.end().await
}

#[tokio::test]
async fn a_hint_is_left_out_and_told_and_never_refused() -> Result<()> {
    let scene = Scene::start("Refuse").await?;
    let answer = scene.client.ask(Dialect::Chat, &seeded("chat")).await?;
    assert_eq!(
        answer.header("x-pilotfish-deployment"),
        Some("default/anthropic"),
        "{}",
        answer.text()
    );
    assert_eq!(answer.header("x-pilotfish-loss"), Some("seed"));
    let metrics = scene.pilotfish.metrics().await?;
    let hints = [("deployment", "default/anthropic"), ("grade", "hint")];
    assert_eq!(metrics.sum("pilotfish_translation_losses_total", &hints), 1.0);
    // Nothing is lost on the way to OpenAI.
    scene.anthropic.always(Step::status(401));
    let answer = scene.client.ask(Dialect::Chat, &seeded("chat")).await?;
    assert_eq!(answer.header("x-pilotfish-deployment"), Some("default/openai"));
    assert_eq!(answer.header("x-pilotfish-loss"), None);
    assert_eq!(scene.openai.received()[0].json()?["seed"], 7);
    scene.end().await
}

/// What Claude answers that searched the web: blocks and citations that chat has no place for.
/// As a stream it waits at the gate before it cites.
fn searched(gate: Option<&Gate>) -> Step {
    let events = [
        json!({"type": "message_start", "message": {"id": "msg_1", "model": "m", "content": [], "usage": {"input_tokens": 1}}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "server_tool_use", "id": "s"}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}}),
        json!({"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Quinces."}}),
        json!({"type": "content_block_delta", "index": 1, "delta": {"type": "citations_delta", "citation": {}}}),
        json!({"type": "content_block_stop", "index": 1}),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}}),
        json!({"type": "message_stop"}),
    ];
    if let Some(gate) = gate {
        let named = |event: &Value| {
            format!(
                "event: {}\ndata: {event}\n\n",
                event["type"].as_str().unwrap_or_default()
            )
        };
        let stream: String = events.iter().map(named).collect();
        let cites = stream.rfind("event: content_block_delta").unwrap_or(0);
        return Step::raw(200, "text/event-stream", stream).pause(Point::Byte(cites), Pause::Until(gate.clone()));
    }
    let content = json!([{"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
        {"type": "text", "text": "Quinces.", "citations": [{"type": "web_search_result_location"}]}]);
    let answer = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": content,
        "stop_reason": "end_turn", "usage": {"input_tokens": 1, "output_tokens": 2}});
    Step::raw(200, "application/json", answer.to_string())
}

#[tokio::test]
async fn what_of_an_answer_cannot_be_said_is_told_in_the_head_or_as_a_comment() -> Result<()> {
    let scene = Scene::start("Refuse").await?;
    scene.anthropic.script([searched(None)]);
    let request = Dialect::Chat.request("claude", "Hello");
    let answer = scene.client.ask(Dialect::Chat, &request).await?;
    assert_eq!(Dialect::Chat.text(&answer.json()?), Some("Quinces."));
    let both = "answer.server_tool_use, answer.citations";
    assert_eq!(answer.header("x-pilotfish-loss"), Some(both));
    // Of a stream the head is gone when the answer cites.
    let gate = Gate::new();
    scene.anthropic.script([searched(Some(&gate))]);
    let request = Dialect::Chat.stream_request("claude", "Hello");
    let mut answer = scene.client.stream(Dialect::Chat, &request).await?;
    assert_eq!(answer.header("x-pilotfish-loss"), Some("answer.server_tool_use"));
    gate.open();
    let events = answer.events.rest().await?;
    assert_eq!(events.last().map(|event| &*event.data), Some("[DONE]"));
    let comments = events.iter().filter(|event| !event.comment.is_empty());
    let comments: Vec<_> = comments.map(|event| event.comment.trim()).collect();
    assert_eq!(
        comments,
        [
            "x-pilotfish-loss: answer.server_tool_use",
            "x-pilotfish-loss: answer.citations"
        ]
    );
    let metrics = scene.pilotfish.metrics().await?;
    let hints = [("deployment", "default/anthropic"), ("grade", "hint")];
    assert_eq!(metrics.sum("pilotfish_translation_losses_total", &hints), 4.0);
    scene.end().await
}

#[tokio::test]
async fn what_only_a_provider_keeps_goes_there_or_is_refused_by_its_name() -> Result<()> {
    let scene = Scene::start("Refuse").await?;
    let going_on =
        |model: &str| json!({"model": model, "input": "Hello", "previous_response_id": "resp_0"}).to_string();
    // Anthropic comes first and cannot; OpenAI is asked, and does not know it.
    let answer = scene.client.post("/v1/responses", going_on("chat")).await?;
    let said = answer.error(Dialect::Chat)?;
    assert_eq!(
        (answer.status, said.code.as_deref()),
        (400, Some("previous_response_not_found"))
    );
    assert_eq!(
        (scene.anthropic.received().len(), scene.openai.received().len()),
        (0, 1)
    );
    let answer = scene.client.post("/v1/responses", going_on("claude")).await?;
    let said = answer.error(Dialect::Chat)?;
    assert_eq!(
        (answer.status, said.param.as_deref()),
        (400, Some("previous_response_id"))
    );
    let kept = scene.client.send("GET", "/v1/responses/resp_0").await?;
    assert_eq!(kept.status, 404, "{}", kept.text());
    assert!(kept.error(Dialect::Chat)?.message.contains("POST /v1/responses"));
    scene.end().await
}

#[tokio::test]
async fn reasoning_of_another_maker_is_taken_out_before_openai_would_refuse_it() -> Result<()> {
    let scene = Scene::start("Refuse").await?;
    scene.anthropic.always(Step::status(401));
    let foreign = json!({"type": "reasoning", "id": "rs_1", "summary": [],
        "encrypted_content": r#"pf1:{"type":"reasoning.encrypted","data":"E","format":"anthropic-claude-v1"}"#});
    let request = json!({"model": "chat", "input": [
        {"role": "user", "content": "Hello"}, foreign,
        {"role": "assistant", "content": "Good morning."}, {"role": "user", "content": "And now?"},
    ]});
    let answer = scene.client.post("/v1/responses", request.to_string()).await?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("x-pilotfish-deployment"), Some("default/openai"));
    let sent = scene.openai.received()[0].json()?;
    assert_eq!(sent["input"].as_array().map(Vec::len), Some(3), "{sent}");
    scene.end().await
}

/// Past searches are left out and named, so that the conversation goes on with another provider.
#[tokio::test]
async fn what_a_provider_s_own_tool_did_earlier_keeps_nobody_from_going_on() -> Result<()> {
    let scene = Scene::start("Refuse").await?;
    let said = json!([{"type": "output_text", "text": "Quinces.", "annotations": []}]);
    let input = json!([
        {"role": "user", "content": "What is in season?"},
        {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}},
        {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": said},
        {"role": "user", "content": "And in May?"}]);
    let request = json!({"model": "claude", "input": input}).to_string();
    let answer = scene.client.post("/v1/responses", request).await?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let losses = answer.header("x-pilotfish-loss").unwrap_or_default().to_owned();
    assert!(losses.contains("input[1] (web_search_call)"), "{losses}");
    let sent = String::from_utf8(scene.anthropic.received()[0].body.to_vec())?;
    assert!(sent.contains("Quinces.") && !sent.contains("web_search"), "{sent}");
    scene.end().await
}

/// At `length` SDKs raise, and programs ask for more tokens.
#[tokio::test]
async fn an_answer_that_is_paused_has_not_reached_its_cap() -> Result<()> {
    let scene = Scene::start("Refuse").await?;
    let answer = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m",
        "content": [{"type": "text", "text": "Quinces."}],
        "stop_reason": "pause_turn", "usage": {"input_tokens": 1, "output_tokens": 2}});
    scene
        .anthropic
        .script([Step::raw(200, "application/json", answer.to_string())]);
    let request = Dialect::Chat.request("claude", "Hello");
    let answer = scene.client.ask(Dialect::Chat, &request).await?;
    assert_eq!(answer.json()?["choices"][0]["finish_reason"], "stop");
    assert_eq!(answer.header("x-pilotfish-loss"), Some("answer.stop_reason"));
    scene.end().await
}
