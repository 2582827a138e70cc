//! The rows of the capability table, by family.
//!
//! Windows, largest answers, features and what is refused: the model table that the LiteLLM project publishes, version
//! 1.109.1, as it was in November 2026. Which of the older Claudes think with a budget, and that OpenAI's o-series and
//! its first reasoning models take no sampling, that its models and xAI's that reason take no stop sequences, and the levels
//! and budgets of each Gemini (<https://ai.google.dev/gemini-api/docs/thinking>): the makers' own API references. What
//! these do not say is not said here.

use super::Row;

const BUDGETED: &[&str] = &["Tools", "Vision", "ReasoningBudget"];
const BOTH: &[&str] = &["Tools", "Vision", "Reasoning", "ReasoningBudget"];
const REASONING: &[&str] = &["Tools", "Vision", "Reasoning"];
const SEEING: &[&str] = &["Tools", "Vision"];
const TOOLS: &[&str] = &["Tools"];
const BLIND: &[&str] = &["Tools", "Reasoning"];

const LOW_TO_HIGH: &[&str] = &["low", "medium", "high"];
const FROM_MINIMAL: &[&str] = &["minimal", "low", "medium", "high"];
const FROM_NONE: &[&str] = &["none", "low", "medium", "high"];
const NONE_TO_XHIGH: &[&str] = &["none", "low", "medium", "high", "xhigh"];
const LOW_TO_MAX: &[&str] = &["low", "medium", "high", "xhigh", "max"];
const NONE_TO_MAX: &[&str] = &["none", "low", "medium", "high", "xhigh", "max"];
const SKIPPING_XHIGH: &[&str] = &["low", "medium", "high", "max"];
const LOW_OR_HIGH: &[&str] = &["low", "high"];
const HIGH: &[&str] = &["high"];

/// By family, in alphabetical order.
pub(super) const ROWS: &[Row] = &[
    row("claude-fable-5", 1_000_000)
        .answers(128_000)
        .can(REASONING)
        .refuses(&["Sampling", "Prefill", "ThinkingOff"])
        .efforts(LOW_TO_MAX),
    row("claude-fable-5-1", 1_000_000)
        .answers(128_000)
        .can(REASONING)
        .refuses(&["Sampling", "ForcedTools", "Prefill", "ThinkingOff"])
        .efforts(LOW_TO_MAX),
    row("claude-haiku-4-5", 200_000).answers(64_000).can(BUDGETED),
    row("claude-haiku-5-5", 1_000_000)
        .answers(128_000)
        .can(REASONING)
        .refuses(&["Sampling", "Prefill"])
        .efforts(LOW_TO_MAX),
    row("claude-mythos-5", 1_000_000)
        .answers(128_000)
        .can(REASONING)
        .refuses(&["Sampling", "Prefill", "ThinkingOff"])
        .efforts(LOW_TO_MAX),
    row("claude-mythos-5-1", 1_000_000)
        .answers(128_000)
        .can(REASONING)
        .refuses(&["Sampling", "ForcedTools", "Prefill", "ThinkingOff"])
        .efforts(LOW_TO_MAX),
    row("claude-mythos-preview", 1_000_000)
        .answers(128_000)
        .can(REASONING)
        .refuses(&["Sampling", "Prefill", "ThinkingOff"])
        .efforts(LOW_TO_MAX),
    row("claude-opus-4-5", 200_000).answers(64_000).can(BUDGETED),
    row("claude-opus-4-6", 1_000_000)
        .answers(128_000)
        .can(BOTH)
        .refuses(&["Prefill"])
        .efforts(SKIPPING_XHIGH),
    row("claude-opus-4-7", 1_000_000)
        .answers(128_000)
        .can(REASONING)
        .refuses(&["Sampling", "Prefill"])
        .efforts(LOW_TO_MAX),
    row("claude-opus-4-8", 1_000_000)
        .answers(128_000)
        .can(REASONING)
        .refuses(&["Sampling", "Prefill"])
        .efforts(LOW_TO_MAX),
    row("claude-opus-5", 1_000_000)
        .answers(128_000)
        .can(REASONING)
        .refuses(&["Sampling", "Prefill"])
        .efforts(LOW_TO_MAX),
    row("claude-opus-5-5", 1_000_000)
        .answers(128_000)
        .can(REASONING)
        .refuses(&["Sampling", "ForcedTools", "Prefill", "ThinkingOff"])
        .efforts(LOW_TO_MAX),
    row("claude-sonnet-4-5", 200_000).answers(64_000).can(BUDGETED),
    row("claude-sonnet-4-6", 1_000_000)
        .answers(128_000)
        .can(BOTH)
        .refuses(&["Prefill"])
        .efforts(SKIPPING_XHIGH),
    row("claude-sonnet-5", 1_000_000)
        .answers(128_000)
        .can(REASONING)
        .refuses(&["Sampling", "Prefill"])
        .efforts(LOW_TO_MAX),
    row("claude-sonnet-5-5", 1_000_000)
        .answers(128_000)
        .can(REASONING)
        .refuses(&["Sampling", "ForcedTools", "Prefill", "ThinkingOff"])
        .efforts(LOW_TO_MAX),
    row("command-a-03-2025", 256_000).answers(8_000).can(TOOLS),
    row("command-a-plus", 128_000).answers(64_000),
    row("command-r", 128_000).answers(4_096).can(TOOLS),
    row("gemini-2-5", 1_048_576).answers(65_536).can(BOTH),
    row("gemini-2-5-flash", 1_048_576)
        .answers(65_536)
        .can(BOTH)
        .budgets(1, 24_576),
    row("gemini-2-5-flash-image", 32_768).answers(32_768).can(&["Vision"]),
    row("gemini-2-5-flash-lite", 1_048_576)
        .answers(65_536)
        .can(BOTH)
        .budgets(512, 24_576),
    row("gemini-2-5-pro", 1_048_576)
        .answers(65_536)
        .can(BOTH)
        .refuses(&["ThinkingOff"])
        .budgets(128, 32_768),
    row("gemini-3", 1_048_576).answers(65_536).can(REASONING),
    row("gemini-3-1", 1_048_576).answers(65_536).can(REASONING),
    row("gemini-3-1-flash-lite", 1_048_576)
        .answers(65_536)
        .can(REASONING)
        .efforts(FROM_MINIMAL),
    row("gemini-3-1-pro", 1_048_576)
        .answers(65_536)
        .can(REASONING)
        .refuses(&["ThinkingOff"])
        .efforts(LOW_TO_HIGH),
    row("gemini-3-5-flash", 1_048_576)
        .answers(65_536)
        .can(REASONING)
        .efforts(FROM_MINIMAL),
    row("gemini-3-5-flash-lite", 1_048_576)
        .answers(65_536)
        .can(REASONING)
        .refuses(&["Sampling"])
        .efforts(FROM_MINIMAL),
    row("gemini-3-6", 1_048_576)
        .answers(65_536)
        .can(REASONING)
        .refuses(&["Sampling"])
        .efforts(FROM_MINIMAL),
    row("gemini-3-7", 1_048_576)
        .answers(65_536)
        .can(REASONING)
        .refuses(&["Sampling"])
        .efforts(LOW_TO_HIGH),
    row("gemini-3-8", 1_048_576)
        .answers(65_536)
        .can(REASONING)
        .refuses(&["Sampling"])
        .efforts(LOW_TO_HIGH),
    row("gemini-3-flash", 1_048_576)
        .answers(65_536)
        .can(REASONING)
        .efforts(FROM_MINIMAL),
    row("gemini-3-pro", 1_048_576)
        .answers(65_536)
        .can(REASONING)
        .refuses(&["ThinkingOff"])
        .efforts(LOW_OR_HIGH),
    row("gpt-3-5-turbo", 16_385).answers(4_096).can(TOOLS),
    row("gpt-4", 8_192).answers(4_096).can(TOOLS),
    row("gpt-4-1", 1_047_576).answers(32_768).can(SEEING),
    row("gpt-4-turbo", 128_000).answers(4_096).can(SEEING),
    row("gpt-4o", 128_000).answers(16_384).can(SEEING),
    row("gpt-5", 272_000)
        .answers(128_000)
        .can(REASONING)
        .refuses(&["Sampling", "Stop"])
        .efforts(FROM_MINIMAL),
    row("gpt-5-1", 272_000)
        .answers(128_000)
        .can(REASONING)
        .refuses(&["Stop"])
        .efforts(FROM_NONE),
    row("gpt-5-1-chat", 128_000).answers(16_384),
    row("gpt-5-2", 272_000)
        .answers(128_000)
        .can(REASONING)
        .refuses(&["Stop"])
        .efforts(NONE_TO_XHIGH),
    row("gpt-5-2-chat", 128_000).answers(16_384),
    row("gpt-5-3-chat", 128_000).answers(16_384),
    row("gpt-5-4", 1_050_000)
        .answers(128_000)
        .can(REASONING)
        .refuses(&["Stop"])
        .efforts(NONE_TO_XHIGH),
    row("gpt-5-4-mini", 272_000)
        .answers(128_000)
        .can(REASONING)
        .refuses(&["Stop"])
        .efforts(NONE_TO_XHIGH),
    row("gpt-5-4-nano", 272_000)
        .answers(128_000)
        .can(REASONING)
        .refuses(&["Stop"])
        .efforts(NONE_TO_XHIGH),
    row("gpt-5-5", 1_050_000)
        .answers(128_000)
        .can(REASONING)
        .refuses(&["Stop"])
        .efforts(NONE_TO_XHIGH),
    row("gpt-5-6", 922_000)
        .answers(128_000)
        .can(REASONING)
        .refuses(&["Stop"])
        .efforts(NONE_TO_XHIGH),
    row("gpt-5-chat", 128_000).answers(16_384),
    row("gpt-5-pro", 400_000)
        .answers(272_000)
        .can(REASONING)
        .refuses(&["Sampling", "Stop"])
        .efforts(HIGH),
    row("gpt-6-1-sol", 922_000)
        .answers(128_000)
        .can(REASONING)
        .refuses(&["Stop"])
        .efforts(LOW_TO_MAX),
    row("gpt-6-1-terra", 922_000)
        .answers(128_000)
        .can(REASONING)
        .refuses(&["Stop"])
        .efforts(LOW_TO_MAX),
    row("gpt-6-astra", 922_000)
        .answers(128_000)
        .can(REASONING)
        .refuses(&["Stop"])
        .efforts(LOW_TO_MAX),
    row("gpt-6-luna", 922_000)
        .answers(128_000)
        .can(REASONING)
        .refuses(&["Stop"])
        .efforts(NONE_TO_MAX),
    row("gpt-6-sol", 922_000)
        .answers(128_000)
        .can(REASONING)
        .refuses(&["Stop"])
        .efforts(NONE_TO_MAX),
    row("grok-4-20", 1_000_000).refuses(&["Stop"]),
    row("grok-4-3", 1_000_000).refuses(&["Stop"]),
    row("grok-4-5", 500_000).refuses(&["Stop"]),
    row("grok-4-6", 500_000).refuses(&["Stop"]),
    row("grok-4-7", 500_000).refuses(&["Stop"]),
    row("grok-code-fast", 256_000),
    row("mistral-large-3", 262_144),
    row("mistral-large-4", 1_048_576),
    row("mistral-large-latest", 262_144),
    row("nova-2", 1_000_000).answers(64_000).can(SEEING),
    row("nova-lite", 300_000).answers(10_000).can(SEEING),
    row("nova-micro", 128_000).answers(10_000).can(TOOLS),
    row("nova-premier", 1_000_000).answers(10_000).can(SEEING),
    row("nova-pro", 300_000).answers(10_000).can(SEEING),
    row("o1", 200_000)
        .answers(100_000)
        .can(REASONING)
        .refuses(&["Sampling", "Stop"])
        .efforts(LOW_TO_HIGH),
    row("o3", 200_000)
        .answers(100_000)
        .can(REASONING)
        .refuses(&["Sampling", "Stop"])
        .efforts(LOW_TO_HIGH),
    row("o3-mini", 200_000)
        .answers(100_000)
        .can(BLIND)
        .refuses(&["Sampling", "Stop"])
        .efforts(LOW_TO_HIGH),
    row("o4-mini", 200_000)
        .answers(100_000)
        .can(REASONING)
        .refuses(&["Sampling", "Stop"])
        .efforts(LOW_TO_HIGH),
];

/// A family of which only the window is known.
const fn row(family: &'static str, context_tokens: u64) -> Row {
    Row {
        family,
        context_tokens,
        max_output_tokens: None,
        features: None,
        refuses: &[],
        efforts: &[],
        budget: None,
    }
}

impl Row {
    const fn answers(mut self, most: u64) -> Self {
        self.max_output_tokens = Some(most);
        self
    }

    const fn can(mut self, features: &'static [&'static str]) -> Self {
        self.features = Some(features);
        self
    }

    const fn refuses(mut self, words: &'static [&'static str]) -> Self {
        self.refuses = words;
        self
    }

    const fn budgets(mut self, least: u64, most: u64) -> Self {
        self.budget = Some((least, most));
        self
    }

    const fn efforts(mut self, words: &'static [&'static str]) -> Self {
        self.efforts = words;
        self
    }
}
