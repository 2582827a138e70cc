//! What of a request its answer repeats. The SDKs' types demand some of it, and applications read the rest.

use crate::dialect::loss::given;
use crate::json::{Object, ObjectWriter, to_one_line};

/// Fields that an answer has even when the request has not, with what they say then.
const REPEATED: &[(&str, &str)] = &[
    ("instructions", "null"),
    ("max_output_tokens", "null"),
    ("metadata", "{}"),
    ("parallel_tool_calls", "true"),
    ("prompt_cache_key", "null"),
    ("reasoning", r#"{"effort":null,"summary":null}"#),
    ("safety_identifier", "null"),
    ("temperature", "null"),
    ("text", r#"{"format":{"type":"text"}}"#),
    ("tool_choice", "\"auto\""),
    ("tools", "[]"),
    ("top_p", "null"),
    ("truncation", "\"disabled\""),
    ("user", "null"),
];

/// The members of an answer that come from its request, as an object.
pub(in crate::dialect) fn repeated(request: &Object<'_>) -> Vec<u8> {
    let lengths = REPEATED
        .iter()
        .filter_map(|(name, _)| Some(given(request, name)?.text().len()));
    let mut out = Vec::with_capacity(512 + lengths.sum::<usize>());
    let mut object = ObjectWriter::new(&mut out);
    object.bool("background", false);
    object.null("previous_response_id");
    // Nothing is kept here, and no client should look for it.
    object.bool("store", false);
    for (name, default) in REPEATED {
        let place = object.member(name);
        match given(request, name) {
            Some(value) => place.raw(value),
            None => place.known(default),
        }
    }
    object.end();
    // Events carry it.
    to_one_line(&mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::repeated;
    use crate::json;

    #[test]
    fn what_is_repeated_fits_into_an_event() {
        let request = "{\"tools\": [\r\n  {\"type\": \"function\", \"name\": \"f\"}\n]}";
        let written = repeated(&json::parse(request.as_bytes()).unwrap());
        let written = String::from_utf8(written).unwrap();
        assert!(
            written.contains(r#""tools":[    {"type": "function", "name": "f"} ]"#),
            "{written}"
        );
        assert!(!written.contains(['\n', '\r']));
    }
}
