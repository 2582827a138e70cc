//! Time limits: the smallest of the client's, the policy's and the deployment's holds.

use anyhow::Result;
use pilotfish_provider::{Pause, Point, Step};
use pilotfish_tests::{Dialect, Pair};
use std::time::Duration;
use tokio::time::Instant;

/// A limit of this length…
const LIMIT: Duration = Duration::from_millis(300);
/// …ends a request long before this, which is what the other limits say.
const LONG: Duration = Duration::from_secs(30);

/// Who says which limit, as YAML, or as a header.
struct Says {
    policy: &'static str,
    deployment: &'static str,
    header: Option<(&'static str, &'static str)>,
}

/// Nobody answers; how long is waited for whom?
async fn check(says: Says, stream: bool, attempts: &str) -> Result<()> {
    let Says {
        policy,
        deployment,
        header,
    } = says;
    let pair = Pair::start(
        Dialect::Chat,
        |it| it.with(&format!("timeouts: {policy}")),
        |it| it.with(&format!("timeouts: {deployment}")),
    )
    .await?;
    for fake in [&pair.east, &pair.west] {
        fake.always(Step::never());
    }
    let client = match header {
        Some((name, value)) => pair.client.header(name, value),
        None => pair.client.clone(),
    };
    let request = match stream {
        false => Dialect::Chat.request("chat", "Hello"),
        true => Dialect::Chat.stream_request("chat", "Hello"),
    };
    let started = Instant::now();
    let answer = client.ask(Dialect::Chat, &request).await?;
    let waited = started.elapsed();
    let who = format!("{policy} {deployment} {header:?} {stream}");
    assert_eq!(answer.status, 504, "{who}: {}", answer.text());
    assert_eq!(
        answer.error(Dialect::Chat)?.code.as_deref(),
        Some("upstream_timeout"),
        "{who}"
    );
    assert_eq!(
        answer.header("x-pilotfish-attempts"),
        Some(attempts),
        "{who}: {}",
        answer.text()
    );
    assert!(waited >= LIMIT && waited < LONG / 2, "{who}: {waited:?}");
    pair.at_rest().await
}

const LONGER: &str = "{firstToken: 30s, attempt: 30s}";

#[tokio::test]
async fn the_smaller_of_policy_and_deployment_limits_an_attempt() -> Result<()> {
    for stream in [false, true] {
        let says = |policy, deployment| Says {
            policy,
            deployment,
            header: None,
        };
        check(says("{attempt: 300ms}", LONGER), stream, "2").await?;
        check(says(LONGER, "{attempt: 300ms}"), stream, "2").await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_first_token_is_waited_for_on_streams() -> Result<()> {
    let says = |policy, deployment| Says {
        policy,
        deployment,
        header: None,
    };
    check(says("{firstToken: 300ms}", LONGER), true, "2").await?;
    check(says(LONGER, "{firstToken: 300ms}"), true, "2").await
}

#[tokio::test]
async fn an_answer_that_is_no_stream_has_no_first_token() -> Result<()> {
    let pair = Pair::start(Dialect::Chat, |it| it.with("timeouts: {firstToken: 100ms}"), |it| it).await?;
    pair.east
        .script([Step::normal().pause(Point::BeforeHead, Pause::For(Duration::from_millis(400)))]);
    let answer = pair.ask().await?;
    assert_eq!(
        answer.header("x-pilotfish-deployment"),
        Some("default/east"),
        "{}",
        answer.text()
    );
    pair.at_rest().await
}

#[tokio::test]
async fn all_attempts_together_have_a_limit() -> Result<()> {
    for stream in [false, true] {
        let says = Says {
            policy: "{total: 300ms}",
            deployment: LONGER,
            header: None,
        };
        check(says, stream, "1").await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_client_may_say_how_long_it_waits() -> Result<()> {
    for (name, value) in [
        ("x-stainless-timeout", "0.3"),
        ("x-pilotfish-timeout", "0.3"),
        ("x-pilotfish-timeout", "0.3s"),
        ("x-pilotfish-timeout", "300ms"),
    ] {
        for stream in [false, true] {
            let says = Says {
                policy: "{total: 30s}",
                deployment: LONGER,
                header: Some((name, value)),
            };
            check(says, stream, "1").await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_client_may_say_how_long_it_waits_for_a_read() -> Result<()> {
    let says = Says {
        policy: "{total: 30s}",
        deployment: LONGER,
        header: Some(("x-stainless-read-timeout", "0.3")),
    };
    check(says, true, "1").await
}

#[tokio::test]
async fn a_client_cannot_extend_what_the_policy_says() -> Result<()> {
    let says = Says {
        policy: "{total: 300ms}",
        deployment: "{}",
        header: Some(("x-stainless-timeout", "600")),
    };
    check(says, false, "1").await
}
