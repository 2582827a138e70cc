//! Cross-dialect: one decoder into the item form, one encoder out of it, chosen by an exhaustive match each.

use super::fit::fit;
use super::item::{Part, Reply, Request, Thinking};
use super::loss::Ledger;
use super::{
    AZURE, Answer, Asked, BadRequest, ClientDialect, Dialect, Exchange, Fault, Keeping, Losses, OPENAI, Operation,
    Pictures, Reasoned, Recall, Translated, Upstream, chat, cohere, completions, converse, count, embeddings, gemini,
    lacks, messages, ollama, pairing, pictures, ranking, reasoned, responses, traces, unsaid,
};
use std::sync::Arc;

use crate::json;

/// Room for what a translated body has beyond its original.
const ROOM: usize = 512;

/// OpenAI's word for no thinking at all.
pub(super) const NO_EFFORT: &str = "none";

/// What the answer's head needs when the upstream's gives none.
#[derive(Clone, Copy, Debug)]
pub struct Stamp<'a> {
    /// See [`Exchange::request_id`].
    pub request_id: &'a str,
    /// Seconds since the Unix epoch.
    pub created: i64,
}

/// What a translation may use that is not in the request.
#[derive(Clone, Copy, Default)]
pub struct Found<'f> {
    /// Reasoning that clients have dropped.
    pub recall: Option<&'f Recall<'f>>,
    /// Pictures that the request names by their URLs; `None` where none are fetched.
    pub pictures: Option<&'f Pictures>,
}

/// An encoded request, and the tool names that had to change.
pub(super) struct Encoded {
    pub(super) body: Vec<u8>,
    pub(super) renamed: Vec<(String, String)>,
}

impl Upstream<'_> {
    /// Its models are OpenAI's own, and take what servers that are compatible with it do not.
    pub(super) fn is_openai(&self) -> bool {
        matches!(self.provider, OPENAI | AZURE)
    }

    /// Whether its model has this feature, as far as is known.
    pub(super) fn has(&self, feature: &str) -> Option<bool> {
        let features = self.capabilities.features.as_deref();
        let is_listed = || features.is_some_and(|features| features.iter().any(|listed| listed == feature));
        match lacks(self.capabilities, feature) {
            true => Some(false),
            false => is_listed().then_some(true),
        }
    }

    /// Whether its model reasons, in whichever way.
    pub(super) fn reasons(&self) -> Option<bool> {
        match (self.has("Reasoning"), self.has("ReasoningBudget")) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            (None, _) | (_, None) => None,
        }
    }

    /// The effort that keeps its model from thinking; `None` for one that does not think anyway. Otherwise why it cannot
    /// be kept from it.
    pub(super) fn kept_from_thinking(&self) -> Result<Option<&'static str>, &'static str> {
        let takes_none = self
            .capabilities
            .reasoning_efforts
            .iter()
            .any(|effort| effort == NO_EFFORT);
        match (takes_none, self.reasons()) {
            (_, Some(false)) => Ok(None),
            (true, _) => Ok(Some(NO_EFFORT)),
            (false, _) => Err("the model is not known to take a wish not to think"),
        }
    }

    /// Its model refuses this, as is known of it.
    pub(super) fn refuses(&self, what: &str) -> bool {
        self.capabilities.refuses.iter().any(|refused| refused == what)
    }
}

/// The client's request in the upstream's dialect. What a conversation has in common with its next turn begins with
/// the same bytes here too.
///
/// A conversation in which a tool call has no result, or a result no call, is refused: every provider refuses it.
pub fn translate_request(
    asked: &Asked<'_>,
    upstream: &Upstream<'_>,
    stamp: Stamp<'_>,
) -> Result<Translated, BadRequest> {
    translate_request_with(asked, upstream, stamp, Found::default())
}

/// The same with what was found elsewhere.
pub fn translate_request_with(
    asked: &Asked<'_>,
    upstream: &Upstream<'_>,
    stamp: Stamp<'_>,
    found: Found<'_>,
) -> Result<Translated, BadRequest> {
    match asked.operation {
        Operation::Embeddings | Operation::EmbedOne => translate_embeddings(asked, upstream, stamp),
        Operation::CountTokens => translate_count(asked, upstream, stamp, found),
        Operation::Rerank => translate_ranking(asked, upstream, stamp),
        Operation::Generate | Operation::Completions => translate_conversation(asked, upstream, stamp, found),
    }
}

fn translate_conversation(
    asked: &Asked<'_>,
    upstream: &Upstream<'_>,
    stamp: Stamp<'_>,
    found: Found<'_>,
) -> Result<Translated, BadRequest> {
    let written = match asked.dialect {
        ClientDialect::Gemini => gemini::request::with_json_schemas(&asked.object),
        ClientDialect::Chat | ClientDialect::Messages | ClientDialect::Responses => None,
    };
    let mut index = json::Index::default();
    match written
        .as_deref()
        .map(|written| json::parse_indexed(written, &mut index))
    {
        Some(Ok(object)) => translate(&asked.rewritten(object), upstream, stamp, found),
        Some(Err(_)) | None => translate(asked, upstream, stamp, found),
    }
}

fn translate_ranking(asked: &Asked<'_>, upstream: &Upstream<'_>, stamp: Stamp<'_>) -> Result<Translated, BadRequest> {
    let mut ledger = Ledger::default();
    Ok(Translated {
        body: ranking::request(asked, upstream, &mut ledger)?,
        losses: ledger.into_losses(),
        keeping: None,
        wanted: Vec::new(),
        exchange: Exchange {
            repeated: ranking::repeated(asked).into(),
            ..exchange(asked, upstream, stamp)
        },
    })
}

fn translate_embeddings(
    asked: &Asked<'_>,
    upstream: &Upstream<'_>,
    stamp: Stamp<'_>,
) -> Result<Translated, BadRequest> {
    let mut ledger = Ledger::default();
    let (body, texts) = embeddings::request(asked, upstream, &mut ledger)?;
    Ok(Translated {
        body,
        losses: ledger.into_losses(),
        keeping: None,
        wanted: Vec::new(),
        exchange: Exchange {
            texts: Some(texts),
            base64: embeddings::wants_base64(asked),
            ..exchange(asked, upstream, stamp)
        },
    })
}

/// What is counted is what would be sent.
fn translate_count(
    asked: &Asked<'_>,
    upstream: &Upstream<'_>,
    stamp: Stamp<'_>,
    found: Found<'_>,
) -> Result<Translated, BadRequest> {
    let inner = count::wrapped(asked).map(|inner| json::parse(inner.as_bytes()));
    let translated = match inner {
        Some(Ok(inner)) => translate_conversation(&asked.rewritten(inner), upstream, stamp, found),
        Some(Err(_)) | None => translate_conversation(asked, upstream, stamp, found),
    }?;
    Ok(Translated {
        body: count::request(&translated.body, upstream).unwrap_or(translated.body),
        // Nothing is said that could be kept.
        keeping: None,
        ..translated
    })
}

/// What the way back must know of every request.
fn exchange(asked: &Asked<'_>, upstream: &Upstream<'_>, stamp: Stamp<'_>) -> Exchange {
    Exchange {
        client: asked.dialect,
        upstream: upstream.dialect,
        model: asked.model.to_string(),
        request_id: stamp.request_id.to_owned(),
        created: stamp.created,
        include_usage: asked.wants_usage,
        shows_reasoning: false,
        renamed: Vec::new(),
        operation: asked.operation,
        texts: None,
        base64: false,
        repeated: Arc::default(),
    }
}

fn translate(
    asked: &Asked<'_>,
    upstream: &Upstream<'_>,
    stamp: Stamp<'_>,
    found: Found<'_>,
) -> Result<Translated, BadRequest> {
    let mut ledger = Ledger::default();
    let mut request = match asked.dialect {
        ClientDialect::Chat if asked.operation == Operation::Completions => {
            completions::request::decode(asked, &mut ledger)
        }
        ClientDialect::Chat => chat::request::decode(asked, &mut ledger),
        ClientDialect::Messages => messages::request::decode(asked, &mut ledger),
        ClientDialect::Gemini => gemini::request::decode(asked, &mut ledger),
        ClientDialect::Responses => responses::request::decode(asked, &mut ledger),
    }?;
    traces::leave_out(&mut request.items, &mut ledger);
    pairing::check(&request.items)?;
    let keeping = keeping(&mut request, upstream, found.recall);
    let wanted = match found.pictures {
        Some(pictures) => pictures::place(&mut request, upstream, pictures, &mut ledger),
        None => Vec::new(),
    };
    fit(&mut request, asked, upstream, &mut ledger);
    let size = asked.object.text().len() + ROOM;
    let Encoded { body, renamed } = match upstream.dialect {
        Dialect::Chat => chat::request::encode(&request, upstream, size, &mut ledger),
        Dialect::Messages => messages::request::encode(&request, upstream, size, &mut ledger),
        Dialect::Responses => responses::request::encode(&request, upstream, size, &mut ledger),
        Dialect::Converse => converse::request::encode(&request, upstream, size, &mut ledger),
        Dialect::Ollama => ollama::request::encode(&request, upstream, size, &mut ledger),
        Dialect::Cohere => cohere::request::encode(&request, upstream, size, &mut ledger),
        Dialect::Gemini => gemini::request::encode(&request, upstream, size, &mut ledger),
    };
    let exchange = Exchange {
        shows_reasoning: shows_reasoning(asked, &request),
        renamed,
        repeated: repeated(asked),
        ..exchange(asked, upstream, stamp)
    };
    Ok(Translated {
        body,
        losses: ledger.into_losses(),
        exchange,
        keeping,
        wanted,
    })
}

/// What the way back must know of a request that passed through, should its answer have to be told in another way.
pub fn exchange_of_passed(asked: &Asked<'_>, upstream: &Upstream<'_>, stamp: Stamp<'_>) -> Exchange {
    Exchange {
        shows_reasoning: true,
        repeated: repeated(asked),
        ..exchange(asked, upstream, stamp)
    }
}

/// A conversation without tools has no turns that reasoning must go on from.
fn keeping(request: &mut Request<'_>, upstream: &Upstream<'_>, recall: Option<&Recall<'_>>) -> Option<Keeping> {
    if request.tools.is_empty() {
        return None;
    }
    let text = match upstream.dialect {
        Dialect::Chat => chat::request::wants_reasoning(upstream.provider),
        Dialect::Ollama | Dialect::Cohere => true,
        Dialect::Messages | Dialect::Responses | Dialect::Converse | Dialect::Gemini => false,
    };
    let conversation = reasoned::restore(&mut request.items, recall);
    Some(Keeping { conversation, text })
}

fn repeated(asked: &Asked<'_>) -> Arc<[u8]> {
    match asked.dialect {
        ClientDialect::Chat | ClientDialect::Messages | ClientDialect::Gemini => Arc::default(),
        ClientDialect::Responses => responses::request::repeated(&asked.object).into(),
    }
}

fn shows_reasoning(asked: &Asked<'_>, request: &Request<'_>) -> bool {
    match asked.dialect {
        ClientDialect::Chat | ClientDialect::Responses => true,
        ClientDialect::Gemini => gemini::request::shows_thoughts(asked),
        ClientDialect::Messages => match request.settings.thinking {
            Some(Thinking::Effort(_) | Thinking::Budget(_)) => true,
            Some(Thinking::Off) => false,
            None => !request.tools.is_empty(),
        },
    }
}

/// The upstream's whole answer in the client's dialect. What has no place there is reported.
pub fn translate_response(exchange: &Exchange, body: &[u8]) -> Result<Answer, Fault> {
    match exchange.operation {
        Operation::Embeddings | Operation::EmbedOne => return embeddings::answer(exchange, body),
        Operation::CountTokens => return count::answer(exchange, body),
        Operation::Rerank => return ranking::answer(exchange, body),
        Operation::Generate | Operation::Completions => {}
    }
    let mut reply = decode(exchange, body)?;
    let losses = unsaid_of(&mut reply, exchange);
    let (usage, reasoned) = (reply.usage, Reasoned::of(&reply.parts));
    let mut out = Vec::with_capacity(body.len() + exchange.repeated.len() + ROOM);
    match exchange.client {
        ClientDialect::Chat if exchange.operation == Operation::Completions => {
            completions::response::encode(exchange, &reply, &mut out);
        }
        ClientDialect::Chat => chat::response::encode(exchange, &reply, &mut out),
        ClientDialect::Messages => messages::response::encode(exchange, &reply, &mut out),
        ClientDialect::Gemini => gemini::response::encode(exchange, &reply, &mut out),
        ClientDialect::Responses => responses::response::encode(exchange, &reply, &mut out),
    }
    Ok(Answer {
        body: out,
        usage,
        reasoned,
        losses,
    })
}

/// The upstream's whole answer to a conversation.
pub(super) fn decode<'a>(exchange: &Exchange, body: &'a [u8]) -> Result<Reply<'a>, Fault> {
    match exchange.upstream {
        Dialect::Chat => chat::response::decode(exchange, body),
        Dialect::Messages => messages::response::decode(body),
        Dialect::Responses => responses::response::decode(exchange, body),
        Dialect::Converse => converse::response::decode(body),
        Dialect::Ollama => ollama::response::decode(exchange, body),
        Dialect::Cohere => cohere::response::decode(body),
        Dialect::Gemini => gemini::response::decode(exchange, body),
    }
}

/// Takes out what the client cannot be told, and reports it with what was lost before.
fn unsaid_of(reply: &mut Reply<'_>, exchange: &Exchange) -> Losses {
    let mut report = unsaid::Report::default();
    for loss in std::mem::take(&mut reply.lost) {
        report.add(loss);
    }
    reply.remarks.retain(|(_, remark)| {
        let lost = match exchange.operation {
            Operation::Completions => Some(unsaid::lost_remark(exchange.upstream, remark)),
            _ => unsaid::remark((exchange.client, exchange.upstream), remark),
        };
        lost.map(|loss| report.add(loss)).is_none()
    });
    reply.parts.retain(|part| {
        let lost = match part {
            Part::Image(_) if exchange.operation == Operation::Completions => Some(completions::unsaid()),
            Part::Image(source) => unsaid::image(exchange.client, source),
            _ => None,
        };
        lost.map(|loss| report.add(loss)).is_none()
    });
    let cut = unsaid::without_cut_call(exchange.client, reply);
    for loss in [unsaid::pause(exchange.client, &reply.finish), cut]
        .into_iter()
        .flatten()
    {
        report.add(loss);
    }
    report.take()
}

#[cfg(test)]
mod tests;
