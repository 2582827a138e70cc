//! In Cohere's own chat API.

use crate::ask::{Ask, IMAGE_URL, PNG, WORD, arguments, schema};
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
        Ask::MaxOutput => vec![value("max_tokens", json!(777))],
        Ask::Temperature => vec![value("temperature", json!(0.25))],
        Ask::TopP => vec![value("p", json!(0.75))],
        Ask::TopK => vec![value("k", json!(7))],
        Ask::Stop => vec![words("stop_sequences", WORD)],
        Ask::Seed => vec![value("seed", json!(42))],
        Ask::FrequencyPenalty => vec![value("frequency_penalty", json!(0.5))],
        Ask::PresencePenalty => vec![value("presence_penalty", json!(0.5))],
        Ask::Logprobs => vec![value("logprobs", json!(true))],
        Ask::Tools => vec![spot(
            "tools.*.function",
            json!({"name": "weather", "description": WORD, "parameters": schema()}),
        )],
        Ask::StrictTool => vec![value("strict_tools", json!(true)).and(value("tools.0.function.parameters", schema()))],
        Ask::ChoiceAuto => {
            vec![value("tools.0.function.name", json!("weather")).and(value("tool_choice", Value::Null))]
        }
        Ask::ChoiceNone => vec![value("tool_choice", json!("NONE"))],
        Ask::ChoiceRequired => vec![value("tool_choice", json!("REQUIRED"))],
        // It is the only one.
        Ask::ChoiceNamed => {
            let only = value("tools.0.function.name", json!("weather")).and(value("tools.1", Value::Null));
            vec![value("tool_choice", json!("REQUIRED")).and(only)]
        }
        Ask::ToolLoop | Ask::ToolError => vec![called("messages.1.tool_calls.0").and(said("messages.2", "tool", WORD))],
        Ask::ParallelLoop => vec![
            called("messages.1.tool_calls.0")
                .and(called("messages.1.tool_calls.1"))
                .and(said("messages.2", "tool", "first"))
                .and(said("messages.3", "tool", "second")),
        ],
        Ask::ImageBytes => vec![image(&format!("data:image/png;base64,{PNG}"))],
        Ask::ImageUrl => vec![image(IMAGE_URL)],
        Ask::JsonObject => vec![value("response_format", json!({"type": "json_object"}))],
        Ask::JsonSchema => vec![value("response_format.json_schema", schema())],
        Ask::Effort | Ask::Budget => vec![value("thinking.type", json!("enabled"))],
        Ask::NoThinking => vec![value("thinking.type", json!("disabled"))],
        Ask::Audio
        | Ask::CacheKey
        | Ask::CacheMark
        | Ask::Choices
        | Ask::CustomTool
        | Ask::EndUser
        | Ask::HostedSearch
        | Ask::LogitBias
        | Ask::Metadata
        | Ask::OneCall
        | Ask::OtherTier
        | Ask::PdfBytes
        | Ask::PdfUrl
        | Ask::StandardTier
        | Ask::State
        | Ask::ToolImage
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

fn image(url: &str) -> Spots {
    spot(
        "messages.*.content.*",
        json!({"type": "image_url", "image_url.url": url}),
    )
}
