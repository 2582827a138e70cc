//! Server-sent events, as a client sees them arrive.

use anyhow::{Context, Result, ensure};
use bytes::{Buf, BytesMut};
use serde_json::Value;

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Its `event` field.
    pub name: Option<String>,
    /// Its `data` fields, joined.
    pub data: String,
    /// Its comments, joined.
    pub comment: String,
}

/// The events of an answer, in the order in which they come.
#[derive(Debug)]
pub struct Events {
    response: reqwest::Response,
    buffer: BytesMut,
    ended: bool,
}

impl Event {
    /// Its data as JSON.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.data).with_context(|| format!("no JSON: {:?}", self.data))
    }

    fn parse(text: &str) -> Self {
        let mut event = Self::default();
        for line in text.lines() {
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "event" => event.name = Some(value.to_owned()),
                "data" => append(&mut event.data, value),
                "" => append(&mut event.comment, value),
                _ => {}
            }
        }
        event
    }
}

fn append(text: &mut String, line: &str) {
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(line);
}

impl Events {
    pub(crate) fn of(response: reqwest::Response) -> Self {
        Self {
            response,
            buffer: BytesMut::new(),
            ended: false,
        }
    }

    /// The next event; `None` when the answer has ended in good order, an error when its connection broke off or it
    /// ended within an event.
    pub async fn next(&mut self) -> Result<Option<Event>> {
        loop {
            if let Some(event) = self.buffered() {
                return Ok(Some(event));
            }
            if self.ended {
                ensure!(self.buffer.is_empty(), "it ended within an event: {:?}", self.buffer);
                return Ok(None);
            }
            match self.response.chunk().await.context("the stream broke off")? {
                Some(chunk) => self.buffer.extend_from_slice(&chunk),
                None => self.ended = true,
            }
        }
    }

    /// All that is still to come.
    pub async fn rest(&mut self) -> Result<Vec<Event>> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await? {
            events.push(event);
        }
        Ok(events)
    }

    /// The events that come before the first for which `found` holds, and that one.
    pub async fn until(&mut self, found: impl Fn(&Event) -> bool) -> Result<Vec<Event>> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await? {
            let last = found(&event);
            events.push(event);
            if last {
                return Ok(events);
            }
        }
        anyhow::bail!("the stream ended before the event that was awaited: {events:?}")
    }

    fn buffered(&mut self) -> Option<Event> {
        let text = String::from_utf8_lossy(&self.buffer);
        let ends = ["\n\n", "\r\n\r\n", "\r\r"];
        let ends = ends.iter().filter_map(|end| Some((text.find(end)?, end.len())));
        let (at, length) = ends.min()?;
        let event = Event::parse(text.get(..at)?);
        self.buffer.advance(at + length);
        Some(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_with_its_name_data_and_comments() {
        let event = Event::parse(": ping\nevent: error\ndata: {\"a\":\ndata: 1}\nid: 7");
        let expected = Event {
            name: Some("error".to_owned()),
            data: "{\"a\":\n1}".to_owned(),
            comment: "ping".to_owned(),
        };
        assert_eq!(event, expected);
    }
}
