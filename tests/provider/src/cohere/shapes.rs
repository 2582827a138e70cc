//! What a request may be made of. A field that nobody knows is a 422, everything else a 400.

use super::Error;
use crate::json::Json;
use crate::shape::Shape::{self, Boolean, Either, Integer, List, Number, Object, Tagged, Word};
use crate::shape::{self, OBJECT, Segment, TEXT, Wrong, optional, required, variant};

const ANY: usize = usize::MAX;

const IMAGE: Shape = Object(&[
    required("url", TEXT),
    optional("detail", Word(&["auto", "low", "high"])),
]);
const PART: Shape = Tagged(&[
    variant("text", &[required("text", TEXT)]),
    variant("thinking", &[required("thinking", TEXT)]),
    variant("image_url", &[required("image_url", IMAGE)]),
    variant("document", &[required("document", OBJECT)]),
]);
/// The models' rule for names.
const NAME: Shape = Shape::Name {
    allowed: |letter| letter.is_ascii_alphanumeric() || letter == '_',
    max: 256,
    pattern: "^[a-zA-Z_][a-zA-Z0-9_]*$",
};
const CALL: Shape = Object(&[
    required("id", TEXT),
    required("type", Word(&["function"])),
    required(
        "function",
        Object(&[required("name", NAME), required("arguments", TEXT)]),
    ),
]);
const MESSAGE: Shape = Object(&[
    required("role", Word(&["system", "user", "assistant", "tool"])),
    optional("content", Either(&[TEXT, List(&PART, 1, ANY)])),
    optional("tool_calls", List(&CALL, 1, ANY)),
    optional("tool_plan", TEXT),
    optional("tool_call_id", TEXT),
    optional("citations", List(&OBJECT, 0, ANY)),
]);
const TOOL: Shape = Object(&[
    required("type", Word(&["function"])),
    required(
        "function",
        Object(&[
            required("name", NAME),
            optional("description", TEXT),
            required("parameters", OBJECT),
        ]),
    ),
]);
/// POST /v2/chat.
pub(super) const CHAT: Shape = Object(&[
    required("model", TEXT),
    required("messages", List(&MESSAGE, 1, ANY)),
    optional("stream", Boolean),
    optional("tools", List(&TOOL, 1, ANY)),
    optional("strict_tools", Boolean),
    optional("documents", List(&Shape::Any, 0, ANY)),
    optional("citation_options", OBJECT),
    optional(
        "response_format",
        Tagged(&[
            variant("text", &[]),
            variant("json_object", &[optional("json_schema", OBJECT)]),
        ]),
    ),
    optional("safety_mode", Word(&["CONTEXTUAL", "STRICT", "OFF"])),
    optional("max_tokens", Integer(1, i64::MAX)),
    optional("stop_sequences", List(&TEXT, 0, 5)),
    optional("temperature", Number(0.0, f64::MAX)),
    optional("seed", Integer(0, i64::MAX)),
    optional("frequency_penalty", Number(0.0, 1.0)),
    optional("presence_penalty", Number(0.0, 1.0)),
    optional("k", Integer(0, 500)),
    optional("p", Number(0.01, 0.99)),
    optional("logprobs", Boolean),
    optional("tool_choice", Word(&["REQUIRED", "NONE"])),
    optional(
        "thinking",
        Object(&[
            required("type", Word(&["enabled", "disabled"])),
            optional("token_budget", Integer(1, i64::MAX)),
        ]),
    ),
    optional("priority", Integer(0, 999)),
]);

/// POST /v2/embed.
pub(super) const EMBED: Shape = Object(&[
    required("model", TEXT),
    required(
        "input_type",
        Word(&[
            "search_document",
            "search_query",
            "classification",
            "clustering",
            "image",
        ]),
    ),
    optional("texts", List(&TEXT, 1, 96)),
    optional("max_tokens", Integer(1, i64::MAX)),
    optional("output_dimension", Integer(1, 1536)),
    optional(
        "embedding_types",
        List(
            &Word(&["float", "int8", "uint8", "binary", "ubinary", "base64"]),
            1,
            ANY,
        ),
    ),
    optional("truncate", Word(&["NONE", "START", "END"])),
]);

/// POST /v2/rerank.
pub(super) const RERANK: Shape = Object(&[
    required("model", TEXT),
    required("query", TEXT),
    required("documents", List(&TEXT, 1, 10_000)),
    optional("top_n", Integer(1, i64::MAX)),
    optional("max_tokens_per_doc", Integer(1, i64::MAX)),
    optional("priority", Integer(0, 999)),
]);

/// Everything that does not depend on the model.
pub(super) fn check(body: &Json, shape: &'static Shape) -> Result<(), Error> {
    shape::check(body, shape).map_err(|violation| match violation.wrong {
        Wrong::Unknown(names) => Error(
            422,
            format!(
                "unknown field: parameter '{}' is not a valid field. For proper usage, please refer to \
                 https://docs.cohere.com/reference/chat",
                names.join(", ")
            ),
        ),
        wrong => {
            let path: Vec<String> = violation.path.iter().map(step).collect();
            Error(400, format!("invalid request: {}: {wrong:?}", path.join(".")))
        }
    })
}

fn step(segment: &Segment) -> String {
    match segment {
        Segment::Key(key) => key.clone(),
        Segment::Index(index) => index.to_string(),
        Segment::Tag(tag) => (*tag).to_owned(),
    }
}
