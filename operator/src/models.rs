//! The capability table: what is known of a model by its name, so that nobody has to write it into a deployment.
//!
//! What `spec.capabilities` says goes before the table, field by field; of a model that is in no row nothing is assumed
//! and nothing is withheld. A row is a wildcard: it stands for whatever begins with one of its names and is not another
//! version.

mod name;
#[cfg(test)]
mod page;
mod row;
mod source;
mod table;

use name::Name;
use pilotfish_wire as wire;
use row::{Row, Word};
use std::sync::LazyLock;
use table::ROOMS;

/// Every name of every row, spelt as names are compared.
static FAMILIES: LazyLock<Vec<(String, &'static Row)>> = LazyLock::new(|| {
    let rows = ROOMS.iter().flat_map(|(_, rows)| rows.iter());
    rows.flat_map(|row| row.names.iter().map(move |name| (name::spelt(name), row)))
        .collect()
});

/// What is known of the model that a provider calls `name`: of its own API (`claude-sonnet-4-5-20250929`), of a cloud
/// (`eu.anthropic.claude-sonnet-4-5-20250929-v1:0`, `claude-sonnet-4-5@20250929`), of a router
/// (`anthropic/claude-sonnet-4.5`) or of whoever serves open weights (`meta-llama/Llama-3.3-70B-Instruct`,
/// `llama3.3:70b`, `accounts/fireworks/models/llama-v3p3-70b-instruct`).
pub fn known(name: &str) -> wire::Capabilities {
    row(name).map(told).unwrap_or_default()
}

/// A row as a sidecar is told it. A list of features is complete; where it cannot be, what a model is known to lack is
/// among what it refuses.
fn told(row: &Row) -> wire::Capabilities {
    let can = |word: Word| row.can(word).map(|(can, _)| can);
    let is_complete = Word::FEATURES.into_iter().all(|word| can(word).is_some());
    let features = Word::FEATURES.into_iter().filter(|word| can(*word) == Some(true));
    let refused = Word::ALL.into_iter().filter(|word| can(*word) == Some(false));
    let refused = refused.filter(|word| !(is_complete && Word::FEATURES.contains(word)));
    let efforts = row.first(|said| Some(said.efforts).filter(|efforts| !efforts.is_empty()));
    let owned = |word: &str| word.to_owned();
    wire::Capabilities {
        context_tokens: value(row.first(|said| said.window)),
        max_output_tokens: value(row.first(|said| said.answers)),
        features: is_complete.then(|| features.map(Word::as_str).map(owned).collect()),
        refuses: refused.map(Word::as_str).map(owned).collect(),
        reasoning_efforts: value(efforts).unwrap_or_default().iter().copied().map(owned).collect(),
        default_reasoning_effort: value(row.first(|said| said.unasked)).map(owned),
        reasoning_tokens: value(row.first(|said| said.budget)).map(|(least, most)| wire::TokenRange { least, most }),
        thinks_silently: row.said().any(|said| said.is_silent),
        cached_from_tokens: value(row.first(|said| said.caches_from)),
    }
}

fn value<T>(fact: Option<row::Fact<T>>) -> Option<T> {
    fact.map(|(value, _)| value)
}

/// The row with the longest name that `name` belongs to.
fn row(name: &str) -> Option<&'static Row> {
    let name = Name::of(name);
    let named = FAMILIES
        .iter()
        .filter(|(family, row)| name.belongs_to(family, row.is_open));
    named.max_by_key(|(family, _)| family.len()).map(|(_, row)| *row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_found_by_whatever_name_it_is_called() {
        for (name, expected) in [
            ("claude-sonnet-4-5", Some("claude-sonnet-4-5")),
            ("claude-sonnet-4-5-20250929", Some("claude-sonnet-4-5")),
            ("claude-sonnet-4-5@20250929", Some("claude-sonnet-4-5")),
            (
                "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
                Some("claude-sonnet-4-5"),
            ),
            ("anthropic/claude-sonnet-4.5", Some("claude-sonnet-4-5")),
            ("anthropic/claude-sonnet-4.5:beta", Some("claude-sonnet-4-5")),
            ("GPT-4o-2024-08-06", Some("gpt-4o")),
            ("gpt-4o-mini", Some("gpt-4o")),
            ("openai/gpt-5.1", Some("gpt-5-1")),
            ("gpt-5-2025-08-07", Some("gpt-5")),
            ("models/gemini-2.5-pro", Some("gemini-2-5-pro")),
            ("gemini-2.5-flash-image", Some("gemini-2-5-flash-image")),
            ("gemini-2.5-flash-lite", Some("gemini-2-5-flash-lite")),
            ("gemini-3-pro-preview", Some("gemini-3-pro")),
            // Another version is another model.
            ("gpt-5.9", None),
            ("claude-sonnet-4-9", None),
            ("claude-sonnet-4", Some("claude-sonnet-4")),
            ("claude-sonnet-4-20250514", Some("claude-sonnet-4")),
            ("gemini-2.0-flash-001", Some("gemini-2-0-flash")),
            ("command-r-plus-08-2024", Some("command-r")),
            ("prod-gpt-4o", Some("gpt-4o")),
            ("databricks-claude-opus-4-1", Some("claude-opus-4-1")),
            ("us.amazon.nova-pro-v1:0", Some("nova-pro")),
            // Everybody who serves open weights has a spelling of his own.
            ("meta-llama/Llama-3.3-70B-Instruct-Turbo", Some("llama-3-3")),
            ("llama3.3:70b-instruct-q4_K_M", Some("llama-3-3")),
            ("us.meta.llama3-3-70b-instruct-v1:0", Some("llama-3-3")),
            ("databricks-meta-llama-3-3-70b-instruct", Some("llama-3-3")),
            ("accounts/fireworks/models/llama-v3p3-70b-instruct", Some("llama-3-3")),
            ("@cf/meta/llama-3.1-8b-instruct-fp8-fast", Some("llama-3-1")),
            ("Meta-Llama-3-70B-Instruct", Some("llama-3")),
            ("llama-3.2-11b-vision-preview", Some("llama-3-2-11b")),
            ("accounts/fireworks/models/deepseek-v3p1", Some("deepseek-v3-1")),
            ("deepseek-ai/DeepSeek-V3-0324", Some("deepseek-v3")),
            ("us.deepseek.r1-v1:0", Some("deepseek-r1")),
            ("deepseek-r1-distill-llama-70b", Some("deepseek-r1-distill")),
            ("openai/gpt-oss-120b", Some("gpt-oss")),
            ("gpt-oss:20b-cloud", Some("gpt-oss")),
            ("moonshotai/Kimi-K2-Instruct-0905", Some("kimi-k2")),
            ("moonshotai.kimi-k2.5", Some("kimi-k2-5")),
            ("qwen/qwen3-235b-a22b:free", Some("qwen3")),
            ("qwen.qwen3-coder-480b-a35b-v1:0", Some("qwen3-coder")),
            ("mistral-small-latest", Some("mistral-small-2603")),
            ("mistral-medium-2508", Some("mistral-medium-2505")),
            ("zai-org/GLM-4.6", Some("glm-4-6")),
            // Of somebody else's making out of them.
            ("nousresearch/hermes-3-llama-3.1-405b", None),
            ("nvidia/llama-3.3-nemotron-super-49b-v1", Some("llama-3-3-nemotron")),
            // Somebody's own name.
            ("gpt-4oracle", None),
            ("my-model", None),
            ("", None),
            ("-", None),
        ] {
            assert_eq!(row(name).map(|row| row.names[0]), expected, "{name:?}");
        }
    }

    #[test]
    fn the_table_holds_only_words_that_a_deployment_may_use() {
        use pilotfish_crds::deployment::Capabilities;
        for (_, row) in FAMILIES.iter() {
            let name = row.names[0];
            let told = told(row);
            let spelled = serde_json::json!({
                "contextTokens": told.context_tokens, "maxOutputTokens": told.max_output_tokens,
                "features": told.features, "refuses": told.refuses, "reasoningEfforts": told.reasoning_efforts,
                "defaultReasoningEffort": told.default_reasoning_effort, "cachedFromTokens": told.cached_from_tokens,
            });
            let parsed = serde_json::from_value::<Capabilities>(spelled);
            assert!(parsed.is_ok(), "{name}: {parsed:?}");
            let (window, answers) = (told.context_tokens, told.max_output_tokens);
            assert!(
                answers.is_none_or(|answers| window.is_none_or(|window| answers <= window)),
                "{name}"
            );
        }
    }

    #[test]
    fn no_source_contradicts_itself_and_no_name_is_in_two_rows() {
        let mut names: Vec<_> = FAMILIES.iter().map(|(family, _)| family).collect();
        names.sort();
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
        for (_, row) in FAMILIES.iter() {
            assert!(row.said().count() > 0, "{:?}", row.names);
            for said in row.said() {
                let both = said.can.iter().find(|word| said.cannot.contains(word));
                assert_eq!(both, None, "{:?}, {}", row.names, said.source.name);
            }
        }
    }

    #[test]
    fn a_fact_that_nobody_states_is_told_to_nobody() {
        let sonar = known("sonar-pro");
        assert_eq!((sonar.features, sonar.refuses), (None, vec![]));
        let kimi = known("kimi-k2-thinking");
        assert_eq!(kimi.features, None, "nobody says whether it takes a budget");
        assert_eq!(kimi.refuses, ["Vision", "Audio"]);
        assert_eq!(known("nova-micro").features, Some(vec!["Tools".to_owned()]));
    }
}
