//! What is said to a model, before it is said in a dialect.

use crate::request::Prompt;

/// How a model is told what it is.
pub(crate) const SYSTEM: &str = "You are the harbour master's assistant. Answer in plain sentences, give times in \
    24-hour notation and heights in metres above chart datum. If you are not sure, say so and name the office that \
    would know. Never invent a sounding.";
const SENTENCE: &str = "The wind has backed to the south-west since noon and the swell at the bar is \
    \"moderate to rough\", says the pilot.\n";
/// What one turn with its call, in any dialect, adds to a body, about.
const TURN: usize = 2048;

/// What is said so far.
pub(crate) struct Conversation {
    /// One after the other.
    pub(crate) turns: Vec<Turn>,
    /// Whether the model has tools to call.
    pub(crate) tools: bool,
}

/// What one of them says.
pub(crate) enum Turn {
    /// The user, in prose.
    User(String),
    /// The model, in prose.
    Assistant(String),
    /// The model calls its tool; a call and its result have the same number.
    Call(usize),
    /// What the tool said.
    Result(usize),
}

impl Conversation {
    /// What `prompt` stands for.
    pub(crate) fn of(prompt: Prompt) -> Self {
        let said = |first: usize, second: usize, last: String| {
            vec![
                Turn::User(prose(first)),
                Turn::Assistant(prose(second)),
                Turn::User(last),
            ]
        };
        match prompt {
            Prompt::Short => Self::plain(said(500, 400, prose(280))),
            Prompt::Stream(shape) => Self::plain(said(500, 400, shape.to_string())),
            Prompt::Long => Self::plain(vec![Turn::User(prose(128 * 1024))]),
            Prompt::Tools => Self::with_calls(1),
            Prompt::Turns(bytes) => Self::with_calls(bytes / TURN),
        }
    }

    fn plain(turns: Vec<Turn>) -> Self {
        Self { turns, tools: false }
    }

    /// The user asks, the model calls, thanks, and the user asks again.
    fn with_calls(calls: usize) -> Self {
        let exchange = |number| {
            [
                Turn::User(prose(1100)),
                Turn::Call(number),
                Turn::Result(number),
                Turn::Assistant(prose(420)),
            ]
        };
        let last = std::iter::once(Turn::User(prose(350)));
        Self {
            turns: (0..calls).flat_map(exchange).chain(last).collect(),
            tools: true,
        }
    }
}

/// Prose of `length` bytes, with a line break and quotes to escape every hundred bytes or so, as documents have them.
fn prose(length: usize) -> String {
    SENTENCE.chars().cycle().take(length).collect()
}
