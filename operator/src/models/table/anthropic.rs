//! Claude.

use super::super::row::Word::{
    Audio, Documents, ForcedTools, Prefill, Reasoning, ReasoningBudget, Sampling, StructuredOutput, ThinkingOff, Tools,
    Vision,
};
use super::super::row::{Row, Said, Word, by, row};
use super::super::source::{ANTHROPIC_MODELS, ANTHROPIC_OUTPUTS, ANTHROPIC_THINKING, LITELLM};
use super::LOW_TO_MAX;

const SKIPPING_XHIGH: &[&str] = &["low", "medium", "high", "max"];
const ADAPTIVE: &[Word] = &[Tools, Vision, Documents, StructuredOutput, Reasoning];
const BUDGETED: &[Word] = &[Tools, Vision, Documents, ReasoningBudget, Prefill];

/// It hears nothing.
const DEAF: Said = by(&ANTHROPIC_MODELS).cannot(&[Audio]);
/// Thoughts are left out of an answer unless they are asked for.
const SILENT: Said = by(&ANTHROPIC_THINKING).cannot(&[ReasoningBudget]).silent();
const BY_BUDGET: Said = by(&ANTHROPIC_THINKING).cannot(&[Reasoning]);
const THOUGHTLESS: Said = by(&ANTHROPIC_THINKING).cannot(super::THOUGHTLESS);
const SHAPELESS: Said = by(&ANTHROPIC_OUTPUTS).cannot(&[StructuredOutput]);
const SHAPED: Said = by(&ANTHROPIC_OUTPUTS).can(&[StructuredOutput]);

const NEWER: Said = by(&LITELLM)
    .window(1_000_000)
    .answers(128_000)
    .can(ADAPTIVE)
    .cannot(&[Sampling, Prefill])
    .efforts(LOW_TO_MAX)
    .caches_from(512);
const ALWAYS: Said = NEWER.cannot(&[Sampling, Prefill, ThinkingOff]);
const UNFORCED: Said = NEWER.cannot(&[Sampling, ForcedTools, Prefill, ThinkingOff]);
const BOTH_WAYS: Said = by(&LITELLM)
    .window(1_000_000)
    .answers(128_000)
    .can(&[Tools, Vision, Documents, StructuredOutput, Reasoning, ReasoningBudget])
    .cannot(&[Prefill])
    .efforts(SKIPPING_XHIGH);
const OLDER: Said = by(&LITELLM).window(200_000).can(BUDGETED);
const OLDEST: Said = by(&LITELLM)
    .window(200_000)
    .can(&[Tools, Vision, Prefill])
    .answers(4_096);

pub(super) const ROWS: &[Row] = &[
    row(&["claude-3-haiku"], [OLDEST, DEAF, SHAPELESS, THOUGHTLESS]),
    row(&["claude-3-opus"], [OLDEST, DEAF, SHAPELESS, THOUGHTLESS]),
    row(&["claude-3-sonnet"], [OLDEST, DEAF, SHAPELESS, THOUGHTLESS]),
    row(
        &["claude-3-5-haiku"],
        [
            OLDEST
                .answers(8_192)
                .can(&[Tools, Vision, Documents, Prefill])
                .caches_from(2_048),
            DEAF,
            SHAPELESS,
            THOUGHTLESS,
        ],
    ),
    row(
        &["claude-3-5-sonnet"],
        [
            OLDEST.answers(8_192).can(&[Tools, Vision, Documents, Prefill]),
            DEAF,
            SHAPELESS,
            THOUGHTLESS,
        ],
    ),
    row(
        &["claude-3-7-sonnet"],
        [OLDER.answers(64_000), DEAF, SHAPELESS, BY_BUDGET],
    ),
    row(&["claude-fable-5"], [ALWAYS, SILENT, DEAF]),
    row(&["claude-fable-5-1"], [UNFORCED, SILENT, DEAF]),
    row(
        &["claude-haiku-4-5"],
        [OLDER.answers(64_000).caches_from(4_096), SHAPED, DEAF, BY_BUDGET],
    ),
    row(&["claude-haiku-5-5"], [NEWER, SILENT, DEAF]),
    row(&["claude-mythos-5"], [ALWAYS, SILENT, DEAF]),
    row(&["claude-mythos-5-1"], [UNFORCED, SILENT, DEAF]),
    row(&["claude-mythos-preview"], [ALWAYS, SILENT, DEAF]),
    row(
        &["claude-opus-4"],
        [OLDER.answers(32_000).caches_from(1_024), DEAF, SHAPELESS, BY_BUDGET],
    ),
    row(
        &["claude-opus-4-1"],
        [OLDER.answers(32_000).caches_from(1_024), SHAPED, DEAF, BY_BUDGET],
    ),
    row(
        &["claude-opus-4-5"],
        [OLDER.answers(64_000).caches_from(4_096), SHAPED, DEAF, BY_BUDGET],
    ),
    row(&["claude-opus-4-6"], [BOTH_WAYS.caches_from(4_096), DEAF]),
    row(&["claude-opus-4-7"], [NEWER.caches_from(2_048), SILENT, DEAF]),
    row(&["claude-opus-4-8"], [NEWER.caches_from(1_024), SILENT, DEAF]),
    row(&["claude-opus-5"], [NEWER, SILENT, DEAF]),
    row(&["claude-opus-5-5"], [UNFORCED, SILENT, DEAF]),
    row(
        &["claude-sonnet-4"],
        [OLDER.answers(64_000).caches_from(1_024), DEAF, SHAPELESS, BY_BUDGET],
    ),
    row(
        &["claude-sonnet-4-5"],
        [OLDER.answers(64_000).caches_from(1_024), SHAPED, DEAF, BY_BUDGET],
    ),
    row(&["claude-sonnet-4-6"], [BOTH_WAYS.caches_from(1_024), DEAF]),
    row(&["claude-sonnet-5"], [NEWER.caches_from(1_024), SILENT, DEAF]),
    row(&["claude-sonnet-5-5"], [UNFORCED, SILENT, DEAF]),
];
