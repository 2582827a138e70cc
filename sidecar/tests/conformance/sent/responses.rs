//! In OpenAI's Responses.

use crate::ask::{Ask, IMAGE_URL, PDF, PDF_URL, PNG, WORD, arguments, schema};
use crate::seek::{Sought, Spots, spot, value, words};
use serde_json::{Value, json};

pub(super) fn sought(ask: Ask) -> Sought {
    match ask {
        Ask::Text => vec![said("user", WORD), value("input", json!(WORD))],
        Ask::System => vec![
            said("system", WORD),
            said("developer", WORD),
            words("instructions", WORD),
        ],
        Ask::Developer => vec![
            said("developer", WORD),
            said("system", WORD),
            words("instructions", WORD),
        ],
        Ask::LateSystem => vec![said("system", WORD), said("developer", WORD)],
        Ask::MultiTurn => vec![
            at("input.0", "user", "one")
                .and(at("input.1", "assistant", "two"))
                .and(at("input.2", "user", "three")),
        ],
        Ask::Prefill => vec![at("input.1", "assistant", WORD)],
        Ask::MaxOutput => vec![value("max_output_tokens", json!(777))],
        Ask::Temperature => vec![value("temperature", json!(0.25))],
        Ask::TopP => vec![value("top_p", json!(0.75))],
        Ask::Logprobs => vec![value("top_logprobs", json!(3)).and(words("include", "message.output_text.logprobs"))],
        Ask::Tools => vec![spot(
            "tools.*",
            json!({"type": "function", "name": "weather", "description": WORD, "parameters": schema()}),
        )],
        Ask::StrictTool => vec![spot(
            "tools.*",
            json!({"name": "weather", "strict": true, "parameters": schema()}),
        )],
        Ask::ChoiceAuto => vec![choice(json!("auto")), choice(Value::Null)],
        Ask::ChoiceNone => vec![choice(json!("none")), value("tools", Value::Null)],
        Ask::ChoiceRequired => vec![choice(json!("required"))],
        Ask::ChoiceNamed => vec![choice(json!({"type": "function", "name": "weather"}))],
        Ask::OneCall => vec![value("parallel_tool_calls", json!(false))],
        Ask::ToolLoop | Ask::ToolError => vec![called("input.1").and(result("input.2", WORD))],
        Ask::ParallelLoop => vec![
            called("input.1")
                .and(called("input.2"))
                .and(result("input.3", "first"))
                .and(result("input.4", "second")),
        ],
        Ask::ToolImage => vec![
            spot(
                "input.*",
                json!({"type": "function_call_output",
            "output.*.image_url": format!("data:image/png;base64,{PNG}")}),
            ),
            image(&format!("data:image/png;base64,{PNG}")),
        ],
        Ask::CustomTool => vec![spot("tools.*", json!({"type": "custom", "name": WORD}))],
        Ask::HostedSearch => vec![spot("tools.*", json!({"type": "web_search"}))],
        Ask::ImageBytes => vec![image(&format!("data:image/png;base64,{PNG}"))],
        Ask::ImageUrl => vec![image(IMAGE_URL)],
        Ask::PdfBytes => vec![spot(
            "input.*.content.*",
            json!({"type": "input_file", "file_data": format!("data:application/pdf;base64,{PDF}")}),
        )],
        Ask::PdfUrl => vec![spot(
            "input.*.content.*",
            json!({"type": "input_file", "file_url": PDF_URL}),
        )],
        Ask::JsonObject => vec![value("text.format.type", json!("json_object"))],
        Ask::JsonSchema => vec![value("text.format.schema", schema())],
        Ask::Effort => vec![value("reasoning.effort", json!("high"))],
        // A budget is an effort here.
        Ask::Budget => vec![value("reasoning.effort", json!("low"))],
        Ask::NoThinking => vec![value("reasoning.effort", json!("none"))],
        Ask::CacheMark => vec![spot(
            "input.*.content.*",
            json!({"prompt_cache_breakpoint.mode": "explicit"}),
        )],
        Ask::CacheKey => vec![value("prompt_cache_key", json!(WORD))],
        Ask::EndUser => vec![value("safety_identifier", json!(WORD)), value("user", json!(WORD))],
        Ask::Metadata => vec![value("metadata", json!({"fruit": WORD}))],
        Ask::StandardTier => vec![value("service_tier", json!("default"))],
        Ask::OtherTier => vec![value("service_tier", json!("priority"))],
        Ask::Verbosity => vec![value("text.verbosity", json!("low"))],
        // The API says that it takes no sound.
        Ask::Audio
        | Ask::Choices
        | Ask::FrequencyPenalty
        | Ask::LogitBias
        | Ask::PresencePenalty
        | Ask::Seed
        | Ask::State
        | Ask::Stop
        | Ask::TopK
        | Ask::Unknown => vec![],
    }
}

fn said(role: &str, text: &str) -> Spots {
    at("input.*", role, text)
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
        json!({"type": "function_call", "name": "weather", "arguments": arguments()}),
    )
}

fn result(place: &'static str, text: &str) -> Spots {
    spot(place, json!({"type": "function_call_output", "output.**": text}))
}

fn image(url: &str) -> Spots {
    spot("input.**", json!({"type": "input_image", "image_url": url}))
}
