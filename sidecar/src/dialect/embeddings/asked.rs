//! Requests for embeddings, decoded.

use super::Wish;
use crate::dialect::Grade::Hint;
use crate::dialect::gemini::spelling::{camel_case, given, list, whole};
use crate::dialect::loss::Fate::{Lost, Ours, Read};
use crate::dialect::loss::{self, Field, Ledger, field};
use crate::dialect::text::Text;
use crate::dialect::{Asked, BadRequest, Operation};
use crate::json::{Object, Raw, Type};

/// Most texts of one request: OpenAI's limit, the highest.
const MOST_TEXTS: usize = 2_048;

/// Sorted by name.
const OPENAI_FIELDS: &[Field] = &[
    field("dimensions", Read),
    field("encoding_format", Read),
    field("input", Read),
    field("model", Ours),
    field("user", Lost(Hint, "no other dialect's embeddings have an end user")),
];
const GEMINI_FIELDS: &[Field] = &[
    field("autoTruncate", Lost(Hint, "only Google cuts off what is too long")),
    field("content", Read),
    field("model", Ours),
    field("outputDimensionality", Read),
    field("taskType", Read),
    field("title", Lost(Hint, "only Google reads a title")),
];
const GEMINI_BATCH: &[Field] = &[field("model", Ours), field("requests", Read)];

pub(super) fn of_openai<'a>(asked: &Asked<'a>, ledger: &mut Ledger) -> Result<Wish<'a>, BadRequest> {
    let object = &asked.object;
    let _no_knobs = loss::decide(object, OPENAI_FIELDS, &"", ledger)?;
    let input = loss::given(object, "input").ok_or_else(|| BadRequest::at("input", "is missing"))?;
    let bad = || {
        let problem = "must be text here: tokens mean something to one model only";
        BadRequest::at("input", problem)
    };
    let texts = match input.kind() {
        Type::Array => input.elements().and_then(|texts| texts.map(Text::of).collect()),
        _ => Text::of(input).map(|text| vec![text]),
    };
    Ok(Wish {
        texts: checked(texts.ok_or_else(bad)?, "input")?,
        texts_name: "input",
        dimensions: loss::given(object, "dimensions"),
        task: None,
        task_name: "input",
    })
}

/// One content, or a batch of requests of which each has one.
pub(super) fn of_gemini<'a>(asked: &Asked<'a>, ledger: &mut Ledger) -> Result<Wish<'a>, BadRequest> {
    let object = &asked.object;
    if asked.operation == Operation::EmbedOne {
        let mut wish = Wish {
            texts: Vec::with_capacity(1),
            texts_name: "content",
            dimensions: None,
            task: None,
            task_name: "taskType",
        };
        read_one(object, "", &mut wish, ledger)?;
        return Ok(wish);
    }
    let _no_knobs = loss::decide_as(camel_case, object, GEMINI_BATCH, &"", ledger)?;
    let requests = list(object, "requests").ok_or_else(|| BadRequest::at("requests", "is missing"))?;
    let mut wish = Wish {
        texts: Vec::with_capacity(8),
        texts_name: "requests",
        dimensions: None,
        task: None,
        task_name: "taskType",
    };
    for (index, request) in requests.objects().enumerate() {
        let path = format!("requests[{index}].");
        let request = request.ok_or_else(|| BadRequest::at(format!("requests[{index}]"), "must be an object"))?;
        read_one(&request, &path, &mut wish, ledger)?;
    }
    wish.texts = checked(wish.texts, "requests")?;
    Ok(wish)
}

fn checked<'a>(texts: Vec<Text<'a>>, field: &str) -> Result<Vec<Text<'a>>, BadRequest> {
    match texts.len() {
        0 => Err(BadRequest::at(field, "must not be empty")),
        count if count > MOST_TEXTS => Err(BadRequest::at(field, "must not have more than 2048 texts")),
        _ => Ok(texts),
    }
}

/// Adds what one request asks for. One dimensionality and one purpose hold for all of them elsewhere.
fn read_one<'a>(request: &Object<'a>, path: &str, wish: &mut Wish<'a>, ledger: &mut Ledger) -> Result<(), BadRequest> {
    let _no_knobs = loss::decide_as(camel_case, request, GEMINI_FIELDS, &path, ledger)?;
    let first = wish.texts.is_empty();
    wish.texts.push(text_of(request, path)?);
    let dimensions = given(request, "outputDimensionality").map(whole);
    let task = given(request, "taskType").and_then(Text::of);
    if first {
        (wish.dimensions, wish.task) = (dimensions, task);
        return Ok(());
    }
    if dimensions.map(Raw::text) != wish.dimensions.map(Raw::text) {
        return Err(BadRequest::at(
            format!("{path}outputDimensionality"),
            "must be the same in all requests for this provider",
        ));
    }
    if task.as_ref().map(Text::plain) != wish.task.as_ref().map(Text::plain) {
        ledger.meaning(format!("{path}taskType"), "one purpose holds for all texts there");
    }
    Ok(())
}

/// The parts of a content as one text.
fn text_of<'a>(request: &Object<'a>, path: &str) -> Result<Text<'a>, BadRequest> {
    let bad = || BadRequest::at(format!("{path}content"), "must be a content whose parts are text");
    let content = given(request, "content").and_then(Raw::object);
    let parts = content.and_then(|content| list(&content, "parts"));
    let texts = parts
        .ok_or_else(bad)?
        .objects()
        .map(|part| given(&part?, "text").and_then(Text::of));
    let mut texts: Vec<Text<'_>> = texts.collect::<Option<_>>().ok_or_else(bad)?;
    match texts.len() {
        0 => Err(bad()),
        1 => Ok(texts.swap_remove(0)),
        _ => Ok(Text::from(texts.iter().map(Text::plain).collect::<String>())),
    }
}
