//! The prompt cache: what was sent before, as a prefix, is cheaper.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

const FIVE_MINUTES: Duration = Duration::from_secs(300);
const ONE_HOUR: Duration = Duration::from_secs(3600);
/// OpenAI caches in steps of so many tokens of four bytes.
const STEP_BYTES: usize = 128 * 4;
/// How many blocks before a mark Anthropic looks for an older entry.
const LOOKBACK: usize = 20;

/// One piece of a prompt, in the order in which the provider puts them together: tools, system, messages.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) text: String,
    pub(crate) tokens: u64,
    pub(crate) mark: Option<Mark>,
}

/// How long a marked prefix is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    FiveMinutes,
    OneHour,
}

/// What the cache did for one request, in tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cached {
    pub(crate) read: u64,
    pub(crate) written_five_minutes: u64,
    pub(crate) written_one_hour: u64,
}

impl Cached {
    pub(crate) fn written(&self) -> u64 {
        self.written_five_minutes + self.written_one_hour
    }
}

/// The prefixes that are remembered, each until its time is over.
#[derive(Debug, Default)]
pub(crate) struct PromptCache {
    prefixes: Mutex<HashMap<blake3::Hash, Instant>>,
}

impl PromptCache {
    /// OpenAI's way: whatever is long enough is cached, in steps. Returns the tokens that were read from the cache.
    pub(crate) fn automatic(&self, prompt: &str, minimum: u64) -> u64 {
        let now = Instant::now();
        let mut prefixes = self.prefixes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut hasher = blake3::Hasher::new();
        let (mut read, mut seen, mut unbroken) = (0, 0, true);
        for step in prompt.as_bytes().chunks_exact(STEP_BYTES) {
            let hash = hasher.update(step).finalize();
            seen += crate::tokens::of_bytes(STEP_BYTES);
            unbroken &= prefixes.get(&hash).is_some_and(|until| *until > now);
            if unbroken && seen >= minimum {
                read = seen;
            }
            prefixes.insert(hash, now + FIVE_MINUTES);
        }
        read
    }

    /// Anthropic's way: the prefixes up to the marked blocks.
    pub(crate) fn marked(&self, model: &str, blocks: &[Block], minimum: u64) -> Cached {
        let now = Instant::now();
        let mut prefixes = self.prefixes.lock().unwrap_or_else(PoisonError::into_inner);
        let prompt = prefixes_of(model, blocks);
        let known = |prefix: &&Prefix| prefixes.get(&prefix.hash).is_some_and(|until| *until > now);
        let is_marked = |(_, prefix): &(usize, &Prefix)| prefix.mark.is_some() && prefix.tokens >= minimum;
        let marks = || prompt.iter().enumerate().filter(is_marked);
        let near = |(mark, _)| {
            prompt
                .get(usize::saturating_sub(mark, LOOKBACK)..=mark)?
                .iter()
                .rev()
                .find(known)
        };
        let read = marks().rev().find_map(near).map_or(0, |prefix| prefix.tokens);
        let mut cached = Cached {
            read,
            ..Cached::default()
        };
        for (_, prefix) in marks() {
            let kept = cached.write(prefix);
            prefixes.insert(prefix.hash, now + kept);
        }
        cached
    }
}

impl Cached {
    /// Counts what this prefix adds to those before it; returns how long it is kept.
    fn write(&mut self, prefix: &Prefix) -> Duration {
        let added = prefix.tokens.saturating_sub(self.read + self.written());
        match prefix.mark {
            Some(Mark::OneHour) => {
                self.written_one_hour += added;
                ONE_HOUR
            }
            Some(Mark::FiveMinutes) | None => {
                self.written_five_minutes += added;
                FIVE_MINUTES
            }
        }
    }
}

/// A prompt up to the end of one of its blocks.
struct Prefix {
    hash: blake3::Hash,
    tokens: u64,
    mark: Option<Mark>,
}

fn prefixes_of(model: &str, blocks: &[Block]) -> Vec<Prefix> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(model.as_bytes());
    let mut tokens = 0;
    let end = |block: &Block| {
        tokens += block.tokens;
        let hash = hasher.update(b"\0").update(block.text.as_bytes()).finalize();
        Prefix {
            hash,
            tokens,
            mark: block.mark,
        }
    };
    blocks.iter().map(end).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(text: &str, mark: Option<Mark>) -> Block {
        Block {
            text: text.to_owned(),
            tokens: 600,
            mark,
        }
    }

    #[test]
    fn a_prompt_sent_again_is_read_up_to_where_it_differs() {
        let cache = PromptCache::default();
        let first = "x".repeat(8192);
        assert_eq!(cache.automatic(&first, 1024), 0);
        assert_eq!(cache.automatic(&first, 1024), 2048);
        let longer = format!("{}{}", "x".repeat(6000), "y".repeat(6000));
        assert_eq!(cache.automatic(&longer, 1024), 1408);
        assert_eq!(cache.automatic(&"x".repeat(4000), 1024), 0, "shorter than the minimum");
    }

    #[test]
    fn a_marked_prefix_is_written_once_and_read_after() {
        let cache = PromptCache::default();
        let five = Some(Mark::FiveMinutes);
        let turn = [block("system", None), block("a", five)];
        let write = Cached {
            written_five_minutes: 1200,
            ..Cached::default()
        };
        assert_eq!(cache.marked("m", &turn, 1024), write);
        assert_eq!(
            cache.marked("m", &turn, 1024),
            Cached {
                read: 1200,
                ..Cached::default()
            }
        );
        let next = [
            block("system", None),
            block("a", None),
            block("b", None),
            block("c", five),
        ];
        let expected = Cached {
            read: 1200,
            written_five_minutes: 1200,
            ..Cached::default()
        };
        assert_eq!(
            cache.marked("m", &next, 1024),
            expected,
            "the mark moved on, the prefix stayed"
        );
        let other = [block("another", None), block("a", five)];
        assert_eq!(cache.marked("m", &other, 1024), write);
        assert_eq!(
            cache.marked("m", &[block("x", five)], 1024),
            Cached::default(),
            "shorter than the minimum"
        );
    }
}
