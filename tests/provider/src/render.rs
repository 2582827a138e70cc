//! A part of a request as the model reads it: what is counted, and what the prompt cache compares.

use crate::json::Json;
use crate::tokens;

/// The text that stands for a value, and its tokens.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rendered {
    pub(crate) text: String,
    pub(crate) tokens: u64,
}

/// Renders a value. Pictures and files stand as a digest and cost a flat rate; the marks of a cache are left out.
pub(crate) fn rendered(value: &Json) -> Rendered {
    let mut files = 0;
    let text = readable(value, &mut files).compact();
    let tokens = tokens::count(&text) + files * tokens::IMAGE;
    Rendered { text, tokens }
}

fn readable(value: &Json, files: &mut u64) -> Json {
    match value {
        Json::Object(fields) if is_file(value) => {
            *files += 1;
            let digest = blake3::hash(
                Json::Object(fields.clone())
                    .without("cache_control")
                    .compact()
                    .as_bytes(),
            );
            Json::Text(format!("file {}", digest.to_hex()))
        }
        Json::Object(fields) => {
            let kept = fields.iter().filter(|(key, _)| key != "cache_control");
            Json::Object(kept.map(|(key, value)| (key.clone(), readable(value, files))).collect())
        }
        Json::List(elements) => Json::List(elements.iter().map(|element| readable(element, files)).collect()),
        other => other.clone(),
    }
}

fn is_file(value: &Json) -> bool {
    matches!(
        value.text_of("type"),
        Some("image" | "image_url" | "input_audio" | "file" | "document")
    ) && ["source", "image_url", "input_audio", "file"]
        .iter()
        .any(|key| value.get(key).is_some())
        || value.get("inlineData").is_some()
        || value.get("fileData").is_some()
}
