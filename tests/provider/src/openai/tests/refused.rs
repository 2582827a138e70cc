//! What OpenAI's API refuses, and its words for it.

use super::{PLAIN, chat, provider, text, value};
use crate::received::Received;
use crate::serve::Provider;
use serde_json::{Value, json};

/// A good request with these keys set, or, by `null` under `-`, taken out.
fn with(changes: Value) -> Value {
    let mut body = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]});
    for (key, value) in changes.as_object().unwrap() {
        match key.strip_prefix('-') {
            Some(key) => drop(body.as_object_mut().unwrap().remove(key)),
            None => body[key] = value.clone(),
        }
    }
    body
}

/// A good request with these messages.
fn saying(messages: Value) -> Value {
    with(json!({"messages": messages}))
}

fn called(ids: &[&str]) -> Value {
    let call = |id: &&str| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}});
    json!({"role": "assistant", "content": null, "tool_calls": ids.iter().map(call).collect::<Vec<_>>()})
}

fn tool(id: &str) -> Value {
    json!({"role": "tool", "tool_call_id": id, "content": "done"})
}

fn function(extra: Value) -> Value {
    let mut function = json!({"name": "f", "parameters": {"type": "object", "properties": {}}});
    function
        .as_object_mut()
        .unwrap()
        .extend(extra.as_object().unwrap().clone());
    json!([{"type": "function", "function": function}])
}

fn image(url: &str) -> Value {
    saying(json!([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]))
}

fn format(schema: Value) -> Value {
    with(
        json!({"response_format": {"type": "json_schema", "json_schema": {"name": "s", "strict": true, "schema": schema}}}),
    )
}

fn user() -> Value {
    json!({"role": "user", "content": "hi"})
}

/// What each request is refused for: `param | code | a piece of the message`.
fn table() -> Vec<(Value, &'static str)> {
    let long = "x".repeat(65);
    vec![
        // Top-level fields.
        (
            with(json!({"-model": null})),
            " |  | you must provide a model parameter",
        ),
        (
            with(json!({"-messages": null})),
            "messages | missing_required_parameter | Missing required parameter: 'messages'.",
        ),
        (
            with(json!({"messages": []})),
            "messages | empty_array | minimum length 1, but got an empty array instead.",
        ),
        (
            with(json!({"messages": "hi"})),
            "messages | invalid_type | expected an array of objects, but got a string instead.",
        ),
        (
            with(json!({"foo": 1})),
            " |  | Unrecognized request argument supplied: foo",
        ),
        (
            with(json!({"foo": 1, "bar": 2})),
            " |  | Unrecognized request arguments supplied: ",
        ),
        (
            with(json!({"cache_control": {"type": "ephemeral"}})),
            " |  | Unrecognized request argument supplied: cache_control",
        ),
        (
            with(json!({"thinking": {"type": "enabled"}})),
            " |  | Unrecognized request argument supplied: thinking",
        ),
        (
            with(json!({"temperature": "1"})),
            "temperature | invalid_type | expected a decimal, but got a string instead.",
        ),
        (
            with(json!({"temperature": 2.5})),
            "temperature | decimal_above_max_value | Expected a value <= 2, but got 2.5 instead.",
        ),
        (
            with(json!({"temperature": -1})),
            "temperature | decimal_below_min_value | Expected a value >= 0, but got -1 instead.",
        ),
        (with(json!({"top_p": 1.5})), "top_p | decimal_above_max_value | <= 1"),
        (
            with(json!({"n": 0})),
            "n | integer_below_min_value | Expected a value >= 1, but got 0 instead.",
        ),
        (
            with(json!({"n": 1.5})),
            "n | invalid_type | expected an integer, but got a decimal instead.",
        ),
        (with(json!({"n": 129})), "n | integer_above_max_value | <= 128"),
        (
            with(json!({"stream": "yes"})),
            "stream | invalid_type | expected a boolean, but got a string instead.",
        ),
        (
            with(json!({"max_tokens": 0})),
            "max_tokens | integer_below_min_value | >= 1",
        ),
        (
            with(json!({"max_tokens": 16385})),
            "max_tokens | invalid_value | supports at most 16384 completion tokens",
        ),
        (
            with(json!({"max_completion_tokens": 16385})),
            "max_completion_tokens | invalid_value | supports at most 16384",
        ),
        (
            with(json!({"max_tokens": 5, "max_completion_tokens": 5})),
            "max_tokens | invalid_parameter_combination | at the same time",
        ),
        (
            with(json!({"stop": ["a", "b", "c", "d", "e"]})),
            "stop | array_above_max_length | maximum length 4, but got an array with length 5 instead.",
        ),
        (
            with(json!({"stop": 4})),
            "stop | invalid_type | expected one of a string or an array of strings, but got an integer instead.",
        ),
        (
            with(json!({"stream_options": {"include_usage": true}})),
            "stream_options |  | only allowed when 'stream' is enabled.",
        ),
        (
            with(json!({"stream": true, "stream_options": {"usage": true}})),
            "stream_options.usage | unknown_parameter | Unknown parameter: 'stream_options.usage'.",
        ),
        (
            with(json!({"top_logprobs": 2})),
            "top_logprobs |  | only allowed when 'logprobs' is enabled.",
        ),
        (
            with(json!({"logprobs": true, "top_logprobs": 21})),
            "top_logprobs | integer_above_max_value | <= 20",
        ),
        (
            with(json!({"logit_bias": {"50256": 101}})),
            "logit_bias.50256 | decimal_above_max_value | <= 100",
        ),
        (
            with(json!({"service_tier": "fastest"})),
            "service_tier | invalid_value | Invalid value: 'fastest'. Supported values are: 'auto', ",
        ),
        (
            with(json!({"prompt_cache_key": long})),
            "prompt_cache_key | string_above_max_length | maximum length 64, but got a string with length 65 instead.",
        ),
        (
            with(json!({"reasoning_effort": "low"})),
            " |  | Unrecognized request argument supplied: reasoning_effort",
        ),
        // Messages.
        (
            saying(json!(["hi"])),
            "messages[0] | invalid_type | expected an object, but got a string instead.",
        ),
        (
            saying(json!([{"content": "hi"}])),
            "messages[0].role | missing_required_parameter | Missing required parameter: 'messages[0].role'.",
        ),
        (
            saying(json!([{"role": "model", "content": "hi"}])),
            "messages[0].role | invalid_value | Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'.",
        ),
        (
            saying(json!([{"role": "user"}])),
            "messages[0].content | missing_required_parameter | messages[0].content",
        ),
        (
            saying(json!([{"role": "user", "content": null}])),
            "messages[0].content | invalid_type | expected one of a string or an array of objects, but got null instead.",
        ),
        (
            saying(json!([{"role": "user", "content": []}])),
            "messages[0].content | empty_array | empty array",
        ),
        (
            saying(json!([{"role": "user", "content": [{"type": "text"}]}])),
            "messages[0].content[0].text | missing_required_parameter | text",
        ),
        (
            saying(json!([{"role": "user", "content": [{"text": "hi"}]}])),
            "messages[0].content[0].type | missing_required_parameter | type",
        ),
        (
            saying(json!([{"role": "user", "content": [{"type": "image", "source": {}}]}])),
            "messages[0].content[0].type | invalid_value | Invalid value: 'image'. Supported values are: 'text', 'image_url', 'input_audio', and 'file'.",
        ),
        (
            saying(json!([{"role": "user", "content": [{"type": "text", "text": "x", "cache_control": {}}]}])),
            "messages[0].content[0].cache_control | unknown_parameter | Unknown parameter",
        ),
        (
            saying(json!([{"role": "user", "content": "x", "foo": 1}])),
            "messages[0].foo | unknown_parameter | Unknown parameter: 'messages[0].foo'.",
        ),
        (
            saying(json!([{"role": "user", "content": "x", "name": "a b"}])),
            "messages[0].name | invalid_value | string does not match pattern.",
        ),
        (
            saying(
                json!([{"role": "system", "content": [{"type": "image_url", "image_url": {"url": "https://a/b"}}]}]),
            ),
            "messages[0].content[0].type | invalid_value | Supported values are: 'text'.",
        ),
        (
            saying(json!([{"role": "assistant", "content": null}])),
            "messages.[0].content |  | expected a string, got null.",
        ),
        (
            saying(json!([{"role": "assistant", "content": "a", "reasoning_content": "b"}])),
            "messages[0].reasoning_content | unknown_parameter | Unknown",
        ),
        (
            saying(json!([{"role": "assistant", "tool_calls": []}])),
            "messages[0].tool_calls | empty_array | empty array",
        ),
        (
            image("ftp://x/y.png"),
            "messages[0].content[0].image_url.url | invalid_value | without the 'data:' prefix",
        ),
        (
            image("data:text/plain;base64,aGk="),
            "messages[0].content[0].image_url.url | invalid_value | unsupported MIME type 'text/plain'",
        ),
        (
            image("data:image/png;base64,%%%"),
            "messages[0].content[0].image_url.url | invalid_value | invalid base64-encoded value",
        ),
        // Tools in the conversation.
        (
            saying(json!([user(), tool("a")])),
            "messages.[1].role |  | must be a response to a preceeding message with 'tool_calls'.",
        ),
        (
            saying(json!([user(), called(&["a"]), tool("b")])),
            "messages.[2].role |  | preceeding message",
        ),
        (
            saying(json!([user(), called(&["a"])])),
            "messages.[2].role |  | did not have response messages: a",
        ),
        (
            saying(json!([user(), called(&["a", "b"]), tool("a"), user()])),
            "messages.[3].role |  | did not have response messages: b",
        ),
        (
            saying(json!([user(), called(&["a"]), tool("a"), tool("a")])),
            "messages |  | Duplicate value for 'tool_call_id' of 'a' in message[3].",
        ),
        (
            saying(json!([user(), called(&["a"]), tool("a"), user(), tool("a")])),
            "messages.[4].role |  | preceeding message",
        ),
        (
            saying(json!([user(), called(&[&long]), tool(&long)])),
            "messages[1].tool_calls[0].id | string_above_max_length | maximum length 40, but got a string with length 65 instead.",
        ),
        (
            saying(
                json!([user(), {"role": "assistant", "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": {}}}]}]),
            ),
            "messages[1].tool_calls[0].function.arguments | invalid_type | expected a string, but got an object instead.",
        ),
        (
            saying(
                json!([user(), {"role": "assistant", "tool_calls": [{"id": "a", "idx": 0, "type": "function", "function": {"name": "f", "arguments": ""}}]}]),
            ),
            "messages[1].tool_calls[0].idx | unknown_parameter | Unknown parameter",
        ),
        (
            saying(json!([{"role": "tool", "content": "x"}])),
            "messages[0].tool_call_id | missing_required_parameter | tool_call_id",
        ),
        // Tools.
        (with(json!({"tools": []})), "tools | empty_array | empty array"),
        (
            with(json!({"tools": [{"name": "f", "input_schema": {}}]})),
            "tools[0].type | missing_required_parameter | tools[0].type",
        ),
        (
            with(json!({"tools": function(json!({"name": "get weather"}))})),
            "tools[0].function.name | invalid_value | '^[a-zA-Z0-9_-]+$'",
        ),
        (
            with(json!({"tools": function(json!({"name": long}))})),
            "tools[0].function.name | string_above_max_length | maximum length 64",
        ),
        (
            with(json!({"tools": function(json!({"parameters": {}}))})),
            "tools[0].function.parameters | invalid_function_parameters | got 'type: \"None\"'.",
        ),
        (
            with(json!({"tools": function(json!({"parameters": {"type": "string"}}))})),
            "tools[0].function.parameters | invalid_function_parameters | got 'type: \"string\"'.",
        ),
        (
            with(json!({"tools": function(json!({"strict": true}))})),
            "tools[0].function.parameters | invalid_function_parameters | 'additionalProperties' is required",
        ),
        (
            with(json!({"tools": function(json!({"cache_control": {}}))})),
            "tools[0].function.cache_control | unknown_parameter | Unknown parameter",
        ),
        (
            with(json!({"tool_choice": "auto"})),
            "tool_choice |  | only allowed when 'tools' are specified.",
        ),
        (
            with(json!({"parallel_tool_calls": true})),
            "parallel_tool_calls |  | only allowed when 'tools' are specified.",
        ),
        (
            with(json!({"tools": function(json!({})), "tool_choice": "any"})),
            "tool_choice | invalid_value | Supported values are: 'none', 'auto', and 'required'.",
        ),
        (
            with(json!({"tools": function(json!({})), "tool_choice": {"type": "function", "function": {"name": "g"}}})),
            "tool_choice |  | no tool named 'g'",
        ),
        // Formats.
        (
            with(json!({"response_format": "json"})),
            "response_format | invalid_type | expected an object",
        ),
        (
            with(json!({"response_format": {"type": "xml"}})),
            "response_format.type | invalid_value | 'text', 'json_object', and 'json_schema'",
        ),
        (
            with(json!({"response_format": {"type": "json_object"}})),
            "messages |  | must contain the word 'json'",
        ),
        (
            with(json!({"response_format": {"type": "json_schema"}})),
            "response_format.json_schema | missing_required_parameter | json_schema",
        ),
        (
            with(json!({"response_format": {"type": "json_schema", "json_schema": {"name": "s"}}})),
            "response_format.json_schema.schema | missing_required_parameter | schema",
        ),
        (
            format(json!({"type": "array"})),
            "response_format |  | got 'type: \"array\"'.",
        ),
        (
            format(json!({"type": "object", "properties": {}})),
            "response_format |  | 'additionalProperties' is required",
        ),
        (
            format(json!({"type": "object", "additionalProperties": false, "properties": {"a": {}}})),
            "response_format |  | Missing 'a'.",
        ),
        // Reasoning models.
        (
            with(json!({"model": "gpt-5", "max_tokens": 5})),
            "max_tokens | unsupported_parameter | Use 'max_completion_tokens' instead.",
        ),
        (
            with(json!({"model": "gpt-5", "temperature": 0.5})),
            "temperature | unsupported_value | does not support 0.5 with this model. Only the default (1) value is supported.",
        ),
        (
            with(json!({"model": "gpt-5", "stop": "x"})),
            "stop | unsupported_parameter | 'stop' is not supported with this model.",
        ),
        (
            with(json!({"model": "gpt-5", "logprobs": true})),
            "logprobs | unsupported_parameter | not supported",
        ),
        (
            with(json!({"model": "gpt-5", "presence_penalty": 1})),
            "presence_penalty | unsupported_value | default (0)",
        ),
        (
            with(json!({"model": "gpt-5", "reasoning_effort": "huge"})),
            "reasoning_effort | invalid_value | Supported values are: 'none', 'minimal'",
        ),
        // The context.
        (
            saying(json!([{"role": "user", "content": "word".repeat(128_001)}])),
            "messages | context_length_exceeded | maximum context length is 128000 tokens.",
        ),
    ]
}

#[test]
fn a_bad_request_is_refused_in_the_words_of_the_api() {
    for (body, expected) in table() {
        let answer = provider().answer(&chat(&body.to_string()), PLAIN);
        let error = value(&answer)["error"].clone();
        let words = |key: &str| error[key].as_str().unwrap_or_default().to_owned();
        let short: String = body.to_string().chars().take(200).collect();
        let mut parts = expected.splitn(3, " | ");
        assert_eq!(answer.status, 400, "{short}: {}", text(&answer));
        assert_eq!(words("type"), "invalid_request_error", "{short}");
        assert_eq!(words("param"), parts.next().unwrap().trim(), "{short}: {error}");
        assert_eq!(words("code"), parts.next().unwrap().trim(), "{short}: {error}");
        let message = parts.next().unwrap();
        assert!(words("message").contains(message), "{short}: {error}");
        assert!(answer.bill.is_none(), "{short}");
    }
}

#[test]
fn a_good_request_is_not_refused() {
    let pixel = "data:image/png;base64,aGk=";
    let table = [
        with(
            json!({"temperature": 2, "top_p": 0.1, "n": 2, "stop": ["a", "b"], "seed": -1, "user": "u", "max_tokens": 9}),
        ),
        with(
            json!({"temperature": null, "stop": null, "max_tokens": null, "stream_options": null, "tools": function(json!({})), "tool_choice": "required"}),
        ),
        with(json!({"model": "gpt-5", "reasoning_effort": "high", "temperature": 1, "max_completion_tokens": 50})),
        with(json!({"model": "gpt-4o-2024-08-06", "metadata": {"a": "b"}, "store": true, "verbosity": "low"})),
        saying(
            json!([{"role": "developer", "content": "be brief"}, user(), called(&["a", "b"]), tool("b"), tool("a")]),
        ),
        saying(
            json!([{"role": "system", "content": [{"type": "text", "text": "a"}]}, {"role": "user", "content": ""}]),
        ),
        saying(json!([user(), {"role": "assistant", "content": "", "refusal": null, "annotations": []}, user()])),
        image(pixel),
        image("https://example.com/cat.png"),
        with(json!({"response_format": {"type": "json_object"}, "messages": [{"role": "user", "content": "as JSON"}]})),
        format(
            json!({"type": "object", "additionalProperties": false, "required": ["a"], "properties": {"a": {"type": "string"}}}),
        ),
    ];
    for body in table {
        let answer = provider().answer(&chat(&body.to_string()), PLAIN);
        assert_eq!(answer.status, 200, "{body}: {}", text(&answer));
    }
}

#[test]
fn heads_are_judged_before_bodies() {
    let hi = with(json!({})).to_string();
    let table = [
        (
            chat(&hi).with("authorization", ""),
            401,
            "You didn't provide an API key.",
        ),
        (
            chat(&hi).with("authorization", "Basic abc"),
            401,
            "You didn't provide an API key.",
        ),
        (
            chat("{").with("authorization", "Bearer wrong"),
            401,
            "Incorrect API key provided: wrong.",
        ),
        (
            chat(&hi).with("authorization", "Bearer sk-proj-0123456789abcdef"),
            401,
            "provided: sk-proj-************cdef.",
        ),
        (
            chat(&hi).with("content-type", "text/plain"),
            400,
            "Unsupported content type: 'text/plain'.",
        ),
        (
            chat("{\"model\""),
            400,
            "We could not parse the JSON body of your request.",
        ),
        (chat("[]"), 400, "We could not parse the JSON body of your request."),
        (
            chat(&with(json!({"model": "gpt-9"})).to_string()),
            404,
            "The model `gpt-9` does not exist or you do not have access to it.",
        ),
        (
            chat(&with(json!({"model": "text-embedding-3-small"})).to_string()),
            404,
            "not a chat model",
        ),
        (
            Received::sample("GET", "/v1/chat/completions", ""),
            405,
            "Not allowed to GET on /v1/chat/completions",
        ),
        (
            Received::sample("POST", "/v1/completion", "{}"),
            404,
            "Invalid URL (POST /v1/completion)",
        ),
        (
            Received::sample("POST", "/chat/completions", "{}"),
            404,
            "Invalid URL (POST /chat/completions)",
        ),
        (
            Received::sample("GET", "/v1/models/gpt-9", ""),
            404,
            "The model `gpt-9` does not exist",
        ),
        (
            Received::sample("POST", "/v1/embeddings", r#"{"model":"text-embedding-3-small"}"#),
            400,
            "'input'",
        ),
        (
            Received::sample(
                "POST",
                "/v1/embeddings",
                r#"{"model":"text-embedding-3-small","input":""}"#,
            ),
            400,
            "empty string",
        ),
        (
            Received::sample(
                "POST",
                "/v1/embeddings",
                r#"{"model":"text-embedding-3-small","input":"a","dimensions":9999}"#,
            ),
            400,
            "Must be less than or equal to 1536.",
        ),
        (
            Received::sample("POST", "/v1/embeddings", r#"{"model":"gpt-4o","input":"a"}"#),
            403,
            "not allowed to generate embeddings",
        ),
    ];
    for (request, status, message) in table {
        let answer = provider().answer(&request, PLAIN);
        assert_eq!(answer.status, status, "{request:?}: {}", text(&answer));
        let said = value(&answer)["error"]["message"].as_str().unwrap().to_owned();
        assert!(said.contains(message), "{request:?}: {said}");
    }
}
