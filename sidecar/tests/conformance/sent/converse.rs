//! In Bedrock's Converse.

use super::LATE;
use crate::ask::{Ask, PDF, PNG, WAV, WORD, arguments, schema};
use crate::seek::{Sought, Spots, spot, value, words};
use serde_json::{Value, json};

pub(super) fn sought(ask: Ask) -> Sought {
    match ask {
        Ask::Text => vec![said("messages.*", "user", WORD)],
        Ask::System | Ask::Developer => vec![words("system", WORD)],
        Ask::LateSystem => vec![said("messages.*", "user", LATE)],
        Ask::MultiTurn => vec![
            said("messages.0", "user", "one")
                .and(said("messages.1", "assistant", "two"))
                .and(said("messages.2", "user", "three")),
        ],
        Ask::Prefill => vec![said("messages.1", "assistant", WORD)],
        Ask::MaxOutput => vec![value("inferenceConfig.maxTokens", json!(777))],
        Ask::Temperature => vec![value("inferenceConfig.temperature", json!(0.25))],
        Ask::TopP => vec![value("inferenceConfig.topP", json!(0.75))],
        Ask::TopK => vec![value("additionalModelRequestFields.top_k", json!(7))],
        Ask::Stop => vec![words("inferenceConfig.stopSequences", WORD)],
        Ask::Tools => vec![spot(
            "toolConfig.tools.*.toolSpec",
            json!({"name": "weather", "description": WORD, "inputSchema.json": schema()}),
        )],
        Ask::StrictTool => vec![spot(
            "toolConfig.tools.*.toolSpec",
            json!({"name": "weather", "strict": true, "inputSchema.json": schema()}),
        )],
        Ask::ChoiceAuto => vec![choice("auto", json!({})), value("toolConfig.toolChoice", Value::Null)],
        Ask::ChoiceNone => vec![
            value("toolConfig", Value::Null),
            value("additionalModelRequestFields.tool_choice.type", json!("none")),
        ],
        Ask::ChoiceRequired => vec![choice("any", json!({}))],
        Ask::ChoiceNamed => vec![choice("tool", json!({"name": "weather"}))],
        Ask::OneCall => vec![value(
            "additionalModelRequestFields.tool_choice.disable_parallel_tool_use",
            json!(true),
        )],
        Ask::ToolLoop => vec![called("messages.1.content.0").and(result("messages.2.content.0", WORD))],
        Ask::ParallelLoop => vec![
            called("messages.1.content.0")
                .and(called("messages.1.content.1"))
                .and(result("messages.2.content.0", "first"))
                .and(result("messages.2.content.1", "second")),
        ],
        Ask::ToolError => vec![spot(
            "messages.2.content.0.toolResult",
            json!({"status": "error", "content.**": WORD}),
        )],
        Ask::ToolImage => vec![value(
            "messages.2.content.0.toolResult.content.*.image",
            json!({"format": "png", "source": {"bytes": PNG}}),
        )],
        Ask::ImageBytes => vec![value(
            "messages.*.content.*.image",
            json!({"format": "png", "source": {"bytes": PNG}}),
        )],
        Ask::PdfBytes => vec![spot(
            "messages.*.content.*.document",
            json!({"format": "pdf", "source.bytes": PDF}),
        )],
        Ask::Audio => vec![spot(
            "messages.*.content.*.audio",
            json!({"format": "wav", "source.bytes": WAV}),
        )],
        Ask::JsonSchema => vec![value("outputConfig.textFormat.structure.jsonSchema.schema", schema())],
        Ask::Effort => vec![value("outputConfig.effort", json!("high"))],
        Ask::Budget => vec![spot(
            "additionalModelRequestFields.thinking",
            json!({"type": "enabled", "budget_tokens": 2048}),
        )],
        Ask::NoThinking => vec![
            value("additionalModelRequestFields.thinking.type", json!("disabled")),
            value("additionalModelRequestFields", Value::Null),
        ],
        Ask::CacheMark => vec![value("messages.*.content.*.cachePoint.type", json!("default"))],
        Ask::Metadata => vec![value("requestMetadata", json!({"fruit": WORD}))],
        Ask::OtherTier => vec![value("serviceTier.type", json!("priority"))],
        Ask::StandardTier => vec![value("serviceTier.type", json!("default"))],
        // Images and documents by URL would have to be in S3.
        Ask::CacheKey
        | Ask::Choices
        | Ask::CustomTool
        | Ask::EndUser
        | Ask::FrequencyPenalty
        | Ask::HostedSearch
        | Ask::ImageUrl
        | Ask::JsonObject
        | Ask::LogitBias
        | Ask::Logprobs
        | Ask::PdfUrl
        | Ask::PresencePenalty
        | Ask::Seed
        | Ask::State
        | Ask::Unknown
        | Ask::Verbosity => vec![],
    }
}

fn said(place: &'static str, role: &str, text: &str) -> Spots {
    spot(place, json!({"role": role, "content.*.text": text}))
}

fn choice(kind: &str, choice: Value) -> Spots {
    spot("toolConfig.toolChoice", json!({ kind: choice }))
}

fn called(place: &'static str) -> Spots {
    spot(place, json!({"toolUse.name": "weather", "toolUse.input": arguments()}))
}

fn result(place: &'static str, text: &str) -> Spots {
    words(place, text)
}
