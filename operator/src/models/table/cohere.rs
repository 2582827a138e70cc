//! Command.

use super::super::row::Word::{Audio, Prefill, Reasoning, StructuredOutput, Tools, Vision};
use super::super::row::{Row, Said, by, open};
use super::super::source::{COHERE_CHAT, COHERE_MODELS, LITELLM};
use super::{PLAIN, SEEING_AND_THINKING, THINKING, THOUGHTLESS, TOOLS};

/// It answers what was said last, whoever said it, and hears nothing.
const AFRESH: Said = by(&COHERE_CHAT).cannot(&[Prefill, Audio]);

pub(super) const ROWS: &[Row] = &[
    open(
        &["command-a"],
        [
            by(&LITELLM).window(256_000).answers(8_000).can(TOOLS),
            by(&COHERE_MODELS).cannot(PLAIN),
            AFRESH,
        ],
    ),
    open(
        &["command-a-plus"],
        [
            by(&LITELLM).window(128_000).answers(64_000).can(SEEING_AND_THINKING),
            by(&LITELLM).can(&[StructuredOutput]),
            AFRESH,
        ],
    ),
    open(
        &["command-a-reasoning"],
        [
            by(&COHERE_MODELS)
                .window(256_000)
                .answers(32_000)
                .can(THINKING)
                .cannot(&[Vision]),
            AFRESH,
        ],
    ),
    open(
        &["command-a-translate"],
        [by(&LITELLM).window(256_000).cannot(&[Tools]), AFRESH],
    ),
    open(
        &["command-a-vision"],
        [
            by(&COHERE_MODELS)
                .window(128_000)
                .answers(8_000)
                .can(&[Vision])
                .cannot(THOUGHTLESS),
            AFRESH,
        ],
    ),
    open(
        &["command-r"],
        [
            by(&LITELLM).window(128_000).answers(4_096).can(TOOLS),
            by(&COHERE_MODELS).cannot(PLAIN),
            AFRESH,
        ],
    ),
    open(
        &["c4ai-aya-expanse", "aya-expanse"],
        [
            by(&LITELLM).window(128_000).answers(4_000),
            by(&COHERE_MODELS).cannot(&[Vision, Reasoning]),
            AFRESH,
        ],
    ),
];
