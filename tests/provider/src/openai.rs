//! OpenAI's API: chat completions, responses, embeddings, the list of models.

mod answer;
mod completions;
mod conversation;
mod embeddings;
mod error;
mod head;
mod mistral;
mod prompt;
mod responses;
mod shapes;
mod stream;
mod strict;
mod validate;

use self::answer::Completion;
pub(crate) use self::answer::ReasoningField;
use self::error::Error;
use crate::answer::{Answer, Body};
use crate::builder::Settings;
use crate::cache::PromptCache;
use crate::clock;
use crate::json::Json;
use crate::ledger::{Bill, Tokens};
use crate::model::Model;
use crate::received::Received;
use crate::reply::{Reply, compose};
use crate::serve::Provider;
use crate::signature::id;
use crate::step::{Refusal, Style};
use bytes::Bytes;
use serde::Serialize;

pub(crate) const ORGANIZATION: &str = "org-pilotfish";

/// A fake OpenAI.
pub(crate) struct OpenAi {
    settings: Settings,
    cache: PromptCache,
}

impl Provider for OpenAi {
    fn answer(&self, request: &Received, style: Style) -> Answer {
        self.answered(request, style)
            .unwrap_or_else(|error| self.refusal(request, &error))
    }

    fn refuse(&self, request: &Received, refusal: Refusal) -> Answer {
        let model = asked_model(request);
        let error = match refusal {
            Refusal::Status(status) => error::of_status(status, &model),
            Refusal::RateLimited { resets_in } => error::rate_limited(&model, resets_in.as_secs_f64()),
            Refusal::SpendLimit => error::spend_limit(),
            Refusal::ContextOverflow => error::context_overflow(128_000, 128_001),
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
        match request.path() {
            "/v1/responses" => responses::error_event(&error),
            _ => format!("data: {}\n\n", error.line()).into(),
        }
    }
}

impl OpenAi {
    pub(crate) fn new(settings: Settings) -> OpenAi {
        OpenAi {
            settings,
            cache: PromptCache::default(),
        }
    }

    fn answered(&self, request: &Received, style: Style) -> Result<Answer, Error> {
        match (request.method.as_str(), request.path()) {
            ("POST", "/v1/chat/completions") => self.chat(request, style),
            ("POST", "/v1/responses") => self.respond(request, style),
            ("POST", "/v1/embeddings") => self.embeddings(request),
            ("POST", "/v1/completions") => self.completions(request),
            ("POST", "/v1/rerank") => self.rerank(request),
            ("GET", "/v1/models") => self.models(request),
            ("GET", path) if path.starts_with("/v1/models/") => self.model(request),
            (method, path @ ("/v1/chat/completions" | "/v1/responses" | "/v1/embeddings" | "/v1/models")) => {
                Err(error::wrong_method(method, path))
            }
            (method, path) => Err(error::unknown_url(method, path)),
        }
    }

    fn chat(&self, request: &Received, style: Style) -> Result<Answer, Error> {
        self.authenticate(request)?;
        let body = json(request)?;
        if self.settings.demands_reasoning {
            conversation::reasoned(&body)?;
        }
        let body = self.own_reasoning_taken_back(body);
        let model = self.model_of(&body)?;
        let body = match self.settings.is_mistral {
            true => mistral::check(&body)?,
            false => body,
        };
        if self.settings.refuses_stream_options && body.get("stream_options").is_some() {
            let sentence = "json: unknown field \"stream_options\"";
            return Err(Error::new(400, "BAD_REQUEST", sentence));
        }
        validate::chat(&body, model)?;
        let completion = self.complete(request, &body, model, style)?;
        let answer = match body.is_set("stream") {
            true => self.streamed(request, &completion, options(&body, style, self.settings.is_mistral)),
            false => self.plain(request, 200, completion.body()),
        };
        Ok(Answer {
            bill: Some(bill(request, model, completion.tokens)),
            ..answer
        })
    }

    /// Runs the model, if the prompt fits it.
    fn complete(&self, request: &Received, body: &Json, model: &Model, style: Style) -> Result<Completion, Error> {
        let text = prompt::text(body);
        let room = model
            .context_tokens
            .saturating_sub(prompt::max_tokens(body).unwrap_or(0));
        if text.tokens > room {
            return Err(error::context_overflow(model.context_tokens, text.tokens));
        }
        let thinks = self.thinks(body, model);
        let reply = compose(&prompt::of_chat(body, model, self.settings.name_for(model), thinks));
        let cached = self
            .cache
            .automatic(&format!("{}\n{}", model.name, text.text), model.traits.cache_minimum);
        let choices = body.count_of("n").and_then(|n| usize::try_from(n).ok()).unwrap_or(1);
        Ok(Completion {
            id: id("chatcmpl-", 29, &[&self.settings.name, &request.number.to_string()]),
            created: clock::seconds(),
            model: model.answers_as.clone(),
            service_tier: tier(body).to_owned(),
            tokens: tokens(&reply, text.tokens, cached, choices),
            reply,
            choices,
            logprobs: body.is_set("logprobs"),
            reasoning_field: self.settings.reasoning_field,
            unknown_fields: style.unknown_fields,
        })
    }

    /// A reasoning model unless told not to; a compatible server's model when asked.
    fn thinks(&self, body: &Json, model: &Model) -> bool {
        match body.text_of("reasoning_effort") {
            Some(effort) => effort != "none",
            None => model.traits.reasons || self.settings.reasoning_field.is_some(),
        }
    }

    fn embeddings(&self, request: &Received) -> Result<Answer, Error> {
        self.authenticate(request)?;
        let body = json(request)?;
        let model = self.model_of(&body)?;
        embeddings::validate(&body, model)?;
        let (text, input) = embeddings::body(&body, model);
        let tokens = Tokens {
            input,
            ..Tokens::default()
        };
        Ok(Answer {
            bill: Some(bill(request, model, tokens)),
            ..self.plain(request, 200, text)
        })
    }

    fn completions(&self, request: &Received) -> Result<Answer, Error> {
        self.authenticate(request)?;
        let body = json(request)?;
        let model = self.model_of(&body)?;
        let completed = completions::complete(&body, model)?;
        let tokens = Tokens {
            input: completed.input,
            output: completed.output(),
            ..Tokens::default()
        };
        let answer = match body.is_set("stream") {
            true => Answer {
                status: 200,
                headers: head::headers(&self.settings.name, request, "text/event-stream; charset=utf-8"),
                body: Body::Events(completed.events()),
                bill: None,
            },
            false => self.plain(request, 200, completed.body()),
        };
        Ok(Answer {
            bill: Some(bill(request, model, tokens)),
            ..answer
        })
    }

    fn rerank(&self, request: &Received) -> Result<Answer, Error> {
        self.authenticate(request)?;
        let body = json(request)?;
        let model = self.model_of(&body)?;
        let (text, input) = completions::rank(&body)?;
        let tokens = Tokens {
            input,
            ..Tokens::default()
        };
        Ok(Answer {
            bill: Some(bill(request, model, tokens)),
            ..self.plain(request, 200, text)
        })
    }

    fn models(&self, request: &Received) -> Result<Answer, Error> {
        self.authenticate(request)?;
        let data = self.settings.models.iter().map(listed).collect();
        Ok(self.plain(request, 200, pretty(&ModelList { object: "list", data })))
    }

    fn model(&self, request: &Received) -> Result<Answer, Error> {
        self.authenticate(request)?;
        let name = request.path().trim_start_matches("/v1/models/");
        let model = self.settings.model(name).ok_or_else(|| error::unknown_model(name))?;
        Ok(self.plain(request, 200, pretty(&listed(model))))
    }

    fn authenticate(&self, request: &Received) -> Result<(), Error> {
        let key = request
            .header("authorization")
            .and_then(|value| value.strip_prefix("Bearer "))
            .map(str::trim);
        match key {
            None | Some("") => Err(error::no_key()),
            Some(key) if self.settings.accepts(key) => Ok(()),
            Some(key) => Err(error::wrong_key(key)),
        }
    }

    /// A server that shows its reasoning takes it back and, as DeepSeek does, leaves it out of the prompt.
    fn own_reasoning_taken_back(&self, body: Json) -> Json {
        let (Some(field), Json::Object(fields)) = (self.settings.reasoning_field, &body) else {
            return body;
        };
        let without = |messages: &Json| match messages {
            Json::List(list) => Json::List(list.iter().map(|message| message.without(field.name())).collect()),
            other => other.clone(),
        };
        let fields = fields.iter().map(|(key, value)| {
            let value = if key == "messages" {
                without(value)
            } else {
                value.clone()
            };
            (key.clone(), value)
        });
        Json::Object(fields.collect())
    }

    fn model_of(&self, body: &Json) -> Result<&Model, Error> {
        let Some(name) = body.text_of("model") else {
            return Err(Error::new(
                400,
                "invalid_request_error",
                "you must provide a model parameter",
            ));
        };
        self.settings.model(name).ok_or_else(|| error::unknown_model(name))
    }

    fn refusal(&self, request: &Received, error: &Error) -> Answer {
        let body = match self.settings.is_mistral {
            true => mistral::body(error),
            false => error.body(),
        };
        self.plain(request, error.status, body)
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

    fn streamed(&self, request: &Received, completion: &Completion, options: stream::Options) -> Answer {
        let headers = head::headers(&self.settings.name, request, "text/event-stream; charset=utf-8");
        Answer {
            status: 200,
            headers,
            body: Body::Events(stream::events(completion, options)),
            bill: None,
        }
    }
}

/// JSON as the API writes it: two spaces, and a line feed at the end.
fn pretty(value: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(value);
    text.expect("our own shapes have string keys and no failing serializer") + "\n"
}

fn json(request: &Received) -> Result<Json, Error> {
    let kind = request.header("content-type").unwrap_or_default();
    if !kind
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .eq_ignore_ascii_case("application/json")
    {
        let sentence = format!(
            "Unsupported content type: '{kind}'. This API method only accepts 'application/json' requests, but you \
             specified the header 'Content-Type: {kind}'. Please try again with a supported content type."
        );
        return Err(Error::new(400, "invalid_request_error", sentence).code("unsupported_content_type"));
    }
    match serde_json::from_slice(&request.body) {
        Ok(json @ Json::Object(_)) => Ok(json),
        _ => Err(error::unparsable()),
    }
}

fn asked_model(request: &Received) -> String {
    let body: Option<Json> = serde_json::from_slice(&request.body).ok();
    body.as_ref()
        .and_then(|body| body.text_of("model"))
        .unwrap_or("unknown")
        .to_owned()
}

/// `counts`: usage is told without being asked for.
fn options(body: &Json, style: Style, counts: bool) -> stream::Options {
    let asked = |key: &str| body.get("stream_options").and_then(|options| options.get(key));
    stream::Options {
        include_usage: counts || asked("include_usage") == Some(&Json::Bool(true)),
        obfuscation: asked("include_obfuscation") != Some(&Json::Bool(false)),
        interleaved: style.interleaved,
        usage_everywhere: style.usage_everywhere,
    }
}

fn tier(body: &Json) -> &str {
    body.text_of("service_tier")
        .filter(|tier| *tier != "auto")
        .unwrap_or("default")
}

fn tokens(reply: &Reply, input: u64, cached_input: u64, choices: usize) -> Tokens {
    let choices = choices as u64;
    let (output, reasoning) = (reply.tokens() * choices, reply.thinking_tokens() * choices);
    Tokens {
        input,
        cached_input,
        cache_write_input: 0,
        output,
        reasoning,
    }
}

fn bill(request: &Received, model: &Model, tokens: Tokens) -> Bill {
    Bill {
        request: request.number,
        model: model.name.clone(),
        whole: tokens,
        output_made: 0,
    }
}

#[derive(Serialize)]
struct ModelList<'a> {
    object: &'static str,
    data: Vec<Listed<'a>>,
}

#[derive(Serialize)]
struct Listed<'a> {
    id: &'a str,
    object: &'static str,
    created: i64,
    owned_by: &'static str,
}

fn listed(model: &Model) -> Listed<'_> {
    Listed {
        id: &model.name,
        object: "model",
        created: 1_715_367_049,
        owned_by: "system",
    }
}

#[cfg(test)]
mod tests;
