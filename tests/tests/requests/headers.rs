//! Which headers go to the provider, and which come back.

use anyhow::{Context, Result};
use pilotfish_provider::{Received, Step};
use pilotfish_tests::{Dialect, Pair, in_all, in_both};

/// Headers that belong to the client's connection, or speak to the sidecar.
const KEPT_HERE: [(&str, &str); 11] = [
    ("cookie", "a=b"),
    ("forwarded", "for=1.2.3.4"),
    ("openai-organization", "org-of-the-client"),
    ("te", "trailers"),
    ("x-forwarded-for", "1.2.3.4"),
    ("x-real-ip", "1.2.3.4"),
    ("x-litellm-tags", "a"),
    ("x-pilotfish-tags", "a"),
    ("x-pilotfish-explain", "1"),
    ("x-goog-api-key", "somebody's"),
    ("api-key", "somebody's"),
];

/// Headers that a provider of the same dialect understands.
const SENT: [(&str, &str); 4] = [
    ("anthropic-beta", "one,two"),
    ("x-stainless-lang", "rust"),
    ("idempotency-key", "k-1"),
    ("x-of-tomorrow", "unknown to us"),
];

#[tokio::test]
async fn a_provider_sees_the_clients_headers_but_not_those_that_stay_here() -> Result<()> {
    in_all(async |client, provider| {
        let pair = Pair::across(client, provider).await?;
        let all = KEPT_HERE.iter().chain(&SENT).chain(&[("accept-encoding", "gzip, br")]);
        let chatty = all.fold(pair.client.clone(), |client, (name, value)| client.header(name, value));
        let chatty = chatty
            .header("authorization", "Bearer of-the-client")
            .header("connection", "x-of-this-hop");
        let chatty = chatty.header("x-of-this-hop", "1");
        let answer = chatty.ask(client, &client.request("chat", "Hello")).await?;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let received = pair.east.received();
        let one = received.first().context("it was called")?;
        for (name, _) in KEPT_HERE {
            assert_eq!(one.header(name), None, "{name}");
        }
        assert!(!one.mentions("of-the-client") && !one.mentions("somebody's"), "{one:?}");
        assert_eq!(one.header("x-of-this-hop"), None, "named by `connection`");
        assert_eq!(
            one.header("accept-encoding"),
            Some("identity"),
            "its answer is read here"
        );
        let expected = |value| (client == provider).then_some(value);
        for (name, value) in SENT.into_iter().filter(|(name, _)| *name != "idempotency-key") {
            assert_eq!(one.header(name), expected(value), "{name}");
        }
        assert_eq!(one.header("idempotency-key"), Some("k-1"));
        own_credential(provider, one);
        pair.at_rest().await
    })
    .await
}

/// The deployment's key, in the one place where its provider reads it, and nothing beside it.
fn own_credential(provider: Dialect, one: &Received) {
    let (bearer, key) = (one.header("authorization"), one.header("x-api-key"));
    match provider {
        Dialect::Chat => assert_eq!((bearer, key), (Some("Bearer sk-up-east"), None)),
        Dialect::Messages => {
            assert_eq!((bearer, key), (None, Some("sk-up-east")));
            assert_eq!(one.header("anthropic-version"), Some("2023-06-01"));
        }
    }
}

/// What a provider tells its account, its browsers, or in our name.
const DROPPED: [&str; 7] = [
    "x-should-retry",
    "set-cookie",
    "alt-svc",
    "strict-transport-security",
    "openai-project",
    "openai-organization",
    "anthropic-organization-id",
];

#[tokio::test]
async fn what_a_provider_says_in_our_name_is_ours_to_say() -> Result<()> {
    in_both(async |dialect| {
        let pair = Pair::plain(dialect).await?;
        let step = Step::normal()
            .header("x-pilotfish-deployment", "evil/one")
            .header("x-pilotfish-attempts", "77")
            .header("x-litellm-model-id", "evil/one")
            .header("x-should-retry", "true")
            .header("set-cookie", "a=b")
            .header("alt-svc", "h3=\":443\"")
            .header("openai-project", "proj-ours")
            .header("openai-organization", "org-ours")
            .header("anthropic-organization-id", "org-ours")
            .header("strict-transport-security", "max-age=1")
            .header("x-request-id", "req-theirs")
            .header("x-ratelimit-remaining-requests", "7");
        pair.east.always(step);
        for stream in [false, true] {
            let answer = pair.ask_for(stream).await?;
            let shown = |name| answer.headers.get_all(name).iter().collect::<Vec<_>>();
            assert_eq!(shown("x-pilotfish-deployment"), ["default/east"]);
            assert_eq!(shown("x-pilotfish-attempts"), ["1"]);
            assert_eq!(shown("x-litellm-model-id"), ["default/east"]);
            for dropped in DROPPED {
                assert!(shown(dropped).is_empty(), "{dropped}");
            }
            assert_eq!(shown("x-request-id"), ["req-theirs"]);
            assert_eq!(shown("request-id"), ["req-theirs"]);
            assert_eq!(shown("x-ratelimit-remaining-requests"), ["7"]);
            assert_eq!(shown("x-pilotfish-policy"), ["default/chat"]);
            assert!(!shown("x-pilotfish-config").is_empty());
        }
        pair.at_rest().await
    })
    .await
}

#[tokio::test]
async fn a_redirect_is_not_followed() -> Result<()> {
    in_both(async |dialect| {
        let pair = Pair::plain(dialect).await?;
        let elsewhere = dialect.provider("elsewhere").start().await?;
        for status in [301, 302, 303, 307, 308] {
            let location = format!("{}{}", elsewhere.url(), dialect.path());
            pair.east
                .script([Step::raw(status, "text/html", "moved").header("location", &location)]);
            let answer = pair.ask().await?;
            assert_eq!(
                answer.header("x-pilotfish-deployment"),
                Some("default/west"),
                "{status}"
            );
            // In between a success, or the breaker would have its say.
            assert_eq!(pair.ask().await?.header("x-pilotfish-deployment"), Some("default/east"));
        }
        assert_eq!(elsewhere.connections().accepted, 0);
        pair.at_rest().await
    })
    .await
}
