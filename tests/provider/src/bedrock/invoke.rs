//! Anthropic's models in their own dialect: invoked, an event of a stream in base64 in each message, or at a path that is
//! Anthropic's.

use super::error::Error;
use super::{Bedrock, frame, signed};
use crate::answer::{Answer, Body, Event};
use crate::anthropic::Refused;
use crate::json::Json;
use crate::received::Received;
use crate::step::Style;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Where Anthropic's own API begins.
pub(super) const NATIVE: &str = "/anthropic/v1/messages";
const VERSION: &str = "bedrock-2023-05-31";

impl Bedrock {
    pub(super) fn invoked(
        &self,
        request: &Received,
        body: Json,
        model: &str,
        streams: bool,
        style: Style,
    ) -> Result<Answer, Error> {
        match body.text_of("anthropic_version") {
            None => return Err(Error::invalid("anthropic_version: Field required")),
            Some(VERSION) => {}
            Some(_) => return Err(Error::invalid("Invalid API version")),
        }
        if body.get("stream").is_some() {
            return Err(Error::invalid("stream: Extra inputs are not permitted"));
        }
        let mut body = body;
        if let (true, Json::Object(fields)) = (streams, &mut body) {
            fields.push(("stream".to_owned(), Json::Bool(true)));
        }
        let answer = self
            .anthropic
            .hosted(request, body, model, style)
            .map_err(|refused| in_own_words(&refused))?;
        Ok(match answer.body {
            Body::Whole(bytes) => Answer {
                body: Body::Whole(bytes),
                headers: self.headers(request, "application/json"),
                ..answer
            },
            Body::Events(events) => Answer {
                body: Body::Events(events.into_iter().map(framed).collect()),
                headers: self.headers(request, "application/vnd.amazon.eventstream"),
                ..answer
            },
        })
    }

    /// Anthropic's own path: its bodies and its events as it makes them.
    pub(super) fn native(&self, request: &Received, style: Style) -> Result<Answer, Error> {
        signed::admit(request, &self.settings.keys)?;
        if request.header("anthropic-version").is_none() {
            return Err(Error::invalid("anthropic-version: header is required"));
        }
        let body: Json = serde_json::from_slice(&request.body)
            .map_err(|_| Error::new(400, "SerializationException", "The request body is not valid JSON"))?;
        let model = body.text_of("model").unwrap_or_default().to_owned();
        let answer = self.anthropic.hosted(request, body.without("model"), &model, style);
        answer.map_err(|refused| in_own_words(&refused))
    }
}

fn in_own_words(refused: &Refused) -> Error {
    let kind = if refused.status == 404 {
        "ResourceNotFoundException"
    } else {
        "ValidationException"
    };
    Error::new(refused.status, kind, refused.message.clone())
}

/// One event in one message.
fn framed(event: Event) -> Event {
    let text = String::from_utf8_lossy(&event.bytes).into_owned();
    let data = text
        .lines()
        .find_map(|line| line.strip_prefix("data: "))
        .unwrap_or_default();
    let payload = format!("{{\"bytes\":\"{}\",\"p\":\"abcdef\"}}", STANDARD.encode(data));
    Event {
        bytes: frame::event("chunk", &payload).into(),
        ..event
    }
}
