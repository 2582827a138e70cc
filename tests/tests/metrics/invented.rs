//! A client can invent names. It cannot invent series.

use crate::exposition::Exposition;
use anyhow::{Result, ensure};
use pilotfish_tests::raw::Raw;
use pilotfish_tests::{Deployment, Dialect, Launch, Pilotfish, Policy};
use std::net::SocketAddr;
use tokio::task::JoinSet;

const NAMES: usize = 100_000;
const CONNECTIONS: usize = 4;
/// Sent at once on a connection. The answers to all of them fit its buffers.
const AT_ONCE: usize = 100;

/// What is asked for, and the status of its refusal.
struct Kind {
    path: &'static str,
    /// Before the invented part of the name.
    prefix: &'static str,
    status: u16,
}

const KINDS: [Kind; 5] = [
    Kind {
        path: "/v1/chat/completions",
        prefix: "",
        status: 404,
    },
    Kind {
        path: "/v1/messages",
        prefix: "claude-",
        status: 404,
    },
    Kind {
        path: "/v1/embeddings",
        prefix: "embed/",
        status: 404,
    },
    // A pattern's, which ask for a key.
    Kind {
        path: "/v1/chat/completions",
        prefix: "vip-",
        status: 401,
    },
    Kind {
        path: "/v1/messages",
        prefix: "vip-",
        status: 401,
    },
];

impl Kind {
    fn request(&self, number: usize) -> String {
        let Self { path, prefix, .. } = self;
        let stream = number.is_multiple_of(2);
        let body = format!("{{\"model\":\"{prefix}{number:x}\",\"stream\":{stream},\"max_tokens\":1,\"messages\":[]}}");
        format!(
            "POST {path} HTTP/1.1\r\nhost: sidecar\r\ncontent-length: {}\r\nx-pilotfish-session-id: {number}\r\n\r\n{body}",
            body.len()
        )
    }
}

fn kind(number: usize) -> &'static Kind {
    &KINDS[number / 2 % KINDS.len()]
}

/// Asks for these names, several at once, on one connection.
async fn ask(address: SocketAddr, numbers: Vec<usize>) -> Result<()> {
    let mut connection = Raw::connect(address).await?;
    for numbers in numbers.chunks(AT_ONCE) {
        let requests: String = numbers.iter().map(|number| kind(*number).request(*number)).collect();
        connection.send(requests).await?;
        for number in numbers {
            let answer = connection.answer().await?;
            ensure!(answer.status == kind(*number).status, "{number}: {answer:?}");
        }
    }
    Ok(())
}

async fn ask_for_all(pilotfish: &Pilotfish, names: impl Iterator<Item = usize>) -> Result<()> {
    let mut shares = vec![Vec::new(); CONNECTIONS];
    for number in names {
        shares[number / (2 * KINDS.len()) % CONNECTIONS].push(number);
    }
    let mut connections = JoinSet::new();
    for share in shares {
        connections.spawn(ask(pilotfish.address(), share));
    }
    while let Some(asked) = connections.join_next().await {
        asked??;
    }
    Ok(())
}

#[tokio::test]
async fn a_hundred_thousand_invented_names_add_no_series() -> Result<()> {
    let fake = Dialect::Chat.provider("east").start().await?;
    let documents = [
        Deployment::of(Dialect::Chat, "east", &fake).to_string(),
        Policy::named("chat").targets(["east"]).to_string(),
        Policy::named("vip")
            .models(["vip-*"])
            .targets(["east"])
            .with("authentication: {require: VirtualKey}")
            .to_string(),
    ];
    // A line for each of them would be most of the work.
    let quiet = ["--log", "error,pilotfish_sidecar::app=info"];
    let pilotfish = Launch::run(&documents).arguments(quiet).start().await?;
    // One of each kind.
    ask_for_all(&pilotfish, 0..2 * KINDS.len()).await?;
    let before = Exposition::of(&pilotfish).await?.series().count();
    let resident = pilotfish.resident()?;
    ask_for_all(&pilotfish, 2 * KINDS.len()..NAMES).await?;

    let after = Exposition::of(&pilotfish).await?;
    assert_eq!(after.series().count(), before, "{}", after.text);
    let metrics = pilotfish.metrics().await?;
    let requests = metrics.by("pilotfish_requests_total", "model");
    let (other, vip) = ((NAMES * 3 / 5) as f64, (NAMES * 2 / 5) as f64);
    assert_eq!(
        requests.into_iter().collect::<Vec<_>>(),
        [("other".to_owned(), other), ("vip-*".to_owned(), vip)]
    );
    let grown = pilotfish.resident()?.saturating_sub(resident);
    assert!(grown < 4 << 20, "{grown} bytes are kept of names nobody knows");
    pilotfish.back_to_idle(&[&fake]).await
}
