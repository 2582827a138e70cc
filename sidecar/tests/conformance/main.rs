//! The conformance matrix: what becomes of each feature between each pair of dialects, found out by running the codecs.
//!
//! `docs/conformance.json` is the ratchet, `docs/conformance.md` the same for people; `make conformance` writes both.
//! A cell that gets worse is never written: who means it takes the cell's line out of the JSON first.

mod ask;
mod beside;
mod elsewhere;
mod fails;
mod matrix;
#[path = "../event_stream/message.rs"]
mod message;
mod page;
mod probe;
mod said;
mod seek;
mod sent;
mod told;
mod verdict;
mod vocabulary;

use crate::elsewhere::Host;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use matrix::Cell;
use pilotfish_sidecar::dialect::ClientDialect;
use probe::Pair;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use verdict::Verdict;

fn committed(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(committed(name)).unwrap_or_default()
}

/// The cells of `before` that are worse in `now`, or gone.
fn worse(before: &[Cell], now: &[Cell]) -> Vec<String> {
    let mut found = Vec::new();
    for old in before {
        let is_same =
            |new: &&Cell| (&new.client, &new.upstream, &new.feature) == (&old.client, &old.upstream, &old.feature);
        let new = now.iter().find(is_same);
        let pairs = [
            (&old.whole, new.and_then(|new| new.whole.as_ref())),
            (&old.stream, new.and_then(|new| new.stream.as_ref())),
        ];
        for (old_words, new_words) in pairs {
            let Some(old_words) = old_words else { continue };
            let new_words = new_words.map_or("", |words| words);
            if Verdict::rank(new_words) < Verdict::rank(old_words) {
                found.push(format!(
                    "{} → {}, {}: {old_words:?} became {new_words:?}",
                    old.client, old.upstream, old.feature
                ));
            }
        }
    }
    found
}

/// `PILOTFISH_UPDATE_CONFORMANCE=1` writes the files instead of judging them, unless a cell is worse.
#[test]
fn no_cell_is_worse_than_what_is_committed() {
    let now = matrix::cells();
    let before: Vec<Cell> = serde_json::from_str(&read("conformance.json")).unwrap_or_default();
    let worse = worse(&before, now);
    assert!(worse.is_empty(), "{}", worse.join("\n"));
    let (json, markdown) = (page::json(now), page::markdown(now));
    if std::env::var_os("PILOTFISH_UPDATE_CONFORMANCE").is_some() {
        std::fs::write(committed("conformance.json"), json).unwrap();
        std::fs::write(committed("conformance.md"), markdown).unwrap();
        return;
    }
    assert!(
        json == read("conformance.json"),
        "docs/conformance.json is not what the codecs do; run `make conformance`"
    );
    assert!(
        markdown == read("conformance.md"),
        "docs/conformance.md is not what the codecs do; run `make conformance`"
    );
}

#[test]
fn nothing_is_lost_in_silence() {
    let is_bad = |words: &Option<String>| {
        words
            .as_deref()
            .is_some_and(|words| Verdict::rank(words) < Verdict::rank("refused: n"))
    };
    let silent: Vec<_> = matrix::cells()
        .iter()
        .filter(|cell| is_bad(&cell.whole) || is_bad(&cell.stream))
        .map(|cell| format!("{cell:?}"))
        .collect();
    assert!(silent.is_empty(), "{}", silent.join("\n"));
}

#[test]
fn losses_are_told_in_the_client_s_own_words() {
    let cells = matrix::cells();
    for client in matrix::CLIENTS {
        let foreign = vocabulary::foreign(cells, client);
        assert!(foreign.is_empty(), "{client:?} clients do not know {foreign:?}");
        assert!(vocabulary::told(cells, client).len() > 10);
    }
}

/// The events that end a stream of Responses say all of its text once more, so that much is held for those clients.
#[test]
fn what_is_held_of_a_stream_does_not_grow_with_it() {
    const PIECES: usize = 1000;
    for client in matrix::CLIENTS {
        for upstream in matrix::UPSTREAMS {
            let pair = Pair {
                client,
                upstream,
                streams: true,
                host: Host::Maker,
            };
            let text = match client {
                ClientDialect::Responses if client.native() != upstream => PIECES * "quince ".len(),
                _ => 0,
            };
            let (short, long) = (pair.held_after(PIECES / 10), pair.held_after(PIECES));
            let most = short + text + 40;
            assert!(long <= most, "{client:?} from {upstream:?}: {short} became {long}");
        }
    }
}

#[test]
fn the_ranks_are_in_order() {
    let order = [
        "lost in silence",
        "failed: x",
        "refused: x",
        "refused unless Warn: x",
        "dropped: x",
        "carried; reported: x",
        "carried",
    ];
    let ranks: Vec<_> = order.iter().map(|words| Verdict::rank(words)).collect();
    assert_eq!(ranks, [0, 1, 2, 3, 4, 5, 6]);
}

/// What `make differences` gives to LiteLLM and to the sidecar alike: all requests, and what upstreams answer.
#[test]
#[ignore = "writes a file for `make differences`, named by PILOTFISH_PROBES"]
fn the_probes_are_written() {
    let requests = matrix::CLIENTS.map(|client| {
        let all = ask::Ask::ALL
            .iter()
            .filter_map(|&ask| Some((ask.name(), ask::request(client, ask)?)));
        (matrix::client_name(client), all.collect::<BTreeMap<_, _>>())
    });
    let answers = matrix::UPSTREAMS.map(|upstream| {
        let all = said::Say::ALL.iter().filter_map(|&say| {
            let said = said::answer(upstream, say)?;
            let stream = said::on_the_wire(upstream, &said.stream);
            Some((
                say.name(),
                json!({"whole": said.whole, "stream": BASE64_STANDARD.encode(stream)}),
            ))
        });
        (matrix::upstream_name(upstream), all.collect::<BTreeMap<_, _>>())
    });
    let probes = json!({"requests": BTreeMap::from(requests), "answers": BTreeMap::from(answers)});
    let file = std::env::var_os("PILOTFISH_PROBES").expect("PILOTFISH_PROBES names the file");
    std::fs::write(file, probes.to_string()).unwrap();
}
