//! Nova.

use super::super::row::Word::{Audio, Documents, Reasoning, Tools, Vision};
use super::super::row::{Row, Said, Word, by, row};
use super::super::source::{AMAZON_CACHING, AMAZON_NOVA, LITELLM};
use super::{PLAIN, THOUGHTLESS};

const READING: &[Word] = &[Tools, Vision, Documents];
const CACHING: Said = by(&AMAZON_CACHING).caches_from(1_000);
const FIRST: Said = by(&LITELLM).answers(10_000).can(READING);
/// Those of the first generation do not think.
const THINKS_NOT: Said = by(&AMAZON_NOVA).cannot(THOUGHTLESS);

pub(super) const ROWS: &[Row] = &[
    row(
        &["nova-2", "nova-2-lite", "nova-2-pro"],
        [by(&LITELLM)
            .window(1_000_000)
            .answers(64_000)
            .can(&[Tools, Vision, Documents, Reasoning])],
    ),
    row(&["nova-lite"], [FIRST.window(300_000), THINKS_NOT, CACHING]),
    row(
        &["nova-micro"],
        [
            FIRST.window(128_000).can(&[Tools]),
            by(&AMAZON_NOVA).cannot(PLAIN),
            by(&AMAZON_NOVA).cannot(&[Audio, Documents]),
            CACHING,
        ],
    ),
    row(&["nova-premier"], [FIRST.window(1_000_000), THINKS_NOT, CACHING]),
    row(&["nova-pro"], [FIRST.window(300_000), THINKS_NOT, CACHING]),
];
