//! Anthropic's API: messages, the counting of tokens, the list of models.

mod answer;
mod error;
mod head;
mod marks;
mod prompt;
mod shapes;
mod stream;
mod thinking;
mod threads;
mod tools;
mod validate;
mod vertex;

use self::answer::Message;
use self::error::Error;
use self::threads::Threads;
use crate::answer::{Answer, Body};
use crate::builder::Settings;
use crate::cache::{Cached, PromptCache};
use crate::json::{Json, compact};
use crate::ledger::{Bill, Tokens};
use crate::model::Model;
use crate::received::Received;
use crate::reply::compose;
use crate::serve::Provider;
use crate::signature::id;
use crate::step::{Refusal, Style};
use bytes::Bytes;
use serde::Serialize;

/// The largest request, in bytes.
const MAX_REQUEST: usize = 32 << 20;
const VERSIONS: &[&str] = &["2023-01-01", "2023-06-01", "2026-10-21"];

/// A fake Anthropic.
pub(crate) struct Anthropic {
    settings: Settings,
    cache: PromptCache,
    threads: Threads,
}

impl Provider for Anthropic {
    fn answer(&self, request: &Received, style: Style) -> Answer {
        self.answered(request, style)
            .unwrap_or_else(|error| self.refusal(request, &error))
    }

    fn refuse(&self, request: &Received, refusal: Refusal) -> Answer {
        let model = asked_model(request);
        let error = match refusal {
            Refusal::Status(status) => error::of_status(status, &model),
            Refusal::RateLimited { .. } => error::rate_limited(),
            Refusal::SpendLimit => error::spend_limit(),
            Refusal::ContextOverflow => error::context_overflow(200_001, 200_000),
            Refusal::UnknownModel => error::unknown_model(&model),
        };
        let mut answer = self.refusal(request, &error);
        if let Refusal::RateLimited { resets_in } = refusal {
            head::limited(&mut answer, resets_in);
        }
        answer
    }

    fn error_event(&self, request: &Received, status: u16) -> Bytes {
        let error = error::of_status(status, &asked_model(request));
        format!(
            "event: error\ndata: {}\n\n",
            error.body(&head::request_id(&self.settings.name, request))
        )
        .into()
    }
}

impl Anthropic {
    pub(crate) fn new(settings: Settings) -> Anthropic {
        Anthropic {
            settings,
            cache: PromptCache::default(),
            threads: Threads::default(),
        }
    }

    fn answered(&self, request: &Received, style: Style) -> Result<Answer, Error> {
        match (request.method.as_str(), request.path()) {
            ("POST", "/v1/messages") => self.messages(request, style),
            ("POST", "/v1/messages/count_tokens") => self.count_tokens(request),
            ("GET", "/v1/models") => self.models(request),
            ("GET", path) if path.starts_with("/v1/models/") => self.model(request),
            ("POST", path) if path.contains(vertex::PUBLISHER) => self.vertex(request, style),
            (_, "/v1/messages" | "/v1/messages/count_tokens" | "/v1/models") => Err(error::wrong_method()),
            _ => Err(error::unknown_path()),
        }
    }

    fn messages(&self, request: &Received, style: Style) -> Result<Answer, Error> {
        self.admit(request)?;
        self.answer_to(request, json(request)?, style)
    }

    fn answer_to(&self, request: &Received, body: Json, style: Style) -> Result<Answer, Error> {
        let opened = self.threads.open(request, body)?;
        let body = &opened.body;
        let model = self.model_of(body)?;
        validate::message(body, &shapes::MESSAGES, model)?;
        let blocks = prompt::blocks(body);
        let input = blocks.iter().map(|block| block.tokens).sum();
        fits(input, body.count_of("max_tokens").unwrap_or(0), model)?;
        let message = Message {
            id: id("msg_01", 22, &[&self.settings.name, &request.number.to_string()]),
            model: model.answers_as.clone(),
            reply: compose(&prompt::of_message(body, model, self.settings.name_for(model))),
            shows_thinking: prompt::shows_thinking(body, model),
            input,
            cached: self.cache.marked(&model.name, &blocks, model.traits.cache_minimum),
            unknown_fields: style.unknown_fields,
        };
        self.threads.hold(&opened, &message.id, message.content());
        let answer = match body.is_set("stream") {
            true => self.streamed(request, &message),
            false => self.plain(request, 200, message.body()),
        };
        Ok(Answer {
            bill: Some(bill(request, model, &message)),
            ..answer
        })
    }

    /// A request whose model its host names elsewhere, once the host has let it in.
    pub(crate) fn hosted(&self, request: &Received, body: Json, model: &str, style: Style) -> Result<Answer, Refused> {
        let Json::Object(mut fields) = body else {
            return Err(Refused::of(&Error::invalid("expected an object")));
        };
        if fields.iter().any(|(name, _)| name == "model") {
            return Err(Refused::of(&Error::invalid("model: Extra inputs are not permitted")));
        }
        fields.insert(0, ("model".to_owned(), Json::Text(model.to_owned())));
        let body = Json::Object(fields)
            .without("anthropic_version")
            .without("anthropic_beta");
        self.answer_to(request, body, style)
            .map_err(|error| Refused::of(&error))
    }

    fn count_tokens(&self, request: &Received) -> Result<Answer, Error> {
        self.admit(request)?;
        let body = json(request)?;
        self.counted(request, body)
    }

    fn models(&self, request: &Received) -> Result<Answer, Error> {
        self.admit(request)?;
        let data: Vec<Listed<'_>> = self.settings.models.iter().map(listed).collect();
        let (first_id, last_id) = (data.first().map(|model| model.id), data.last().map(|model| model.id));
        Ok(self.plain(
            request,
            200,
            compact(&ModelList {
                first_id,
                last_id,
                data,
                has_more: false,
            }),
        ))
    }

    fn model(&self, request: &Received) -> Result<Answer, Error> {
        self.admit(request)?;
        let name = request.path().trim_start_matches("/v1/models/");
        let model = self.settings.model(name).ok_or_else(|| error::unknown_model(name))?;
        Ok(self.plain(request, 200, compact(&listed(model))))
    }

    /// Key, version and size: what is judged before the body is read.
    fn admit(&self, request: &Received) -> Result<(), Error> {
        let bearer = request
            .header("authorization")
            .and_then(|value| value.strip_prefix("Bearer "))
            .map(str::trim);
        match (request.header("x-api-key").map(str::trim), bearer) {
            (None | Some(""), None | Some("")) => return Err(error::no_key()),
            (Some(key), _) if !key.is_empty() && !self.settings.accepts(key) => return Err(error::wrong_key()),
            (None | Some(""), Some(token)) if !self.settings.accepts(token) => return Err(error::wrong_token()),
            _ => {}
        }
        match request.header("anthropic-version") {
            None => return Err(Error::invalid("anthropic-version: header is required")),
            Some(version) if !VERSIONS.contains(&version) => {
                return Err(Error::invalid(format!(
                    "anthropic-version: \"{version}\" is not a valid version"
                )));
            }
            Some(_) => {}
        }
        match request.body.len() > MAX_REQUEST {
            true => Err(error::of_status(413, "")),
            false => Ok(()),
        }
    }

    fn model_of(&self, body: &Json) -> Result<&Model, Error> {
        match body.get("model") {
            None => Err(Error::invalid("model: Field required")),
            Some(Json::Text(name)) => self.settings.model(name).ok_or_else(|| error::unknown_model(name)),
            Some(_) => Err(Error::invalid("model: Input should be a valid string")),
        }
    }

    fn refusal(&self, request: &Received, error: &Error) -> Answer {
        let mut answer = self.plain(
            request,
            error.status,
            error.body(&head::request_id(&self.settings.name, request)),
        );
        let retry = matches!(error.status, 408 | 409 | 429 | 500..) && error.message != error::spend_limit().message;
        answer.set_header("x-should-retry", if retry { "true" } else { "false" });
        answer
    }

    fn plain(&self, request: &Received, status: u16, body: String) -> Answer {
        let headers = head::headers(&self.settings.name, request, "application/json");
        Answer {
            status,
            headers,
            body: Body::Whole(body.into()),
            bill: None,
        }
    }

    fn streamed(&self, request: &Received, message: &Message) -> Answer {
        let mut headers = head::headers(&self.settings.name, request, "text/event-stream; charset=utf-8");
        headers.insert(2, ("cache-control".to_owned(), "no-cache".to_owned()));
        Answer {
            status: 200,
            headers,
            body: Body::Events(stream::events(message)),
            bill: None,
        }
    }
}

/// What a host says in its own words.
pub(crate) struct Refused {
    pub(crate) status: u16,
    pub(crate) message: String,
}

impl Refused {
    fn of(error: &Error) -> Refused {
        Refused {
            status: error.status,
            message: error.message.clone(),
        }
    }
}

fn json(request: &Received) -> Result<Json, Error> {
    let invalid = |why: String| Error::invalid(format!("The request body is not valid JSON: {why}"));
    match serde_json::from_slice(&request.body) {
        Ok(json @ Json::Object(_)) => Ok(json),
        Ok(_) => Err(invalid("expected an object".to_owned())),
        Err(error) => Err(invalid(error.to_string())),
    }
}

fn asked_model(request: &Received) -> String {
    let body: Option<Json> = serde_json::from_slice(&request.body).ok();
    body.as_ref()
        .and_then(|body| body.text_of("model"))
        .unwrap_or("unknown")
        .to_owned()
}

fn fits(input: u64, output: u64, model: &Model) -> Result<(), Error> {
    let limit = model.context_tokens;
    if input > limit {
        return Err(error::context_overflow(input, limit));
    }
    if input + output > limit {
        return Err(Error::invalid(format!(
            "input length and `max_tokens` exceed context limit: {input} + {output} > {limit}, decrease input length or \
             `max_tokens` and try again"
        )));
    }
    Ok(())
}

fn bill(request: &Received, model: &Model, message: &Message) -> Bill {
    let Cached { read, .. } = message.cached;
    let whole = Tokens {
        input: message.input,
        cached_input: read,
        cache_write_input: message.cached.written(),
        output: message.reply.tokens(),
        reasoning: message.reply.thinking_tokens(),
    };
    Bill {
        request: request.number,
        model: model.name.clone(),
        whole,
        output_made: 0,
    }
}

#[derive(Serialize)]
struct Count {
    input_tokens: u64,
}

#[derive(Serialize)]
struct ModelList<'a> {
    data: Vec<Listed<'a>>,
    first_id: Option<&'a str>,
    has_more: bool,
    last_id: Option<&'a str>,
}

#[derive(Serialize)]
struct Listed<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    id: &'a str,
    display_name: &'a str,
    created_at: &'static str,
    lifecycle: &'static str,
    max_input_tokens: u64,
    max_tokens: u64,
}

fn listed(model: &Model) -> Listed<'_> {
    Listed {
        kind: "model",
        id: &model.name,
        display_name: &model.name,
        created_at: "2025-09-29T00:00:00Z",
        lifecycle: "active",
        max_input_tokens: model.context_tokens,
        max_tokens: model.max_output_tokens,
    }
}

#[cfg(test)]
mod tests;
