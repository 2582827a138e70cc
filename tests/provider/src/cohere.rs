//! Cohere's own API, version 2: a chat with plans before calls, thinking in blocks of its own and named events;
//! embeddings and rankings.

mod answer;
mod prompt;
mod schema;
mod search;
mod shapes;
mod validate;

use self::answer::Message;
pub(crate) use self::search::{ranking, text};
use crate::answer::{Answer, Body};
use crate::builder::Settings;
use crate::clock;
use crate::json::{Json, compact};
use crate::ledger::{Bill, Tokens};
use crate::model::Model;
use crate::received::Received;
use crate::reply::compose;
use crate::serve::Provider;
use crate::shape;
use crate::step::{Refusal, Style};
use bytes::Bytes;
use serde_json::json;

/// A fake Cohere.
pub(crate) struct Cohere {
    settings: Settings,
}

/// A status and a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Error(u16, String);

impl Provider for Cohere {
    fn answer(&self, request: &Received, _style: Style) -> Answer {
        self.answered(request).unwrap_or_else(|error| refusal(&error))
    }

    fn refuse(&self, _request: &Received, refusal: Refusal) -> Answer {
        self::refusal(&match refusal {
            Refusal::Status(status) => of_status(status),
            Refusal::RateLimited { .. } => of_status(429),
            Refusal::SpendLimit => of_status(402),
            Refusal::ContextOverflow => overflow(0),
            Refusal::UnknownModel => not_found("unknown"),
        })
    }

    /// Its last event says it.
    fn error_event(&self, _request: &Received, status: u16) -> Bytes {
        let Error(_, message) = of_status(status);
        let delta = json!({"finish_reason": if status == 504 { "TIMEOUT" } else { "ERROR" }, "error": message});
        answer::frame(&json!({"type": "message-end", "delta": delta})).into()
    }
}

impl Cohere {
    pub(crate) fn new(settings: Settings) -> Cohere {
        Cohere { settings }
    }

    fn answered(&self, request: &Received) -> Result<Answer, Error> {
        self.admit(request)?;
        let body: Json = serde_json::from_slice(&request.body)
            .map_err(|_| Error(400, "invalid request: the body is not valid JSON".to_owned()))?;
        match (request.method.as_str(), request.path()) {
            ("POST", "/v2/chat") => self.chat(request, &body),
            ("POST", "/v2/embed") => self.other(request, &body, &shapes::EMBED, search::embedded),
            ("POST", "/v2/rerank") => self.other(request, &body, &shapes::RERANK, search::ranked),
            (method, path) => Err(Error(404, format!("{method} {path} is not found"))),
        }
    }

    fn chat(&self, request: &Received, body: &Json) -> Result<Answer, Error> {
        shapes::check(body, &shapes::CHAT)?;
        let name = body.text_of("model").unwrap_or_default();
        let model = self.settings.model(name).ok_or_else(|| not_found(name))?;
        validate::chat(body, &model.name)?;
        let prompt = prompt::of_chat(body, model, self.settings.name_for(model));
        let input = prompt::tokens(body);
        if input > model.context_tokens {
            return Err(overflow(input));
        }
        let message = Message {
            number: request.number,
            reply: compose(&prompt),
            input,
        };
        let (kind, answered) = match body.is_set("stream") {
            true => ("text/event-stream", Body::Events(message.events())),
            false => ("application/json", Body::Whole(message.body().into())),
        };
        Ok(Answer {
            status: 200,
            headers: headers(kind),
            body: answered,
            bill: Some(bill(request, model, &message)),
        })
    }

    /// What is no chat: an answer, and the tokens it costs.
    fn other(
        &self,
        request: &Received,
        body: &Json,
        shape: &'static shape::Shape,
        answer: impl Fn(&Json) -> (serde_json::Value, u64),
    ) -> Result<Answer, Error> {
        shapes::check(body, shape)?;
        let name = body.text_of("model").unwrap_or_default();
        let model = self.settings.model(name).ok_or_else(|| not_found(name))?;
        let (answered, input) = answer(body);
        Ok(Answer {
            status: 200,
            headers: headers("application/json"),
            body: Body::Whole(compact(&answered).into()),
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
        match key {
            None => Err(Error(401, "no api key supplied".to_owned())),
            Some(key) if self.settings.accepts(key) => Ok(()),
            Some(_) => Err(Error(401, "invalid api token".to_owned())),
        }
    }
}

fn not_found(model: &str) -> Error {
    let sentence = format!(
        "model '{model}' not found, make sure the correct model ID was used and that you have access to the model."
    );
    Error(404, sentence)
}

fn overflow(received: u64) -> Error {
    let sentence = format!(
        "too many tokens: total number of tokens in the prompt cannot exceed the model's limit - received {received}."
    );
    Error(400, sentence)
}

fn of_status(status: u16) -> Error {
    let message = match status {
        400 => "invalid request: the request is not valid",
        401 => "invalid api token",
        402 => "your billing limit is reached; the spend limit of this account must be raised",
        429 => "You are past the per minute request limit, please wait and try again later.",
        503 => "service unavailable",
        _ => "internal server error, this has been reported to our developers",
    };
    Error(status, message.to_owned())
}

fn refusal(error: &Error) -> Answer {
    let body = json!({"id": "6f4d8f2e-0d0a-4b52-b9b6-0f0e7a1c2b3d", "message": error.1});
    Answer {
        status: error.0,
        headers: headers("application/json"),
        body: Body::Whole(compact(&body).into()),
        bill: None,
    }
}

fn headers(kind: &str) -> Vec<(String, String)> {
    let served = [("content-type", kind.to_owned()), ("date", clock::http_date())];
    served.map(|(name, value)| (name.to_owned(), value)).into()
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
