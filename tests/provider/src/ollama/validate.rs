//! What a chat's request must be. The server passes over what it does not know; a test wants to hear of it.

use super::Error;
use crate::json::Json;
use crate::model::Model;
use crate::shape::Shape::{self, Boolean, Integer, List, Number, Object, Word};
use crate::shape::{self, OBJECT, Segment, TEXT, Wrong, optional, required};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const ANY: usize = usize::MAX;

const CALL: Shape = Object(&[
    optional("id", TEXT),
    required(
        "function",
        Object(&[required("name", TEXT), required("arguments", OBJECT)]),
    ),
]);
const MESSAGE: Shape = Object(&[
    required("role", Word(&["system", "user", "assistant", "tool"])),
    required("content", TEXT),
    optional("thinking", TEXT),
    optional("images", List(&TEXT, 0, ANY)),
    optional("tool_calls", List(&CALL, 0, ANY)),
    optional("tool_name", TEXT),
    optional("tool_call_id", TEXT),
]);
const TOOL: Shape = Object(&[
    required("type", Word(&["function"])),
    required(
        "function",
        Object(&[
            required("name", TEXT),
            optional("description", TEXT),
            required("parameters", OBJECT),
        ]),
    ),
]);
const OPTIONS: Shape = Object(&[
    optional("num_predict", Integer(-2, i64::MAX)),
    optional("temperature", Number(f64::MIN, f64::MAX)),
    optional("top_p", Number(f64::MIN, f64::MAX)),
    optional("top_k", Integer(i64::MIN, i64::MAX)),
    optional("seed", Integer(i64::MIN, i64::MAX)),
    optional("frequency_penalty", Number(f64::MIN, f64::MAX)),
    optional("presence_penalty", Number(f64::MIN, f64::MAX)),
    optional("stop", List(&TEXT, 0, ANY)),
]);
const CHAT: Shape = Object(&[
    required("model", TEXT),
    required("messages", List(&MESSAGE, 0, ANY)),
    optional("stream", Boolean),
    optional("think", Shape::Either(&[Boolean, Word(&["low", "medium", "high"])])),
    optional("format", Shape::Either(&[Word(&["json"]), OBJECT])),
    optional("options", OPTIONS),
    optional("tools", List(&TOOL, 0, ANY)),
    optional("keep_alive", Shape::Any),
]);

const EMBED: Shape = Object(&[
    required("model", TEXT),
    required("input", Shape::Either(&[TEXT, List(&TEXT, 0, ANY)])),
    optional("dimensions", Integer(1, i64::MAX)),
    optional("truncate", Boolean),
    optional("options", OPTIONS),
    optional("keep_alive", Shape::Any),
]);

/// A request for embeddings.
pub(super) fn embed(body: &Json) -> Result<(), Error> {
    checked(body, &EMBED)
}

/// Families that think.
const THINKERS: &[&str] = &["qwen3", "gpt-oss", "deepseek-r1"];

/// Everything but the model's name and the length of the prompt.
pub(super) fn chat(body: &Json, model: &Model) -> Result<(), Error> {
    checked(body, &CHAT)?;
    let thinks = THINKERS.iter().any(|family| model.name.starts_with(family));
    let asked = body.get("think").is_some_and(|think| *think != Json::Bool(false));
    if asked && !thinks {
        return Err(Error(400, format!("\"{}\" does not support thinking", model.name)));
    }
    let mut images = body
        .list_of("messages")
        .iter()
        .flat_map(|message| message.list_of("images"));
    let whole = |image: &Json| {
        image
            .text()
            .is_some_and(|image| STANDARD.decode(image).is_ok_and(|bytes| !bytes.is_empty()))
    };
    match images.all(whole) {
        true => Ok(()),
        false => Err(Error(400, "illegal base64 data at input byte 0".to_owned())),
    }
}

fn checked(body: &Json, shape: &'static Shape) -> Result<(), Error> {
    shape::check(body, shape).map_err(|violation| {
        let path: Vec<String> = violation.path.iter().map(step).collect();
        let names = match violation.wrong {
            Wrong::Unknown(names) => format!(" (unknown: {})", names.join(", ")),
            _ => String::new(),
        };
        Error(
            400,
            format!("json: cannot unmarshal field ChatRequest.{}{names}", path.join(".")),
        )
    })
}

fn step(segment: &Segment) -> String {
    match segment {
        Segment::Key(key) => key.clone(),
        Segment::Index(index) => index.to_string(),
        Segment::Tag(tag) => (*tag).to_owned(),
    }
}
