//! What becomes of each field of an Anthropic request in another dialect. Sorted by name.

use crate::dialect::Grade::{Hint, Meaning};
use crate::dialect::item::{Knob, Names};
use crate::dialect::loss::Fate::{Knob as Turn, Lost, Ours, Read};
use crate::dialect::loss::{Field, field, field_unless};

/// What the fields are called that other dialects have too.
pub(super) const NAMES: Names = Names {
    cache: "cache_control",
    conversation: "messages",
    strict: "strict",
    tier: "service_tier",
    tool_choice: "tool_choice",
    max_output: "max_tokens",
    stop: "stop_sequences",
    format: "output_config.format",
    thinking: "thinking",
    end_user: "metadata.user_id",
    parallel_calls: "tool_choice.disable_parallel_tool_use",
    schema: "input_schema",
    answer_schema: "output_config.format.schema",
    answer_described: "output_config.format.description",
};

/// The fields of a request, betas included.
pub(super) const REQUEST: &[Field] = &[
    field_unless("anthropic_beta", &["[]"], Lost(Hint, "betas are Anthropic's")),
    field("anthropic_version", Ours),
    field("billing_policy", Lost(Hint, "only Anthropic bills so")),
    field("cache_control", Read),
    field("compaction", Lost(Hint, "only Anthropic compacts a conversation")),
    field("container", Lost(Meaning, "the container is only with Anthropic")),
    field("context_management", Lost(Hint, "only Anthropic edits a conversation")),
    field("diagnostics", Lost(Hint, "only Anthropic explains its cache")),
    field("fallback_credit_token", Lost(Hint, "only Anthropic bills so")),
    field("fallbacks", Lost(Hint, "only Anthropic falls back by itself")),
    field("inference_geo", Lost(Meaning, "no other dialect says where to compute")),
    field("max_tokens", Read),
    field_unless(
        "mcp_servers",
        &["[]"],
        Lost(Meaning, "no other dialect calls MCP servers"),
    ),
    field("messages", Read),
    field("metadata", Read),
    field("model", Ours),
    field("output_config", Read),
    field("output_format", Read),
    field("service_tier", Read),
    field_unless("speed", &["\"standard\""], Lost(Hint, "only Anthropic has speeds")),
    field("stop_sequences", Read),
    field("stream", Ours),
    field("system", Read),
    field("temperature", Turn(Knob::Temperature)),
    field("thinking", Read),
    field("thread", Lost(Meaning, "the thread is only with Anthropic")),
    field("tool_choice", Read),
    field("tools", Read),
    field("top_k", Turn(Knob::TopK)),
    field("top_p", Turn(Knob::TopP)),
    field("user_profile_id", Lost(Hint, "the profile is only with Anthropic")),
    field("workspace_id", Lost(Hint, "the workspace is only with Anthropic")),
];

/// The fields of a message.
pub(super) const MESSAGE: &[Field] = &[field("content", Read), field("role", Read)];

/// The fields of a content block, whatever its type.
pub(super) const BLOCK: &[Field] = &[
    field("cache_control", Read),
    field_unless(
        "caller",
        &[r#"{"type":"direct"}"#],
        Lost(Hint, "no other dialect says who called"),
    ),
    field_unless(
        "citations",
        &["[]", r#"{"enabled":false}"#],
        Lost(Hint, "no other dialect cites"),
    ),
    field("content", Read),
    field("context", Read),
    field("data", Read),
    field("id", Read),
    field("input", Read),
    field("is_error", Read),
    field("name", Read),
    field("signature", Read),
    field("source", Read),
    field("text", Read),
    field("thinking", Read),
    field("title", Read),
    field("tool_use_id", Read),
    field("toolset_name", Lost(Hint, "no other dialect has toolsets")),
    field_unless(
        "transformations",
        &["{}"],
        Lost(Hint, "no other dialect transforms images"),
    ),
    field("type", Read),
];

/// The fields of a tool.
pub(super) const TOOL: &[Field] = &[
    field_unless(
        "allowed_callers",
        &["[\"direct\"]"],
        Lost(Hint, "no other dialect says who may call"),
    ),
    field("cache_control", Read),
    field_unless(
        "defer_loading",
        &["false"],
        Lost(Hint, "no other dialect loads tools late"),
    ),
    field("description", Read),
    field(
        "eager_input_streaming",
        Lost(Hint, "no other dialect streams arguments eagerly"),
    ),
    field_unless("input_examples", &["[]"], Lost(Hint, "no other dialect takes examples")),
    field("input_schema", Read),
    field("name", Read),
    field("strict", Read),
    field("type", Read),
];
