//! Anthropic's Messages.

use super::{End, Part, SEQUENCE, SIGNATURE, SOURCE, Said, Say, USAGE, city, pieces};
use serde_json::{Value, json};

pub(super) fn answer(_say: Say, parts: &[Part], end: End) -> Option<Said> {
    // A refusal is an end here, its words are the answer's text; and it answers with no images.
    if parts
        .iter()
        .any(|part| matches!(part, Part::Refusal(_) | Part::Image(_)))
    {
        return None;
    }
    let reason = match end {
        End::Stop => "end_turn",
        End::Sequence => "stop_sequence",
        End::Length => "max_tokens",
        End::Calls => "tool_use",
        End::Filter => "refusal",
    };
    let sequence = (end == End::Sequence).then_some(SEQUENCE);
    let content: Vec<_> = parts.iter().map(block).collect();
    let head = json!({"id": "msg_q", "type": "message", "role": "assistant", "model": "up"});
    let mut whole = head.clone();
    whole["content"] = json!(content);
    whole["stop_reason"] = json!(reason);
    whole["stop_sequence"] = json!(sequence);
    whole["usage"] = usage();
    let mut begun = head;
    begun["content"] = json!([]);
    begun["usage"] = usage();
    begun["usage"]["output_tokens"] = json!(1);
    let mut stream = vec![
        ("message_start", json!({"type": "message_start", "message": begun})),
        ("ping", json!({"type": "ping"})),
    ];
    stream.extend(
        parts
            .iter()
            .enumerate()
            .flat_map(|(index, part)| block_events(index, part)),
    );
    let delta = json!({"stop_reason": reason, "stop_sequence": sequence});
    stream.push((
        "message_delta",
        json!({"type": "message_delta", "delta": delta, "usage": usage()}),
    ));
    stream.push(("message_stop", json!({"type": "message_stop"})));
    Some(Said { whole, stream })
}

fn usage() -> Value {
    json!({"input_tokens": USAGE.input - USAGE.cached_input - USAGE.cache_write_input,
        "cache_read_input_tokens": USAGE.cached_input, "cache_creation_input_tokens": USAGE.cache_write_input,
        "output_tokens": USAGE.output, "output_tokens_details": {"thinking_tokens": USAGE.reasoning}})
}

fn block(part: &Part) -> Value {
    match part {
        Part::Text(text) | Part::Refusal(text) => json!({"type": "text", "text": text.concat()}),
        Part::Cited(text) => json!({"type": "text", "text": text.concat(), "citations": [citation()]}),
        Part::Image(data) => json!({"type": "image", "data": data}),
        Part::Thought(text) => json!({"type": "thinking", "thinking": text, "signature": SIGNATURE}),
        Part::Call(id, place) => json!({"type": "tool_use", "id": id, "name": "weather", "input": city(place)}),
    }
}

fn citation() -> Value {
    json!({"type": "web_search_result_location", "url": SOURCE, "title": "Quinces", "encrypted_index": "e",
        "cited_text": "quince"})
}

fn block_events(index: usize, part: &Part) -> Vec<(&'static str, Value)> {
    let (empty, deltas): (Value, Vec<Value>) = match part {
        Part::Text(text) | Part::Refusal(text) | Part::Cited(text) => {
            let cites =
                matches!(part, Part::Cited(_)).then(|| json!({"type": "citations_delta", "citation": citation()}));
            let texts = text.iter().map(|text| json!({"type": "text_delta", "text": text}));
            (json!({"type": "text", "text": ""}), texts.chain(cites).collect())
        }
        Part::Image(_) => (block(part), vec![]),
        Part::Thought(text) => (
            json!({"type": "thinking", "thinking": "", "signature": ""}),
            vec![
                json!({"type": "thinking_delta", "thinking": text}),
                json!({"type": "signature_delta", "signature": SIGNATURE}),
            ],
        ),
        Part::Call(id, city) => (
            json!({"type": "tool_use", "id": id, "name": "weather", "input": {}}),
            pieces(city)
                .iter()
                .map(|piece| json!({"type": "input_json_delta", "partial_json": piece}))
                .collect(),
        ),
    };
    let start = json!({"type": "content_block_start", "index": index, "content_block": empty});
    let delta = |delta| {
        (
            "content_block_delta",
            json!({"type": "content_block_delta", "index": index, "delta": delta}),
        )
    };
    let mut events = vec![("content_block_start", start)];
    events.extend(deltas.into_iter().map(delta));
    events.push((
        "content_block_stop",
        json!({"type": "content_block_stop", "index": index}),
    ));
    events
}
