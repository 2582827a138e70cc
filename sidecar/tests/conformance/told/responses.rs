//! OpenAI's Responses clients.

use super::append;
use crate::ask::PNG;
use crate::said::{SOURCE, Say, THOUGHT, USAGE};
use crate::seek::{Sought, Spots, spot, value};
use serde_json::{Value, json};

pub(super) fn sought(say: Say) -> Sought {
    let text = || {
        spot(
            "output.*.content.*",
            json!({"type": "output_text", "text": "quince jam"}),
        )
    };
    match say {
        Say::Text => vec![text()],
        Say::Call => vec![call("output.0", "Rome")],
        Say::ParallelCalls => vec![call("output.0", "Rome").and(call("output.1", "Oslo"))],
        Say::CallAfterText => vec![text().and(call("output.1", "Rome"))],
        Say::Thought => vec![text().and(spot(
            "output.0",
            json!({"type": "reasoning", "summary.*.text": THOUGHT}),
        ))],
        Say::Stop | Say::Sequence | Say::Calls => vec![value("status", json!("completed"))],
        Say::Length => vec![cut("max_output_tokens")],
        Say::Filter => vec![cut("content_filter")],
        Say::Refusal => vec![spot(
            "output.*.content.*",
            json!({"type": "refusal", "refusal": "not quinces"}),
        )],
        Say::Image => vec![text().and(spot(
            "output.1",
            json!({"type": "image_generation_call", "result": PNG}),
        ))],
        Say::Citation => vec![text().and(spot(
            "output.0.content.0.annotations.0",
            json!({"type": "url_citation", "url": SOURCE}),
        ))],
        Say::Usage => vec![spot(
            "usage",
            json!({"input_tokens": USAGE.input, "output_tokens": USAGE.output,
            "total_tokens": USAGE.input + USAGE.output}),
        )],
        Say::Cached => vec![value(
            "usage.input_tokens_details.cached_tokens",
            json!(USAGE.cached_input),
        )],
        Say::Written => vec![value(
            "usage.input_tokens_details.cache_write_tokens",
            json!(USAGE.cache_write_input),
        )],
        Say::Reasoning => vec![value(
            "usage.output_tokens_details.reasoning_tokens",
            json!(USAGE.reasoning),
        )],
    }
}

fn cut(reason: &str) -> Spots {
    spot("", json!({"status": "incomplete", "incomplete_details.reason": reason}))
}

fn call(at: &'static str, city: &str) -> Spots {
    spot(
        at,
        json!({"type": "function_call", "name": "weather", "arguments": {"city": city}}),
    )
}

/// The last event repeats the whole; what the deltas said must be what it repeats.
pub(super) fn fold(events: &[Value]) -> Result<Value, String> {
    let last = events.last().unwrap_or(&Value::Null);
    let kind = last["type"].as_str().unwrap_or_default();
    if !matches!(kind, "response.completed" | "response.incomplete") {
        return Err(format!("the stream ends with {kind:?}"));
    }
    let mut said = json!({});
    for (number, event) in events.iter().enumerate() {
        if event["sequence_number"] != json!(number) {
            return Err(format!("event {number} has another number: {event}"));
        }
        append(&mut said, event["type"].as_str().unwrap_or_default(), &event["delta"]);
    }
    for (delta, place) in [
        ("response.output_text.delta", "text"),
        ("response.function_call_arguments.delta", "arguments"),
    ] {
        let repeated = strings(&last["response"]["output"], place);
        let said = said[delta].as_str().unwrap_or_default();
        let (mut said, mut repeated): (Vec<_>, Vec<_>) = (said.chars().collect(), repeated.chars().collect());
        // Parallel calls come in turns.
        said.sort_unstable();
        repeated.sort_unstable();
        if said != repeated {
            return Err(format!("the deltas of {place} are not what the end repeats"));
        }
    }
    Ok(last["response"].clone())
}

/// All strings called `key` in messages and calls, one behind the other.
fn strings(output: &Value, key: &str) -> String {
    let items = output
        .as_array()
        .into_iter()
        .flatten()
        .filter(|item| item["type"] != "reasoning");
    let inside = |item: &Value| {
        let parts = item["content"].as_array().into_iter().flatten();
        let parts: String = parts.filter_map(|part| part[key].as_str()).collect();
        item[key].as_str().unwrap_or_default().to_owned() + &parts
    };
    items.map(inside).collect()
}
