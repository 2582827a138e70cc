//! Once the client has been given content, nothing is tried again: what breaks then ends the stream with an error
//! event of its dialect, and never with what looks like an end.

use anyhow::{Context, Result};
use pilotfish_provider::{HangUp, Pause, Point, Step};
use pilotfish_tests::{Deployment, Dialect, Event, Pair, in_all, in_both};
use std::time::Duration;

/// A stream that east breaks in this way after its second piece of content.
async fn check(dialect: Dialect, provider: Dialect, step: Step) -> Result<()> {
    let deployment = |it: Deployment| it.with("timeouts: {idle: 300ms}");
    let pair = Pair::between(dialect, provider, |it| it, |it| it, deployment).await?;
    pair.east.always(step);
    for _ in 0..3 {
        let mut answer = pair.stream().await?;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("x-pilotfish-deployment"), Some("default/east"));
        let events = answer.events.rest().await.context("the answer ends in good order")?;
        broken(dialect, &events)?;
    }
    assert_eq!(pair.calls(), (3, 0));
    assert_eq!(pair.attempts("east", "broken_stream").await?, 3.0);
    let failed = [("deployment", "default/east"), ("code", "200"), ("stream", "true")];
    let metrics = pair.pilotfish.metrics().await?;
    assert_eq!(metrics.sum("pilotfish_requests_total", &failed), 3.0);
    // Three in a row.
    let answer = pair.ask().await?;
    assert_eq!(answer.header("x-pilotfish-deployment"), Some("default/west"));
    pair.back_to_idle().await
}

/// Content, then an error as the last event.
fn broken(dialect: Dialect, events: &[Event]) -> Result<()> {
    let (last, before) = events.split_last().context("there are events")?;
    let said = dialect.error(&last.json()?)?;
    assert!(!said.message.is_empty(), "{said:?}");
    let name = match dialect {
        Dialect::Chat => None,
        Dialect::Messages => Some("error"),
    };
    assert_eq!(last.name.as_deref(), name);
    let deltas: Vec<String> = before
        .iter()
        .filter_map(|event| dialect.delta(&event.json().ok()?).map(str::to_owned))
        .filter(|text| !text.is_empty())
        .collect();
    assert_eq!(deltas.len(), 2, "{events:?}");
    let ends =
        |event: &Event| event.data == dialect.terminator() || event.name.as_deref() == Some(dialect.terminator());
    assert!(!events.iter().any(ends), "it looks whole: {events:?}");
    Ok(())
}

#[tokio::test]
async fn a_stream_that_is_cut_ends_with_an_error_event() -> Result<()> {
    in_all(async |client, provider| {
        for how in [HangUp::Close, HangUp::Reset] {
            check(client, provider, Step::normal().hang_up(Point::Content(2), how)).await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_stream_that_goes_silent_ends_with_an_error_event() -> Result<()> {
    let silent = || Step::normal().pause(Point::Content(2), Pause::Forever);
    in_all(async |client, provider| check(client, provider, silent()).await).await
}

#[tokio::test]
async fn an_error_event_of_the_provider_is_the_last_one() -> Result<()> {
    in_all(async |client, provider| check(client, provider, Step::normal().error_event(2, 500)).await).await
}

#[tokio::test]
async fn a_stream_without_message_stop_is_not_whole() -> Result<()> {
    let pair = Pair::plain(Dialect::Messages).await?;
    pair.east.always(Step::normal().without_terminator());
    let events = pair.stream().await?.events.rest().await?;
    let last = events.last().context("there are events")?;
    assert!(Dialect::Messages.error(&last.json()?).is_ok(), "{events:?}");
    assert_eq!(
        (pair.calls(), pair.attempts("east", "broken_stream").await?),
        ((1, 0), 1.0)
    );
    pair.back_to_idle().await
}

#[tokio::test]
async fn a_stream_without_done_is_whole_after_its_finish_reason() -> Result<()> {
    let pair = Pair::plain(Dialect::Chat).await?;
    pair.east.always(Step::normal().without_terminator());
    let events = pair.stream().await?.events.rest().await?;
    let last = events.last().context("there are events")?;
    assert_eq!(
        last.json()?["choices"][0]["finish_reason"],
        "stop",
        "as the provider ended it"
    );
    assert_eq!((pair.calls(), pair.attempts("east", "ok").await?), ((1, 0), 1.0));
    pair.back_to_idle().await
}

#[tokio::test]
async fn what_precedes_the_content_commits_nothing() -> Result<()> {
    in_all(async |client, provider| {
        let pair = Pair::across(client, provider).await?;
        // The role, message_start, pings and comments have been sent by then.
        pair.east.script([Step::normal()
            .comments("ping")
            .hang_up(Point::Content(0), HangUp::Close)]);
        let mut answer = pair.stream().await?;
        assert_eq!(answer.header("x-pilotfish-deployment"), Some("default/west"));
        let events = answer.events.rest().await?;
        let shown: Vec<&str> = events.iter().map(|event| &*event.data).collect();
        assert!(!shown.join("").contains("Echo from east"), "{shown:?}");
        assert_eq!(
            (pair.calls(), pair.attempts("east", "interrupted").await?),
            ((1, 1), 1.0)
        );
        pair.back_to_idle().await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn more_than_64_kib_of_preamble_are_not_held_back() -> Result<()> {
    in_both(async |dialect| {
        let pair = Pair::plain(dialect).await?;
        let comment = format!(": {}\n\n", "x".repeat(1000)).repeat(70);
        pair.east.script([Step::normal()
            .insert(0, comment)
            .hang_up(Point::Content(0), HangUp::Close)]);
        let mut answer = pair.stream().await?;
        assert_eq!(answer.header("x-pilotfish-deployment"), Some("default/east"));
        let events = answer.events.rest().await?;
        assert!(
            dialect
                .error(&events.last().context("there are events")?.json()?)
                .is_ok()
        );
        assert_eq!(pair.calls(), (1, 0));
        pair.back_to_idle().await?;
        Ok(())
    })
    .await
}

/// An answer that is no stream, longer than what is held back.
fn long_answer(dialect: Dialect) -> String {
    let text = "x".repeat(3 * 1024 * 1024);
    match dialect {
        Dialect::Chat => format!(
            r#"{{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}"}},"finish_reason":"stop"}}]}}"#
        ),
        Dialect::Messages => format!(
            r#"{{"id":"m","type":"message","role":"assistant","model":"m","content":[{{"type":"text","text":"{text}"}}],"stop_reason":"end_turn","stop_sequence":null,"usage":{{"input_tokens":1,"output_tokens":1}}}}"#
        ),
    }
}

#[tokio::test]
async fn a_long_answer_passes_unchanged() -> Result<()> {
    in_both(async |dialect| {
        let pair = Pair::plain(dialect).await?;
        let body = long_answer(dialect);
        pair.east.script([Step::raw(200, "application/json", body.clone())]);
        let answer = pair.ask().await?;
        assert_eq!(answer.status, 200);
        assert!(
            answer.body == body,
            "{} bytes instead of {}",
            answer.body.len(),
            body.len()
        );
        pair.back_to_idle().await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_long_answer_that_is_cut_does_not_look_whole() -> Result<()> {
    in_both(async |dialect| {
        let pair = Pair::plain(dialect).await?;
        let cut =
            Step::raw(200, "application/json", long_answer(dialect)).hang_up(Point::Byte(2_000_000), HangUp::Close);
        pair.east.script([cut]);
        assert!(pair.ask().await.is_err(), "an answer in good order");
        assert_eq!(pair.calls(), (1, 0));
        assert_eq!(pair.attempts("east", "broken_stream").await?, 1.0);
        pair.back_to_idle().await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_stream_that_lasts_longer_than_an_attempt_may_ends_with_an_error_event() -> Result<()> {
    in_both(async |dialect| {
        let short = |deployment: pilotfish_tests::Deployment| deployment.with("timeouts: {attempt: 2s}");
        let pair = Pair::start(dialect, |policy| policy, short).await?;
        pair.east.script([Step::normal().pace(Duration::from_millis(100))]);
        let request = dialect.stream_request("chat", &"and so on ".repeat(30));
        let mut answer = pair.client.stream(dialect, &request).await?;
        let events = answer.events.rest().await?;
        let said = dialect.error(&events.last().context("there are events")?.json()?)?;
        assert_eq!(said.message, "the answer was not complete in time");
        assert_eq!(
            (pair.calls(), pair.attempts("east", "broken_stream").await?),
            ((1, 0), 1.0)
        );
        pair.back_to_idle().await?;
        Ok(())
    })
    .await
}
