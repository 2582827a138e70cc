//! Connections that end at a bad moment: what is certain not to have been processed is repeated, what is not certain
//! only if the policy says so.

use anyhow::Result;
use pilotfish_provider::{HangUp, Point, Protocol, Received, Step};
use pilotfish_tests::{Client, Deployment, Dialect, Launch, Pair, Policy, in_both, raw};

#[tokio::test]
async fn a_connection_that_was_closed_while_it_idled_costs_no_attempt() -> Result<()> {
    let pair = Pair::plain(Dialect::Chat).await?;
    for requests in 1..=3 {
        let answer = pair.ask().await?;
        assert_eq!((answer.status, answer.header("x-pilotfish-attempts")), (200, Some("1")));
        pair.east.close_idle_connections();
        let all_closed = |connections: pilotfish_provider::Connections| connections.open == 0;
        assert_eq!(pair.east.connections_until(all_closed).await?.accepted, requests);
    }
    assert_eq!((pair.calls(), pair.attempts("east", "ok").await?), ((3, 0), 3.0));
    pair.back_to_idle().await
}

#[tokio::test]
async fn a_reused_connection_that_ends_unanswered_is_made_good_by_a_new_one() -> Result<()> {
    in_both(async |dialect| {
        let pair = Pair::plain(dialect).await?;
        pair.ask().await?;
        for (round, how) in [HangUp::Close, HangUp::Reset, HangUp::Close, HangUp::Close]
            .into_iter()
            .enumerate()
        {
            pair.east
                .script([Step::normal().hang_up(Point::BeforeHead, how).on_reused_connection()]);
            let answer = pair.ask_for(round % 2 == 1).await?;
            assert_eq!(answer.status, 200, "{}", answer.text());
            assert_eq!(answer.header("x-pilotfish-deployment"), Some("default/east"));
            assert_eq!(answer.header("x-pilotfish-attempts"), Some("2"));
            assert_eq!(answer.header("x-litellm-attempted-retries"), Some("1"));
        }
        // Four of them in a row, and nothing was learnt about the deployment.
        assert_eq!(
            (pair.calls(), pair.attempts("east", "stale_connection").await?),
            ((9, 0), 4.0)
        );
        let [.., broken, again] = &pair.east.received()[..] else {
            anyhow::bail!("nine requests")
        };
        assert!(broken.on_connection > 0 && again.on_connection == 0);
        pair.back_to_idle().await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_reused_connection_that_ends_unanswered_is_ambiguous_where_that_is_refused() -> Result<()> {
    in_both(async |dialect| {
        let refuse = |policy: pilotfish_tests::Policy| policy.with("retry: {onAmbiguous: Refuse}");
        let pair = Pair::start(dialect, refuse, |deployment| deployment).await?;
        pair.ask().await?;
        pair.east.script([Step::closed_unanswered().on_reused_connection()]);
        let answer = pair.ask().await?;
        assert_eq!((answer.status, answer.header("x-pilotfish-attempts")), (503, Some("1")));
        assert_eq!(answer.error(dialect)?.code.as_deref(), Some("no_deployment_available"));
        assert_eq!(answer.header("x-should-retry"), Some("false"));
        assert_eq!(pair.calls(), (2, 0));
        assert_eq!(pair.ask().await?.header("x-pilotfish-deployment"), Some("default/east"));
        pair.back_to_idle().await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_new_connection_that_ends_like_the_reused_one_is_a_failure() -> Result<()> {
    let pair = Pair::plain(Dialect::Chat).await?;
    pair.ask().await?;
    pair.east.always(Step::closed_unanswered());
    let answer = pair.ask().await?;
    assert_eq!(answer.header("x-pilotfish-deployment"), Some("default/west"));
    assert_eq!(answer.header("x-pilotfish-attempts"), Some("3"));
    assert_eq!(pair.attempts("east", "stale_connection").await?, 1.0);
    assert_eq!(pair.attempts("east", "interrupted").await?, 1.0);
    assert_eq!(pair.calls(), (3, 1));
    pair.back_to_idle().await
}

/// A step that is certain to leave a request unprocessed is repeated at once, on a new connection, even where what is
/// ambiguous is refused.
async fn not_processed(step: fn() -> Step) -> Result<()> {
    in_both(async |dialect| {
        let refuse = |policy: pilotfish_tests::Policy| policy.with("retry: {onAmbiguous: Refuse}");
        let pair = Pair::of(dialect, |fake| fake.tls(), refuse, |deployment| deployment).await?;
        for stream in [false, true, false, true] {
            pair.east.script([step()]);
            let answer = pair.ask_for(stream).await?;
            assert_eq!(answer.status, 200, "{}", answer.text());
            assert_eq!(answer.header("x-pilotfish-deployment"), Some("default/east"));
            assert_eq!(answer.header("x-pilotfish-attempts"), Some("2"));
        }
        let received = pair.east.received();
        assert!(
            received.iter().all(|one| one.protocol == Protocol::Http2),
            "{received:?}"
        );
        let pairs: Vec<&[Received]> = received.chunks(2).collect();
        let elsewhere =
            |pair: &&[Received]| pair.first().map(|one| one.connection) != pair.last().map(|one| one.connection);
        assert!(pairs.iter().all(elsewhere), "the same connection again: {received:?}");
        assert_eq!(
            (pair.calls(), pair.attempts("east", "not_processed").await?),
            ((8, 0), 4.0)
        );
        pair.back_to_idle().await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_refused_stream_is_repeated_on_a_new_connection() -> Result<()> {
    not_processed(Step::refused_stream).await
}

#[tokio::test]
async fn a_stream_above_a_goaway_is_repeated_on_a_new_connection() -> Result<()> {
    not_processed(Step::go_away).await
}

#[tokio::test]
async fn a_stream_that_is_refused_twice_goes_elsewhere() -> Result<()> {
    let pair = Pair::of(
        Dialect::Chat,
        |fake| fake.tls(),
        |policy| policy,
        |deployment| deployment,
    )
    .await?;
    pair.east.always(Step::refused_stream());
    for _ in 0..4 {
        let answer = pair.ask().await?;
        assert_eq!(answer.header("x-pilotfish-deployment"), Some("default/west"));
        assert_eq!(answer.header("x-pilotfish-attempts"), Some("3"));
    }
    assert_eq!(
        (pair.calls(), pair.attempts("east", "not_processed").await?),
        ((8, 4), 8.0)
    );
    pair.back_to_idle().await
}

#[tokio::test]
async fn a_stream_that_is_reset_while_it_was_processed_is_ambiguous() -> Result<()> {
    let reset = || {
        Step::normal().hang_up(
            Point::BeforeHead,
            HangUp::ResetStream(pilotfish_provider::INTERNAL_ERROR),
        )
    };
    for (retry, status, calls) in [("Failover", 200, (1, 1)), ("Refuse", 502, (1, 0))] {
        let policy = |policy: pilotfish_tests::Policy| policy.with(&format!("retry: {{onAmbiguous: {retry}}}"));
        let pair = Pair::of(Dialect::Chat, |fake| fake.tls(), policy, |deployment| deployment).await?;
        pair.east.script([reset()]);
        let answer = pair.ask().await?;
        assert_eq!(
            (answer.status, pair.calls()),
            (status, calls),
            "{retry}: {}",
            answer.text()
        );
        assert_eq!(pair.attempts("east", "interrupted").await?, 1.0);
        pair.back_to_idle().await?;
    }
    Ok(())
}

/// Longer than what two sockets on one machine hold (10 MiB), so that it cannot have been sent whole.
const LONG_BODY: usize = 12 * 1024 * 1024;

#[tokio::test]
async fn a_body_that_was_not_sent_whole_was_not_processed() -> Result<()> {
    let refuse = |policy: pilotfish_tests::Policy| policy.with("retry: {onAmbiguous: Refuse}");
    let pair = Pair::start(Dialect::Chat, refuse, |deployment| deployment).await?;
    pair.east
        .script([Step::normal().hang_up(Point::BeforeBody, HangUp::Close)]);
    let request = Dialect::Chat.request("chat", "Hello");
    let padded = format!("{request}{}", " ".repeat(LONG_BODY));
    let answer = pair.client.post(Dialect::Chat.path(), padded).await?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("x-pilotfish-deployment"), Some("default/west"));
    assert_eq!((pair.calls(), pair.attempts("east", "connect").await?), ((1, 1), 1.0));
    pair.back_to_idle().await
}

/// What an upstream may send, to the letter, and be understood.
#[tokio::test]
async fn unusual_but_lawful_http_is_understood() -> Result<()> {
    const BODY: &str = r#"{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}]}"#;
    let length = BODY.len();
    for answer in [
        format!(
            "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{BODY}"
        ),
        format!("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{BODY}"),
        format!("HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n{BODY}"),
        format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{BODY}"),
        format!(
            "HTTP/1.1 200 \r\nTransfer-Encoding: Chunked\r\n\r\n{length:X};ext=1\r\n{BODY}\r\n0\r\nx-trailer: 1\r\n\r\n"
        ),
    ] {
        let upstream = raw::Upstream::saying(answer.clone()).await?;
        let documents = [
            Deployment::at(Dialect::Chat, "east", &upstream.url()).to_string(),
            Policy::named("chat").targets(["east"]).to_string(),
        ];
        let pilotfish = Launch::run(&documents).start().await?;
        let client = Client::new(&pilotfish)?;
        let heard = client
            .ask(Dialect::Chat, &Dialect::Chat.request("chat", "Hello"))
            .await?;
        assert_eq!((heard.status, &*heard.text()), (200, BODY), "{answer}");
        pilotfish.back_to_idle(&[]).await?;
    }
    Ok(())
}
