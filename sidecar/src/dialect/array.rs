//! A stream as the elements of a JSON array, for clients of Google's that did not ask for events.

use crate::sse;
use bytes::Bytes;

/// An array whose elements are the data of events.
#[derive(Debug, Default)]
pub struct EventArray {
    begun: bool,
    ended: bool,
}

impl EventArray {
    /// Whole events as elements.
    pub fn elements(&mut self, events: &[u8]) -> Bytes {
        let mut out = Vec::with_capacity(events.len());
        for event in sse::events(events).filter(|event| !event.data.is_empty()) {
            out.extend_from_slice(if std::mem::replace(&mut self.begun, true) {
                b",\r\n"
            } else {
                b"["
            });
            out.extend_from_slice(&event.data);
        }
        out.into()
    }

    /// All of the events of a stream.
    pub fn whole(events: &[u8]) -> Bytes {
        let mut array = Self::default();
        let elements = array.elements(events);
        [elements, array.end().unwrap_or_default()].concat().into()
    }

    /// What ends it, once.
    pub fn end(&mut self) -> Option<Bytes> {
        let end: &[u8] = if self.begun { b"]" } else { b"[]" };
        (!std::mem::replace(&mut self.ended, true)).then(|| Bytes::from_static(end))
    }
}

#[cfg(test)]
mod tests {
    use super::EventArray;

    #[test]
    fn events_become_elements_of_one_array() {
        let mut array = EventArray::default();
        let mut whole = Vec::new();
        for block in [
            "data: {\"a\":1}\r\n\r\n: comment\n\n",
            "",
            "data: {\"b\":\ndata: 2}\n\ndata: 3\n\n",
        ] {
            whole.extend_from_slice(&array.elements(block.as_bytes()));
        }
        whole.extend_from_slice(&array.end().unwrap());
        assert_eq!(String::from_utf8(whole).unwrap(), "[{\"a\":1},\r\n{\"b\":\n2},\r\n3]");
        assert_eq!(array.end(), None);
        assert_eq!(EventArray::default().end().as_deref(), Some(&b"[]"[..]));
    }
}
