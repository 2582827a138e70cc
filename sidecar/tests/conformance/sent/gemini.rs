//! In Gemini's generateContent.

use super::LATE;
use crate::ask::{Ask, IMAGE_URL, PDF, PDF_URL, PNG, WAV, WORD, arguments, schema};
use crate::seek::{Sought, Spots, spot, value, words};
use serde_json::{Value, json};

pub(super) fn sought(ask: Ask) -> Sought {
    match ask {
        Ask::Text => vec![said("contents.*", "user", WORD)],
        Ask::System | Ask::Developer => vec![words("systemInstruction", WORD)],
        Ask::LateSystem => vec![said("contents.*", "user", LATE)],
        Ask::MultiTurn => vec![
            said("contents.0", "user", "one")
                .and(said("contents.1", "model", "two"))
                .and(said("contents.2", "user", "three")),
        ],
        Ask::Prefill => vec![said("contents.1", "model", WORD)],
        Ask::MaxOutput => vec![value("generationConfig.maxOutputTokens", json!(777))],
        Ask::Temperature => vec![value("generationConfig.temperature", json!(0.25))],
        Ask::TopP => vec![value("generationConfig.topP", json!(0.75))],
        Ask::TopK => vec![value("generationConfig.topK", json!(7))],
        Ask::Stop => vec![words("generationConfig.stopSequences", WORD)],
        Ask::Seed => vec![value("generationConfig.seed", json!(42))],
        Ask::FrequencyPenalty => vec![value("generationConfig.frequencyPenalty", json!(0.5))],
        Ask::PresencePenalty => vec![value("generationConfig.presencePenalty", json!(0.5))],
        Ask::Choices => vec![value("generationConfig.candidateCount", json!(2))],
        Ask::Logprobs => vec![
            value("generationConfig.responseLogprobs", json!(true)).and(value("generationConfig.logprobs", json!(3))),
        ],
        Ask::Tools => vec![spot(
            "tools.*.functionDeclarations.*",
            json!({"name": "weather", "description": WORD, "parametersJsonSchema": schema()}),
        )],
        Ask::ChoiceAuto => vec![mode("AUTO"), value("toolConfig", Value::Null)],
        Ask::ChoiceNone => vec![mode("NONE"), value("tools", Value::Null)],
        Ask::ChoiceRequired => vec![mode("ANY")],
        Ask::ChoiceNamed => vec![mode("ANY").and(words(
            "toolConfig.functionCallingConfig.allowedFunctionNames",
            "weather",
        ))],
        Ask::ToolLoop => vec![called("contents.1.parts.0").and(result("contents.2.parts.0", WORD))],
        Ask::ParallelLoop => vec![
            called("contents.1.parts.0")
                .and(called("contents.1.parts.1"))
                .and(result("contents.2.parts.0", "first"))
                .and(result("contents.2.parts.1", "second")),
        ],
        Ask::ToolError => vec![value("contents.2.parts.0.functionResponse.response.error", json!(WORD))],
        Ask::ToolImage => vec![
            spot(
                "contents.2.parts.0.functionResponse.parts.*",
                json!({"inlineData": {"mimeType": "image/png", "data": PNG}}),
            ),
            inline("image/png", PNG),
        ],
        Ask::HostedSearch => vec![value("tools.*.googleSearch", json!({}))],
        Ask::ImageBytes => vec![inline("image/png", PNG)],
        Ask::ImageUrl => vec![value("contents.*.parts.*.fileData.fileUri", json!(IMAGE_URL))],
        Ask::PdfBytes => vec![inline("application/pdf", PDF)],
        Ask::PdfUrl => vec![value("contents.*.parts.*.fileData.fileUri", json!(PDF_URL))],
        Ask::Audio => vec![inline("audio/wav", WAV)],
        Ask::JsonObject => vec![value("generationConfig.responseMimeType", json!("application/json"))],
        Ask::JsonSchema => vec![
            value("generationConfig.responseMimeType", json!("application/json"))
                .and(value("generationConfig.responseJsonSchema", schema())),
        ],
        Ask::Effort => vec![value("generationConfig.thinkingConfig.thinkingLevel", json!("high"))],
        Ask::Budget => vec![value("generationConfig.thinkingConfig.thinkingBudget", json!(2048))],
        Ask::NoThinking => vec![value("generationConfig.thinkingConfig.thinkingBudget", json!(0))],
        Ask::Metadata => vec![value("labels", json!({"fruit": WORD}))],
        Ask::OtherTier => vec![value("serviceTier", json!("priority"))],
        // It is what there is without a word.
        Ask::StandardTier => vec![value("serviceTier", Value::Null)],
        Ask::CacheKey
        | Ask::CacheMark
        | Ask::CustomTool
        | Ask::EndUser
        | Ask::LogitBias
        | Ask::OneCall
        | Ask::State
        | Ask::StrictTool
        | Ask::Unknown
        | Ask::Verbosity => vec![],
    }
}

fn said(place: &'static str, role: &str, text: &str) -> Spots {
    spot(place, json!({"role": role, "parts.*.text": text}))
}

fn mode(mode: &str) -> Spots {
    value("toolConfig.functionCallingConfig.mode", json!(mode))
}

fn called(place: &'static str) -> Spots {
    spot(
        place,
        json!({"functionCall.name": "weather", "functionCall.args": arguments()}),
    )
}

fn result(place: &'static str, text: &str) -> Spots {
    spot(
        place,
        json!({"functionResponse.name": "weather", "functionResponse.response.**": text}),
    )
}

fn inline(media_type: &str, data: &str) -> Spots {
    value(
        "contents.*.parts.*.inlineData",
        json!({"mimeType": media_type, "data": data}),
    )
}
