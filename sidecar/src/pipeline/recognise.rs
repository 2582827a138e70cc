//! Method and path → what is wanted, and in which dialect errors are spoken.

use super::respond::Refusal;
use crate::dialect::{ClientDialect, InPath, Operation};
use http::Method;
use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// What a request's first line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted<'a> {
    /// A model's answer.
    Call(ClientDialect, Operation, InPath<'a>),
    /// The models on offer, or one of them by name.
    Models(Option<&'a str>),
}

/// Where clients of Azure's have the model; what they call its deployment.
const AZURE: &str = "/openai/deployments/";

/// OpenAI's paths are taken with and without `/v1`, as users of other gateways have them.
pub(super) fn recognise<'a>(method: &Method, path: &'a str) -> Result<Wanted<'a>, Refusal> {
    let (wanted, allowed) = find(path).ok_or(Refusal::UnknownPath)?;
    if *method == allowed || (allowed == Method::GET && *method == Method::HEAD) {
        return Ok(wanted);
    }
    let allow = if allowed == Method::GET { "GET, HEAD" } else { "POST" };
    Err(Refusal::WrongMethod { allow })
}

fn find(path: &str) -> Option<(Wanted<'_>, Method)> {
    let call = |(dialect, operation)| (Wanted::Call(dialect, operation, InPath::default()), Method::POST);
    let openai = path.strip_prefix("/v1").unwrap_or(path);
    openai_call(openai)
        .map(call)
        .or_else(|| azure(path))
        .or_else(|| (path == "/v1/messages").then(|| call((ClientDialect::Messages, Operation::Generate))))
        .or_else(|| models(openai))
}

fn openai_call(path: &str) -> Option<(ClientDialect, Operation)> {
    match path {
        "/chat/completions" => Some((ClientDialect::Chat, Operation::Generate)),
        "/embeddings" => Some((ClientDialect::Chat, Operation::Embeddings)),
        _ => None,
    }
}

/// `/openai/deployments/{model}/chat/completions`. A model's name may have slashes, escaped or not.
fn azure(path: &str) -> Option<(Wanted<'_>, Method)> {
    let rest = path.strip_prefix(AZURE)?;
    let of = |suffix: &str| {
        let model = rest.strip_suffix(suffix).filter(|model| !model.is_empty())?;
        let (dialect, operation) = openai_call(suffix)?;
        let path = InPath {
            model: Some(decoded(model)?),
            stream: None,
        };
        Some((Wanted::Call(dialect, operation, path), Method::POST))
    };
    of("/chat/completions").or_else(|| of("/embeddings"))
}

fn models(path: &str) -> Option<(Wanted<'_>, Method)> {
    let name = match path {
        "/models" => None,
        other => Some(other.strip_prefix("/models/").filter(|name| !name.is_empty())?),
    };
    Some((Wanted::Models(name), Method::GET))
}

/// A name in a path, escapes resolved: what is authorised is what it means.
fn decoded(name: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(name).decode_utf8().ok()
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
        let call = |dialect, operation| Ok(Wanted::Call(dialect, operation, InPath::default()));
        let chat = call(ClientDialect::Chat, Operation::Generate);
        let embeddings = call(ClientDialect::Chat, Operation::Embeddings);
        let messages = call(ClientDialect::Messages, Operation::Generate);
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

    #[test]
    fn the_name_of_a_model_in_a_path_is_decoded() {
        let named = |path| match recognise(&Method::POST, path) {
            Ok(Wanted::Call(ClientDialect::Chat, operation, InPath { model, stream: None })) => {
                Some((operation, model.unwrap_or_default().into_owned()))
            }
            _ => None,
        };
        let chat = |name: &str| Some((Operation::Generate, name.to_owned()));
        for (path, expected) in [
            ("/openai/deployments/gpt-4o/chat/completions", chat("gpt-4o")),
            ("/openai/deployments/org/name/chat/completions", chat("org/name")),
            ("/openai/deployments/org%2Fna%20me/chat/completions", chat("org/na me")),
            ("/openai/deployments/%E2%82/chat/completions", None),
            ("/openai/deployments//chat/completions", None),
            ("/openai/deployments/a/completions", None),
            (
                "/openai/deployments/a/embeddings",
                Some((Operation::Embeddings, "a".to_owned())),
            ),
        ] {
            assert_eq!(named(path), expected, "{path}");
        }
    }
}
