//! When a deployment is left alone, for how long, and who finds out whether it serves again.

use anyhow::{Context, Result};
use futures::future::join_all;
use pilotfish_provider::{Gate, Pause, Point, Step};
use pilotfish_tests::{Dialect, Pair, Policy, in_both};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Between two requests that look whether a deployment is called again.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Whatever has not happened by then never does.
const PATIENCE: Duration = Duration::from_secs(30);

/// Asks until east is called once more; how long that took.
async fn until_east_is_called(pair: &Pair, since: Instant) -> Result<Duration> {
    let before = pair.calls().0;
    while pair.calls().0 == before {
        anyhow::ensure!(since.elapsed() < PATIENCE, "east is never called again");
        sleep(LOOK_EVERY).await;
        pair.ask().await?;
    }
    let received = pair.east.received();
    Ok(received.last().context("it was called")?.arrived - since)
}

async fn closed_by_three_failures() -> Result<Pair> {
    let pair = Pair::plain(Dialect::Chat).await?;
    pair.east.always(Step::status(500));
    for _ in 0..3 {
        pair.ask().await?;
    }
    assert_eq!(pair.calls(), (3, 3));
    Ok(pair)
}

#[tokio::test]
async fn only_failures_in_a_row_count() -> Result<()> {
    let pair = Pair::plain(Dialect::Chat).await?;
    let failed = || Step::status(500);
    for round in 0..3 {
        pair.east.script([failed(), failed(), Step::normal()]);
        for _ in 0..3 {
            pair.ask().await?;
        }
        assert_eq!(pair.calls().0, (round + 1) * 3);
    }
    // What is nobody's fault does not interrupt the row, and is not in it.
    pair.east
        .script([failed(), Step::status(400), failed(), Step::status(400), failed()]);
    for _ in 0..6 {
        pair.ask().await?;
    }
    assert_eq!(pair.calls().0, 9 + 5);
    pair.at_rest().await
}

/// An operator of a fleet reads this and not a line per request.
#[tokio::test]
async fn each_change_of_a_breaker_is_one_line_of_the_log() -> Result<()> {
    let pair = closed_by_three_failures().await?;
    let closed = pair.pilotfish.logged("deployment is not called").await?;
    for part in ["INFO", "default/east", "workload/default", "its last attempts failed"] {
        assert!(closed.contains(part), "{part}: {closed}");
    }
    for _ in 0..5 {
        pair.ask().await?;
    }
    pair.east.recover();
    until_east_is_called(&pair, Instant::now()).await?;
    pair.pilotfish.logged("deployment serves again").await?;
    let log = pair.pilotfish.log();
    assert_eq!(
        log.lines().filter(|line| line.contains("deployment ")).count(),
        2,
        "{log}"
    );
    pair.at_rest().await
}

#[tokio::test]
async fn a_closed_deployment_is_tried_by_one_request_and_then_by_all() -> Result<()> {
    let pair = closed_by_three_failures().await?;
    let closed = Instant::now();
    let gate = Gate::new();
    pair.east.recover();
    pair.east
        .always(Step::normal().pause(Point::BeforeHead, Pause::Until(gate.clone())));
    let trial = async {
        // The first request that dares waits at the gate; those before it were answered by west.
        loop {
            let answer = pair.ask().await?;
            if answer.header("x-pilotfish-deployment") == Some("default/east") {
                return anyhow::Ok(answer);
            }
            sleep(LOOK_EVERY).await;
        }
    };
    let others = async {
        gate.reached(1).await;
        let pause = closed.elapsed();
        let others = join_all((0..5).map(|_| pair.ask())).await;
        for answer in others {
            assert_eq!(answer?.header("x-pilotfish-deployment"), Some("default/west"));
        }
        assert_eq!(pair.calls().0, 4, "one trial at a time");
        gate.open();
        anyhow::Ok(pause)
    };
    let (trial, pause) = tokio::try_join!(trial, others)?;
    assert_eq!(trial.header("x-pilotfish-attempts"), Some("1"));
    assert!(pause >= Duration::from_millis(900), "tried after {pause:?}");
    for answer in join_all((0..5).map(|_| pair.ask())).await {
        assert_eq!(answer?.header("x-pilotfish-deployment"), Some("default/east"));
    }
    pair.at_rest().await
}

#[tokio::test]
async fn a_trial_that_fails_doubles_the_pause() -> Result<()> {
    let pair = closed_by_three_failures().await?;
    let first = until_east_is_called(&pair, Instant::now()).await?;
    assert!(first >= Duration::from_millis(900), "tried after {first:?}");
    let failed = Instant::now();
    pair.east.recover();
    let second = until_east_is_called(&pair, failed).await?;
    assert!(second >= Duration::from_millis(1900), "tried again after {second:?}");
    assert_eq!(pair.ask().await?.header("x-pilotfish-deployment"), Some("default/east"));
    pair.at_rest().await
}

#[tokio::test]
async fn a_trial_whose_client_goes_away_is_given_back() -> Result<()> {
    let pair = closed_by_three_failures().await?;
    pair.east.recover();
    pair.east.script([Step::never()]);
    let until_tried = async { while pair.east.arrived(4).await.is_err() || pair.calls().0 < 4 {} };
    let asking = async {
        loop {
            if let Err(error) = pair.ask().await {
                return error;
            }
            sleep(LOOK_EVERY).await;
        }
    };
    tokio::select! {
        () = until_tried => {}
        error = asking => return Err(error),
    }
    pair.east.ended(3).await?;
    until_east_is_called(&pair, Instant::now()).await?;
    assert_eq!(pair.ask().await?.header("x-pilotfish-deployment"), Some("default/east"));
    pair.at_rest().await
}

#[tokio::test]
async fn a_rate_limit_closes_exactly_until_its_reset() -> Result<()> {
    in_both(async |dialect| {
        let pair = Pair::plain(dialect).await?;
        pair.east.script([Step::status(429)
            .header("retry-after-ms", "1500")
            .without_header("retry-after")]);
        let answer = pair.ask().await?;
        assert_eq!(answer.header("x-pilotfish-deployment"), Some("default/west"));
        let limited = pair.east.ended(0).await?.at;
        let pause = until_east_is_called(&pair, limited).await?;
        assert!(pause >= Duration::from_millis(1490), "called after {pause:?}");
        // No trial: a limit that has passed is no doubt about the deployment.
        let gate = Gate::new();
        pair.east
            .always(Step::normal().pause(Point::BeforeHead, Pause::Until(gate.clone())));
        let ask = || pair.ask();
        let open = async {
            gate.reached(3).await;
            gate.open();
        };
        let (one, two, three, ()) = tokio::join!(ask(), ask(), ask(), open);
        for answer in [one, two, three] {
            assert_eq!(answer?.header("x-pilotfish-deployment"), Some("default/east"));
        }
        pair.at_rest().await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_rate_limit_is_no_failure() -> Result<()> {
    let pair = Pair::plain(Dialect::Chat).await?;
    for _ in 0..4 {
        pair.east.script([Step::status(429)
            .header("retry-after-ms", "1")
            .without_header("retry-after")]);
        pair.ask().await?;
        until_east_is_called(&pair, Instant::now()).await?;
    }
    assert_eq!(pair.attempts("east", "limited").await?, 4.0);
    pair.at_rest().await
}

#[tokio::test]
async fn a_limit_that_ends_in_time_is_waited_out_where_nothing_else_is_left() -> Result<()> {
    in_both(async |dialect| {
        let pair = Pair::plain(dialect).await?;
        let limited = |milliseconds: &str| {
            Step::status(429)
                .header("retry-after-ms", milliseconds)
                .without_header("retry-after")
        };
        pair.east.script([limited("900")]);
        pair.west.script([limited("300")]);
        let started = Instant::now();
        let answer = pair.ask().await?;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(
            answer.header("x-pilotfish-deployment"),
            Some("default/west"),
            "the first to reset"
        );
        assert_eq!(answer.header("x-pilotfish-attempts"), Some("3"));
        assert!(started.elapsed() >= Duration::from_millis(300));
        assert_eq!(pair.calls(), (1, 2));

        pair.at_rest().await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_request_that_finds_every_limit_spent_waits_for_the_first_to_end() -> Result<()> {
    let pair = Pair::plain(Dialect::Chat).await?;
    for (fake, milliseconds) in [(&pair.east, "60000"), (&pair.west, "1000")] {
        let limited = Step::status(429).without_header("retry-after");
        fake.script([limited.header("retry-after-ms", milliseconds)]);
    }
    let hasty = pair.client.header("x-pilotfish-timeout", "0.5");
    let refused = hasty.ask(pair.dialect, &pair.dialect.request("chat", "Hello")).await?;
    assert_eq!((refused.status, pair.calls()), (429, (1, 1)));
    let limited = pair.west.ended(0).await?.at;
    let answer = pair.ask().await?;
    assert_eq!(
        answer.header("x-pilotfish-deployment"),
        Some("default/west"),
        "{}",
        answer.text()
    );
    assert_eq!(answer.header("x-pilotfish-attempts"), Some("1"));
    assert!(pair.west.arrived(2).await?[1].arrived - limited >= Duration::from_millis(990));
    pair.at_rest().await
}

#[tokio::test]
async fn a_limit_that_ends_too_late_is_told_with_its_end() -> Result<()> {
    in_both(async |dialect| {
        let short = |policy: Policy| policy.with("timeouts: {total: 5s}");
        let pair = Pair::start(dialect, short, |deployment| deployment).await?;
        pair.east.script([Step::rate_limited(Duration::from_secs(3600))]);
        pair.west.script([Step::rate_limited(Duration::from_secs(60))]);
        for attempts in [Some("2"), None] {
            // The second request finds both closed and calls nobody.
            let answer = pair.ask().await?;
            let said = answer.error(dialect)?;
            assert_eq!(
                (answer.status, said.code.as_deref()),
                (429, Some("rate_limit_exceeded")),
                "{said:?}"
            );
            assert_eq!(said.kind, "rate_limit_error");
            assert!(
                said.message.contains("default/east: ") && said.message.contains("default/west: "),
                "{said:?}"
            );
            let seconds: u64 = answer.header("retry-after").context("it ends")?.parse()?;
            let milliseconds: u64 = answer.header("retry-after-ms").context("it ends")?.parse()?;
            assert!((50..=61).contains(&seconds), "{seconds} s");
            assert!((50_000..=61_000).contains(&milliseconds), "{milliseconds} ms");
            assert_eq!(answer.header("x-pilotfish-attempts"), attempts);
        }
        assert_eq!(pair.calls(), (1, 1));
        pair.at_rest().await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_credential_that_is_not_accepted_is_left_alone_for_longer() -> Result<()> {
    let pair = Pair::plain(Dialect::Chat).await?;
    pair.east.script([Step::status(401)]);
    let refused = Instant::now();
    while refused.elapsed() < Duration::from_millis(2500) {
        let answer = pair.ask().await?;
        assert_eq!(answer.header("x-pilotfish-deployment"), Some("default/west"));
        sleep(LOOK_EVERY).await;
    }
    assert_eq!(pair.calls().0, 1);
    pair.at_rest().await
}

#[tokio::test]
async fn one_tenants_trouble_is_not_anothers() -> Result<()> {
    let east = Dialect::Chat.provider("east").start().await?;
    let documents = [
        pilotfish_tests::Deployment::of(Dialect::Chat, "east", &east).to_string(),
        pilotfish_tests::documents::virtual_key("team-a", "sk-pf-aaaaaaaaaaaaaaaaaaaaaaaa", ""),
        pilotfish_tests::documents::virtual_key("team-b", "sk-pf-bbbbbbbbbbbbbbbbbbbbbbbb", ""),
        Policy::named("chat")
            .targets(["east"])
            .with("retry: {attempts: 1}")
            .to_string(),
    ];
    let pilotfish = pilotfish_tests::Launch::run(&documents).start().await?;
    let client = pilotfish_tests::Client::new(&pilotfish)?;
    let of = |key: &str| client.header("authorization", &format!("Bearer {key}"));
    let (a, b) = (
        of("sk-pf-aaaaaaaaaaaaaaaaaaaaaaaa"),
        of("sk-pf-bbbbbbbbbbbbbbbbbbbbbbbb"),
    );
    let request = Dialect::Chat.request("chat", "Hello");
    east.script([Step::status(500).times(3)]);
    for _ in 0..3 {
        assert_eq!(a.ask(Dialect::Chat, &request).await?.status, 502);
    }
    assert_eq!(a.ask(Dialect::Chat, &request).await?.status, 503);
    assert_eq!(b.ask(Dialect::Chat, &request).await?.status, 200);
    assert_eq!(
        client.ask(Dialect::Chat, &request).await?.status,
        200,
        "the pod is a tenant of its own"
    );
    assert_eq!(east.received().len(), 5);
    pilotfish.at_rest(&[&east]).await
}
