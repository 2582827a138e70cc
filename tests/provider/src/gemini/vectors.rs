//! Embeddings, and what is counted. Models that a body names must be the one in the path.

use super::error::{self, Error};
use crate::json::Json;
use crate::shape::Shape::{self, Integer, List, Object, Word};
use crate::shape::{self, TEXT, optional, required};
use crate::{tokens, vector};
use serde_json::{Value, json};

const ANY: usize = usize::MAX;
/// What gemini-embedding-001 answers unless told otherwise.
const DIMENSIONS: u64 = 3072;

const CONTENT: Shape = Object(&[
    required("parts", List(&Object(&[required("text", TEXT)]), 1, ANY)),
    optional("role", TEXT),
]);
const TASK: Shape = Word(&[
    "TASK_TYPE_UNSPECIFIED",
    "RETRIEVAL_QUERY",
    "RETRIEVAL_DOCUMENT",
    "SEMANTIC_SIMILARITY",
    "CLASSIFICATION",
    "CLUSTERING",
    "QUESTION_ANSWERING",
    "FACT_VERIFICATION",
    "CODE_RETRIEVAL_QUERY",
]);
const ONE: Shape = Object(&[
    optional("model", TEXT),
    required("content", CONTENT),
    optional("taskType", TASK),
    optional("title", TEXT),
    optional("outputDimensionality", Integer(1, 3072)),
]);
const BATCH: Shape = Object(&[required("requests", List(&ONE, 1, 100))]);

/// The conversation to be counted.
pub(super) fn counted(body: &Json, model: &str) -> Result<Json, Error> {
    match body.given("generateContentRequest") {
        Some(inner) => {
            named(inner, model)?;
            Ok(inner.without("model"))
        }
        None => Ok(body.clone()),
    }
}

/// One vector, and the tokens it costs.
pub(super) fn of_one(body: &Json, model: &str) -> Result<(Value, u64), Error> {
    shape::check(body, &ONE)?;
    if body.given("model").is_some() {
        named(body, model)?;
    }
    let (values, tokens) = values(body);
    Ok((json!({"embedding": {"values": values}}), tokens))
}

/// The same of several.
pub(super) fn of_batch(body: &Json, model: &str) -> Result<(Value, u64), Error> {
    shape::check(body, &BATCH)?;
    let requests = body.list_of("requests");
    requests.iter().try_for_each(|request| named(request, model))?;
    let made: Vec<_> = requests.iter().map(values).collect();
    let tokens = made.iter().map(|(_, tokens)| tokens).sum();
    let embeddings: Vec<_> = made.iter().map(|(values, _)| json!({ "values": values })).collect();
    Ok((json!({ "embeddings": embeddings }), tokens))
}

fn named(request: &Json, model: &str) -> Result<(), Error> {
    let name = request.text_of("model").unwrap_or_default();
    match name.strip_prefix("models/") {
        Some(name) if name == model => Ok(()),
        _ => Err(error::other_model(name)),
    }
}

fn values(request: &Json) -> (Vec<f32>, u64) {
    let content = request.get("content");
    let parts = content.map(|content| content.list_of("parts")).unwrap_or_default();
    let text: String = parts.iter().filter_map(|part| part.text_of("text")).collect();
    let size = request.count_of("outputDimensionality").unwrap_or(DIMENSIONS);
    let size = usize::try_from(size).unwrap_or(1);
    (vector::of(&text, size), tokens::count(&text))
}
