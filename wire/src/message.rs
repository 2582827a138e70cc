//! The lines themselves.

use crate::resource::{Kind, Resource};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The first line each way: who speaks which revision, and with what features.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hello {
    /// The sender's protocol revision; the lower of both holds.
    pub revision: u32,
    /// Features beyond the revision that the sender understands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
    /// Sidecar → operator: what it already has, as `kind/name` → version, so that a reconnect re-sends nothing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub known: BTreeMap<String, String>,
    /// Snapshot file only: the pod it was compiled for, as `key: value` (namespace, labels, root namespace).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub scope: BTreeMap<String, String>,
}

/// A batch begins; whatever was begun before and not committed is discarded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begin {
    /// Identifies the batch in its ack; unique within one stream.
    pub nonce: u64,
}

/// A resource is no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remove {
    /// Its kind.
    pub kind: Kind,
    /// Its name, `namespace/name`.
    pub name: String,
}

/// The batch is whole and may be applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// The nonce of its [`Begin`].
    pub nonce: u64,
    /// Hash over the names and versions of everything now in force: what `x-pilotfish-config` shows.
    pub version: String,
}

/// Operator → sidecar, one a line, externally tagged: `{"begin":{"nonce":1}}`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Message {
    /// Always the first line.
    Hello(Hello),
    /// Opens a batch.
    Begin(Begin),
    /// One resource, new or changed.
    Resource(Resource),
    /// One resource less.
    Remove(Remove),
    /// Closes a batch.
    Commit(Commit),
    /// A kind of line that this build does not know. Never sent; what was received is dropped.
    #[serde(skip)]
    Unknown(String),
}

/// A line that is not a message.
#[derive(Debug, thiserror::Error)]
#[error("not a message: {0}")]
pub struct DecodeError(#[from] serde_json::Error);

impl Message {
    /// Reads one line. A kind it does not know is [`Message::Unknown`], which the caller ignores.
    pub fn decode(line: &str) -> Result<Self, DecodeError> {
        let tagged: BTreeMap<String, &RawValue> = serde_json::from_str(line)?;
        let Some((kind, body)) = tagged.into_iter().next() else {
            return Ok(Self::Unknown(String::new()));
        };
        let body = body.get();
        Ok(match kind.as_str() {
            "hello" => Self::Hello(serde_json::from_str(body)?),
            "begin" => Self::Begin(serde_json::from_str(body)?),
            "resource" => Self::Resource(serde_json::from_str(body)?),
            "remove" => Self::Remove(serde_json::from_str(body)?),
            "commit" => Self::Commit(serde_json::from_str(body)?),
            _ => Self::Unknown(kind),
        })
    }

    /// One line, without its newline.
    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("a message has string keys and no failing serialisers")
    }
}

/// One resource that a sidecar would not use, and its own sentence why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Kind of the refused resource.
    pub kind: Kind,
    /// Name of the refused resource.
    pub name: String,
    /// The version refused.
    pub version: String,
    /// Why, in one sentence for a person.
    pub reason: String,
}

/// A batch was applied. What it refused is named; everything else of the batch is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// The nonce of the batch.
    pub nonce: u64,
    /// The configuration now in force.
    pub version: String,
    /// Resources it could not use (replaced by their previous good version, or by 503). Empty: all well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Refusal>,
}

/// Sidecar → operator, one a line, externally tagged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Report {
    /// Always the first line.
    Hello(Hello),
    /// Answer to one batch.
    Ack(Ack),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_round_trips_and_keeps_the_body_as_it_was_written() {
        let line = r#"{"resource":{"kind":"policy","name":"shop/chat","version":"v","body":{"b": 1,"a":2e0}}}"#;
        let Message::Resource(resource) = Message::decode(line).unwrap() else {
            panic!("not a resource")
        };
        assert_eq!(resource.body.get(), r#"{"b": 1,"a":2e0}"#);
        assert_eq!(Message::Resource(resource).encode(), line);
    }

    #[test]
    fn an_unknown_kind_of_line_is_told_apart_and_an_unknown_field_ignored() {
        assert!(matches!(Message::decode(r#"{"grant":{"x":1}}"#).unwrap(), Message::Unknown(kind) if kind == "grant"));
        let Message::Begin(begin) = Message::decode(r#"{"begin":{"nonce":7,"later":true}}"#).unwrap() else {
            panic!("not a begin")
        };
        assert_eq!(begin.nonce, 7);
    }
}
