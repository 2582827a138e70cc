//! What OpenAI's Responses clients say.

use super::{Ask, IMAGE_URL, PDF, PDF_URL, PNG, WAV, WORD, arguments, schema, with};
use serde_json::{Value, json};

pub(super) fn request(ask: Ask) -> Option<Value> {
    Some(with(
        json!({"model": "asked-model", "input": "Hello", "store": false}),
        more(ask)?,
    ))
}

fn more(ask: Ask) -> Option<Value> {
    Some(match ask {
        Ask::Text => json!({"input": WORD}),
        Ask::System => json!({"instructions": WORD}),
        Ask::Developer => input(json!([{"role": "developer", "content": WORD}, user("Hello")])),
        Ask::LateSystem => {
            input(json!([user("Hello"), assistant("Hi"), {"role": "system", "content": WORD}, user("Go on")]))
        }
        Ask::MultiTurn => input(json!([user("one"), assistant("two"), user("three")])),
        Ask::Prefill => input(json!([user("Hello"), assistant(WORD)])),
        Ask::MaxOutput => json!({"max_output_tokens": 777}),
        Ask::Temperature => json!({"temperature": 0.25}),
        Ask::TopP => json!({"top_p": 0.75}),
        Ask::Logprobs => json!({"top_logprobs": 3, "include": ["message.output_text.logprobs"]}),
        Ask::Tools => tools(json!({})),
        Ask::StrictTool => {
            json!({"tools": [{"type": "function", "name": "weather", "strict": true, "parameters": schema()}]})
        }
        Ask::ChoiceAuto => tools(json!({"tool_choice": "auto"})),
        Ask::ChoiceNone => tools(json!({"tool_choice": "none"})),
        Ask::ChoiceRequired => tools(json!({"tool_choice": "required"})),
        Ask::ChoiceNamed => tools(json!({"tool_choice": {"type": "function", "name": "weather"}})),
        Ask::OneCall => tools(json!({"parallel_tool_calls": false})),
        Ask::ToolLoop => tools(input(json!([
            user("Hello"),
            call("call_1"),
            result("call_1", json!(WORD))
        ]))),
        Ask::ParallelLoop => tools(input(json!([
            user("Hello"),
            call("call_1"),
            call("call_2"),
            result("call_1", json!("first")),
            result("call_2", json!("second"))
        ]))),
        Ask::ToolImage => tools(input(json!([
            user("Hello"),
            call("call_1"),
            result("call_1", json!([image(&format!("data:image/png;base64,{PNG}"))]))
        ]))),
        Ask::CustomTool => json!({"tools": [{"type": "custom", "name": WORD, "description": "d"}]}),
        Ask::HostedSearch => json!({"tools": [{"type": "web_search"}]}),
        Ask::ImageBytes => look(image(&format!("data:image/png;base64,{PNG}"))),
        Ask::ImageUrl => look(image(IMAGE_URL)),
        Ask::PdfBytes => look(json!({"type": "input_file", "filename": "quince.pdf",
            "file_data": format!("data:application/pdf;base64,{PDF}")})),
        Ask::PdfUrl => look(json!({"type": "input_file", "file_url": PDF_URL})),
        Ask::Audio => look(json!({"type": "input_audio", "input_audio": {"data": WAV, "format": "wav"}})),
        Ask::JsonObject => json!({"text": {"format": {"type": "json_object"}}}),
        Ask::JsonSchema => json!({"text": {"format":
            {"type": "json_schema", "name": "place", "strict": true, "schema": schema()}}}),
        Ask::Effort => json!({"reasoning": {"effort": "high"}}),
        Ask::NoThinking => json!({"reasoning": {"effort": "none"}}),
        Ask::CacheKey => json!({"prompt_cache_key": WORD}),
        Ask::EndUser => json!({"safety_identifier": WORD}),
        Ask::Metadata => json!({"metadata": {"fruit": WORD}}),
        Ask::StandardTier => json!({"service_tier": "default"}),
        Ask::OtherTier => json!({"service_tier": "priority"}),
        Ask::Verbosity => json!({"text": {"verbosity": "low"}}),
        Ask::State => json!({"previous_response_id": "resp_quince"}),
        Ask::Unknown => json!({"x_quince": 1}),
        Ask::TopK
        | Ask::Stop
        | Ask::Seed
        | Ask::FrequencyPenalty
        | Ask::PresencePenalty
        | Ask::LogitBias
        | Ask::Choices
        | Ask::ToolError
        | Ask::Budget
        | Ask::CacheMark => return None,
    })
}

/// A Responses client that keeps its own state sends the output items back, whole, and the results of the calls among
/// them.
pub(super) fn echo(answer: &Value) -> Value {
    let output = answer["output"].as_array().cloned().unwrap_or_default();
    let made = output.iter().find(|item| item["type"] == "function_call");
    let id = made
        .and_then(|call| call["call_id"].as_str())
        .unwrap_or("none")
        .to_owned();
    let items = [vec![user("Hello")], output, vec![result(&id, json!("Sunny"))]].concat();
    let head = json!({"model": "asked-model", "store": false, "include": ["reasoning.encrypted_content"]});
    with(head, tools(input(json!(items))))
}

fn input(items: Value) -> Value {
    json!({ "input": items })
}

fn user(text: &str) -> Value {
    json!({"role": "user", "content": text})
}

fn assistant(text: &str) -> Value {
    json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]})
}

fn call(id: &str) -> Value {
    json!({"type": "function_call", "call_id": id, "name": "weather", "arguments": arguments().to_string()})
}

fn result(id: &str, output: Value) -> Value {
    json!({"type": "function_call_output", "call_id": id, "output": output})
}

fn tools(more: Value) -> Value {
    let tool =
        json!({"type": "function", "name": "weather", "description": WORD, "parameters": schema(), "strict": false});
    with(json!({"tools": [tool]}), more)
}

fn look(part: Value) -> Value {
    input(json!([{"role": "user", "content": [{"type": "input_text", "text": "Look"}, part]}]))
}

fn image(url: &str) -> Value {
    json!({"type": "input_image", "image_url": url, "detail": "auto"})
}
