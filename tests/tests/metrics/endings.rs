//! How a request ends is how it is counted.

use anyhow::Result;
use pilotfish_provider::{Pause, Point, Step};
use pilotfish_tests::{Answering, Dialect, Metrics, Pair};
use std::time::Duration;

const FIRST_TOKEN: &str = "gen_ai_server_time_to_first_token_seconds";
const PER_TOKEN: &str = "gen_ai_server_time_per_output_token_seconds";
const DURATION: &str = "gen_ai_client_operation_duration_seconds";
/// Words of a prompt: its echo is longer than one token each.
const PROMPT: &str = "one two three four five six seven eight";

fn settled(metrics: &Metrics) -> bool {
    metrics.sum("pilotfish_requests_in_flight", &[]) == 0.0
}

fn count(metrics: &Metrics, histogram: &str) -> f64 {
    metrics.sum(&format!("{histogram}_count"), &[])
}

fn sum(metrics: &Metrics, histogram: &str) -> f64 {
    metrics.sum(&format!("{histogram}_sum"), &[])
}

async fn stream(pair: &Pair) -> Result<Answering> {
    let request = pair.dialect.stream_request("chat", PROMPT);
    pair.client.stream(pair.dialect, &request).await
}

#[tokio::test]
async fn streams_fill_the_histograms_of_the_first_and_the_next_tokens() -> Result<()> {
    for dialect in Dialect::BOTH {
        let pair = Pair::plain(dialect).await?;
        let pace = Duration::from_millis(30);
        pair.east.always(Step::normal().pace(pace));
        let words = stream(&pair).await?.events.rest().await?;
        let words = words
            .iter()
            .filter_map(|event| Some(dialect.delta(&event.json().ok()?)?.to_owned()));
        // Between the first and the last of them.
        let gaps = words.filter(|word| !word.is_empty()).count() - 1;
        assert_eq!(pair.ask().await?.status, 200);

        let metrics = pair.pilotfish.metrics_until(settled).await?;
        assert_eq!((count(&metrics, FIRST_TOKEN), count(&metrics, PER_TOKEN)), (1.0, 1.0));
        assert_eq!(count(&metrics, DURATION), 2.0);
        assert!(sum(&metrics, FIRST_TOKEN) >= pace.as_secs_f64());
        let tokens = pair.east.bills()[0].whole.output;
        let rest = sum(&metrics, PER_TOKEN) * (tokens - 1) as f64;
        // Half of it will do: on a busy machine the sidecar sees the first word late.
        let least = pace.as_secs_f64() * gaps as f64 / 2.0;
        assert!(rest >= least, "{rest} of at least {least} s for {tokens} tokens");
        pair.back_to_idle().await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_time_of_an_attempt_that_failed_is_not_the_next_ones() -> Result<()> {
    let policy = |policy: pilotfish_tests::Policy| policy.with("timeouts: {firstToken: 1s}");
    let pair = Pair::start(Dialect::Chat, policy, |deployment| deployment).await?;
    pair.east.script([Step::never()]);
    stream(&pair).await?.events.rest().await?;
    let metrics = pair.pilotfish.metrics_until(settled).await?;
    let tokens = pair.west.bills()[0].whole.output;
    let rest = sum(&metrics, PER_TOKEN) * (tokens - 1) as f64;
    assert!(sum(&metrics, FIRST_TOKEN) < 1.0 && rest < 1.0, "{rest}");
    assert!(sum(&metrics, DURATION) >= 1.0);
    let failovers = [("from", "default/east"), ("to", "default/west"), ("reason", "timeout")];
    assert_eq!(metrics.sum("pilotfish_failovers_total", &failovers), 1.0);
    pair.back_to_idle().await
}

#[tokio::test]
async fn each_step_from_one_deployment_to_another_is_counted_with_its_reason() -> Result<()> {
    let pair = Pair::plain(Dialect::Chat).await?;
    let reasons = [(500, "server_error"), (404, "model_not_found"), (401, "unauthorised")];
    pair.east.script(reasons.map(|(status, _)| Step::status(status)));
    for _ in reasons {
        assert_eq!(pair.ask().await?.status, 200);
    }
    let metrics = pair.pilotfish.metrics_until(settled).await?;
    let expected = reasons.map(|(_, reason)| (reason.to_owned(), 1.0));
    assert_eq!(metrics.by("pilotfish_failovers_total", "reason"), expected.into());
    let from_east = [("from", "default/east"), ("to", "default/west")];
    assert_eq!(metrics.sum("pilotfish_failovers_total", &from_east), 3.0);
    pair.back_to_idle().await
}

/// Leaves once the sidecar has called east.
async fn leave(pair: &Pair, streams: bool, reads: bool) -> Result<()> {
    let calls = pair.calls().0;
    let asked = async {
        match streams {
            true => {
                let mut answer = stream(pair).await?;
                answer.events.next().await?;
                anyhow::Ok(())
            }
            false => pair.ask().await.map(drop),
        }
    };
    if reads {
        return asked.await;
    }
    tokio::select! {
        asked = asked => anyhow::bail!("it was answered: {asked:?}"),
        called = pair.east.arrived(calls + 1) => called.map(drop).map_err(Into::into),
    }
}

#[tokio::test]
async fn a_client_that_leaves_is_counted_as_499() -> Result<()> {
    for dialect in Dialect::BOTH {
        let pair = Pair::plain(dialect).await?;
        for (streams, reads, at) in [
            (false, false, Point::BeforeHead),
            (true, false, Point::AfterHead),
            (true, true, Point::Content(2)),
        ] {
            pair.east.script([Step::normal().pause(at, Pause::Forever)]);
            leave(&pair, streams, reads).await?;
            let number = pair.calls().0 - 1;
            pair.east.ended(number).await?;
        }
        let metrics = pair.pilotfish.metrics_until(settled).await?;
        let gone = |stream| {
            let labels = [
                ("code", "499"),
                ("deployment", "default/east"),
                ("model", "chat"),
                ("stream", stream),
            ];
            metrics.sum("pilotfish_requests_total", &labels)
        };
        assert_eq!((gone("false"), gone("true")), (1.0, 2.0), "{dialect:?}");
        assert_eq!(
            metrics.by("pilotfish_requests_total", "code"),
            [("499".to_owned(), 3.0)].into()
        );
        assert_eq!(
            metrics.by("pilotfish_attempts_total", "outcome"),
            [("cancelled".to_owned(), 3.0)].into()
        );
        let cancelled = [("error_type", "cancelled")];
        assert_eq!(metrics.sum(&format!("{DURATION}_count"), &cancelled), 3.0);
        assert_eq!(count(&metrics, FIRST_TOKEN), 1.0);
        pair.back_to_idle().await?;
    }
    Ok(())
}
