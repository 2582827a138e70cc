//! Grok.

use super::super::row::Word::{Reasoning, Stop, StructuredOutput, Tools, Vision};
use super::super::row::{Row, Said, Word, by, row};
use super::super::source::{LITELLM, XAI_MODELS, XAI_REASONING};
use super::THOUGHTLESS;

const SEEING: &[Word] = &[Tools, Vision, StructuredOutput];
const THINKING: &[Word] = &[Tools, Vision, StructuredOutput, Reasoning];

/// Models that think take no stop sequences,
const UNSTOPPED: Said = by(&XAI_REASONING).cannot(&[Stop]);
/// and some of them show no thoughts.
const SILENT: Said = UNSTOPPED.silent();

pub(super) const ROWS: &[Row] = &[
    row(
        &["grok-2-vision"],
        [
            by(&LITELLM).window(32_768).can(&[Tools, Vision]),
            by(&XAI_MODELS).cannot(THOUGHTLESS),
        ],
    ),
    row(
        &["grok-3"],
        [by(&XAI_MODELS)
            .window(131_072)
            .can(&[Tools, StructuredOutput])
            .cannot(&[Vision, Reasoning])],
    ),
    row(
        &["grok-3-mini"],
        [
            by(&XAI_MODELS)
                .window(131_072)
                .can(&[Tools, StructuredOutput, Reasoning])
                .cannot(&[Vision])
                .efforts(super::LOW_OR_HIGH),
            UNSTOPPED,
        ],
    ),
    row(&["grok-4"], [by(&XAI_MODELS).window(256_000).can(THINKING), SILENT]),
    row(
        &["grok-4-1-fast", "grok-4-fast"],
        [by(&XAI_MODELS).window(2_000_000).can(SEEING), UNSTOPPED],
    ),
    row(
        &["grok-4-1-fast-non-reasoning", "grok-4-fast-non-reasoning"],
        [by(&XAI_MODELS).window(2_000_000).can(SEEING).cannot(&[Reasoning])],
    ),
    row(
        &["grok-4-20"],
        [
            by(&LITELLM).window(1_000_000).can(&[Vision, StructuredOutput]),
            UNSTOPPED,
        ],
    ),
    row(&["grok-4-3"], [by(&LITELLM).window(1_000_000).can(THINKING), UNSTOPPED]),
    row(&["grok-4-5"], [by(&LITELLM).window(500_000).can(THINKING), UNSTOPPED]),
    row(&["grok-4-6"], [by(&LITELLM).window(500_000).can(THINKING), UNSTOPPED]),
    row(&["grok-4-7"], [by(&LITELLM).window(500_000).can(THINKING), UNSTOPPED]),
    row(&["grok-build"], [by(&LITELLM).window(500_000).can(THINKING)]),
    row(
        &["grok-code-fast"],
        [by(&LITELLM).window(256_000).can(THINKING), SILENT],
    ),
];
