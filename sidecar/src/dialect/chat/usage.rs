//! Usage as chat providers count it.

use crate::dialect::Usage;
use crate::json::{Object, ObjectWriter, Raw};

/// Reads `usage`. Input includes what was cached; some providers name the cached part in their own way, and xAI counts
/// reasoning beside `completion_tokens` instead of in it.
pub(in crate::dialect) fn read(usage: Raw<'_>) -> Option<Usage> {
    let usage = usage.object()?;
    let (prompt, completion) = (number(&usage, "prompt_tokens"), number(&usage, "completion_tokens"));
    let total = number(&usage, "total_tokens");
    prompt.or(completion).or(total)?;
    let input = prompt.unwrap_or(0);
    let prompt_details = details(&usage, "prompt_tokens_details");
    let of_prompt = |key| prompt_details.as_ref().and_then(|details| number(details, key));
    let cached = of_prompt("cached_tokens")
        .or_else(|| number(&usage, "prompt_cache_hit_tokens"))
        .or_else(|| number(&usage, "cached_tokens"))
        .unwrap_or(0);
    let reasoning = details(&usage, "completion_tokens_details")
        .and_then(|details| number(&details, "reasoning_tokens"))
        .unwrap_or(0);
    let mut output = completion.unwrap_or(0);
    if reasoning > 0 && total == Some(input.saturating_add(output).saturating_add(reasoning)) {
        output = output.saturating_add(reasoning);
    }
    let cached_input = cached.min(input);
    let cache_write_input = of_prompt("cache_write_tokens").unwrap_or(0).min(input - cached_input);
    Some(Usage {
        input,
        cached_input,
        cache_write_input,
        output,
        reasoning: reasoning.min(output),
    })
}

/// The usage of an answer or a chunk: its own, or where Groq and Moonshot put it.
pub(in crate::dialect) fn of(answer: &Object<'_>) -> Option<Usage> {
    let beside = || answer.get("x_groq")?.object()?.get("usage");
    let inside = || answer.get("choices")?.elements()?.objects().next()??.get("usage");
    answer
        .get("usage")
        .and_then(read)
        .or_else(|| read(beside()?))
        .or_else(|| read(inside()?))
}

/// Writes the members of `usage`.
pub(in crate::dialect) fn write(usage: &Usage, object: &mut ObjectWriter<'_>) {
    let Usage {
        input,
        cached_input,
        cache_write_input,
        output,
        reasoning,
    } = *usage;
    object.u64("prompt_tokens", input);
    object.u64("completion_tokens", output);
    object.u64("total_tokens", input.saturating_add(output));
    let mut details = object.object("prompt_tokens_details");
    details.u64("cached_tokens", cached_input);
    if cache_write_input > 0 {
        details.u64("cache_write_tokens", cache_write_input);
    }
    details.end();
    object
        .object("completion_tokens_details")
        .u64("reasoning_tokens", reasoning);
}

fn number(object: &Object<'_>, key: &str) -> Option<u64> {
    object.get(key)?.u64()
}

fn details<'a>(usage: &Object<'a>, key: &str) -> Option<Object<'a>> {
    usage.get(key)?.object()
}

#[cfg(test)]
mod tests {
    use super::{Usage, of};
    use crate::json;

    #[test]
    fn every_provider_s_way_of_counting_ends_in_one_meaning() {
        let usage = |input, cached_input, cache_write_input, output, reasoning| {
            Some(Usage {
                input,
                cached_input,
                cache_write_input,
                output,
                reasoning,
            })
        };
        let cases = [
            (
                r#"{"usage":{"prompt_tokens":10,"completion_tokens":3,"total_tokens":13}}"#,
                usage(10, 0, 0, 3, 0),
            ),
            (
                r#"{"usage":{"prompt_tokens":10,"completion_tokens":8,"total_tokens":18,"prompt_tokens_details":
                {"cached_tokens":4,"cache_write_tokens":5},"completion_tokens_details":{"reasoning_tokens":6}}}"#,
                usage(10, 4, 5, 8, 6),
            ),
            (
                r#"{"usage":{"prompt_tokens":10,"completion_tokens":1,"prompt_cache_hit_tokens":9}}"#,
                usage(10, 9, 0, 1, 0),
            ),
            (
                r#"{"usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":17,
                "completion_tokens_details":{"reasoning_tokens":5}}}"#,
                usage(10, 0, 0, 7, 5),
            ),
            (
                r#"{"usage":null,"x_groq":{"usage":{"prompt_tokens":1,"completion_tokens":2}}}"#,
                usage(1, 0, 0, 2, 0),
            ),
            (
                r#"{"choices":[{"usage":{"prompt_tokens":1,"completion_tokens":2}}]}"#,
                usage(1, 0, 0, 2, 0),
            ),
            (
                r#"{"usage":{"prompt_tokens":8,"total_tokens":8}}"#,
                usage(8, 0, 0, 0, 0),
            ),
            (
                r#"{"usage":{"prompt_tokens":1,"prompt_tokens_details":{"cached_tokens":9}}}"#,
                usage(1, 1, 0, 0, 0),
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
