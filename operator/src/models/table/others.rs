//! Everybody else, by their names.

use super::super::row::Word::{Audio, Reasoning, ReasoningBudget, Tools, Vision};
use super::super::row::{Row, Said, by, open, row};
use super::super::source::{LITELLM, MICROSOFT_CARDS, MINIMAX_CARDS, MOONSHOT_CARDS, ZAI_CARDS};
use super::{PLAIN, SEEING_AND_THINKING, THINKING};

const GLM: Said = by(&ZAI_CARDS).cannot(&[Vision, Audio]);
const MINIMAX: Said = by(&MINIMAX_CARDS).cannot(&[Vision, Audio]);
const KIMI: Said = by(&LITELLM).window(262_144).can(SEEING_AND_THINKING);
const PHI: Said = by(&MICROSOFT_CARDS).cannot(&[Vision, Audio, Reasoning, ReasoningBudget]);
const NEMOTRON: Said = by(&LITELLM).window(262_144).can(THINKING).cannot(&[Vision]);

pub(super) const ROWS: &[Row] = &[
    // Z.ai.
    open(
        &["glm-4", "glm-4-32b"],
        [by(&LITELLM).window(128_000).can(&[Tools]), GLM],
    ),
    open(&["glm-4-5"], [by(&LITELLM).window(131_072).can(THINKING), GLM]),
    open(
        &["glm-4-5v", "glm-4-6v"],
        [by(&LITELLM).window(131_072).can(SEEING_AND_THINKING)],
    ),
    open(&["glm-4-6"], [by(&LITELLM).window(204_800).can(THINKING), GLM]),
    open(&["glm-4-7"], [by(&LITELLM).window(204_800).can(THINKING), GLM]),
    open(
        &["glm-5"],
        [by(&LITELLM).window(204_800).can(THINKING).cannot(&[Vision])],
    ),
    open(&["glm-5-1"], [by(&LITELLM).window(204_800).can(THINKING)]),
    open(&["glm-5-2"], [by(&LITELLM).window(1_048_576).can(THINKING)]),
    open(&["glm-5-3"], [by(&LITELLM).window(1_048_576).can(THINKING)]),
    open(
        &["glm-5-3-flash"],
        [by(&LITELLM).window(1_048_576).can(SEEING_AND_THINKING)],
    ),
    // IBM.
    open(
        &["granite-4-h"],
        [by(&LITELLM).window(131_072).can(&[Tools]).cannot(&[Vision])],
    ),
    // AI21.
    open(
        &["jamba-1-5", "jamba-1-6", "jamba-1-7", "jamba-large", "jamba-mini"],
        [by(&LITELLM).window(256_000)],
    ),
    // Moonshot.
    open(
        &["kimi-k2"],
        [by(&MOONSHOT_CARDS)
            .window(262_144)
            .can(&[Tools])
            .cannot(&[Vision, Audio, Reasoning, ReasoningBudget])],
    ),
    open(
        &["kimi-k2-thinking"],
        [by(&LITELLM).window(262_144).can(THINKING).cannot(&[Vision, Audio])],
    ),
    open(&["kimi-k2-5", "kimi-k2-6", "kimi-k2-7"], [KIMI]),
    row(&["kimi-k3"], [KIMI.window(1_048_576).efforts(&["low", "high", "max"])]),
    row(
        &["moonshot-v1-128k", "moonshot-v1-auto"],
        [by(&LITELLM).window(131_072).can(&[Tools]), PLAIN_MOONSHOT],
    ),
    row(
        &["moonshot-v1-32k"],
        [by(&LITELLM).window(32_768).can(&[Tools]), PLAIN_MOONSHOT],
    ),
    row(
        &["moonshot-v1-8k"],
        [by(&LITELLM).window(8_192).can(&[Tools]), PLAIN_MOONSHOT],
    ),
    row(
        &[
            "moonshot-v1-128k-vision",
            "moonshot-v1-32k-vision",
            "moonshot-v1-8k-vision",
        ],
        [by(&LITELLM).can(&[Tools, Vision])],
    ),
    // MiniMax.
    open(
        &["minimax-m1"],
        [by(&MINIMAX_CARDS)
            .window(1_000_000)
            .can(THINKING)
            .cannot(&[Vision, Audio])],
    ),
    open(
        &["minimax-m2", "minimax-m2-1", "minimax-m2-5"],
        [by(&LITELLM).window(1_000_000).can(THINKING), MINIMAX],
    ),
    row(
        &["minimax-m3"],
        [by(&LITELLM).window(1_000_000).can(SEEING_AND_THINKING)],
    ),
    // NVIDIA.
    open(
        &[
            "nemotron-3-nano",
            "nemotron-nano-3",
            "nemotron-3-super",
            "nemotron-super-3",
        ],
        [NEMOTRON],
    ),
    open(
        &["nemotron-nano-9b"],
        [by(&LITELLM).window(131_072).can(&[Tools]).cannot(&[Vision, Audio])],
    ),
    open(
        &["nemotron-nano-12b"],
        [by(&LITELLM).window(131_072).can(&[Tools, Vision]).cannot(&[Audio])],
    ),
    // Microsoft.
    open(
        &["phi-3-5-mini", "phi-3-5-moe", "phi-3-mini-128k", "phi-3-medium-128k"],
        [by(&LITELLM).window(131_072), PHI],
    ),
    open(&["phi-3-5-vision"], [by(&LITELLM).window(131_072).can(&[Vision])]),
    open(&["phi-4"], [by(&LITELLM).window(16_384), PHI]),
    open(
        &["phi-4-mini"],
        [
            by(&LITELLM).window(131_072).can(&[Tools]),
            by(&MICROSOFT_CARDS).cannot(&[Vision, Audio]),
        ],
    ),
    open(
        &["phi-4-multimodal"],
        [by(&LITELLM).window(131_072).can(&[Tools, Vision, Audio])],
    ),
    open(
        &["phi-4-reasoning"],
        [
            by(&LITELLM).window(32_768).can(&[Reasoning]),
            by(&MICROSOFT_CARDS).cannot(&[Vision, Audio]),
        ],
    ),
    // Perplexity.
    row(&["sonar"], [by(&LITELLM).window(128_000)]),
    row(
        &["sonar-deep-research", "sonar-reasoning"],
        [by(&LITELLM).window(128_000).can(&[Reasoning])],
    ),
    row(&["sonar-pro"], [by(&LITELLM).window(200_000).answers(8_000)]),
];

const PLAIN_MOONSHOT: Said = by(&MOONSHOT_CARDS).cannot(PLAIN);
