//! The rows of the capability table, a room for each maker.
//!
//! What a maker's own documents say goes before what others say of its models. Of models that everybody may serve, the
//! longest answer and what a server makes of files are the server's, and stand in no row.

mod amazon;
mod anthropic;
mod cohere;
mod deepseek;
mod google;
mod meta;
mod mistral;
mod openai;
mod others;
mod qwen;
mod xai;

use super::row::{Row, Word};

/// The rooms, by their makers.
pub(super) const ROOMS: &[(&str, &[Row])] = &[
    ("Amazon", amazon::ROWS),
    ("Anthropic", anthropic::ROWS),
    ("Cohere", cohere::ROWS),
    ("DeepSeek", deepseek::ROWS),
    ("Google", google::ROWS),
    ("Meta", meta::ROWS),
    ("Mistral", mistral::ROWS),
    ("OpenAI", openai::ROWS),
    ("Qwen", qwen::ROWS),
    ("xAI", xai::ROWS),
    ("Others", others::ROWS),
];

const LOW_TO_HIGH: &[&str] = &["low", "medium", "high"];
const FROM_MINIMAL: &[&str] = &["minimal", "low", "medium", "high"];
const LOW_TO_MAX: &[&str] = &["low", "medium", "high", "xhigh", "max"];
const LOW_OR_HIGH: &[&str] = &["low", "high"];
const NONE_OR_HIGH: &[&str] = &["none", "high"];

/// Thinks in neither way.
const THOUGHTLESS: &[Word] = &[Word::Reasoning, Word::ReasoningBudget];
/// Reads and writes text alone, and does not think.
const PLAIN: &[Word] = &[Word::Vision, Word::Reasoning, Word::ReasoningBudget];
const TOOLS: &[Word] = &[Word::Tools];
const SEEING: &[Word] = &[Word::Tools, Word::Vision];
const THINKING: &[Word] = &[Word::Tools, Word::Reasoning];
const SEEING_AND_THINKING: &[Word] = &[Word::Tools, Word::Vision, Word::Reasoning];
