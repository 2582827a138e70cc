//! Method and path → what is wanted, and in which dialect errors are spoken.

use super::respond::Refusal;
use crate::dialect::{ClientDialect, Operation};
use http::Method;

/// What a request's first line asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted<'a> {
    /// A model's answer.
    Call(ClientDialect, Operation),
    /// The models on offer, or one of them by name.
    Models(Option<&'a str>),
}

/// OpenAI's paths are taken with and without `/v1`, as users of other gateways have them.
pub(super) fn recognise<'a>(method: &Method, path: &'a str) -> Result<Wanted<'a>, Refusal> {
    let openai = path.strip_prefix("/v1").unwrap_or(path);
    let (wanted, allowed) = match openai {
        "/chat/completions" => (Wanted::Call(ClientDialect::Chat, Operation::Generate), Method::POST),
        "/embeddings" => (Wanted::Call(ClientDialect::Chat, Operation::Embeddings), Method::POST),
        "/models" => (Wanted::Models(None), Method::GET),
        "/messages" if openai.len() < path.len() => {
            (Wanted::Call(ClientDialect::Messages, Operation::Generate), Method::POST)
        }
        other => match other.strip_prefix("/models/") {
            Some(name) if !name.is_empty() => (Wanted::Models(Some(name)), Method::GET),
            Some(_) | None => return Err(Refusal::UnknownPath),
        },
    };
    if *method == allowed || (allowed == Method::GET && *method == Method::HEAD) {
        return Ok(wanted);
    }
    let allow = if allowed == Method::GET { "GET, HEAD" } else { "POST" };
    Err(Refusal::WrongMethod { allow })
}

/// The dialect in which a refusal of this path is spoken: OpenAI's, unless it is Anthropic's own.
pub(super) fn error_dialect(path: &str) -> ClientDialect {
    if path.starts_with("/v1/messages") {
        ClientDialect::Messages
    } else {
        ClientDialect::Chat
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_known_with_and_without_their_version() {
        let chat = Ok(Wanted::Call(ClientDialect::Chat, Operation::Generate));
        let embeddings = Ok(Wanted::Call(ClientDialect::Chat, Operation::Embeddings));
        let messages = Ok(Wanted::Call(ClientDialect::Messages, Operation::Generate));
        for (method, path, expected) in [
            (Method::POST, "/v1/chat/completions", chat.clone()),
            (Method::POST, "/chat/completions", chat),
            (Method::POST, "/embeddings", embeddings),
            (Method::POST, "/v1/messages", messages),
            (Method::POST, "/messages", Err(Refusal::UnknownPath)),
            (Method::GET, "/v1/models", Ok(Wanted::Models(None))),
            (Method::HEAD, "/models", Ok(Wanted::Models(None))),
            (Method::GET, "/v1/models/org/name", Ok(Wanted::Models(Some("org/name")))),
            (Method::GET, "/v1/models/", Err(Refusal::UnknownPath)),
            (Method::GET, "/", Err(Refusal::UnknownPath)),
            (
                Method::GET,
                "/v1/chat/completions",
                Err(Refusal::WrongMethod { allow: "POST" }),
            ),
            (
                Method::DELETE,
                "/v1/models",
                Err(Refusal::WrongMethod { allow: "GET, HEAD" }),
            ),
        ] {
            assert_eq!(recognise(&method, path), expected, "{method} {path}");
        }
    }
}
