//! What Anthropic's clients say.

use super::{Ask, IMAGE_URL, PDF, PDF_URL, PNG, WORD, arguments, schema, with};
use serde_json::{Value, json};

pub(super) fn request(ask: Ask) -> Option<Value> {
    let base = json!({"model": "asked-model", "max_tokens": 4096, "messages": [user("Hello")]});
    Some(with(base, more(ask)?))
}

fn more(ask: Ask) -> Option<Value> {
    Some(match ask {
        Ask::Text => said(json!([user(WORD)])),
        Ask::System => json!({"system": WORD}),
        Ask::LateSystem => {
            said(json!([user("Hello"), assistant("Hi"), user("And"), {"role": "system", "content": WORD}]))
        }
        Ask::MultiTurn => said(json!([user("one"), assistant("two"), user("three")])),
        Ask::Prefill => said(json!([user("Hello"), assistant(WORD)])),
        Ask::MaxOutput => json!({"max_tokens": 777}),
        Ask::Temperature => json!({"temperature": 0.25}),
        Ask::TopP => json!({"top_p": 0.75}),
        Ask::TopK => json!({"top_k": 7}),
        Ask::Stop => json!({"stop_sequences": [WORD]}),
        Ask::Tools => tools(json!({})),
        Ask::StrictTool => json!({"tools": [{"name": "weather", "strict": true, "input_schema": schema()}]}),
        Ask::ChoiceAuto => tools(json!({"tool_choice": {"type": "auto"}})),
        Ask::ChoiceNone => tools(json!({"tool_choice": {"type": "none"}})),
        Ask::ChoiceRequired => tools(json!({"tool_choice": {"type": "any"}})),
        Ask::ChoiceNamed => tools(json!({"tool_choice": {"type": "tool", "name": "weather"}})),
        Ask::OneCall => tools(json!({"tool_choice": {"type": "auto", "disable_parallel_tool_use": true}})),
        Ask::ToolLoop => turn(&["toolu_1"], json!([result("toolu_1", json!(WORD))])),
        Ask::ParallelLoop => turn(
            &["toolu_1", "toolu_2"],
            json!([result("toolu_1", json!("first")), result("toolu_2", json!("second"))]),
        ),
        Ask::ToolError => turn(
            &["toolu_1"],
            json!([with(result("toolu_1", json!(WORD)), json!({"is_error": true}))]),
        ),
        Ask::ToolImage => turn(&["toolu_1"], json!([result("toolu_1", json!([image_bytes()]))])),
        Ask::HostedSearch => json!({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}),
        Ask::ImageBytes => look(image_bytes()),
        Ask::ImageUrl => look(json!({"type": "image", "source": {"type": "url", "url": IMAGE_URL}})),
        Ask::PdfBytes => look(json!({"type": "document", "title": "quince.pdf",
            "source": {"type": "base64", "media_type": "application/pdf", "data": PDF}})),
        Ask::PdfUrl => look(json!({"type": "document", "source": {"type": "url", "url": PDF_URL}})),
        Ask::JsonSchema => json!({"output_config": {"format": {"type": "json_schema", "schema": schema()}}}),
        Ask::Effort => json!({"output_config": {"effort": "high"}, "thinking": {"type": "adaptive"}}),
        Ask::Budget => json!({"thinking": {"type": "enabled", "budget_tokens": 2048}}),
        Ask::NoThinking => json!({"thinking": {"type": "disabled"}}),
        Ask::CacheMark => said(json!([{"role": "user", "content":
            [{"type": "text", "text": "Hello", "cache_control": {"type": "ephemeral"}}]}])),
        Ask::EndUser => json!({"metadata": {"user_id": WORD}}),
        Ask::StandardTier => json!({"service_tier": "standard_only"}),
        Ask::State => json!({"container": WORD}),
        Ask::Unknown => json!({"x_quince": 1}),
        Ask::Developer
        | Ask::Seed
        | Ask::FrequencyPenalty
        | Ask::PresencePenalty
        | Ask::LogitBias
        | Ask::Choices
        | Ask::Logprobs
        | Ask::CustomTool
        | Ask::Audio
        | Ask::JsonObject
        | Ask::CacheKey
        | Ask::Metadata
        | Ask::OtherTier
        | Ask::Verbosity => return None,
    })
}

/// An Anthropic client keeps the blocks, whole, and answers the calls among them.
pub(super) fn echo(answer: &Value) -> Value {
    let blocks = answer["content"].as_array().cloned().unwrap_or_default();
    let call = blocks.iter().find(|block| block["type"] == "tool_use");
    let id = call.and_then(|call| call["id"].as_str()).unwrap_or("none");
    let messages = json!([user("Hello"), {"role": "assistant", "content": blocks},
        {"role": "user", "content": [result(id, json!("Sunny"))]}]);
    let thinking = json!({"thinking": {"type": "adaptive"}});
    with(
        json!({"model": "asked-model", "max_tokens": 4096}),
        with(tools(said(messages)), thinking),
    )
}

fn said(messages: Value) -> Value {
    json!({ "messages": messages })
}

fn user(text: &str) -> Value {
    json!({"role": "user", "content": text})
}

fn assistant(text: &str) -> Value {
    json!({"role": "assistant", "content": text})
}

fn tools(more: Value) -> Value {
    with(
        json!({"tools": [{"name": "weather", "description": WORD, "input_schema": schema()}]}),
        more,
    )
}

fn turn(ids: &[&str], results: Value) -> Value {
    let call = |id| json!({"type": "tool_use", "id": id, "name": "weather", "input": arguments()});
    let calls: Vec<_> = ids.iter().map(call).collect();
    tools(said(
        json!([user("Hello"), {"role": "assistant", "content": calls}, {"role": "user", "content": results}]),
    ))
}

fn result(id: &str, content: Value) -> Value {
    json!({"type": "tool_result", "tool_use_id": id, "content": content})
}

fn look(block: Value) -> Value {
    said(json!([{"role": "user", "content": [{"type": "text", "text": "Look"}, block]}]))
}

fn image_bytes() -> Value {
    json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}})
}
