//! Embeddings and rankings.

use crate::json::Json;
use crate::{tokens, vector};
use serde_json::{Value, json};

/// What embed-v4.0 answers unless told otherwise.
const DIMENSIONS: u64 = 1536;

/// The vectors of a request's texts, and the tokens they cost.
pub(super) fn embedded(body: &Json) -> (Value, u64) {
    let size = body.count_of("output_dimension").unwrap_or(DIMENSIONS);
    let size = usize::try_from(size).unwrap_or(1);
    let texts: Vec<&str> = body.list_of("texts").iter().filter_map(Json::text).collect();
    let input = texts.iter().map(|text| tokens::count(text)).sum();
    let vectors: Vec<_> = texts.iter().map(|text| vector::of(text, size)).collect();
    let answer = json!({
        "id": "da6e531f-54c5-4a73-bf92-f60566d8d753", "embeddings": {"float": vectors}, "texts": texts,
        "meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": input}},
        "response_type": "embeddings_by_type",
    });
    (answer, input)
}

/// The documents that share most words with the query first.
pub(super) fn ranked(body: &Json) -> (Value, u64) {
    let answer = json!({
        "id": "07734bd2-2473-4f07-94e1-0d9f0e6843cf", "results": ranking(body),
        "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}},
    });
    (answer, 0)
}

/// A document's; others than Cohere take objects, too.
pub(crate) fn text(document: &Json) -> Option<&str> {
    document.text().or_else(|| document.text_of("text"))
}

/// Indices and scores, the best first. No number of them is all, as is 0.
pub(crate) fn ranking(body: &Json) -> Vec<Value> {
    let query = body.text_of("query").unwrap_or_default().to_lowercase();
    let words: Vec<&str> = query.split_whitespace().collect();
    let score = |document: &Json| {
        let text = text(document).unwrap_or_default().to_lowercase();
        let shared = words.iter().filter(|word| text.contains(**word)).count();
        u32::try_from(shared).map_or(0.0, f64::from) / u32::try_from(words.len().max(1)).map_or(1.0, f64::from)
    };
    let mut scores: Vec<_> = body.list_of("documents").iter().map(score).enumerate().collect();
    scores.sort_by(|one, other| other.1.total_cmp(&one.1));
    let most = body
        .count_of("top_n")
        .filter(|most| *most > 0)
        .and_then(|most| usize::try_from(most).ok());
    scores
        .into_iter()
        .take(most.unwrap_or(usize::MAX))
        .map(|(index, score)| json!({"index": index, "relevance_score": score}))
        .collect()
}
