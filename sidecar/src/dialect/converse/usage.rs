//! Usage as Converse counts it: `inputTokens` leaves out what was read from or written to the cache.

use crate::dialect::Usage;
use crate::json::{Elements, Object, Raw};

/// The usage of an answer or of a stream's `metadata`.
pub(in crate::dialect) fn of(holder: &Object<'_>) -> Option<Usage> {
    let usage = holder.get("usage")?.object()?;
    let number = |key| usage.get(key).and_then(Raw::u64);
    let (uncached, output) = (number("inputTokens"), number("outputTokens"));
    uncached.or(output)?;
    let cached_input = number("cacheReadInputTokens").unwrap_or(0);
    let cache_write_input = number("cacheWriteInputTokens").unwrap_or(0);
    let cache_write_hour = usage
        .get("cacheDetails")
        .and_then(Raw::elements)
        .map(|details| written_for_an_hour(details).min(cache_write_input));
    Some(Usage {
        input: uncached
            .unwrap_or(0)
            .saturating_add(cached_input)
            .saturating_add(cache_write_input),
        cached_input,
        cache_write_input,
        cache_write_hour,
        output: output.unwrap_or(0),
        // Not told apart.
        reasoning: 0,
    })
}

fn written_for_an_hour(details: Elements<'_>) -> u64 {
    let is_hour = |detail: &Object<'_>| detail.get("ttl").and_then(Raw::string).is_some_and(|ttl| ttl == "1h");
    let hours = details.objects().flatten().filter(is_hour);
    let tokens = hours.filter_map(|detail| detail.get("inputTokens")?.u64());
    tokens.fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::{Usage, of};
    use crate::json;

    #[test]
    fn the_cache_is_part_of_the_input() {
        let of = |text: &str| of(&json::parse(text.as_bytes()).unwrap());
        let usage = r#"{"usage":{"inputTokens":10,"outputTokens":5,"totalTokens":65,
            "cacheReadInputTokens":30,"cacheWriteInputTokens":20,"cacheDetails":[{"ttl":"1h","inputTokens":8},{"ttl":"5m","inputTokens":12}]}}"#;
        let expected = Usage {
            input: 60,
            cached_input: 30,
            cache_write_input: 20,
            cache_write_hour: Some(8),
            output: 5,
            reasoning: 0,
        };
        assert_eq!(of(usage), Some(expected));
        assert_eq!(of(r#"{"usage":{}}"#), None);
        assert_eq!(of(r#"{"usage":7}"#), None);
        assert_eq!(of("{}"), None);
    }
}
