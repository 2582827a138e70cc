//! A conversation in each dialect that clients speak, as their SDKs write it.

use crate::conversation::{Conversation, SYSTEM, Turn};
use crate::dialect::Dialect;
use serde_json::{Value, json};

/// What the tools are called, and what they are for.
const TOOLS: [(&str, &str); 2] = [
    ("tide_table", "High and low waters in a window"),
    ("wind_forecast", "Wind by the hour, in knots"),
];

/// The body, but for whether it is to be a stream.
pub(crate) fn of(dialect: Dialect, model: &str, conversation: &Conversation) -> Value {
    match dialect {
        Dialect::Chat => chat(model, conversation),
        Dialect::Responses => responses(model, conversation),
        Dialect::Messages => messages(model, conversation),
        Dialect::Gemini => gemini(conversation),
        Dialect::Converse | Dialect::Cohere | Dialect::Ollama => unreachable!("no client speaks {dialect:?}"),
    }
}

fn chat(model: &str, conversation: &Conversation) -> Value {
    let system = json!({"role": "system", "content": SYSTEM});
    let turn = |turn: &Turn| match turn {
        Turn::User(text) => json!({"role": "user", "content": text}),
        Turn::Assistant(text) => json!({"role": "assistant", "content": text}),
        Turn::Call(number) => {
            let function = json!({"name": TOOLS[0].0, "arguments": arguments().to_string()});
            json!({"role": "assistant", "content": null,
                "tool_calls": [{"id": id(*number), "type": "function", "function": function}]})
        }
        Turn::Result(number) => json!({"role": "tool", "tool_call_id": id(*number), "content": result()}),
    };
    let turns: Vec<_> = std::iter::once(system)
        .chain(conversation.turns.iter().map(turn))
        .collect();
    let mut body = json!({"model": model, "messages": turns, "max_tokens": 1024, "temperature": 0.7});
    if conversation.tools {
        body["tools"] = TOOLS
            .map(|(name, description)| {
                json!({"type": "function",
                    "function": {"name": name, "description": description, "parameters": schema()}})
            })
            .into();
        body["tool_choice"] = json!("auto");
    }
    body
}

fn responses(model: &str, conversation: &Conversation) -> Value {
    let item = |turn: &Turn| match turn {
        Turn::User(text) => json!({"role": "user", "content": text}),
        Turn::Assistant(text) => {
            json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]})
        }
        Turn::Call(number) => {
            json!({"type": "function_call", "call_id": id(*number), "name": TOOLS[0].0,
                "arguments": arguments().to_string()})
        }
        Turn::Result(number) => json!({"type": "function_call_output", "call_id": id(*number), "output": result()}),
    };
    let input: Vec<_> = conversation.turns.iter().map(item).collect();
    let mut body = json!({"model": model, "instructions": SYSTEM, "input": input, "max_output_tokens": 1024,
        "temperature": 0.7});
    if conversation.tools {
        body["tools"] = TOOLS
            .map(|(name, description)| {
                json!({"type": "function", "name": name, "description": description, "parameters": schema(),
                    "strict": false})
            })
            .into();
        body["tool_choice"] = json!("auto");
    }
    body
}

fn messages(model: &str, conversation: &Conversation) -> Value {
    let turn = |turn: &Turn| match turn {
        Turn::User(text) => json!({"role": "user", "content": text}),
        Turn::Assistant(text) => json!({"role": "assistant", "content": text}),
        Turn::Call(number) => json!({"role": "assistant",
            "content": [{"type": "tool_use", "id": id(*number), "name": TOOLS[0].0, "input": arguments()}]}),
        Turn::Result(number) => json!({"role": "user",
            "content": [{"type": "tool_result", "tool_use_id": id(*number), "content": result()}]}),
    };
    let turns: Vec<_> = conversation.turns.iter().map(turn).collect();
    let mut body = json!({"model": model, "system": SYSTEM, "messages": turns, "max_tokens": 1024, "temperature": 0.7});
    if conversation.tools {
        body["tools"] = TOOLS
            .map(|(name, description)| json!({"name": name, "description": description, "input_schema": schema()}))
            .into();
        body["tool_choice"] = json!({"type": "auto"});
    }
    body
}

/// The model is in the path.
fn gemini(conversation: &Conversation) -> Value {
    let content = |role: &str, part: Value| json!({"role": role, "parts": [part]});
    let turn = |turn: &Turn| match turn {
        Turn::User(text) => content("user", json!({"text": text})),
        Turn::Assistant(text) => content("model", json!({"text": text})),
        Turn::Call(number) => content(
            "model",
            json!({"functionCall": {"id": id(*number), "name": TOOLS[0].0, "args": arguments()}}),
        ),
        Turn::Result(number) => content(
            "user",
            json!({"functionResponse": {"id": id(*number), "name": TOOLS[0].0, "response": {"result": result()}}}),
        ),
    };
    let contents: Vec<_> = conversation.turns.iter().map(turn).collect();
    let mut body = json!({"systemInstruction": {"parts": [{"text": SYSTEM}]}, "contents": contents,
        "generationConfig": {"maxOutputTokens": 1024, "temperature": 0.7}});
    if conversation.tools {
        let declared = TOOLS.map(
            |(name, description)| json!({"name": name, "description": description, "parametersJsonSchema": schema()}),
        );
        body["tools"] = json!([{"functionDeclarations": declared}]);
        body["toolConfig"] = json!({"functionCallingConfig": {"mode": "AUTO"}});
    }
    body
}

fn id(number: usize) -> String {
    format!("call_8hT2fQ{number:04}")
}

fn arguments() -> Value {
    json!({"harbour": "DECUX", "from": "2026-11-21T12:00:00+01:00", "hours": 12, "datum": "LAT"})
}

fn result() -> String {
    json!({"high": [{"at": "16:41", "metres": 4.1}], "low": [{"at": "22:58", "metres": 0.6}]}).to_string()
}

/// The schema of a tool's argument object.
fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "harbour": {"type": "string", "description": "UN/LOCODE of the harbour, five letters, for example DECUX"},
            "from": {"type": "string", "format": "date-time", "description": "Start of the window, with its UTC offset"},
            "hours": {"type": "integer", "minimum": 1, "maximum": 72, "description": "Length of the window"},
            "datum": {"type": "string", "enum": ["LAT", "MLWS", "NHN"], "description": "What heights refer to"},
        },
        "required": ["harbour", "from"],
        "additionalProperties": false,
    })
}
