//! What Google's clients say.

use super::IMAGE_URL;
use super::{Ask, PDF, PDF_URL, PNG, WAV, WORD, arguments, schema, with};
use serde_json::{Value, json};

pub(super) fn request(ask: Ask) -> Option<Value> {
    Some(with(json!({"contents": [user("Hello")]}), more(ask)?))
}

fn more(ask: Ask) -> Option<Value> {
    Some(match ask {
        Ask::Text => said(json!([user(WORD)])),
        Ask::System => json!({"systemInstruction": {"parts": [{"text": WORD}]}}),
        Ask::MultiTurn => said(json!([user("one"), model("two"), user("three")])),
        Ask::Prefill => said(json!([user("Hello"), model(WORD)])),
        Ask::MaxOutput => config(json!({"maxOutputTokens": 777})),
        Ask::Temperature => config(json!({"temperature": 0.25})),
        Ask::TopP => config(json!({"topP": 0.75})),
        Ask::TopK => config(json!({"topK": 7})),
        Ask::Stop => config(json!({"stopSequences": [WORD]})),
        Ask::Seed => config(json!({"seed": 42})),
        Ask::FrequencyPenalty => config(json!({"frequencyPenalty": 0.5})),
        Ask::PresencePenalty => config(json!({"presencePenalty": 0.5})),
        Ask::Choices => config(json!({"candidateCount": 2})),
        Ask::Logprobs => config(json!({"responseLogprobs": true, "logprobs": 3})),
        Ask::Tools => tools(json!({})),
        Ask::ChoiceAuto => calling(json!({"mode": "AUTO"})),
        Ask::ChoiceNone => calling(json!({"mode": "NONE"})),
        Ask::ChoiceRequired => calling(json!({"mode": "ANY"})),
        Ask::ChoiceNamed => calling(json!({"mode": "ANY", "allowedFunctionNames": ["weather"]})),
        Ask::ToolLoop => turn(&["fc_1"], json!([result("fc_1", json!({"result": WORD}))])),
        Ask::ParallelLoop => turn(
            &["fc_1", "fc_2"],
            json!([
                result("fc_1", json!({"result": "first"})),
                result("fc_2", json!({"result": "second"}))
            ]),
        ),
        Ask::ToolError => turn(&["fc_1"], json!([result("fc_1", json!({"error": WORD}))])),
        Ask::ToolImage => {
            let mut result = result("fc_1", json!({"result": "Look"}));
            result["functionResponse"]["parts"] = json!([bytes("image/png", PNG)]);
            turn(&["fc_1"], json!([result]))
        }
        Ask::HostedSearch => json!({"tools": [{"googleSearch": {}}]}),
        Ask::ImageBytes => look(bytes("image/png", PNG)),
        Ask::ImageUrl => look(json!({"fileData": {"mimeType": "image/png", "fileUri": IMAGE_URL}})),
        Ask::PdfBytes => look(bytes("application/pdf", PDF)),
        Ask::PdfUrl => look(json!({"fileData": {"mimeType": "application/pdf", "fileUri": PDF_URL}})),
        Ask::Audio => look(bytes("audio/wav", WAV)),
        Ask::JsonObject => config(json!({"responseMimeType": "application/json"})),
        Ask::JsonSchema => config(json!({"responseMimeType": "application/json", "responseJsonSchema": schema()})),
        Ask::Effort => config(json!({"thinkingConfig": {"thinkingLevel": "high"}})),
        Ask::Budget => config(json!({"thinkingConfig": {"thinkingBudget": 2048}, "maxOutputTokens": 4096})),
        Ask::NoThinking => config(json!({"thinkingConfig": {"thinkingBudget": 0}})),
        Ask::Metadata => json!({"labels": {"fruit": WORD}}),
        Ask::OtherTier => json!({"serviceTier": "priority"}),
        Ask::State => json!({"cachedContent": "cachedContents/quince"}),
        Ask::Unknown => json!({"xQuince": 1}),
        Ask::Developer
        | Ask::LateSystem
        | Ask::LogitBias
        | Ask::StrictTool
        | Ask::OneCall
        | Ask::CustomTool
        | Ask::CacheMark
        | Ask::CacheKey
        | Ask::EndUser
        | Ask::StandardTier
        | Ask::Verbosity => return None,
    })
}

/// A Google client keeps the content, whole, and answers the calls among its parts.
pub(super) fn echo(answer: &Value) -> Value {
    let content = answer["candidates"][0]["content"].clone();
    let parts = content["parts"].as_array().cloned().unwrap_or_default();
    let call = parts.iter().find(|part| part["functionCall"].is_object());
    let id = call.map(|call| call["functionCall"]["id"].clone()).unwrap_or_default();
    let mut answered = json!({"functionResponse": {"name": "weather", "response": {"result": "Sunny"}}});
    if id.is_string() {
        answered["functionResponse"]["id"] = id;
    }
    tools(said(
        json!([user("Hello"), {"role": "model", "parts": parts}, {"role": "user", "parts": [answered]}]),
    ))
}

fn said(contents: Value) -> Value {
    json!({ "contents": contents })
}

fn user(text: &str) -> Value {
    json!({"role": "user", "parts": [{"text": text}]})
}

fn model(text: &str) -> Value {
    json!({"role": "model", "parts": [{"text": text}]})
}

fn config(config: Value) -> Value {
    json!({ "generationConfig": config })
}

fn tools(more: Value) -> Value {
    let function = json!({"name": "weather", "description": WORD, "parametersJsonSchema": schema()});
    with(json!({"tools": [{"functionDeclarations": [function]}]}), more)
}

fn calling(config: Value) -> Value {
    tools(json!({"toolConfig": {"functionCallingConfig": config}}))
}

fn turn(ids: &[&str], results: Value) -> Value {
    let call = |id| json!({"functionCall": {"id": id, "name": "weather", "args": arguments()}});
    let calls: Vec<_> = ids.iter().map(call).collect();
    tools(said(
        json!([user("Hello"), {"role": "model", "parts": calls}, {"role": "user", "parts": results}]),
    ))
}

fn result(id: &str, response: Value) -> Value {
    json!({"functionResponse": {"id": id, "name": "weather", "response": response}})
}

fn look(part: Value) -> Value {
    said(json!([{"role": "user", "parts": [{"text": "Look"}, part]}]))
}

fn bytes(media_type: &str, data: &str) -> Value {
    json!({"inlineData": {"mimeType": media_type, "data": data}})
}
