//! `docs/models.md`: the table as people read it.
//!
//! Compared with what is committed; `UPDATE_GOLDENS=1` writes it.

use super::row::{Fact, Row, Word};
use super::source::Source;
use super::table::ROOMS;
use std::fmt::Write;

const HEAD: &str = "# What is known of models

Written by the operator's tests out of the capability table; `UPDATE_GOLDENS=1 cargo test -p pilotfish-operator` writes it
again. A model is found by the beginning of its name, whoever spells it (`claude-sonnet-4-5`,
`eu.anthropic.claude-sonnet-4-5-20250929-v1:0`, `anthropic/claude-sonnet-4.5`); another version is another model.

`spec.capabilities` of a ModelDeployment goes before all of it. What is in no row, or is left empty here, is unknown:
nothing is assumed, and nothing is withheld. The small letters say who states a fact; the sources are at the end.

- **sees, hears, reads**: images, sound, documents such as PDF. **shape**: answers with JSON of a schema.
- **thinks**: with an effort, with a budget in tokens, or both; then the efforts, the one that is taken unasked with a star,
  or the budgets. **silently**: nothing is to be seen meanwhile.
- **refuses**: sampling, sampling while it thinks, forced tool calls, to go on from the beginning of an answer, stop
  sequences, not to think.
- **cache**: the shortest prompt that is cached, in tokens.
";

/// Letters for sources, in the order in which they occur.
#[derive(Default)]
struct Notes(Vec<&'static Source>);

impl Notes {
    fn of(&mut self, source: &'static Source) -> String {
        let known = self.0.iter().position(|known| *known == source);
        let at = known.unwrap_or_else(|| {
            self.0.push(source);
            self.0.len() - 1
        });
        let letter = |at: usize| char::from(b'a' + u8::try_from(at % 26).unwrap());
        match at / 26 {
            0 => format!("<sup>{}</sup>", letter(at)),
            again => format!("<sup>{}{}</sup>", letter(again - 1), letter(at)),
        }
    }

    fn cell<T>(&mut self, fact: Option<Fact<T>>, show: impl Fn(T) -> String) -> String {
        let Some((value, source)) = fact else {
            return String::new();
        };
        show(value) + &self.of(source)
    }

    fn word(&mut self, row: &Row, word: Word) -> String {
        self.cell(row.can(word), |can| if can { "yes" } else { "no" }.to_owned())
    }
}

fn tokens(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped
}

fn thinking(row: &Row, notes: &mut Notes) -> String {
    let ways = [(Word::Reasoning, "effort"), (Word::ReasoningBudget, "budget")];
    let mut said: Vec<String> = ways
        .into_iter()
        .filter_map(|(word, name)| {
            let (can, source) = row.can(word)?;
            Some(if can { name.to_owned() } else { format!("no {name}") } + &notes.of(source))
        })
        .collect();
    let unasked = row.first(|said| said.unasked);
    if let Some((efforts, source)) = row.first(|said| Some(said.efforts).filter(|efforts| !efforts.is_empty())) {
        let starred = |effort: &&str| match unasked {
            Some((unasked, _)) if unasked == *effort => format!("{effort}\\*"),
            _ => (*effort).to_owned(),
        };
        said.push(efforts.iter().map(starred).collect::<Vec<_>>().join(" ") + &notes.of(source));
    }
    if let Some(((least, most), source)) = row.first(|said| said.budget) {
        said.push(format!("{} to {}{}", tokens(least), tokens(most), notes.of(source)));
    }
    if let Some(said_so) = row.said().find(|said| said.is_silent) {
        said.push("silently".to_owned() + &notes.of(said_so.source));
    }
    said.join(", ")
}

fn refusals(row: &Row, notes: &mut Notes) -> String {
    let words = [
        (Word::Sampling, "sampling"),
        (Word::SamplingWithReasoning, "sampling while it thinks"),
        (Word::ForcedTools, "forced calls"),
        (Word::Prefill, "beginnings"),
        (Word::Stop, "stop"),
        (Word::ThinkingOff, "not to think"),
    ];
    let refused = words.into_iter().filter_map(|(word, name)| {
        let (_, source) = row.can(word).filter(|(can, _)| !can)?;
        Some(name.to_owned() + &notes.of(source))
    });
    refused.collect::<Vec<_>>().join(", ")
}

fn page() -> String {
    let mut notes = Notes::default();
    let mut page = HEAD.to_owned();
    for (maker, rows) in ROOMS {
        write!(page, "\n## {maker}\n\n").unwrap();
        page += "| model | window | answer | tools | sees | hears | reads | shape | thinks | refuses | cache |\n";
        page += "|---|--:|--:|---|---|---|---|---|---|---|--:|\n";
        for row in *rows {
            let names: Vec<_> = row.names.iter().map(|name| format!("`{name}`")).collect();
            let words = [
                Word::Tools,
                Word::Vision,
                Word::Audio,
                Word::Documents,
                Word::StructuredOutput,
            ];
            let window = notes.cell(row.first(|said| said.window), tokens);
            let answers = notes.cell(row.first(|said| said.answers), tokens);
            let words = words.map(|word| notes.word(row, word));
            let (thinks, refuses) = (thinking(row, &mut notes), refusals(row, &mut notes));
            let cache = notes.cell(row.first(|said| said.caches_from), tokens);
            let line = format!(
                "| {} | {window} | {answers} | {} | {thinks} | {refuses} | {cache} |",
                names.join(", "),
                words.join(" | "),
            );
            page += &line;
            page.push('\n');
        }
    }
    page += "\n## Sources\n\n";
    for source in notes.0.clone() {
        writeln!(page, "- {} [{}]({})", notes.of(source), source.name, source.url).unwrap();
    }
    page
}

#[test]
fn the_page_says_what_the_table_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/models.md");
    let page = page();
    if std::env::var_os("UPDATE_GOLDENS").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap();
    assert!(
        committed == page,
        "docs/models.md differs; UPDATE_GOLDENS=1 writes it again"
    );
}
