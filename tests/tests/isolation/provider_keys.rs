//! A provider's key goes to that provider and to nobody else, whatever it quotes and whatever is logged.

use crate::tenant::Tenant;
use anyhow::{Context, Result};
use pilotfish_provider::{Fake, Step};
use pilotfish_tests::{Client, Deployment, Dialect, Launch, Pilotfish, Policy};
use serde_json::json;

/// What every key of a provider begins with in these tests, and nothing else does.
const SECRET: &str = "sk-up-";
/// Only ever said in prompts.
const CANARY: &str = "canary-of-a-prompt";

/// Status, type and body of errors that quote the key they were sent.
fn quoting(key: &str) -> Vec<(u16, &'static str, String)> {
    let sentence = format!("Incorrect API key provided: {key}. You can find yours at https://example.com.");
    let error = |kind: &str, code: &str| json!({"error": {"message": sentence, "type": kind, "code": code, "param": null, "authorization": key}});
    let anthropic = json!({"type": "error", "error": {"type": "authentication_error", "message": sentence}});
    // As encoders write it that escape more than they must.
    let escaped = key.replace('-', "\\u002d");
    // The key stands where a long sentence is cut.
    let long = format!("{}{key}", "x".repeat(2040));
    let json = "application/json";
    vec![
        (401, json, error("invalid_request_error", "invalid_api_key").to_string()),
        (401, json, anthropic.to_string()),
        (403, "text/plain", sentence.clone()),
        (400, json, error("invalid_request_error", "invalid_value").to_string()),
        (
            400,
            json,
            format!(r#"{{"error":{{"message":"not {escaped}","type":"{escaped}"}}}}"#),
        ),
        (422, json, json!({"detail": [{"msg": key, "type": key}]}).to_string()),
        (404, json, error(key, key).to_string()),
        (429, json, error("rate_limit_error", "rate_limit_exceeded").to_string()),
        (500, "text/html", format!("<html>Authorization: Bearer {key}</html>")),
        (
            418,
            json,
            json!({"error": {"message": long, "type": "invalid_request_error"}}).to_string(),
        ),
        (200, json, error("invalid_request_error", "invalid_api_key").to_string()),
        (
            200,
            "text/event-stream",
            format!("data: {}\n\n", error("server_error", key)),
        ),
        (200, "text/event-stream", format!("event: error\ndata: {anthropic}\n\n")),
    ]
}

/// A way to ask: what the client speaks, whether it wants a stream, which provider is asked first.
#[derive(Clone, Copy, Debug)]
struct Way {
    dialect: Dialect,
    stream: bool,
    first: &'static str,
}

impl Way {
    fn all() -> impl Iterator<Item = Self> {
        let of = |dialect, stream, first| Self { dialect, stream, first };
        Dialect::BOTH.into_iter().flat_map(move |dialect| {
            let ways = [(false, "chat"), (false, "messages"), (true, "chat"), (true, "messages")];
            ways.into_iter().map(move |(stream, first)| of(dialect, stream, first))
        })
    }

    /// The model that fails in the way of this number, and no other: a breaker that opened hides nothing from the next.
    fn model(self, number: usize) -> String {
        format!("{:?}-{}-{}-{number}", self.dialect, self.stream, self.first).to_lowercase()
    }
}

/// Two providers, which fail one by one or together; a caller with a key; the log as loud as it gets.
struct Scene {
    chat: Fake,
    messages: Fake,
    tenant: Tenant,
    pilotfish: Pilotfish,
    client: Client,
}

impl Scene {
    async fn start() -> Result<Self> {
        let tenant = Tenant::named("team");
        let (chat, messages) = (
            Dialect::Chat.provider("chat").start().await?,
            Dialect::Messages.provider("messages").tls().start().await?,
        );
        let mut documents = vec![tenant.document().context("it has a key")?];
        for (number, way) in (0..quoting("").len()).flat_map(|number| Way::all().map(move |way| (number, way))) {
            documents.extend(failing(&way.model(number), way.first, &chat, &messages));
        }
        for (dialect, name, fake) in [
            (Dialect::Chat, "chat", &chat),
            (Dialect::Messages, "messages", &messages),
        ] {
            documents.push(Deployment::of(dialect, name, fake).to_string());
            documents.push(Policy::named(name).targets([name]).to_string());
        }
        let pilotfish = Launch::run(&documents).arguments(["--log", "trace"]).start().await?;
        let client = Client::new(&pilotfish)?
            .header("x-pilotfish-explain", "1")
            .header("authorization", &tenant.authorization());
        Ok(Self {
            chat,
            messages,
            tenant,
            pilotfish,
            client,
        })
    }

    async fn ask(&self, way: Way, model: &str) -> Result<u16> {
        let request = match way.stream {
            true => way.dialect.stream_request(model, CANARY),
            false => way.dialect.request(model, CANARY),
        };
        let answer = self.client.ask(way.dialect, &request).await?;
        let all = format!("{:?} {}", answer.headers, answer.text());
        assert!(!all.contains(SECRET), "{way:?} {model}: {} {all}", answer.status);
        let ours = self.tenant.key.as_deref().unwrap_or_default();
        assert!(!all.contains(ours), "{way:?} {model}: {} {all}", answer.status);
        Ok(answer.status)
    }

    /// Whatever an error quotes, alone or after another, before the first content.
    async fn all_errors(&self) -> Result<()> {
        let [of_chat, of_messages] = ["sk-up-chat", "sk-up-messages"].map(quoting);
        for (number, (chat, messages)) in of_chat.into_iter().zip(of_messages).enumerate() {
            for (fake, key, (status, kind, body)) in [
                (&self.chat, "sk-up-chat", chat),
                (&self.messages, "sk-up-messages", messages),
            ] {
                fake.always(Step::raw(status, kind, body).header("x-your-key", &format!("Bearer {key}")));
            }
            for way in Way::all() {
                let status = self.ask(way, &way.model(number)).await?;
                assert!(status >= 400, "{number} {way:?}: {status}");
            }
        }
        Ok(())
    }

    /// Whole answers and streams whose head quotes the key, and streams that fail halfway with words that do.
    async fn all_answers(&self) -> Result<()> {
        for (fake, key) in [(&self.chat, "sk-up-chat"), (&self.messages, "sk-up-messages")] {
            let headed = Step::normal().header("x-your-key", &format!("Bearer {key}"));
            fake.always(headed.header("x-request-id", key));
        }
        for way in Way::all() {
            assert_eq!(self.ask(way, way.first).await?, 200);
        }
        for (fake, key) in [(&self.chat, "sk-up-chat"), (&self.messages, "sk-up-messages")] {
            let error = json!({"type": "error", "error": {"type": "api_error", "message": key, "code": key}});
            fake.always(Step::normal().insert(1, format!("event: error\ndata: {error}\n\n")));
        }
        for way in Way::all().filter(|way| way.stream) {
            assert_eq!(self.ask(way, way.first).await?, 200);
        }
        Ok(())
    }
}

/// Two deployments and the policy that asks one after the other.
fn failing(model: &str, first: &str, chat: &Fake, messages: &Fake) -> Vec<String> {
    let deployment = |dialect, name: &str, fake| {
        let deployment = Deployment::of(dialect, &format!("{model}-{name}"), fake).to_string();
        deployment.replace(&format!("sk-up-{model}-{name}"), &format!("sk-up-{name}"))
    };
    let mut order = [format!("{model}-chat"), format!("{model}-messages")];
    if first == "messages" {
        order.reverse();
    }
    vec![
        deployment(Dialect::Chat, "chat", chat),
        deployment(Dialect::Messages, "messages", messages),
        Policy::named(model)
            .in_order(order.iter().map(String::as_str))
            // One for each: nothing waits for a limit to reset.
            .with("retry: {attempts: 2}")
            .to_string(),
    ]
}

#[tokio::test]
async fn a_providers_key_reaches_no_client_log_or_metric() -> Result<()> {
    let scene = Scene::start().await?;
    scene.all_errors().await?;
    scene.all_answers().await?;
    for wrong in ["Bearer sk-pf-wrong", "Bearer sk-up-chat"] {
        let request = Dialect::Chat.request("chat", CANARY);
        let answer = Client::new(&scene.pilotfish)?.header("authorization", wrong);
        let answer = answer.ask(Dialect::Chat, &request).await?;
        assert!(!answer.text().contains("sk-"), "{}", answer.text());
    }

    let telemetry = format!("http://{}/metrics", scene.pilotfish.telemetry());
    let metrics = reqwest::get(telemetry).await?.text().await?;
    let log = scene.pilotfish.log();
    assert!(log.contains("TRACE"), "the log is not as loud as it gets:\n{log}");
    let ours = scene.tenant.key.as_deref().unwrap_or_default();
    for secret in [SECRET, ours, CANARY] {
        for (place, text) in [("a metric", &metrics), ("the log", &log)] {
            let line = text.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "{secret} is in {place}");
        }
    }
    // Every secret is a key that was sent, or nothing was tested.
    for (fake, key) in [(&scene.chat, "sk-up-chat"), (&scene.messages, "sk-up-messages")] {
        assert!(fake.received().iter().all(|request| request.mentions(key)));
        assert!(fake.received().len() > quoting("").len() * 4);
    }
    scene.pilotfish.back_to_idle(&[&scene.chat, &scene.messages]).await
}
