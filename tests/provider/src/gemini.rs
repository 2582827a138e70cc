//! Google's Gemini API: `generateContent`, whole and streamed, and the list of models.

mod answer;
mod error;
mod prompt;
mod shapes;
mod spelling;
mod turns;
mod validate;
mod vectors;

use self::answer::Generated;
use self::error::Error;
use crate::answer::{Answer, Body, Event};
use crate::builder::Settings;
use crate::cache::PromptCache;
use crate::clock;
use crate::json::{Json, compact};
use crate::ledger::{Bill, Tokens};
use crate::model::{Model, Thinking};
use crate::received::Received;
use crate::reply::{self, compose};
use crate::serve::Provider;
use crate::signature::id;
use crate::step::{Refusal, Style};
use bytes::Bytes;
use serde::Serialize;
use serde_json::json;

const MODELS: &str = "/v1beta/models";
/// The shortest prefix that is cached.
const CACHE_MINIMUM: u64 = 1024;

/// A fake Gemini API.
pub(crate) struct Gemini {
    settings: Settings,
    cache: PromptCache,
}

impl Provider for Gemini {
    fn answer(&self, request: &Received, _style: Style) -> Answer {
        self.answered(request).unwrap_or_else(|error| refusal(&error))
    }

    fn refuse(&self, request: &Received, wanted: Refusal) -> Answer {
        let model = asked_model(request);
        refusal(&match wanted {
            Refusal::Status(status) => error::of_status(status, model),
            Refusal::RateLimited { resets_in } => error::rate_limited(model, resets_in),
            Refusal::SpendLimit => error::spend_limit(model),
            Refusal::ContextOverflow => error::context_overflow(1_048_577, 1_048_576),
            Refusal::UnknownModel => error::unknown_model(model),
        })
    }

    fn error_event(&self, request: &Received, status: u16) -> Bytes {
        let error = error::of_status(status, asked_model(request));
        format!("data: {}\r\n\r\n", error.body()).into()
    }
}

impl Gemini {
    pub(crate) fn new(settings: Settings) -> Gemini {
        Gemini {
            settings,
            cache: PromptCache::default(),
        }
    }

    fn answered(&self, request: &Received) -> Result<Answer, Error> {
        self.admit(request)?;
        let path = request.path();
        let below = path.strip_prefix(MODELS).ok_or_else(error::unknown_path)?;
        match (request.method.as_str(), below.trim_start_matches('/').split_once(':')) {
            ("POST", Some((model, "generateContent"))) => self.generate(request, model, false),
            ("POST", Some((model, "streamGenerateContent"))) => self.generate(request, model, true),
            ("POST", Some((model, "countTokens"))) => self.count(request, model),
            ("POST", Some((model, "embedContent"))) => self.embed(request, model, false),
            ("POST", Some((model, "batchEmbedContents"))) => self.embed(request, model, true),
            ("GET", None) if below.is_empty() => Ok(self.models()),
            _ => Err(error::unknown_path()),
        }
    }

    /// A key in the header or in the query.
    fn admit(&self, request: &Received) -> Result<(), Error> {
        let query = request.target.split_once('?').map_or("", |(_, query)| query);
        let in_query = query.split('&').find_map(|member| member.strip_prefix("key="));
        match request.header("x-goog-api-key").or(in_query) {
            None | Some("") => Err(error::no_key()),
            Some(key) if !self.settings.accepts(key) => Err(error::wrong_key()),
            Some(_) => Ok(()),
        }
    }

    fn generate(&self, request: &Received, name: &str, streams: bool) -> Result<Answer, Error> {
        let model = self.settings.model(name).ok_or_else(|| error::unknown_model(name))?;
        let body: Json = serde_json::from_slice(&request.body).map_err(|error| error::no_json(&error))?;
        let body = spelling::camel_case(&body);
        validate::request(&body, model)?;
        let read = prompt::text(&body);
        if read.tokens > model.context_tokens {
            return Err(error::context_overflow(read.tokens, model.context_tokens));
        }
        let prompt = prompt::of_request(&body, model, self.settings.name_for(model));
        let generated = Generated {
            id: id("", 22, &[&self.settings.name, &request.number.to_string()]),
            model: model.answers_as.clone(),
            blocked: prompt.said.contains(reply::REFUSE),
            reply: compose(&prompt),
            shows_thoughts: prompt::shows_thoughts(&body),
            signs: model.traits.thinking == Thinking::Always,
            measures: body
                .given("generationConfig")
                .is_some_and(|config| config.is_set("responseLogprobs")),
            input: read.tokens,
            cached: self.cache.automatic(&read.text, CACHE_MINIMUM),
        };
        let sse = request.target.contains("alt=sse");
        Ok(Answer {
            status: 200,
            headers: headers(match streams && sse {
                true => "text/event-stream",
                false => "application/json; charset=UTF-8",
            }),
            body: match (streams, sse) {
                (false, _) => Body::Whole(generated.body().into()),
                (true, true) => Body::Events(generated.events()),
                (true, false) => Body::Events(array(&generated)),
            },
            bill: Some(bill(request, model, &generated)),
        })
    }

    /// A conversation, wrapped or bare.
    fn count(&self, request: &Received, name: &str) -> Result<Answer, Error> {
        let model = self.settings.model(name).ok_or_else(|| error::unknown_model(name))?;
        let body: Json = serde_json::from_slice(&request.body).map_err(|error| error::no_json(&error))?;
        let body = spelling::camel_case(&body);
        let inner = vectors::counted(&body, name)?;
        validate::request(&inner, model)?;
        let total = prompt::text(&inner).tokens;
        let details = json!([{"modality": "TEXT", "tokenCount": total}]);
        Ok(plain(
            200,
            compact(&json!({"totalTokens": total, "promptTokensDetails": details})),
        ))
    }

    fn embed(&self, request: &Received, name: &str, batch: bool) -> Result<Answer, Error> {
        let model = self.settings.model(name).ok_or_else(|| error::unknown_model(name))?;
        let body: Json = serde_json::from_slice(&request.body).map_err(|error| error::no_json(&error))?;
        let body = spelling::camel_case(&body);
        let (answer, input) = match batch {
            true => vectors::of_batch(&body, name),
            false => vectors::of_one(&body, name),
        }?;
        let bill = Bill {
            request: request.number,
            model: model.name.clone(),
            whole: Tokens {
                input,
                ..Tokens::default()
            },
            output_made: 0,
        };
        Ok(Answer {
            bill: Some(bill),
            ..plain(200, compact(&answer))
        })
    }

    fn models(&self) -> Answer {
        let models = self.settings.models.iter().map(|model| Listed {
            name: format!("models/{}", model.name),
            version: "001",
            display_name: &model.name,
            input_token_limit: model.context_tokens,
            output_token_limit: model.max_output_tokens,
            supported_generation_methods: ["generateContent", "countTokens"],
        });
        let body = compact(&ModelList {
            models: models.collect(),
        });
        plain(200, body)
    }
}

/// A stream for clients that asked for no events.
fn array(generated: &Generated) -> Vec<Event> {
    let chunks = generated.chunks();
    let last = chunks.len().saturating_sub(1);
    let piece = |(index, (chunk, tokens)): (usize, (String, u64))| {
        let start = if index == 0 { "[" } else { ",\r\n" };
        match index == last {
            true => Event::terminator(format!("{start}{chunk}]")),
            false => Event::content(format!("{start}{chunk}"), tokens),
        }
    };
    chunks.into_iter().enumerate().map(piece).collect()
}

fn refusal(error: &Error) -> Answer {
    plain(error.status, error.body())
}

fn plain(status: u16, body: String) -> Answer {
    Answer {
        status,
        headers: headers("application/json; charset=UTF-8"),
        body: Body::Whole(body.into()),
        bill: None,
    }
}

fn headers(content_type: &str) -> Vec<(String, String)> {
    let date = clock::http_date();
    let headers = [
        ("content-type", content_type),
        ("vary", "Origin, X-Origin, Referer"),
        ("date", &date),
        ("server", "scaffolding on HTTPServer2"),
        ("x-xss-protection", "0"),
        ("x-frame-options", "SAMEORIGIN"),
        ("x-content-type-options", "nosniff"),
        ("server-timing", "gfet4t7; dur=42"),
        ("alt-svc", "h3=\":443\"; ma=2592000"),
    ];
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    headers.map(owned).into()
}

fn asked_model(request: &Received) -> &str {
    let name = request.path().trim_start_matches(MODELS).trim_start_matches('/');
    name.split(':').next().unwrap_or(name)
}

fn bill(request: &Received, model: &Model, generated: &Generated) -> Bill {
    Bill {
        request: request.number,
        model: model.name.clone(),
        whole: Tokens {
            input: generated.input,
            cached_input: generated.cached,
            cache_write_input: 0,
            output: generated.reply.tokens(),
            reasoning: generated.reply.thinking_tokens(),
        },
        output_made: 0,
    }
}

#[derive(Serialize)]
struct ModelList<'a> {
    models: Vec<Listed<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed<'a> {
    name: String,
    version: &'static str,
    display_name: &'a str,
    input_token_limit: u64,
    output_token_limit: u64,
    supported_generation_methods: [&'static str; 2],
}

#[cfg(test)]
mod tests;
