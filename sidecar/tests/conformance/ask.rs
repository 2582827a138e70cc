//! What clients ask for: one thing at a time, in each client's own words.

mod chat;
mod gemini;
mod messages;
mod responses;

use pilotfish_sidecar::dialect::ClientDialect;
use serde_json::{Value, json};

/// The word that is looked for on the other side.
pub(crate) const WORD: &str = "quince";
/// An image's bytes.
pub(crate) const PNG: &str = "iVBORw0KGgo=";
/// A document's.
pub(crate) const PDF: &str = "JVBERi0xLjQK";
/// A sound's.
pub(crate) const WAV: &str = "UklGRiQAAABXQVZF";
/// Where an image is.
pub(crate) const IMAGE_URL: &str = "https://example.com/quince.png";
/// Where a document is.
pub(crate) const PDF_URL: &str = "https://example.com/quince.pdf";

/// The schema of the tool's arguments, and of a structured answer.
pub(crate) fn schema() -> Value {
    json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": false})
}

/// What a call has for arguments.
pub(crate) fn arguments() -> Value {
    json!({"city": "Rome"})
}

/// Declares [`Ask`] with the name that each has in the matrix.
macro_rules! asks {
    ($($ask:ident = $name:literal,)*) => {
        /// Something that a request may say.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Ask { $(#[doc = $name] $ask,)* }

        impl Ask {
            pub(crate) const ALL: &[Self] = &[$(Self::$ask,)*];

            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$ask => $name,)* }
            }
        }
    };
}

asks! {
    Text = "plain text",
    System = "system prompt",
    Developer = "developer message",
    LateSystem = "system message in the middle",
    MultiTurn = "several turns",
    Prefill = "the answer's beginning",
    MaxOutput = "output cap",
    Temperature = "temperature",
    TopP = "top-p",
    TopK = "top-k",
    Stop = "stop sequence",
    Seed = "seed",
    FrequencyPenalty = "frequency penalty",
    PresencePenalty = "presence penalty",
    LogitBias = "logit bias",
    Choices = "several answers (n)",
    Logprobs = "log probabilities",
    Tools = "tools",
    StrictTool = "strict tool",
    ChoiceAuto = "tool choice: auto",
    ChoiceNone = "tool choice: none",
    ChoiceRequired = "tool choice: any tool",
    ChoiceNamed = "tool choice: one tool",
    OneCall = "no parallel calls",
    ToolLoop = "tool result",
    ParallelLoop = "results of parallel calls",
    ToolError = "tool result: an error",
    ToolImage = "tool result: an image",
    CustomTool = "custom (free text) tool",
    HostedSearch = "the provider's web search",
    ImageBytes = "image by bytes",
    ImageUrl = "image by URL",
    PdfBytes = "PDF by bytes",
    PdfUrl = "PDF by URL",
    Audio = "audio",
    JsonObject = "any JSON object",
    JsonSchema = "JSON by schema",
    Effort = "reasoning effort",
    Budget = "reasoning budget",
    NoThinking = "no reasoning",
    CacheMark = "cache breakpoint",
    CacheKey = "cache key",
    EndUser = "end user",
    Metadata = "metadata",
    StandardTier = "service tier: standard",
    OtherTier = "service tier: another",
    Verbosity = "verbosity",
    State = "state kept by the provider",
    Unknown = "unknown field",
}

/// The request of a client that asks for this; `None` where its dialect has no word for it.
pub(crate) fn request(client: ClientDialect, ask: Ask) -> Option<Value> {
    match client {
        ClientDialect::Chat => chat::request(ask),
        ClientDialect::Messages => messages::request(ask),
        ClientDialect::Gemini => gemini::request(ask),
        ClientDialect::Responses => responses::request(ask),
    }
}

/// The same as a stream: said in the body, unless the path says it.
pub(crate) fn streamed(client: ClientDialect, mut request: Value) -> Value {
    match client {
        ClientDialect::Chat | ClientDialect::Messages | ClientDialect::Responses => {
            request["stream"] = json!(true);
            request
        }
        ClientDialect::Gemini => request,
    }
}

/// A request of a client that wants to see what is thought.
pub(crate) fn thinking(client: ClientDialect) -> Value {
    let mut request = request(client, Ask::Effort).expect("every client can ask for reasoning");
    match client {
        ClientDialect::Gemini => request["generationConfig"]["thinkingConfig"]["includeThoughts"] = json!(true),
        ClientDialect::Responses => request["reasoning"]["summary"] = json!("auto"),
        ClientDialect::Chat | ClientDialect::Messages => {}
    }
    request
}

/// The conversation that goes on after `answer`, which called a tool: the answer as it came, then the tool's result.
pub(crate) fn echo(client: ClientDialect, answer: &Value) -> Value {
    match client {
        ClientDialect::Chat => chat::echo(answer),
        ClientDialect::Messages => messages::echo(answer),
        ClientDialect::Gemini => gemini::echo(answer),
        ClientDialect::Responses => responses::echo(answer),
    }
}

/// `base` with the members of `more`, which win.
fn with(mut base: Value, more: Value) -> Value {
    let more = more.as_object().cloned().expect("requests are objects");
    base.as_object_mut().expect("requests are objects").extend(more);
    base
}
