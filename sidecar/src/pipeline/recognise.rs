//! Method and path → what is wanted, and in which dialect errors are spoken.

use super::respond::Refusal;
use crate::dialect::{ClientDialect, Framing, InPath, Operation, Ranking};
use http::Method;
use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// What a request's first line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted<'a> {
    /// A model's answer.
    Call(ClientDialect, Operation, InPath<'a>),
    /// The models on offer, or one of them by name; `true` for Google's path.
    Models(Option<&'a str>, bool),
}

/// Where clients of Azure's have the model; what they call its deployment.
const AZURE: &str = "/openai/deployments/";

/// Where clients of Google's have the models; `/v1/models/` is OpenAI's and Anthropic's, too.
const GOOGLE: [&str; 3] = ["/v1beta/models", "/v1alpha/models", "/v1/models"];

/// What Google's APIs do with a model and the sidecar does not.
const NOT_SERVED: [&str; 2] = ["predict", "predictLongRunning"];

/// And what it does, streams apart.
const SERVED: [(&str, Operation); 4] = [
    ("generateContent", Operation::Generate),
    ("countTokens", Operation::CountTokens),
    ("embedContent", Operation::EmbedOne),
    ("batchEmbedContents", Operation::Embeddings),
];

/// OpenAI's paths are taken with and without `/v1`, as users of other gateways have them.
pub(super) fn recognise<'a>(method: &Method, path: &'a str, query: Option<&str>) -> Result<Wanted<'a>, Refusal> {
    let google = gemini(path, query)?;
    let (wanted, allowed) = google.or_else(|| find(path)).ok_or_else(|| unknown(path))?;
    if *method == allowed || (allowed == Method::GET && *method == Method::HEAD) {
        return Ok(wanted);
    }
    let allow = if allowed == Method::GET { "GET, HEAD" } else { "POST" };
    Err(Refusal::WrongMethod { allow })
}

/// The call that a first line asks for, if it is one, and what its path says: what strangers' bytes reach first.
pub fn call_of<'a>(
    method: &Method,
    path: &'a str,
    query: Option<&str>,
) -> Option<(ClientDialect, Operation, InPath<'a>)> {
    match recognise(method, path, query) {
        Ok(Wanted::Call(dialect, operation, path)) => Some((dialect, operation, path)),
        Ok(Wanted::Models(..)) | Err(_) => None,
    }
}

fn find(path: &str) -> Option<(Wanted<'_>, Method)> {
    let call = |(dialect, operation)| (Wanted::Call(dialect, operation, InPath::default()), Method::POST);
    // Azure's newer base URL ends in `/openai/v1`, as Groq's does.
    let newer = path.strip_prefix("/openai").filter(|path| path.starts_with("/v1/"));
    let openai = newer.unwrap_or(path);
    let openai = openai.strip_prefix("/v1").unwrap_or(openai);
    openai_call(openai)
        .map(call)
        .or_else(|| azure(path))
        .or_else(|| messages(path).map(|operation| call((ClientDialect::Messages, operation))))
        .or_else(|| rerank(path))
        .or_else(|| models(openai))
}

fn unknown(path: &str) -> Refusal {
    let openai = path.strip_prefix("/openai").unwrap_or(path);
    match openai.strip_prefix("/v1").unwrap_or(openai).starts_with("/responses/") {
        true => Refusal::NothingKept,
        false => Refusal::UnknownPath,
    }
}

fn messages(path: &str) -> Option<Operation> {
    match path {
        "/v1/messages" => Some(Operation::Generate),
        "/v1/messages/count_tokens" => Some(Operation::CountTokens),
        _ => None,
    }
}

/// Cohere's newer version, and what others have made of the older one.
fn rerank(path: &str) -> Option<(Wanted<'_>, Method)> {
    let ranking = match path {
        "/v2/rerank" => Ranking::Cohere,
        "/v1/rerank" | "/rerank" => Ranking::Common,
        _ => return None,
    };
    let path = InPath {
        ranking,
        ..InPath::default()
    };
    Some((Wanted::Call(ClientDialect::Chat, Operation::Rerank, path), Method::POST))
}

fn openai_call(path: &str) -> Option<(ClientDialect, Operation)> {
    match path {
        "/chat/completions" => Some((ClientDialect::Chat, Operation::Generate)),
        "/completions" => Some((ClientDialect::Chat, Operation::Completions)),
        "/embeddings" => Some((ClientDialect::Chat, Operation::Embeddings)),
        "/responses" => Some((ClientDialect::Responses, Operation::Generate)),
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
            ..InPath::default()
        };
        Some((Wanted::Call(dialect, operation, path), Method::POST))
    };
    // The shorter suffix is the end of the longer one.
    let suffixes = ["/chat/completions", "/completions", "/embeddings"];
    of(suffixes.into_iter().find(|suffix| rest.ends_with(suffix))?)
}

fn models(path: &str) -> Option<(Wanted<'_>, Method)> {
    let name = match path {
        "/models" => None,
        other => Some(other.strip_prefix("/models/").filter(|name| !name.is_empty())?),
    };
    Some((Wanted::Models(name, false), Method::GET))
}

/// `/v1beta/models/{model}:generateContent`, and the models themselves below a version that is only Google's.
fn gemini<'a>(path: &'a str, query: Option<&str>) -> Result<Option<(Wanted<'a>, Method)>, Refusal> {
    let Some((prefix, rest)) = GOOGLE
        .iter()
        .find_map(|prefix| Some((*prefix, path.strip_prefix(prefix)?)))
    else {
        return Ok(None);
    };
    let own = prefix != "/v1/models";
    let listed = |name| Ok(own.then_some((Wanted::Models(name, true), Method::GET)));
    let name = match rest.strip_prefix('/') {
        None if rest.is_empty() => return listed(None),
        None | Some("") => return Ok(None),
        Some(name) => name,
    };
    let method = name.rsplit_once(':').map_or("", |(_, method)| method);
    let served = SERVED.iter().find(|(served, _)| *served == method);
    let (operation, stream) = match (method, served) {
        ("streamGenerateContent", _) => (Operation::Generate, true),
        (_, Some((_, operation))) => (*operation, false),
        (method, None) if NOT_SERVED.contains(&method) => {
            return Err(Refusal::NotServed {
                method: method.to_owned(),
            });
        }
        (_, None) => return listed(Some(name)),
    };
    let model = name.rsplit_once(':').map_or(name, |(model, _)| model);
    let model = decoded(model).filter(|model| !model.is_empty());
    let path = InPath {
        model: Some(model.ok_or(Refusal::UnknownPath)?),
        stream: Some(stream),
        framing: framing(query),
        ..InPath::default()
    };
    let wanted = Wanted::Call(ClientDialect::Gemini, operation, path);
    Ok(Some((wanted, Method::POST)))
}

fn framing(query: Option<&str>) -> Framing {
    let is_sse = |member: &str| member == "alt=sse" || member == "$alt=sse";
    match query.is_some_and(|query| query.split('&').any(is_sse)) {
        true => Framing::Events,
        false => Framing::Array,
    }
}

/// A name in a path, escapes resolved: what is authorised is what it means.
fn decoded(name: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(name).decode_utf8().ok()
}

/// The dialect in which a refusal of this path is spoken: OpenAI's, unless it is another's own.
pub(super) fn error_dialect(path: &str) -> ClientDialect {
    if path.starts_with("/v1/messages") {
        ClientDialect::Messages
    } else if is_google_s(path) {
        ClientDialect::Gemini
    } else {
        ClientDialect::Chat
    }
}

fn is_google_s(path: &str) -> bool {
    let method = path.rsplit_once(':').map(|(_, method)| method);
    let known = |method: &str| {
        let served = SERVED.iter().any(|(served, _)| *served == method);
        served || method == "streamGenerateContent" || NOT_SERVED.contains(&method)
    };
    path.starts_with("/v1beta/") || path.starts_with("/v1alpha/") || method.is_some_and(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_known_with_and_without_their_version() {
        let call = |dialect, operation| Ok(Wanted::Call(dialect, operation, InPath::default()));
        let ranking = |ranking| {
            let path = InPath {
                ranking,
                ..InPath::default()
            };
            Ok(Wanted::Call(ClientDialect::Chat, Operation::Rerank, path))
        };
        let chat = call(ClientDialect::Chat, Operation::Generate);
        let embeddings = call(ClientDialect::Chat, Operation::Embeddings);
        let messages = call(ClientDialect::Messages, Operation::Generate);
        let responses = call(ClientDialect::Responses, Operation::Generate);
        for (method, path, expected) in [
            (Method::POST, "/v1/chat/completions", chat.clone()),
            (Method::POST, "/chat/completions", chat.clone()),
            (Method::POST, "/openai/v1/chat/completions", chat),
            (Method::POST, "/openai/v1/responses", responses.clone()),
            (Method::GET, "/openai/v1/models", Ok(Wanted::Models(None, false))),
            (Method::POST, "/embeddings", embeddings),
            (
                Method::POST,
                "/v1/completions",
                call(ClientDialect::Chat, Operation::Completions),
            ),
            (Method::POST, "/v1/rerank", ranking(Ranking::Common)),
            (Method::POST, "/rerank", ranking(Ranking::Common)),
            (Method::POST, "/v2/rerank", ranking(Ranking::Cohere)),
            (
                Method::POST,
                "/v1/messages/count_tokens",
                call(ClientDialect::Messages, Operation::CountTokens),
            ),
            (Method::POST, "/v1/messages", messages),
            (Method::POST, "/messages", Err(Refusal::UnknownPath)),
            (Method::POST, "/v1/responses", responses.clone()),
            (Method::POST, "/responses", responses),
            (Method::GET, "/v1/responses/resp_1", Err(Refusal::NothingKept)),
            (Method::POST, "/responses/resp_1/cancel", Err(Refusal::NothingKept)),
            (Method::GET, "/v1/models", Ok(Wanted::Models(None, false))),
            (Method::HEAD, "/models", Ok(Wanted::Models(None, false))),
            (
                Method::GET,
                "/v1/models/org/name",
                Ok(Wanted::Models(Some("org/name"), false)),
            ),
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
            assert_eq!(recognise(&method, path, None), expected, "{method} {path}");
        }
    }

    #[test]
    fn the_name_of_a_model_in_a_path_is_decoded() {
        let named = |path| match recognise(&Method::POST, path, None) {
            Ok(Wanted::Call(
                ClientDialect::Chat,
                operation,
                InPath {
                    model, stream: None, ..
                },
            )) => Some((operation, model.unwrap_or_default().into_owned())),
            _ => None,
        };
        let chat = |name: &str| Some((Operation::Generate, name.to_owned()));
        for (path, expected) in [
            ("/openai/deployments/gpt-4o/chat/completions", chat("gpt-4o")),
            ("/openai/deployments/org/name/chat/completions", chat("org/name")),
            ("/openai/deployments/org%2Fna%20me/chat/completions", chat("org/na me")),
            ("/openai/deployments/%E2%82/chat/completions", None),
            ("/openai/deployments//chat/completions", None),
            (
                "/openai/deployments/a/completions",
                Some((Operation::Completions, "a".to_owned())),
            ),
            (
                "/openai/deployments/a/embeddings",
                Some((Operation::Embeddings, "a".to_owned())),
            ),
        ] {
            assert_eq!(named(path), expected, "{path}");
        }
    }

    #[test]
    fn google_s_paths_say_what_is_asked_of_whom_and_how() {
        let call = |method, path, query| match recognise(&method, path, query) {
            Ok(Wanted::Call(ClientDialect::Gemini, Operation::Generate, path)) => {
                format!(
                    "{:?} {:?} {:?}",
                    path.model.unwrap_or_default(),
                    path.stream,
                    path.framing
                )
            }
            other => format!("{other:?}"),
        };
        for (method, path, query, expected) in [
            (
                Method::POST,
                "/v1beta/models/g:generateContent",
                None,
                r#""g" Some(false) Array"#,
            ),
            (
                Method::POST,
                "/v1/models/org%2Fname:8b:streamGenerateContent",
                Some("key=k&alt=sse"),
                r#""org/name:8b" Some(true) Events"#,
            ),
            (Method::GET, "/v1beta/models", None, "Ok(Models(None, true))"),
            (
                Method::GET,
                "/v1beta/models/a:8b",
                None,
                r#"Ok(Models(Some("a:8b"), true))"#,
            ),
            (
                Method::GET,
                "/v1/models/a:8b",
                None,
                r#"Ok(Models(Some("a:8b"), false))"#,
            ),
            (
                Method::POST,
                "/v1beta/models/:generateContent",
                None,
                "Err(UnknownPath)",
            ),
            (
                Method::POST,
                "/v1beta/models/g:predict",
                None,
                r#"Err(NotServed { method: "predict" })"#,
            ),
            (
                Method::POST,
                "/v1beta/models/g:countTokens",
                None,
                r#"Ok(Call(Gemini, CountTokens, InPath { model: Some("g"), stream: Some(false), framing: Array, ranking: Common }))"#,
            ),
            (
                Method::POST,
                "/v1beta/models/g:embedContent",
                None,
                r#"Ok(Call(Gemini, EmbedOne, InPath { model: Some("g"), stream: Some(false), framing: Array, ranking: Common }))"#,
            ),
            (
                Method::POST,
                "/v1beta/models/g:batchEmbedContents",
                None,
                r#"Ok(Call(Gemini, Embeddings, InPath { model: Some("g"), stream: Some(false), framing: Array, ranking: Common }))"#,
            ),
            (
                Method::GET,
                "/v1beta/models/g:generateContent",
                None,
                r#"Err(WrongMethod { allow: "POST" })"#,
            ),
        ] {
            assert_eq!(call(method, path, query), expected, "{path}");
        }
        for (path, expected) in [
            ("/v1beta/models", ClientDialect::Gemini),
            ("/v1beta", ClientDialect::Chat),
            ("/v1/models/g:countTokens", ClientDialect::Gemini),
            ("/v1/models/a:8b", ClientDialect::Chat),
        ] {
            assert_eq!(error_dialect(path), expected, "{path}");
        }
    }
}
