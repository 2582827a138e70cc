//! The form between the dialects: a conversation as a flat list of items, the answer as the same kind of parts.
//!
//! It holds what at least two dialects can say. Strings, schemas and numbers are views into the client's body, copied
//! as they are written; what only one dialect knows never gets here but becomes a loss where it is decoded.

use super::loss::{given, shown};
use super::measured::Measured;
use super::schema::{Rules, can_fit};
use super::search::Search;
use super::text::Text;
use super::{Grade, Loss, Losses, Usage};
use crate::json::{Object, ObjectWriter, Raw, ValueWriter};
use smallvec::SmallVec;
use std::borrow::Cow;
use std::fmt;

/// A request, decoded.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) settings: Settings<'a>,
    pub(super) tools: Vec<Tool<'a>>,
    /// The provider shall search the web.
    pub(super) search: Option<Search<'a>>,
    /// In the order of the conversation.
    pub(super) items: Vec<Item<'a>>,
    /// Which of the tools may be called, where not all may.
    pub(super) allowed: Option<Allowed>,
}

/// Names of tools that may be called.
#[derive(Debug)]
pub(super) struct Allowed {
    /// Sorted.
    pub(super) names: Vec<String>,
    /// What the client calls the list.
    pub(super) field: &'static str,
}

impl Allowed {
    /// What a client lists, which it calls `field`.
    pub(super) fn of(names: impl Iterator<Item = String>, field: &'static str) -> Self {
        let mut names: Vec<_> = names.collect();
        names.sort_unstable();
        Self { names, field }
    }

    pub(super) fn allows(&self, tool: &Tool<'_>) -> bool {
        let name = tool.name.plain();
        self.names.binary_search_by(|allowed| (**allowed).cmp(&*name)).is_ok()
    }
}

impl Request<'_> {
    /// Whether the client says where a prompt cache shall begin or end.
    pub(super) fn marks_cache(&self) -> bool {
        self.settings.cache.is_some()
            || self.items.iter().any(|item| item.cache.is_some())
            || self.tools.iter().any(|tool| tool.cache.is_some())
    }
}

/// Something that somebody said, at its place.
#[derive(Debug)]
pub(super) struct Item<'a> {
    pub(super) role: Role,
    pub(super) place: Place,
    pub(super) part: Part<'a>,
    /// The prefix up to here shall be cached.
    pub(super) cache: Option<Cache<'a>>,
    /// How closely an image shall be looked at, as both of OpenAI's dialects say it; never as they do unasked.
    pub(super) detail: Option<Raw<'a>>,
}

impl Item<'_> {
    /// Its name in a loss report: its path, and its type where that is all there is to know.
    pub(super) fn field(&self) -> String {
        match &self.part {
            Part::Raw(kind) => format!("{} ({})", self.place, shown(kind)),
            _ => self.place.to_string(),
        }
    }
}

/// Who said it. What a tool returned is the user's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    System,
    User,
    Assistant,
}

/// Where an item stood in the client's request; displayed as its path there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// What the client calls the list of what was said: `messages`, `input`.
    pub(super) list: &'static str,
    /// Its position there; `None` for what stands outside of the list.
    pub(super) entry: Option<usize>,
    /// The message it belongs to: one entry, or several that are said in one breath. `None` for a system prompt of its
    /// own.
    pub(super) message: Option<usize>,
    /// `content`, `tool_calls`, `system`, …; empty for the entry as a whole.
    pub(super) field: &'static str,
    /// Its position in `field`, when that is a list.
    pub(super) index: Option<usize>,
    /// How many parts it lies within.
    pub(super) depth: u8,
}

impl Place {
    /// What says of a tool's result that it is an error.
    pub(super) fn is_error(&self) -> String {
        match self.list {
            "contents" => format!("{self}.functionResponse.response.error"),
            _ => format!("{self}.is_error"),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(entry) = self.entry {
            let gap = if self.field.is_empty() { "" } else { "." };
            write!(f, "{}[{entry}]{gap}", self.list)?;
        }
        f.write_str(self.field)?;
        match self.index {
            Some(index) => write!(f, "[{index}]"),
            None => Ok(()),
        }
    }
}

/// What was said.
#[derive(Debug)]
pub(super) enum Part<'a> {
    Text(Text<'a>),
    Image(Source<'a>),
    Audio(Source<'a>),
    File(File<'a>),
    Call(Call<'a>),
    Result(ToolResult<'a>),
    Reasoning(Reasoning<'a>),
    Refusal(Text<'a>),
    /// A part that only its own dialect knows, by its type.
    Raw(Cow<'a, str>),
}

/// Where an image, a sound or a file comes from.
#[derive(Debug)]
pub(super) enum Source<'a> {
    Base64 {
        media_type: Text<'a>,
        data: Text<'a>,
    },
    Url(Text<'a>),
    /// Text as it is.
    Plain(Text<'a>),
    /// Uploaded to one provider, unknown to all others.
    Upload,
}

#[derive(Debug)]
pub(super) struct File<'a> {
    pub(super) name: Option<Text<'a>>,
    pub(super) source: Source<'a>,
}

/// A tool call.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) id: Text<'a>,
    pub(super) name: Text<'a>,
    pub(super) arguments: Arguments<'a>,
}

/// A tool call's arguments, in the form in which they came.
#[derive(Debug)]
pub(super) enum Arguments<'a> {
    /// A JSON object.
    Object(Raw<'a>),
    /// A string that should hold a JSON object.
    Quoted(Text<'a>),
    /// A custom tool's free text.
    Free(Text<'a>),
}

/// What a tool returned.
#[derive(Debug)]
pub(super) struct ToolResult<'a> {
    /// The call it answers.
    pub(super) call: Text<'a>,
    pub(super) is_error: bool,
    /// Texts, images, files.
    pub(super) content: Vec<Item<'a>>,
}

/// What an answer says about a text of its own.
#[derive(Clone, Copy, Debug)]
pub(super) enum Remark<'a> {
    /// How likely its tokens were.
    Logprobs(Measured<'a>),
    Citation(Citation<'a>),
}

/// A web page that a part of a text is based on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Citation<'a> {
    pub(super) url: Raw<'a>,
    pub(super) title: Option<Raw<'a>>,
    /// Characters of the text: the first, and the first behind.
    pub(super) start: Option<Mark<'a>>,
    pub(super) end: Option<Mark<'a>>,
}

/// A position in a text, in characters.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mark<'a> {
    Said(Raw<'a>),
    At(u64),
}

impl Mark<'_> {
    fn value(self) -> Option<u64> {
        match self {
            Self::Said(raw) => raw.u64(),
            Self::At(at) => Some(at),
        }
    }
}

impl<'a> Citation<'a> {
    /// Reads OpenAI's members of it.
    pub(super) fn read(object: &Object<'a>) -> Option<Self> {
        Some(Self {
            url: given(object, "url")?,
            title: given(object, "title"),
            start: given(object, "start_index").map(Mark::Said),
            end: given(object, "end_index").map(Mark::Said),
        })
    }

    /// Writes them for a text before which so many characters stand in the client's.
    pub(super) fn write(&self, before: u64, object: &mut ObjectWriter<'_>) {
        for (key, mark) in [("start_index", self.start), ("end_index", self.end)] {
            match mark {
                Some(Mark::Said(raw)) if before == 0 => object.raw(key, raw),
                Some(mark) => object.u64(key, mark.value().unwrap_or(0).saturating_add(before)),
                None => object.u64(key, 0),
            }
        }
        object.raw("url", self.url);
        match self.title {
            Some(title) => object.raw("title", title),
            None => object.raw("title", self.url),
        }
    }
}

/// A model's reasoning, and who can make use of it again.
#[derive(Debug)]
pub(super) enum Reasoning<'a> {
    /// Nobody vouches for it.
    Unsigned(Text<'a>),
    /// Anthropic's, to be echoed byte by byte.
    Signed { text: Text<'a>, signature: Text<'a> },
    /// Anthropic's, encrypted.
    Sealed(Text<'a>),
    /// Another provider's, as an entry of `reasoning_details`.
    Foreign(Cow<'a, str>),
}

impl Reasoning<'_> {
    /// The same, of its own.
    pub(super) fn owned(&self) -> Reasoning<'static> {
        let owned = |text: &Text<'_>| Text::from(text.plain().into_owned());
        match self {
            Self::Unsigned(text) => Reasoning::Unsigned(owned(text)),
            Self::Signed { text, signature } => Reasoning::Signed {
                text: owned(text),
                signature: owned(signature),
            },
            Self::Sealed(data) => Reasoning::Sealed(owned(data)),
            Self::Foreign(entry) => Reasoning::Foreign(Cow::Owned(entry.to_string())),
        }
    }

    /// Bytes of its texts.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Unsigned(text) | Self::Sealed(text) => text.plain().len(),
            Self::Signed { text, signature } => text.plain().len() + signature.plain().len(),
            Self::Foreign(entry) => entry.len(),
        }
    }
}

/// A cache breakpoint.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cache<'a> {
    /// Anthropic's marker as it was written.
    Marker(Raw<'a>),
    /// Somebody else's way of saying it.
    Default,
}

impl Cache<'_> {
    /// Anthropic's marker.
    pub(super) fn write(self, value: ValueWriter<'_>) {
        match self {
            Self::Marker(raw) => value.raw(raw),
            Self::Default => value.object().string("type", "ephemeral"),
        }
    }
}

/// Where a tool was declared; displayed as its path.
#[derive(Clone, Copy, Debug)]
pub(super) struct ToolPlace {
    pub(super) tool: usize,
    /// Google's tools are lists of functions.
    pub(super) function: Option<usize>,
}

impl fmt::Display for ToolPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tools[{}]", self.tool)?;
        match self.function {
            Some(function) => write!(f, ".functionDeclarations[{function}]"),
            None => Ok(()),
        }
    }
}

/// A function that the model may call.
#[derive(Debug)]
pub(super) struct Tool<'a> {
    pub(super) place: ToolPlace,
    pub(super) name: Text<'a>,
    pub(super) description: Option<Text<'a>>,
    /// JSON schema of its arguments.
    pub(super) schema: Option<Raw<'a>>,
    /// Arguments must match the schema.
    pub(super) strict: bool,
    /// It takes free text, and no arguments.
    pub(super) custom: Option<Custom<'a>>,
    pub(super) cache: Option<Cache<'a>>,
}

/// Which text a custom tool takes: any, or what a grammar allows.
#[derive(Clone, Copy, Debug)]
pub(super) enum Custom<'a> {
    Text,
    Grammar { syntax: Raw<'a>, definition: Raw<'a> },
}

impl<'a> Custom<'a> {
    /// Of a `format`, and the object in it that has the grammar.
    pub(super) fn of(grammar: Option<&Object<'a>>) -> Self {
        let member = |key| grammar.and_then(|grammar| given(grammar, key));
        match (member("syntax"), member("definition")) {
            (Some(syntax), Some(definition)) => Self::Grammar { syntax, definition },
            _ => Self::Text,
        }
    }
}

/// Whether and what the model must call.
#[derive(Clone, Debug)]
pub(super) enum ToolChoice<'a> {
    Auto,
    None,
    Required,
    Named(Text<'a>),
}

/// Everything beside the conversation and the tools.
#[derive(Debug)]
pub(super) struct Settings<'a> {
    pub(super) names: Names,
    pub(super) stream: bool,
    pub(super) knobs: Vec<Turned<'a>>,
    pub(super) max_output: Option<Raw<'a>>,
    pub(super) stop: SmallVec<[Text<'a>; 4]>,
    pub(super) tool_choice: Option<ToolChoice<'a>>,
    /// At most one call a turn when `Some(false)`.
    pub(super) parallel_calls: Option<bool>,
    pub(super) format: Option<Format<'a>>,
    pub(super) thinking: Option<Thinking<'a>>,
    /// The client wants to see what is thought.
    pub(super) shows_thinking: bool,
    /// What it says about that in so many words.
    pub(super) thoughts: Thoughts,
    /// Who uses the application, as it names them.
    pub(super) end_user: Option<Text<'a>>,
    pub(super) tier: Option<Tier<'a>>,
    /// What is kept with the answer, as OpenAI has it.
    pub(super) metadata: Option<Raw<'a>>,
    /// Anthropic's automatic caching.
    pub(super) cache: Option<Cache<'a>>,
}

/// What the client calls what more than one dialect has, for the loss report; where it has several words for a thing,
/// the one that it used.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names {
    pub(super) max_output: &'static str,
    pub(super) stop: &'static str,
    pub(super) format: &'static str,
    pub(super) thinking: &'static str,
    pub(super) end_user: &'static str,
    pub(super) tier: &'static str,
    pub(super) cache: &'static str,
    pub(super) tool_choice: &'static str,
    /// That tools are not called together.
    pub(super) parallel_calls: &'static str,
    /// Of a tool.
    pub(super) schema: &'static str,
    /// Of the answer.
    pub(super) answer_schema: &'static str,
    /// What else is said of the answer's schema, for the model to read.
    pub(super) answer_described: &'static str,
    /// Of a tool: that its schema is enforced.
    pub(super) strict: &'static str,
    /// What was said.
    pub(super) conversation: &'static str,
}

impl Names {
    /// Its word for a tool's schema, with the tool's path.
    pub(super) fn schema_of(&self, tool: &Tool<'_>) -> String {
        format!("{}.{}", tool.place, self.schema)
    }

    /// Its word for a tool's strictness, with the tool's path.
    pub(super) fn strict_of(&self, tool: &Tool<'_>) -> String {
        format!("{}.{}", tool.place, self.strict)
    }
}

/// A number, or what else is simply copied, and what its client calls it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turned<'a> {
    pub(super) knob: Knob,
    pub(super) name: &'static str,
    pub(super) value: Raw<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Knob {
    Temperature,
    TopP,
    TopK,
    Seed,
    FrequencyPenalty,
    PresencePenalty,
    LogitBias,
    Logprobs,
    TopLogprobs,
    Choices,
    Verbosity,
    CacheKey,
    CacheRetention,
}

impl Knob {
    /// How much its loss matters.
    pub(super) fn grade(self) -> Grade {
        match self {
            Self::Temperature
            | Self::TopP
            | Self::TopK
            | Self::Seed
            | Self::FrequencyPenalty
            | Self::PresencePenalty
            | Self::LogitBias
            | Self::Verbosity
            | Self::CacheKey
            | Self::CacheRetention => Grade::Hint,
            Self::Logprobs | Self::TopLogprobs | Self::Choices => Grade::Meaning,
        }
    }
}

/// What the answer must look like.
#[derive(Clone, Copy, Debug)]
pub(super) enum Format<'a> {
    /// Any JSON object.
    Json,
    /// JSON that matches a schema.
    Schema {
        name: Option<Raw<'a>>,
        description: Option<Raw<'a>>,
        schema: Option<Raw<'a>>,
        strict: bool,
    },
}

impl<'a> Format<'a> {
    /// The schema, if it can be rewritten by these rules.
    pub(super) fn fitting(self, rules: &Rules) -> Option<Raw<'a>> {
        match self {
            Self::Schema { schema, .. } => schema.filter(|schema| can_fit(*schema, rules)),
            Self::Json => None,
        }
    }
}

/// How much to think.
#[derive(Clone, Copy, Debug)]
pub(super) enum Thinking<'a> {
    /// Not at all.
    Off,
    /// As the model sees fit, with this much effort: `low`, `medium`, … as a JSON string.
    Effort(Option<Raw<'a>>),
    /// At most so many tokens, a JSON number.
    Budget(Raw<'a>),
}

/// Whether a client says that it wants to see what is thought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thoughts {
    Wanted,
    Unwanted,
    Unsaid,
}

/// How urgently.
#[derive(Clone, Copy, Debug)]
pub(super) enum Tier<'a> {
    Auto,
    Standard,
    /// By a name that more than one provider has: `flex`, `priority`, …
    Named(Raw<'a>),
}

/// A whole answer, decoded.
#[derive(Debug)]
pub(super) struct Reply<'a> {
    pub(super) id: Option<Text<'a>>,
    pub(super) model: Option<Text<'a>>,
    pub(super) created: Option<u64>,
    pub(super) parts: Vec<Part<'a>>,
    /// Which text of `parts` each is about, counted from 0.
    pub(super) remarks: Vec<(usize, Remark<'a>)>,
    pub(super) finish: Finish<'a>,
    pub(super) usage: Option<Usage>,
    /// What the upstream said beside it that no other dialect can say.
    pub(super) lost: Losses,
}

/// Why an answer ended.
#[derive(Clone, Debug)]
pub(super) enum Finish<'a> {
    /// It was complete.
    Stop,
    /// At one of the client's stop sequences, if the upstream says which.
    Sequence(Option<Text<'a>>),
    /// At the output cap.
    Length,
    /// At the end of the model's window.
    Window,
    /// To have tools called.
    Calls,
    /// Withheld or broken off by a policy, perhaps with a sentence.
    Refused(Option<Text<'a>>),
    /// A tool of the provider's own paused it; it is not complete.
    Paused,
}

impl Finish<'_> {
    /// There would have been more: what was said last may be cut off.
    pub(super) fn is_cut(&self) -> bool {
        match self {
            Self::Length | Self::Window | Self::Paused | Self::Refused(_) => true,
            Self::Stop | Self::Sequence(_) | Self::Calls => false,
        }
    }

    /// The same, of its own.
    pub(super) fn into_owned(self) -> Finish<'static> {
        let owned = |text: Text<'_>| Text::from(text.plain().into_owned());
        match self {
            Self::Stop => Finish::Stop,
            Self::Sequence(sequence) => Finish::Sequence(sequence.map(owned)),
            Self::Length => Finish::Length,
            Self::Window => Finish::Window,
            Self::Calls => Finish::Calls,
            Self::Refused(explanation) => Finish::Refused(explanation.map(owned)),
            Self::Paused => Finish::Paused,
        }
    }
}

/// One step of a streamed answer.
#[derive(Debug)]
pub(super) enum Step<'a> {
    /// The head; before everything else, once.
    Start {
        id: Option<Text<'a>>,
        model: Option<Text<'a>>,
        created: Option<u64>,
    },
    Text(Text<'a>),
    Refusal(Text<'a>),
    /// More of the reasoning; [`Step::Signature`] closes it.
    Thinking(Text<'a>),
    /// The signature of what was thought since the last one, or since other content.
    Signature(Text<'a>),
    /// Reasoning that comes in one piece.
    Reasoning(Reasoning<'a>),
    /// A tool call begins. `call` counts the calls of the answer from 0.
    Call {
        call: usize,
        id: Text<'a>,
        name: Text<'a>,
    },
    /// A call of a custom tool begins; its arguments are free text.
    CustomCall {
        call: usize,
        id: Text<'a>,
        name: Text<'a>,
    },
    /// Likelihoods are those of the text that comes next, citations those of the text that came.
    Remark(Remark<'a>),
    /// More of a call's arguments, JSON text within a string.
    Arguments {
        call: usize,
        json: Text<'a>,
    },
    /// An image that is part of the answer.
    Image(Source<'a>),
    /// Something that no other dialect can say.
    Lost(Loss),
    /// A call's arguments are complete.
    CallEnd {
        call: usize,
    },
    /// Why it ended; at most once.
    Finish(Finish<'a>),
    /// Replaces what was counted before.
    Usage(Usage),
    /// The end; after everything else, once.
    End,
}
