//! Usage as Anthropic counts it: `input_tokens` leaves out what was read from or written to the cache, and the numbers
//! of a stream arrive in two events, the later ones replacing the earlier.

use crate::dialect::Usage;
use crate::json::{Object, ObjectWriter, Raw};

/// What has been said so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::dialect) struct Tally {
    uncached: Option<u64>,
    written: Option<u64>,
    hour: Option<u64>,
    read: Option<u64>,
    output: Option<u64>,
    thinking: Option<u64>,
}

impl Tally {
    /// Takes over what `usage` says; what it does not say stays.
    pub(in crate::dialect) fn add(&mut self, usage: Raw<'_>) {
        // What is no object says nothing.
        let _said = usage.visit(|of, key, value| {
            let place = match (of, key) {
                (None, "input_tokens") => &mut self.uncached,
                (None, "cache_creation_input_tokens") => &mut self.written,
                (None, "cache_read_input_tokens") => &mut self.read,
                (None, "output_tokens") => &mut self.output,
                (Some("cache_creation"), "ephemeral_1h_input_tokens") => &mut self.hour,
                (Some("output_tokens_details"), "thinking_tokens") => &mut self.thinking,
                _ => return,
            };
            *place = value.u64().or(*place);
        });
    }

    /// The sum in our own meaning; nothing when nothing was said.
    pub(in crate::dialect) fn usage(self) -> Option<Usage> {
        let Self {
            uncached,
            written,
            hour,
            read,
            output,
            thinking,
        } = self;
        uncached.or(output)?;
        let (cached_input, cache_write_input) = (read.unwrap_or(0), written.unwrap_or(0));
        let output = output.unwrap_or(0);
        Some(Usage {
            input: uncached
                .unwrap_or(0)
                .saturating_add(cached_input)
                .saturating_add(cache_write_input),
            cached_input,
            cache_write_input,
            cache_write_hour: hour.map(|hour| hour.min(cache_write_input)),
            output,
            reasoning: thinking.unwrap_or(0).min(output),
        })
    }
}

/// The usage of a whole answer.
pub(in crate::dialect) fn of(answer: &Object<'_>) -> Option<Usage> {
    let mut tally = Tally::default();
    tally.add(answer.get("usage")?);
    tally.usage()
}

/// Writes the members of `usage`.
pub(in crate::dialect) fn write(usage: &Usage, object: &mut ObjectWriter<'_>) {
    let Usage {
        input,
        cached_input,
        cache_write_input,
        cache_write_hour,
        output,
        reasoning,
    } = *usage;
    object.u64(
        "input_tokens",
        input.saturating_sub(cached_input).saturating_sub(cache_write_input),
    );
    object.u64("cache_creation_input_tokens", cache_write_input);
    if let Some(hour) = cache_write_hour {
        let mut split = object.object("cache_creation");
        split.u64("ephemeral_5m_input_tokens", cache_write_input.saturating_sub(hour));
        split.u64("ephemeral_1h_input_tokens", hour);
    }
    object.u64("cache_read_input_tokens", cached_input);
    object.u64("output_tokens", output);
    if reasoning > 0 {
        object.object("output_tokens_details").u64("thinking_tokens", reasoning);
    }
}

#[cfg(test)]
mod tests {
    use super::{Tally, Usage};
    use crate::json;

    #[test]
    fn later_numbers_replace_earlier_ones_and_the_cache_is_part_of_the_input() {
        let mut tally = Tally::default();
        assert_eq!(tally.usage(), None);
        tally.add(json::parse_value(
            br#"{"input_tokens":10,"cache_creation_input_tokens":20,"cache_read_input_tokens":30,"output_tokens":1}"#,
        ).unwrap());
        tally
            .add(json::parse_value(br#"{"output_tokens":50,"output_tokens_details":{"thinking_tokens":40}}"#).unwrap());
        let expected = Usage {
            input: 60,
            cached_input: 30,
            cache_write_input: 20,
            cache_write_hour: None,
            output: 50,
            reasoning: 40,
        };
        assert_eq!(tally.usage(), Some(expected));
        let split = br#"{"cache_creation":{"ephemeral_5m_input_tokens":15,"ephemeral_1h_input_tokens":5}}"#;
        tally.add(json::parse_value(split).unwrap());
        let expected = Usage {
            cache_write_hour: Some(5),
            ..expected
        };
        tally.add(json::parse_value(br#"{"input_tokens":11,"output_tokens":50}"#).unwrap());
        assert_eq!(tally.usage(), Some(Usage { input: 61, ..expected }));
    }
}
