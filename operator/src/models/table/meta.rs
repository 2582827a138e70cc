//! Llama.

use super::super::row::Word::{Audio, Reasoning, ReasoningBudget, Vision};
use super::super::row::{Row, Said, by, open};
use super::super::source::{LITELLM, META_CARDS};
use super::{SEEING, TOOLS};

/// Text alone, and no thoughts.
const PLAIN: Said = by(&META_CARDS).cannot(&[Vision, Audio, Reasoning, ReasoningBudget]);
const DEAF: Said = by(&META_CARDS).cannot(&[Audio, Reasoning, ReasoningBudget]);
const LONG: Said = by(&LITELLM).window(131_072).can(TOOLS);

pub(super) const ROWS: &[Row] = &[
    open(&["llama-2"], [by(&LITELLM).window(4_096), PLAIN]),
    open(&["llama-3", "llama-v3"], [by(&LITELLM).window(8_192), PLAIN]),
    open(&["llama-3-1", "llama-v3-1"], [LONG, PLAIN]),
    open(&["llama-3-1-nemotron"], [by(&LITELLM).window(131_072)]),
    open(&["llama-3-2", "llama-v3-2"], [by(&LITELLM).window(131_072), DEAF]),
    open(
        &["llama-3-2-11b", "llama-3-2-90b", "llama-v3-2-11b", "llama-v3-2-90b"],
        [LONG.can(SEEING), DEAF],
    ),
    open(
        &["llama-3-2-1b", "llama-3-2-3b", "llama-v3-2-1b", "llama-v3-2-3b"],
        [LONG, PLAIN],
    ),
    open(&["llama-3-3", "llama-v3-3"], [LONG, PLAIN]),
    open(&["llama-3-3-nemotron"], [by(&LITELLM).window(131_072)]),
    open(
        &["llama-4-maverick"],
        [by(&META_CARDS)
            .window(1_048_576)
            .can(SEEING)
            .cannot(&[Audio, Reasoning, ReasoningBudget])],
    ),
    open(
        &["llama-4-scout"],
        [by(&META_CARDS)
            .window(10_485_760)
            .can(SEEING)
            .cannot(&[Audio, Reasoning, ReasoningBudget])],
    ),
];
