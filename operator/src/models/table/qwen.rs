//! Qwen.

use super::super::row::Word::{Audio, Reasoning, ReasoningBudget, StructuredOutput, Tools, Vision};
use super::super::row::{Row, Said, by, open, row};
use super::super::source::{LITELLM, QWEN_CARDS};
use super::{SEEING_AND_THINKING, THINKING, TOOLS};

/// Text alone.
const READS: Said = by(&QWEN_CARDS).cannot(&[Vision, Audio]);
/// Text alone, and no thoughts.
const PLAIN: Said = by(&QWEN_CARDS).cannot(&[Vision, Audio, Reasoning, ReasoningBudget]);
const DEAF: Said = by(&QWEN_CARDS).cannot(&[Audio]);
const SEES: Said = by(&LITELLM).window(262_144).can(SEEING_AND_THINKING);

pub(super) const ROWS: &[Row] = &[
    open(&["qwen2", "qwen2-5"], [by(&LITELLM).window(131_072), PLAIN]),
    open(&["qwen2-5-coder"], [by(&LITELLM).window(131_072), PLAIN]),
    open(&["qwen2-5-vl"], [by(&LITELLM).window(131_072).can(&[Vision]), DEAF]),
    open(&["qwen3"], [by(&LITELLM).window(262_144).can(TOOLS), READS]),
    open(&["qwen3-coder"], [by(&LITELLM).window(1_000_000).can(TOOLS), READS]),
    row(&["qwen3-max"], [by(&LITELLM).window(262_144).can(TOOLS), READS]),
    open(&["qwen3-next"], [by(&LITELLM).window(262_144).can(TOOLS), READS]),
    open(
        &["qwen3-omni"],
        [by(&LITELLM)
            .window(65_536)
            .can(&[Tools, Vision, Audio, StructuredOutput])],
    ),
    open(
        &["qwen3-vl"],
        [by(&LITELLM).window(262_144).can(&[Tools, Vision]), DEAF],
    ),
    open(&["qwen3-5"], [SEES.window(1_000_000)]),
    open(&["qwen3-6"], [SEES.window(1_000_000)]),
    row(&["qwen3-6-max"], [by(&LITELLM).window(262_144).can(THINKING)]),
    row(&["qwen3-7-max"], [by(&LITELLM).window(1_000_000).can(THINKING)]),
    row(&["qwen3-7-plus"], [SEES.window(1_000_000)]),
    open(&["qwen3-8-27b"], [SEES]),
    row(
        &["qwen3-8-flash", "qwen3-8-max"],
        [by(&LITELLM).window(1_000_000).can(THINKING)],
    ),
    row(
        &["qwen3-8-omni"],
        [by(&LITELLM)
            .window(1_000_000)
            .can(&[Tools, Vision, Audio, StructuredOutput, Reasoning])],
    ),
    open(&["qwq-32b"], [by(&LITELLM).window(131_072).can(&[Reasoning]), READS]),
];
