//! Amazon Bedrock's runtime, as far as Converse and Anthropic's models go: signatures and API keys, answers whole and as an event stream.

mod answer;
mod error;
mod frame;
mod invoke;
mod prompt;
mod shapes;
mod signed;
mod stream;
mod validate;

use self::answer::Message;
use self::error::Error;
use crate::answer::{Answer, Body};
use crate::anthropic::Anthropic;
use crate::builder::Settings;
use crate::cache::PromptCache;
use crate::clock;
use crate::json::Json;
use crate::ledger::{Bill, Tokens};
use crate::model::Model;
use crate::received::Received;
use crate::reply::compose;
use crate::serve::Provider;
use crate::signature::id;
use crate::step::{Refusal, Style};
use bytes::Bytes;

/// What a path asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Converse { streams: bool },
    Invoke { streams: bool },
    Count,
}

/// The largest request, in bytes.
const MAX_REQUEST: usize = 25 << 20;

/// A fake Bedrock. A key `id:secret` is a pair that signs; any other is an API key.
pub(crate) struct Bedrock {
    /// Whose models are invoked in its own dialect.
    anthropic: Anthropic,
    settings: Settings,
    cache: PromptCache,
}

impl Provider for Bedrock {
    fn answer(&self, request: &Received, style: Style) -> Answer {
        self.answered(request, style)
            .unwrap_or_else(|error| self.refusal(request, &error))
    }

    fn refuse(&self, request: &Received, refusal: Refusal) -> Answer {
        let error = match refusal {
            Refusal::Status(status) => error::of_status(status),
            Refusal::RateLimited { .. } => error::of_status(429),
            Refusal::SpendLimit => error::quota(),
            Refusal::ContextOverflow => error::context_overflow(),
            Refusal::UnknownModel => error::unknown_model(),
        };
        self.refusal(request, &error)
    }

    fn error_event(&self, _request: &Received, status: u16) -> Bytes {
        let error = error::of_status(status);
        frame::exception(error.kind, &error.body()).into()
    }
}

impl Bedrock {
    pub(crate) fn new(settings: Settings) -> Bedrock {
        Bedrock {
            anthropic: Anthropic::new(settings.clone()),
            settings,
            cache: PromptCache::default(),
        }
    }

    fn answered(&self, request: &Received, style: Style) -> Result<Answer, Error> {
        if request.path().starts_with(invoke::NATIVE) {
            return self.native(request, style);
        }
        signed::admit(request, &self.settings.keys)?;
        let (model, call) = self.asked(request)?;
        if request.body.len() > MAX_REQUEST {
            return Err(Error::invalid("Request body is too large"));
        }
        let body: Json = serde_json::from_slice(&request.body)
            .map_err(|_| Error::new(400, "SerializationException", "The request body is not valid JSON"))?;
        let streams = match call {
            Call::Converse { streams } => streams,
            Call::Count => return self.counted(request, &body, model),
            Call::Invoke { streams } => return self.invoked(request, body, &model.name, streams, style),
        };
        validate::request(&body, model)?;
        let blocks = prompt::blocks(&body);
        let input: u64 = blocks.iter().map(|block| block.tokens).sum();
        if input > model.context_tokens {
            return Err(error::context_overflow());
        }
        let message = Message {
            id: id("tooluse_", 22, &[&self.settings.name, &request.number.to_string()]),
            reply: compose(&prompt::of_request(&body, model, self.settings.name_for(model))),
            input,
            tells_sequence: body
                .list_of("additionalModelResponseFieldPaths")
                .iter()
                .any(|path| path.text() == Some("/stop_sequence")),
            cached: self.cache.marked(&model.name, &blocks, model.traits.cache_minimum),
        };
        let answer = match streams {
            true => self.streamed(request, &message),
            false => self.plain(request, 200, message.body()),
        };
        Ok(Answer {
            bill: Some(bill(request, model, &message)),
            ..answer
        })
    }

    /// The tokens of a Converse request, which only Claude's counts.
    fn counted(&self, request: &Received, body: &Json, model: &Model) -> Result<Answer, Error> {
        let wrapped = body.given("input").and_then(|input| input.given("converse"));
        let wrapped = wrapped.ok_or_else(|| Error::invalid("input must have one of converse, invokeModel"))?;
        let known = ["additionalModelRequestFields", "messages", "system", "toolConfig"];
        if let Some((key, _)) = wrapped.fields().iter().find(|(key, _)| !known.contains(&&**key)) {
            return Err(Error::invalid(format!("extraneous key [{key}] is not permitted")));
        }
        if !model.name.contains("claude") {
            return Err(Error::invalid("The provided model doesn't support counting tokens."));
        }
        validate::request(wrapped, model)?;
        let tokens: u64 = prompt::blocks(wrapped).iter().map(|block| block.tokens).sum();
        Ok(self.plain(request, 200, format!("{{\"inputTokens\":{tokens}}}")))
    }

    /// The model in the path, and what is wanted of it.
    fn asked(&self, request: &Received) -> Result<(&Model, Call), Error> {
        let path = request.path().strip_prefix("/model/");
        let (model, call) = path
            .and_then(|path| path.split_once('/'))
            .ok_or_else(error::unknown_operation)?;
        let call = match (request.method.as_str(), call) {
            ("POST", "converse") => Call::Converse { streams: false },
            ("POST", "converse-stream") => Call::Converse { streams: true },
            ("POST", "count-tokens") => Call::Count,
            ("POST", "invoke") => Call::Invoke { streams: false },
            ("POST", "invoke-with-response-stream") => Call::Invoke { streams: true },
            _ => return Err(error::unknown_operation()),
        };
        let model = decoded(model).ok_or_else(error::unknown_model)?;
        let model = self.settings.model(&model).ok_or_else(error::unknown_model)?;
        Ok((model, call))
    }

    fn refusal(&self, request: &Received, error: &Error) -> Answer {
        let mut answer = self.plain(request, error.status, error.body());
        answer.set_header(
            "x-amzn-errortype",
            &format!("{}:http://internal.amazon.com/coral/", error.kind),
        );
        answer
    }

    fn plain(&self, request: &Received, status: u16, body: String) -> Answer {
        Answer {
            status,
            headers: self.headers(request, "application/json"),
            body: Body::Whole(body.into()),
            bill: None,
        }
    }

    fn streamed(&self, request: &Received, message: &Message) -> Answer {
        Answer {
            status: 200,
            headers: self.headers(request, "application/vnd.amazon.eventstream"),
            body: Body::Events(stream::events(message)),
            bill: None,
        }
    }

    fn headers(&self, request: &Received, content_type: &str) -> Vec<(String, String)> {
        let number = request.number.to_string();
        let request_id = id("", 36, &[&self.settings.name, "request", &number]);
        [
            ("date", clock::http_date()),
            ("content-type", content_type.to_owned()),
            ("x-amzn-requestid", request_id),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

/// A segment of a path without its percent signs.
fn decoded(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                bytes.push(u8::try_from(digit()? * 16 + digit()?).ok()?);
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}

fn bill(request: &Received, model: &Model, message: &Message) -> Bill {
    let whole = Tokens {
        input: message.input,
        cached_input: message.cached.read,
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

#[cfg(test)]
mod tests;
