//! How much is tried again: attempts, the retry budget, and clients that try again themselves.

use anyhow::{Context, Result};
use futures::future::join_all;
use pilotfish_provider::{Builder, Fake, Step};
use pilotfish_tests::{Client, Deployment, Dialect, HOUSE_MODEL, Launch, Pair, Pilotfish, Policy};
use tokio::time::Instant;

/// Providers that are tried one after the other.
async fn row(names: [&str; 4], retry: &str) -> Result<(Pilotfish, Vec<Fake>)> {
    let mut fakes = Vec::new();
    let mut documents = Vec::new();
    for name in names {
        let fake = Dialect::Chat.provider(name).start().await?;
        documents.push(Deployment::of(Dialect::Chat, name, &fake).to_string());
        fakes.push(fake);
    }
    documents.push(
        Policy::named("chat")
            .in_order(names)
            .with(&format!("retry: {retry}"))
            .to_string(),
    );
    Ok((Launch::run(&documents).start().await?, fakes))
}

#[tokio::test]
async fn attempts_count_from_the_first_call() -> Result<()> {
    for (attempts, called) in [
        (1, [1, 0, 0, 0]),
        (2, [1, 1, 0, 0]),
        (3, [1, 1, 1, 0]),
        (10, [1, 1, 1, 1]),
    ] {
        let (pilotfish, fakes) = row(["a", "b", "c", "d"], &format!("{{attempts: {attempts}}}")).await?;
        for fake in &fakes {
            fake.always(Step::unknown_model());
        }
        let answer = Client::new(&pilotfish)?
            .ask(Dialect::Chat, &Dialect::Chat.request("chat", "Hello"))
            .await?;
        let said = answer.error(Dialect::Chat)?;
        assert_eq!(
            (answer.status, said.code.as_deref()),
            (502, Some("upstream_misconfigured")),
            "{said:?}"
        );
        let calls: Vec<usize> = fakes.iter().map(|fake| fake.received().len()).collect();
        assert_eq!(calls, called);
        let tried = calls.iter().sum::<usize>().to_string();
        assert_eq!(answer.header("x-pilotfish-attempts"), Some(&*tried));
        for (name, calls) in ["a", "b", "c", "d"].into_iter().zip(calls) {
            assert_eq!(
                said.message.contains(&format!("default/{name}: ")),
                calls > 0,
                "{said:?}"
            );
        }
        pilotfish.at_rest(&fakes.iter().collect::<Vec<_>>()).await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_most_telling_failure_gives_the_status() -> Result<()> {
    let (pilotfish, fakes) = row(["a", "b", "c", "d"], "{attempts: 10}").await?;
    let steps = [
        Step::status(500),
        Step::unknown_model(),
        Step::status(429).header("retry-after", "3600"),
        Step::status(503),
    ];
    for (fake, step) in fakes.iter().zip(steps) {
        fake.always(step);
    }
    let client = Client::new(&pilotfish)?.header("x-stainless-retry-count", "1");
    let answer = client
        .ask(Dialect::Chat, &Dialect::Chat.request("chat", "Hello"))
        .await?;
    assert_eq!((answer.status, answer.header("x-pilotfish-attempts")), (429, Some("4")));
    pilotfish.at_rest(&fakes.iter().collect::<Vec<_>>()).await
}

#[tokio::test]
async fn an_sdk_that_repeats_by_itself_is_not_multiplied() -> Result<()> {
    for (header, calls) in [(None, 2), (Some("0"), 2), (Some("1"), 1), (Some("2"), 1)] {
        let pair = Pair::start(
            Dialect::Chat,
            |_| Policy::named("chat").targets(["east"]),
            |deployment| deployment,
        )
        .await?;
        pair.east.always(Step::status(500));
        let client = match header {
            Some(count) => pair.client.header("x-stainless-retry-count", count),
            None => pair.client.clone(),
        };
        let answer = client
            .ask(Dialect::Chat, &Dialect::Chat.request("chat", "Hello"))
            .await?;
        assert_eq!((answer.status, pair.calls()), (502, (calls, 0)), "{header:?}");
        pair.at_rest().await?;
    }
    // Another deployment is no repetition.
    let pair = Pair::plain(Dialect::Chat).await?;
    pair.east.always(Step::status(500));
    let client = pair.client.header("x-stainless-retry-count", "1");
    let answer = client
        .ask(Dialect::Chat, &Dialect::Chat.request("chat", "Hello"))
        .await?;
    assert_eq!((answer.status, pair.calls()), (200, (1, 1)));
    pair.at_rest().await
}

/// So many requests at once.
const BATCH: usize = 40;
/// The bucket's reserve, and what it gains each second.
const RESERVE: f64 = 100.0;
const EACH_SECOND: f64 = 10.0;

#[tokio::test]
async fn an_outage_is_not_multiplied_beyond_the_retry_budget() -> Result<()> {
    let policy = |policy: Policy| policy.with("retry: {budgetPercent: 0}");
    let fake = |fake: Builder| fake.models([HOUSE_MODEL]);
    let pair = Pair::of(Dialect::Chat, fake, policy, |deployment| deployment.model(HOUSE_MODEL)).await?;
    // Of all failures the one that says nothing about the deployment: no breaker ends the outage.
    pair.east.always(Step::context_overflow());
    let started = Instant::now();
    let refused = loop {
        let answers = join_all((0..BATCH).map(|_| pair.ask())).await;
        let answers = answers.into_iter().collect::<Result<Vec<_>>>()?;
        if let Some(refused) = answers.into_iter().find(|answer| answer.status != 200) {
            break refused;
        }
        anyhow::ensure!(pair.calls().0 < 4000, "the budget is never spent");
    };
    let said = refused.error(Dialect::Chat)?;
    assert_eq!(
        (refused.status, said.code.as_deref()),
        (400, Some("context_length_exceeded"))
    );
    assert_eq!(refused.header("x-pilotfish-attempts"), Some("1"));
    let most = RESERVE + EACH_SECOND * started.elapsed().as_secs_f64() + 1.0;
    let (east, west) = pair.calls();
    assert!(
        west >= 100 && west as f64 <= most,
        "{west} of {east} were tried again, {most} may be"
    );
    // It comes back with time.
    let recovered = loop {
        let answer = pair.ask().await?;
        if answer.status == 200 {
            break answer;
        }
        anyhow::ensure!(started.elapsed().as_secs() < 60, "the budget never comes back");
    };
    assert_eq!(
        recovered.header("x-pilotfish-deployment").context("served")?,
        "default/west"
    );
    pair.at_rest().await
}
