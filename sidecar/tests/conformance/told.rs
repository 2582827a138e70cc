//! Where each client reads the things that upstreams answer, whole and folded out of a stream.

mod chat;
mod gemini;
mod messages;
mod responses;

use crate::said::Say;
use crate::seek::Sought;
use pilotfish_sidecar::dialect::{ClientDialect, Framer};
use serde_json::Value;

/// Where the thing stands in a client's answer: any of these; none where the dialect has no place for it.
pub(crate) fn sought(client: ClientDialect, say: Say) -> Sought {
    match client {
        ClientDialect::Chat => chat::sought(say),
        ClientDialect::Messages => messages::sought(say),
        ClientDialect::Gemini => gemini::sought(say),
        ClientDialect::Responses => responses::sought(say),
    }
}

/// The answer that a client's SDK would have put together of a stream; an error where the stream has no proper end.
pub(crate) fn fold(client: ClientDialect, stream: &[u8]) -> Result<Value, String> {
    let events = events(client, stream);
    match client {
        ClientDialect::Chat => chat::fold(&events),
        ClientDialect::Messages => messages::fold(&events),
        ClientDialect::Gemini => gemini::fold(&events),
        ClientDialect::Responses => responses::fold(&events),
    }
}

/// The events' data; a string where it is no JSON.
pub(crate) fn events(client: ClientDialect, stream: &[u8]) -> Vec<Value> {
    let mut framer = Framer::of(client.native());
    let block = framer
        .push(stream.to_vec().into())
        .expect("a client's stream can be framed");
    let mut events = Vec::new();
    let read = framer.each_event(&block, |event| {
        // A comment.
        if event.data.is_empty() {
            return Ok(());
        }
        let word = || String::from_utf8_lossy(&event.data).into_owned().into();
        events.push(serde_json::from_slice(&event.data).unwrap_or_else(|_| word()));
        Ok(())
    });
    read.expect("server-sent events have no faults");
    events
}

/// Appends to the string at `key`.
fn append(object: &mut Value, key: &str, more: &Value) {
    let Some(more) = more.as_str() else { return };
    object[key] = (object[key].as_str().unwrap_or_default().to_owned() + more).into();
}

/// The list at `key`, made if there is none, with an element at `index`.
fn element<'v>(object: &'v mut Value, key: &str, index: usize) -> &'v mut Value {
    if !object[key].is_array() {
        object[key] = Value::Array(Vec::new());
    }
    let list = object[key].as_array_mut().expect("it was made one");
    if list.len() <= index {
        list.resize(index + 1, serde_json::json!({}));
    }
    &mut list[index]
}
