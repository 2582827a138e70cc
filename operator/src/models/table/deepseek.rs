//! DeepSeek.

use super::super::row::Word::{Audio, Prefill, Reasoning, StructuredOutput, Tools, Vision};
use super::super::row::{Row, Said, by, open, row};
use super::super::source::{DEEPSEEK_CARDS, DEEPSEEK_JSON, LITELLM};
use super::THINKING;

const TEXT_ALONE: Said = by(&DEEPSEEK_CARDS).cannot(&[Vision, Audio]);
/// Any JSON object, but of no schema.
const SHAPELESS: Said = by(&DEEPSEEK_JSON).cannot(&[StructuredOutput]);
const V3: Said = by(&LITELLM).window(163_840).can(&[Tools]);
const V4: Said = by(&LITELLM)
    .window(1_000_000)
    .answers(393_216)
    .can(&[Tools, Reasoning, Prefill])
    .cannot(&[Vision]);
const SEEING: Said = by(&LITELLM)
    .window(1_000_000)
    .answers(393_216)
    .can(&[Tools, Vision, Reasoning, Prefill]);

pub(super) const ROWS: &[Row] = &[
    row(
        &["deepseek-chat"],
        [
            by(&LITELLM).window(131_072).answers(8_192).can(&[Tools]),
            TEXT_ALONE,
            SHAPELESS,
        ],
    ),
    row(
        &["deepseek-reasoner"],
        [
            by(&LITELLM).window(131_072).answers(65_536).can(&[Reasoning]),
            TEXT_ALONE,
            SHAPELESS,
        ],
    ),
    row(&["deepseek-flash"], [SEEING, SHAPELESS]),
    open(
        &["deepseek-r1"],
        [by(&LITELLM).window(163_840).can(&[Reasoning]), TEXT_ALONE],
    ),
    open(&["deepseek-r1-distill"], [by(&LITELLM).window(131_072), TEXT_ALONE]),
    open(&["deepseek-v3"], [V3, TEXT_ALONE]),
    open(&["deepseek-v3-1"], [V3.can(THINKING), TEXT_ALONE]),
    open(&["deepseek-v3-2"], [V3.can(THINKING), TEXT_ALONE]),
    open(&["deepseek-v4-flash"], [SEEING]),
    open(&["deepseek-v4-pro"], [V4]),
];
