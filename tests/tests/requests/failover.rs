//! What happens when an attempt fails: the failure table, row by row.
//!
//! Each row is tried with clients and providers of both dialects, as a stream and not, under three policies: two
//! deployments and `onAmbiguous: Failover`, the same and `Refuse`, and one deployment alone.

use anyhow::{Context, Result};
use pilotfish_provider::{Fake, HangUp, Pause, Point, Step};
use pilotfish_tests::{Answer, Client, Deployment, Dialect, Launch, Metrics, Pilotfish, Policy, raw};
use std::time::Duration;

/// One row of the table, as seen from outside.
struct Row {
    /// What the first deployment does with every request.
    east: East,
    /// The value of the labels `outcome` and `reason`.
    outcome: &'static str,
    /// Another deployment is tried although the first may have been at work.
    may_repeat: Repeat,
    /// Without another deployment: how often it is called, and the status and code that the client gets.
    alone: (usize, u16, &'static str),
    /// What is learnt about the deployment.
    health: Health,
    /// The timers of the first deployment, where the row is about one.
    timeouts: &'static str,
}

enum East {
    /// A provider that does this.
    Does(fn(Case) -> Step),
    /// Nothing useful is at this URL.
    At(String),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Repeat {
    Always,
    UnlessRefused,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Health {
    /// Three in a row, and it is left alone.
    Counts,
    /// It is left alone at once.
    Closes,
}

#[derive(Clone, Copy)]
struct Case {
    client: Dialect,
    provider: Dialect,
    stream: bool,
    policy: Asks,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asks {
    Failover,
    Refuse,
    Alone,
}

impl Case {
    fn all() -> Vec<Case> {
        let mut all = Vec::new();
        for client in Dialect::BOTH {
            for provider in Dialect::BOTH {
                for stream in [false, true] {
                    let of = |policy| Case {
                        client,
                        provider,
                        stream,
                        policy,
                    };
                    all.extend([Asks::Failover, Asks::Refuse, Asks::Alone].map(of));
                }
            }
        }
        all
    }

    /// The model, and what its deployments are called after.
    fn name(self) -> String {
        let whole = if self.stream { "stream" } else { "whole" };
        format!("{:?}-{:?}-{whole}-{:?}", self.client, self.provider, self.policy).to_lowercase()
    }

    fn policy(self, row: &Row) -> Policy {
        let name = self.name();
        let (east, west) = (format!("east-{name}"), format!("west-{name}"));
        let policy = Policy::named(&name);
        match self.policy {
            Asks::Failover => policy.in_order([&*east, &west]),
            Asks::Refuse => policy.in_order([&*east, &west]).with("retry: {onAmbiguous: Refuse}"),
            // Too short for a pause of the breaker.
            Asks::Alone if row.health == Health::Closes => policy.in_order([&*east]).with("timeouts: {total: 900ms}"),
            Asks::Alone => policy.in_order([&*east]),
        }
    }

    fn request(self) -> serde_json::Value {
        let name = self.name();
        match self.stream {
            false => self.client.request(&name, "Hello"),
            true => self.client.stream_request(&name, "Hello"),
        }
    }
}

/// The program for all cases of a row, and the providers of one of them.
struct Scene {
    pilotfish: Pilotfish,
    client: Client,
    cases: Vec<(Case, Fake, Fake)>,
}

impl Scene {
    async fn start(row: &Row) -> Result<Self> {
        let (mut cases, mut documents) = (Vec::new(), Vec::new());
        for case in Case::all() {
            let (east_name, west_name) = (format!("east-{}", case.name()), format!("west-{}", case.name()));
            let (east, west) = (case.provider.provider(&east_name), case.provider.provider(&west_name));
            let (east, west) = (east.start().await?, west.start().await?);
            let url = match &row.east {
                East::Does(step) => {
                    east.always(step(case));
                    east.url()
                }
                East::At(url) => url.clone(),
            };
            let timeouts = format!("timeouts: {}", row.timeouts);
            documents.push(
                Deployment::at(case.provider, &east_name, &url)
                    .with(&timeouts)
                    .to_string(),
            );
            documents.push(Deployment::of(case.provider, &west_name, &west).to_string());
            documents.push(case.policy(row).to_string());
            cases.push((case, east, west));
        }
        let pilotfish = Launch::run(&documents).start().await?;
        let client = Client::new(&pilotfish)?.header("x-pilotfish-explain", "1");
        Ok(Self {
            pilotfish,
            client,
            cases,
        })
    }

    async fn ask(&self, case: Case) -> Result<Answer> {
        self.client.ask(case.client, &case.request()).await
    }
}

/// Tries a row in all cases, all at once.
async fn check(row: Row) -> Result<()> {
    let scene = Scene::start(&row).await?;
    let checks = scene.cases.iter().map(|(case, east, west)| {
        let (scene, row) = (&scene, &row);
        async move {
            check_case(scene, row, *case, [east, west])
                .await
                .with_context(|| case.name())
        }
    });
    futures::future::try_join_all(checks).await?;
    let metrics = scene.pilotfish.metrics().await?;
    Case::all().into_iter().for_each(|case| counted(&metrics, &row, case));
    let fakes: Vec<&Fake> = scene.cases.iter().flat_map(|(_, east, west)| [east, west]).collect();
    let violations: Vec<String> = fakes.iter().flat_map(|fake| fake.violations()).collect();
    assert_eq!(violations, Vec::<String>::new());
    scene.pilotfish.back_to_idle(&fakes).await
}

impl Row {
    /// The request goes on to the second deployment.
    fn goes_on(&self, policy: Asks) -> bool {
        match policy {
            Asks::Failover => true,
            Asks::Refuse => self.may_repeat == Repeat::Always,
            Asks::Alone => false,
        }
    }

    /// How often the first deployment is called for the first request.
    fn attempts(&self, policy: Asks) -> usize {
        match policy {
            Asks::Alone => self.alone.0,
            Asks::Failover | Asks::Refuse => 1,
        }
    }

    /// How many requests call the first deployment before it is left alone.
    fn until_left_alone(&self) -> usize {
        match self.health {
            Health::Counts => 3,
            Health::Closes => 1,
        }
    }
}

async fn check_case(scene: &Scene, row: &Row, case: Case, [east, west]: [&Fake; 2]) -> Result<()> {
    let answer = scene.ask(case).await?;
    let (goes_on, attempts) = (row.goes_on(case.policy), row.attempts(case.policy));
    let reached = match row.east {
        East::Does(_) => attempts,
        East::At(_) => 0,
    };
    let calls = (east.received().len(), west.received().len());
    assert_eq!(calls, (reached, usize::from(goes_on)), "{}", case.name());
    if case.policy == Asks::Failover {
        learnt(scene, row, case).await?;
    }
    if goes_on {
        served_by_west(&answer, row, case)
    } else {
        refused(&answer, row, case, attempts)
    }
}

/// The requests that follow call east until as much is known of it as the row says. Promptly: some closures last for a
/// second.
async fn learnt(scene: &Scene, row: &Row, case: Case) -> Result<()> {
    let mut last = None;
    for _ in 0..row.until_left_alone() {
        last = Some(scene.ask(case).await?);
    }
    let last = last.context("at least one request")?;
    assert_eq!(last.header("x-pilotfish-attempts"), Some("1"), "{}", case.name());
    let trace = last.header("x-pilotfish-explain").unwrap_or_default();
    let excluded = format!("excluded=[default/east-{}: ", case.name());
    assert!(trace.contains(&excluded), "{trace}");
    Ok(())
}

/// All requests of a case are counted for what they were.
fn counted(metrics: &Metrics, row: &Row, case: Case) {
    let (east, west) = (
        format!("default/east-{}", case.name()),
        format!("default/west-{}", case.name()),
    );
    let sum = |deployment: &str, outcome| {
        let labels = [("deployment", deployment), ("outcome", outcome)];
        metrics.sum("pilotfish_attempts_total", &labels)
    };
    let (failed, served) = match case.policy {
        Asks::Failover => (row.until_left_alone(), row.until_left_alone() + 1),
        Asks::Refuse | Asks::Alone => (row.attempts(case.policy), usize::from(row.goes_on(case.policy))),
    };
    let all = metrics.sum("pilotfish_attempts_total", &[("deployment", &east)]);
    assert_eq!((sum(&east, row.outcome), all), (failed as f64, failed as f64), "{east}");
    assert_eq!(sum(&west, "ok"), served as f64, "{west}");
    let step = [("from", &*east), ("to", &*west), ("reason", row.outcome)];
    let left = if row.goes_on(case.policy) { failed } else { 0 };
    assert_eq!(metrics.sum("pilotfish_failovers_total", &step), left as f64, "{east}");
}

fn served_by_west(answer: &Answer, row: &Row, case: Case) -> Result<()> {
    let name = case.name();
    assert_eq!(answer.status, 200, "{name}: {}", answer.text());
    let west = format!("default/west-{name}");
    assert_eq!(answer.header("x-pilotfish-deployment"), Some(&*west));
    assert_eq!(answer.header("x-pilotfish-attempts"), Some("2"), "{name}");
    assert_eq!(answer.header("x-litellm-attempted-fallbacks"), Some("1"), "{name}");
    let trace = answer.header("x-pilotfish-explain").context("a trace was asked for")?;
    let failed = format!("failed=[default/east-{name}: {} (", row.outcome);
    assert!(trace.contains(&failed), "{name}: {trace}");
    let text = answer.text();
    let (west_name, said) = (format!("west-{name}"), format!("Echo from west-{name}: Hello"));
    assert!(text.contains(if case.stream { &*west_name } else { &*said }), "{text}");
    assert_eq!(text.contains(case.client.terminator()), case.stream, "{name}: {text}");
    Ok(())
}

fn refused(answer: &Answer, row: &Row, case: Case, attempts: usize) -> Result<()> {
    let (_, status, code) = row.alone;
    let name = case.name();
    assert_eq!(answer.status, status, "{name}: {}", answer.text());
    let said = answer.error(case.client)?;
    assert_eq!(said.code.as_deref(), Some(code), "{name}: {said:?}");
    assert!(said.message.contains(&format!("default/east-{name}: ")), "{said:?}");
    assert_eq!(answer.header("x-should-retry"), Some("false"), "{name}");
    assert_eq!(
        answer.header("x-pilotfish-attempts"),
        Some(&*attempts.to_string()),
        "{name}"
    );
    assert_eq!(answer.header("content-type"), Some("application/json"), "{name}");
    Ok(())
}

const fn lost(east: fn(Case) -> Step) -> Row {
    Row {
        east: East::Does(east),
        outcome: "interrupted",
        may_repeat: Repeat::UnlessRefused,
        alone: (1, 502, "upstream_error"),
        health: Health::Counts,
        timeouts: "{}",
    }
}

const fn limited(east: fn(Case) -> Step) -> Row {
    Row {
        east: East::Does(east),
        outcome: "limited",
        may_repeat: Repeat::Always,
        alone: (1, 429, "rate_limit_exceeded"),
        health: Health::Closes,
        timeouts: "{}",
    }
}

/// Left alone like one that limits a rate; but the client's rate is not what is wrong.
fn overloaded(east: fn(Case) -> Step) -> Row {
    Row {
        alone: (1, 503, "no_deployment_available"),
        ..limited(east)
    }
}

const fn misconfigured(outcome: &'static str, health: Health, east: fn(Case) -> Step) -> Row {
    Row {
        east: East::Does(east),
        outcome,
        may_repeat: Repeat::Always,
        alone: (1, 502, "upstream_misconfigured"),
        health,
        timeouts: "{}",
    }
}

const fn server_error(east: fn(Case) -> Step) -> Row {
    Row {
        east: East::Does(east),
        outcome: "server_error",
        may_repeat: Repeat::Always,
        alone: (2, 502, "upstream_error"),
        health: Health::Counts,
        timeouts: "{}",
    }
}

fn never_reached(url: &str) -> Row {
    Row {
        east: East::At(url.to_owned()),
        outcome: "connect",
        may_repeat: Repeat::Always,
        alone: (3, 503, "no_deployment_available"),
        health: Health::Counts,
        timeouts: "{}",
    }
}

#[tokio::test]
async fn nobody_listens() -> Result<()> {
    check(never_reached("http://127.0.0.1:1/v1")).await
}

#[tokio::test]
async fn the_name_has_no_address() -> Result<()> {
    check(never_reached("http://nowhere.invalid/v1")).await
}

#[tokio::test]
async fn its_certificate_is_not_trusted() -> Result<()> {
    let fake = Dialect::Chat.provider("stranger").tls_http1().start().await?;
    check(never_reached(&fake.url())).await
}

#[tokio::test]
async fn tls_is_never_answered() -> Result<()> {
    // The system accepts, nobody ever reads.
    let silent = std::net::TcpListener::bind("127.0.0.1:0")?;
    check(Row {
        timeouts: "{connect: 150ms}",
        ..never_reached(&format!("https://{}/v1", silent.local_addr()?))
    })
    .await
}

#[tokio::test]
async fn a_connection_ends_before_the_answer() -> Result<()> {
    check(lost(|_| Step::closed_unanswered())).await
}

#[tokio::test]
async fn a_connection_is_reset_before_the_answer() -> Result<()> {
    check(lost(|_| Step::normal().hang_up(Point::BeforeHead, HangUp::Reset))).await
}

#[tokio::test]
async fn a_connection_ends_within_the_head_of_the_answer() -> Result<()> {
    check(lost(|_| Step::normal().hang_up(Point::HeadByte(20), HangUp::Close))).await
}

#[tokio::test]
async fn an_answer_is_cut_before_anything_was_committed() -> Result<()> {
    check(lost(|_| Step::normal().hang_up(Point::AfterHead, HangUp::Close))).await
}

#[tokio::test]
async fn an_answer_is_cut_in_the_middle() -> Result<()> {
    check(lost(|_| Step::normal().hang_up(Point::Byte(25), HangUp::Close))).await
}

#[tokio::test]
async fn an_answer_is_shorter_than_its_length() -> Result<()> {
    check(lost(|case| match case.stream {
        false => Step::normal().content_length(1_000_000),
        // Short of its first content.
        true => Step::raw(200, "text/event-stream", ": one moment\n\n").content_length(1_000_000),
    }))
    .await
}

#[tokio::test]
async fn the_head_of_an_answer_is_too_long() -> Result<()> {
    check(lost(|_| Step::normal().padded_head(200_000))).await
}

#[tokio::test]
async fn an_answer_is_not_http() -> Result<()> {
    let other = raw::Upstream::saying("SSH-2.0-OpenSSH_9.9\r\n").await?;
    check(Row {
        east: East::At(other.url()),
        ..lost(|_| Step::normal())
    })
    .await
}

#[tokio::test]
async fn an_attempt_takes_too_long() -> Result<()> {
    check(Row {
        outcome: "timeout",
        alone: (1, 504, "upstream_timeout"),
        timeouts: "{attempt: 200ms}",
        ..lost(|_| Step::never())
    })
    .await
}

#[tokio::test]
async fn the_first_content_takes_too_long() -> Result<()> {
    check(Row {
        outcome: "timeout",
        alone: (1, 504, "upstream_timeout"),
        // An answer that is no stream has no first content, only an end.
        timeouts: "{firstToken: 200ms, attempt: 400ms}",
        ..lost(|_| Step::normal().pause(Point::Content(0), Pause::Forever))
    })
    .await
}

#[tokio::test]
async fn an_answer_cannot_be_parsed() -> Result<()> {
    check(Row {
        outcome: "malformed",
        ..lost(|case| match case.stream {
            false => Step::raw(200, "application/json", "{\"id\": \"x\", \"choices\": [{]}"),
            true => Step::raw(200, "text/event-stream", "data: {\"id\": \"x\", \"choices\": [{]}\n\n"),
        })
    })
    .await
}

#[tokio::test]
async fn an_answer_is_a_web_page() -> Result<()> {
    check(Row {
        outcome: "malformed",
        ..lost(|_| Step::raw(200, "text/html", "<html><body>Please log in</body></html>"))
    })
    .await
}

#[tokio::test]
async fn an_answer_is_empty() -> Result<()> {
    check(Row {
        outcome: "malformed",
        ..lost(|_| Step::raw(200, "application/json", ""))
    })
    .await
}

#[tokio::test]
async fn a_rate_is_limited_for_longer_than_there_is_time() -> Result<()> {
    check(limited(|_| Step::rate_limited(Duration::from_secs(3600)))).await
}

#[tokio::test]
async fn a_rate_is_limited_without_a_word_about_when() -> Result<()> {
    check(limited(|_| {
        Step::status(429)
            .without_header("retry-after")
            .without_header("retry-after-ms")
    }))
    .await
}

#[tokio::test]
async fn the_provider_is_unavailable() -> Result<()> {
    check(overloaded(|_| Step::status(503))).await
}

#[tokio::test]
async fn the_provider_is_overloaded() -> Result<()> {
    check(overloaded(|_| Step::status(529))).await
}

#[tokio::test]
async fn the_providers_capacity_is_exceeded() -> Result<()> {
    check(overloaded(|_| Step::status(498))).await
}

#[tokio::test]
async fn the_credential_is_not_known() -> Result<()> {
    check(misconfigured("unauthorised", Health::Closes, |_| Step::status(401))).await
}

#[tokio::test]
async fn the_credential_may_not() -> Result<()> {
    check(misconfigured("unauthorised", Health::Closes, |_| Step::status(403))).await
}

#[tokio::test]
async fn the_account_is_empty() -> Result<()> {
    check(misconfigured("spent", Health::Closes, |_| Step::status(402))).await
}

#[tokio::test]
async fn the_spend_limit_is_reached() -> Result<()> {
    check(misconfigured("spent", Health::Closes, |_| Step::spend_limit())).await
}

#[tokio::test]
async fn the_model_does_not_exist() -> Result<()> {
    check(misconfigured("model_not_found", Health::Counts, |_| {
        Step::unknown_model()
    }))
    .await
}

#[tokio::test]
async fn the_server_fails() -> Result<()> {
    check(server_error(|_| Step::status(500))).await
}

#[tokio::test]
async fn a_gateway_before_it_fails() -> Result<()> {
    check(server_error(|_| {
        Step::raw(502, "text/html", "<html>Bad Gateway</html>")
    }))
    .await
}

#[tokio::test]
async fn a_gateway_before_it_waits_in_vain() -> Result<()> {
    check(server_error(|_| Step::status(504))).await
}

#[tokio::test]
async fn the_server_timed_the_request_out() -> Result<()> {
    check(server_error(|_| Step::status(408))).await
}

#[tokio::test]
async fn a_200_is_an_error() -> Result<()> {
    check(server_error(|case| error_in_200(case, 500))).await
}

#[tokio::test]
async fn a_200_says_that_it_is_overloaded() -> Result<()> {
    check(overloaded(|case| error_in_200(case, 529))).await
}

#[tokio::test]
async fn a_200_says_that_the_rate_is_limited() -> Result<()> {
    check(limited(|case| error_in_200(case, 429))).await
}

/// An error event before any content, or an answer whose body is an error.
fn error_in_200(case: Case, status: u16) -> Step {
    let (kind, code) = match (case.provider, status) {
        (Dialect::Chat, 429) => ("requests", "\"rate_limit_exceeded\""),
        (Dialect::Chat, 529) => ("service_unavailable", "\"service_unavailable\""),
        (Dialect::Chat, _) => ("server_error", "null"),
        (Dialect::Messages, 429) => ("rate_limit_error", "null"),
        (Dialect::Messages, 529) => ("overloaded_error", "null"),
        (Dialect::Messages, _) => ("api_error", "null"),
    };
    let error = format!("{{\"type\":\"error\",\"error\":{{\"message\":\"no\",\"type\":\"{kind}\",\"code\":{code}}}}}");
    match (case.stream, case.provider) {
        (false, _) => Step::raw(200, "application/json", error),
        (true, Dialect::Chat) => Step::normal().insert(0, format!("data: {error}\n\n")),
        (true, Dialect::Messages) => Step::normal().error_event(0, status),
    }
}
