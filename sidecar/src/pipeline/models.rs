//! `/v1/models`: what this caller may ask for, in OpenAI's shape, Anthropic's or Gemini's.

use super::authenticate::{Caller, authorise};
use super::respond::Refusal;
use crate::dialect::ClientDialect;
use crate::policy::{Broken, Route, Snapshot};
use http::HeaderMap;
use percent_encoding::percent_decode_str;
use serde::Serialize;

/// The names on offer to this caller, patterns last; the text of a 404's sentence.
pub(super) fn offered(snapshot: &Snapshot, caller: &Caller) -> String {
    let names: Vec<&str> = allowed(snapshot, caller).collect();
    if names.is_empty() {
        "nothing".to_owned()
    } else {
        names.join(", ")
    }
}

fn allowed<'a>(snapshot: &'a Snapshot, caller: &'a Caller) -> impl Iterator<Item = &'a str> {
    snapshot
        .offered()
        .into_iter()
        .filter(|(name, route)| may(caller, name, route))
        .map(|(name, _)| name)
}

/// The same authorisation as a request's. A name that is broken answers with the sentence that says why.
fn may(caller: &Caller, name: &str, route: &Route) -> bool {
    match &route.policy {
        Ok(policy) => authorise(caller, policy, name).is_ok(),
        Err(Broken(_)) => caller.may_ask_for(name),
    }
}

#[derive(Serialize)]
struct OpenAiModel<'a> {
    id: &'a str,
    object: &'static str,
    created: i64,
    owned_by: &'static str,
}

#[derive(Serialize)]
struct OpenAiList<'a> {
    object: &'static str,
    data: Vec<OpenAiModel<'a>>,
}

#[derive(Serialize)]
struct AnthropicModel<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    id: &'a str,
    display_name: &'a str,
    created_at: String,
    /// The SDKs' type demands it.
    lifecycle: &'static str,
}

#[derive(Serialize)]
struct AnthropicList<'a> {
    data: Vec<AnthropicModel<'a>>,
    has_more: bool,
    first_id: Option<&'a str>,
    last_id: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GeminiModel<'a> {
    name: String,
    base_model_id: &'a str,
    version: &'static str,
    display_name: &'a str,
    supported_generation_methods: [&'static str; 2],
}

#[derive(Serialize)]
struct GeminiList<'a> {
    models: Vec<GeminiModel<'a>>,
}

/// Whose SDK reads the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    OpenAi,
    Anthropic,
    Gemini,
}

/// What Google's SDKs send, and nobody else's.
const GOOGLE: [&str; 2] = ["x-goog-api-client", "x-goog-api-key"];

impl Shape {
    /// `google`: the path is one that is only Google's. The other one is everybody's, so headers decide.
    pub(super) fn of(headers: &HeaderMap, google: bool) -> Self {
        match google {
            true => Self::Gemini,
            false if headers.contains_key("anthropic-version") => Self::Anthropic,
            false if GOOGLE.iter().any(|name| headers.contains_key(*name)) => Self::Gemini,
            false => Self::OpenAi,
        }
    }

    /// In whose dialect a refusal is told.
    pub(super) fn dialect(self) -> ClientDialect {
        match self {
            Self::OpenAi => ClientDialect::Chat,
            Self::Anthropic => ClientDialect::Messages,
            Self::Gemini => ClientDialect::Gemini,
        }
    }
}

/// The list, or one model by name. Patterns are no models and are left out of the list, but a name that one of them
/// covers is a model.
pub(super) fn answer(
    snapshot: &Snapshot,
    caller: &Caller,
    shape: Shape,
    name: Option<&str>,
) -> Result<Vec<u8>, Refusal> {
    let Some(name) = name else {
        let names: Vec<&str> = allowed(snapshot, caller).filter(|name| !name.contains('*')).collect();
        return Ok(match shape {
            Shape::OpenAi => json(&openai_list(&names, snapshot)),
            Shape::Anthropic => json(&anthropic_list(&names, snapshot)),
            Shape::Gemini => json(&gemini_list(&names)),
        });
    };
    let name = &*percent_decode_str(name).decode_utf8_lossy();
    if !snapshot.route(name).is_some_and(|route| may(caller, name, route)) {
        return Err(Refusal::UnknownModel {
            model: name.to_owned(),
            offered: offered(snapshot, caller),
        });
    }
    Ok(match shape {
        Shape::OpenAi => json(&openai_model(name, snapshot)),
        Shape::Anthropic => json(&anthropic_model(name, snapshot)),
        Shape::Gemini => json(&gemini_model(name)),
    })
}

fn openai_model<'a>(id: &'a str, snapshot: &Snapshot) -> OpenAiModel<'a> {
    OpenAiModel {
        id,
        object: "model",
        created: snapshot.since,
        owned_by: "pilotfish",
    }
}

fn openai_list<'a>(names: &[&'a str], snapshot: &Snapshot) -> OpenAiList<'a> {
    OpenAiList {
        object: "list",
        data: names.iter().map(|name| openai_model(name, snapshot)).collect(),
    }
}

fn anthropic_model<'a>(id: &'a str, snapshot: &Snapshot) -> AnthropicModel<'a> {
    let created = jiff::Timestamp::from_second(snapshot.since).unwrap_or_default();
    AnthropicModel {
        kind: "model",
        id,
        display_name: id,
        created_at: created.to_string(),
        lifecycle: "active",
    }
}

fn anthropic_list<'a>(names: &[&'a str], snapshot: &Snapshot) -> AnthropicList<'a> {
    AnthropicList {
        data: names.iter().map(|name| anthropic_model(name, snapshot)).collect(),
        has_more: false,
        first_id: names.first().copied(),
        last_id: names.last().copied(),
    }
}

fn gemini_model(name: &str) -> GeminiModel<'_> {
    GeminiModel {
        name: format!("models/{name}"),
        base_model_id: name,
        version: "pilotfish",
        display_name: name,
        supported_generation_methods: ["generateContent", "streamGenerateContent"],
    }
}

fn gemini_list<'a>(names: &[&'a str]) -> GeminiList<'a> {
    GeminiList {
        models: names.iter().map(|name| gemini_model(name)).collect(),
    }
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("plain structs of strings and numbers")
}
