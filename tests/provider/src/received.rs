//! One request, as it came.

use bytes::Bytes;
use tokio::time::Instant;

/// One request, as it came.
#[derive(Clone, Debug)]
pub struct Received {
    /// In order of arrival, from 0.
    pub number: usize,
    /// The connection it came on, in order of acceptance, from 0.
    pub connection: usize,
    /// How many requests came before it on its connection.
    pub on_connection: usize,
    /// The protocol it came by.
    pub protocol: Protocol,
    /// As sent.
    pub method: String,
    /// Path and query, as sent.
    pub target: String,
    /// In the order and with the spelling in which they came; on HTTP/2 without the pseudo headers.
    pub headers: Vec<(String, Bytes)>,
    /// The body, its transfer coding removed; what came of it, if it was not read to its end.
    pub body: Bytes,
    /// The body was read to its end.
    pub complete: bool,
    /// When the head had been read.
    pub arrived: Instant,
}

/// What a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1, or 1.0.
    Http1,
    /// HTTP/2.
    Http2,
}

impl Received {
    /// The path without the query.
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
    }

    /// The first header of this name, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let value = self
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)?;
        std::str::from_utf8(value).ok()
    }

    /// The body as JSON.
    pub fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }

    /// Whether the text stands anywhere in the target, the headers or the body.
    pub fn mentions(&self, text: &str) -> bool {
        let within = |bytes: &[u8]| bytes.windows(text.len().max(1)).any(|window| window == text.as_bytes());
        within(self.target.as_bytes())
            || within(&self.body)
            || self
                .headers
                .iter()
                .any(|(name, value)| within(name.as_bytes()) || within(value))
    }
}

#[cfg(test)]
impl Received {
    /// A whole request with an OpenAI and an Anthropic head, for tests without a socket.
    pub(crate) fn sample(method: &str, target: &str, body: &str) -> Received {
        let headers = [
            ("content-type", "application/json"),
            ("authorization", "Bearer sk-up-1"),
            ("anthropic-version", "2023-06-01"),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), Bytes::from(value)));
        Received {
            number: 0,
            connection: 0,
            on_connection: 0,
            protocol: Protocol::Http1,
            method: method.to_owned(),
            target: target.to_owned(),
            headers: headers.into(),
            body: Bytes::copy_from_slice(body.as_bytes()),
            complete: true,
            arrived: Instant::now(),
        }
    }

    /// This request with another value of a header; without it, if that is empty.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Received {
        self.headers.retain(|(known, _)| known != name);
        if !value.is_empty() {
            self.headers
                .push((name.to_owned(), Bytes::copy_from_slice(value.as_bytes())));
        }
        self
    }
}
