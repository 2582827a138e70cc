//! All cells: every client's dialect, every upstream's, every feature, whole and streamed.

use crate::ask::Ask;
use crate::beside::Beside;
use crate::elsewhere::{self, Host};
use crate::fails::Fail;
use crate::probe::Pair;
use crate::said::Say;
use crate::verdict::Verdict;
use pilotfish_sidecar::dialect::{ClientDialect, Dialect};
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// What applications speak.
pub(crate) const CLIENTS: [ClientDialect; 4] = [
    ClientDialect::Chat,
    ClientDialect::Responses,
    ClientDialect::Messages,
    ClientDialect::Gemini,
];

/// What providers speak.
pub(crate) const UPSTREAMS: [Dialect; 7] = [
    Dialect::Chat,
    Dialect::Responses,
    Dialect::Messages,
    Dialect::Gemini,
    Dialect::Converse,
    Dialect::Cohere,
    Dialect::Ollama,
];

/// The dialect's name; a new one cannot be forgotten in [`CLIENTS`].
pub(crate) fn client_name(client: ClientDialect) -> &'static str {
    match client {
        ClientDialect::Chat => "chat",
        ClientDialect::Responses => "responses",
        ClientDialect::Messages => "messages",
        ClientDialect::Gemini => "gemini",
    }
}

/// The dialect's name; a new one cannot be forgotten in [`UPSTREAMS`].
pub(crate) fn upstream_name(upstream: Dialect) -> &'static str {
    match upstream {
        Dialect::Chat => "chat",
        Dialect::Responses => "responses",
        Dialect::Messages => "messages",
        Dialect::Gemini => "gemini",
        Dialect::Converse => "converse",
        Dialect::Cohere => "cohere",
        Dialect::Ollama => "ollama",
    }
}

/// One feature through one pair of dialects. What cannot be said there is `None`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Cell {
    pub(crate) client: String,
    pub(crate) upstream: String,
    pub(crate) feature: String,
    /// Without a stream.
    pub(crate) whole: Option<String>,
    /// As a stream.
    pub(crate) stream: Option<String>,
}

/// What each feature is about: the heading of its rows.
pub(crate) const GROUPS: [&str; 5] = [
    "What applications ask for",
    "What models answer",
    "What goes wrong",
    "What is asked beside conversations",
    "Where somebody else has the model, or wants another form",
];

/// A feature's name, its group, and what it becomes in a pair.
pub(crate) struct Feature {
    pub(crate) name: &'static str,
    pub(crate) group: usize,
    judge: Box<dyn Fn(Pair) -> Option<Verdict>>,
}

/// All features, in the order in which they are shown.
pub(crate) fn features() -> Vec<Feature> {
    let feature = |name, group, judge: Box<dyn Fn(Pair) -> Option<Verdict>>| Feature { name, group, judge };
    let asked = Ask::ALL
        .iter()
        .map(|&ask| feature(ask.name(), 0, Box::new(move |pair| pair.ask(ask))));
    let said = Say::ALL
        .iter()
        .map(|&say| feature(say.name(), 1, Box::new(move |pair| pair.say(say))));
    let failed = Fail::ALL.iter().map(|&fail| {
        feature(
            fail.name(),
            2,
            Box::new(move |pair| (!pair.streams).then(|| fail.verdict(pair.client, pair.upstream))),
        )
    });
    let signed = feature(
        "signed reasoning, sent back in a tool loop",
        1,
        Box::new(Pair::thought_in_a_loop),
    );
    let broken = feature(
        "a stream that breaks off",
        2,
        Box::new(|pair| pair.streams.then(|| pair.broken_stream()).flatten()),
    );
    let failing = feature(
        "an error event after the first words",
        2,
        Box::new(|pair| pair.streams.then(|| pair.failing_stream()).flatten()),
    );
    let beside = Beside::ALL.iter().map(|&beside| {
        feature(
            beside.name(),
            3,
            Box::new(move |pair| (!pair.streams).then(|| beside.verdict(pair)).flatten()),
        )
    });
    let elsewhere = Host::OTHERS.map(|host| feature(host.name(), 4, Box::new(move |pair| host.verdict(pair))));
    let array = feature(
        "a stream as Google's JSON array: all that models answer, as in events",
        4,
        Box::new(elsewhere::as_an_array),
    );
    asked
        .chain(said)
        .chain([signed])
        .chain(failed)
        .chain([broken, failing])
        .chain(beside)
        .chain(elsewhere)
        .chain([array])
        .collect()
}

/// All cells; everything is run once.
pub(crate) fn cells() -> &'static [Cell] {
    static CELLS: LazyLock<Vec<Cell>> = LazyLock::new(run);
    &CELLS
}

fn run() -> Vec<Cell> {
    let mut cells = Vec::new();
    for client in CLIENTS {
        for upstream in UPSTREAMS {
            cells.extend(features().iter().map(|feature| cell(client, upstream, feature)));
        }
    }
    cells
}

fn cell(client: ClientDialect, upstream: Dialect, feature: &Feature) -> Cell {
    let judge = |streams| {
        (feature.judge)(Pair {
            client,
            upstream,
            streams,
            host: Host::Maker,
        })
        .map(|verdict| verdict.to_string())
    };
    Cell {
        client: client_name(client).to_owned(),
        upstream: upstream_name(upstream).to_owned(),
        feature: feature.name.to_owned(),
        whole: judge(false),
        stream: judge(true),
    }
}
