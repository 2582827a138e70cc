//! What becomes of each field of a Responses request in another dialect. Sorted by name.

use crate::dialect::Grade::{Hint, Meaning};
use crate::dialect::item::{Knob, Names};
use crate::dialect::loss::Fate::{Knob as Turn, Lost, Ours, Read};
use crate::dialect::loss::{Field, field, field_unless};

/// What the fields are called that other dialects have too.
pub(super) const NAMES: Names = Names {
    cache: "prompt_cache_breakpoint",
    conversation: "input",
    strict: "strict",
    tier: "service_tier",
    tool_choice: "tool_choice",
    max_output: "max_output_tokens",
    stop: "stop",
    format: "text.format",
    thinking: "reasoning",
    end_user: "safety_identifier",
    schema: "parameters",
    answer_schema: "text.format.schema",
    answer_described: "text.format.description",
    parallel_calls: "parallel_tool_calls",
};

/// The fields of a request.
pub(super) const REQUEST: &[Field] = &[
    field("access_programs", Lost(Hint, "only OpenAI has access programs")),
    field_unless(
        "background",
        &["false"],
        Lost(Meaning, "no other dialect answers in the background"),
    ),
    field(
        "background_options",
        Lost(Hint, "no other dialect answers in the background"),
    ),
    field_unless(
        "context_management",
        &["[]"],
        Lost(Hint, "only OpenAI compacts a conversation"),
    ),
    field(
        "conversation",
        Lost(Meaning, "the conversation is only with its provider"),
    ),
    field("image", Lost(Hint, "only OpenAI compresses images")),
    field("include", Read),
    field("input", Read),
    field("instructions", Read),
    field("max_output_tokens", Read),
    field(
        "max_tool_calls",
        Lost(Hint, "it limits hosted tools, which are not translated"),
    ),
    field("metadata", Read),
    field("model", Ours),
    field("moderation", Lost(Meaning, "only OpenAI moderates")),
    field("parallel_tool_calls", Read),
    field(
        "previous_response_id",
        Lost(
            Meaning,
            "the response is only with its provider; its items can be sent instead",
        ),
    ),
    field("prompt", Lost(Meaning, "the prompt is only with its provider")),
    field("prompt_cache_key", Turn(Knob::CacheKey)),
    field(
        "prompt_cache_options",
        Lost(Hint, "no other dialect has these cache options"),
    ),
    field("prompt_cache_retention", Turn(Knob::CacheRetention)),
    field("reasoning", Read),
    field("safety_identifier", Read),
    field("service_tier", Read),
    field_unless("store", &["false"], Lost(Hint, "only OpenAI stores responses")),
    field("stream", Ours),
    field("stream_options", Ours),
    field("temperature", Turn(Knob::Temperature)),
    field("text", Read),
    field("tool_choice", Read),
    field("tools", Read),
    field_unless("top_logprobs", &["0"], Turn(Knob::TopLogprobs)),
    field_unless("top_p", &["1", "1.0"], Turn(Knob::TopP)),
    field_unless(
        "truncation",
        &["\"disabled\""],
        Lost(Hint, "only OpenAI drops what does not fit"),
    ),
    field("user", Read),
];

/// The fields of an input item, whatever its type.
pub(super) const ITEM: &[Field] = &[
    field("arguments", Read),
    field_unless("async", &["false"], Lost(Hint, "no other dialect calls asynchronously")),
    field("call_id", Read),
    field_unless(
        "caller",
        &[r#"{"type":"direct"}"#],
        Lost(Hint, "no other dialect says who called"),
    ),
    field("content", Read),
    field("encrypted_content", Read),
    field("id", Ours),
    field("input", Read),
    field("name", Read),
    field("namespace", Lost(Hint, "no other dialect has namespaces")),
    field("output", Read),
    field("output_format", Read),
    field("phase", Lost(Hint, "no other dialect has phases")),
    field("result", Read),
    field("role", Read),
    field("status", Ours),
    field("summary", Read),
    field("type", Read),
];

/// The fields of a content part, whatever its type.
pub(super) const PART: &[Field] = &[
    field_unless("annotations", &["[]"], Ours),
    field("detail", Read),
    field("file_data", Read),
    field("file_id", Read),
    field("file_url", Read),
    field("filename", Read),
    field("image_url", Read),
    field("input_audio", Read),
    field("logprobs", Ours),
    field("prompt_cache_breakpoint", Read),
    field("refusal", Read),
    field("text", Read),
    field("type", Read),
];

/// The fields of a function tool.
pub(super) const TOOL: &[Field] = &[
    field_unless(
        "allowed_callers",
        &["[\"direct\"]"],
        Lost(Hint, "no other dialect says who may call"),
    ),
    field_unless("async", &["false"], Lost(Hint, "no other dialect calls asynchronously")),
    field_unless(
        "defer_loading",
        &["false"],
        Lost(Hint, "no other dialect loads tools late"),
    ),
    field("description", Read),
    field("format", Read),
    field("name", Read),
    field("output_schema", Lost(Hint, "no other dialect describes results")),
    field("parameters", Read),
    field("strict", Read),
    field("type", Read),
];

/// The fields of `reasoning`.
pub(super) const REASONING: &[Field] = &[
    field_unless(
        "context",
        &["\"auto\""],
        Lost(Hint, "only OpenAI chooses what is reasoned with"),
    ),
    field("effort", Read),
    field("generate_summary", Read),
    field_unless("mode", &["\"standard\""], Lost(Hint, "only OpenAI has reasoning modes")),
    field("summary", Read),
];

/// The fields of `text`.
pub(super) const TEXT: &[Field] = &[field("format", Read), field("verbosity", Read)];
