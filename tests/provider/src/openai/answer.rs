//! A completion in one piece.

use crate::ledger::Tokens;
use crate::reply::{Call, Finish, Reply, Thought};
use crate::signature::id;
use serde::Serialize;

/// One request's answer, before it is a body or a stream.
pub(super) struct Completion {
    pub(super) id: String,
    pub(super) created: i64,
    pub(super) model: String,
    pub(super) service_tier: String,
    pub(super) reply: Reply,
    /// How many choices, all alike.
    pub(super) choices: usize,
    pub(super) logprobs: bool,
    pub(super) tokens: Tokens,
    pub(super) reasoning_field: Option<ReasoningField>,
    pub(super) unknown_fields: bool,
}

/// Where a compatible server shows its model's reasoning; OpenAI's own API does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReasoningField {
    ReasoningContent,
    Reasoning,
}

impl ReasoningField {
    /// As it is spelt in a message.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ReasoningContent => "reasoning_content",
            Self::Reasoning => "reasoning",
        }
    }
}

pub(super) const FINGERPRINT: &str = "fp_b1d2c3f4a5";
pub(super) const UNKNOWN_FIELD: &str = "no documentation names this";

#[derive(Serialize)]
struct Body<'a> {
    id: &'a str,
    object: &'static str,
    created: i64,
    model: &'a str,
    choices: Vec<Choice<'a>>,
    usage: Usage,
    service_tier: &'a str,
    system_fingerprint: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    x_unknown: Option<&'static str>,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: usize,
    message: Message<'a>,
    logprobs: Option<LogProbs<'a>>,
    finish_reason: &'static str,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCall<'a>>,
    refusal: Option<&'a str>,
    annotations: [(); 0],
    #[serde(skip_serializing_if = "Option::is_none")]
    x_unknown: Option<&'static str>,
}

#[derive(Serialize)]
struct ToolCall<'a> {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(flatten)]
    called: Called<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Called<'a> {
    Function { name: &'a str, arguments: String },
    Custom { name: &'a str, input: String },
}

#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    prompt_tokens_details: PromptDetails,
    completion_tokens_details: CompletionDetails,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct PromptDetails {
    cached_tokens: u64,
    audio_tokens: u64,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct CompletionDetails {
    reasoning_tokens: u64,
    audio_tokens: u64,
    accepted_prediction_tokens: u64,
    rejected_prediction_tokens: u64,
}

#[derive(Serialize)]
pub(super) struct LogProbs<'a> {
    pub(super) content: Vec<LogProb<'a>>,
    refusal: Option<()>,
}

#[derive(Serialize)]
pub(super) struct LogProb<'a> {
    token: &'a str,
    logprob: f64,
    bytes: &'a [u8],
    top_logprobs: [(); 0],
}

impl From<Tokens> for Usage {
    fn from(tokens: Tokens) -> Usage {
        Usage {
            prompt_tokens: tokens.input,
            completion_tokens: tokens.output,
            total_tokens: tokens.input + tokens.output,
            prompt_tokens_details: PromptDetails {
                cached_tokens: tokens.cached_input,
                audio_tokens: 0,
            },
            completion_tokens_details: CompletionDetails {
                reasoning_tokens: tokens.reasoning,
                audio_tokens: 0,
                accepted_prediction_tokens: 0,
                rejected_prediction_tokens: 0,
            },
        }
    }
}

/// The log probabilities of a text's pieces, all alike.
pub(super) fn log_probs<'a>(pieces: &[&'a str]) -> LogProbs<'a> {
    let of = |token: &&'a str| LogProb {
        token,
        logprob: -0.25,
        bytes: token.as_bytes(),
        top_logprobs: [],
    };
    LogProbs {
        content: pieces.iter().map(of).collect(),
        refusal: None,
    }
}

impl Completion {
    /// The body as the API lays it out.
    pub(super) fn body(&self) -> String {
        let choices = (0..self.choices).map(|index| self.choice(index)).collect();
        super::pretty(&Body {
            id: &self.id,
            object: "chat.completion",
            created: self.created,
            model: &self.model,
            choices,
            usage: self.tokens.into(),
            service_tier: &self.service_tier,
            system_fingerprint: FINGERPRINT,
            x_unknown: self.unknown_fields.then_some(UNKNOWN_FIELD),
        })
    }

    fn choice(&self, index: usize) -> Choice<'_> {
        let refused = self.reply.finish == Finish::Refused;
        let text = Some(self.reply.text.as_str());
        let call = |(number, call)| self.tool_call(index, number, call);
        let message = Message {
            role: "assistant",
            content: text.filter(|_| !refused && self.reply.calls.is_empty()),
            reasoning_content: self.shown_reasoning(ReasoningField::ReasoningContent),
            reasoning: self.shown_reasoning(ReasoningField::Reasoning),
            tool_calls: self.reply.calls.iter().enumerate().map(call).collect(),
            refusal: text.filter(|_| refused),
            annotations: [],
            x_unknown: self.unknown_fields.then_some(UNKNOWN_FIELD),
        };
        let logprobs = self
            .logprobs
            .then(|| log_probs(&crate::tokens::words(&self.reply.text)));
        Choice {
            index,
            message,
            logprobs,
            finish_reason: self.finish_reason(),
        }
    }

    fn tool_call<'a>(&self, choice: usize, number: usize, call: &'a Call) -> ToolCall<'a> {
        let (name, input) = (call.name.as_str(), call.input());
        let (kind, called) = match call.is_custom() {
            true => ("custom", Called::Custom { name, input }),
            false => ("function", Called::Function { name, arguments: input }),
        };
        ToolCall {
            id: self.call_id(choice, number),
            kind,
            called,
        }
    }

    pub(super) fn call_id(&self, choice: usize, number: usize) -> String {
        id("call_", 24, &[&self.id, &choice.to_string(), &number.to_string()])
    }

    pub(super) fn shown_reasoning(&self, field: ReasoningField) -> Option<&str> {
        match &self.reply.thinking {
            Some(Thought::Open(text)) if self.reasoning_field == Some(field) => Some(text),
            _ => None,
        }
    }

    pub(super) fn finish_reason(&self) -> &'static str {
        match self.reply.finish {
            Finish::Stop | Finish::StopSequence(_) | Finish::Refused => "stop",
            Finish::Length => "length",
            Finish::Calls => "tool_calls",
            Finish::Filtered => "content_filter",
        }
    }
}
