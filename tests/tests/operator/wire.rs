//! The wire without a sidecar: what an operator answers to whom.

use anyhow::{Context, Result, ensure};
use futures::{StreamExt, stream};
use pilotfish_tests::Operator;
use pilotfish_wire::{Commit, Hello, Message, Report, Resource};
use reqwest::{Body, Certificate, Client, Response};
use serde_json::Value;
use std::convert::Infallible;
use std::time::Duration;

/// Whatever has not come by then does not come.
const WITHIN: Duration = Duration::from_secs(30);

/// A peer of one operator.
pub(crate) struct Wire {
    http: Client,
    url: String,
}

/// What a stream begins with.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) hello: Hello,
    pub(crate) resources: Vec<Resource>,
}

impl Wire {
    /// To `operator`, trusting its authority and no other.
    pub(crate) async fn to(operator: &Operator) -> Result<Self> {
        let name = operator.name();
        // Whoever comes first installs it.
        drop(rustls::crypto::ring::default_provider().install_default());
        let http = Client::builder()
            .no_proxy()
            .tls_certs_only([Certificate::from_pem(operator.authority().await?.as_bytes())?])
            .resolve(&name, operator.sidecars())
            .build()?;
        Ok(Self {
            http,
            url: format!("https://{name}:{}/v1/stream", operator.sidecars().port()),
        })
    }

    /// What the stream of this token begins with.
    pub(crate) async fn served(&self, token: &str) -> Result<Served> {
        let answer = self.open(token).await?;
        let status = answer.status();
        ensure!(status == 200, "{status}: {}", answer.text().await?);
        tokio::time::timeout(WITHIN, first_batch(answer)).await?
    }

    /// Status and sentence with which this token is refused.
    pub(crate) async fn refused(&self, token: &str) -> Result<(u16, String)> {
        let answer = self.open(token).await?;
        let status = answer.status().as_u16();
        ensure!(status != 200, "it is served");
        let body: Value = answer.json().await?;
        let sentence = body["error"].as_str().context("a refusal has a sentence")?;
        Ok((status, sentence.to_owned()))
    }

    /// Says hello and no more; the request lasts.
    async fn open(&self, token: &str) -> Result<Response> {
        let hello = Hello {
            revision: pilotfish_wire::REVISION,
            ..Hello::default()
        };
        let hello = format!("{}\n", Report::Hello(hello).encode());
        let lines = stream::iter([Ok::<_, Infallible>(hello)]).chain(stream::pending());
        let request = self
            .http
            .post(&self.url)
            .bearer_auth(token)
            .body(Body::wrap_stream(lines));
        Ok(tokio::time::timeout(WITHIN, request.send()).await??)
    }
}

async fn first_batch(answer: Response) -> Result<Served> {
    let (mut hello, mut resources) = (None, Vec::new());
    let (mut text, mut chunks) = (Vec::new(), answer.bytes_stream());
    loop {
        let chunk = chunks
            .next()
            .await
            .context("the stream ended within its first batch")??;
        text.extend_from_slice(&chunk);
        while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = text.drain(..=end).collect();
            match Message::decode(str::from_utf8(&line)?)? {
                Message::Hello(said) => hello = Some(said),
                Message::Resource(resource) => resources.push(resource),
                Message::Commit(Commit { .. }) => {
                    let hello = hello.context("the first line is a hello")?;
                    return Ok(Served { hello, resources });
                }
                _ => {}
            }
        }
    }
}
