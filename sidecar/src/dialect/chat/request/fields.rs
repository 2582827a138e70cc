//! What becomes of each field of a chat request in another dialect. Sorted by name.

use crate::dialect::Grade::{Hint, Meaning};
use crate::dialect::item::{Knob, Names};
use crate::dialect::loss::Fate::{Knob as Turn, Lost, Ours, Read, Refused};
use crate::dialect::loss::{Field, field, field_unless};

/// What the fields are called that other dialects have too.
pub(in crate::dialect) const NAMES: Names = Names {
    cache: "cache_control",
    conversation: "messages",
    strict: "function.strict",
    tier: "service_tier",
    tool_choice: "tool_choice",
    max_output: "max_completion_tokens",
    stop: "stop",
    format: "response_format",
    thinking: "reasoning_effort",
    end_user: "user",
    parallel_calls: "parallel_tool_calls",
    schema: "function.parameters",
    answer_schema: "response_format.json_schema.schema",
    answer_described: "response_format.json_schema.description",
};

/// The fields of a request.
pub(super) const REQUEST: &[Field] = &[
    field("audio", Lost(Meaning, "no other dialect answers with sound")),
    field("cache_control", Read),
    field_unless("frequency_penalty", &["0", "0.0"], Turn(Knob::FrequencyPenalty)),
    field(
        "function_call",
        Refused("is the deprecated form of tool_choice, which can be translated"),
    ),
    field(
        "functions",
        Refused("is the deprecated form of tools, which can be translated"),
    ),
    field_unless("logit_bias", &["{}"], Turn(Knob::LogitBias)),
    field_unless("logprobs", &["false"], Turn(Knob::Logprobs)),
    field("max_completion_tokens", Read),
    field("max_tokens", Read),
    field("messages", Read),
    field("metadata", Read),
    field_unless(
        "modalities",
        &["[\"text\"]"],
        Lost(Meaning, "no other dialect answers with sound"),
    ),
    field("model", Ours),
    field("moderation", Lost(Meaning, "only OpenAI moderates")),
    field_unless("n", &["1"], Turn(Knob::Choices)),
    field("parallel_tool_calls", Read),
    field("prediction", Lost(Hint, "no other dialect takes a prediction")),
    field_unless("presence_penalty", &["0", "0.0"], Turn(Knob::PresencePenalty)),
    field("prompt_cache_key", Turn(Knob::CacheKey)),
    field(
        "prompt_cache_options",
        Lost(Hint, "no other dialect has these cache options"),
    ),
    field("prompt_cache_retention", Turn(Knob::CacheRetention)),
    field("reasoning", Read),
    field("reasoning_effort", Read),
    field("response_format", Read),
    field("safety_identifier", Read),
    field("seed", Turn(Knob::Seed)),
    field("service_tier", Read),
    field("stop", Read),
    field_unless("store", &["false"], Lost(Hint, "only OpenAI stores completions")),
    field("stream", Ours),
    field("stream_options", Ours),
    field("temperature", Turn(Knob::Temperature)),
    field("thinking", Read),
    field("tool_choice", Read),
    field("tools", Read),
    field("top_k", Turn(Knob::TopK)),
    field_unless("top_logprobs", &["0"], Turn(Knob::TopLogprobs)),
    field_unless("top_p", &["1", "1.0"], Turn(Knob::TopP)),
    field("user", Read),
    field_unless("verbosity", &["\"medium\""], Turn(Knob::Verbosity)),
    field("web_search_options", Read),
];

/// The fields of a message, whatever its role.
pub(super) const MESSAGE: &[Field] = &[
    field_unless("annotations", &["[]"], Ours),
    field("audio", Lost(Meaning, "the sound is only with OpenAI")),
    field("cache_control", Read),
    field("content", Read),
    field(
        "function_call",
        Refused("is the deprecated form of tool_calls, which can be translated"),
    ),
    field("images", Read),
    field("name", Lost(Hint, "no other dialect names participants")),
    field("prompt_cache_breakpoint", Read),
    field("reasoning", Read),
    field("reasoning_content", Read),
    field("reasoning_details", Read),
    field("refusal", Read),
    field("role", Read),
    field("thinking_blocks", Read),
    field("tool_call_id", Read),
    field("tool_calls", Read),
];

/// The fields of a content part, whatever its type.
pub(super) const PART: &[Field] = &[
    field("cache_control", Read),
    field("file", Read),
    field("image_url", Read),
    field("input_audio", Read),
    field("prompt_cache_breakpoint", Read),
    field("refusal", Read),
    field("text", Read),
    field("type", Read),
];
