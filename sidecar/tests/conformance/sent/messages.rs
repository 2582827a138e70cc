//! In Anthropic's Messages.

use super::LATE;
use crate::ask::{Ask, IMAGE_URL, PDF, PDF_URL, PNG, WORD, arguments, schema};
use crate::seek::{Sought, Spots, spot, value, words};
use serde_json::{Value, json};

pub(super) fn sought(ask: Ask) -> Sought {
    match ask {
        Ask::Text => vec![said("user", WORD)],
        Ask::System | Ask::Developer => vec![words("system", WORD)],
        Ask::LateSystem => vec![said("system", WORD), said("user", LATE)],
        Ask::MultiTurn => vec![
            at("messages.0", "user", "one")
                .and(at("messages.1", "assistant", "two"))
                .and(at("messages.2", "user", "three")),
        ],
        Ask::Prefill => vec![at("messages.1", "assistant", WORD)],
        Ask::MaxOutput => vec![value("max_tokens", json!(777))],
        Ask::Temperature => vec![value("temperature", json!(0.25))],
        Ask::TopP => vec![value("top_p", json!(0.75))],
        Ask::TopK => vec![value("top_k", json!(7))],
        Ask::Stop => vec![words("stop_sequences", WORD)],
        Ask::Tools => vec![spot(
            "tools.*",
            json!({"name": "weather", "description": WORD, "input_schema": schema()}),
        )],
        Ask::StrictTool => vec![spot(
            "tools.*",
            json!({"name": "weather", "strict": true, "input_schema": schema()}),
        )],
        Ask::ChoiceAuto => vec![choice("auto"), value("tool_choice", Value::Null)],
        Ask::ChoiceNone => vec![choice("none"), value("tools", Value::Null)],
        Ask::ChoiceRequired => vec![choice("any")],
        Ask::ChoiceNamed => vec![spot("tool_choice", json!({"type": "tool", "name": "weather"}))],
        Ask::OneCall => vec![value("tool_choice.disable_parallel_tool_use", json!(true))],
        Ask::ToolLoop => vec![called("messages.1.content.0").and(result("messages.2.content.0", WORD))],
        Ask::ParallelLoop => vec![
            called("messages.1.content.0")
                .and(called("messages.1.content.1"))
                .and(result("messages.2.content.0", "first"))
                .and(result("messages.2.content.1", "second")),
        ],
        Ask::ToolError => vec![spot(
            "messages.2.content.0",
            json!({"is_error": true, "content.**": WORD}),
        )],
        Ask::ToolImage => vec![spot(
            "messages.2.content.0",
            json!({"type": "tool_result", "content.*.source": {"type": "base64", "media_type": "image/png", "data": PNG}}),
        )],
        Ask::HostedSearch => vec![spot("tools.*", json!({"name": "web_search"}))],
        Ask::ImageBytes => vec![block(
            "image",
            "source",
            json!({"type": "base64", "media_type": "image/png", "data": PNG}),
        )],
        Ask::ImageUrl => vec![block("image", "source", json!({"type": "url", "url": IMAGE_URL}))],
        Ask::PdfBytes => vec![block(
            "document",
            "source",
            json!({"type": "base64", "media_type": "application/pdf", "data": PDF}),
        )],
        Ask::PdfUrl => vec![block("document", "source", json!({"type": "url", "url": PDF_URL}))],
        Ask::JsonSchema => vec![value("output_config.format.schema", schema())],
        Ask::Effort => vec![value("output_config.effort", json!("high"))],
        Ask::Budget => vec![spot("thinking", json!({"type": "enabled", "budget_tokens": 2048}))],
        Ask::NoThinking => vec![
            value("thinking.type", json!("disabled")),
            value("thinking", Value::Null),
        ],
        Ask::CacheMark => vec![block("text", "cache_control.type", json!("ephemeral"))],
        Ask::EndUser => vec![value("metadata.user_id", json!(WORD))],
        Ask::StandardTier => vec![value("service_tier", json!("standard_only"))],
        Ask::Audio
        | Ask::CacheKey
        | Ask::Choices
        | Ask::CustomTool
        | Ask::FrequencyPenalty
        | Ask::JsonObject
        | Ask::LogitBias
        | Ask::Logprobs
        | Ask::Metadata
        | Ask::OtherTier
        | Ask::PresencePenalty
        | Ask::Seed
        | Ask::State
        | Ask::Unknown
        | Ask::Verbosity => vec![],
    }
}

fn said(role: &str, text: &str) -> Spots {
    at("messages.*", role, text)
}

fn at(place: &'static str, role: &str, text: &str) -> Spots {
    spot(place, json!({"role": role, "content.**": text}))
}

fn choice(kind: &str) -> Spots {
    value("tool_choice.type", json!(kind))
}

fn called(place: &'static str) -> Spots {
    spot(
        place,
        json!({"type": "tool_use", "name": "weather", "input": arguments()}),
    )
}

fn result(place: &'static str, text: &str) -> Spots {
    spot(place, json!({"type": "tool_result", "content.**": text}))
}

fn block(kind: &str, member: &str, value: Value) -> Spots {
    spot("messages.*.content.*", json!({"type": kind, member: value}))
}
