//! The conversational protocols: what a client speaks, what a provider speaks, and what lies between.
//!
//! Where both sides speak the same dialect the bytes pass through, and this module only watches them
//! (`inspect_response`, `Watch`). Where they differ, one decoder and one encoder per dialect meet in an item form
//! (`item`), so that a further dialect is two more codecs and not a further matrix.
//!
//! Everything here is a pure function of its arguments: no IO, no clock, no lock.

mod arguments;
mod array;
mod asked;
mod bad_request;
mod chat;
mod cohere;
mod completions;
mod converse;
mod count;
mod embeddings;
mod error;
mod fit;
mod foreign;
mod framing;
mod gemini;
mod hosted;
mod inspect;
mod item;
mod lack;
mod loss;
mod measured;
mod media;
mod messages;
mod names;
mod ollama;
mod pairing;
mod path;
mod pictures;
mod ranking;
mod reasoned;
mod responses;
mod retold;
mod scan;
mod schema;
mod search;
mod splice;
mod text;
mod traces;
mod translate;
mod translator;
mod turns;
mod unsaid;
mod watch;

pub use array::EventArray;
pub use asked::{Medium, Tags};
pub use chat::request::uncounted::{refuses_count, without_count};
pub use error::{ErrorBody, decode_error, encode_error, error_event, reset_after};
pub use foreign::{Purged, unreasoned, unsigned, without_foreign, without_thinking};
pub use framing::Framer;
pub use hosted::{Invoked, hosted};
pub use inspect::{Inspection, inspect_response};
pub use path::{Suffixes, suffixes, suffixes_at};
pub use pictures::{Picture, Pictures};
pub use reasoned::{Carrier, Keeping, Listener, Passed, Reasoned, Recall};
pub use responses::sealed::{contents_of_request, is_unreadable, without_sealed};
pub use responses::stored::{Kept, PREVIOUS, UNKNOWN, is_kept_by_nobody, is_unknown, kept_of_answer, previous};
pub use retold::retell_response;
pub use splice::{PassThrough, Segment, pass_through};
pub use translate::{Found, Stamp, exchange_of_passed, translate_request, translate_request_with, translate_response};
pub use translator::Translator;
pub use watch::Watch;

use translate::Encoded;

/// Whether a model is known to lack a feature.
pub fn lacks(capabilities: &Capabilities, feature: &str) -> bool {
    let is_listed = |words: &[String]| words.iter().any(|word| word == feature);
    let unlisted = |features: &Vec<String>| FEATURES.contains(&feature) && !is_listed(features);
    is_listed(&capabilities.refuses) || capabilities.features.as_ref().is_some_and(unlisted)
}

/// Those of which a model that lists its features lists all that it has.
const FEATURES: [&str; 4] = ["Tools", "Vision", "Reasoning", "ReasoningBudget"];

/// Whether a provider that speaks chat is to be asked for the usage of a stream; otherwise it tells unasked.
pub fn is_asked_for_usage(provider: &str) -> bool {
    chat::request::is_asked_for_usage(provider)
}

use crate::json;
use pilotfish_wire::Capabilities;
pub use pilotfish_wire::Dialect;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

/// The rows of the providers that have OpenAI's own models.
const OPENAI: &str = "openai";
const AZURE: &str = "azure.ai.openai";

/// Tokens as the provider counted them, in one meaning for all dialects.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// All input tokens, those read from and written to the provider's cache included.
    pub input: u64,
    /// Of `input`: read from the cache.
    pub cached_input: u64,
    /// Of `input`: written to the cache.
    pub cache_write_input: u64,
    /// Of `cache_write_input`: to be kept for an hour, which costs more than the usual five minutes; absent where nobody
    /// tells them apart.
    pub cache_write_hour: Option<u64>,
    /// All output tokens, reasoning included.
    pub output: u64,
    /// Of `output`: reasoning.
    pub reasoning: u64,
}

/// What nobody told is not shown.
impl std::fmt::Debug for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            input,
            cached_input,
            cache_write_input,
            cache_write_hour,
            output,
            reasoning,
        } = self;
        let mut shown = f.debug_struct("Usage");
        shown.field("input", input).field("cached_input", cached_input);
        shown.field("cache_write_input", cache_write_input);
        if let Some(hour) = cache_write_hour {
            shown.field("cache_write_hour", hour);
        }
        shown.field("output", output).field("reasoning", reasoning).finish()
    }
}

/// A conversational protocol in which applications may speak to the sidecar. A provider's is a [`Dialect`]: there are
/// more of those, as no application comes with an SDK of theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(test, derive(serde::Deserialize, serde::Serialize), serde(rename_all = "camelCase"))]
pub enum ClientDialect {
    /// OpenAI Chat Completions (and Embeddings).
    Chat,
    /// Anthropic Messages.
    Messages,
    /// Gemini's generateContent (and its embeddings).
    Gemini,
    /// OpenAI Responses.
    Responses,
}

impl ClientDialect {
    /// The same, as providers speak it: there bytes pass through.
    pub fn native(self) -> Dialect {
        match self {
            Self::Chat => Dialect::Chat,
            Self::Messages => Dialect::Messages,
            Self::Gemini => Dialect::Gemini,
            Self::Responses => Dialect::Responses,
        }
    }
}

/// What a client wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// A conversation's next turn.
    Generate,
    /// What follows a text: OpenAI's older completions. Where a server has none, it is what a conversation that begins
    /// with the text is answered.
    Completions,
    /// Embeddings of any number of texts.
    Embeddings,
    /// The embedding of one text, where that is asked for and answered in a form of its own: Gemini's.
    EmbedOne,
    /// How many tokens a conversation would be. Nothing is generated, and nothing paid.
    CountTokens,
    /// Which documents answer a question best.
    Rerank,
}

impl Operation {
    /// Its answer may come as a stream.
    pub fn streams(self) -> bool {
        match self {
            Self::Generate | Self::Completions => true,
            Self::Embeddings | Self::EmbedOne | Self::CountTokens | Self::Rerank => false,
        }
    }
}

/// A request that cannot be what its dialect says it is: 400 in the client's dialect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BadRequest {
    /// One sentence, naming the field.
    pub message: String,
    /// The field's path (`messages[2].content`), for dialects whose errors have a place for it.
    pub param: Option<String>,
}

/// How much a loss matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// Dropped, and said so.
    Hint,
    /// Changes what the answer means: refused, unless the policy says `onLoss: Warn`.
    Meaning,
}

/// One thing that the upstream's dialect, or its model, could not carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The client's name for it: `seed`, `n`, `messages[3].content[1]`; of an answer the upstream's: `answer.citations`.
    pub field: Cow<'static, str>,
    /// Fixed in data, never by the request.
    pub grade: Grade,
    /// Why, lower case, without a full stop: `the messages dialect has no seed`.
    pub why: Cow<'static, str>,
}

/// What was lost, in the order in which it was met.
pub type Losses = Vec<Loss>;

/// What a request's path says: in some dialects it names the model, and says whether a stream is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InPath<'a> {
    /// The model's name, escapes resolved. It counts, whatever the body says.
    pub model: Option<Cow<'a, str>>,
    /// Whether a stream is wanted; otherwise the body says it.
    pub stream: Option<bool>,
    /// How the stream shall come.
    pub framing: Framing,
    /// In which form documents are ranked.
    pub ranking: Ranking,
}

/// The forms of a ranking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ranking {
    /// Jina's and vLLM's, at `/v1/rerank`.
    #[default]
    Common,
    /// Cohere's, at `/v2/rerank`.
    Cohere,
}

/// How a stream reaches its client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// As server-sent events.
    #[default]
    Events,
    /// As the elements of a JSON array: what Google's APIs do unless the query says `alt=sse`.
    Array,
}

/// A client's request as far as routing needs it, read in one pass over the body's top level.
pub struct Asked<'a> {
    /// The dialect it is written in.
    pub dialect: ClientDialect,
    /// What it wants.
    pub operation: Operation,
    /// The body's top level.
    pub object: json::Object<'a>,
    /// The model's name, escapes resolved.
    pub model: Cow<'a, str>,
    /// Where the value of `model` stands in the body, quotes included: the permitted splice. `None` where only the path
    /// names it.
    pub model_span: Option<Range<usize>>,
    /// The client wants a stream.
    pub stream: bool,
    /// How it shall come.
    pub framing: Framing,
    /// In which form documents are ranked.
    pub ranking: Ranking,
    /// The client asked for usage in its stream (chat: `stream_options.include_usage`; messages: always).
    pub wants_usage: bool,
}

/// What a deployment must be able to do for this request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// It declares tools.
    pub tools: bool,
    /// It holds an image.
    pub vision: bool,
}

/// The upstream a request is translated for.
#[derive(Clone, Copy, Debug)]
pub struct Upstream<'a> {
    /// The dialect it is called in.
    pub dialect: Dialect,
    /// The provider's row: `openai`, `anthropic`, …
    pub provider: &'a str,
    /// The provider's own name for the model.
    pub model: &'a str,
    /// What the model can do.
    pub capabilities: &'a Capabilities,
}

/// One request-answer pair across two dialects: what the way back must remember of the way there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// What the client speaks.
    pub client: ClientDialect,
    /// What the upstream speaks.
    pub upstream: Dialect,
    /// The client's name for the model; shown when the upstream names none.
    pub model: String,
    /// Identifies the answer when the upstream's has no id (`chatcmpl-…`, `msg_…` are made of it).
    pub request_id: String,
    /// Seconds since the Unix epoch.
    pub created: i64,
    /// The client asked for usage in its stream.
    pub include_usage: bool,
    /// A messages client can use thinking blocks: it asked for reasoning, or declares tools and must be able to echo
    /// what a reasoning model wants to see again. Other clients read `content[0].text`, and get it.
    pub shows_reasoning: bool,
    /// Tool names that the upstream's dialect could not spell, as `(sent, the client's)`.
    pub renamed: Vec<(String, String)>,
    /// What was asked for.
    pub operation: Operation,
    /// How many texts are to be embedded, where that is known.
    pub texts: Option<usize>,
    /// Embeddings are wanted as the base64 of their bytes.
    pub base64: bool,
    /// What of the request its answer repeats, as a JSON object; empty where answers repeat nothing.
    pub repeated: Arc<[u8]>,
}

/// A request in the upstream's dialect.
pub struct Translated {
    /// The whole body.
    pub body: Vec<u8>,
    /// What it does not carry.
    pub losses: Losses,
    /// For the way back.
    pub exchange: Exchange,
    /// What the answer reasons is worth keeping: its client has tools to go on with.
    pub keeping: Option<Keeping>,
    /// URLs of pictures that the upstream wants as bytes.
    pub wanted: Vec<String>,
}

/// An upstream's answer that is an error, or is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What it means for the next attempt.
    pub class: Class,
    /// The upstream's own sentence, cut to 2 KiB. May quote the client's input; never logged.
    pub message: String,
    /// The upstream's own code (`context_length_exceeded`, `overloaded_error`), if it gave one.
    pub code: Option<String>,
    /// The upstream's `type`, if it gave one.
    pub kind: Option<String>,
    /// The upstream's `param`, if it gave one.
    pub param: Option<String>,
    /// When the limit ends that it tells of, if it says so itself.
    pub reset: Option<std::time::Duration>,
    /// The status it came with or, inside a 200, the one it stands for. `None`: no answer at all.
    pub status: Option<u16>,
}

/// Rows of the failure table that an answer can stand in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// 429 for rate, 503, 529, 498: closed until reset.
    Limited,
    /// 401, 403: the credential is not accepted.
    Unauthorised,
    /// 402, or a 429 that says the money is spent.
    Spent,
    /// 404 for the model.
    ModelNotFound,
    /// 500, 502, 504, 408.
    ServerError,
    /// 400 because the input is longer than the model's window.
    ContextOverflow,
    /// Any other 4xx: it is the client's.
    Client,
    /// Not what the dialect says an answer is: unparsable, or ended before its end.
    Malformed,
}

/// Bytes of [`crate::sse::Event::raw`], from `start` to before `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The first byte that goes.
    pub start: usize,
    /// The first byte that stays.
    pub end: usize,
}

/// What one stream event means to the pipeline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// Content: the answer is committed. Once it is, every event that may be content says so.
    pub content: bool,
    /// Usage, as far as known; a later one replaces an earlier one.
    pub usage: Option<Usage>,
    /// Pass-through only: the client did not ask for this event; take it out.
    pub omit: bool,
    /// Pass-through only: the client did not ask for this part of the event (`usage` on a chunk that also has
    /// content); take these bytes out and forward the rest.
    pub cut: Option<Cut>,
    /// The stream's proper end.
    pub end: bool,
}

/// A translated answer.
pub struct Answer {
    /// The whole body in the client's dialect.
    pub body: Vec<u8>,
    /// As the provider counted.
    pub usage: Option<Usage>,
    /// What it reasoned before it called tools.
    pub reasoned: Option<Reasoned>,
    /// What of it the client's dialect cannot say.
    pub losses: Losses,
}
