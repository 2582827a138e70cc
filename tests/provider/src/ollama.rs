//! Ollama's own API, as far as a chat goes: options, thinking, tools without ids, lines of JSON.

mod answer;
mod prompt;
mod validate;

use self::answer::Message;
use crate::answer::{Answer, Body};
use crate::builder::Settings;
use crate::clock;
use crate::json::{Json, compact};
use crate::ledger::{Bill, Tokens};
use crate::model::Model;
use crate::received::Received;
use crate::reply::compose;
use crate::serve::Provider;
use crate::step::{Refusal, Style};
use crate::{tokens, vector};
use bytes::Bytes;
use serde_json::json;

/// What nomic-embed-text answers unless told otherwise.
const DIMENSIONS: usize = 768;

/// A fake Ollama. With keys it is Ollama's cloud, which takes one as a Bearer.
pub(crate) struct Ollama {
    settings: Settings,
}

/// A status and a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Error(u16, String);

impl Provider for Ollama {
    fn answer(&self, request: &Received, _style: Style) -> Answer {
        self.answered(request).unwrap_or_else(|error| refusal(&error))
    }

    fn refuse(&self, _request: &Received, refusal: Refusal) -> Answer {
        self::refusal(&match refusal {
            Refusal::Status(status) => of_status(status),
            Refusal::RateLimited { .. } | Refusal::SpendLimit => of_status(429),
            Refusal::ContextOverflow => overflow(),
            Refusal::UnknownModel => not_found("unknown"),
        })
    }

    fn error_event(&self, _request: &Received, status: u16) -> Bytes {
        format!("{}\n", said(&of_status(status))).into()
    }
}

impl Ollama {
    pub(crate) fn new(settings: Settings) -> Ollama {
        Ollama { settings }
    }

    fn answered(&self, request: &Received) -> Result<Answer, Error> {
        match (request.method.as_str(), request.path()) {
            ("POST", "/api/chat") => {}
            ("POST", "/api/embed") => return self.embedded(request),
            _ => return Err(Error(404, "404 page not found".to_owned())),
        }
        self.admit(request)?;
        let body: Json =
            serde_json::from_slice(&request.body).map_err(|_| Error(400, "invalid JSON in the body".to_owned()))?;
        let name = body.text_of("model").unwrap_or_default();
        let model = self.settings.model(name).ok_or_else(|| not_found(name))?;
        validate::chat(&body, model)?;
        let prompt = prompt::of_chat(&body, model, self.settings.name_for(model));
        let input = prompt::tokens(&body);
        if input > model.context_tokens {
            return Err(overflow());
        }
        let message = Message {
            model: model.name.clone(),
            reply: compose(&prompt),
            input,
        };
        // It streams unless told not to.
        let streams = body.get("stream") != Some(&Json::Bool(false));
        let (kind, answered) = match streams {
            true => ("application/x-ndjson", Body::Events(message.lines())),
            false => ("application/json; charset=utf-8", Body::Whole(message.body().into())),
        };
        Ok(Answer {
            status: 200,
            headers: headers(kind),
            body: answered,
            bill: Some(bill(request, model, &message)),
        })
    }

    fn embedded(&self, request: &Received) -> Result<Answer, Error> {
        self.admit(request)?;
        let body: Json =
            serde_json::from_slice(&request.body).map_err(|_| Error(400, "invalid JSON in the body".to_owned()))?;
        let name = body.text_of("model").unwrap_or_default();
        let model = self.settings.model(name).ok_or_else(|| not_found(name))?;
        validate::embed(&body)?;
        let input = body.get("input");
        let texts: Vec<&str> = match input.and_then(Json::text) {
            Some(text) => vec![text],
            None => body.list_of("input").iter().filter_map(Json::text).collect(),
        };
        let size = body.count_of("dimensions").and_then(|size| usize::try_from(size).ok());
        let vectors: Vec<_> = texts
            .iter()
            .map(|text| vector::of(text, size.unwrap_or(DIMENSIONS)))
            .collect();
        let input = texts.iter().map(|text| tokens::count(text)).sum();
        let answer = json!({"model": name, "embeddings": vectors, "total_duration": 1_000_000,
            "load_duration": 1_000, "prompt_eval_count": input});
        Ok(Answer {
            status: 200,
            headers: headers("application/json; charset=utf-8"),
            body: Body::Whole(compact(&answer).into()),
            bill: Some(Bill {
                request: request.number,
                model: model.name.clone(),
                whole: Tokens {
                    input,
                    ..Tokens::default()
                },
                output_made: 0,
            }),
        })
    }

    fn admit(&self, request: &Received) -> Result<(), Error> {
        let key = request
            .header("authorization")
            .and_then(|value| value.strip_prefix("Bearer "));
        match self.settings.keys.is_empty() || key.is_some_and(|key| self.settings.accepts(key)) {
            true => Ok(()),
            false => Err(Error(401, "unauthorized".to_owned())),
        }
    }
}

fn not_found(model: &str) -> Error {
    Error(404, format!("model '{model}' not found"))
}

fn overflow() -> Error {
    Error(
        400,
        "the input length exceeds the context length; it exceeds the available context size".to_owned(),
    )
}

fn of_status(status: u16) -> Error {
    let message = match status {
        400 => "invalid request",
        401 => "unauthorized",
        429 => "too many requests",
        503 => "server busy, please try again. maximum pending requests exceeded",
        _ => "an error was encountered while running the model",
    };
    Error(status, message.to_owned())
}

fn said(error: &Error) -> String {
    compact(&json!({"error": error.1}))
}

fn refusal(error: &Error) -> Answer {
    Answer {
        status: error.0,
        headers: headers("application/json; charset=utf-8"),
        body: Body::Whole(said(error).into()),
        bill: None,
    }
}

fn headers(kind: &str) -> Vec<(String, String)> {
    [("content-type", kind.to_owned()), ("date", clock::http_date())]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
}

fn bill(request: &Received, model: &Model, message: &Message) -> Bill {
    let whole = Tokens {
        input: message.input,
        output: message.reply.tokens(),
        reasoning: message.reply.thinking_tokens(),
        ..Tokens::default()
    };
    Bill {
        request: request.number,
        model: model.name.clone(),
        whole,
        output_made: 0,
    }
}

#[cfg(test)]
mod tests;
