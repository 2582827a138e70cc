//! The capability table: what is known of a model by its name, so that nobody has to write it into a deployment.
//!
//! What `spec.capabilities` says goes before the table, field by field; of a model that is in no row nothing is assumed
//! and nothing is withheld.

mod table;

use pilotfish_wire as wire;
use table::ROWS;

/// What is known of a family of models.
#[derive(Clone, Copy, Debug)]
struct Row {
    /// The family's name, lower case, versions with hyphens: `claude-opus-4-5`.
    family: &'static str,
    /// Most input tokens.
    context_tokens: u64,
    /// Most output tokens.
    max_output_tokens: Option<u64>,
    /// All that it can do beyond text, in the words of `spec.capabilities.features`; `None` where too little is known to
    /// say what it lacks.
    features: Option<&'static [&'static str]>,
    /// In the words of `spec.capabilities.refuses`.
    refuses: &'static [&'static str],
    /// In the words of `spec.capabilities.reasoningEfforts`; none where nothing is known.
    efforts: &'static [&'static str],
    /// The least and the most budget for reasoning, tokens, of those that have one.
    budget: Option<(u64, u64)>,
}

/// What is known of the model that a provider calls `name`: of its own API (`claude-sonnet-4-5-20250929`), of a cloud
/// (`eu.anthropic.claude-sonnet-4-5-20250929-v1:0`, `claude-sonnet-4-5@20250929`) or of a router
/// (`anthropic/claude-sonnet-4.5`).
pub fn known(name: &str) -> wire::Capabilities {
    let Some(row) = row(name) else {
        return wire::Capabilities::default();
    };
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    wire::Capabilities {
        context_tokens: Some(row.context_tokens),
        max_output_tokens: row.max_output_tokens,
        features: row.features.map(words),
        refuses: words(row.refuses),
        reasoning_efforts: words(row.efforts),
        reasoning_tokens: row.budget.map(|(least, most)| wire::TokenRange { least, most }),
    }
}

/// The row with the longest family that `name` belongs to.
fn row(name: &str) -> Option<&'static Row> {
    let name = name.to_ascii_lowercase().replace('.', "-");
    // `org/name`, `models/name`; and on Bedrock `maker.name`, with the region before it.
    let model = name.rsplit('/').next()?;
    let starts = std::iter::once(0).chain(model.match_indices('-').map(|(at, _)| at + 1));
    starts
        .filter_map(|start| {
            let model = model.get(start..).unwrap_or_default();
            let of_it = |row: &&Row| model.strip_prefix(row.family).is_some_and(ends_family);
            ROWS.iter().filter(of_it).max_by_key(|row| row.family.len())
        })
        .max_by_key(|row| row.family.len())
}

/// Whether what follows a family's name still names one of that family: a date, a variant, a cloud's revision, but not
/// another version.
fn ends_family(rest: &str) -> bool {
    let Some(rest) = rest.strip_prefix(['-', '@', ':']) else {
        return rest.is_empty();
    };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let word_ends = rest
        .as_bytes()
        .get(digits)
        .is_none_or(|next| !next.is_ascii_alphabetic());
    // Dates have four digits or more: 0613, 2411, 20250929.
    !(1..=3).contains(&digits) || !word_ends
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
            ("claude-sonnet-4", None),
            // Somebody's own name.
            ("gpt-4oracle", None),
            ("my-model", None),
            ("", None),
            ("-", None),
        ] {
            assert_eq!(row(name).map(|row| row.family), expected, "{name:?}");
        }
    }

    #[test]
    fn the_table_holds_only_words_that_a_deployment_may_use() {
        use pilotfish_crds::deployment::Capabilities;
        for row in ROWS {
            let spelled = serde_json::json!({
                "features": row.features, "refuses": row.refuses, "reasoningEfforts": row.efforts,
            });
            let parsed = serde_json::from_value::<Capabilities>(spelled);
            assert!(parsed.is_ok(), "{}: {parsed:?}", row.family);
            assert_eq!(row.family, row.family.to_ascii_lowercase().replace('.', "-"));
            assert!(
                row.max_output_tokens.is_none_or(|most| most <= row.context_tokens),
                "{}",
                row.family
            );
        }
    }

    #[test]
    fn the_rows_are_in_order_and_distinct() {
        assert!(ROWS.is_sorted_by(|a, b| a.family < b.family));
    }
}
