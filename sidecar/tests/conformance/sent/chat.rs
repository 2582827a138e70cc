//! In OpenAI's chat completions.

use crate::ask::{Ask, IMAGE_URL, PDF, PNG, WAV, WORD, arguments, schema};
use crate::seek::{Sought, Spots, spot, value, words};
use serde_json::{Value, json};

pub(super) fn sought(ask: Ask) -> Sought {
    match ask {
        Ask::Text => vec![said("user", WORD)],
        Ask::System | Ask::LateSystem => vec![said("system", WORD), said("developer", WORD)],
        Ask::Developer => vec![said("developer", WORD), said("system", WORD)],
        Ask::MultiTurn => vec![
            at("messages.0", "user", "one")
                .and(at("messages.1", "assistant", "two"))
                .and(at("messages.2", "user", "three")),
        ],
        Ask::Prefill => vec![at("messages.1", "assistant", WORD)],
        Ask::MaxOutput => vec![
            value("max_completion_tokens", json!(777)),
            value("max_tokens", json!(777)),
        ],
        Ask::Temperature => vec![value("temperature", json!(0.25))],
        Ask::TopP => vec![value("top_p", json!(0.75))],
        Ask::TopK => vec![value("top_k", json!(7))],
        Ask::Stop => vec![words("stop", WORD)],
        Ask::Seed => vec![value("seed", json!(42))],
        Ask::FrequencyPenalty => vec![value("frequency_penalty", json!(0.5))],
        Ask::PresencePenalty => vec![value("presence_penalty", json!(0.5))],
        Ask::LogitBias => vec![value("logit_bias", json!({"50256": -100}))],
        Ask::Choices => vec![value("n", json!(2))],
        Ask::Logprobs => vec![value("logprobs", json!(true)).and(value("top_logprobs", json!(3)))],
        Ask::Tools => vec![spot(
            "tools.*.function",
            json!({"name": "weather", "description": WORD, "parameters": schema()}),
        )],
        Ask::StrictTool => vec![spot(
            "tools.*.function",
            json!({"name": "weather", "strict": true, "parameters": schema()}),
        )],
        Ask::ChoiceAuto => vec![choice(json!("auto")), choice(Value::Null)],
        Ask::ChoiceNone => vec![choice(json!("none")), value("tools", Value::Null)],
        Ask::ChoiceRequired => vec![choice(json!("required"))],
        Ask::ChoiceNamed => vec![choice(json!({"type": "function", "function": {"name": "weather"}}))],
        Ask::OneCall => vec![value("parallel_tool_calls", json!(false))],
        Ask::ToolLoop | Ask::ToolError => vec![called("messages.1.tool_calls.0").and(result("messages.2", WORD))],
        Ask::ParallelLoop => vec![
            called("messages.1.tool_calls.0")
                .and(called("messages.1.tool_calls.1"))
                .and(result("messages.2", "first"))
                .and(result("messages.3", "second")),
        ],
        Ask::ToolImage => vec![image(&format!("data:image/png;base64,{PNG}"))],
        Ask::CustomTool => vec![spot("tools.*", json!({"type": "custom", "custom.name": WORD}))],
        Ask::HostedSearch => vec![value("web_search_options", json!({}))],
        Ask::ImageBytes => vec![image(&format!("data:image/png;base64,{PNG}"))],
        Ask::ImageUrl => vec![image(IMAGE_URL)],
        Ask::PdfBytes => vec![spot(
            "messages.*.content.*",
            json!({"type": "file", "file.file_data": format!("data:application/pdf;base64,{PDF}")}),
        )],
        Ask::PdfUrl | Ask::State | Ask::Unknown => vec![],
        Ask::Audio => vec![spot(
            "messages.*.content.*",
            json!({"type": "input_audio", "input_audio": {"data": WAV, "format": "wav"}}),
        )],
        Ask::JsonObject => vec![value("response_format.type", json!("json_object"))],
        Ask::JsonSchema => vec![value("response_format.json_schema.schema", schema())],
        Ask::Effort => vec![value("reasoning_effort", json!("high"))],
        // A budget is an effort here.
        Ask::Budget => vec![value("reasoning_effort", json!("low"))],
        Ask::NoThinking => vec![value("reasoning_effort", json!("none"))],
        Ask::CacheMark => vec![
            spot("messages.*.content.*", json!({"cache_control.type": "ephemeral"})),
            spot(
                "messages.*.content.*",
                json!({"prompt_cache_breakpoint.mode": "explicit"}),
            ),
        ],
        Ask::CacheKey => vec![value("prompt_cache_key", json!(WORD))],
        Ask::EndUser => vec![value("user", json!(WORD)), value("safety_identifier", json!(WORD))],
        Ask::Metadata => vec![value("metadata", json!({"fruit": WORD}))],
        Ask::StandardTier => vec![value("service_tier", json!("default"))],
        Ask::OtherTier => vec![value("service_tier", json!("priority"))],
        Ask::Verbosity => vec![value("verbosity", json!("low"))],
    }
}

fn said(role: &str, text: &str) -> Spots {
    at("messages.*", role, text)
}

fn at(place: &'static str, role: &str, text: &str) -> Spots {
    spot(place, json!({"role": role, "content.**": text}))
}

fn choice(choice: Value) -> Spots {
    value("tool_choice", choice)
}

fn called(place: &'static str) -> Spots {
    spot(
        place,
        json!({"function.name": "weather", "function.arguments": arguments()}),
    )
}

fn result(place: &'static str, text: &str) -> Spots {
    at(place, "tool", text)
}

fn image(url: &str) -> Spots {
    spot(
        "messages.*.content.*",
        json!({"type": "image_url", "image_url.url": url}),
    )
}
