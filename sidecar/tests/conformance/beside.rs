//! What is asked beside conversations: embeddings, counts, rankings, completions. A request is sent, what is asked for is
//! looked for in it, and the upstream's answer in what the client gets.

use crate::probe::{Pair, passed};
use crate::said::{self, Say};
use crate::seek::{Sought, value, words};
use crate::verdict::Verdict;
use pilotfish_sidecar::dialect::{
    Asked, BadRequest, ClientDialect, Dialect, InPath, Losses, Operation, Ranking, Stamp, Upstream, inspect_response,
    suffixes, translate_request, translate_response,
};
use pilotfish_wire::Capabilities;
use serde_json::{Value, json};

/// One thing that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beside {
    Count,
    Embeddings,
    OneEmbedding,
    Dimensions,
    Base64,
    Completions,
    Rerank,
    RerankAsCohere,
}

impl Beside {
    pub(crate) const ALL: &[Self] = &[
        Self::Count,
        Self::Embeddings,
        Self::OneEmbedding,
        Self::Dimensions,
        Self::Base64,
        Self::Completions,
        Self::Rerank,
        Self::RerankAsCohere,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Count => "tokens are counted",
            Self::Embeddings => "embeddings of several texts",
            Self::OneEmbedding => "an embedding in Google's form for one",
            Self::Dimensions => "embeddings of a length",
            Self::Base64 => "embeddings in base64",
            Self::Completions => "completions",
            Self::Rerank => "rankings, at `/v1/rerank`",
            Self::RerankAsCohere => "rankings, at `/v2/rerank`",
        }
    }

    fn operation(self) -> Operation {
        match self {
            Self::Count => Operation::CountTokens,
            Self::Embeddings | Self::Dimensions | Self::Base64 => Operation::Embeddings,
            Self::OneEmbedding => Operation::EmbedOne,
            Self::Completions => Operation::Completions,
            Self::Rerank | Self::RerankAsCohere => Operation::Rerank,
        }
    }

    /// What becomes of it; `None` where the client's dialect cannot ask, or the upstream's not answer.
    pub(crate) fn verdict(self, pair: Pair) -> Option<Verdict> {
        let request = self.request(pair.client)?;
        if !self.is_done_by(pair) {
            return None;
        }
        Some(
            self.sent_and_answered(pair, &request)
                .unwrap_or_else(|bad| Verdict::Refused(bad.param.unwrap_or(bad.message))),
        )
    }

    /// Whether the upstream has a path for it; completions are made of conversations, which all have.
    fn is_done_by(self, pair: Pair) -> bool {
        let others = suffixes(pair.upstream, "up").others;
        let has = |operation| others.iter().any(|(other, _)| *other == operation);
        match self {
            Self::Completions => true,
            Self::OneEmbedding => has(Operation::EmbedOne) || has(Operation::Embeddings),
            _ => has(self.operation()),
        }
    }

    /// The request, where the client's dialect has one.
    fn request(self, client: ClientDialect) -> Option<Value> {
        let one = |text: &str| json!({"model": "models/asked-model", "content": {"parts": [{"text": text}]}});
        let batch = |more: Value| {
            let requests = ["quince", "jam"].map(|text| merged(one(text), &more));
            json!({ "requests": requests })
        };
        let openai = |more: Value| merged(json!({"model": "asked-model", "input": ["quince", "jam"]}), &more);
        Some(match (client, self) {
            (ClientDialect::Messages, Self::Count) => {
                json!({"model": "asked-model", "messages": [{"role": "user", "content": "quince"}]})
            }
            (ClientDialect::Gemini, Self::Count) => {
                json!({"contents": [{"role": "user", "parts": [{"text": "quince"}]}]})
            }
            (ClientDialect::Chat, Self::Embeddings) => openai(json!({})),
            (ClientDialect::Chat, Self::Dimensions) => openai(json!({"dimensions": 2})),
            (ClientDialect::Chat, Self::Base64) => openai(json!({"encoding_format": "base64"})),
            (ClientDialect::Gemini, Self::Embeddings) => batch(json!({})),
            (ClientDialect::Gemini, Self::Dimensions) => batch(json!({"outputDimensionality": 2})),
            (ClientDialect::Gemini, Self::OneEmbedding) => one("quince"),
            (ClientDialect::Chat, Self::Completions) => json!({"model": "asked-model", "prompt": "quince"}),
            (ClientDialect::Chat, Self::Rerank | Self::RerankAsCohere) => {
                json!({"model": "asked-model", "query": "quince", "documents": ["jam", "quince"]})
            }
            _ => return None,
        })
    }

    fn path(self, client: ClientDialect) -> InPath<'static> {
        match (client, self) {
            (ClientDialect::Gemini, _) => InPath {
                model: Some("asked-model".into()),
                stream: Some(false),
                ..InPath::default()
            },
            (_, Self::RerankAsCohere) => InPath {
                ranking: Ranking::Cohere,
                ..InPath::default()
            },
            _ => InPath::default(),
        }
    }

    fn sent_and_answered(self, pair: Pair, request: &Value) -> Result<Verdict, BadRequest> {
        let body = request.to_string();
        let asked = Asked::read(pair.client, self.operation(), self.path(pair.client), body.as_bytes())?;
        if asked.passes_to(pair.upstream) {
            let sent = passed(&asked, body.as_bytes());
            let answer = self.answer(pair.client, pair.upstream);
            let read = inspect_response(pair.client, self.operation(), answer.to_string().as_bytes());
            let arrives = request.as_object().is_some_and(|request| {
                let kept = |(key, value): (&String, &Value)| {
                    sent[key] == *value || ["model", "requests"].contains(&key.as_str())
                };
                request.iter().all(kept)
            });
            return Ok(match read {
                Err(fault) => Verdict::Failed(fault.message),
                Ok(_) => Verdict::of(arrives, &Losses::new()),
            });
        }
        let upstream = Upstream {
            dialect: pair.upstream,
            provider: pair.provider(),
            model: "up",
            capabilities: &Capabilities::default(),
        };
        let stamp = Stamp {
            request_id: "req1",
            created: 1,
        };
        let translated = translate_request(&asked, &upstream, stamp)?;
        let sent: Value = serde_json::from_slice(&translated.body).expect("a translated body is JSON");
        let arrives = self.sought(pair.upstream).iter().all(|spots| spots.are_in(&sent));
        let answer = self.answer(pair.client, pair.upstream).to_string();
        Ok(match translate_response(&translated.exchange, answer.as_bytes()) {
            Err(fault) => Verdict::Failed(fault.message),
            Ok(answer) => {
                let told: Value = serde_json::from_slice(&answer.body).expect("an answer is JSON");
                let heard = self.heard(pair.client).iter().all(|spots| spots.are_in(&told));
                Verdict::of(arrives && heard, &translated.losses)
            }
        })
    }

    /// Where the request's wish stands in what the upstream gets: all of these.
    fn sought(self, upstream: Dialect) -> Sought {
        if matches!(self, Self::Count | Self::Completions) {
            return vec![words("", "quince")];
        }
        if matches!(self, Self::Rerank | Self::RerankAsCohere) {
            let documents = ["jam", "quince"].map(|text| value("documents.*", json!(text)));
            return documents.into_iter().chain([words("query", "quince")]).collect();
        }
        let (texts, dimensions) = match upstream {
            Dialect::Gemini => ("requests.*.content.parts.0.text", "requests.*.outputDimensionality"),
            Dialect::Cohere => ("texts.*", "output_dimension"),
            _ => ("input.*", "dimensions"),
        };
        let mut sought = vec![value(texts, json!("quince"))];
        if self != Self::OneEmbedding {
            sought.push(value(texts, json!("jam")));
        }
        if self == Self::Dimensions {
            sought.push(value(dimensions, json!(2)));
        }
        sought
    }

    /// What the upstream answers: 7 tokens, or vectors of two numbers.
    fn answer(self, client: ClientDialect, upstream: Dialect) -> Value {
        let vectors: &[[f64; 2]] = match self {
            Self::OneEmbedding => &[[0.5, 0.25]],
            _ => &[[0.5, 0.25], [1.0, 2.0]],
        };
        let values = |vector: &[f64; 2]| json!({ "values": vector });
        match (self, upstream) {
            (Self::Count, Dialect::Gemini) => json!({"totalTokens": 7}),
            (Self::Count, Dialect::Converse) => json!({"inputTokens": 7}),
            (Self::Count, _) => json!({"input_tokens": 7}),
            (Self::Completions, upstream) if upstream != client.native() => {
                said::answer(upstream, Say::Text)
                    .expect("every dialect says text")
                    .whole
            }
            (Self::Completions, _) => json!({"id": "cmpl-q", "object": "text_completion", "created": 1, "model": "up",
                "choices": [{"text": " jam", "index": 0, "logprobs": null, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}),
            (Self::Rerank | Self::RerankAsCohere, _) => json!({"results": [{"index": 1, "relevance_score": 0.9}]}),
            (Self::OneEmbedding, Dialect::Gemini) if client == ClientDialect::Gemini => {
                json!({"embedding": values(&vectors[0])})
            }
            (_, Dialect::Gemini) => json!({"embeddings": vectors.iter().map(values).collect::<Vec<_>>()}),
            (_, Dialect::Cohere) => json!({"id": "q", "embeddings": {"float": vectors}, "texts": [],
                "meta": {"billed_units": {"input_tokens": 2}}}),
            (_, Dialect::Ollama) => json!({"model": "up", "embeddings": vectors, "prompt_eval_count": 2}),
            _ => {
                let entry = |(index, vector)| json!({"object": "embedding", "index": index, "embedding": vector});
                let data: Vec<_> = vectors.iter().enumerate().map(entry).collect();
                json!({"object": "list", "data": data, "model": "up",
                    "usage": {"prompt_tokens": 2, "total_tokens": 2}})
            }
        }
    }

    /// Where that stands in what the client gets: all of these.
    fn heard(self, client: ClientDialect) -> Sought {
        match (client, self) {
            (ClientDialect::Messages, Self::Count) => vec![value("input_tokens", json!(7))],
            (_, Self::Count) => vec![value("totalTokens", json!(7))],
            (_, Self::Rerank | Self::RerankAsCohere) => vec![value("results.0.index", json!(1))],
            (_, Self::Completions) => vec![value("choices.0.text", json!("quince jam"))],
            (_, Self::OneEmbedding) => vec![value("embedding.values.1", json!(0.25))],
            (ClientDialect::Gemini, _) => vec![value("embeddings.1.values.1", json!(2.0))],
            // Of 0.5 and 0.25, as four bytes each.
            (_, Self::Base64) => vec![value("data.0.embedding", json!("AAAAPwAAgD4="))],
            _ => vec![value("data.1.embedding.1", json!(2.0))],
        }
    }
}

fn merged(mut object: Value, more: &Value) -> Value {
    if let (Value::Object(object), Value::Object(more)) = (&mut object, more) {
        object.extend(more.clone());
    }
    object
}
