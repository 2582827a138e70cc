//! What routing and pass-through need of a body that is not decoded.

use crate::dialect::Medium;
use crate::dialect::gemini::signature::{ABSENT, MARK_BASE64};
use crate::dialect::gemini::spelling::{List, given, is, list, word};
use crate::json::{Object, Raw};
use memchr::memmem;
use std::ops::Range;

fn contents<'a>(object: &Object<'a>) -> impl Iterator<Item = Object<'a>> {
    let contents = list(object, "contents");
    contents.into_iter().flat_map(List::objects).flatten()
}

fn parts<'a>(content: &Object<'a>) -> impl Iterator<Item = Object<'a>> {
    let parts = list(content, "parts");
    parts.into_iter().flat_map(List::objects).flatten()
}

/// Such a thing is among the contents. Walks them only when they name one of its types at all.
pub(in crate::dialect) fn holds(object: &Object<'_>, medium: Medium) -> bool {
    let family = medium.family();
    let text = given(object, "contents").map(Raw::text).unwrap_or_default().as_bytes();
    let is_type = |at: usize| {
        let behind = text.get(at + family.len()..).unwrap_or_default();
        behind.starts_with(b"/") || behind.starts_with(b"\\/")
    };
    if !memmem::find_iter(text, family).any(is_type) {
        return false;
    }
    let is_one = |part: &Object<'_>, key| {
        let media = given(part, key).and_then(Raw::object);
        let kind = media.map(|media| word(&media, "mimeType").into_owned());
        kind.is_some_and(|kind| kind.strip_prefix(family).is_some_and(|rest| rest.starts_with('/')))
    };
    contents(object)
        .flat_map(|content| parts(&content).collect::<Vec<_>>())
        .any(|part| is_one(&part, "inlineData") || is_one(&part, "fileData"))
}

/// The texts of the system prompt and of the user's first content.
pub(in crate::dialect) fn beginning<'a>(object: &Object<'a>) -> impl Iterator<Item = Raw<'a>> {
    let system = given(object, "systemInstruction").and_then(Raw::object);
    let user = contents(object).find(|content| !is_model_s(content));
    let texts = |content: Object<'a>| {
        parts(&content)
            .filter_map(|part| given(&part, "text"))
            .collect::<Vec<_>>()
    };
    system.into_iter().chain(user).flat_map(texts)
}

fn is_model_s(content: &Object<'_>) -> bool {
    word(content, "role").eq_ignore_ascii_case("model")
}

/// How Google's APIs name a model.
pub(in crate::dialect) fn resource(model: &str) -> String {
    match model.starts_with("models/") || model.starts_with("tunedModels/") {
        true => model.to_owned(),
        false => format!("models/{model}"),
    }
}

/// Where the model is named again, inside of the body: in each request of a batch of embeddings, and in one whose tokens
/// are counted.
pub(in crate::dialect) fn inner_models(object: &Object<'_>) -> Vec<Range<usize>> {
    let requests = list(object, "requests");
    let requests = requests.into_iter().flat_map(List::objects).flatten();
    let counted = given(object, "generateContentRequest").and_then(Raw::object);
    let models = requests.chain(counted).filter_map(|request| given(&request, "model"));
    models.map(|model| object.span(model)).collect()
}

/// Where signatures stand that are not Google's, and what Google takes in their place; each a whole JSON string.
pub(in crate::dialect) fn foreign_signatures(object: &Object<'_>) -> Vec<(Range<usize>, Vec<u8>)> {
    let text = object.text();
    let starts = memmem::find_iter(text.as_bytes(), MARK_BASE64.as_bytes());
    let found = starts.filter_map(|at| {
        let quote = at.checked_sub(1)?;
        let before = text
            .get(..at)?
            .strip_suffix('"')?
            .trim_end()
            .strip_suffix(':')?
            .trim_end();
        let key = before.strip_suffix('"')?;
        let key = key.get(key.rfind('"')? + 1..)?;
        let end = at + memchr::memchr(b'"', text.as_bytes().get(at..)?)? + 1;
        is(key, "thoughtSignature").then(|| (quote..end, format!("\"{ABSENT}\"").into_bytes()))
    });
    found.collect()
}

/// What is inserted at the end of what [`unsigned_calls`] finds.
pub(in crate::dialect) const UNSIGNED: &[u8] = b",\"thoughtSignature\":\"skip_thought_signature_validator\"";

/// Where the first call of each of the model's turns stands, its part without the brace that closes it, if it has no
/// signature: those of calls that are made together stand on the first alone.
pub(in crate::dialect) fn unsigned_calls(object: &Object<'_>) -> Vec<Range<usize>> {
    let contents = list(object, "contents").into_iter().flatten();
    let mut has_called = false;
    let calls = contents.filter_map(Raw::object).filter_map(|content| {
        // A stream's pieces are often returned as they came, one content after the other: they are one turn.
        let is_model_s = is_model_s(&content);
        has_called &= is_model_s;
        if has_called || !is_model_s {
            return None;
        }
        let mut parts = list(&content, "parts")?;
        let (part, call) = parts.find_map(|part| {
            let object = part.object()?;
            given(&object, "functionCall").is_some().then_some((part, object))
        })?;
        has_called = true;
        let is_unsigned = given(&call, "thoughtSignature").is_none();
        let span = object.span(part);
        is_unsigned.then(|| span.start..span.end - 1)
    });
    calls.collect()
}

#[cfg(test)]
mod tests {
    use super::{UNSIGNED, foreign_signatures, unsigned_calls};

    #[test]
    fn only_the_first_call_of_a_turn_must_have_a_signature() {
        let body = r#"{"contents":[{"role":"user","parts":[{"text":"a"}]},
            {"role":"model","parts":[{"text":"b"},{"functionCall":{"name":"f"} },{"functionCall":{"name":"g"}}]},
            {"role":"model","parts":[{"functionCall":{"name":"h"}}]},{"role":"user","parts":[{"text":"c"}]},
            {"role":"model","parts":[{"function_call":{"name":"f"},"thought_signature":"CiQB"}]},
            {"role":"model","parts":[{"functionCall":{"name":"g"}}]}]}"#;
        let object = crate::json::parse(body.as_bytes()).unwrap();
        let calls = unsigned_calls(&object);
        assert_eq!(calls.len(), 1);
        let (before, after) = body.split_at(calls[0].end);
        let whole = format!("{before}{}{after}", str::from_utf8(UNSIGNED).unwrap());
        assert!(
            whole.contains(r#"{"functionCall":{"name":"f"} ,"thoughtSignature":"skip"#),
            "{whole}"
        );
        assert!(unsigned_calls(&crate::json::parse(whole.as_bytes()).unwrap()).is_empty());
    }

    #[test]
    fn only_signatures_are_taken_for_some() {
        let body = r#"{"contents":[{"parts":[{"text":"cGlsb3RmaXNoOnM6","thoughtSignature" : "cGlsb3RmaXNoOnM6YQ=="},
            {"thought_signature":"cGlsb3RmaXNoOnI6"},{"thoughtSignature":"CiQB"}]}]}"#;
        let object = crate::json::parse(body.as_bytes()).unwrap();
        let found: Vec<_> = foreign_signatures(&object)
            .into_iter()
            .map(|(range, _)| body.get(range).unwrap())
            .collect();
        assert_eq!(found, [r#""cGlsb3RmaXNoOnM6YQ==""#, r#""cGlsb3RmaXNoOnI6""#]);
    }
}
