//! What is measured: who asks in which dialect, which dialect answers, and how much is said.

use crate::dialect::Dialect::{self, Chat, Messages};
use crate::request::{self, Head, Prompt};
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
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ask {
    /// One whole answer to this.
    Plain(Prompt),
    /// A stream.
    Stream,
}

/// All rows, in the order in which they are run.
pub(crate) const ALL: [Scenario; 8] = [
    row("passthrough", Chat, Chat, Ask::Plain(Prompt::Short)),
    Scenario {
        head: Head::Sdk,
        ..row("passthrough-sdk", Chat, Chat, Ask::Plain(Prompt::Short))
    },
    row("messages-messages", Messages, Messages, Ask::Plain(Prompt::Short)),
    row("chat-messages", Chat, Messages, Ask::Plain(Prompt::Tools)),
    row("messages-chat", Messages, Chat, Ask::Plain(Prompt::Tools)),
    row("prompt-128k", Chat, Chat, Ask::Plain(Prompt::Long)),
    row("stream", Chat, Chat, Ask::Stream),
    row("stream-translated", Chat, Messages, Ask::Stream),
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
        let body = request::body(self.client, sidecar::model(self.upstream), prompt);
        request::write(self.client, self.head, &body, connection)
    }
}

/// The scenario of this name.
pub(crate) fn named(name: &str) -> Result<Scenario, String> {
    let names = || ALL.map(|scenario| scenario.name).join(", ");
    ALL.into_iter()
        .find(|scenario| scenario.name == name)
        .ok_or_else(|| format!("there are {}", names()))
}
