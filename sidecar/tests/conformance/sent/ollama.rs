//! In Ollama's own chat API.

use crate::ask::{Ask, PNG, WORD, arguments, schema};
use crate::seek::{Sought, Spots, spot, value, words};
use serde_json::{Value, json};

pub(super) fn sought(ask: Ask) -> Sought {
    match ask {
        Ask::Text => vec![said("messages.*", "user", WORD)],
        Ask::System | Ask::Developer | Ask::LateSystem => vec![said("messages.*", "system", WORD)],
        Ask::MultiTurn => vec![
            said("messages.0", "user", "one")
                .and(said("messages.1", "assistant", "two"))
                .and(said("messages.2", "user", "three")),
        ],
        Ask::Prefill => vec![said("messages.1", "assistant", WORD)],
        Ask::MaxOutput => vec![value("options.num_predict", json!(777))],
        Ask::Temperature => vec![value("options.temperature", json!(0.25))],
        Ask::TopP => vec![value("options.top_p", json!(0.75))],
        Ask::TopK => vec![value("options.top_k", json!(7))],
        Ask::Stop => vec![words("options.stop", WORD)],
        Ask::Seed => vec![value("options.seed", json!(42))],
        Ask::FrequencyPenalty => vec![value("options.frequency_penalty", json!(0.5))],
        Ask::PresencePenalty => vec![value("options.presence_penalty", json!(0.5))],
        Ask::Logprobs => vec![value("logprobs", json!(true)).and(value("top_logprobs", json!(3)))],
        Ask::Tools => vec![spot(
            "tools.*.function",
            json!({"name": "weather", "description": WORD, "parameters": schema()}),
        )],
        Ask::ChoiceAuto => vec![value("tools.0.function.name", json!("weather"))],
        Ask::ChoiceNone => vec![value("tools", Value::Null)],
        Ask::ToolLoop | Ask::ToolError => vec![called("messages.1.tool_calls.0").and(said("messages.2", "tool", WORD))],
        Ask::ParallelLoop => vec![
            called("messages.1.tool_calls.0")
                .and(called("messages.1.tool_calls.1"))
                .and(said("messages.2", "tool", "first"))
                .and(said("messages.3", "tool", "second")),
        ],
        Ask::ToolImage | Ask::ImageBytes => vec![value("messages.*.images.*", json!(PNG))],
        Ask::JsonObject => vec![value("format", json!("json"))],
        Ask::JsonSchema => vec![value("format", schema())],
        Ask::Effort => vec![value("think", json!("high")), value("think", json!(true))],
        Ask::Budget => vec![value("think", json!(true))],
        Ask::NoThinking => vec![value("think", json!(false))],
        Ask::Audio
        | Ask::CacheKey
        | Ask::CacheMark
        | Ask::ChoiceNamed
        | Ask::ChoiceRequired
        | Ask::Choices
        | Ask::CustomTool
        | Ask::EndUser
        | Ask::HostedSearch
        | Ask::ImageUrl
        | Ask::LogitBias
        | Ask::Metadata
        | Ask::OneCall
        | Ask::OtherTier
        | Ask::PdfBytes
        | Ask::PdfUrl
        | Ask::StandardTier
        | Ask::State
        | Ask::StrictTool
        | Ask::Unknown
        | Ask::Verbosity => vec![],
    }
}

fn said(place: &'static str, role: &str, text: &str) -> Spots {
    spot(place, json!({"role": role, "content": text}))
}

fn called(place: &'static str) -> Spots {
    spot(
        place,
        json!({"function.name": "weather", "function.arguments": arguments()}),
    )
}
