//! A client's request as far as routing needs it: one pass over the body, then answers on demand.

mod estimate;
mod needs;
mod session;
mod tags;

pub use needs::Medium;
pub use tags::Tags;

use super::{Asked, BadRequest, ClientDialect, Dialect, InPath, Operation, gemini};
use crate::json;
use std::borrow::Cow;
use std::ops::Range;

/// Longest model name, bytes: as long as one in a policy may be. Errors, headers and every chunk of a translated stream
/// repeat it.
const LONGEST_MODEL: usize = 256;

impl<'a> Asked<'a> {
    /// Reads what routing needs. The body is validated as a whole; nothing is copied.
    pub fn read(
        dialect: ClientDialect,
        operation: Operation,
        path: InPath<'a>,
        body: &'a [u8],
    ) -> Result<Self, BadRequest> {
        Self::of(dialect, operation, path, json::parse(body))
    }

    /// The same, with an index for whoever looks into the body afterwards.
    pub fn read_indexed(
        dialect: ClientDialect,
        operation: Operation,
        path: InPath<'a>,
        body: &'a [u8],
        index: &'a mut json::Index,
    ) -> Result<Self, BadRequest> {
        Self::of(dialect, operation, path, json::parse_indexed(body, index))
    }

    fn of(
        dialect: ClientDialect,
        operation: Operation,
        path: InPath<'a>,
        parsed: Result<json::Object<'a>, json::Error>,
    ) -> Result<Self, BadRequest> {
        let object = parsed.map_err(|error| BadRequest::new(format!("the request body cannot be read: {error}")))?;
        let (model, model_span) = read_model(path.model, &object)?;
        // Nothing else has streams; a provider ignores the word, too.
        let stream = operation.streams() && path.stream.map_or_else(|| read_stream(&object), Ok)?;
        let wants_usage = match dialect {
            ClientDialect::Messages | ClientDialect::Gemini | ClientDialect::Responses => true,
            ClientDialect::Chat => stream && chat_wants_usage(&object),
        };
        Ok(Self {
            dialect,
            operation,
            object,
            model,
            model_span,
            stream,
            framing: path.framing,
            ranking: path.ranking,
            wants_usage,
        })
    }

    /// The same with another body, for translation alone.
    pub(super) fn rewritten<'b>(&'b self, object: json::Object<'b>) -> Asked<'b> {
        Asked {
            object,
            model: Cow::Borrowed(&self.model),
            model_span: None,
            ..*self
        }
    }

    /// The same, read from another body.
    pub fn again<'b>(&'b self, body: &'b [u8]) -> Result<Asked<'b>, BadRequest> {
        let path = InPath {
            model: Some(Cow::Borrowed(&self.model)),
            stream: Some(self.stream),
            framing: self.framing,
            ranking: self.ranking,
        };
        Asked::read(self.dialect, self.operation, path, body)
    }

    /// The dialect whose endpoint is called, if there is one.
    pub fn native(&self) -> Dialect {
        match self.operation {
            Operation::Rerank => self.ranking.dialect(),
            _ => self.dialect.native(),
        }
    }

    /// Bytes pass through to an upstream that speaks `dialect`.
    pub fn passes_to(&self, dialect: Dialect) -> bool {
        self.native() == dialect
    }

    /// Its body names models as Google's APIs name resources.
    pub(super) fn names_resources(&self) -> bool {
        let kind = matches!(
            self.operation,
            Operation::Embeddings | Operation::EmbedOne | Operation::CountTokens
        );
        kind && self.dialect == ClientDialect::Gemini
    }

    /// The most output tokens the client allows, if it said so.
    pub fn max_output_tokens(&self) -> Option<u64> {
        let keys: &[&str] = match self.dialect {
            ClientDialect::Chat => &["max_completion_tokens", "max_tokens"],
            ClientDialect::Messages => &["max_tokens"],
            ClientDialect::Gemini => {
                let most = gemini::request::generation(&self.object, "maxOutputTokens")?;
                return gemini::spelling::whole(most).u64();
            }
            ClientDialect::Responses => &["max_output_tokens"],
        };
        keys.iter().find_map(|key| self.object.get(key)?.u64())
    }

    /// How many answers are asked for at once.
    pub fn choices(&self) -> u64 {
        let number = match self.dialect {
            ClientDialect::Chat => self.object.get("n"),
            ClientDialect::Messages | ClientDialect::Responses => None,
            ClientDialect::Gemini => gemini::request::generation(&self.object, "candidateCount"),
        };
        number.and_then(json::Raw::u64).unwrap_or(1)
    }
}

/// What is authorised must be what is sent, so a second `model` is refused rather than chosen from; beside one in the
/// path, the body's is what will be replaced.
fn read_model<'a>(
    in_path: Option<Cow<'a, str>>,
    object: &json::Object<'a>,
) -> Result<(Cow<'a, str>, Option<Range<usize>>), BadRequest> {
    if object.count("model") > 1 {
        return Err(BadRequest::at("model", "must occur only once"));
    }
    let value = object.get("model");
    let in_body = || {
        let value = value.ok_or_else(|| BadRequest::at("model", "is missing"))?;
        value
            .string()
            .ok_or_else(|| BadRequest::at("model", "must be a string"))
    };
    let model = in_path.map_or_else(in_body, Ok)?;
    if model.is_empty() {
        return Err(BadRequest::at("model", "must not be empty"));
    }
    if model.len() > LONGEST_MODEL {
        return Err(BadRequest::at("model", "must not be longer than 256 bytes"));
    }
    Ok((model, value.map(|value| object.span(value))))
}

fn read_stream(object: &json::Object<'_>) -> Result<bool, BadRequest> {
    match object.get("stream") {
        None => Ok(false),
        Some(value) if value.is_null() => Ok(false),
        Some(value) => value
            .bool()
            .ok_or_else(|| BadRequest::at("stream", "must be true or false")),
    }
}

fn chat_wants_usage(object: &json::Object<'_>) -> bool {
    let options = object.get("stream_options").and_then(json::Raw::object);
    options
        .and_then(|options| options.get("include_usage")?.bool())
        .unwrap_or(false)
}

#[cfg(test)]
mod tests;
