//! OpenAI's refusals: the sentence, `type`, `param` and `code` of each.

use crate::shape::{Bounds, Kind, Segment, Violation, Wrong};
use serde::Serialize;

/// A refusal before it is an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Error {
    pub(super) status: u16,
    pub(super) message: String,
    pub(super) kind: &'static str,
    pub(super) param: Option<String>,
    pub(super) code: Option<&'static str>,
}

#[derive(Serialize)]
struct Envelope<'a> {
    error: Inner<'a>,
}

#[derive(Serialize)]
struct Inner<'a> {
    message: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    param: Option<&'a str>,
    code: Option<&'a str>,
}

impl Error {
    pub(super) fn new(status: u16, kind: &'static str, message: impl Into<String>) -> Error {
        Error {
            status,
            message: message.into(),
            kind,
            param: None,
            code: None,
        }
    }

    /// A 400 about one parameter.
    pub(super) fn invalid(param: &str, message: impl Into<String>) -> Error {
        Error::new(400, "invalid_request_error", message).param(param)
    }

    pub(super) fn param(mut self, param: &str) -> Error {
        self.param = Some(param.to_owned());
        self
    }

    pub(super) fn code(mut self, code: &'static str) -> Error {
        self.code = Some(code);
        self
    }

    /// The body as the API lays it out.
    pub(super) fn body(&self) -> String {
        super::pretty(&self.envelope())
    }

    /// The data of an error event.
    pub(super) fn line(&self) -> String {
        crate::json::compact(&self.envelope())
    }

    fn envelope(&self) -> Envelope<'_> {
        let error = Inner {
            message: &self.message,
            kind: self.kind,
            param: self.param.as_deref(),
            code: self.code,
        };
        Envelope { error }
    }
}

pub(super) fn unparsable() -> Error {
    let message = "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP \
                   library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON. If \
                   you have trouble figuring out how to fix this, please contact us through our help center at \
                   help.openai.com.)";
    Error::new(400, "invalid_request_error", message)
}

pub(super) fn no_key() -> Error {
    let message = "You didn't provide an API key. You need to provide your API key in an Authorization header using \
                   Bearer auth (i.e. Authorization: Bearer YOUR_KEY), or as the password field (with blank username) if \
                   you're accessing the API from your browser and are prompted for a username and password. You can \
                   obtain an API key from https://platform.openai.com/account/api-keys.";
    Error::new(401, "invalid_request_error", message)
}

pub(super) fn wrong_key(key: &str) -> Error {
    let message = format!(
        "Incorrect API key provided: {}. You can find your API key at https://platform.openai.com/account/api-keys.",
        masked(key)
    );
    Error::new(401, "invalid_request_error", message).code("invalid_api_key")
}

/// All but the ends of a long key are stars; a short one is quoted whole.
fn masked(key: &str) -> String {
    let characters: Vec<char> = key.chars().collect();
    if characters.len() <= 12 {
        return key.to_owned();
    }
    let stars = characters.len() - 12;
    let masked = characters.iter().enumerate().map(|(index, character)| {
        let hidden = (8..8 + stars).contains(&index);
        if hidden { '*' } else { *character }
    });
    masked.collect()
}

pub(super) fn unknown_model(model: &str) -> Error {
    let message = format!("The model `{model}` does not exist or you do not have access to it.");
    Error::new(404, "invalid_request_error", message).code("model_not_found")
}

pub(super) fn no_chat_model() -> Error {
    let message = "This is not a chat model and thus not supported in the v1/chat/completions endpoint. Did you mean to \
                   use v1/completions?";
    Error::new(404, "invalid_request_error", message).param("model")
}

pub(super) fn unknown_url(method: &str, path: &str) -> Error {
    Error::new(404, "invalid_request_error", format!("Invalid URL ({method} {path})"))
}

pub(super) fn wrong_method(method: &str, path: &str) -> Error {
    let message =
        format!("Not allowed to {method} on {path} (HINT: Perhaps you meant to use a different HTTP method?)");
    Error::new(405, "invalid_request_error", message).code("method_not_supported")
}

pub(super) fn context_overflow(limit: u64, tokens: u64) -> Error {
    let message = format!(
        "This model's maximum context length is {limit} tokens. However, your messages resulted in {tokens} tokens. \
         Please reduce the length of the messages."
    );
    Error::invalid("messages", message).code("context_length_exceeded")
}

pub(super) fn rate_limited(model: &str, seconds: f64) -> Error {
    let message = format!(
        "Rate limit reached for {model} in organization {} on requests per min (RPM): Limit 10000, Used 10000, \
         Requested 1. Please try again in {seconds}s. Visit https://platform.openai.com/account/rate-limits to learn \
         more.",
        super::ORGANIZATION
    );
    Error::new(429, "requests", message).code("rate_limit_exceeded")
}

pub(super) fn spend_limit() -> Error {
    let message = "You exceeded your current quota, please check your plan and billing details. For more information on \
                   this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.";
    Error::new(429, "insufficient_quota", message).code("insufficient_quota")
}

/// What the API, or one that is compatible with it, says with a status when nothing more is known.
pub(super) fn of_status(status: u16, model: &str) -> Error {
    match status {
        400 => Error::new(400, "invalid_request_error", "Bad request."),
        401 => wrong_key("sk-refused-by-the-script"),
        402 => Error::new(402, "unknown_error", "Insufficient Balance").code("invalid_request_error"),
        403 => {
            let message = "Country, region, or territory not supported";
            Error::new(403, "request_forbidden", message).code("unsupported_country_region_territory")
        }
        404 => unknown_model(model),
        408 => Error::new(408, "timeout", "Request timed out."),
        413 => Error::new(413, "invalid_request_error", "Maximum content size limit exceeded"),
        429 => rate_limited(model, 1.0),
        503 => Error::new(
            503,
            "server_error",
            "The engine is currently overloaded, please try again later.",
        ),
        _ => {
            let message = "The server had an error while processing your request. Sorry about that!";
            Error::new(status, "server_error", message)
        }
    }
}

impl From<Violation> for Error {
    fn from(violation: Violation) -> Error {
        let path = path(&violation.path);
        match violation.wrong {
            Wrong::Missing | Wrong::NoTag => missing(&path),
            Wrong::Unknown(names) => unknown(&path, &names),
            Wrong::Type { expected, got } => {
                Error::invalid(&path, type_sentence(&path, &expected, got)).code("invalid_type")
            }
            Wrong::Word { allowed, got } | Wrong::Tag { allowed, got } => {
                let message = format!("Invalid value: '{got}'. Supported values are: {}.", listed(&allowed));
                Error::invalid(&path, message).code("invalid_value")
            }
            Wrong::TooSmall { bounds, got } => small(&path, bounds, got),
            Wrong::TooLarge { bounds, got } => large(&path, bounds, got),
            Wrong::TooShort { list, limit, .. } => short(&path, list, limit),
            Wrong::TooLong { list, limit, got } => long(&path, list, limit, got),
            Wrong::Pattern(pattern) => {
                let message = format!(
                    "Invalid '{path}': string does not match pattern. Expected a string that matches the pattern '{pattern}'."
                );
                Error::invalid(&path, message).code("invalid_value")
            }
        }
    }
}

/// `messages[0].content[1].text`
fn path(segments: &[Segment]) -> String {
    let mut path = String::new();
    for segment in segments {
        match segment {
            Segment::Key(key) if path.is_empty() => path.push_str(key),
            Segment::Key(key) => path.push_str(&format!(".{key}")),
            Segment::Index(index) => path.push_str(&format!("[{index}]")),
            Segment::Tag(_) => {}
        }
    }
    path
}

fn missing(path: &str) -> Error {
    if path == "model" {
        return Error::new(400, "invalid_request_error", "you must provide a model parameter");
    }
    Error::invalid(path, format!("Missing required parameter: '{path}'.")).code("missing_required_parameter")
}

fn unknown(path: &str, names: &[String]) -> Error {
    if path.is_empty() {
        let plural = if names.len() > 1 { "s" } else { "" };
        let message = format!("Unrecognized request argument{plural} supplied: {}", names.join(", "));
        return Error::new(400, "invalid_request_error", message);
    }
    let name = format!("{path}.{}", names.first().map_or("", String::as_str));
    Error::invalid(&name, format!("Unknown parameter: '{name}'.")).code("unknown_parameter")
}

fn type_sentence(path: &str, expected: &[Kind], got: Kind) -> String {
    let wanted: Vec<&str> = expected.iter().map(|kind| word(*kind)).collect();
    let wanted = match wanted.as_slice() {
        [one] => (*one).to_owned(),
        several => format!("one of {}", several.join(" or ")),
    };
    format!(
        "Invalid type for '{path}': expected {wanted}, but got {} instead.",
        word(got)
    )
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Null => "null",
        Kind::Boolean => "a boolean",
        Kind::Integer => "an integer",
        Kind::Number => "a decimal",
        Kind::Text => "a string",
        Kind::List => "an array",
        Kind::Texts => "an array of strings",
        Kind::Objects => "an array of objects",
        Kind::Object => "an object",
    }
}

/// `'a', 'b', and 'c'`
fn listed(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [one, other] => format!("{one} and {other}"),
        [most @ .., last] => format!("{}, and {last}", most.join(", ")),
    }
}

fn small(path: &str, bounds: Bounds, got: f64) -> Error {
    let limit = bounds.min;
    let (noun, code) = match bounds.integer {
        true => ("integer", "integer_below_min_value"),
        false => ("decimal", "decimal_below_min_value"),
    };
    let message =
        format!("Invalid '{path}': {noun} below minimum value. Expected a value >= {limit}, but got {got} instead.");
    Error::invalid(path, message).code(code)
}

fn large(path: &str, bounds: Bounds, got: f64) -> Error {
    let limit = bounds.max;
    let (noun, code) = match bounds.integer {
        true => ("integer", "integer_above_max_value"),
        false => ("decimal", "decimal_above_max_value"),
    };
    let message =
        format!("Invalid '{path}': {noun} above maximum value. Expected a value <= {limit}, but got {got} instead.");
    Error::invalid(path, message).code(code)
}

fn short(path: &str, list: bool, limit: usize) -> Error {
    let (noun, code) = match list {
        true => ("an array", "empty_array"),
        false => ("a string", "empty_string"),
    };
    let what = noun.rsplit(' ').next().unwrap_or(noun);
    let message = format!(
        "Invalid '{path}': empty {what}. Expected {noun} with minimum length {limit}, but got an empty {what} instead."
    );
    Error::invalid(path, message).code(code)
}

fn long(path: &str, list: bool, limit: usize, got: usize) -> Error {
    let (noun, code) = match list {
        true => ("an array", "array_above_max_length"),
        false => ("a string", "string_above_max_length"),
    };
    let what = noun.rsplit(' ').next().unwrap_or(noun);
    let message = format!(
        "Invalid '{path}': {what} too long. Expected {noun} with maximum length {limit}, but got {noun} with length \
         {got} instead."
    );
    Error::invalid(path, message).code(code)
}
