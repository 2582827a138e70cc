//! Whatever an upstream sends: no panic, well-formed events, and never an end that looks clean when it was not.

use super::{exchange, goldens, on_the_wire, translate};
use crate::dialect::{ClientDialect, Dialect, Exchange};
use crate::json;
use crate::sse;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// What the official SDK of the client demands of every stream.
pub(in crate::dialect) fn check_client(exchange: &Exchange, client: &str) {
    match exchange.client {
        ClientDialect::Chat => check_chat(client),
        ClientDialect::Messages => check_messages(client),
        ClientDialect::Gemini => check_gemini(client),
        ClientDialect::Responses => check_responses(client),
    }
}

/// The events; comments are for people. A Gemini client's reader takes every line for JSON, and so gets none.
fn told(client: &str) -> impl Iterator<Item = sse::Event<'_>> {
    sse::events(client.as_bytes()).filter(|event| !event.raw.starts_with(b": x-pilotfish-loss: answer."))
}

fn text(raw: json::Raw<'_>, key: &str) -> String {
    raw.object()
        .and_then(|object| object.get(key)?.string())
        .unwrap_or_default()
        .into_owned()
}

/// Every chunk is JSON with the same id and model; nothing follows the end.
fn check_chat(client: &str) {
    let mut heads = std::collections::BTreeSet::new();
    let mut ended = false;
    for event in told(client) {
        assert!(!ended, "something follows [DONE]");
        ended = &*event.data == b"[DONE]";
        if !ended {
            let chunk = json::parse_value(&event.data).unwrap();
            heads.insert((text(chunk, "id"), text(chunk, "model")));
        }
    }
    assert!(heads.len() <= 1, "{heads:?}");
}

/// Events are named; `message_start` first and once; blocks begin, get deltas and end one after the other.
fn check_messages(client: &str) {
    let (mut started, mut open, mut index, mut ended) = (false, false, 0, false);
    for event in told(client) {
        let data = json::parse_value(&event.data).unwrap();
        assert_eq!(text(data, "type"), event.name.unwrap());
        assert!(!ended, "something follows message_stop");
        let at = || data.object().unwrap().get("index").unwrap().u64().unwrap();
        match event.name.unwrap() {
            "message_start" => assert!(!std::mem::replace(&mut started, true)),
            "content_block_start" => {
                assert!(started && !std::mem::replace(&mut open, true));
                assert_eq!(at(), index);
            }
            "content_block_delta" => {
                assert!(open);
                assert_eq!(at(), index);
            }
            "content_block_stop" => {
                assert!(std::mem::replace(&mut open, false));
                assert_eq!(at(), index);
                index += 1;
            }
            "message_delta" => assert!(started && !open),
            "message_stop" => ended = true,
            other => panic!("{other}"),
        }
    }
}

/// Every chunk is an answer with parts, of the same id and model; nothing follows the one that says why it ended.
fn check_gemini(client: &str) {
    let mut heads = std::collections::BTreeSet::new();
    let mut ended = false;
    for event in sse::events(client.as_bytes()) {
        assert!(!ended, "something follows the finish");
        let chunk: serde_json::Value = serde_json::from_slice(&event.data).unwrap();
        let candidate = &chunk["candidates"][0];
        let parts = candidate["content"]["parts"].as_array().unwrap();
        assert!(
            !parts.is_empty() && parts.iter().all(|part| part.is_object()),
            "{chunk}"
        );
        for call in parts.iter().filter_map(|part| part.get("functionCall")) {
            assert!(call["args"].is_object() && call["name"].is_string(), "{call}");
        }
        heads.insert((chunk["responseId"].to_string(), chunk["modelVersion"].to_string()));
        ended = candidate["finishReason"].is_string();
    }
    assert!(heads.len() <= 1, "{heads:?}");
}

/// Events are named and numbered from 0; the response is created first; items begin, get deltas and end, each at its own
/// place; what ends an item or the response repeats what was said.
fn check_responses(client: &str) {
    let (mut open, mut done) = (BTreeMap::<u64, String>::new(), BTreeMap::<u64, String>::new());
    let mut ended = false;
    for (number, event) in told(client).enumerate() {
        let (name, data) = (event.name.unwrap(), json::parse_value(&event.data).unwrap());
        assert_eq!(text(data, "type"), name);
        assert!(!ended, "something follows {name}");
        let data = data.object().unwrap();
        let count = |key| data.get(key).unwrap().u64().unwrap();
        assert_eq!(count("sequence_number"), number as u64);
        assert_eq!(number == 0, name == "response.created");
        let place = || count("output_index");
        match name {
            "response.created" | "response.in_progress" => {}
            "response.output_item.added" => {
                assert_eq!(place(), (open.len() + done.len()) as u64);
                open.insert(place(), String::new());
            }
            "response.output_item.done" => {
                let told = open.remove(&place()).unwrap();
                let item = data.get("item").unwrap().text().to_owned();
                assert!(item.contains(&told), "{item} does not say {told}");
                done.insert(place(), item);
            }
            "response.completed" | "response.incomplete" => {
                ended = true;
                assert!(open.is_empty());
                let response = data.get("response").and_then(json::Raw::object).unwrap();
                let output = response.get("output").and_then(json::Raw::elements).unwrap();
                let told: Vec<_> = output.map(|item| item.text().to_owned()).collect();
                assert_eq!(told, done.values().cloned().collect::<Vec<_>>());
                assert!(response.get("usage").unwrap().object().is_some());
            }
            name if name.ends_with(".done") => {
                let told = ["text", "refusal", "arguments", "input"]
                    .iter()
                    .find_map(|key| data.get(key));
                if let Some(told) = told {
                    open.insert(place(), told.text().to_owned()).unwrap();
                }
            }
            name => {
                assert!(open.contains_key(&place()), "{name}");
                let goes_on = [
                    ".delta",
                    "_part.added",
                    ".annotation.added",
                    "_call.in_progress",
                    "_call.completed",
                ];
                assert!(goes_on.iter().any(|end| name.ends_with(end)), "{name}");
            }
        }
    }
}

#[test]
fn every_golden_is_what_its_sdk_demands() {
    for (_, exchange, upstream, _) in goldens() {
        let stream = on_the_wire(exchange.upstream, &upstream);
        check_client(&exchange, &translate(&exchange, &stream, &[stream.len()]).client);
    }
}

#[test]
fn a_stream_that_breaks_off_never_looks_complete() {
    for (file, exchange, upstream, _) in goldens() {
        // Each of its chunks says that it is the last: nothing but the connection tells.
        if file.to_string_lossy().contains("stop-first") {
            continue;
        }
        let stream = on_the_wire(exchange.upstream, &upstream);
        let whole = translate(&exchange, &stream, &[stream.len()]);
        for cut in (0..stream.len()).step_by(7) {
            let part = translate(&exchange, &stream[..cut], &[cut.max(1)]);
            let is_terminated = [
                "[DONE]",
                "message_stop",
                "finishReason",
                "response.completed",
                "response.incomplete",
            ]
            .iter()
            .any(|end| part.client.contains(end));
            // Once it has finished, usage is all that can be missing, and what came too late.
            let said = |client: &str| {
                let end = [
                    "event: message_delta",
                    "\"finishReason\"",
                    "event: response.completed",
                    "event: response.incomplete",
                ];
                let at = end.iter().find_map(|end| client.find(end));
                at.and_then(|at| client.get(..at))
                    .map(|said| said.lines().filter(|line| !line.starts_with(':')).collect::<String>())
            };
            assert!(
                !is_terminated || said(&part.client) == said(&whole.client),
                "{} cut at {cut}",
                file.display()
            );
            assert!(
                is_terminated || part.effects.contains("fault"),
                "{} cut at {cut}",
                file.display()
            );
        }
    }
}

const CLIENTS: [ClientDialect; 4] = [
    ClientDialect::Chat,
    ClientDialect::Messages,
    ClientDialect::Responses,
    ClientDialect::Gemini,
];
const UPSTREAMS: [Dialect; 4] = [Dialect::Chat, Dialect::Messages, Dialect::Responses, Dialect::Gemini];

/// Pieces that upstreams send, right and wrong, in every dialect.
const EVENTS: &[&str] = &[
    "data: {\"id\":\"c\",\"model\":\"g\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n",
    "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"x\",\"function\":{\"name\":\"f\",\"arguments\":\"{\"}}]}}]}\n\n",
    "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":1,\"id\":\"y\",\"function\":{\"name\":\"g\"}}]}}]}\n\n",
    "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":1,\"function\":{\"arguments\":\"}\"}},{\"index\":0,\"function\":{\"arguments\":\"}\"}}]}}]}\n\n",
    "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"function\":{\"name\":\"h\"}}, 7, null]}}]}\n\n",
    "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"t\"}}]}\n\n",
    "data: {\"choices\":[{\"delta\":{\"reasoning_details\":[{\"type\":\"reasoning.text\",\"signature\":\"s\"},{\"type\":\"reasoning.encrypted\",\"data\":\"d\"}]}}]}\n\n",
    "data: {\"choices\":[{\"delta\":{\"refusal\":\"no\"}}]}\n\n",
    "data: {\"choices\":[{\"delta\":{\"images\":[{\"image_url\":{\"url\":\"data:image/png;base64,aa\"}},{\"image_url\":7},7],\"annotations\":[7],\"audio\":{}}}]}\n\n",
    "data: {\"citations\":[\"u\"],\"choices\":[{\"delta\":{\"content\":[{\"type\":\"reference\"},{\"type\":\"image_url\",\"image_url\":\"https://a\"}]}}]}\n\n",
    "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
    "data: {\"choices\":[{\"delta\":null,\"finish_reason\":7}],\"usage\":{\"prompt_tokens\":1}}\n\n",
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":-1,\"completion_tokens\":1e99}}\n\n",
    "data: {\"choices\":{}}\n\n",
    "data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"logprobs\":{\"content\":[{\"token\":\"a\",\"logprob\":-1}, 7]}}]}\n\n",
    "data: {\"choices\":[{\"delta\":{\"annotations\":[{\"url_citation\":{\"url\":\"u\"}},7]},\"logprobs\":{\"content\":[[]]}}]}\n\n",
    "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":2,\"id\":\"z\",\"custom\":{\"name\":\"c\",\"input\":\"x\"}}]}}]}\n\n",
    "data: [DONE]\n\n",
    "data: {\n\n",
    ": comment\n\n",
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"model\":\"c\",\"usage\":{\"input_tokens\":1}}}\n\n",
    "event: content_block_start\ndata: {\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
    "event: content_block_start\ndata: {\"index\":0,\"content_block\":{\"type\":\"thinking\",\"thinking\":\"x\"}}\n\n",
    "event: content_block_start\ndata: {\"index\":1,\"content_block\":{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{}}}\n\n",
    "event: content_block_start\ndata: {\"index\":1,\"content_block\":{\"type\":\"server_tool_use\"}}\n\n",
    "event: content_block_delta\ndata: {\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"a\"}}\n\n",
    "event: content_block_delta\ndata: {\"index\":1,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{}\"}}\n\n",
    "event: content_block_delta\ndata: {\"index\":1,\"delta\":{\"type\":\"signature_delta\",\"signature\":\"s\"}}\n\n",
    "event: content_block_stop\ndata: {\"index\":0}\n\n",
    "event: message_delta\ndata: {\"delta\":{\"stop_reason\":\"tool_use\"},\"usage\":{\"output_tokens\":1}}\n\n",
    "event: message_delta\ndata: {\"delta\":{\"stop_reason\":null}}\n\n",
    "event: message_stop\ndata: {}\n\n",
    "event: ping\ndata: {}\n\n",
    "event: error\ndata: nonsense\n\n",
    "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"},{\"text\":\"t\",\"thought\":true},7]}}],\"modelVersion\":\"g\",\"responseId\":\"r\"}\r\n\r\n",
    "data: {\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{\"name\":\"f\",\"args\":{\"a\":1}},\"thoughtSignature\":\"s\"},{\"functionCall\":{\"name\":\"f\",\"args\":[]}}]}}]}\r\n\r\n",
    "data: {\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{}}]}}]}\r\n\r\n",
    "data: {\"candidates\":[{\"content\":null,\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":1}}\r\n\r\n",
    "data: {\"candidates\":[{\"finishReason\":\"MALFORMED_FUNCTION_CALL\"}]}\r\n\r\n",
    "data: {\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}\r\n\r\n",
    "data: [{\"error\":{\"code\":429,\"status\":\"RESOURCE_EXHAUSTED\"}}]\r\n\r\n",
    "data: {\"candidates\":[{\"content\":{\"parts\":[{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"aa\"}},{\"inlineData\":{\"mimeType\":\"audio/wav\",\"data\":\"a\"}},{\"executableCode\":{}},{\"x\\ny\":1}]},\"groundingMetadata\":{\"a\":1}}]}\r\n\r\n",
    "event: response.output_item.done\ndata: {\"output_index\":3,\"item\":{\"type\":\"image_generation_call\",\"result\":\"aa\"}}\n\n",
    "event: response.output_item.done\ndata: {\"item\":{\"type\":\"web_search\\n_call\"}}\n\n",
    "event: response.created\ndata: {\"response\":{\"id\":\"r\",\"created_at\":1.5,\"model\":\"g\"}}\n\n",
    "event: response.output_item.added\ndata: {\"output_index\":0,\"item\":{\"type\":\"message\"}}\n\n",
    "event: response.content_part.added\ndata: {}\n\n",
    "event: response.output_text.delta\ndata: {\"delta\":\"a\"}\n\n",
    "event: response.output_text.done\ndata: {\"text\":\"ab\"}\n\n",
    "event: response.refusal.delta\ndata: {\"delta\":\"no\"}\n\n",
    "event: response.refusal.done\ndata: {\"refusal\":\"no\"}\n\n",
    "event: response.output_item.added\ndata: {\"output_index\":1,\"item\":{\"type\":\"function_call\",\"call_id\":\"x\",\"name\":\"f\"}}\n\n",
    "event: response.output_item.added\ndata: {\"output_index\":2,\"item\":{\"type\":\"function_call\",\"name\":\"g\"}}\n\n",
    "event: response.output_item.added\ndata: {\"item\":{\"type\":\"function_call\"}}\n\n",
    "event: response.output_item.added\ndata: {\"output_index\":4,\"item\":{\"type\":\"custom_tool_call\",\"call_id\":\"c\",\"name\":\"c\"}}\n\n",
    "event: response.custom_tool_call_input.delta\ndata: {\"output_index\":4,\"delta\":\"x\"}\n\n",
    "event: response.output_text.annotation.added\ndata: {\"annotation\":{\"type\":\"url_citation\",\"url\":7}}\n\n",
    "event: response.output_text.delta\ndata: {\"delta\":\"a\",\"logprobs\":[7]}\n\n",
    "event: response.output_text.delta\ndata: {\"delta\":\"a\",\"logprobs\":{\"a\":1}}\n\n",
    "event: response.function_call_arguments.delta\ndata: {\"output_index\":1,\"delta\":\"{}\"}\n\n",
    "event: response.function_call_arguments.delta\ndata: {\"output_index\":2,\"delta\":7}\n\n",
    "event: response.output_item.done\ndata: {\"output_index\":2,\"item\":{\"type\":\"function_call\",\"name\":\"g\",\"arguments\":\"{}\"}}\n\n",
    "event: response.reasoning_summary_part.added\ndata: {\"summary_index\":1}\n\n",
    "event: response.reasoning_summary_text.delta\ndata: {\"delta\":\"t\"}\n\n",
    "event: response.reasoning_text.delta\ndata: {\"delta\":\"u\"}\n\n",
    "event: response.output_item.done\ndata: {\"item\":{\"type\":\"reasoning\",\"id\":\"rs_1\",\"summary\":[{\"text\":\"t\"}],\"encrypted_content\":\"e\"}}\n\n",
    "event: response.completed\ndata: {\"response\":{\"status\":\"completed\",\"usage\":{\"input_tokens\":1}}}\n\n",
    "event: response.incomplete\ndata: {\"response\":{\"status\":\"incomplete\",\"incomplete_details\":null}}\n\n",
    "event: response.completed\ndata: {\"response\":null}\n\n",
    "event: response.failed\ndata: {\"response\":{\"error\":{\"code\":\"server_error\",\"message\":\"m\"}}}\n\n",
];

/// The same of Converse.
const CONVERSE_EVENTS: &[&str] = &[
    "event: messageStart\ndata: {\"role\":\"assistant\"}\n\n",
    "event: contentBlockStart\ndata: {\"contentBlockIndex\":1,\"start\":{\"toolUse\":{\"toolUseId\":\"t\",\"name\":\"f\"}}}\n\n",
    "event: contentBlockStart\ndata: {\"contentBlockIndex\":2,\"start\":{\"toolUse\":{\"toolUseId\":\"u\",\"name\":\"g\"}}}\n\n",
    "event: contentBlockStart\ndata: {\"start\":{\"toolUse\":{}}}\n\n",
    "event: contentBlockStart\ndata: {\"start\":7}\n\n",
    "event: contentBlockDelta\ndata: {\"contentBlockIndex\":0,\"delta\":{\"text\":\"a\"}}\n\n",
    "event: contentBlockDelta\ndata: {\"contentBlockIndex\":1,\"delta\":{\"toolUse\":{\"input\":\"{}\"}}}\n\n",
    "event: contentBlockDelta\ndata: {\"contentBlockIndex\":2,\"delta\":{\"toolUse\":{\"input\":\"{\"}}}\n\n",
    "event: contentBlockDelta\ndata: {\"contentBlockIndex\":0,\"delta\":{\"reasoningContent\":{\"text\":\"t\"}}}\n\n",
    "event: contentBlockDelta\ndata: {\"contentBlockIndex\":0,\"delta\":{\"reasoningContent\":{\"signature\":\"s\"}}}\n\n",
    "event: contentBlockDelta\ndata: {\"contentBlockIndex\":0,\"delta\":{\"reasoningContent\":{\"redactedContent\":\"d\"}}}\n\n",
    "event: contentBlockDelta\ndata: {\"contentBlockIndex\":-1,\"delta\":[]}\n\n",
    "event: contentBlockStop\ndata: {\"contentBlockIndex\":1}\n\n",
    "event: contentBlockStop\ndata: {}\n\n",
    "event: messageStop\ndata: {\"stopReason\":\"tool_use\"}\n\n",
    "event: messageStop\ndata: {\"stopReason\":\"malformed_tool_use\"}\n\n",
    "event: metadata\ndata: {\"usage\":{\"inputTokens\":1e99,\"outputTokens\":-1}}\n\n",
    "event: metadata\ndata: {\"usage\":{\"inputTokens\":18446744073709551615,\"cacheReadInputTokens\":9}}\n\n",
    "event: throttlingException\ndata: nonsense\n\n",
];

/// The same of Cohere.
const COHERE_EVENTS: &[&str] = &[
    "event: message-start\ndata: {\"type\":\"message-start\",\"id\":\"c\",\"delta\":{\"message\":{\"role\":\"assistant\"}}}\n\n",
    "event: message-start\ndata: {\"type\":\"message-start\"}\n\n",
    "event: content-start\ndata: {\"type\":\"content-start\",\"index\":0,\"delta\":{\"message\":{\"content\":{\"type\":\"text\",\"text\":\"\"}}}}\n\n",
    "event: content-delta\ndata: {\"type\":\"content-delta\",\"index\":0,\"delta\":{\"message\":{\"content\":{\"text\":\"a\"}}}}\n\n",
    "event: content-delta\ndata: {\"type\":\"content-delta\",\"index\":0,\"delta\":{\"message\":{\"content\":{\"thinking\":\"t\"}}}}\n\n",
    "event: content-delta\ndata: {\"type\":\"content-delta\",\"delta\":7}\n\n",
    "event: content-end\ndata: {\"type\":\"content-end\",\"index\":0}\n\n",
    "event: tool-plan-delta\ndata: {\"type\":\"tool-plan-delta\",\"delta\":{\"message\":{\"tool_plan\":\"p\"}}}\n\n",
    "event: tool-plan-delta\ndata: {\"type\":\"tool-plan-delta\"}\n\n",
    "event: tool-call-start\ndata: {\"type\":\"tool-call-start\",\"index\":0,\"delta\":{\"message\":{\"tool_calls\":{\"id\":\"x\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}}}}}\n\n",
    "event: tool-call-start\ndata: {\"type\":\"tool-call-start\",\"index\":1,\"delta\":{\"message\":{\"tool_calls\":[{\"id\":\"y\",\"type\":\"function\",\"function\":{\"name\":\"g\",\"arguments\":\"\"}}]}}}\n\n",
    "event: tool-call-start\ndata: {\"type\":\"tool-call-start\",\"index\":1,\"delta\":{\"message\":{\"tool_calls\":{}}}}\n\n",
    "event: tool-call-delta\ndata: {\"type\":\"tool-call-delta\",\"index\":0,\"delta\":{\"message\":{\"tool_calls\":{\"function\":{\"arguments\":\"{\"}}}}}\n\n",
    "event: tool-call-delta\ndata: {\"type\":\"tool-call-delta\",\"index\":1,\"delta\":{\"message\":{\"tool_calls\":{\"function\":{\"arguments\":\"{}\"}}}}}\n\n",
    "event: tool-call-delta\ndata: {\"type\":\"tool-call-delta\",\"index\":0,\"delta\":{\"message\":{\"tool_calls\":{\"function\":{\"arguments\":\"}\"}}}}}\n\n",
    "event: tool-call-end\ndata: {\"type\":\"tool-call-end\",\"index\":0}\n\n",
    "event: tool-call-end\ndata: {\"type\":\"tool-call-end\"}\n\n",
    "event: tool-call-end\ndata: {\"type\":\"tool-call-end\",\"index\":9}\n\n",
    "event: citation-start\ndata: {\"type\":\"citation-start\",\"index\":0,\"delta\":{\"message\":{\"citations\":{}}}}\n\n",
    "event: message-end\ndata: {\"type\":\"message-end\",\"delta\":{\"finish_reason\":\"COMPLETE\",\"usage\":{\"billed_units\":{\"input_tokens\":1e+99,\"output_tokens\":-1}}}}\n\n",
    "event: message-end\ndata: {\"type\":\"message-end\",\"delta\":{\"finish_reason\":\"ERROR\",\"error\":\"e\"}}\n\n",
    "event: message-end\ndata: {\"type\":\"message-end\"}\n\n",
    "data: [DONE]\n\n",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_order_of_events_is_survived(
        picks in prop::collection::vec(prop::sample::select(EVENTS), 0..24),
        client in prop::sample::select(&CLIENTS[..]),
        upstream in prop::sample::select(&UPSTREAMS[..]),
        shows in any::<bool>(),
    ) {
        let mut exchange = exchange(client, upstream);
        exchange.shows_reasoning = shows;
        let stream = picks.concat();
        check_client(&exchange, &translate(&exchange, stream.as_bytes(), &[stream.len().max(1)]).client);
    }

    #[test]
    fn any_order_of_converse_events_is_survived(
        picks in prop::collection::vec(prop::sample::select(CONVERSE_EVENTS), 0..24),
        client in prop::sample::select(&CLIENTS[..]),
    ) {
        let exchange = exchange(client, Dialect::Converse);
        let stream = on_the_wire(Dialect::Converse, &picks.concat());
        check_client(&exchange, &translate(&exchange, &stream, &[stream.len().max(1)]).client);
    }

    #[test]
    fn any_order_of_cohere_events_is_survived(
        picks in prop::collection::vec(prop::sample::select(COHERE_EVENTS), 0..24),
        client in prop::sample::select(&CLIENTS[..]),
    ) {
        let exchange = exchange(client, Dialect::Cohere);
        let stream = picks.concat();
        check_client(&exchange, &translate(&exchange, stream.as_bytes(), &[stream.len().max(1)]).client);
    }

    #[test]
    fn any_damage_to_a_stream_is_survived(
        which in any::<prop::sample::Index>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let goldens = goldens();
        let (_, exchange, upstream, _) = which.get(&goldens);
        let mut stream = upstream.clone().into_bytes();
        for (at, byte) in damage {
            let at = at.index(stream.len());
            stream[at] = byte;
        }
        // Damaged before it is framed, or checksums would keep all of it from the decoder.
        let stream = match std::str::from_utf8(&stream) {
            Ok(text) => on_the_wire(exchange.upstream, text),
            Err(_) => stream,
        };
        check_client(exchange, &translate(exchange, &stream, &[97]).client);
    }
}
