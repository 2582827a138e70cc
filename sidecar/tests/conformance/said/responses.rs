//! OpenAI's Responses.

use super::{End, Part, SIGNATURE, SOURCE, Said, Say, USAGE, pieces};
use serde_json::{Value, json};

pub(super) fn answer(_say: Say, parts: &[Part], end: End) -> Option<Said> {
    let cut = match end {
        End::Stop | End::Calls => None,
        End::Length => Some("max_output_tokens"),
        End::Filter => Some("content_filter"),
        // It knows no stop sequences.
        End::Sequence => return None,
    };
    let status = if cut.is_some() { "incomplete" } else { "completed" };
    let mut whole = head(status);
    whole["incomplete_details"] = cut.map_or(Value::Null, |reason| json!({ "reason": reason }));
    whole["output"] = parts
        .iter()
        .enumerate()
        .map(|(index, part)| item(index, part, status))
        .collect();
    whole["usage"] = usage();
    let mut events = vec![
        ("response.created", json!({"response": head("in_progress")})),
        ("response.in_progress", json!({"response": head("in_progress")})),
    ];
    events.extend(
        parts
            .iter()
            .enumerate()
            .flat_map(|(index, part)| item_events(index, part, status)),
    );
    let last = if cut.is_some() {
        "response.incomplete"
    } else {
        "response.completed"
    };
    events.push((last, json!({ "response": whole })));
    let numbered = events.into_iter().enumerate().map(|(number, (name, mut data))| {
        data["type"] = json!(name);
        data["sequence_number"] = json!(number);
        (name, data)
    });
    Some(Said {
        stream: numbered.collect(),
        whole,
    })
}

fn head(status: &str) -> Value {
    json!({"id": "resp_q", "object": "response", "created_at": 1, "model": "up", "status": status, "error": null,
        "incomplete_details": null, "output": [], "usage": null})
}

fn usage() -> Value {
    json!({"input_tokens": USAGE.input, "output_tokens": USAGE.output, "total_tokens": USAGE.input + USAGE.output,
        "input_tokens_details": {"cached_tokens": USAGE.cached_input, "cache_write_tokens": USAGE.cache_write_input},
        "output_tokens_details": {"reasoning_tokens": USAGE.reasoning}})
}

fn item(index: usize, part: &Part, status: &str) -> Value {
    let said = |content: Value| json!({"type": "message", "id": format!("msg_{index}"), "role": "assistant", "status": status, "content": [content]});
    match part {
        Part::Text(text) => {
            said(json!({"type": "output_text", "text": text.concat(), "annotations": [], "logprobs": []}))
        }
        Part::Refusal(text) => said(json!({"type": "refusal", "refusal": text.concat()})),
        Part::Image(data) => {
            json!({"type": "image_generation_call", "id": format!("ig_{index}"), "status": status, "result": data})
        }
        Part::Cited(text) => {
            said(json!({"type": "output_text", "text": text.concat(), "annotations": [annotation()], "logprobs": []}))
        }
        Part::Thought(text) => json!({"type": "reasoning", "id": format!("rs_{index}"),
            "summary": [{"type": "summary_text", "text": text}], "encrypted_content": SIGNATURE}),
        Part::Call(id, city) => json!({"type": "function_call", "id": format!("fc_{index}"), "call_id": id,
            "name": "weather", "arguments": pieces(city).concat(), "status": status}),
    }
}

fn annotation() -> Value {
    json!({"type": "url_citation", "url": SOURCE, "title": "Quinces", "start_index": 0, "end_index": 6})
}

fn item_events(index: usize, part_of: &Part, status: &str) -> Vec<(&'static str, Value)> {
    let whole = item(index, part_of, status);
    let id = whole["id"].clone();
    let of = |more: Value| {
        let mut data = json!({"item_id": id, "output_index": index});
        let Value::Object(more) = more else { return data };
        data.as_object_mut().expect("it is an object").extend(more);
        data
    };
    let mut begun = whole.clone();
    let inside = match part_of {
        Part::Image(_) => {
            begun["result"] = Value::Null;
            vec![("response.image_generation_call.completed", of(json!({})))]
        }
        Part::Text(text) | Part::Cited(text) => {
            begun["content"] = json!([]);
            let part = |text: String| json!({"type": "output_text", "text": text, "annotations": []});
            let mut events = spoken(
                "response.output_text.delta",
                "response.output_text.done",
                "text",
                text,
                &of,
                part,
            );
            if let Part::Cited(_) = part_of {
                let added = json!({"content_index": 0, "annotation_index": 0, "annotation": annotation()});
                events.insert(events.len() - 2, ("response.output_text.annotation.added", of(added)));
            }
            events
        }
        Part::Refusal(text) => {
            begun["content"] = json!([]);
            let part = |text: String| json!({"type": "refusal", "refusal": text});
            spoken(
                "response.refusal.delta",
                "response.refusal.done",
                "refusal",
                text,
                &of,
                part,
            )
        }
        Part::Thought(text) => {
            begun = json!({"type": "reasoning", "id": id, "summary": []});
            let part = |text: &str| of(json!({"summary_index": 0, "part": {"type": "summary_text", "text": text}}));
            vec![
                ("response.reasoning_summary_part.added", part("")),
                (
                    "response.reasoning_summary_text.delta",
                    of(json!({"summary_index": 0, "delta": text})),
                ),
                (
                    "response.reasoning_summary_text.done",
                    of(json!({"summary_index": 0, "text": text})),
                ),
                ("response.reasoning_summary_part.done", part(text)),
            ]
        }
        Part::Call(_, city) => {
            begun["arguments"] = json!("");
            let mut events: Vec<_> = pieces(city)
                .iter()
                .map(|piece| ("response.function_call_arguments.delta", of(json!({ "delta": piece }))))
                .collect();
            events.push((
                "response.function_call_arguments.done",
                of(json!({"arguments": pieces(city).concat()})),
            ));
            events
        }
    };
    let added = (
        "response.output_item.added",
        json!({"output_index": index, "item": begun}),
    );
    let done = (
        "response.output_item.done",
        json!({"output_index": index, "item": whole}),
    );
    [vec![added], inside, vec![done]].concat()
}

fn spoken(
    delta: &'static str,
    done: &'static str,
    key: &str,
    text: &[&str; 2],
    of: &dyn Fn(Value) -> Value,
    part: impl Fn(String) -> Value,
) -> Vec<(&'static str, Value)> {
    let mut events = vec![(
        "response.content_part.added",
        of(json!({"content_index": 0, "part": part(String::new())})),
    )];
    events.extend(
        text.iter()
            .map(|text| (delta, of(json!({"content_index": 0, "delta": text, "logprobs": []})))),
    );
    events.push((
        done,
        of(json!({"content_index": 0, key: text.concat(), "logprobs": []})),
    ));
    events.push((
        "response.content_part.done",
        of(json!({"content_index": 0, "part": part(text.concat())})),
    ));
    events
}
