//! What Anthropic's API refuses, and its words for it.

use super::{PLAIN, ask, provider, text, value};
use crate::received::Received;
use crate::serve::Provider;
use serde_json::{Value, json};

/// A good request with these keys set, or, under `-`, taken out.
fn with(changes: Value) -> Value {
    let mut body = json!({"model": "claude-sonnet-4-5", "max_tokens": 2000, "messages": [user()]});
    for (key, value) in changes.as_object().unwrap() {
        match key.strip_prefix('-') {
            Some(key) => drop(body.as_object_mut().unwrap().remove(key)),
            None => body[key] = value.clone(),
        }
    }
    body
}

/// A good request with these messages, and a tool.
fn saying(messages: Value) -> Value {
    with(json!({"messages": messages, "tools": tools()}))
}

fn saying_blocks(blocks: Value) -> Value {
    with(json!({"messages": [{"role": "user", "content": blocks}]}))
}

fn tools() -> Value {
    json!([{"name": "f", "input_schema": {"type": "object"}}])
}

fn user() -> Value {
    json!({"role": "user", "content": "hi"})
}

fn uses(ids: &[&str]) -> Value {
    let block = |id: &&str| json!({"type": "tool_use", "id": id, "name": "f", "input": {}});
    json!({"role": "assistant", "content": ids.iter().map(block).collect::<Vec<_>>()})
}

fn result(id: &str) -> Value {
    json!({"type": "tool_result", "tool_use_id": id, "content": "done"})
}

fn answers(blocks: &[Value]) -> Value {
    json!({"role": "user", "content": blocks})
}

fn marked(count: usize) -> Value {
    let block = json!({"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}});
    saying_blocks(json!(vec![block; count]))
}

fn image(source: Value) -> Value {
    saying_blocks(json!([{"type": "image", "source": source}]))
}

fn thinking(budget: u64, more: Value) -> Value {
    let mut body = with(json!({"thinking": {"type": "enabled", "budget_tokens": budget}, "tools": tools()}));
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

fn format(schema: Value) -> Value {
    with(json!({"output_config": {"format": {"type": "json_schema", "schema": schema}}}))
}

fn table() -> Vec<(Value, &'static str)> {
    let text_block = json!({"type": "text", "text": "a"});
    vec![
        // Top-level fields.
        (with(json!({"-model": null})), "model: Field required"),
        (with(json!({"-max_tokens": null})), "max_tokens: Field required"),
        (with(json!({"-messages": null})), "messages: Field required"),
        (
            with(json!({"messages": []})),
            "messages: at least one message is required",
        ),
        (with(json!({"foo": 1})), "foo: Extra inputs are not permitted"),
        (
            with(json!({"max_completion_tokens": 1})),
            "max_completion_tokens: Extra inputs are not permitted",
        ),
        (with(json!({"stop": "x"})), "stop: Extra inputs are not permitted"),
        (with(json!({"n": 1})), "n: Extra inputs are not permitted"),
        (
            with(json!({"max_tokens": "5"})),
            "max_tokens: Input should be a valid integer",
        ),
        (
            with(json!({"max_tokens": -1})),
            "max_tokens: Input should be greater than or equal to 0",
        ),
        (
            with(json!({"max_tokens": 64_001})),
            "max_tokens: 64001 > 64000, which is the maximum allowed number of output tokens for claude-sonnet-4-5-20250929",
        ),
        (with(json!({"temperature": 1.5})), "temperature: range: 0..1"),
        (
            with(json!({"temperature": "x"})),
            "temperature: Input should be a valid number",
        ),
        (
            with(json!({"temperature": null})),
            "temperature: Input should be a valid number",
        ),
        (
            with(json!({"temperature": 0.5, "top_p": 0.5})),
            "`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
        ),
        (
            with(json!({"stream": "yes"})),
            "stream: Input should be a valid boolean",
        ),
        (
            with(json!({"stop_sequences": ["\n"]})),
            "stop_sequences: each stop sequence must contain non-whitespace",
        ),
        (
            with(json!({"stop_sequences": "x"})),
            "stop_sequences: Input should be a valid list",
        ),
        (
            with(json!({"metadata": {"session": "x"}})),
            "metadata.session: Extra inputs are not permitted",
        ),
        (
            with(json!({"service_tier": "default"})),
            "service_tier: Input should be 'auto' or 'standard_only'",
        ),
        (
            with(json!({"system": [{"type": "image"}]})),
            "system.0: Input tag 'image' found using 'type' does not match any of the expected tags: 'text'",
        ),
        (
            with(json!({"system": [{"type": "text", "text": ""}]})),
            "system: text content blocks must be non-empty",
        ),
        (
            with(json!({"output_config": {"effort": "high"}})),
            "output_config.effort: this model does not support the effort parameter",
        ),
        // Messages.
        (
            saying(json!([{"role": "tool", "content": "x"}])),
            "messages.0.role: Input should be 'user', 'assistant' or 'system'",
        ),
        (
            saying(json!([{"role": "system", "content": "x"}, user()])),
            "messages: Unexpected role \"system\".",
        ),
        (
            saying(json!([{"role": "assistant", "content": "x"}, user()])),
            "messages: first message must use the \"user\" role",
        ),
        (saying(json!([{"role": "user"}])), "messages.0.content: Field required"),
        (
            saying(json!([{"role": "user", "content": null}])),
            "messages.0.content: Input should be a valid list",
        ),
        (
            saying(json!([{"role": "user", "content": "x", "name": "a"}])),
            "messages.0.name: Extra inputs are not permitted",
        ),
        (
            saying(json!([{"role": "user", "content": ""}])),
            "messages.0: all messages must have non-empty content except for the optional final assistant message",
        ),
        (
            saying(json!([user(), {"role": "assistant", "content": []}, user()])),
            "messages.1: all messages must have non-empty content",
        ),
        (
            saying(json!([user(), {"role": "assistant", "content": "so "}])),
            "messages: final assistant content cannot end with trailing whitespace",
        ),
        (
            saying_blocks(json!([{"type": "text", "text": ""}])),
            "messages: text content blocks must be non-empty",
        ),
        (
            saying_blocks(json!([{"type": "text", "text": " "}])),
            "messages: text content blocks must contain non-whitespace text",
        ),
        (
            saying_blocks(json!([{"text": "x"}])),
            "messages.0.content.0: Unable to extract tag using discriminator 'type'",
        ),
        (
            saying_blocks(json!([{"type": "image_url", "image_url": {}}])),
            "messages.0.content.0: Input tag 'image_url' found using 'type' does not match any of the expected tags: 'text', 'image'",
        ),
        (
            saying_blocks(json!([{"type": "text", "text": "x", "foo": 1}])),
            "messages.0.content.0.text.foo: Extra inputs are not permitted",
        ),
        (
            saying_blocks(json!([{"type": "tool_use", "id": "a", "name": "f", "input": {}}])),
            "messages.0.content.0: `tool_use` blocks can only be in `assistant` messages",
        ),
        (
            saying(json!([user(), {"role": "assistant", "content": [result("a")]}])),
            "messages.1.content.0: `tool_result` blocks can only be in `user` messages",
        ),
        (
            saying(
                json!([user(), {"role": "assistant", "content": [{"type": "image", "source": {"type": "url", "url": "https://a/b"}}]}]),
            ),
            "messages.1.content.0: `image` blocks can only be in `user` messages",
        ),
        // Pictures.
        (
            image(json!({"type": "base64", "media_type": "image/bmp", "data": "aGk="})),
            "messages.0.content.0.image.source.base64.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'",
        ),
        (
            image(json!({"type": "base64", "media_type": "image/png", "data": "%"})),
            "messages.0.content.0.image.source.base64.data: invalid base64 data",
        ),
        (
            image(json!({"type": "base64", "media_type": "image/png", "data": ""})),
            "messages.0.content.0.image.source.base64: image cannot be empty",
        ),
        (
            image(json!({"type": "url", "url": "http://a/b"})),
            "messages.0.content.0.image.source.url.url: Only HTTPS URLs are supported.",
        ),
        (
            image(json!({"type": "url"})),
            "messages.0.content.0.image.source.url.url: Field required",
        ),
        // Tools in the conversation.
        (
            saying(json!([user(), uses(&["a"])])),
            "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: a.",
        ),
        (
            saying(json!([user(), uses(&["a"]), user()])),
            "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: a.",
        ),
        (
            saying(json!([user(), uses(&["a", "b"]), answers(&[result("a")])])),
            "immediately after: b.",
        ),
        (
            saying(json!([
                user(),
                uses(&["a"]),
                answers(&[text_block.clone(), result("a")])
            ])),
            "immediately after: a.",
        ),
        (
            saying(json!([
                user(),
                uses(&["a", "b"]),
                answers(&[result("a"), text_block.clone(), result("b")])
            ])),
            "immediately after: b.",
        ),
        (
            saying(json!([user(), uses(&["a"]), answers(&[result("a"), result("z")])])),
            "messages.2.content.1: unexpected `tool_use_id` found in `tool_result` blocks: z.",
        ),
        (
            saying(json!([answers(&[result("a")])])),
            "messages.0.content.0: unexpected `tool_use_id` found in `tool_result` blocks: a.",
        ),
        (
            saying(json!([user(), uses(&["a"]), answers(&[result("a"), result("a")])])),
            "each tool_use must have a single result. Found multiple `tool_result` blocks with id: a",
        ),
        (
            saying(json!([user(), uses(&["a", "a"]), answers(&[result("a")])])),
            "messages: `tool_use` ids must be unique",
        ),
        (
            saying(json!([user(), uses(&["call:1"]), answers(&[result("call:1")])])),
            "messages.1.content.0.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'",
        ),
        (
            saying(
                json!([user(), {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": "{}"}]}]),
            ),
            "messages.1.content.0.tool_use.input: Input should be a valid dictionary",
        ),
        (
            with(json!({"messages": [user(), uses(&["a"]), answers(&[result("a")])]})),
            "Requests which include `tool_use` or `tool_result` blocks must define tools",
        ),
        // Tools.
        (
            with(json!({"tools": [{"type": "function", "function": {}}]})),
            "tools.0: Input tag 'function' found using 'type' does not match any of the expected tags: 'custom'",
        ),
        (
            with(json!({"tools": [{"name": "a b", "input_schema": {"type": "object"}}]})),
            "tools.0.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'",
        ),
        (
            with(json!({"tools": [{"name": "f"}]})),
            "tools.0.custom.input_schema: Field required",
        ),
        (
            with(json!({"tools": [{"name": "f", "input_schema": {}}]})),
            "tools.0.custom.input_schema.type: Field required",
        ),
        (
            with(json!({"tools": [{"name": "f", "input_schema": {"type": "array"}}]})),
            "tools.0.custom.input_schema.type: Input should be 'object'",
        ),
        (
            with(json!({"tools": [{"name": "f", "input_schema": {"type": "object", "anyOf": []}}]})),
            "tools.0.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level",
        ),
        (
            with(json!({"tools": [{"name": "f", "input_schema": {"type": "object"}, "parameters": {}}]})),
            "tools.0.custom.parameters: Extra inputs are not permitted",
        ),
        (
            with(json!({"tools": [tools()[0], tools()[0]]})),
            "tools: Tool names must be unique.",
        ),
        (
            with(json!({"tool_choice": {"type": "auto"}})),
            "tool_choice: tool_choice may only be specified while providing tools",
        ),
        (
            with(json!({"tools": tools(), "tool_choice": "auto"})),
            "tool_choice: Input should be a valid dictionary",
        ),
        (
            with(json!({"tools": tools(), "tool_choice": {"type": "required"}})),
            "tool_choice: Input tag 'required' found using 'type' does not match any of the expected tags: 'auto', 'any', 'tool', 'none'",
        ),
        (
            with(json!({"tools": tools(), "tool_choice": {"type": "tool", "name": "g"}})),
            "tool_choice: Tool 'g' not found in provided tools",
        ),
        (
            with(json!({"tools": tools(), "tool_choice": {"type": "none", "disable_parallel_tool_use": true}})),
            "tool_choice.none.disable_parallel_tool_use: Extra inputs are not permitted",
        ),
        // The cache.
        (
            marked(5),
            "A maximum of 4 blocks with cache_control may be provided. Found 5.",
        ),
        (
            saying_blocks(json!([{"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "2h"}}])),
            "messages.0.content.0.text.cache_control.ephemeral.ttl: Input should be '5m' or '1h'",
        ),
        (
            saying_blocks(
                json!([{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}, {"type": "text", "text": "b", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]),
            ),
            "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block.",
        ),
        // Thinking.
        (
            thinking(1023, json!({})),
            "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
        ),
        (
            thinking(2000, json!({})),
            "`max_tokens` must be greater than `thinking.budget_tokens`.",
        ),
        (
            thinking(1024, json!({"temperature": 0.5})),
            "`temperature` may only be set to 1 when thinking is enabled.",
        ),
        (
            thinking(1024, json!({"top_p": 0.5})),
            "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled.",
        ),
        (
            thinking(1024, json!({"top_k": 5})),
            "`top_k` must be unset when thinking is enabled.",
        ),
        (
            thinking(1024, json!({"tool_choice": {"type": "any"}})),
            "Thinking may not be enabled when tool_choice forces tool use.",
        ),
        (
            thinking(
                1024,
                json!({"messages": [user(), uses(&["a"]), answers(&[result("a")])]}),
            ),
            "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`.",
        ),
        (
            with(json!({"thinking": {"type": "enabled"}})),
            "thinking.enabled.budget_tokens: Field required",
        ),
        (
            with(json!({"thinking": {"type": "adaptive"}})),
            "thinking.type: 'adaptive' is not supported for this model",
        ),
        (
            saying(json!([user(), {"role": "assistant", "content": [{"type": "thinking", "thinking": "x"}]}])),
            "messages.1.content.0.thinking.signature: Field required",
        ),
        // Structured output.
        (
            format(json!({"type": "object", "properties": {}})),
            "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false",
        ),
        (
            format(
                json!({"type": "object", "additionalProperties": false, "properties": {"a": {"type": "integer", "minimum": 1}}}),
            ),
            "output_config.format.schema: For 'integer' type, property 'minimum' is not supported",
        ),
        (
            with(json!({"output_config": {"format": {"type": "json_object"}}})),
            "output_config.format: Input tag 'json_object' found using 'type'",
        ),
        // The newest models.
        (
            with(json!({"model": "claude-opus-5-5", "temperature": 1})),
            "temperature: this model does not support sampling parameters",
        ),
        (
            with(json!({"model": "claude-opus-5-5", "tools": tools(), "tool_choice": {"type": "any"}})),
            "tool_choice: this model does not support forced tool use",
        ),
        (
            with(json!({"model": "claude-opus-5-5", "thinking": {"type": "disabled"}})),
            "thinking.type: 'disabled' is not supported for this model",
        ),
        (
            with(json!({"model": "claude-opus-5-5", "messages": [user(), {"role": "assistant", "content": "so"}]})),
            "This model does not support assistant message prefill.",
        ),
        // The context.
        (
            with(json!({"messages": [{"role": "user", "content": "word".repeat(200_000)}]})),
            "prompt is too long: 200007 tokens > 200000 maximum",
        ),
        (
            with(json!({"messages": [{"role": "user", "content": "word".repeat(199_000)}]})),
            "input length and `max_tokens` exceed context limit: 199007 + 2000 > 200000",
        ),
    ]
}

#[test]
fn a_bad_request_is_refused_in_the_words_of_the_api() {
    for (body, message) in table() {
        let answer = provider().answer(&ask(&body.to_string()), PLAIN);
        let short: String = body.to_string().chars().take(300).collect();
        assert_eq!(answer.status, 400, "{short}: {}", text(&answer));
        let error = value(&answer)["error"].clone();
        assert_eq!(error["type"], "invalid_request_error", "{short}");
        assert!(error["message"].as_str().unwrap().contains(message), "{short}: {error}");
        assert!(answer.bill.is_none(), "{short}");
    }
}

#[test]
fn a_good_request_is_not_refused() {
    let table = [
        with(
            json!({"system": "be brief", "temperature": 1.0, "stop_sequences": ["x"], "metadata": {"user_id": "u"}, "stream": true}),
        ),
        with(json!({"system": [{"type": "text", "text": "a"}], "top_k": 5, "service_tier": "auto"})),
        saying(
            json!([user(), user(), {"role": "assistant", "content": "a"}, {"role": "assistant", "content": "b"}, user()]),
        ),
        saying(json!([
            user(),
            uses(&["a", "b"]),
            answers(&[result("b"), result("a"), json!({"type": "text", "text": "and?"})])
        ])),
        saying(json!([
            user(),
            uses(&["a"]),
            answers(&[json!({"type": "tool_result", "tool_use_id": "a"})])
        ])),
        saying(json!([user(), {"role": "assistant", "content": "It is"}])),
        saying(json!([user(), {"role": "assistant", "content": ""}])),
        marked(4),
        image(json!({"type": "url", "url": "https://example.com/cat.png"})),
        thinking(1024, json!({"top_p": 0.95, "tool_choice": {"type": "auto"}})),
        with(
            json!({"model": "claude-opus-5-5", "output_config": {"effort": "max"}, "messages": [user(), {"role": "system", "content": "now"}, user()]}),
        ),
        with(
            json!({"tools": [{"type": "custom", "name": "f", "input_schema": {"type": "object"}, "strict": true}], "tool_choice": {"type": "tool", "name": "f"}}),
        ),
        format(json!({"type": "object", "additionalProperties": false, "properties": {"a": {"type": "string"}}})),
    ];
    for body in table {
        let answer = provider().answer(&ask(&body.to_string()), PLAIN);
        assert_eq!(answer.status, 200, "{body}: {}", text(&answer));
    }
}

#[test]
fn heads_are_judged_before_bodies() {
    let hi = with(json!({})).to_string();
    let key = |key: &str| ask(&hi).with("authorization", "").with("x-api-key", key);
    let table = [
        (key(""), 401, "x-api-key header is required"),
        (key("wrong"), 401, "invalid x-api-key"),
        (
            ask("{").with("authorization", "Bearer wrong"),
            401,
            "Invalid bearer token",
        ),
        (
            ask(&hi).with("anthropic-version", ""),
            400,
            "anthropic-version: header is required",
        ),
        (
            ask(&hi).with("anthropic-version", "2020-01-01"),
            400,
            "anthropic-version: \"2020-01-01\" is not a valid version",
        ),
        (ask("{"), 400, "The request body is not valid JSON"),
        (ask("[]"), 400, "The request body is not valid JSON"),
        (
            ask(&with(json!({"model": "claude-9"})).to_string()),
            404,
            "model: claude-9",
        ),
        (
            ask(&with(json!({"model": 9})).to_string()),
            400,
            "model: Input should be a valid string",
        ),
        (Received::sample("GET", "/v1/messages", ""), 405, "Method Not Allowed"),
        (Received::sample("POST", "/v1/chat/completions", "{}"), 404, "Not Found"),
        (
            Received::sample("POST", "/v1/messages/count_tokens", &hi),
            400,
            "max_tokens: Extra inputs are not permitted",
        ),
    ];
    for (request, status, message) in table {
        let answer = provider().answer(&request, PLAIN);
        assert_eq!(answer.status, status, "{request:?}: {}", text(&answer));
        let said = value(&answer)["error"]["message"].as_str().unwrap().to_owned();
        assert!(said.starts_with(message), "{request:?}: {said}");
    }
    assert_eq!(provider().answer(&key("sk-up-1"), PLAIN).status, 200);
}
