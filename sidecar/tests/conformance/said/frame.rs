//! Events as they are framed on the wire.

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
        Dialect::Converse => message(name, &data.to_string()),
    }
}

/// A message of AWS's event streams: lengths, their checksum, headers, the payload, the checksum of all.
fn message(name: &str, payload: &str) -> Vec<u8> {
    let headers = match name.ends_with("Exception") {
        true => [header(":exception-type", name), header(":message-type", "exception")].concat(),
        false => [header(":event-type", name), header(":message-type", "event")].concat(),
    };
    let length = |length: usize| u32::try_from(length).expect("tests are short").to_be_bytes();
    let mut bytes = length(16 + headers.len() + payload.len()).to_vec();
    bytes.extend(length(headers.len()));
    bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
    bytes.extend(headers);
    bytes.extend(payload.as_bytes());
    bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
    bytes
}

fn header(name: &str, value: &str) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(name.len()).expect("names are short")];
    bytes.extend(name.as_bytes());
    bytes.push(7);
    bytes.extend(u16::try_from(value.len()).expect("values are short").to_be_bytes());
    bytes.extend(value.as_bytes());
    bytes
}
