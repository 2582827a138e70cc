//! Usage as Cohere counts it: what is paid for, and beside it what the model read with the provider's own words around
//! it. The former is what is counted here.

use crate::dialect::Usage;
use crate::json::{Object, Raw};

/// The usage of an answer, or of a stream's `message-end`.
pub(in crate::dialect) fn of(holder: &Object<'_>) -> Option<Usage> {
    let usage = holder.get("usage")?.object()?;
    let count = |units: &str| {
        let units = usage.get(units)?.object()?;
        let number = |key| units.get(key).and_then(Raw::u64);
        let (input, output) = (number("input_tokens"), number("output_tokens"));
        input.or(output)?;
        Some((input.unwrap_or(0), output.unwrap_or(0)))
    };
    let (input, output) = count("billed_units").or_else(|| count("tokens"))?;
    Some(Usage {
        input,
        cached_input: usage.get("cached_tokens").and_then(Raw::u64).unwrap_or(0).min(input),
        output,
        ..Usage::default()
    })
}

#[cfg(test)]
mod tests {
    use super::{Usage, of};
    use crate::json;

    #[test]
    fn what_is_billed_counts_and_what_was_read_where_nothing_else_is_told() {
        let of = |text: &str| of(&json::parse(text.as_bytes()).unwrap());
        let counted = |input, cached_input, output| {
            Some(Usage {
                input,
                cached_input,
                output,
                ..Usage::default()
            })
        };
        for (usage, expected) in [
            (
                r#"{"billed_units":{"input_tokens":17.0,"output_tokens":12},"tokens":{"input_tokens":215,"output_tokens":14},
                "cached_tokens":16}"#,
                counted(17, 16, 12),
            ),
            (
                r#"{"tokens":{"input_tokens":215},"cached_tokens":400}"#,
                counted(215, 215, 0),
            ),
            (
                r#"{"billed_units":{"search_units":1},"tokens":{"output_tokens":3}}"#,
                counted(0, 0, 3),
            ),
            (r#"{"billed_units":{"search_units":1}}"#, None),
            ("7", None),
        ] {
            assert_eq!(of(&format!(r#"{{"usage":{usage}}}"#)), expected, "{usage}");
        }
        assert_eq!(of("{}"), None);
    }
}
