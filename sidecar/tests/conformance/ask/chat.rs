//! What OpenAI's chat clients say.

use super::{Ask, IMAGE_URL, PDF, PNG, WAV, WORD, arguments, schema, with};
use serde_json::{Value, json};

pub(super) fn request(ask: Ask) -> Option<Value> {
    let base = json!({"model": "asked-model", "messages": [{"role": "user", "content": "Hello"}]});
    Some(with(base, more(ask)?))
}

fn more(ask: Ask) -> Option<Value> {
    Some(match ask {
        Ask::Text => said(json!([user(WORD)])),
        Ask::System => said(json!([{"role": "system", "content": WORD}, user("Hello")])),
        Ask::Developer => said(json!([{"role": "developer", "content": WORD}, user("Hello")])),
        Ask::LateSystem => {
            said(json!([user("Hello"), assistant("Hi"), {"role": "system", "content": WORD}, user("Go on")]))
        }
        Ask::MultiTurn => said(json!([user("one"), assistant("two"), user("three")])),
        Ask::Prefill => said(json!([user("Hello"), assistant(WORD)])),
        Ask::MaxOutput => json!({"max_completion_tokens": 777}),
        Ask::Temperature => json!({"temperature": 0.25}),
        Ask::TopP => json!({"top_p": 0.75}),
        Ask::TopK => json!({"top_k": 7}),
        Ask::Stop => json!({"stop": [WORD]}),
        Ask::Seed => json!({"seed": 42}),
        Ask::FrequencyPenalty => json!({"frequency_penalty": 0.5}),
        Ask::PresencePenalty => json!({"presence_penalty": 0.5}),
        Ask::LogitBias => json!({"logit_bias": {"50256": -100}}),
        Ask::Choices => json!({"n": 2}),
        Ask::Logprobs => json!({"logprobs": true, "top_logprobs": 3}),
        Ask::Tools => tools(json!({})),
        Ask::StrictTool => json!({"tools": [strict()]}),
        Ask::ChoiceAuto => tools(json!({"tool_choice": "auto"})),
        Ask::ChoiceNone => tools(json!({"tool_choice": "none"})),
        Ask::ChoiceRequired => tools(json!({"tool_choice": "required"})),
        Ask::ChoiceNamed => tools(json!({"tool_choice": {"type": "function", "function": {"name": "weather"}}})),
        Ask::OneCall => tools(json!({"parallel_tool_calls": false})),
        Ask::ToolLoop => tools(said(json!([user("Hello"), calls(&["call_1"]), result("call_1", WORD)]))),
        Ask::ParallelLoop => tools(said(json!([
            user("Hello"),
            calls(&["call_1", "call_2"]),
            result("call_1", "first"),
            result("call_2", "second")
        ]))),
        Ask::ToolError | Ask::ToolImage | Ask::PdfUrl | Ask::State => return None,
        Ask::CustomTool => json!({"tools": [{"type": "custom", "custom": {"name": WORD, "description": "d"}}]}),
        Ask::HostedSearch => json!({"web_search_options": {}}),
        Ask::ImageBytes => image(&format!("data:image/png;base64,{PNG}")),
        Ask::ImageUrl => image(IMAGE_URL),
        Ask::PdfBytes => look(json!({"type": "file", "file":
            {"filename": "quince.pdf", "file_data": format!("data:application/pdf;base64,{PDF}")}})),
        Ask::Audio => look(json!({"type": "input_audio", "input_audio": {"data": WAV, "format": "wav"}})),
        Ask::JsonObject => json!({"response_format": {"type": "json_object"}}),
        Ask::JsonSchema => json!({"response_format": {"type": "json_schema", "json_schema":
            {"name": "place", "strict": true, "schema": schema()}}}),
        Ask::Effort => json!({"reasoning_effort": "high"}),
        Ask::Budget => json!({"thinking": {"type": "enabled", "budget_tokens": 2048}, "max_completion_tokens": 4096}),
        Ask::NoThinking => json!({"reasoning_effort": "none"}),
        Ask::CacheMark => said(json!([{"role": "user", "content":
            [{"type": "text", "text": "Hello", "cache_control": {"type": "ephemeral"}}]}])),
        Ask::CacheKey => json!({"prompt_cache_key": WORD}),
        Ask::EndUser => json!({"user": WORD}),
        Ask::Metadata => json!({"metadata": {"fruit": WORD}}),
        Ask::StandardTier => json!({"service_tier": "default"}),
        Ask::OtherTier => json!({"service_tier": "priority"}),
        Ask::Verbosity => json!({"verbosity": "low"}),
        Ask::Unknown => json!({"x_quince": 1}),
    })
}

/// A chat client keeps the message, whole, and answers its calls.
pub(super) fn echo(answer: &Value) -> Value {
    let message = &answer["choices"][0]["message"];
    let id = message["tool_calls"][0]["id"].as_str().unwrap_or("none");
    let request = tools(said(json!([user("Hello"), message, result(id, "Sunny")])));
    with(json!({"model": "asked-model"}), request)
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

fn calls(ids: &[&str]) -> Value {
    let call = |id| json!({"id": id, "type": "function", "function": {"name": "weather", "arguments": arguments().to_string()}});
    json!({"role": "assistant", "content": null, "tool_calls": ids.iter().map(call).collect::<Vec<_>>()})
}

fn result(id: &str, text: &str) -> Value {
    json!({"role": "tool", "tool_call_id": id, "content": text})
}

fn tools(more: Value) -> Value {
    let tool =
        json!({"type": "function", "function": {"name": "weather", "description": WORD, "parameters": schema()}});
    with(json!({"tools": [tool]}), more)
}

fn strict() -> Value {
    json!({"type": "function", "function": {"name": "weather", "strict": true, "parameters": schema()}})
}

fn look(part: Value) -> Value {
    said(json!([{"role": "user", "content": [{"type": "text", "text": "Look"}, part]}]))
}

fn image(url: &str) -> Value {
    look(json!({"type": "image_url", "image_url": {"url": url}}))
}
