//! What must hold for every decoder, whatever bytes it reads: no panic, an output of bounded size that its reader can
//! read, the same for the same, and the same for a stream however it is cut.
//!
//! The seeded run (`main.rs`) and the fuzz targets (`sidecar/fuzz`) share it.

use crate::message::message;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use pilotfish_sidecar::dialect::{
    Asked, ClientDialect, Dialect, Exchange, Fault, Framer, InPath, Operation, Segment, Stamp, Translator, Upstream,
    Watch, decode_error, encode_error, error_event, inspect_response, pass_through, translate_request,
    translate_response,
};
use pilotfish_sidecar::{json, pipeline, sse};
use pilotfish_wire::Capabilities;
use std::sync::Arc;

/// What applications speak.
pub(crate) const CLIENTS: [ClientDialect; 4] = [
    ClientDialect::Chat,
    ClientDialect::Messages,
    ClientDialect::Gemini,
    ClientDialect::Responses,
];

/// What providers speak, each in the order of its number.
pub(crate) const UPSTREAMS: [Dialect; 7] = [
    Dialect::Chat,
    Dialect::Messages,
    Dialect::Responses,
    Dialect::Gemini,
    Dialect::Converse,
    Dialect::Cohere,
    Dialect::Ollama,
];

/// What is asked of a model beside conversations: what the goldens call it, and who asks for it.
pub(crate) const OPERATIONS: [(&str, Operation, &[ClientDialect]); 5] = [
    ("completions", Operation::Completions, &[ClientDialect::Chat]),
    (
        "embeddings",
        Operation::Embeddings,
        &[ClientDialect::Chat, ClientDialect::Gemini],
    ),
    ("embedOne", Operation::EmbedOne, &[ClientDialect::Gemini]),
    (
        "countTokens",
        Operation::CountTokens,
        &[ClientDialect::Messages, ClientDialect::Gemini],
    ),
    ("rerank", Operation::Rerank, &[ClientDialect::Chat]),
];

/// A decoder that reads what others send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Request(ClientDialect),
    Answer(Dialect),
    /// By its place among [`OPERATIONS`].
    RequestOf(usize),
    AnswerOf(usize),
    /// Of completions, the only ones of those that stream.
    StreamOfCompletions,
    Stream(Dialect),
    Frames(Dialect),
    Error,
    Path,
}

impl Target {
    /// All of them, by the names that the fuzzer calls them.
    pub(crate) fn all() -> Vec<(String, Self)> {
        let name = |dialect: &dyn std::fmt::Debug| format!("{dialect:?}").to_lowercase();
        let requests = CLIENTS.map(|client| (format!("request-{}", name(&client)), Self::Request(client)));
        let answers = UPSTREAMS.map(|upstream| (format!("answer-{}", name(&upstream)), Self::Answer(upstream)));
        let streams = UPSTREAMS.map(|upstream| (format!("stream-{}", name(&upstream)), Self::Stream(upstream)));
        let frames = [
            ("sse", Dialect::Chat),
            ("event-stream", Dialect::Converse),
            ("lines", Dialect::Ollama),
        ]
        .map(|(name, upstream)| (format!("frames-{name}"), Self::Frames(upstream)));
        let others = [("error".to_owned(), Self::Error), ("path".to_owned(), Self::Path)];
        let operations = OPERATIONS.iter().enumerate();
        let of_operations = operations.flat_map(|(at, (name, ..))| {
            let name = name.to_lowercase();
            [
                (format!("request-{name}"), Self::RequestOf(at)),
                (format!("answer-{name}"), Self::AnswerOf(at)),
            ]
        });
        let completions = ("stream-completions".to_owned(), Self::StreamOfCompletions);
        requests
            .into_iter()
            .chain(of_operations)
            .chain([completions])
            .chain(answers)
            .chain(streams)
            .chain(frames)
            .chain(others)
            .collect()
    }

    /// Feeds it, and panics where a law is broken.
    pub(crate) fn hold(self, bytes: &[u8]) {
        match self {
            Self::Request(client) => {
                for upstream in UPSTREAMS {
                    request(client, Operation::Generate, upstream, bytes);
                }
            }
            Self::Answer(upstream) => CLIENTS
                .iter()
                .for_each(|&client| answer(&exchange(client, upstream), bytes)),
            Self::RequestOf(at) => each(at, |client, operation, upstream| {
                request(client, operation, upstream, bytes);
            }),
            Self::AnswerOf(at) => each(at, |client, operation, upstream| {
                answer(&exchange_of(operation, client, upstream), bytes);
            }),
            Self::StreamOfCompletions => {
                for upstream in UPSTREAMS {
                    let exchange = exchange_of(Operation::Completions, ClientDialect::Chat, upstream);
                    stream(&exchange, bytes);
                }
            }
            Self::Stream(upstream) => CLIENTS
                .iter()
                .for_each(|&client| stream(&exchange(client, upstream), bytes)),
            Self::Frames(upstream) => frames(upstream, bytes),
            Self::Error => error(bytes),
            Self::Path => path(bytes),
        }
    }
}

fn each(operation: usize, mut feed: impl FnMut(ClientDialect, Operation, Dialect)) {
    let Some((_, operation, clients)) = OPERATIONS.get(operation) else {
        return;
    };
    for client in *clients {
        UPSTREAMS
            .iter()
            .for_each(|&upstream| feed(*client, *operation, upstream));
    }
}

/// A decoder may say more than it read: what was one byte becomes an escape, a short event one with a long head.
fn bounded(what: &str, out: usize, read: usize) {
    assert!(out <= 64 * 1024 + 256 * read, "{what}: {out} bytes out of {read}");
}

fn is_json(what: &str, body: &[u8]) {
    let read = serde_json::from_slice::<serde::de::IgnoredAny>(body);
    assert!(read.is_ok(), "{what} is no JSON: {}", String::from_utf8_lossy(body));
}

fn request(client: ClientDialect, operation: Operation, dialect: Dialect, bytes: &[u8]) {
    let path = match client {
        ClientDialect::Gemini => InPath {
            model: Some("asked".into()),
            ..InPath::default()
        },
        ClientDialect::Chat | ClientDialect::Messages | ClientDialect::Responses => InPath::default(),
    };
    let Ok(asked) = Asked::read(client, operation, path, bytes) else {
        return;
    };
    look_at(&asked);
    let capabilities = Capabilities::default();
    let upstream = Upstream {
        dialect,
        provider: "openai",
        model: "up",
        capabilities: &capabilities,
    };
    if asked.passes_to(dialect) {
        let sent = passed(&asked, bytes);
        bounded("a body that passes through", sent.len(), bytes.len());
        return is_json("a body that passes through", &sent);
    }
    let stamp = Stamp {
        request_id: "req1",
        created: 1,
    };
    let Ok(translated) = translate_request(&asked, &upstream, stamp) else {
        return;
    };
    bounded("a translated request", translated.body.len(), bytes.len());
    is_json("a translated request", &translated.body);
    assert!(translated.losses.len() <= 64, "{} losses", translated.losses.len());
    let again = translate_request(&asked, &upstream, stamp).map(|again| again.body);
    assert!(
        again.is_ok_and(|again| again == translated.body),
        "the same request became another one"
    );
}

/// What routing asks of a request.
fn look_at(asked: &Asked<'_>) {
    let _needs = asked.needs();
    let _tags = asked.tags();
    assert!(asked.model.len() <= 256);
    let _numbers = (asked.input_tokens(), asked.max_output_tokens(), asked.choices());
    let _session = (asked.session_hint(), asked.conversation_root(), asked.is_in_thread());
}

fn passed(asked: &Asked<'_>, bytes: &[u8]) -> Vec<u8> {
    let segments = pass_through(asked, "up", true).segments.into_iter();
    let pieces = segments.flat_map(|segment| match segment {
        Segment::Body(range) => bytes[range].to_vec(),
        Segment::Fresh(fresh) => fresh,
    });
    pieces.collect()
}

fn exchange(client: ClientDialect, upstream: Dialect) -> Exchange {
    exchange_of(Operation::Generate, client, upstream)
}

fn exchange_of(operation: Operation, client: ClientDialect, upstream: Dialect) -> Exchange {
    Exchange {
        operation,
        texts: None,
        base64: operation == Operation::Embeddings,
        client,
        upstream,
        model: "asked".to_owned(),
        request_id: "req1".to_owned(),
        created: 1,
        include_usage: true,
        shows_reasoning: true,
        renamed: vec![("sent_1".to_owned(), "client.name".to_owned())],
        repeated: match client {
            ClientDialect::Responses => br#"{"tools":[],"tool_choice":"auto"}"#.as_slice().into(),
            ClientDialect::Chat | ClientDialect::Messages | ClientDialect::Gemini => Arc::default(),
        },
    }
}

fn answer(exchange: &Exchange, bytes: &[u8]) {
    let Exchange {
        client,
        upstream,
        operation,
        ..
    } = *exchange;
    if client.native() == upstream {
        let _inspected = inspect_response(client, operation, bytes);
        return;
    }
    match translate_response(exchange, bytes) {
        Ok(answer) => {
            bounded("an answer", answer.body.len(), bytes.len());
            is_json("an answer", &answer.body);
        }
        Err(fault) => told(client, &fault),
    }
}

/// A fault, as the client is told of it.
fn told(client: ClientDialect, fault: &Fault) {
    let body = encode_error(client, fault.status.unwrap_or(502), &fault.body());
    bounded("an error", body.len(), fault.message.len());
    is_json("an error", &body);
    let event = error_event(client, fault.status.unwrap_or(502), &fault.body(), 0);
    readable(client, &event);
}

/// Every event of a client's stream is JSON, but for chat's last word.
fn readable(client: ClientDialect, stream: &[u8]) {
    let read = sse::events(stream).try_for_each(|event| match &*event.data {
        b"[DONE]" if client == ClientDialect::Chat => Ok(()),
        // A comment.
        b"" if client != ClientDialect::Gemini && event.raw.starts_with(b": x-pilotfish-loss: answer.") => Ok(()),
        data => json::parse_value(data).map(drop),
    });
    assert!(read.is_ok(), "{read:?}: {}", String::from_utf8_lossy(stream));
}

fn stream(exchange: &Exchange, bytes: &[u8]) {
    let Exchange { client, upstream, .. } = *exchange;
    let wire = on_the_wire(upstream, bytes);
    // A completion is translated from a chat's events, too.
    if client.native() == upstream && exchange.operation == Operation::Generate {
        return watch(client, upstream, &wire);
    }
    let whole = translated(exchange, &wire, wire.len());
    bounded("a stream", whole.0.len(), wire.len());
    readable(client, &whole.0);
    for size in [1, 64] {
        assert!(
            translated(exchange, &wire, size) == whole,
            "in pieces of {size} a stream says something else"
        );
    }
}

/// Converse's checksums would keep a mutated payload from its decoder, so it is framed afterwards; others are not.
fn on_the_wire(upstream: Dialect, bytes: &[u8]) -> Vec<u8> {
    match upstream {
        Dialect::Converse => sse::events(bytes)
            .flat_map(|event| message(short(event.name.unwrap_or_default()), &event.data))
            .collect(),
        Dialect::Chat
        | Dialect::Messages
        | Dialect::Responses
        | Dialect::Gemini
        | Dialect::Cohere
        | Dialect::Ollama => bytes.to_vec(),
    }
}

/// As long as a header's value can be.
fn short(name: &str) -> &str {
    name.get(..name.floor_char_boundary(1024)).unwrap_or_default()
}

/// What the client got, and whether it ended well.
fn translated(exchange: &Exchange, wire: &[u8], size: usize) -> (Vec<u8>, Result<(), String>) {
    let (mut translator, mut framer, mut out) = (Translator::new(exchange), Framer::of(exchange.upstream), Vec::new());
    let mut run = || {
        for piece in wire.chunks(size.max(1)) {
            let block = framer.push(Bytes::copy_from_slice(piece))?;
            framer.each_event(&block, |event| translator.event(event, &mut out).map(drop))?;
        }
        translator.finish(&mut out)
    };
    let ended = run().map_err(|fault| format!("{:?}", fault.class));
    (out, ended)
}

fn watch(client: ClientDialect, upstream: Dialect, wire: &[u8]) {
    let (mut watch, mut framer) = (Watch::new(client, true), Framer::of(upstream));
    let Ok(block) = framer.push(Bytes::copy_from_slice(wire)) else {
        return;
    };
    let _seen = framer.each_event(&block, |event| {
        let effect = watch.event(event)?;
        if let Some(cut) = effect.cut {
            assert!(
                cut.start <= cut.end && cut.end <= event.raw.len(),
                "{cut:?} of {} bytes",
                event.raw.len()
            );
        }
        Ok(())
    });
    let _ended = watch.finish();
}

/// The same events come out however the bytes came in.
fn frames(upstream: Dialect, bytes: &[u8]) {
    let whole = events(upstream, bytes, bytes.len());
    let data: usize = whole.iter().map(|event| event.1.len()).sum();
    bounded("a stream's events", data, bytes.len());
    for size in [1, 3, 50] {
        assert!(
            events(upstream, bytes, size) == whole,
            "in pieces of {size} there are other events"
        );
    }
}

fn events(upstream: Dialect, bytes: &[u8], size: usize) -> Vec<(Option<String>, Vec<u8>)> {
    let (mut framer, mut events) = (Framer::of(upstream), Vec::new());
    let mut take = |framer: &Framer, block: &[u8]| {
        framer.each_event(block, |event| {
            events.push((event.name.map(str::to_owned), event.data.to_vec()));
            Ok(())
        })
    };
    for piece in bytes.chunks(size.max(1)) {
        let block = framer.push(Bytes::copy_from_slice(piece));
        if block.and_then(|block| take(&framer, &block)).is_err() {
            return events;
        }
    }
    let rest = framer.finish();
    let _last = take(&framer, &rest);
    events
}

/// The first two bytes are the status, and whether AWS names the error.
fn error(bytes: &[u8]) {
    let (&[status, names], body) = bytes.split_first_chunk::<2>().unwrap_or((&[0, 0], bytes));
    let mut headers = HeaderMap::new();
    if names % 2 == 1 {
        headers.insert(
            "x-amzn-errortype",
            HeaderValue::from_static("ThrottlingException:http://x"),
        );
    }
    for upstream in UPSTREAMS {
        let fault = decode_error(upstream, 400 + u16::from(status), &headers, body);
        assert!(
            fault.message.len() <= 4096,
            "a message of {} bytes",
            fault.message.len()
        );
        CLIENTS.iter().for_each(|&client| told(client, &fault));
    }
}

/// A path, and behind a question mark its query.
fn path(bytes: &[u8]) {
    let Ok(line) = std::str::from_utf8(bytes) else { return };
    let (path, query) = line
        .split_once('?')
        .map_or((line, None), |(path, query)| (path, Some(query)));
    for method in [Method::GET, Method::POST, Method::DELETE] {
        let Some((_, _, in_path)) = pipeline::call_of(&method, path, query) else {
            continue;
        };
        let model = in_path.model.unwrap_or_default();
        assert!(model.len() <= path.len(), "{model:?} is longer than {path:?}");
    }
}
