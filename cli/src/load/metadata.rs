//! `metadata`, which no schema of ours describes: the API server judges it by itself, and so does this.

use super::position::child;
use pilotfish_crds::label::{is_key, is_namespace, is_subdomain, is_value};
use pilotfish_crds::rules::{LABEL_KEYS, LABEL_VALUES};
use pilotfish_crds::selector::Labels;
use pilotfish_operator::validate::Fault;
use serde_json::{Map, Value};

/// The fields of an object's metadata. Those that only a server writes may be there, in what `kubectl get -o yaml` said.
const FIELDS: [&str; 14] = [
    "annotations",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "labels",
    "managedFields",
    "name",
    "namespace",
    "ownerReferences",
    "resourceVersion",
    "uid",
];

const NAME: &str = "must be lower-case letters, digits, - and ., start and end with a letter or digit, and have at most 253 characters";
const NAMESPACE: &str =
    "must be lower-case letters, digits and -, start and end with a letter or digit, and have at most 63 characters";

/// What matters of an object's metadata.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Metadata {
    pub(super) name: String,
    pub(super) namespace: Option<String>,
    pub(super) labels: Labels,
    pub(super) generation: i64,
    /// Seconds since the Unix epoch; 0 where it is not said.
    pub(super) created: i64,
}

/// Reads `metadata` of `document`, or says what is wrong with it.
pub(super) fn read(document: &Value) -> Result<Metadata, Vec<Fault>> {
    let Some(fields) = document.get("metadata").and_then(Value::as_object) else {
        return Err(vec![fault("metadata.name", "is required")]);
    };
    let mut faults = Vec::new();
    faults.extend(
        fields
            .keys()
            .filter(|field| !FIELDS.contains(&field.as_str()))
            .map(|field| fault(&child("metadata", field), "unknown field")),
    );
    let metadata = Metadata {
        name: name(fields, &mut faults),
        namespace: namespace(fields, &mut faults),
        labels: labels(fields, &mut faults),
        generation: fields.get("generation").and_then(Value::as_i64).unwrap_or(0),
        created: created(fields),
    };
    if faults.is_empty() { Ok(metadata) } else { Err(faults) }
}

fn fault(path: &str, sentence: &str) -> Fault {
    Fault {
        path: path.to_owned(),
        sentence: sentence.to_owned(),
    }
}

fn name(fields: &Map<String, Value>, faults: &mut Vec<Fault>) -> String {
    match fields.get("name") {
        None | Some(Value::Null) => faults.push(fault("metadata.name", "is required")),
        Some(Value::String(name)) if is_subdomain(name) => return name.clone(),
        Some(_) => faults.push(fault("metadata.name", NAME)),
    }
    String::new()
}

fn namespace(fields: &Map<String, Value>, faults: &mut Vec<Fault>) -> Option<String> {
    match fields.get("namespace") {
        None | Some(Value::Null) => {}
        Some(Value::String(name)) if is_namespace(name) => return Some(name.clone()),
        Some(_) => faults.push(fault("metadata.namespace", NAMESPACE)),
    }
    None
}

fn labels(fields: &Map<String, Value>, faults: &mut Vec<Fault>) -> Labels {
    let mut labels = Labels::new();
    match fields.get("labels") {
        None | Some(Value::Null) => {}
        Some(Value::Object(written)) => {
            for (key, value) in written {
                let path = child("metadata.labels", key);
                match value {
                    _ if !is_key(key) => faults.push(fault(&path, LABEL_KEYS.1)),
                    Value::String(value) if is_value(value) => drop(labels.insert(key.clone(), value.clone())),
                    _ => faults.push(fault(&path, LABEL_VALUES.1)),
                }
            }
        }
        Some(_) => faults.push(fault("metadata.labels", "must be an object")),
    }
    labels
}

fn created(fields: &Map<String, Value>) -> i64 {
    let text = fields
        .get("creationTimestamp")
        .and_then(Value::as_str)
        .unwrap_or_default();
    text.parse::<jiff::Timestamp>().map_or(0, jiff::Timestamp::as_second)
}

/// Reads the name of a namespace.
pub(crate) fn namespace_name(name: &str) -> Result<String, &'static str> {
    if is_namespace(name) {
        Ok(name.to_owned())
    } else {
        Err(NAMESPACE)
    }
}

/// Reads a label.
pub(crate) fn label(key: &str, value: &str) -> Result<(String, String), &'static str> {
    if !is_key(key) {
        Err(LABEL_KEYS.1)
    } else if !is_value(value) {
        Err(LABEL_VALUES.1)
    } else {
        Ok((key.to_owned(), value.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(metadata: Value, expected: Result<Metadata, &[&str]>) {
        let found = read(&json!({ "metadata": metadata }));
        let found = found.map_err(|faults| faults.into_iter().map(|fault| fault.path).collect::<Vec<_>>());
        assert_eq!(
            found,
            expected.map_err(|paths| paths.iter().map(|&path| path.to_owned()).collect()),
            "{metadata}"
        );
    }

    #[test]
    fn what_kubectl_prints_can_be_read_back() {
        let metadata = json!({
            "name": "a.b-c", "namespace": "shop", "labels": {"app.example/x": "", "y": "Z_1"}, "generation": 3,
            "creationTimestamp": "2026-11-21T00:00:00Z", "managedFields": [], "uid": "u", "annotations": {"a": "b"},
        });
        let expected = Metadata {
            name: "a.b-c".to_owned(),
            namespace: Some("shop".to_owned()),
            labels: Labels::from([
                ("app.example/x".to_owned(), String::new()),
                ("y".to_owned(), "Z_1".to_owned()),
            ]),
            generation: 3,
            created: 1_795_219_200,
        };
        check(metadata, Ok(expected));
    }

    #[test]
    fn names_and_labels_are_those_that_an_api_server_takes() {
        check(json!({}), Err(&["metadata.name"]));
        check(json!({"name": "Upper"}), Err(&["metadata.name"]));
        check(json!({"name": "a..b"}), Err(&["metadata.name"]));
        check(json!({"name": 5}), Err(&["metadata.name"]));
        check(json!({"name": "a", "namespace": "a.b"}), Err(&["metadata.namespace"]));
        check(
            json!({"name": "a", "labels": {"a b": "c"}}),
            Err(&["metadata.labels.a b"]),
        );
        check(
            json!({"name": "a", "labels": {"a": "b c", "d": true}}),
            Err(&["metadata.labels.a", "metadata.labels.d"]),
        );
        check(json!({"name": "a", "lables": {}}), Err(&["metadata.lables"]));
    }
}
