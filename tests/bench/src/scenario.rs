//! What is measured: who asks in which dialect, which dialect answers, and how much is said.

use crate::dialect::Dialect::{self, Chat, Cohere, Converse, Gemini, Messages, Ollama, Responses};
use crate::request::{Head, Prompt, Request};
use crate::sidecar;

/// One row of the benchmark.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scenario {
    /// Its name on the command line and in the report.
    pub(crate) name: &'static str,
    /// What the client speaks.
    pub(crate) client: Dialect,
    /// What the sidecar's deployments speak; nginx passes on what the client said.
    pub(crate) upstream: Dialect,
    /// What is said beside it.
    pub(crate) head: Head,
    /// What is asked.
    pub(crate) ask: Ask,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// One whole answer to this; its latency is measured, too.
    Latency(Prompt),
    /// One whole answer to this.
    Plain(Prompt),
    /// A stream.
    Stream,
    /// A whole answer to a conversation with tools, and a stream: only what they cost, as there are many such rows.
    Translated,
    /// A whole answer to so many bytes of turns.
    Grown(usize),
}

/// The row about streams that are passed on.
pub(crate) const STREAM: &str = "stream";

/// What a translated chunk is compared with, in the same seconds.
pub(crate) const PASSED: Scenario = row(STREAM, Chat, Chat, Ask::Translated);

/// What is measured in depth.
const ROWS: [Scenario; 6] = [
    row("passthrough", Chat, Chat, Ask::Latency(Prompt::Short)),
    Scenario {
        head: Head::Sdk,
        ..row("passthrough-sdk", Chat, Chat, Ask::Latency(Prompt::Short))
    },
    row("messages-messages", Messages, Messages, Ask::Plain(Prompt::Short)),
    row("prompt-128k", Chat, Chat, Ask::Plain(Prompt::Long)),
    row(STREAM, Chat, Chat, Ask::Stream),
    row("stream-translated", Chat, Messages, Ask::Stream),
];

/// Every pair that is translated.
pub(crate) const PAIRS: [Scenario; 24] = [
    row("chat-responses", Chat, Responses, Ask::Translated),
    row("chat-messages", Chat, Messages, Ask::Translated),
    row("chat-gemini", Chat, Gemini, Ask::Translated),
    row("chat-converse", Chat, Converse, Ask::Translated),
    row("chat-cohere", Chat, Cohere, Ask::Translated),
    row("chat-ollama", Chat, Ollama, Ask::Translated),
    row("responses-chat", Responses, Chat, Ask::Translated),
    row("responses-messages", Responses, Messages, Ask::Translated),
    row("responses-gemini", Responses, Gemini, Ask::Translated),
    row("responses-converse", Responses, Converse, Ask::Translated),
    row("responses-cohere", Responses, Cohere, Ask::Translated),
    row("responses-ollama", Responses, Ollama, Ask::Translated),
    row("messages-chat", Messages, Chat, Ask::Translated),
    row("messages-responses", Messages, Responses, Ask::Translated),
    row("messages-gemini", Messages, Gemini, Ask::Translated),
    row("messages-converse", Messages, Converse, Ask::Translated),
    row("messages-cohere", Messages, Cohere, Ask::Translated),
    row("messages-ollama", Messages, Ollama, Ask::Translated),
    row("gemini-chat", Gemini, Chat, Ask::Translated),
    row("gemini-responses", Gemini, Responses, Ask::Translated),
    row("gemini-messages", Gemini, Messages, Ask::Translated),
    row("gemini-converse", Gemini, Converse, Ask::Translated),
    row("gemini-cohere", Gemini, Cohere, Ask::Translated),
    row("gemini-ollama", Gemini, Ollama, Ask::Translated),
];

const LARGE: Ask = Ask::Grown(256 * 1024);
const HUGE: Ask = Ask::Grown(2 * 1024 * 1024);

/// Long conversations, each eight times as long once more: every reader and every writer is in one of the pairs.
const GROWN: [Scenario; 12] = [
    row("chat-messages-256k", Chat, Messages, LARGE),
    row("chat-messages-2m", Chat, Messages, HUGE),
    row("messages-chat-256k", Messages, Chat, LARGE),
    row("messages-chat-2m", Messages, Chat, HUGE),
    row("responses-gemini-256k", Responses, Gemini, LARGE),
    row("responses-gemini-2m", Responses, Gemini, HUGE),
    row("responses-converse-256k", Responses, Converse, LARGE),
    row("responses-converse-2m", Responses, Converse, HUGE),
    row("gemini-cohere-256k", Gemini, Cohere, LARGE),
    row("gemini-cohere-2m", Gemini, Cohere, HUGE),
    row("gemini-ollama-256k", Gemini, Ollama, LARGE),
    row("gemini-ollama-2m", Gemini, Ollama, HUGE),
];

const fn row(name: &'static str, client: Dialect, upstream: Dialect, ask: Ask) -> Scenario {
    Scenario {
        name,
        client,
        upstream,
        head: Head::Bare,
        ask,
    }
}

impl Scenario {
    /// The request, as connection number `connection` sends it.
    pub(crate) fn request(&self, prompt: Prompt, connection: usize) -> Vec<u8> {
        let request = Request {
            dialect: self.client,
            model: sidecar::model(self.upstream),
            head: self.head,
            prompt,
        };
        request.write(connection)
    }
}

/// All rows, in the order in which they are run.
pub(crate) fn all() -> impl Iterator<Item = Scenario> {
    ROWS.into_iter().chain(PAIRS).chain(GROWN)
}

/// The scenario of this name.
pub(crate) fn named(name: &str) -> Result<Scenario, String> {
    let names = || all().map(|scenario| scenario.name).collect::<Vec<_>>().join(", ");
    all()
        .find(|scenario| scenario.name == name)
        .ok_or_else(|| format!("there are {}", names()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_two_dialects_is_measured() {
        for client in [Chat, Responses, Messages, Gemini] {
            for upstream in Dialect::ALL.into_iter().filter(|upstream| *upstream != client) {
                let of = |row: &&Scenario| (row.client, row.upstream) == (client, upstream);
                assert_eq!(PAIRS.iter().filter(of).count(), 1, "{client:?} to {upstream:?}");
            }
        }
    }
}
