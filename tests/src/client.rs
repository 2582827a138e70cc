//! An HTTP client that does nothing behind a test's back: no retries, no connection kept, no redirect.

use crate::{Dialect, Events, Pilotfish, Said};
use anyhow::{Context, Result};
use bytes::Bytes;
use reqwest::header::HeaderMap;
use serde_json::Value;
use std::time::Duration;

/// An answer that takes longer than this is a failure of its own.
const PATIENCE: Duration = Duration::from_secs(60);

/// An application beside the sidecar.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    headers: Vec<(String, String)>,
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, decoded of nothing but its framing.
    pub body: Bytes,
}

/// An answer whose head is there and whose events are to come.
#[derive(Debug)]
pub struct Answering {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its events.
    pub events: Events,
}

impl Client {
    /// A client of this sidecar.
    pub fn new(pilotfish: &Pilotfish) -> Result<Self> {
        Ok(Self {
            http: http()?,
            base: pilotfish.url(),
            headers: Vec::new(),
        })
    }

    /// The same client with one more header on every request.
    pub fn header(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.push((name.to_owned(), value.to_owned()));
        client
    }

    /// Sends a request in this dialect and reads the whole answer.
    pub async fn ask(&self, dialect: Dialect, body: &Value) -> Result<Answer> {
        self.post(dialect.path(), body.to_string()).await
    }

    /// Sends a request in this dialect and reads the answer's head.
    pub async fn stream(&self, dialect: Dialect, body: &Value) -> Result<Answering> {
        let response = self.request(reqwest::Method::POST, dialect.path(), body.to_string());
        let response = response.send().await?;
        Ok(Answering {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            events: Events::of(response),
        })
    }

    /// Posts any body to any path.
    pub async fn post(&self, path: &str, body: impl Into<Bytes>) -> Result<Answer> {
        Answer::read(self.request(reqwest::Method::POST, path, body)).await
    }

    /// Sends a request of any method without a body.
    pub async fn send(&self, method: &str, path: &str) -> Result<Answer> {
        Answer::read(self.request(method.parse()?, path, Bytes::new())).await
    }

    /// A request that the test sends, or changes first, by itself.
    pub fn request(&self, method: reqwest::Method, path: &str, body: impl Into<Bytes>) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.base);
        let request = self
            .http
            .request(method, url)
            .header("content-type", "application/json");
        let request = self
            .headers
            .iter()
            .fold(request, |request, (name, value)| request.header(name, value));
        let body = body.into();
        if body.is_empty() { request } else { request.body(body) }
    }
}

impl Answer {
    async fn read(request: reqwest::RequestBuilder) -> Result<Self> {
        let response = request.send().await?;
        Ok(Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.bytes().await.context("the answer broke off")?,
        })
    }

    /// A header, if it is there and text.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// Its body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Its body as JSON.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.body).with_context(|| format!("{} with no JSON: {}", self.status, self.text()))
    }

    /// What its body says as an error of this dialect.
    pub fn error(&self, dialect: Dialect) -> Result<Said> {
        dialect.error(&self.json()?)
    }
}

impl Answering {
    /// A header, if it is there and text.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// A client that trusts nobody and keeps no connection.
pub fn http() -> Result<reqwest::Client> {
    Ok(builder().pool_max_idle_per_host(0).build()?)
}

/// The same, but that it keeps its connections.
pub fn http_with_pool() -> Result<reqwest::Client> {
    Ok(builder().build()?)
}

pub(crate) fn builder() -> reqwest::ClientBuilder {
    // reqwest asks for one even when all it speaks is plain HTTP. Whoever comes first installs it.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder()
        // Nor is any certificate looked at, and reading the system's takes longer than most tests.
        .tls_certs_only([])
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .timeout(PATIENCE)
}
