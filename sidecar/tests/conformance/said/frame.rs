//! Events as they are framed on the wire.

use crate::message::message;
use pilotfish_sidecar::dialect::Dialect;
use serde_json::Value;

/// A stream of `upstream`'s; chat ends with a word that is no JSON.
pub(crate) fn on_the_wire(upstream: Dialect, events: &[(&'static str, Value)]) -> Vec<u8> {
    let mut wire: Vec<u8> = events
        .iter()
        .flat_map(|(name, data)| event(upstream, name, data))
        .collect();
    if upstream == Dialect::Chat && events.iter().any(|(_, data)| data["usage"].is_object()) {
        wire.extend(b"data: [DONE]\n\n");
    }
    wire
}

fn event(upstream: Dialect, name: &str, data: &Value) -> Vec<u8> {
    match upstream {
        Dialect::Chat | Dialect::Gemini => format!("data: {data}\n\n").into_bytes(),
        Dialect::Messages | Dialect::Responses | Dialect::Cohere => {
            format!("event: {name}\ndata: {data}\n\n").into_bytes()
        }
        Dialect::Ollama => format!("{data}\n").into_bytes(),
        Dialect::Converse => message(name, data.to_string().as_bytes()),
    }
}
