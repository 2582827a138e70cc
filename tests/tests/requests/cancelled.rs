//! A client that goes away: its upstream call ends at once, and nothing is left of it.

use anyhow::{Context, Result};
use pilotfish_provider::{Ended, Fake, Outcome, Pause, Point, Step};
use pilotfish_tests::{Dialect, Pair, in_all, in_both};
use std::time::Duration;
use tokio::time::Instant;

/// How soon a provider must notice.
const AT_MOST: Duration = Duration::from_millis(100);
/// A busy machine may need longer once, but not every time.
const TRIES: usize = 5;

/// Whether the provider saw its client go, in time after `gone`.
async fn noticed(fake: &Fake, request: usize, gone: Instant) -> Result<Duration> {
    let Ended { outcome, at, .. } = fake.ended(request).await?;
    assert_eq!(outcome, Outcome::ClientGone);
    Ok(at.saturating_duration_since(gone))
}

fn in_time(delays: &[Duration]) {
    let best = delays.iter().min();
    assert!(best.is_some_and(|delay| *delay <= AT_MOST), "noticed after {delays:?}");
}

async fn settled(pair: &Pair, cancelled: usize) -> Result<()> {
    let cancelled = cancelled as f64;
    let counted = |metrics: &pilotfish_tests::Metrics| {
        let outcome = [("deployment", "default/east"), ("outcome", "cancelled")];
        let code = [("deployment", "default/east"), ("code", "499")];
        metrics.sum("pilotfish_attempts_total", &outcome) == cancelled
            && metrics.sum("pilotfish_requests_total", &code) == cancelled
    };
    pair.pilotfish.metrics_until(counted).await?;
    // It says nothing about the deployment, however often it happens.
    pair.east.recover();
    assert_eq!(pair.ask().await?.header("x-pilotfish-deployment"), Some("default/east"));
    assert_eq!(pair.west.received().len(), 0);
    pair.back_to_idle().await
}

#[tokio::test]
async fn a_client_that_goes_before_the_answer_cancels_its_call() -> Result<()> {
    in_both(async |dialect| {
        for stream in [false, true] {
            let pair = Pair::plain(dialect).await?;
            pair.east.always(Step::never());
            let mut delays = Vec::new();
            for number in 0..TRIES {
                tokio::select! {
                    answer = pair.ask_for(stream) => anyhow::bail!("it was never to be answered: {answer:?}"),
                    arrived = pair.east.arrived(number + 1) => drop(arrived?),
                }
                delays.push(noticed(&pair.east, number, Instant::now()).await?);
            }
            in_time(&delays);
            settled(&pair, TRIES).await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_client_that_goes_in_the_middle_of_a_stream_cancels_its_call() -> Result<()> {
    in_all(async |dialect, provider| {
        let pair = Pair::across(dialect, provider).await?;
        pair.east
            .always(Step::normal().pause(Point::Content(2), Pause::Forever));
        let mut delays = Vec::new();
        for number in 0..TRIES {
            let mut answer = pair.stream().await?;
            answer
                .events
                .until(|event| {
                    event
                        .json()
                        .is_ok_and(|event| dialect.delta(&event).is_some_and(|text| !text.is_empty()))
                })
                .await?;
            drop(answer);
            delays.push(noticed(&pair.east, number, Instant::now()).await?);
        }
        in_time(&delays);
        settled(&pair, TRIES).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_client_that_goes_resets_only_its_own_http2_stream() -> Result<()> {
    let pair = Pair::of(
        Dialect::Chat,
        |fake| fake.tls(),
        |policy| policy,
        |deployment| deployment,
    )
    .await?;
    pair.east
        .always(Step::normal().pause(Point::Content(1), Pause::Forever));
    let mut stays = pair.stream().await?;
    let is_content = |event: &pilotfish_tests::Event| event.data.contains("Echo");
    stays.events.until(is_content).await?;
    let mut delays = Vec::new();
    for number in 1..=TRIES {
        let mut answer = pair.stream().await?;
        answer.events.until(is_content).await?;
        drop(answer);
        delays.push(noticed(&pair.east, number, Instant::now()).await?);
    }
    in_time(&delays);
    assert_eq!(pair.east.connections().accepted, 1, "all on one connection");
    assert_eq!(pair.east.sent(0).context("the first stream")?.status, 200);
    drop(stays);
    settled(&pair, TRIES + 1).await
}

#[tokio::test]
async fn a_client_that_goes_while_a_limit_is_waited_out_leaves_nothing_behind() -> Result<()> {
    let pair = Pair::plain(Dialect::Chat).await?;
    let limited = || Step::rate_limited(Duration::from_secs(60));
    pair.east.script([limited()]);
    pair.west.script([limited()]);
    tokio::select! {
        answer = pair.ask() => anyhow::bail!("it waits for a minute: {answer:?}"),
        ended = async { pair.east.ended(0).await?; pair.west.ended(0).await } => drop(ended?),
    }
    assert_eq!(pair.calls(), (1, 1));
    pair.back_to_idle().await
}

#[tokio::test]
async fn a_client_that_goes_while_it_is_being_connected_to_the_provider_leaves_nothing_behind() -> Result<()> {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("https://{}/v1", silent.local_addr()?);
    let documents = [
        pilotfish_tests::Deployment::at(Dialect::Chat, "silent", &url)
            .with("timeouts: {connect: 50s}")
            .to_string(),
        pilotfish_tests::Policy::named("chat").targets(["silent"]).to_string(),
    ];
    let pilotfish = pilotfish_tests::Launch::run(&documents).start().await?;
    let client = pilotfish_tests::Client::new(&pilotfish)?;
    let request = Dialect::Chat.request("chat", "Hello");
    tokio::select! {
        answer = client.ask(Dialect::Chat, &request) => anyhow::bail!("{answer:?}"),
        accepted = silent.accept() => drop(accepted?),
    }
    pilotfish.back_to_idle(&[]).await
}
