//! Usage as Responses counts it.

use crate::dialect::Usage;
use crate::json::{Object, ObjectWriter, Raw};

/// Reads `usage`. Input includes what was cached, output what was reasoned.
pub(super) fn read(usage: Raw<'_>) -> Option<Usage> {
    let (mut input, mut output) = (None, None);
    let (mut cached, mut written, mut reasoning) = (0, 0, 0);
    usage.visit(|of, key, value| match (of, key) {
        (None, "input_tokens") => input = value.u64(),
        (None, "output_tokens") => output = value.u64(),
        (Some("input_tokens_details"), "cached_tokens") => cached = value.u64().unwrap_or(0),
        (Some("input_tokens_details"), "cache_write_tokens") => written = value.u64().unwrap_or(0),
        (Some("output_tokens_details"), "reasoning_tokens") => reasoning = value.u64().unwrap_or(0),
        _ => {}
    })?;
    input.or(output)?;
    let (input, output) = (input.unwrap_or(0), output.unwrap_or(0));
    let cached_input = cached.min(input);
    Some(Usage {
        input,
        cached_input,
        cache_write_input: written.min(input - cached_input),
        cache_write_hour: None,
        output,
        reasoning: reasoning.min(output),
    })
}

/// The usage of a response.
pub(super) fn of(response: &Object<'_>) -> Option<Usage> {
    response.get("usage").and_then(read)
}

/// Writes the members of `usage`.
pub(super) fn write(usage: &Usage, object: &mut ObjectWriter<'_>) {
    let Usage {
        input,
        cached_input,
        cache_write_input,
        cache_write_hour: _,
        output,
        reasoning,
    } = *usage;
    object.u64("input_tokens", input);
    let mut details = object.object("input_tokens_details");
    details.u64("cached_tokens", cached_input);
    details.u64("cache_write_tokens", cache_write_input);
    details.end();
    object.u64("output_tokens", output);
    object
        .object("output_tokens_details")
        .u64("reasoning_tokens", reasoning);
    object.u64("total_tokens", input.saturating_add(output));
}

#[cfg(test)]
mod tests {
    use super::{Usage, of};
    use crate::json;

    #[test]
    fn what_is_cached_or_reasoned_is_part_of_the_whole() {
        let usage = |input, cached_input, cache_write_input, output, reasoning| {
            Some(Usage {
                input,
                cached_input,
                cache_write_input,
                cache_write_hour: None,
                output,
                reasoning,
            })
        };
        let cases = [
            (
                r#"{"usage":{"input_tokens":10,"input_tokens_details":{"cached_tokens":4,"cache_write_tokens":5},
                "output_tokens":8,"output_tokens_details":{"reasoning_tokens":6},"total_tokens":18}}"#,
                usage(10, 4, 5, 8, 6),
            ),
            (
                r#"{"usage":{"input_tokens":3,"output_tokens":2}}"#,
                usage(3, 0, 0, 2, 0),
            ),
            (
                r#"{"usage":{"input_tokens":3,"input_tokens_details":{"cached_tokens":9},"output_tokens_details":null}}"#,
                usage(3, 3, 0, 0, 0),
            ),
            (r#"{"usage":{}}"#, None),
            (r#"{"usage":null}"#, None),
            (r#"{}"#, None),
        ];
        for (answer, expected) in cases {
            let answer = json::parse(answer.as_bytes()).unwrap();
            assert_eq!(of(&answer), expected, "{}", answer.text());
        }
    }
}
