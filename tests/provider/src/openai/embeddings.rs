//! Embeddings: unit vectors that follow from the text.

use super::error::Error;
use super::shapes;
use crate::json::{Json, compact};
use crate::model::Model;
use crate::shape;
use crate::{tokens, vector};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

#[derive(Serialize)]
struct Body<'a> {
    object: &'static str,
    data: Vec<Embedding>,
    model: &'a str,
    usage: Usage,
}

#[derive(Serialize)]
struct Embedding {
    object: &'static str,
    index: usize,
    embedding: Vector,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Vector {
    Numbers(Vec<f32>),
    Base64(String),
}

#[derive(Serialize)]
struct Usage {
    prompt_tokens: u64,
    total_tokens: u64,
}

/// What is wrong with the request, besides its model's name.
pub(super) fn validate(request: &Json, model: &Model) -> Result<(), Error> {
    shape::check(request, &shapes::EMBEDDINGS)?;
    if model.traits.dimensions == 0 {
        return Err(Error::new(
            403,
            "invalid_request_error",
            "You are not allowed to generate embeddings from this model",
        ));
    }
    let most = model.traits.dimensions as u64;
    if let Some(asked) = request.count_of("dimensions").filter(|asked| *asked > most) {
        let sentence = format!("Invalid value for 'dimensions' = {asked}. Must be less than or equal to {most}.");
        return Err(Error::invalid("dimensions", sentence));
    }
    Ok(())
}

/// The body, and the tokens it costs.
pub(super) fn body(request: &Json, model: &Model) -> (String, u64) {
    let inputs = inputs(request.get("input"));
    let tokens = inputs.iter().map(|input| tokens::count(input)).sum();
    let size = request
        .count_of("dimensions")
        .and_then(|asked| usize::try_from(asked).ok());
    let size = size.unwrap_or(model.traits.dimensions);
    let base64 = request.text_of("encoding_format") == Some("base64");
    let embedding = |(index, input): (usize, &String)| Embedding {
        object: "embedding",
        index,
        embedding: if base64 {
            Vector::Base64(encoded(&vector::of(input, size)))
        } else {
            Vector::Numbers(vector::of(input, size))
        },
    };
    let data = inputs.iter().enumerate().map(embedding).collect();
    let usage = Usage {
        prompt_tokens: tokens,
        total_tokens: tokens,
    };
    let body = Body {
        object: "list",
        data,
        model: &model.answers_as,
        usage,
    };
    (super::pretty(&body), tokens)
}

/// A text, several texts, one list of tokens, or several.
fn inputs(input: Option<&Json>) -> Vec<String> {
    match input {
        Some(Json::Text(text)) => vec![text.clone()],
        Some(tokens @ Json::List(elements)) if matches!(elements.first(), Some(Json::Number(_))) => {
            vec![compact(tokens)]
        }
        Some(list) => list
            .list()
            .iter()
            .map(|element| element.text().map_or_else(|| element.compact(), str::to_owned))
            .collect(),
        None => Vec::new(),
    }
}

fn encoded(vector: &[f32]) -> String {
    STANDARD.encode(vector.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())
}
