//! Bedrock's Converse.

use super::{End, Part, SIGNATURE, SOURCE, Said, Say, USAGE, city, pieces};
use serde_json::{Value, json};

pub(super) fn answer(say: Say, parts: &[Part], end: End) -> Option<Said> {
    let refuses = parts.iter().any(|part| matches!(part, Part::Refusal(_)));
    // It has no words for a refusal, does not count reasoning, and how it streams images is not told.
    if refuses || matches!(say, Say::Reasoning | Say::Image) {
        return None;
    }
    let reason = match end {
        End::Stop => "end_turn",
        End::Sequence => "stop_sequence",
        End::Length => "max_tokens",
        End::Calls => "tool_use",
        End::Filter => "content_filtered",
    };
    let content: Vec<_> = parts.iter().map(block).collect();
    let whole = json!({"output": {"message": {"role": "assistant", "content": content}}, "stopReason": reason,
        "usage": usage(), "metrics": {"latencyMs": 1}});
    let mut stream = vec![("messageStart", json!({"role": "assistant"}))];
    stream.extend(
        parts
            .iter()
            .enumerate()
            .flat_map(|(index, part)| block_events(index, part)),
    );
    stream.push(("messageStop", json!({"stopReason": reason})));
    stream.push(("metadata", json!({"usage": usage(), "metrics": {"latencyMs": 1}})));
    Some(Said { whole, stream })
}

fn usage() -> Value {
    json!({"inputTokens": USAGE.input - USAGE.cached_input - USAGE.cache_write_input, "outputTokens": USAGE.output,
        "totalTokens": USAGE.input + USAGE.output, "cacheReadInputTokens": USAGE.cached_input,
        "cacheWriteInputTokens": USAGE.cache_write_input})
}

fn block(part: &Part) -> Value {
    match part {
        Part::Text(text) | Part::Refusal(text) => json!({"text": text.concat()}),
        Part::Cited(text) => {
            json!({"citationsContent": {"content": [{"text": text.concat()}], "citations": [citation()]}})
        }
        Part::Image(data) => json!({"image": {"format": "png", "source": {"bytes": data}}}),
        Part::Thought(text) => json!({"reasoningContent": {"reasoningText": {"text": text, "signature": SIGNATURE}}}),
        Part::Call(id, place) => json!({"toolUse": {"toolUseId": id, "name": "weather", "input": city(place)}}),
    }
}

fn citation() -> Value {
    json!({"title": "Quinces", "location": {"web": {"url": SOURCE}}, "sourceContent": [{"text": "quince"}]})
}

fn block_events(index: usize, part: &Part) -> Vec<(&'static str, Value)> {
    let deltas: Vec<Value> = match part {
        Part::Text(text) | Part::Refusal(text) => text.iter().map(|text| json!({"text": text})).collect(),
        Part::Cited(text) => {
            let texts = text.iter().map(|text| json!({"text": text}));
            texts.chain([json!({"citation": citation()})]).collect()
        }
        Part::Image(_) => vec![block(part)],
        Part::Thought(text) => vec![
            json!({"reasoningContent": {"text": text}}),
            json!({"reasoningContent": {"signature": SIGNATURE}}),
        ],
        Part::Call(_, city) => pieces(city)
            .iter()
            .map(|piece| json!({"toolUse": {"input": piece}}))
            .collect(),
    };
    let mut events = Vec::new();
    if let Part::Call(id, _) = part {
        let start = json!({"toolUse": {"toolUseId": id, "name": "weather"}});
        events.push(("contentBlockStart", json!({"contentBlockIndex": index, "start": start})));
    }
    let delta = |delta| ("contentBlockDelta", json!({"contentBlockIndex": index, "delta": delta}));
    events.extend(deltas.into_iter().map(delta));
    events.push(("contentBlockStop", json!({"contentBlockIndex": index})));
    events
}
