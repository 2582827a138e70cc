//! Which deployment a request goes to: rules, weights, tiers, sessions.

use anyhow::{Context, Result};
use pilotfish_provider::{Fake, Model, Step};
use pilotfish_tests::{Answer, Client, Deployment, Dialect, Launch, Pilotfish, Policy, documents, in_both};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A program before some providers of one dialect.
struct Scene {
    fakes: BTreeMap<&'static str, Fake>,
    documents: Vec<String>,
    pilotfish: Pilotfish,
    client: Client,
}

impl Scene {
    async fn start(dialect: Dialect, names: &[&'static str], policies: &[String]) -> Result<Self> {
        let mut fakes = BTreeMap::new();
        let mut documents = policies.to_vec();
        for name in names {
            let roomy = [Model::named(dialect.model()).context(10_000_000)];
            let fake = dialect.provider(name).models(roomy).start().await?;
            documents.push(Deployment::of(dialect, name, &fake).to_string());
            fakes.insert(*name, fake);
        }
        let pilotfish = Launch::run(&documents).start().await?;
        let client = Client::new(&pilotfish)?.header("x-pilotfish-explain", "1");
        Ok(Self {
            fakes,
            documents,
            pilotfish,
            client,
        })
    }

    fn fake(&self, name: &str) -> Result<&Fake> {
        self.fakes.get(name).with_context(|| format!("no provider {name}"))
    }

    async fn end(self) -> Result<()> {
        self.pilotfish.at_rest(&self.fakes.values().collect::<Vec<_>>()).await
    }
}

/// The deployment that answered, without its namespace.
fn served_by(answer: &Answer) -> Result<String> {
    let name = answer.header("x-pilotfish-deployment").with_context(|| answer.text())?;
    Ok(name.trim_start_matches("default/").to_owned())
}

fn trace(answer: &Answer) -> &str {
    answer.header("x-pilotfish-explain").unwrap_or_default()
}

/// Names and values.
type Headers = &'static [(&'static str, &'static str)];

#[tokio::test]
async fn the_first_rule_that_matches_decides() -> Result<()> {
    let policy = Policy::named("chat")
        .models(["chat", "mini-*"])
        .rule("tagged", "{tags: [batch, night]}", ["tagged"])
        .rule("long", "{minInputTokens: 500}", ["long"])
        .rule(
            "gold",
            "{headers: [{name: x-tier, value: Gold}, {name: x-region, value: eu}]}",
            ["gold"],
        )
        .rule("mini", "{modelPrefix: mini-}", ["mini"])
        .rule("team", "{keyLabels: {team: a}}", ["team"])
        .targets(["rest"]);
    let key = documents::virtual_key("team-a", "sk-pf-aaaaaaaaaaaaaaaaaaaaaaaa", "").replace(
        "kind: VirtualKey\napiVersion: pilotfish.dev/v1alpha1\nmetadata: {name: team-a}",
        "kind: VirtualKey\napiVersion: pilotfish.dev/v1alpha1\nmetadata: {name: team-a, labels: {team: a, site: eu}}",
    );
    let names = ["tagged", "long", "gold", "mini", "team", "rest"];
    in_both(async |dialect| {
        let scene = Scene::start(dialect, &names, &[policy.to_string(), key.clone()]).await?;
        let plain = dialect.request("chat", "Hello");
        let tagged = |tags: Value| {
            let mut request = plain.clone();
            request["metadata"] = json!({"tags": tags});
            request
        };
        let long = |bytes: usize| dialect.request("chat", &"a".repeat(bytes));
        const KEY: (&str, &str) = ("authorization", "Bearer sk-pf-aaaaaaaaaaaaaaaaaaaaaaaa");
        let cases: Vec<(&str, Headers, Value)> = vec![
            ("rest", &[], plain.clone()),
            ("tagged", &[("x-pilotfish-tags", "night, batch")], plain.clone()),
            ("tagged", &[("x-litellm-tags", "batch,night,more")], plain.clone()),
            ("rest", &[("x-pilotfish-tags", "batch")], plain.clone()),
            ("rest", &[("x-pilotfish-tags", "Batch,night")], plain.clone()),
            (
                "tagged",
                &[("x-pilotfish-tags", "batch"), ("x-litellm-tags", "night")],
                plain.clone(),
            ),
            ("long", &[], long(2000)),
            ("rest", &[], long(1996)),
            ("tagged", &[("x-pilotfish-tags", "batch,night")], long(4000)),
            ("gold", &[("x-tier", "Gold"), ("x-region", "eu")], plain.clone()),
            ("rest", &[("x-tier", "gold"), ("x-region", "eu")], plain.clone()),
            ("rest", &[("x-tier", "Gold")], plain.clone()),
            ("mini", &[], dialect.request("mini-7b", "Hello")),
            ("team", &[KEY], plain.clone()),
            ("gold", &[KEY, ("x-tier", "Gold"), ("x-region", "eu")], plain.clone()),
        ];
        for (expected, headers, request) in cases {
            let client = headers
                .iter()
                .fold(scene.client.clone(), |client, (name, value)| client.header(name, value));
            let answer = client.ask(dialect, &request).await?;
            assert_eq!(served_by(&answer)?, expected, "{headers:?}");
            let rule = if expected == "rest" { "default" } else { expected };
            assert!(
                trace(&answer).starts_with(&format!("rule={rule}; ")),
                "{}",
                trace(&answer)
            );
        }
        if dialect == Dialect::Chat {
            let answer = scene.client.ask(dialect, &tagged(json!(["night", "batch"]))).await?;
            // The provider refuses `metadata.tags`, but it was asked.
            assert_eq!(served_by(&answer)?, "tagged");
        }
        scene.end().await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn shares_follow_the_weights() -> Result<()> {
    let policy = Policy::named("chat").weighted([("big", 80), ("small", 20), ("none", 0)]);
    let scene = Scene::start(Dialect::Chat, &["big", "small", "none"], &[policy.to_string()]).await?;
    let request = Dialect::Chat.request("chat", "Hello");
    const REQUESTS: usize = 400;
    for _ in 0..REQUESTS {
        scene.client.ask(Dialect::Chat, &request).await?;
    }
    let calls = |name| anyhow::Ok(scene.fake(name)?.received().len());
    let (big, small, none) = (calls("big")?, calls("small")?, calls("none")?);
    assert_eq!((big + small, none), (REQUESTS, 0));
    // Five standard deviations of 400 draws are 10 points.
    let share = small as f64 / REQUESTS as f64;
    assert!((share - 0.2).abs() < 0.1, "{share}");
    scene.end().await
}

#[tokio::test]
async fn weight_0_is_no_traffic_not_even_failover() -> Result<()> {
    let policy = Policy::named("chat").weighted([("east", 1), ("west", 0)]);
    let scene = Scene::start(Dialect::Chat, &["east", "west"], &[policy.to_string()]).await?;
    scene.fake("east")?.always(Step::status(401));
    let answer = scene
        .client
        .ask(Dialect::Chat, &Dialect::Chat.request("chat", "Hello"))
        .await?;
    let said = answer.error(Dialect::Chat)?;
    assert_eq!(answer.status, 502);
    assert!(
        said.message.contains("default/west: not tried, has weight 0"),
        "{said:?}"
    );
    assert_eq!(scene.fake("west")?.received().len(), 0);
    scene.end().await
}

#[tokio::test]
async fn a_tier_is_used_when_all_before_it_cannot_serve() -> Result<()> {
    let target = |name: &str, tier: u32| format!("{{deploymentRef: {{name: {name}}}, tier: {tier}}}");
    let targets = [target("a", 0), target("b", 0), target("c", 1), target("d", 2)].join(", ");
    let policy = Policy::named("chat")
        .raw_rule(&format!("{{name: default, targets: [{targets}]}}"))
        .with("retry: {attempts: 4}");
    let scene = Scene::start(Dialect::Chat, &["a", "b", "c", "d"], &[policy.to_string()]).await?;
    let request = Dialect::Chat.request("chat", "Hello");
    let mut seen = BTreeMap::new();
    for _ in 0..60 {
        *seen
            .entry(served_by(&scene.client.ask(Dialect::Chat, &request).await?)?)
            .or_insert(0) += 1;
    }
    assert_eq!(seen.keys().collect::<Vec<_>>(), ["a", "b"], "{seen:?}");
    scene.fake("a")?.always(Step::status(401));
    assert_eq!(served_by(&scene.client.ask(Dialect::Chat, &request).await?)?, "b");
    scene.fake("b")?.always(Step::status(401));
    for attempts in ["2", "1"] {
        let answer = scene.client.ask(Dialect::Chat, &request).await?;
        assert_eq!(served_by(&answer)?, "c", "{}", trace(&answer));
        if attempts == "1" {
            assert_eq!(answer.header("x-pilotfish-attempts"), Some("1"));
        }
    }
    scene.fake("c")?.always(Step::status(401));
    assert_eq!(served_by(&scene.client.ask(Dialect::Chat, &request).await?)?, "d");
    scene.end().await
}

#[tokio::test]
async fn a_deployment_that_lacks_a_feature_is_not_asked_for_it() -> Result<()> {
    in_both(async |dialect| {
        let (blind, sees) = (
            dialect.provider("blind").start().await?,
            dialect.provider("sees").start().await?,
        );
        let documents = [
            Deployment::of(dialect, "blind", &blind)
                .with("capabilities: {features: []}")
                .to_string(),
            Deployment::of(dialect, "sees", &sees)
                .with("capabilities: {features: [Tools, Vision]}")
                .to_string(),
            Policy::named("chat").in_order(["blind", "sees"]).to_string(),
            Policy::named("text").targets(["blind"]).to_string(),
        ];
        let pilotfish = Launch::run(&documents).start().await?;
        let client = Client::new(&pilotfish)?;
        let with_tool = |model: &str| {
            let mut request = dialect.request(model, "What is the weather in Berlin?");
            let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
            request["tools"] = match dialect {
                Dialect::Chat => {
                    json!([{"type": "function", "function": {"name": "get_weather", "parameters": schema}}])
                }
                Dialect::Messages => json!([{"name": "get_weather", "input_schema": schema}]),
            };
            request
        };
        let answer = client.ask(dialect, &with_tool("chat")).await?;
        assert_eq!(
            (served_by(&answer)?, answer.status),
            ("sees".to_owned(), 200),
            "{}",
            answer.text()
        );
        assert_eq!(
            served_by(&client.ask(dialect, &dialect.request("chat", "Hello")).await?)?,
            "blind"
        );
        let refused = client.ask(dialect, &with_tool("text")).await?;
        let said = refused.error(dialect)?;
        assert_eq!(
            (refused.status, said.code.as_deref()),
            (400, Some("unsupported_by_deployment"))
        );
        assert!(
            said.message.contains("default/blind: its model lacks Tools"),
            "{said:?}"
        );
        pilotfish.at_rest(&[&blind, &sees]).await?;
        Ok(())
    })
    .await
}

/// A trace whose scores are `#`.
fn without_scores(trace: &str) -> String {
    let number = |part: &str| {
        part.find(|c: char| !c.is_ascii_digit() && !".e-".contains(c))
            .unwrap_or(part.len())
    };
    let (mut text, mut rest) = (String::new(), trace);
    while let Some((before, after)) = rest.split_once(" (") {
        let (score, others) = after.split_at(number(after));
        let shown = if score.parse::<f64>().is_ok() && !others.starts_with(':') {
            "#"
        } else {
            score
        };
        text.push_str(&format!("{before} ({shown}"));
        rest = others;
    }
    text + rest
}

#[tokio::test]
async fn a_refusal_is_explained_and_names_each_deployment_once() -> Result<()> {
    let policy = Policy::named("chat").in_order(["a", "b"]).with("retry: {attempts: 3}");
    let scene = Scene::start(Dialect::Chat, &["a", "b"], &[policy.to_string()]).await?;
    scene.fake("a")?.always(Step::status(500));
    scene.fake("b")?.always(Step::status(401));
    let refused = scene
        .client
        .ask(Dialect::Chat, &Dialect::Chat.request("chat", "Hello"))
        .await?;
    assert_eq!(
        (refused.status, refused.header("x-pilotfish-attempts")),
        (502, Some("3"))
    );
    let message = refused.error(Dialect::Chat)?.message;
    assert!(
        message.starts_with("every deployment failed: default/b: 401: "),
        "{message}"
    );
    assert!(
        message.contains("; default/a: 500: ") && message.ends_with(" (2 attempts)"),
        "{message}"
    );
    assert_eq!(message.matches("default/").count(), 2, "{message}");
    let trace = without_scores(trace(&refused));
    let beginning = "rule=default; session=none; order=default/a (#), default/b (#, tier 1); \
                     failed=[default/a: server_error (500: ";
    assert!(trace.starts_with(beginning), "{trace}");
    assert_eq!(trace.matches("default/a: server_error").count(), 2, "{trace}");
    let line = scene.pilotfish.logged("request refused").await?;
    assert!(
        line.contains("code=502 reason=\"upstream_misconfigured\" model=\"chat\""),
        "{line}"
    );
    scene.end().await
}

#[tokio::test]
async fn the_decision_trace_says_rule_session_scores_and_exclusions() -> Result<()> {
    let policy = Policy::named("chat")
        .in_order(["a", "b", "c"])
        .with("affinity: {headers: [x-conversation]}");
    let scene = Scene::start(Dialect::Chat, &["a", "b", "c"], &[policy.to_string()]).await?;
    let request = Dialect::Chat.request("chat", "Hello");
    scene.fake("a")?.always(Step::status(401));
    let client = scene.client.header("x-conversation", "very secret session");
    let answer = client.ask(Dialect::Chat, &request).await?;
    let first = trace(&answer);
    let beginning = "rule=default; session=header; \
                     order=default/a (#), default/b (#, tier 1), default/c (#, tier 2); \
                     failed=[default/a: unauthorised (401: ";
    assert!(without_scores(first).starts_with(beginning), "{first}");
    assert!(!first.contains("secret"), "{first}");
    let answer = client.ask(Dialect::Chat, &request).await?;
    assert_eq!(
        without_scores(trace(&answer)),
        "rule=default; session=header; order=default/b (#, tier 1), default/c (#, tier 2); \
         excluded=[default/a: the provider does not accept its credential]"
    );
    // Also on a stream, and only when it is asked for.
    let mut stream = client
        .stream(Dialect::Chat, &Dialect::Chat.stream_request("chat", "Hello"))
        .await?;
    assert!(
        stream
            .header("x-pilotfish-explain")
            .is_some_and(|trace| trace.starts_with("rule=default; "))
    );
    stream.events.rest().await?;
    let quiet = Client::new(&scene.pilotfish)?.ask(Dialect::Chat, &request).await?;
    assert_eq!(quiet.header("x-pilotfish-explain"), None);
    scene.end().await
}

/// Ways to name a session.
fn sessions(dialect: Dialect, id: &str) -> Vec<(Option<&'static str>, Value)> {
    let plain = || dialect.request("chat", "Hello");
    let with = |key: &str, value: Value| {
        let mut request = plain();
        request[key] = value;
        request
    };
    let named = [
        "x-conversation",
        "x-pilotfish-session-id",
        "x-litellm-session-id",
        "x-session-id",
        "x-acme-session-id",
    ];
    let mut ways: Vec<_> = named.into_iter().map(|name| (Some(name), plain())).collect();
    match dialect {
        Dialect::Chat => {
            ways.push((None, with("prompt_cache_key", json!(id))));
            ways.push((None, with("metadata", json!({"session_id": id}))));
        }
        Dialect::Messages => {
            let user = format!("user_1_account__session_{id}");
            ways.push((None, with("metadata", json!({"user_id": user}))));
        }
    }
    ways
}

const TARGETS: [&str; 3] = ["a", "b", "c"];

#[tokio::test]
async fn a_session_stays_on_its_deployment_however_it_is_named() -> Result<()> {
    in_both(async |dialect| {
        let policy = Policy::named("chat")
            .targets(TARGETS)
            .with("affinity: {headers: [x-conversation]}");
        let scene = Scene::start(dialect, &TARGETS, &[policy.to_string()]).await?;
        let mut homes = BTreeMap::new();
        for number in 0..12 {
            let id = format!("conversation-{number}");
            let mut home = None;
            for (header, request) in sessions(dialect, &id) {
                let client = match header {
                    Some(name) => scene.client.header(name, &id),
                    None => scene.client.clone(),
                };
                let served = served_by(&client.ask(dialect, &request).await?)?;
                assert_eq!(*home.get_or_insert(served.clone()), served, "{header:?} {request}");
            }
            *homes.entry(home).or_insert(0) += 1;
        }
        assert!(homes.len() > 1, "not all of them at home in one place: {homes:?}");
        scene.end().await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn two_processes_agree_on_homes_and_on_the_order_of_failover() -> Result<()> {
    let policy = Policy::named("chat").weighted([("a", 3), ("b", 2), ("c", 1)]);
    let scene = Scene::start(Dialect::Chat, &TARGETS, &[policy.to_string()]).await?;
    let mut snapshot = Launch::compiled(&scene.documents)?;
    for name in TARGETS {
        snapshot = snapshot.environment(
            &format!("PILOTFISH_SECRET_{}_API_KEY", name.to_uppercase()),
            &format!("sk-up-{name}"),
        );
    }
    let other = snapshot.start().await?;
    let elsewhere = Client::new(&other)?.header("x-pilotfish-explain", "1");
    let request = Dialect::Chat.request("chat", "Hello");
    let mut homes = BTreeMap::new();
    for number in 0..30 {
        let id = format!("session {number}");
        let mut traces = Vec::new();
        for client in [&scene.client, &elsewhere] {
            let answer = client.header("x-session-id", &id).ask(Dialect::Chat, &request).await?;
            assert_eq!(answer.status, 200, "{}", answer.text());
            traces.push(trace(&answer).to_owned());
        }
        assert_eq!(traces.first(), traces.last(), "{id}");
        *homes.entry(traces.pop().as_deref().map(without_scores)).or_insert(0) += 1;
    }
    assert!(homes.len() > 3, "several orders: {homes:?}");

    // One of them out of order: both go on to the same second.
    scene.fake("a")?.always(Step::status(401));
    for number in 0..30 {
        let id = format!("session {number}");
        let mut served = Vec::new();
        for client in [&scene.client, &elsewhere] {
            let answer = client.header("x-session-id", &id).ask(Dialect::Chat, &request).await?;
            served.push(served_by(&answer)?);
        }
        assert_eq!(served.first(), served.last(), "{id}");
        assert!(!served.contains(&"a".to_owned()));
    }
    // They share the providers: whose connections are whose shows only when all of them are closed.
    let fakes: Vec<&Fake> = scene.fakes.values().collect();
    other.back_to_idle(&fakes).await?;
    scene.pilotfish.back_to_idle(&fakes).await
}

#[tokio::test]
async fn a_session_that_may_not_move_is_refused_rather_than_moved() -> Result<()> {
    in_both(async |dialect| {
        let policy = Policy::named("chat").targets(TARGETS).with("affinity: {mode: Require}");
        let scene = Scene::start(dialect, &TARGETS, &[policy.to_string()]).await?;
        let client = scene.client.header("x-session-id", "mine");
        let request = dialect.request("chat", "Hello");
        let home = served_by(&client.ask(dialect, &request).await?)?;
        scene
            .fake(&home)?
            .script([Step::status(503).header("retry-after", "3600")]);
        for calls in [2, 2] {
            let hasty = client.header("x-pilotfish-timeout", "20");
            let refused = hasty.ask(dialect, &request).await?;
            assert!([429, 503].contains(&refused.status), "{}", refused.text());
            let said = refused.error(dialect)?;
            assert!(
                said.message.contains("the session belongs to another deployment"),
                "{said:?}"
            );
            assert!(refused.header("retry-after").is_some());
            assert_eq!(scene.fake(&home)?.received().len(), calls);
        }
        let others = TARGETS.iter().filter(|name| **name != home);
        for other in others {
            assert_eq!(scene.fake(other)?.received().len(), 0);
        }
        // Who has no session may go anywhere.
        assert_eq!(scene.client.ask(dialect, &request).await?.status, 200);
        scene.end().await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn without_affinity_every_request_is_placed_for_itself() -> Result<()> {
    let policy = Policy::named("chat").targets(TARGETS).with("affinity: {mode: \"Off\"}");
    let scene = Scene::start(Dialect::Chat, &TARGETS, &[policy.to_string()]).await?;
    let client = scene.client.header("x-session-id", "mine");
    let mut seen = BTreeMap::new();
    for _ in 0..60 {
        let answer = client
            .ask(Dialect::Chat, &Dialect::Chat.request("chat", "Hello"))
            .await?;
        assert!(trace(&answer).contains("session=none"), "{}", trace(&answer));
        *seen.entry(served_by(&answer)?).or_insert(0) += 1;
    }
    // All 60 in two of three places: one in 10¹⁰.
    assert_eq!(seen.len(), 3, "{seen:?}");
    scene.end().await
}

#[tokio::test]
async fn a_displaced_session_goes_home_at_once_when_home_is_still_warm() -> Result<()> {
    let policy = Policy::named("chat").targets(TARGETS);
    let scene = Scene::start(Dialect::Chat, &TARGETS, &[policy.to_string()]).await?;
    let client = scene.client.header("x-session-id", "mine");
    let request = Dialect::Chat.request("chat", "Hello");
    let home = served_by(&client.ask(Dialect::Chat, &request).await?)?;
    scene.fake(&home)?.script([Step::status(429)
        .header("retry-after-ms", "1500")
        .without_header("retry-after")]);
    let second = served_by(&client.ask(Dialect::Chat, &request).await?)?;
    assert_ne!(second, home);
    let started = tokio::time::Instant::now();
    loop {
        let served = served_by(&client.ask(Dialect::Chat, &request).await?)?;
        if served == home {
            break;
        }
        assert_eq!(served, second, "always the same second");
        anyhow::ensure!(started.elapsed().as_secs() < 30, "it never went home");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    scene.end().await
}

#[tokio::test]
async fn a_session_name_that_is_too_long_is_none() -> Result<()> {
    let policy = Policy::named("chat").targets(TARGETS);
    let scene = Scene::start(Dialect::Chat, &TARGETS, &[policy.to_string()]).await?;
    let request = Dialect::Chat.request("chat", "Hello");
    for (length, session) in [(255, "session=header"), (256, "session=none")] {
        // A well-known name of lower rank must not be taken in its place.
        let client = scene
            .client
            .header("x-pilotfish-session-id", &"s".repeat(length))
            .header("x-session-id", "shared");
        let answer = client.ask(Dialect::Chat, &request).await?;
        assert!(trace(&answer).contains(session), "{length}: {}", trace(&answer));
    }
    scene.end().await
}

#[tokio::test]
async fn a_long_beginning_is_a_session_and_a_short_one_is_not() -> Result<()> {
    let policy = Policy::named("chat").targets(TARGETS);
    in_both(async |dialect| {
        let scene = Scene::start(dialect, &TARGETS, &[policy.to_string()]).await?;
        for (bytes, session) in [(5000, "session=prompt"), (3000, "session=none")] {
            let answer = scene
                .client
                .ask(dialect, &dialect.request("chat", &"long ".repeat(bytes / 5)))
                .await?;
            assert!(trace(&answer).contains(session), "{bytes}: {}", trace(&answer));
        }
        scene.end().await?;
        Ok(())
    })
    .await
}
