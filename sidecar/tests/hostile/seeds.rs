//! Where hostile input begins: the goldens, which hold every construct that the decoders know.

use crate::laws::{OPERATIONS, Target};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Paths, good and bad.
const PATHS: &[&str] = &[
    "/v1/chat/completions",
    "/v1/messages",
    "/v1/responses/resp_1",
    "/v1/models/org/name",
    "/openai/deployments/org%2Fna%20me/chat/completions?api-version=1",
    "/v1beta/models/g:8b:streamGenerateContent?key=k&alt=sse",
    "/v1beta/tunedModels/%E2%82:generateContent",
];

/// Bodies of errors, behind the two bytes that say how they came.
const ERRORS: &[&str] = &[
    r#"dx{"error":{"message":"m","type":"t","param":null,"code":"context_length_exceeded"}}"#,
    r#"dx{"type":"error","error":{"type":"overloaded_error","message":"m","details":{"error_code":"c"}}}"#,
    r#"dx[{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"3.5s"}]}}]"#,
    r#"dy{"message":"m"}"#,
    r#"dx{"detail":[{"msg":"m"}]}"#,
    "dx<html>",
];

/// What a decoder is fed first.
pub(crate) fn of(target: Target, crate_folder: &Path) -> Vec<Vec<u8>> {
    let goldens = crate_folder.join("src/dialect");
    match target {
        Target::Request(client) => bodies(&goldens, "client", &name(client), "request"),
        Target::Answer(upstream) => bodies(&goldens, "upstream", &name(upstream), "answer"),
        Target::RequestOf(operation) => bodies(&goldens, "operation", OPERATIONS[operation].0, "request"),
        Target::AnswerOf(operation) => bodies(&goldens, "operation", OPERATIONS[operation].0, "answer"),
        Target::StreamOfCompletions => ["chat", "messages"]
            .iter()
            .flat_map(|upstream| streams(&goldens, upstream))
            .collect(),
        Target::Stream(upstream) => streams(&goldens, &name(upstream)),
        Target::Frames(upstream) => streams(&goldens, &name(upstream)),
        Target::Error => ERRORS.iter().map(|error| error.as_bytes().to_vec()).collect(),
        Target::Path => PATHS.iter().map(|path| path.as_bytes().to_vec()).collect(),
    }
}

fn name(dialect: impl std::fmt::Debug) -> String {
    format!("{dialect:?}").to_lowercase()
}

fn files(folder: PathBuf) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(&folder).expect("the goldens are there");
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("a folder can be read").path())
        .collect();
    files.sort();
    files
}

/// The `part` of all goldens whose `side` is `of`: speaks that dialect, or asks for that.
fn bodies(goldens: &Path, side: &str, of: &str, part: &str) -> Vec<Vec<u8>> {
    let golden = |file: PathBuf| {
        let text = std::fs::read(file).expect("a golden can be read");
        serde_json::from_slice::<Value>(&text).expect("a golden is JSON")
    };
    let of_dialect = files(goldens.join("translate/goldens"))
        .into_iter()
        .map(golden)
        .filter(|golden| golden[side] == of);
    of_dialect
        .filter(|golden| !golden[part].is_null())
        .map(|golden| golden[part].to_string().into_bytes())
        .collect()
}

/// What upstreams that speak `dialect` stream; written as server-sent events, whatever their framing.
fn streams(goldens: &Path, dialect: &str) -> Vec<Vec<u8>> {
    let of_dialect = |file: &PathBuf| {
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.split('-').nth(1) == Some(dialect)
    };
    let stream = |file: PathBuf| {
        let text = std::fs::read_to_string(file).expect("a golden can be read");
        let stream = text.split("=== client\n").next().unwrap_or_default();
        match dialect {
            "ollama" => stream.replace("data: ", "").replace("\n\n", "\n").into_bytes(),
            _ => stream.as_bytes().to_vec(),
        }
    };
    files(goldens.join("translator/goldens"))
        .into_iter()
        .filter(of_dialect)
        .map(stream)
        .collect()
}
