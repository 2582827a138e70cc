//! Gemini's generateContent.

use super::{End, Part, SIGNATURE, SOURCE, Said, Say, USAGE, city};
use serde_json::{Value, json};

pub(super) fn answer(say: Say, parts: &[Part], end: End) -> Option<Said> {
    let refuses = parts.iter().any(|part| matches!(part, Part::Refusal(_)));
    // It has no words for a stop sequence, for a refusal, nor for what was written to the cache.
    if refuses || end == End::Sequence || say == Say::Written {
        return None;
    }
    let reason = match end {
        End::Stop | End::Sequence | End::Calls => "STOP",
        End::Length => "MAX_TOKENS",
        End::Filter => "SAFETY",
    };
    let written = written(parts, false).concat();
    let mut stream: Vec<_> = self::written(parts, true)
        .into_iter()
        .map(|parts| ("", body(json!(parts), None)))
        .collect();
    stream.push(("", body(json!([{"text": ""}]), Some(reason))));
    let mut whole = body(json!(written), Some(reason));
    if parts.iter().any(|part| matches!(part, Part::Cited(_))) {
        let grounds = json!({"groundingChunks": [{"web": {"uri": SOURCE, "title": "Quinces"}}],
            "groundingSupports": [{"segment": {"endIndex": 6, "text": "quince"}, "groundingChunkIndices": [0]}]});
        whole["candidates"][0]["groundingMetadata"] = grounds.clone();
        stream.last_mut()?.1["candidates"][0]["groundingMetadata"] = grounds;
    }
    Some(Said { whole, stream })
}

fn body(parts: Value, reason: Option<&str>) -> Value {
    let mut candidate = json!({"content": {"role": "model", "parts": parts}, "index": 0});
    let mut body = json!({"modelVersion": "up", "responseId": "q"});
    if let Some(reason) = reason {
        candidate["finishReason"] = json!(reason);
        body["usageMetadata"] = usage();
    }
    body["candidates"] = json!([candidate]);
    body
}

fn usage() -> Value {
    json!({"promptTokenCount": USAGE.input, "cachedContentTokenCount": USAGE.cached_input,
        "candidatesTokenCount": USAGE.output - USAGE.reasoning, "thoughtsTokenCount": USAGE.reasoning,
        "totalTokenCount": USAGE.input + USAGE.output})
}

/// The parts of each chunk. The first call after a thought has its signature.
fn written(parts: &[Part], in_pieces: bool) -> Vec<Vec<Value>> {
    let mut chunks = Vec::new();
    let calls = parts.iter().any(|part| matches!(part, Part::Call(..)));
    let mut signature = None;
    for part in parts {
        match part {
            Part::Image(data) => {
                let image = json!({"inlineData": {"mimeType": "image/png", "data": data}});
                chunks.push(vec![signed(image, signature.take())]);
            }
            Part::Text(text) | Part::Refusal(text) | Part::Cited(text) if in_pieces => {
                chunks.extend(text.iter().enumerate().map(|(at, text)| {
                    let signature = if at == 0 { signature.take() } else { None };
                    vec![signed(json!({"text": text}), signature)]
                }));
            }
            Part::Text(text) | Part::Refusal(text) | Part::Cited(text) => {
                chunks.push(vec![signed(json!({"text": text.concat()}), signature.take())]);
            }
            Part::Thought(text) => {
                signature = Some(SIGNATURE);
                chunks.push(vec![json!({"text": text, "thought": true})]);
            }
            Part::Call(id, place) => {
                let call = json!({"functionCall": {"id": id, "name": "weather", "args": city(place)}});
                chunks.push(vec![signed(call, signature.take().filter(|_| calls))]);
            }
        }
    }
    chunks
}

fn signed(mut part: Value, signature: Option<&str>) -> Value {
    if let Some(signature) = signature {
        part["thoughtSignature"] = json!(signature);
    }
    part
}
