use super::*;
use crate::answer::EventKind;
use crate::builder;
use serde_json::{Value, json};
use std::time::Duration;

const PLAIN: Style = Style {
    interleaved: false,
    usage_everywhere: false,
    unknown_fields: false,
};

fn provider() -> Gemini {
    Gemini::new(builder::Gemini::builder().keys(["sk-up-1"]).settings())
}

fn ask(model: &str, method: &str, body: &Value) -> Answer {
    let target = format!("/v1beta/models/{model}:{method}");
    let request = Received::sample("POST", &target, &body.to_string()).with("x-goog-api-key", "sk-up-1");
    provider().answer(&request, PLAIN)
}

fn text(answer: &Answer) -> String {
    match &answer.body {
        Body::Whole(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
        Body::Events(events) => events
            .iter()
            .map(|event| String::from_utf8(event.bytes.to_vec()).unwrap())
            .collect(),
    }
}

fn value(answer: &Answer) -> Value {
    serde_json::from_str(&text(answer)).unwrap()
}

fn hi() -> Value {
    json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]})
}

#[test]
fn a_stream_is_events_with_alt_sse_and_an_array_without() {
    let whole = ask("gemini-2.5-flash", "generateContent", &hi());
    let said = value(&whole)["candidates"][0]["content"]["parts"][0]["text"].clone();
    assert_eq!(said, "Echo from gemini-2.5-flash: hi");
    let events = ask("gemini-2.5-flash", "streamGenerateContent?alt=sse", &hi());
    let Body::Events(list) = &events.body else {
        panic!("events")
    };
    assert_eq!(list.last().map(|event| event.kind), Some(EventKind::Terminator));
    let texts = |chunks: &[Value]| -> String {
        let parts = chunks
            .iter()
            .map(|chunk| &chunk["candidates"][0]["content"]["parts"][0]["text"]);
        parts.filter_map(Value::as_str).collect()
    };
    let streamed = text(&events);
    let chunks: Vec<Value> = streamed
        .split("\r\n\r\n")
        .filter_map(|event| serde_json::from_str(event.strip_prefix("data: ")?).ok())
        .collect();
    assert_eq!(texts(&chunks), said);
    assert_eq!(chunks.last().unwrap()["candidates"][0]["finishReason"], "STOP");
    let array = value(&ask("gemini-2.5-flash", "streamGenerateContent", &hi()));
    assert_eq!(texts(array.as_array().unwrap()), said);
}

#[test]
fn what_the_newest_models_call_is_signed_and_must_come_back_signed() {
    let tools = json!([{"functionDeclarations": [{"name": "get_weather", "parametersJsonSchema":
        {"type": "object", "properties": {"city": {"type": "string"}}}}]}]);
    let mut request =
        json!({"contents": [{"role": "user", "parts": [{"text": "The weather in Oslo?"}]}], "tools": tools});
    let answer = value(&ask("gemini-3.8-flash", "generateContent", &request));
    let content = answer["candidates"][0]["content"].clone();
    let call = &content["parts"][0];
    assert_eq!(call["functionCall"]["name"], "get_weather");
    let response = json!({"role": "user", "parts": [{"functionResponse":
        {"id": call["functionCall"]["id"], "name": "get_weather", "response": {"result": "rain"}}}]});
    let contents = request["contents"].as_array_mut().unwrap();
    contents.extend([content, response]);
    let answered = ask("gemini-3.8-flash", "generateContent", &request);
    assert!(text(&answered).contains("rain"), "{}", text(&answered));
    for (signature, says) in [
        (Value::Null, "missing a thought_signature"),
        (json!("CiQB"), "Corrupted thought signature."),
    ] {
        let part = &mut request["contents"][1]["parts"][0];
        part["thoughtSignature"] = signature.clone();
        if signature.is_null() {
            part.as_object_mut().unwrap().remove("thoughtSignature");
        }
        let refused = ask("gemini-3.8-flash", "generateContent", &request);
        assert_eq!(refused.status, 400);
        assert!(text(&refused).contains(says), "{}", text(&refused));
    }
}

#[test]
fn what_is_wrong_is_refused_in_google_s_words() {
    let with = |key: &str, value: Value| {
        let mut body = hi();
        body[key] = value;
        body
    };
    for (body, says) in [
        (json!({}), "contents"),
        (json!({"contents": []}), "contents is not specified"),
        (json!({"contents": [{"parts": []}]}), "must not be empty"),
        (
            json!({"contents": [{"parts": [{"thought": true}]}]}),
            "required oneof field 'data'",
        ),
        (
            json!({"contents": [{"role": "bot", "parts": [{"text": "a"}]}]}),
            "valid role",
        ),
        (
            with("stream", json!(true)),
            "Unknown name \\\"stream\\\": Cannot find field.",
        ),
        (
            with(
                "generationConfig",
                json!({"stopSequences": ["1", "2", "3", "4", "5", "6"]}),
            ),
            "at most 5",
        ),
        (
            with("generationConfig", json!({"thinkingConfig": {"thinkingLevel": "low"}})),
            "not supported",
        ),
        (
            with(
                "generationConfig",
                json!({"thinkingConfig": {"thinkingBudget": 40_000}}),
            ),
            "thinking budget 40000 is invalid",
        ),
        (
            with("generationConfig", json!({"logprobs": 2})),
            "only be set when response_logprobs",
        ),
        (
            with("toolConfig", json!({"functionCallingConfig": {"mode": "ANY"}})),
            "without function_declarations",
        ),
        (
            with("tools", json!([{"functionDeclarations": [{"name": "1a"}]}])),
            "Invalid function name",
        ),
        (
            json!({"contents": [{"parts": [{"functionResponse": {"name": "f", "response": {}}}]}]}),
            "number of function response parts",
        ),
    ] {
        let answer = ask("gemini-2.5-flash", "generateContent", &body);
        assert_eq!(answer.status, 400, "{body}: {}", text(&answer));
        assert!(text(&answer).contains(says), "{body}: {}", text(&answer));
        assert_eq!(value(&answer)["error"]["status"], "INVALID_ARGUMENT");
    }
    let unknown = ask("gemini-9", "generateContent", &hi());
    assert_eq!(
        (unknown.status, value(&unknown)["error"]["code"].clone()),
        (404, json!(404))
    );
}

#[test]
fn keys_are_looked_for_where_google_s_clients_put_them() {
    let request = |target: &str| Received::sample("POST", target, &hi().to_string());
    let path = "/v1beta/models/gemini-2.5-flash:generateContent";
    for (request, status, says) in [
        (request(path), 403, "unregistered callers"),
        (request(path).with("x-goog-api-key", "other"), 400, "API_KEY_INVALID"),
        (request(path).with("x-goog-api-key", "sk-up-1"), 200, "Echo"),
        (request(&format!("{path}?key=sk-up-1")), 200, "Echo"),
    ] {
        let answer = provider().answer(&request, PLAIN);
        assert_eq!(answer.status, status, "{}", text(&answer));
        assert!(text(&answer).contains(says), "{}", text(&answer));
    }
}

#[test]
fn a_limit_says_when_it_ends() {
    let request = Received::sample("POST", "/v1beta/models/g:generateContent", "{}");
    let resets_in = Duration::from_secs(34);
    let limited = value(&provider().refuse(&request, Refusal::RateLimited { resets_in }));
    assert_eq!(limited["error"]["details"][1]["retryDelay"], "34s");
    let spent = value(&provider().refuse(&request, Refusal::SpendLimit));
    let quota = &spent["error"]["details"][0]["violations"][0]["quotaId"];
    assert_eq!(quota, "GenerateRequestsPerDayPerProjectPerModel");
}
