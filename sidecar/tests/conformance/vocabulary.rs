//! The words in which each client may be told what was lost: those of its own dialect.

use crate::matrix::{self, Cell};
use pilotfish_sidecar::dialect::ClientDialect;
use std::collections::BTreeSet;

/// Paths with their positions left out, as each dialect's reference has them.
fn words(client: ClientDialect) -> &'static [&'static str] {
    match client {
        ClientDialect::Chat => CHAT,
        ClientDialect::Responses => RESPONSES,
        ClientDialect::Messages => MESSAGES,
        ClientDialect::Gemini => GEMINI,
    }
}

const CHAT: &[&str] = &[
    "cache_control",
    "frequency_penalty",
    "input",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "messages",
    "messages[].content",
    "messages[].content[]",
    "messages[].tool_calls[]",
    "metadata",
    "n",
    "parallel_tool_calls",
    "presence_penalty",
    "prompt_cache_key",
    "reasoning",
    "reasoning_effort",
    "response_format",
    "safety_identifier",
    "seed",
    "service_tier",
    "stop",
    "store",
    "thinking",
    "tool_choice",
    "tools[]",
    "tools[].function.parameters",
    "tools[].function.strict",
    "top_k",
    "top_logprobs",
    "user",
    "verbosity",
    "web_search_options",
];

const RESPONSES: &[&str] = &[
    "include",
    "input",
    "input[]",
    "input[].content",
    "input[].content[]",
    "input[].output[]",
    "max_output_tokens",
    "metadata",
    "parallel_tool_calls",
    "previous_response_id",
    "prompt_cache_key",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "store",
    "text.format",
    "text.verbosity",
    "tool_choice",
    "tools[]",
    "tools[].parameters",
    "tools[].strict",
    "top_logprobs",
    "user",
];

const MESSAGES: &[&str] = &[
    "cache_control",
    "container",
    "max_tokens",
    "messages",
    "messages[].content",
    "messages[].content[]",
    "messages[].content[].is_error",
    "metadata.user_id",
    "output_config.effort",
    "output_config.format",
    "service_tier",
    "stop_sequences",
    "thinking",
    "tool_choice",
    "tool_choice.disable_parallel_tool_use",
    "tools[]",
    "tools[].input_schema",
    "tools[].strict",
    "top_k",
];

const GEMINI: &[&str] = &[
    "cachedContent",
    "contents",
    "contents[].parts",
    "contents[].parts[]",
    "contents[].parts[].functionResponse.response.error",
    "generationConfig.candidateCount",
    "generationConfig.frequencyPenalty",
    "generationConfig.logprobs",
    "generationConfig.presencePenalty",
    "generationConfig.responseLogprobs",
    "generationConfig.responseMimeType",
    "generationConfig.responseSchema",
    "generationConfig.seed",
    "generationConfig.stopSequences",
    "generationConfig.thinkingConfig",
    "generationConfig.topK",
    "labels",
    "serviceTier",
    "systemInstruction",
    "taskType",
    "toolConfig.functionCallingConfig",
    "tools[].functionDeclarations[].parameters",
    "tools[].googleSearch",
];

/// The fields that a client is told of, as the verdicts have them; what a probe made up and what is an answer's aside.
pub(crate) fn told(cells: &[Cell], client: ClientDialect) -> BTreeSet<String> {
    let verdicts = cells.iter().filter(|cell| cell.client == matrix::client_name(client));
    let verdicts = verdicts.flat_map(|cell| [&cell.whole, &cell.stream]).flatten();
    let fields = verdicts
        .filter_map(|verdict| verdict.split_once(": "))
        .flat_map(|(_, fields)| fields.split(", "));
    let named = fields.filter(|field| !field.starts_with("answer.") && !field.to_lowercase().ends_with("quince"));
    // A reason has spaces where a path has none.
    named
        .map(without_positions)
        .filter(|path| !path.contains(' '))
        .collect()
}

/// `messages[2].content[0] (kind)` → `messages[].content[]`.
fn without_positions(field: &str) -> String {
    let path = field.split(" (").next().unwrap_or(field);
    path.chars().filter(|letter| !letter.is_ascii_digit()).collect()
}

/// Those that are not words of its own.
pub(crate) fn foreign(cells: &[Cell], client: ClientDialect) -> Vec<String> {
    let own = words(client);
    let mut told = told(cells, client);
    told.retain(|word| !own.contains(&&**word));
    told.into_iter().collect()
}
