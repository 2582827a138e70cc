use super::Translator;
use crate::dialect::{ClientDialect, Dialect, Effect, Exchange, Fault, Framer, Operation};
use crate::{event_stream, sse};
use bytes::Bytes;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

pub(in crate::dialect) mod hostile;

pub(in crate::dialect) fn exchange(client: ClientDialect, upstream: Dialect) -> Exchange {
    Exchange {
        client,
        upstream,
        model: "asked".to_owned(),
        request_id: "req1".to_owned(),
        created: 1_800_000_000,
        include_usage: true,
        shows_reasoning: true,
        operation: Operation::Generate,
        texts: None,
        base64: false,
        renamed: vec![("sent_1".to_owned(), "client.name".to_owned())],
        repeated: match client {
            ClientDialect::Responses => br#"{"tools":[],"tool_choice":"auto"}"#.as_slice().into(),
            ClientDialect::Chat | ClientDialect::Messages | ClientDialect::Gemini => std::sync::Arc::default(),
        },
    }
}

/// What a stream becomes, what the pipeline was told, and how it ended.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::dialect) struct Outcome {
    pub(in crate::dialect) client: String,
    pub(in crate::dialect) effects: String,
}

/// Translates `stream` as it comes when it is cut into pieces of these sizes, over and over.
pub(in crate::dialect) fn translate(exchange: &Exchange, stream: &[u8], pieces: &[usize]) -> Outcome {
    let (mut translator, mut framer) = (Translator::new(exchange), Framer::of(exchange.upstream));
    let (mut out, mut effects) = (Vec::new(), String::new());
    let mut rest = Bytes::copy_from_slice(stream);
    let mut sizes = pieces.iter().copied().cycle();
    while !rest.is_empty() {
        let piece = rest.split_to(sizes.next().unwrap().clamp(1, rest.len()));
        let block = framer.push(piece).unwrap();
        if let Err(fault) = take(&framer, &block, &mut translator, &mut out, &mut effects) {
            return ended(fault, out, effects);
        }
    }
    let left = match exchange.upstream {
        // An event without its blank line is the pipeline's to judge.
        Dialect::Chat | Dialect::Messages | Dialect::Responses | Dialect::Gemini | Dialect::Cohere => Bytes::new(),
        Dialect::Converse | Dialect::Ollama => framer.finish(),
    };
    let finished = take(&framer, &left, &mut translator, &mut out, &mut effects);
    match finished.and_then(|()| translator.finish(&mut out)) {
        Ok(()) => Outcome {
            client: String::from_utf8(out).unwrap(),
            effects,
        },
        Err(fault) => ended(fault, out, effects),
    }
}

fn take(
    framer: &Framer,
    block: &[u8],
    translator: &mut Translator,
    out: &mut Vec<u8>,
    effects: &mut String,
) -> Result<(), Fault> {
    framer.each_event(block, |event| {
        note(translator.event(event, out)?, effects);
        for loss in translator.losses() {
            writeln!(effects, "lost {:?} {}: {}", loss.grade, loss.field, loss.why).unwrap();
        }
        Ok(())
    })
}

fn ended(fault: Fault, out: Vec<u8>, mut effects: String) -> Outcome {
    writeln!(effects, "fault {:?}: {}", fault.class, fault.message).unwrap();
    Outcome {
        client: String::from_utf8(out).unwrap(),
        effects,
    }
}

/// A stream in the framing of its dialect: goldens write all of them as server-sent events. One whose name says so is
/// an exception.
pub(in crate::dialect) fn on_the_wire(upstream: Dialect, stream: &str) -> Vec<u8> {
    match upstream {
        Dialect::Chat | Dialect::Messages | Dialect::Responses | Dialect::Gemini | Dialect::Cohere => {
            stream.as_bytes().to_vec()
        }
        Dialect::Ollama => sse::events(stream.as_bytes())
            .flat_map(|event| [&*event.data, b"\n"].concat())
            .collect(),
        Dialect::Converse => sse::events(stream.as_bytes())
            .flat_map(|event| {
                let (name, data) = (event.name.unwrap_or_default(), String::from_utf8_lossy(&event.data));
                match name.ends_with("Exception") {
                    true => event_stream::tests::exception(name, &data),
                    false => event_stream::tests::event(name, &data),
                }
            })
            .collect(),
    }
}

fn note(effect: Effect, effects: &mut String) {
    let Effect {
        content,
        usage,
        omit,
        cut,
        end,
    } = effect;
    assert!(!omit && cut.is_none());
    let usage = usage.map(|usage| format!(" {usage:?}")).unwrap_or_default();
    writeln!(
        effects,
        "{}{}{usage}",
        if content { "content" } else { "-" },
        if end { " end" } else { "" }
    )
    .unwrap();
}

/// A dialect by the word for it in a golden's file name.
fn of_name<T: serde::de::DeserializeOwned>(name: &str) -> T {
    serde_json::from_value(name.into()).unwrap()
}

pub(super) fn goldens() -> Vec<(PathBuf, Exchange, String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/dialect/translator/goldens");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|file| {
            let text = std::fs::read_to_string(&file).unwrap();
            let (upstream, expected) = text.split_once("=== client\n").unwrap_or((&text, ""));
            let name = file.file_name().unwrap().to_str().unwrap();
            let (client, upstream_name) = name.split_once('-').unwrap();
            let (upstream_name, _) = upstream_name.split_once('-').unwrap();
            let mut exchange = exchange(of_name(client), of_name(upstream_name));
            exchange.include_usage = !name.contains("without-usage");
            if name.contains("completions") {
                exchange.operation = Operation::Completions;
            }
            exchange.shows_reasoning = !name.contains("hidden");
            let (upstream, expected) = (upstream.to_owned(), expected.to_owned());
            (file, exchange, upstream, expected)
        })
        .collect()
}

/// Each file: the upstream's stream, then what the client gets, then the effects, one line an event.
/// `PILOTFISH_UPDATE_GOLDENS=1` writes what happens instead of judging it.
#[test]
fn every_golden_streams_as_it_says() {
    let update = std::env::var_os("PILOTFISH_UPDATE_GOLDENS").is_some();
    let goldens = goldens();
    assert!(goldens.len() >= 15, "only {} goldens", goldens.len());
    for (file, exchange, upstream, expected) in goldens {
        let stream = on_the_wire(exchange.upstream, &upstream);
        let outcome = translate(&exchange, &stream, &[stream.len()]);
        let found = format!("{}=== effects\n{}", outcome.client, outcome.effects);
        if update {
            std::fs::write(&file, format!("{upstream}=== client\n{found}")).unwrap();
        } else {
            assert_eq!(found, expected, "{}", file.display());
        }
    }
}

/// Single bytes are cuts everywhere at once; the other sizes fall behind and before every kind of byte.
#[test]
fn a_stream_cut_anywhere_says_the_same() {
    for (file, exchange, upstream, _) in goldens() {
        let stream = on_the_wire(exchange.upstream, &upstream);
        let whole = translate(&exchange, &stream, &[stream.len()]);
        for pieces in [&[1][..], &[2], &[3, 1], &[7, 2, 1], &[64], &[61, 113], &[500]] {
            assert_eq!(
                translate(&exchange, &stream, pieces),
                whole,
                "{} {pieces:?}",
                file.display()
            );
        }
    }
}
