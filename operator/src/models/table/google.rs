//! Gemini and Gemma.

use super::super::row::Word::{
    Audio, Documents, Reasoning, ReasoningBudget, Sampling, StructuredOutput, ThinkingOff, Tools, Vision,
};
use super::super::row::{Row, Said, Word, by, open, row};
use super::super::source::{GEMMA_CARDS, GOOGLE_MODELS, GOOGLE_THINKING, LITELLM};
use super::{FROM_MINIMAL, LOW_OR_HIGH, LOW_TO_HIGH, THOUGHTLESS};

const ALL_MEDIA: &[Word] = &[Tools, Vision, Audio, Documents, StructuredOutput];

const GEMINI: Said = by(&LITELLM).window(1_048_576).answers(65_536).can(ALL_MEDIA);
const UNSAMPLED: Said = GEMINI.cannot(&[Sampling]);
/// It has both ways, the budget being its own.
const BUDGETED: Said = by(&GOOGLE_THINKING).can(&[Reasoning, ReasoningBudget]);
const LEVELLED: Said = by(&GOOGLE_THINKING).can(&[Reasoning]).cannot(&[ReasoningBudget]);
const ALWAYS: Said = by(&GOOGLE_THINKING)
    .can(&[Reasoning])
    .cannot(&[ReasoningBudget, ThinkingOff]);

pub(super) const ROWS: &[Row] = &[
    row(
        &["gemini-1-5"],
        [by(&GOOGLE_MODELS)
            .window(2_097_152)
            .answers(8_192)
            .can(ALL_MEDIA)
            .cannot(THOUGHTLESS)],
    ),
    row(
        &["gemini-2-0-flash"],
        [by(&GOOGLE_MODELS)
            .window(1_048_576)
            .answers(8_192)
            .can(ALL_MEDIA)
            .cannot(THOUGHTLESS)],
    ),
    row(
        &["gemini-2-0-flash-lite"],
        [by(&GOOGLE_MODELS)
            .window(1_048_576)
            .answers(8_192)
            .can(ALL_MEDIA)
            .cannot(THOUGHTLESS)],
    ),
    row(&["gemini-2-5"], [GEMINI, BUDGETED]),
    row(&["gemini-2-5-flash"], [GEMINI, BUDGETED.budgets(1, 24_576)]),
    row(
        &["gemini-2-5-flash-image"],
        [
            by(&LITELLM).window(32_768).answers(32_768).can(&[Vision]),
            by(&GOOGLE_MODELS).cannot(&[Tools, Reasoning, ReasoningBudget]),
        ],
    ),
    row(&["gemini-2-5-flash-lite"], [GEMINI, BUDGETED.budgets(512, 24_576)]),
    row(
        &["gemini-2-5-pro"],
        [
            GEMINI.caches_from(2_048),
            BUDGETED.cannot(&[ThinkingOff]).budgets(128, 32_768),
        ],
    ),
    row(&["gemini-3"], [GEMINI, LEVELLED]),
    row(&["gemini-3-1"], [GEMINI, LEVELLED]),
    row(&["gemini-3-1-flash-lite"], [GEMINI, LEVELLED.efforts(FROM_MINIMAL)]),
    row(
        &["gemini-3-1-pro"],
        [GEMINI.caches_from(4_096), ALWAYS.efforts(LOW_TO_HIGH)],
    ),
    row(
        &["gemini-3-5-flash"],
        [GEMINI.caches_from(4_096), LEVELLED.efforts(FROM_MINIMAL)],
    ),
    row(&["gemini-3-5-flash-lite"], [UNSAMPLED, LEVELLED.efforts(FROM_MINIMAL)]),
    row(
        &["gemini-3-6"],
        [UNSAMPLED.caches_from(4_096), LEVELLED.efforts(FROM_MINIMAL)],
    ),
    row(
        &["gemini-3-7"],
        [UNSAMPLED.caches_from(4_096), LEVELLED.efforts(LOW_TO_HIGH)],
    ),
    row(
        &["gemini-3-8"],
        [UNSAMPLED.caches_from(4_096), LEVELLED.efforts(LOW_TO_HIGH)],
    ),
    row(&["gemini-3-flash"], [GEMINI, LEVELLED.efforts(FROM_MINIMAL)]),
    row(&["gemini-3-pro"], [GEMINI, ALWAYS.efforts(LOW_OR_HIGH)]),
    row(
        &["gemini-4-argon"],
        [
            GEMINI.answers(1_048_576).caches_from(4_096),
            by(&LITELLM).can(&[Reasoning]),
        ],
    ),
    open(
        &["gemma-2"],
        [
            by(&LITELLM).window(8_192),
            by(&GEMMA_CARDS).cannot(&[Vision, Audio, Reasoning, ReasoningBudget]),
        ],
    ),
    open(
        &["gemma-3"],
        [
            by(&LITELLM).window(131_072).can(&[Tools, Vision]),
            by(&GEMMA_CARDS).cannot(&[Audio, Reasoning, ReasoningBudget]),
        ],
    ),
    open(
        &["gemma-3-1b", "gemma-3-270m"],
        [by(&GEMMA_CARDS)
            .window(32_768)
            .cannot(&[Vision, Audio, Reasoning, ReasoningBudget])],
    ),
    open(
        &["gemma-3n"],
        [by(&GEMMA_CARDS)
            .window(32_768)
            .can(&[Vision, Audio])
            .cannot(THOUGHTLESS)],
    ),
    open(
        &["gemma-4"],
        [by(&LITELLM)
            .window(262_144)
            .can(&[Tools, Vision, StructuredOutput, Reasoning])],
    ),
];
