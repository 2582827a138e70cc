//! Mistral's models, which have names after their purposes.

use super::super::row::Word::{Audio, Prefill, Reasoning, ReasoningBudget, StructuredOutput, Tools, Vision};
use super::super::row::{Row, Said, Word, by, open, row};
use super::super::source::{LITELLM, MISTRAL_MODELS};
use super::{NONE_OR_HIGH, THOUGHTLESS};

const WRITING: &[Word] = &[Tools, StructuredOutput, Prefill];
const SEEING: &[Word] = &[Tools, Vision, StructuredOutput, Prefill];
const HYBRID: &[Word] = &[Tools, Vision, StructuredOutput, Prefill, Reasoning];

/// Text alone, and no thoughts.
const PLAIN: Said = by(&MISTRAL_MODELS).cannot(&[Vision, Audio, Reasoning, ReasoningBudget]);
const DEAF: Said = by(&MISTRAL_MODELS).cannot(&[Audio, Reasoning, ReasoningBudget]);
const THINKS: Said = by(&MISTRAL_MODELS).cannot(&[Audio, ReasoningBudget]);

const SHORT: Said = by(&LITELLM).window(131_072).can(WRITING);
const LONG: Said = by(&LITELLM).window(262_144).can(WRITING);

pub(super) const ROWS: &[Row] = &[
    row(&["codestral"], [LONG.window(256_000), PLAIN]),
    row(&["devstral"], [LONG, by(&MISTRAL_MODELS).cannot(&[Audio])]),
    open(
        &["devstral-2"],
        [by(&LITELLM).window(262_144).can(WRITING).cannot(&[Vision, Audio])],
    ),
    open(
        &["magistral"],
        [
            by(&LITELLM).window(262_144).can(&[Tools, StructuredOutput, Reasoning]),
            by(&MISTRAL_MODELS).cannot(&[Audio]),
        ],
    ),
    open(
        &[
            "magistral-medium-2509",
            "magistral-small-2509",
            "magistral-medium-latest",
            "magistral-small-latest",
        ],
        [
            by(&LITELLM).window(262_144).can(HYBRID),
            by(&MISTRAL_MODELS).cannot(&[Audio]),
        ],
    ),
    open(&["ministral", "ministral-3", "ministral-14b"], [LONG.can(SEEING), DEAF]),
    open(
        &["ministral-3b-2410", "ministral-8b-2410"],
        [by(&MISTRAL_MODELS).window(131_072), PLAIN],
    ),
    open(&["mistral-7b"], [by(&LITELLM).window(32_768), PLAIN]),
    row(
        &["mistral-large-2", "mistral-large-2407", "mistral-large-2411"],
        [SHORT, PLAIN],
    ),
    row(
        &["mistral-large-2402"],
        [by(&LITELLM).window(32_000).can(&[Tools]), PLAIN],
    ),
    open(
        &["mistral-large-3", "mistral-large-2512", "mistral-large-latest"],
        [LONG.can(SEEING), DEAF],
    ),
    row(
        &["mistral-large-4"],
        [by(&LITELLM).window(1_048_576).can(HYBRID).efforts(NONE_OR_HIGH), THINKS],
    ),
    row(
        &["mistral-medium-2505", "mistral-medium-2508", "mistral-medium-3-1"],
        [by(&MISTRAL_MODELS)
            .window(131_072)
            .can(SEEING)
            .cannot(&[Audio, Reasoning, ReasoningBudget])],
    ),
    row(
        &["mistral-medium-2604", "mistral-medium-3-5", "mistral-medium-latest"],
        [by(&LITELLM).window(262_144).can(HYBRID).efforts(NONE_OR_HIGH), THINKS],
    ),
    open(
        &["mistral-nemo", "open-mistral-nemo"],
        [by(&LITELLM).window(131_072), PLAIN],
    ),
    open(
        &["mistral-small-2402", "mistral-small-2409"],
        [by(&LITELLM).window(32_768).can(&[Tools]), PLAIN],
    ),
    open(
        &["mistral-small-2501", "mistral-small-24b-instruct-2501"],
        [by(&MISTRAL_MODELS).window(32_768), PLAIN],
    ),
    open(
        &[
            "mistral-small-2503",
            "mistral-small-2506",
            "mistral-small-3-1",
            "mistral-small-3-2",
        ],
        [by(&MISTRAL_MODELS).window(131_072).can(SEEING), DEAF],
    ),
    row(
        &["mistral-small-2603", "mistral-small-4", "mistral-small-latest"],
        [by(&LITELLM).window(262_144).can(HYBRID).efforts(NONE_OR_HIGH), THINKS],
    ),
    open(&["mixtral-8x7b"], [by(&LITELLM).window(32_768), PLAIN]),
    open(&["mixtral-8x22b"], [by(&MISTRAL_MODELS).window(65_536), PLAIN]),
    row(
        &["pixtral"],
        [
            SHORT.can(SEEING),
            by(&MISTRAL_MODELS).cannot(THOUGHTLESS),
            by(&MISTRAL_MODELS).cannot(&[Audio]),
        ],
    ),
    open(
        &["voxtral"],
        [
            by(&LITELLM).window(32_768).can(&[Audio]),
            by(&MISTRAL_MODELS).cannot(&[Vision, Reasoning, ReasoningBudget]),
        ],
    ),
];
