//! Looking for what was put in: spots in a JSON document, and what must stand at each.

use serde_json::Value;

/// Places that must all hold what they say.
#[derive(Clone, Debug)]
pub(crate) struct Spots(Vec<Spot>);

/// A node anywhere at `at`, whose descendants are what `having` says.
#[derive(Clone, Debug)]
struct Spot {
    at: &'static str,
    having: Value,
}

/// Any one of these will do; with none, the dialect has no place for the thing.
pub(crate) type Sought = Vec<Spots>;

/// A node at the path `at` (`*` is any one step, `**` any number of them) under which each member of `having` is found:
/// its key is a path below the node, empty for the node itself, its value what stands there. `null` also means nothing
/// stands there.
pub(crate) fn spot(at: &'static str, having: Value) -> Spots {
    Spots(vec![Spot { at, having }])
}

/// The value at a path.
pub(crate) fn value(at: &'static str, value: Value) -> Spots {
    spot(at, serde_json::json!({ "": value }))
}

/// The words at any place below `at`.
pub(crate) fn words(at: &'static str, words: &str) -> Spots {
    spot(at, serde_json::json!({ "**": words }))
}

impl Spots {
    /// These and those.
    pub(crate) fn and(mut self, those: Self) -> Self {
        self.0.extend(those.0);
        self
    }

    /// Whether the document holds all of them.
    pub(crate) fn are_in(&self, document: &Value) -> bool {
        self.0.iter().all(|spot| spot.is_in(document))
    }
}

impl Spot {
    fn is_in(&self, document: &Value) -> bool {
        let wanted = self.having.as_object().expect("what a spot has is an object");
        at(document, self.at)
            .into_iter()
            .any(|node| wanted.iter().all(|(path, value)| has(node, path, value)))
            || (wanted.values().all(Value::is_null) && at(document, self.at).is_empty())
    }
}

fn has(node: &Value, path: &str, wanted: &Value) -> bool {
    let found = at(node, path);
    found.iter().any(|found| is(found, wanted)) || (wanted.is_null() && found.is_empty())
}

/// The same value; a string that holds the same JSON; the same number, written otherwise.
fn is(found: &Value, wanted: &Value) -> bool {
    let same_number = || Some(found.as_f64()? == wanted.as_f64()?);
    let same_inside = || {
        let inside: Value = serde_json::from_str(found.as_str()?).ok()?;
        Some(wanted.is_object() && inside == *wanted)
    };
    found == wanted || same_number().unwrap_or(false) || same_inside().unwrap_or(false)
}

/// All nodes at a path.
fn at<'v>(node: &'v Value, path: &str) -> Vec<&'v Value> {
    let (step, rest) = path.split_once('.').unwrap_or((path, ""));
    let below = |nodes: Vec<&'v Value>| nodes.into_iter().flat_map(|node| at(node, rest)).collect();
    match step {
        "" => vec![node],
        "*" => below(children(node)),
        "**" => {
            let mut found = at(node, rest);
            found.extend(children(node).into_iter().flat_map(|child| at(child, path)));
            found
        }
        key => match node {
            Value::Array(list) => below(
                key.parse()
                    .ok()
                    .and_then(|at: usize| list.get(at))
                    .into_iter()
                    .collect(),
            ),
            _ => below(node.get(key).into_iter().collect()),
        },
    }
}

fn children(node: &Value) -> Vec<&Value> {
    match node {
        Value::Array(list) => list.iter().collect(),
        Value::Object(map) => map.values().collect(),
        _ => Vec::new(),
    }
}
