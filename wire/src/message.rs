//! The lines themselves.

use crate::resource::{Kind, Resource};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The first line each way: who speaks which revision, and with what features. The operator says it again, between any
/// two lines, when its scope or its leader has changed: the later one holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hello {
    /// The sender's protocol revision; the lower of both holds.
    pub revision: u32,
    /// Features beyond the revision that the sender understands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
    /// Sidecar → operator: what it already has, [`known_as`] → version, so that a reconnect re-sends nothing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub known: BTreeMap<String, String>,
    /// Operator → sidecar: the pod as which the sidecar was verified, under the names of [`crate::scope`]; it holds
    /// from the next commit on. In a snapshot file: the pod it was compiled for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub scope: BTreeMap<String, String>,
    /// Operator → sidecar, from a replica that does not lead: where the one that does takes sidecars, `host:port`. The
    /// stream moves there when it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leader: Option<String>,
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

/// What cannot wait for the batch that is being sent, nor for the next. In force at once, wherever it stands; it
/// outlives what an open batch says of the same resources, whose commit already counts it in.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Urgent {
    /// Present: it is acknowledged like a batch, with the version of the last commit. Unique within one stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<u64>,
    /// New or changed; of [`Kind::Key`], others are refused by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub put: Vec<Resource>,
    /// Gone; of [`Kind::Key`], others are left as they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<Remove>,
}

/// Operator → sidecar, one a line, externally tagged: `{"begin":{"nonce":1}}`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Message {
    /// The first line, and any later one.
    Hello(Hello),
    /// Opens a batch.
    Begin(Begin),
    /// One resource, new or changed.
    Resource(Resource),
    /// One resource less.
    Remove(Remove),
    /// Closes a batch.
    Commit(Commit),
    /// Stands between any two lines after the first, also within a batch.
    Urgent(Urgent),
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
        let Some((kind, body)) = tagged(line)? else {
            return Ok(Self::Unknown(String::new()));
        };
        Ok(match kind.as_str() {
            "hello" => Self::Hello(serde_json::from_str(body)?),
            "begin" => Self::Begin(serde_json::from_str(body)?),
            "resource" => Self::Resource(serde_json::from_str(body)?),
            "remove" => Self::Remove(serde_json::from_str(body)?),
            "commit" => Self::Commit(serde_json::from_str(body)?),
            "urgent" => Self::Urgent(serde_json::from_str(body)?),
            _ => Self::Unknown(kind),
        })
    }

    /// One line, without its newline.
    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("a message has string keys and no failing serialisers")
    }
}

/// How [`Hello::known`] names a resource: `policy/shop/chat`.
pub fn known_as(kind: Kind, name: &str) -> String {
    format!("{}/{name}", kind.as_str())
}

/// The resource that [`Hello::known`] names so; `None` for a name of no kind that this build knows.
pub fn known_kind(known: &str) -> Option<(Kind, &str)> {
    let (kind, name) = known.split_once('/')?;
    Some((Kind::of(kind)?, name))
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
    /// Why, in one sentence for a person; empty where so much is refused that one line has no room for it.
    pub reason: String,
}

/// A batch, or an urgent line that asked for it, was applied. What was refused is named; everything else is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// The nonce of the batch, or of the urgent line.
    pub nonce: u64,
    /// The configuration now in force: that of the last commit.
    pub version: String,
    /// All resources of the configuration that it could not use (replaced by their previous good version, or by 503). Empty: all well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Refusal>,
    /// How many more it could not use than one line can name. Of what is not named nothing is said then.
    #[serde(default, skip_serializing_if = "is_none")]
    pub unnamed: usize,
}

fn is_none(number: &usize) -> bool {
    *number == 0
}

/// Sidecar → operator, one a line, externally tagged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Report {
    /// Always the first line.
    Hello(Hello),
    /// Answer to one batch, or to one urgent line.
    Ack(Ack),
    /// A kind of line that this build does not know. Never sent; what was received is dropped.
    #[serde(skip)]
    Unknown(String),
}

impl Report {
    /// Reads one line. A kind it does not know is [`Report::Unknown`], which the caller ignores.
    pub fn decode(line: &str) -> Result<Self, DecodeError> {
        let Some((kind, body)) = tagged(line)? else {
            return Ok(Self::Unknown(String::new()));
        };
        Ok(match kind.as_str() {
            "hello" => Self::Hello(serde_json::from_str(body)?),
            "ack" => Self::Ack(serde_json::from_str(body)?),
            _ => Self::Unknown(kind),
        })
    }

    /// One line, without its newline.
    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("a report has string keys and no failing serialisers")
    }
}

/// The kind of a line and the text of its body.
fn tagged(line: &str) -> Result<Option<(String, &str)>, serde_json::Error> {
    let tagged: BTreeMap<String, &RawValue> = serde_json::from_str(line)?;
    Ok(tagged.into_iter().next().map(|(kind, body)| (kind, body.get())))
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

    #[test]
    fn an_urgent_line_carries_keys_and_goes_by_its_own_nonce() {
        let line = r#"{"urgent":{"nonce":3,"put":[{"kind":"key","name":"shop/a","version":"v","body":{}}],"remove":[{"kind":"key","name":"shop/b"}]}}"#;
        let Message::Urgent(urgent) = Message::decode(line).unwrap() else {
            panic!("not urgent")
        };
        assert_eq!(urgent.nonce, Some(3));
        assert_eq!(Message::Urgent(urgent).encode(), line);
        assert_eq!(
            Message::Urgent(Urgent::default()).encode(),
            r#"{"urgent":{}}"#,
            "what is empty is not written"
        );
    }

    #[test]
    fn a_report_of_a_later_kind_is_told_apart() {
        let line = r#"{"ack":{"nonce":1,"version":"v"}}"#;
        let report = Report::decode(line).unwrap();
        assert_eq!(report.encode(), line);
        assert_eq!(
            Report::decode(r#"{"usage":{}}"#).unwrap(),
            Report::Unknown("usage".to_owned())
        );
        assert!(Report::decode("ack").is_err());
    }

    #[test]
    fn what_is_known_is_named_by_kind_and_name() {
        for kind in Kind::ALL {
            let known = known_as(kind, "shop/chat");
            assert_eq!(known_kind(&known), Some((kind, "shop/chat")), "{known}");
            assert_eq!(
                serde_json::to_string(&kind).unwrap(),
                format!("\"{}\"", kind.as_str()),
                "one spelling everywhere"
            );
        }
        assert_eq!(known_kind("unknown/shop/chat"), None);
        assert_eq!(known_kind("policy"), None);
    }
}
