//! What is the client's own fault is the client's to see: as the provider said it, and without a second opinion.

use anyhow::{Context, Result};
use pilotfish_provider::Step;
use pilotfish_tests::{Client, Deployment, Dialect, HOUSE_MODEL, Launch, Pair, Policy, in_all, in_both};

#[tokio::test]
async fn another_4xx_reaches_the_client_byte_for_byte() -> Result<()> {
    in_both(async |dialect| {
        let pair = Pair::plain(dialect).await?;
        for (number, status) in [400, 405, 409, 411, 413, 415, 418, 422, 451].into_iter().enumerate() {
            let weird =
                format!("{{\"error\": {{\"message\":\"caf\\u00e9 {status}\",  \"type\":\"x\"}} , \"a\":1e3}}\n");
            let step = match number % 2 {
                0 => Step::status(status),
                _ => Step::raw(status, "application/problem+json", weird),
            };
            pair.east
                .script([step.header("x-theirs", "kept").header("x-should-retry", "true")]);
            let answer = pair.ask_for(number % 3 == 1).await?;
            let sent = pair.east.sent(number).context("it was called")?;
            assert_eq!((answer.status, &answer.body), (status, &sent.body));
            assert_eq!(answer.header("x-theirs"), Some("kept"));
            assert_eq!(answer.header("x-should-retry"), None, "that is not theirs to say");
            assert_eq!(answer.header("x-pilotfish-deployment"), Some("default/east"));
            assert_eq!(answer.header("x-pilotfish-attempts"), Some("1"));
        }
        assert_eq!(
            (pair.calls(), pair.attempts("east", "client_error").await?),
            ((9, 0), 9.0)
        );
        pair.at_rest().await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn another_4xx_is_told_in_the_clients_dialect() -> Result<()> {
    for (client, provider) in [(Dialect::Chat, Dialect::Messages), (Dialect::Messages, Dialect::Chat)] {
        let pair = Pair::across(client, provider).await?;
        for (number, status) in [400, 409, 413, 422].into_iter().enumerate() {
            pair.east
                .script([Step::status(status).header("x-theirs", "not of this dialect")]);
            let answer = pair.ask_for(number % 2 == 1).await?;
            assert_eq!(answer.status, status, "{}", answer.text());
            let sent = pair.east.sent(number).context("it was called")?;
            let theirs = provider.error(&serde_json::from_slice(&sent.body)?)?;
            assert_eq!(answer.error(client)?.message, theirs.message);
            assert_eq!(answer.header("x-pilotfish-deployment"), Some("default/east"));
        }
        assert_eq!(
            (pair.calls(), pair.attempts("east", "client_error").await?),
            ((4, 0), 4.0)
        );
        pair.at_rest().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_file_that_is_not_there_is_no_missing_model() -> Result<()> {
    let pair = Pair::plain(Dialect::Chat).await?;
    let body = r#"{"error":{"message":"No such File object: file-abc","type":"invalid_request_error","param":"id","code":null}}"#;
    pair.east.script([Step::raw(404, "application/json", body)]);
    let answer = pair.ask().await?;
    assert_eq!((answer.status, &*answer.text()), (404, body));
    assert_eq!(pair.calls(), (1, 0));
    pair.at_rest().await
}

#[tokio::test]
async fn what_a_real_provider_would_refuse_is_refused_once() -> Result<()> {
    in_both(async |dialect| {
        let pair = Pair::plain(dialect).await?;
        let mut request = dialect.request("chat", "Hello");
        request["temperature"] = "warm".into();
        let answer = pair.client.ask(dialect, &request).await?;
        let sent = pair.east.sent(0).context("it was called")?;
        assert_eq!((answer.status, &answer.body), (400, &sent.body));
        assert_eq!(answer.error(dialect)?.kind, "invalid_request_error");
        assert_eq!(pair.calls(), (1, 0));
        pair.at_rest().await?;
        Ok(())
    })
    .await
}

/// Providers whose windows are `windows`, in the order in which they are tried.
async fn windows(
    dialect: Dialect,
    windows: &[(&str, &str)],
) -> Result<(Vec<pilotfish_provider::Fake>, Client, pilotfish_tests::Pilotfish)> {
    let mut fakes = Vec::new();
    let mut documents = Vec::new();
    for (name, capabilities) in windows {
        let fake = dialect.provider(name).models([HOUSE_MODEL]).start().await?;
        let deployment = Deployment::of(dialect, name, &fake).model(HOUSE_MODEL);
        let deployment = deployment.with(&format!("capabilities: {capabilities}"));
        documents.push(deployment.to_string());
        fakes.push(fake);
    }
    let names = windows.iter().map(|(name, _)| *name);
    documents.push(Policy::named("chat").in_order(names).to_string());
    let pilotfish = Launch::run(&documents).start().await?;
    let client = Client::new(&pilotfish)?.header("x-pilotfish-explain", "1");
    Ok((fakes, client, pilotfish))
}

fn calls(fakes: &[pilotfish_provider::Fake]) -> Vec<usize> {
    fakes.iter().map(|fake| fake.received().len()).collect()
}

#[tokio::test]
async fn an_input_too_long_for_one_goes_only_to_a_larger_window() -> Result<()> {
    in_both(async |dialect| {
        let (fakes, client, pilotfish) = windows(
            dialect,
            &[
                ("small", "{contextTokens: 4000}"),
                ("same", "{contextTokens: 4000}"),
                ("large", "{contextTokens: 200000}"),
            ],
        )
        .await?;
        fakes[0].always(Step::context_overflow());
        for _ in 0..4 {
            let answer = client.ask(dialect, &dialect.request("chat", "Hello")).await?;
            assert_eq!(answer.status, 200, "{}", answer.text());
            assert_eq!(answer.header("x-pilotfish-deployment"), Some("default/large"));
            assert_eq!(answer.header("x-pilotfish-attempts"), Some("2"));
        }
        // Four in a row, and nothing was learnt about the deployment.
        assert_eq!(calls(&fakes), [4, 0, 4]);
        let all: Vec<&pilotfish_provider::Fake> = fakes.iter().collect();
        pilotfish.at_rest(&all).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_input_too_long_for_the_only_one_is_told_as_the_provider_says_it() -> Result<()> {
    in_all(async |dialect, provider| {
        let small = [("small", "{contextTokens: 4000}"), ("same", "{contextTokens: 4000}")];
        let (fakes, client, pilotfish) = windows(provider, &small).await?;
        fakes[0].always(Step::context_overflow());
        for stream in [false, true] {
            let mut request = dialect.request("chat", "Hello");
            request["stream"] = stream.into();
            let answer = client.ask(dialect, &request).await?;
            let sent = fakes[0].sent(usize::from(stream)).context("it was called")?;
            let said = answer.error(dialect)?;
            assert_eq!((answer.status, &*said.kind), (400, "invalid_request_error"), "{said:?}");
            assert_eq!(
                said.message,
                provider.error(&serde_json::from_slice(&sent.body)?)?.message
            );
            if dialect == provider {
                assert_eq!(answer.body, sent.body);
            }
            if dialect == Dialect::Chat {
                assert_eq!(said.code.as_deref(), Some("context_length_exceeded"));
            }
            assert_eq!(answer.header("x-pilotfish-deployment"), Some("default/small"));
        }
        assert_eq!(calls(&fakes), [2, 0]);
        let metrics = pilotfish.metrics().await?;
        let counted = [("deployment", "default/small"), ("code", "400")];
        assert_eq!(metrics.sum("pilotfish_requests_total", &counted), 2.0);
        let all: Vec<&pilotfish_provider::Fake> = fakes.iter().collect();
        pilotfish.at_rest(&all).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_input_too_long_for_all_is_told_as_such() -> Result<()> {
    in_both(async |dialect| {
        let (fakes, client, pilotfish) = windows(dialect, &[("one", "{}"), ("other", "{}")]).await?;
        fakes.iter().for_each(|fake| fake.always(Step::context_overflow()));
        let answer = client.ask(dialect, &dialect.request("chat", "Hello")).await?;
        let said = answer.error(dialect)?;
        assert_eq!(
            (answer.status, said.code.as_deref()),
            (400, Some("context_length_exceeded")),
            "{said:?}"
        );
        assert_eq!(said.kind, "invalid_request_error");
        assert!(
            said.message.contains("default/one: 400: ") && said.message.contains("; default/other: 400: "),
            "{said:?}"
        );
        assert_eq!(calls(&fakes), [1, 1]);
        let all: Vec<&pilotfish_provider::Fake> = fakes.iter().collect();
        pilotfish.at_rest(&all).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_input_that_cannot_fit_is_not_sent() -> Result<()> {
    in_both(async |dialect| {
        let (fakes, client, pilotfish) = windows(
            dialect,
            &[("small", "{contextTokens: 1000}"), ("large", "{contextTokens: 2000}")],
        )
        .await?;
        let long = |bytes: usize| dialect.request("chat", &"a".repeat(bytes));
        let answer = client.ask(dialect, &long(6010)).await?;
        assert_eq!(
            answer.header("x-pilotfish-deployment"),
            Some("default/large"),
            "{}",
            answer.text()
        );
        assert_eq!(answer.header("x-pilotfish-attempts"), Some("1"));
        let trace = answer.header("x-pilotfish-explain").unwrap_or_default();
        assert!(
            trace.contains("excluded=[default/small: the input is about 150"),
            "{trace}"
        );

        let answer = client.ask(dialect, &long(12_010)).await?;
        let said = answer.error(dialect)?;
        assert_eq!(
            (answer.status, said.code.as_deref()),
            (400, Some("context_length_exceeded"))
        );
        assert!(
            said.message.contains("default/small") && said.message.contains("default/large"),
            "{said:?}"
        );
        assert_eq!(calls(&fakes), [0, 1]);
        let all: Vec<&pilotfish_provider::Fake> = fakes.iter().collect();
        pilotfish.at_rest(&all).await?;
        Ok(())
    })
    .await
}

/// Longer than what two sockets on one machine hold (10 MiB).
const LONG_BODY: usize = 12 * 1024 * 1024;

#[tokio::test]
async fn an_answer_that_comes_before_the_body_was_sent_is_heard() -> Result<()> {
    in_both(async |dialect| {
        let pair = Pair::plain(dialect).await?;
        let body = format!("{}{}", dialect.request("chat", "Hello"), " ".repeat(LONG_BODY));
        for (status, deployment, attempts) in [(400, "default/east", "1"), (529, "default/west", "2")] {
            pair.east.script([Step::status(status).early()]);
            let answer = pair.client.post(dialect.path(), body.clone()).await?;
            assert_eq!(
                answer.header("x-pilotfish-deployment"),
                Some(deployment),
                "{}",
                answer.text()
            );
            assert_eq!(answer.header("x-pilotfish-attempts"), Some(attempts));
        }
        pair.back_to_idle().await
    })
    .await
}

/// What providers say to one request, whoever's account it is: the next one is served as before.
#[tokio::test]
async fn one_client_s_fault_closes_no_deployment_for_others() -> Result<()> {
    let cases = [
        (
            403,
            r#"{"error":{"code":403,"message":"x requires moderation. Your input was flagged for \"violence\"","metadata":{"reasons":["violence"],"flagged_input":"…"}}}"#,
        ),
        (
            403,
            r#"{"error":{"message":"You are not allowed to generate logprobs from this model","type":"invalid_request_error"}}"#,
        ),
        (
            403,
            r#"{"error":{"code":403,"message":"You do not have permission to access the File abc or it may not exist.","status":"PERMISSION_DENIED"}}"#,
        ),
        (
            401,
            r#"{"error":{"message":"You have insufficient permissions for this operation. Missing scopes: api.files.read"}}"#,
        ),
        (
            404,
            r#"{"error":{"code":404,"message":"No endpoints found that support tool use."}}"#,
        ),
        (
            404,
            r#"{"error":{"message":"Item with id 'rs_1' not found.","type":"invalid_request_error","param":"input"}}"#,
        ),
        (400, r#"{"error":{"message":"Invalid tool name: 'model not found'"}}"#),
        (
            400,
            r#"{"error":{"message":"Invalid value: 'insufficient balance' in metadata"}}"#,
        ),
    ];
    let pair = Pair::plain(Dialect::Chat).await?;
    for (status, body) in cases {
        let said = || Step::raw(status, "application/json", body);
        pair.east.script([said(), said(), said(), said()]);
        for _ in 0..4 {
            let answer = pair.ask().await?;
            assert_eq!((answer.status, &*answer.text()), (status, body));
        }
        let served = pair.ask().await?;
        assert_eq!(
            (served.status, served.header("x-pilotfish-deployment")),
            (200, Some("default/east")),
            "{body}"
        );
    }
    assert_eq!(pair.calls(), (cases.len() * 5, 0));
    pair.at_rest().await
}

/// The status stays, in the words of the client's dialect.
#[tokio::test]
async fn a_flagged_prompt_is_told_in_the_client_s_dialect() -> Result<()> {
    let pair = Pair::across(Dialect::Messages, Dialect::Chat).await?;
    let body = r#"{"error":{"code":403,"message":"Your input was flagged","metadata":{"flagged_input":"…"}}}"#;
    pair.east.script([Step::raw(403, "application/json", body)]);
    let answer = pair.ask().await?;
    assert_eq!(
        (answer.status, &*answer.error(Dialect::Messages)?.message),
        (403, "Your input was flagged")
    );
    assert_eq!((pair.ask().await?.status, pair.calls()), (200, (2, 0)));
    pair.at_rest().await
}
