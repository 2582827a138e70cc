//! What an application presents as a key stays in the sidecar.

use crate::tenant::Tenant;
use anyhow::Result;
use pilotfish_provider::Fake;
use pilotfish_tests::{Client, Deployment, Dialect, Launch, Policy};
use reqwest::Method;

/// A provider's key that an application still has, or the placeholder that its SDK asks for.
const FOREIGN: &str = "sk-foreign-0123456789abcdef";

/// Where a key may stand; `KEY` is replaced by one.
const HEADERS: [(&str, &str); 11] = [
    ("authorization", "Bearer KEY"),
    ("authorization", "bearer KEY"),
    ("authorization", "Basic KEY"),
    ("x-api-key", "KEY"),
    ("api-key", "KEY"),
    ("x-goog-api-key", "KEY"),
    ("proxy-authorization", "Bearer KEY"),
    ("cookie", "session=1; key=KEY"),
    ("x-pilotfish-key", "KEY"),
    ("x-litellm-key", "KEY"),
    ("openai-organization", "KEY"),
];
/// Where only a key of ours is known for one.
const ODD_HEADERS: [(&str, &str); 4] = [
    ("x-custom-auth", "KEY"),
    ("x-custom-auth", "Token token=\"KEY\""),
    ("helicone-auth", "Bearer KEY"),
    ("user-agent", "curl (KEY)"),
];
const QUERIES: [&str; 3] = ["?key=KEY", "?api-version=1&key=KEY", "?access_token=KEY"];

/// One request that carries a key where it can.
#[derive(Debug)]
struct Presented {
    header: Option<(&'static str, String)>,
    query: String,
}

fn presented(key: &str, headers: &[(&'static str, &str)]) -> Vec<Presented> {
    let in_header = headers.iter().map(|(name, value)| Presented {
        header: Some((name, value.replace("KEY", key))),
        query: String::new(),
    });
    let in_query = QUERIES.iter().map(|query| Presented {
        header: None,
        query: query.replace("KEY", key),
    });
    in_header.chain(in_query).collect()
}

async fn send(client: &Client, dialect: Dialect, model: &str, presented: &Presented) -> Result<()> {
    for request in [dialect.request(model, "Hello"), dialect.stream_request(model, "Hello")] {
        let path = format!("{}{}", dialect.path(), presented.query);
        let sent = client.request(Method::POST, &path, request.to_string());
        let sent = match &presented.header {
            Some((name, value)) => sent.header(*name, value),
            None => sent,
        };
        let answer = sent.send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        assert_eq!(status, 200, "{dialect:?} to {model}, {presented:?}: {text}");
    }
    Ok(())
}

/// The providers have the whole of every request on record.
fn check_record(name: &str, fake: &Fake, keys: &[&str], requests: usize) {
    let received = fake.received();
    assert_eq!(received.len(), requests, "{name}");
    for request in received {
        for key in keys {
            assert!(!request.mentions(key), "{name} was sent {key}: {request:?}");
        }
        let own = format!("sk-up-{name}");
        let secrets = request
            .headers
            .iter()
            .filter(|(_, value)| value.ends_with(own.as_bytes()));
        assert_eq!(secrets.count(), 1, "{name} knows its key by one header: {request:?}");
    }
}

#[tokio::test]
async fn a_key_that_comes_in_never_goes_out() -> Result<()> {
    let tenant = Tenant::named("team");
    let ours = tenant.key.clone().unwrap_or_default();
    let (chat, messages) = (
        Dialect::Chat.provider("chat").start().await?,
        Dialect::Messages.provider("messages").tls().start().await?,
    );
    let documents = [
        Deployment::of(Dialect::Chat, "chat", &chat).to_string(),
        Deployment::of(Dialect::Messages, "messages", &messages).to_string(),
        Policy::named("chat").targets(["chat"]).to_string(),
        Policy::named("messages").targets(["messages"]).to_string(),
        tenant.document().unwrap_or_default(),
    ];
    let pilotfish = Launch::run(&documents).start().await?;
    let client = Client::new(&pilotfish)?;
    let with_ours = presented(&ours, &[&HEADERS[..], &ODD_HEADERS].concat());
    let with_foreign = presented(FOREIGN, &HEADERS);
    let all: Vec<Presented> = with_ours.into_iter().chain(with_foreign).collect();
    for dialect in Dialect::BOTH {
        for model in ["chat", "messages"] {
            for presented in &all {
                send(&client, dialect, model, presented).await?;
            }
        }
    }
    for (name, fake) in [("chat", &chat), ("messages", &messages)] {
        check_record(name, fake, &[&ours, FOREIGN], all.len() * 4);
    }
    pilotfish.back_to_idle(&[&chat, &messages]).await
}
