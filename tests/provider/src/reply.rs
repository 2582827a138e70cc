//! What a fake says: a function of the conversation alone, so that a test can know it beforehand.
//!
//! It echoes the last message of the user. Asked about a tool by name, or about the weather, it calls tools; given their
//! results it quotes them. Four phrases make it do what models do now and then.

use crate::json::{Json, compact};
use crate::schema;
use crate::tokens;

/// A user message that holds this is refused.
pub const REFUSE: &str = "please refuse";
/// A user message that holds this is answered halfway and then filtered (OpenAI's `content_filter`).
pub const FILTER: &str = "please filter";
/// Thinking about a user message that holds this is redacted (Anthropic).
pub const REDACT: &str = "think in private";
/// A user message that holds this, where tools are declared, is answered by several calls at once.
const PARALLEL: &str = "parallel";

/// As much of a message as is echoed.
const ECHO_BYTES: usize = 4000;

/// A conversation, as far as the answer depends on it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Prompt {
    /// Who answers.
    pub(crate) name: String,
    /// The text of the last message, if it is the user's; pictures are named in it.
    pub(crate) said: String,
    /// What tools answered since the model last spoke.
    pub(crate) results: Vec<String>,
    pub(crate) tools: Vec<Tool>,
    pub(crate) choice: Choice,
    /// Several calls at once are allowed.
    pub(crate) parallel: bool,
    pub(crate) thinks: bool,
    /// It says a sentence before it calls tools of its own accord, as Claude does.
    pub(crate) announces: bool,
    pub(crate) format: Format,
    pub(crate) max_tokens: u64,
    pub(crate) stop: Vec<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Tool {
    pub(crate) name: String,
    /// Of its arguments; of a tool that takes free text, [`free_text`].
    pub(crate) schema: Json,
}

/// The schema of what has no schema.
pub(crate) fn free_text() -> Json {
    Json::Object(vec![("type".to_owned(), Json::Text("string".to_owned()))])
}

/// Which tools may be called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Choice {
    #[default]
    Free,
    None,
    Any,
    Named(String),
}

/// What the text must be.
#[derive(Clone, Debug, Default)]
pub(crate) enum Format {
    #[default]
    Free,
    AnyObject,
    Schema(Json),
}

/// An answer, in the order in which a model makes it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Reply {
    pub(crate) thinking: Option<Thought>,
    /// Empty when there is none.
    pub(crate) text: String,
    pub(crate) calls: Vec<Call>,
    pub(crate) finish: Finish,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Thought {
    Open(String),
    Redacted,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) arguments: Json,
}

/// Why the answer ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Finish {
    #[default]
    Stop,
    StopSequence(String),
    Length,
    Calls,
    Refused,
    Filtered,
}

impl Reply {
    /// Output tokens: thinking, text, then the names and arguments of the calls.
    pub(crate) fn tokens(&self) -> u64 {
        let calls: u64 = self.calls.iter().map(Call::tokens).sum();
        self.thinking_tokens() + tokens::count(&self.text) + calls
    }

    /// Of `tokens`: those of thinking.
    pub(crate) fn thinking_tokens(&self) -> u64 {
        match &self.thinking {
            Some(Thought::Open(text)) => tokens::count(text),
            Some(Thought::Redacted) => 16,
            None => 0,
        }
    }
}

impl Call {
    /// Whether what it takes is free text, and no arguments.
    pub(crate) fn is_custom(&self) -> bool {
        self.arguments.text().is_some()
    }

    /// Its arguments or its text, as they travel.
    pub(crate) fn input(&self) -> String {
        self.arguments
            .text()
            .map_or_else(|| compact(&self.arguments), str::to_owned)
    }

    pub(crate) fn tokens(&self) -> u64 {
        tokens::count(&self.name) + tokens::count(&self.arguments.compact())
    }
}

/// The answer to a conversation.
pub(crate) fn compose(prompt: &Prompt) -> Reply {
    let mut reply = unbounded(prompt);
    reply.thinking = thinking(prompt);
    stop_early(&mut reply, &prompt.stop);
    shorten(&mut reply, prompt.max_tokens);
    reply
}

fn unbounded(prompt: &Prompt) -> Reply {
    if prompt.said.contains(REFUSE) {
        let text = "I cannot help with that.".to_owned();
        return Reply {
            text,
            finish: Finish::Refused,
            ..Reply::default()
        };
    }
    let calls = calls(prompt);
    if !calls.is_empty() {
        let announced = prompt.announces && prompt.choice == Choice::Free;
        let text = if announced {
            "Let me look that up.".to_owned()
        } else {
            String::new()
        };
        return Reply {
            text,
            calls,
            finish: Finish::Calls,
            ..Reply::default()
        };
    }
    let text = text(prompt);
    if prompt.said.contains(FILTER) {
        let half = text.floor_char_boundary(text.len() / 2);
        let text = text.get(..half).unwrap_or_default().to_owned();
        return Reply {
            text,
            finish: Finish::Filtered,
            ..Reply::default()
        };
    }
    Reply {
        text,
        ..Reply::default()
    }
}

fn thinking(prompt: &Prompt) -> Option<Thought> {
    if !prompt.thinks {
        return None;
    }
    if prompt.said.contains(REDACT) {
        return Some(Thought::Redacted);
    }
    let about = if prompt.results.is_empty() {
        &prompt.said
    } else {
        "what the tools said"
    };
    Some(Thought::Open(format!("I think about it: {}", excerpt(about, 200))))
}

fn text(prompt: &Prompt) -> String {
    let said = excerpt(&prompt.said, ECHO_BYTES);
    match &prompt.format {
        Format::Schema(schema) => schema::instance(schema, said).compact(),
        Format::AnyObject => Json::Object(vec![("echo".to_owned(), Json::Text(said.to_owned()))]).compact(),
        Format::Free if prompt.results.is_empty() => format!("Echo from {}: {said}", prompt.name),
        Format::Free => format!("{} read from its tools: {}", prompt.name, quoted(&prompt.results)),
    }
}

fn quoted(results: &[String]) -> String {
    let quotes: Vec<String> = results
        .iter()
        .map(|result| format!("\"{}\"", excerpt(result, ECHO_BYTES)))
        .collect();
    quotes.join(" and ")
}

fn excerpt(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}

/// The calls the conversation asks for; none after results, unless a tool is forced.
fn calls(prompt: &Prompt) -> Vec<Call> {
    let forced = matches!(prompt.choice, Choice::Any | Choice::Named(_));
    if prompt.choice == Choice::None || !(forced || prompt.results.is_empty()) {
        return Vec::new();
    }
    let mut wanted: Vec<&Tool> = prompt.tools.iter().filter(|tool| is_wanted(tool, prompt)).collect();
    if wanted.is_empty() && (forced || asks_for_weather(prompt)) {
        wanted.extend(prompt.tools.first());
    }
    let mut places = names_in(&prompt.said).into_iter().chain(std::iter::repeat("somewhere"));
    let several = prompt.parallel && prompt.said.to_lowercase().contains(PARALLEL);
    match (several, wanted.as_slice()) {
        (false, wanted) => wanted.iter().take(1).map(|tool| call(tool, places.next())).collect(),
        (true, [one]) => [one, one].into_iter().map(|tool| call(tool, places.next())).collect(),
        (true, wanted) => wanted.iter().map(|tool| call(tool, places.next())).collect(),
    }
}

fn is_wanted(tool: &Tool, prompt: &Prompt) -> bool {
    match &prompt.choice {
        Choice::Named(name) => tool.name == *name,
        Choice::Free | Choice::Any | Choice::None => {
            prompt.said.contains(&tool.name) || (asks_for_weather(prompt) && tool.name.contains("weather"))
        }
    }
}

fn asks_for_weather(prompt: &Prompt) -> bool {
    prompt.said.to_lowercase().contains("weather")
}

fn call(tool: &Tool, word: Option<&str>) -> Call {
    Call {
        name: tool.name.clone(),
        arguments: schema::instance(&tool.schema, word.unwrap_or_default()),
    }
}

/// The words that begin with a capital, the first of the text aside: in a question about places, the places.
fn names_in(text: &str) -> Vec<&str> {
    let words = text
        .split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .skip(1);
    words.filter(|word| word.starts_with(char::is_uppercase)).collect()
}

fn stop_early(reply: &mut Reply, stop: &[String]) {
    let found = stop
        .iter()
        .filter_map(|stop| reply.text.find(stop.as_str()).map(|offset| (offset, stop)))
        .min();
    if let Some((offset, stop)) = found {
        reply.text.truncate(offset);
        reply.finish = Finish::StopSequence(stop.clone());
    }
}

/// Cuts what goes beyond the limit: first thinking counts, then text, then calls, of which none is cut in two.
fn shorten(reply: &mut Reply, max_tokens: u64) {
    if reply.tokens() <= max_tokens {
        return;
    }
    reply.finish = Finish::Length;
    let mut left = max_tokens;
    if let Some(Thought::Open(thinking)) = &mut reply.thinking {
        *thinking = tokens::cut(thinking, left).to_owned();
    }
    left = left.saturating_sub(reply.thinking_tokens());
    reply.text = tokens::cut(&reply.text, left).to_owned();
    left -= tokens::count(&reply.text);
    let kept = reply.calls.iter().take_while(|call| {
        let fits = call.tokens() <= left;
        left = left.saturating_sub(call.tokens());
        fits
    });
    let kept = kept.count();
    reply.calls.truncate(kept);
}

#[cfg(test)]
mod tests;
