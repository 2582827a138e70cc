//! GPT, the models named o, and the open ones.

use super::super::row::Word::{
    Audio, Documents, Prefill, Reasoning, ReasoningBudget, Sampling, SamplingWithReasoning, Stop, StructuredOutput,
    ThinkingOff, Tools, Vision,
};
use super::super::row::{Row, Said, Word, by, open, row};
use super::super::source::{
    LITELLM, OPENAI_CACHING, OPENAI_CHAT, OPENAI_FILES, OPENAI_LATEST, OPENAI_MODELS, OPENAI_OPEN, OPENAI_OUTPUTS,
    OPENAI_REASONING,
};
use super::{FROM_MINIMAL, LOW_TO_HIGH, LOW_TO_MAX, THOUGHTLESS};

const FROM_NONE: &[&str] = &["none", "low", "medium", "high"];
const NONE_TO_XHIGH: &[&str] = &["none", "low", "medium", "high", "xhigh"];
const NONE_TO_MAX: &[&str] = &["none", "low", "medium", "high", "xhigh", "max"];
const MEDIUM_TO_XHIGH: &[&str] = &["medium", "high", "xhigh"];
const READING: &[Word] = &[Tools, Vision, Documents, StructuredOutput];
const REASONING: &[Word] = &[Tools, Vision, Documents, StructuredOutput, Reasoning];

const CACHING: Said = by(&OPENAI_CACHING).caches_from(1_024);
const DEAF: Said = by(&OPENAI_MODELS).cannot(&[Audio]);
const TEXT_ALONE: Said = by(&OPENAI_MODELS).cannot(&[Audio, Vision]);
const FILELESS: Said = by(&OPENAI_FILES).cannot(&[Documents]);
const SHAPELESS: Said = by(&OPENAI_OUTPUTS).cannot(&[StructuredOutput]);
/// It has no budgets, its chat shows no thoughts, and an assistant's last message begins no answer.
const THINKS: Said = by(&OPENAI_REASONING).cannot(&[ReasoningBudget]).silent();
const THINKS_NOT: Said = by(&OPENAI_REASONING).cannot(THOUGHTLESS);
const AFRESH: Said = by(&OPENAI_CHAT).cannot(&[Prefill]);
const UNSTOPPED: Said = by(&OPENAI_CHAT).cannot(&[Prefill, Stop]);
/// Its temperature is fixed.
const FIXED: Said = by(&OPENAI_REASONING).cannot(&[Sampling, ReasoningBudget]).silent();
const FIXED_ALWAYS: Said = by(&OPENAI_REASONING)
    .cannot(&[Sampling, ReasoningBudget, ThinkingOff])
    .silent();
/// It has a temperature while it does not think.
const THEN_FIXED: Said = by(&OPENAI_LATEST).cannot(&[SamplingWithReasoning]);

const O: Said = by(&LITELLM)
    .window(200_000)
    .answers(100_000)
    .can(REASONING)
    .efforts(LOW_TO_HIGH);
const GPT_5: Said = by(&LITELLM).window(272_000).answers(128_000).can(REASONING);
const CHATTING: Said = by(&LITELLM)
    .window(128_000)
    .answers(16_384)
    .can(&[Vision, Documents, StructuredOutput]);
const CODING: Said = by(&LITELLM).window(400_000).answers(128_000).can(REASONING);
const GPT_6: Said = by(&LITELLM)
    .window(922_000)
    .answers(128_000)
    .can(REASONING)
    .cannot(&[Sampling]);
const HEARING: Said = by(&LITELLM).window(128_000).answers(16_384).can(&[Tools, Audio]);
const OPEN: Said = by(&LITELLM).window(131_072).can(&[Tools, Reasoning, StructuredOutput]);

pub(super) const ROWS: &[Row] = &[
    row(
        &["gpt-3-5-turbo", "gpt-35-turbo"],
        [
            by(&LITELLM).window(16_385).answers(4_096).can(&[Tools]),
            TEXT_ALONE,
            FILELESS,
            SHAPELESS,
            THINKS_NOT,
            AFRESH,
        ],
    ),
    row(
        &["gpt-4"],
        [
            by(&LITELLM).window(8_192).answers(4_096).can(&[Tools]),
            TEXT_ALONE,
            FILELESS,
            SHAPELESS,
            THINKS_NOT,
            AFRESH,
        ],
    ),
    row(
        &["gpt-4-1106-preview", "gpt-4-0125-preview"],
        [
            by(&LITELLM).window(128_000).answers(4_096).can(&[Tools]),
            TEXT_ALONE,
            SHAPELESS,
            THINKS_NOT,
            AFRESH,
        ],
    ),
    row(
        &["gpt-4-32k"],
        [
            by(&OPENAI_MODELS).window(32_768).cannot(&[Audio, Vision]),
            SHAPELESS,
            AFRESH,
        ],
    ),
    row(
        &["gpt-4-1"],
        [
            by(&LITELLM).window(1_047_576).answers(32_768).can(READING),
            DEAF,
            THINKS_NOT,
            AFRESH,
            CACHING,
        ],
    ),
    row(
        &["gpt-4-turbo"],
        [
            by(&LITELLM)
                .window(128_000)
                .answers(4_096)
                .can(&[Tools, Vision, Documents]),
            DEAF,
            SHAPELESS,
            THINKS_NOT,
            AFRESH,
        ],
    ),
    row(
        &["gpt-4o", "chatgpt-4o"],
        [
            by(&LITELLM).window(128_000).answers(16_384).can(READING),
            DEAF,
            THINKS_NOT,
            AFRESH,
            CACHING,
        ],
    ),
    row(
        &["gpt-4o-2024-05-13"],
        [
            by(&LITELLM)
                .window(128_000)
                .answers(4_096)
                .can(&[Tools, Vision, Documents]),
            DEAF,
            SHAPELESS,
            THINKS_NOT,
            AFRESH,
        ],
    ),
    row(
        &["gpt-4o-audio", "gpt-4o-mini-audio"],
        [
            HEARING,
            by(&OPENAI_MODELS).cannot(&[Vision, StructuredOutput]),
            THINKS_NOT,
            AFRESH,
        ],
    ),
    row(
        &["gpt-4o-search", "gpt-4o-mini-search"],
        [by(&LITELLM).window(128_000).answers(16_384), AFRESH],
    ),
    row(
        &["gpt-5"],
        [GPT_5.efforts(FROM_MINIMAL), FIXED, UNSTOPPED, DEAF, CACHING],
    ),
    row(
        &["gpt-5-1"],
        [
            GPT_5.efforts(FROM_NONE).unasked("none"),
            THINKS,
            THEN_FIXED,
            UNSTOPPED,
            DEAF,
            CACHING,
        ],
    ),
    row(&["gpt-5-1-chat"], [CHATTING, AFRESH]),
    row(&["gpt-5-1-codex"], [CODING, THINKS, UNSTOPPED, DEAF, CACHING]),
    row(
        &["gpt-5-2"],
        [
            GPT_5.efforts(NONE_TO_XHIGH).unasked("none"),
            THINKS,
            THEN_FIXED,
            UNSTOPPED,
            DEAF,
            CACHING,
        ],
    ),
    row(&["gpt-5-2-chat"], [CHATTING, AFRESH]),
    row(&["gpt-5-2-codex"], [GPT_5, THINKS, UNSTOPPED, DEAF, CACHING]),
    row(
        &["gpt-5-2-pro"],
        [GPT_5.efforts(MEDIUM_TO_XHIGH), FIXED_ALWAYS, UNSTOPPED, DEAF],
    ),
    row(&["gpt-5-3-chat"], [CHATTING, AFRESH]),
    row(
        &["gpt-5-3-codex"],
        [
            GPT_5.efforts(NONE_TO_XHIGH),
            THINKS,
            THEN_FIXED,
            UNSTOPPED,
            DEAF,
            CACHING,
        ],
    ),
    row(
        &["gpt-5-4"],
        [
            GPT_5.window(1_050_000).efforts(NONE_TO_XHIGH).unasked("none"),
            THINKS,
            THEN_FIXED,
            UNSTOPPED,
            DEAF,
            CACHING,
        ],
    ),
    row(
        &["gpt-5-4-mini"],
        [
            GPT_5.efforts(NONE_TO_XHIGH).unasked("none"),
            THINKS,
            THEN_FIXED,
            UNSTOPPED,
            DEAF,
            CACHING,
        ],
    ),
    row(
        &["gpt-5-4-nano"],
        [
            GPT_5.efforts(NONE_TO_XHIGH).unasked("none"),
            THINKS,
            THEN_FIXED,
            UNSTOPPED,
            DEAF,
            CACHING,
        ],
    ),
    row(
        &["gpt-5-4-pro", "gpt-5-5-pro"],
        [
            by(&LITELLM)
                .window(1_050_000)
                .answers(128_000)
                .can(&[Tools, Vision, Documents, Reasoning])
                .cannot(&[StructuredOutput])
                .efforts(MEDIUM_TO_XHIGH),
            FIXED_ALWAYS,
            UNSTOPPED,
            DEAF,
        ],
    ),
    row(
        &["gpt-5-5"],
        [
            GPT_5.window(1_050_000).efforts(NONE_TO_XHIGH),
            THINKS,
            THEN_FIXED.unasked("medium"),
            UNSTOPPED,
            DEAF,
            CACHING,
        ],
    ),
    row(
        &["gpt-5-6"],
        [
            GPT_5.window(922_000).efforts(NONE_TO_XHIGH),
            THINKS,
            THEN_FIXED,
            UNSTOPPED,
            DEAF,
            CACHING,
        ],
    ),
    row(&["gpt-5-chat"], [CHATTING, AFRESH]),
    row(&["gpt-5-codex"], [GPT_5, FIXED, UNSTOPPED, DEAF, CACHING]),
    row(
        &["gpt-5-pro"],
        [
            GPT_5.window(400_000).answers(272_000).efforts(&["high"]),
            FIXED_ALWAYS,
            UNSTOPPED,
            DEAF,
        ],
    ),
    row(
        &["gpt-6-1-sol"],
        [
            GPT_6.efforts(LOW_TO_MAX).cannot(&[Sampling, ThinkingOff]),
            THINKS,
            UNSTOPPED,
            CACHING,
        ],
    ),
    row(
        &["gpt-6-1-terra"],
        [
            GPT_6.efforts(LOW_TO_MAX).cannot(&[Sampling, ThinkingOff]),
            THINKS,
            UNSTOPPED,
            CACHING,
        ],
    ),
    row(
        &["gpt-6-astra"],
        [
            GPT_6.efforts(LOW_TO_MAX).cannot(&[Sampling, ThinkingOff]),
            THINKS,
            UNSTOPPED,
            CACHING,
        ],
    ),
    row(
        &["gpt-6-luna"],
        [GPT_6.efforts(NONE_TO_MAX), THINKS, UNSTOPPED, CACHING],
    ),
    row(&["gpt-6-sol"], [GPT_6.efforts(NONE_TO_MAX), THINKS, UNSTOPPED, CACHING]),
    row(
        &["gpt-audio"],
        [HEARING.cannot(&[Vision, StructuredOutput, Reasoning]), AFRESH],
    ),
    open(
        &["gpt-oss"],
        [
            OPEN.efforts(LOW_TO_HIGH),
            by(&OPENAI_OPEN).cannot(&[Vision, Audio, ReasoningBudget, ThinkingOff]),
        ],
    ),
    open(
        &["gpt-oss-safeguard"],
        [OPEN, by(&OPENAI_OPEN).cannot(&[Vision, Audio])],
    ),
    row(&["o1"], [O, FIXED_ALWAYS, UNSTOPPED, DEAF, CACHING]),
    row(
        &["o1-mini", "o1-preview"],
        [
            by(&OPENAI_MODELS).window(128_000).cannot(&[Tools, Vision, Audio]),
            FIXED_ALWAYS,
            UNSTOPPED,
        ],
    ),
    row(&["o1-pro"], [O, FIXED_ALWAYS, UNSTOPPED, DEAF]),
    row(&["o3"], [O, FIXED_ALWAYS, UNSTOPPED, DEAF, CACHING]),
    row(
        &["o3-deep-research", "o4-mini-deep-research"],
        [
            by(&LITELLM)
                .window(200_000)
                .answers(100_000)
                .can(&[Vision, Documents, Reasoning])
                .cannot(&[Tools, StructuredOutput]),
            FIXED_ALWAYS,
            UNSTOPPED,
            DEAF,
        ],
    ),
    row(
        &["o3-mini"],
        [
            O.can(&[Tools, StructuredOutput, Reasoning]).cannot(&[Vision]),
            FIXED_ALWAYS,
            UNSTOPPED,
            DEAF,
            FILELESS,
            CACHING,
        ],
    ),
    row(&["o3-pro"], [O, FIXED_ALWAYS, UNSTOPPED, DEAF]),
    row(&["o4-mini"], [O, FIXED_ALWAYS, UNSTOPPED, DEAF, CACHING]),
];
